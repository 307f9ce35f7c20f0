"""What is given stays as it is: a denoiser whose estimates are what is known, wherever something is.

Latents mix the joints of a body, so a part of it cannot be pinned in them. It is kept by a loss on what they decode to.
Clean estimates are fitted to that in the last steps, where they are near a motion already (as DNO, Karunratanakul et
al. 2024, fits the noise).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from core import progress
from core.diffusion.parameterize import Denoise
from core.types import Condition

Loss = Callable[[Tensor], Tensor]  # x0 (b, t, c) -> (), differentiable
_HISTORY = 10  # gradients that L-BFGS remembers
_LEAST = 0.001  # of the variance of a gradient's strongest channel: weaker ones are not scaled up further


def pinned(denoise: Denoise, known: Tensor, given: Tensor) -> Denoise:
    """A denoiser that knows some of the clean sample. After the last step of a deterministic sampler it is unchanged.

    It goes around guidance and windows, because the two would change it.

    denoise: the denoiser.
    known: (b, t, c) the clean sample, of any value where nothing is given.
    given: broadcastable to (b, t, c), true where it is given.
    """

    def denoise_pinned(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        return torch.where(given, known, denoise(x_t, t, condition))

    return denoise_pinned


def corrected(denoise: Denoise, correct: Callable[[Tensor], Tensor], below: int) -> Denoise:
    """A denoiser whose clean estimates are corrected in the last steps. It goes around guidance and windows.

    denoise: the denoiser.
    correct: x0 (b, t, c) -> a corrected x0.
    below: the step from which on there is so little noise that estimates are corrected.
    """

    def denoise_corrected(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        x0 = denoise(x_t, t, condition)
        return correct(x0) if int(t[0]) < below else x0

    return denoise_corrected


def fitted(x0: Tensor, loss: Loss, iterations: int, enough: Callable[[], bool] = lambda: False) -> Tensor:
    """x0 (b, t, c) after some iterations of L-BFGS on a loss that is near 0 where it is least.

    Channels are scaled by what the first gradient tells of them over all frames, because those that move much of a body
    would hide the others. The first step is Polyak's, to where a straight loss would be 0.

    x0: (b, t, c) where it starts; few iterations keep near.
    loss: of x0.
    iterations: at most; each computes the loss and its gradient once. 0 returns x0.
    enough: whether the x0 of which the loss was computed last may stay.
    """
    moving, memory, scales = x0.detach(), [], torch.eye(x0.shape[-1])
    lowest: tuple[Tensor, Tensor, Tensor] | None = None  # the least loss, where it was, and its gradient
    step = torch.zeros_like(moving)
    for _ in range(iterations):
        progress.report()
        with torch.enable_grad():
            x = moving.clone().requires_grad_()
            value = loss(x)
            if enough():
                break
            (gradient,) = torch.autograd.grad(value, x)
        value = value.detach()
        if lowest is None:
            scales = _scales(gradient)
            scales = scales * (value / _dot(gradient, gradient @ scales).clamp_min(1e-12))
        elif value > lowest[0]:  # too far: a shorter step from there
            step = step / 4
            moving = lowest[1] - step
            continue
        else:
            memory.append((moving - lowest[1], gradient - lowest[2]))
        lowest, step = (value, moving, gradient), _newton(gradient, memory, scales)
        moving = moving - step
    return moving


def _scales(gradient: Tensor) -> Tensor:
    """The inverse square root (c, c) of the covariance of a gradient's (b, t, c) channels."""
    flat = gradient.flatten(0, -2)
    values, vectors = torch.linalg.eigh(flat.T @ flat)
    return vectors * (values.clamp_min(0) + _LEAST * values[-1] + 1e-20).rsqrt() @ vectors.T


def _newton(gradient: Tensor, memory: list[tuple[Tensor, Tensor]], scales: Tensor) -> Tensor:
    """The step (b, t, c) that L-BFGS would go back, from pairs of earlier steps and how the gradient changed.

    scales: (c, c) the curvature's inverse where nothing is known of it.
    """
    known = [(step, change, _dot(step, change)) for step, change in memory[-_HISTORY:]]
    known = [(step, change, curved) for step, change, curved in known if curved > 0]
    shares = []
    for step, change, curved in reversed(known):
        shares.append(_dot(step, gradient) / curved)
        gradient = gradient - shares[-1] * change
    back = gradient @ scales
    if known:
        _, change, curved = known[-1]
        back = back * (curved / _dot(change, change @ scales))
    for (step, change, curved), share in zip(known, reversed(shares), strict=True):
        back = back + (share - _dot(change, back) / curved) * step
    return back


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum()

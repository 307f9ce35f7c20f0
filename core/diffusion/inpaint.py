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


def fitted(x0: Tensor, loss: Loss, iterations: int) -> Tensor:
    """x0 (b, t, c) after some iterations of L-BFGS on a loss.

    x0: (b, t, c) where it starts; few iterations keep near.
    loss: of x0.
    iterations: at most; each computes the loss and its gradient about once. 0 returns x0.
    """
    if iterations < 1:
        return x0
    moving = x0.detach().clone().requires_grad_()
    descent = torch.optim.LBFGS([moving], max_iter=iterations, max_eval=iterations + 1, history_size=_HISTORY)

    def evaluate() -> Tensor:
        progress.report()
        descent.zero_grad()
        value = loss(moving)
        value.backward()
        return value.detach()

    with torch.enable_grad():
        descent.step(evaluate)
    return moving.detach()

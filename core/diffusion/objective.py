"""The training loss of the denoiser (MoMu-Diffusion eq. 6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.diffusion.parameterize import target, to_x0
from core.diffusion.schedule import Schedule
from core.layers.noise import noise_like
from core.types import Condition


def random_steps(batch: int, steps: int, generator: torch.Generator) -> Tensor:
    """Random steps (batch,), spread evenly over the schedule from one random offset (Kingma et al. 2021).

    Each step is uniformly distributed. Together they make the loss of a small batch far less noisy than independent
    draws.

    batch: number of samples.
    steps: of the schedule.
    generator: draws the offset.
    """
    offset = torch.rand((), generator=generator, device=generator.device, dtype=torch.float64)
    share = torch.arange(batch, device=generator.device, dtype=torch.float64) / batch
    return ((offset + share).remainder(1.0) * steps).long().clamp_max(steps - 1)


def step_weights(schedule: Schedule, prediction: str, most_snr: float, least_snr: float = 0.0) -> Tensor:
    """Weights (steps,) of a prediction's squared error, 1 on average, that weight the error of the clean sample by the
    SNR, but by ``most_snr`` at most (min-SNR, Hang et al. 2023) and ``least_snr`` at least.

    schedule: the noise schedule.
    prediction: one of ``parameterize.PREDICTIONS``. Its error is that of the clean sample times 1 (x0), the SNR
        (epsilon) or the SNR + 1 (v).
    most_snr: above 0.
    least_snr: no more than that. What a condition decides is decided where there is most noise.
    """
    snr, own = _snr_and_multiple(schedule, prediction)
    return _one_on_average(snr.clamp(least_snr, most_snr) / own)


def estimate_weights(schedule: Schedule, prediction: str) -> Tensor:
    """Weights (steps,) of the clean estimate's squared error, 1 on average, that an unweighted prediction implies."""
    return _one_on_average(_snr_and_multiple(schedule, prediction)[1])


def _snr_and_multiple(schedule: Schedule, prediction: str) -> tuple[Tensor, Tensor]:
    """The SNR (steps,), and a prediction's squared error (steps,) as a multiple of the clean sample's."""
    snr = schedule.alphas_cumprod.double() / (1 - schedule.alphas_cumprod.double())
    return snr, {"x0": torch.ones_like(snr), "epsilon": snr, "v": snr + 1}[prediction]


def _one_on_average(weights: Tensor) -> Tensor:
    return (weights / weights.mean()).float()


def diffusion_loss(
    network: nn.Module,
    latents: Tensor,
    condition: Condition,
    schedule: Schedule,
    prediction: str,
    generator: torch.Generator,
    valid: Tensor | None = None,
    channels: Tensor | None = None,
    weights: Tensor | None = None,
    frame_weights: Tensor | None = None,
    steps: Tensor | None = None,
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """The loss of ``network`` on clean latents to which noise was added at random steps.

    Returns {"diffusion": mean squared error}, the clean latents (b, t, c) that the prediction implies, and the steps
    (b,).

    network: (x_t, step, condition, valid) -> prediction.
    latents: (b, t, c) clean latents.
    condition: what the network is conditioned on.
    schedule: the noise schedule.
    prediction: one of ``parameterize.PREDICTIONS``.
    generator: draws steps and noise.
    valid: (b, t) bool, false on padding, which neither the network nor the loss takes into account.
    channels: (c,) weights of the latent channels, 1 on average; None weights all equally.
    weights: (steps,) weights of the noise levels, 1 on average (``step_weights``); None weights all equally.
    frame_weights: (b, t) weights of the frames, about 1 on average; None weights all equally.
    steps: (b,) the steps, if they are drawn already.
    """
    t = random_steps(latents.shape[0], schedule.steps, generator) if steps is None else steps
    t = t.to(latents.device)
    noise = noise_like(latents, generator)
    x_t = schedule.add_noise(latents, noise, t)
    output = network(x_t, t, condition, valid).float()
    error = (output - target(latents, noise, t, schedule, prediction)).square()
    error = (error if channels is None else error * channels).mean(dim=-1)  # b t
    if frame_weights is not None:
        error = error * frame_weights
    if weights is not None:
        error = error * weights.to(error)[t][:, None]
    if valid is not None:
        error = error * valid * (valid.numel() / valid.sum().clamp_min(1))
    return {"diffusion": error.mean()}, to_x0(output, x_t, t, schedule, prediction), t

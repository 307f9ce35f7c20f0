"""From noise to a sample: one loop and the steps it can take.

Each step is a plain function from x_t and the clean estimate at step ``t`` to x at step ``before`` (the next lower one;
``CLEAN`` after the last), so that anything that walks down the schedule can use them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.diffusion.schedule import CLEAN, Schedule
from core.errors import FootlightError
from core.layers.noise import noise_like
from core.types import Condition

SAMPLERS = ("ddim", "ddpm", "dpmpp")


def ddim_step(
    x_t: Tensor,
    x0: Tensor,
    t: int,
    before: int,
    schedule: Schedule,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """One step of Song et al. 2021, eq. 12. eta 0 is deterministic; with eta > 0 fresh noise needs a generator."""
    now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
    epsilon = (x_t - math.sqrt(now) * x0) / math.sqrt(1 - now)
    sigma = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
    x = math.sqrt(then) * x0 + math.sqrt(max(0.0, 1 - then - sigma**2)) * epsilon
    if sigma > 0:
        assert generator is not None, "a stochastic step needs a generator"
        x = x + sigma * noise_like(x, generator)
    return x


def ddpm_step(x_t: Tensor, x0: Tensor, t: int, before: int, schedule: Schedule, generator: torch.Generator) -> Tensor:
    """A draw from the posterior q(x_before | x_t, x0) of Ho et al. 2020, which is DDIM with eta 1."""
    return ddim_step(x_t, x0, t, before, schedule, 1.0, generator)


def dpmpp_step(
    x_t: Tensor,
    x0: Tensor,
    t: int,
    before: int,
    schedule: Schedule,
    previous: tuple[Tensor, int] | None = None,
) -> Tensor:
    """One step of DPM-Solver++(2M), Lu et al. 2022. previous: the clean estimate of the step before this, and its t.

    Without one, and on the last step, it is of first order (the DDIM step).
    """
    if previous is None or before == CLEAN:
        return ddim_step(x_t, x0, t, before, schedule)
    earlier, t_earlier = previous
    now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
    width = _log_snr(then) - _log_snr(now)
    ratio = (_log_snr(now) - _log_snr(schedule.alpha_bar(t_earlier))) / width
    slope = (x0 - earlier) / (2 * ratio)
    return math.sqrt((1 - then) / (1 - now)) * x_t - math.sqrt(then) * math.expm1(-width) * (x0 + slope)


def _log_snr(alpha_bar: float) -> float:
    """lambda = log(alpha / sigma)."""
    return 0.5 * math.log(alpha_bar / (1 - alpha_bar))


def sample(
    denoise: Denoise,
    noise: Tensor,
    schedule: Schedule,
    steps: int,
    sampler: str = "ddim",
    generator: torch.Generator | None = None,
    condition: Condition | None = None,
) -> Iterator[Tensor]:
    """Walk from ``noise`` (b, t, c) to a sample in ``steps`` steps, yielding x after each; the last one is clean.

    Whoever iterates may stop between steps. sampler: "ddim", "dpmpp" (both deterministic) or "ddpm", which needs
    ``generator``. Raises FootlightError for another sampler.
    """
    if sampler not in SAMPLERS:
        raise FootlightError(f"unknown sampler {sampler!r}: choose one of {', '.join(SAMPLERS)}")
    condition = condition or Condition()
    return _walk(denoise, noise, schedule, steps, sampler, generator, condition)


@torch.no_grad()
def _walk(denoise, x, schedule, steps, sampler, generator, condition) -> Iterator[Tensor]:
    walked = schedule.timesteps(steps)
    previous = None
    for t, before in zip(walked, [*walked[1:], CLEAN], strict=True):
        x0 = denoise(x, torch.full((x.shape[0],), t, device=x.device), condition)
        if sampler == "ddim":
            x = ddim_step(x, x0, t, before, schedule)
        elif sampler == "ddpm":
            x = ddpm_step(x, x0, t, before, schedule, generator)
        else:
            x = dpmpp_step(x, x0, t, before, schedule, previous)
            previous = x0, t
        yield x

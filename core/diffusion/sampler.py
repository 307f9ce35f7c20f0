"""From noise to samples: one walk down the schedule with any number of chains, and the steps it can take.

A dance is one chain, which is told of its song. A duet is two chains that step down side by side and hear each other
(MoMu-Diffusion section 4.3, eq. 8-9): above the step Tc a chain is told only its own condition, for the guesses of the
others are too vague to be worth hearing; from Tc down it is told what they say. The paper leaves open which estimate is
heard: here it is that of the step before, so that each chain runs once a step and none goes first.

Each step is a plain function from x_t and the clean estimate at step ``t`` to x at step ``before`` (the next lower one;
``CLEAN`` after the last).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.diffusion.schedule import CLEAN, Schedule
from core.errors import FootlightError
from core.layers.noise import noise_like
from core.protocol import SWITCH
from core.types import Condition

Step = Callable[[Tensor, Tensor, int, int], Tensor]  # x_t, clean estimate, t, the step before -> x there


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


def _multistep(schedule: Schedule, generator: torch.Generator | None) -> Step:
    """DPM-Solver++(2M), which remembers the step that it took last."""
    previous: tuple[Tensor, int] | None = None

    def step(x_t: Tensor, x0: Tensor, t: int, before: int) -> Tensor:
        nonlocal previous
        x = dpmpp_step(x_t, x0, t, before, schedule, previous)
        previous = x0, t
        return x

    return step


STEPPERS: dict[str, Callable[[Schedule, torch.Generator | None], Step]] = {
    "ddim": lambda schedule, generator: partial(ddim_step, schedule=schedule),
    "ddpm": lambda schedule, generator: partial(ddpm_step, schedule=schedule, generator=generator),
    "dpmpp": _multistep,
}
SAMPLERS = tuple(STEPPERS)


@dataclass(frozen=True)
class Chain:
    """One modality on its way from noise to a sample.

    denoise: with guidance and windows composed into it.  noise: (b, t, c) where it starts.
    condition: what it is told of its own, whatever the other chains do.
    tell: from the clean estimates (b, t, c') of all chains by name, its own included, to what it is told from Tc down.
    None: it hears nobody.  switch: Tc as a share of the schedule; 0 never tells it of the others, 1 does from the
    second step on (before the first there is no estimate).
    sampler: a name in ``STEPPERS``; "ddim" and "dpmpp" are deterministic, "ddpm" needs ``generator``.

    Raises FootlightError for a switch outside of [0, 1] and for another sampler.
    """

    denoise: Denoise
    noise: Tensor
    condition: Condition = Condition()
    tell: Callable[[Mapping[str, Tensor]], Condition] | None = None
    switch: float = SWITCH
    sampler: str = "ddim"
    generator: torch.Generator | None = None

    def __post_init__(self) -> None:
        if self.sampler not in STEPPERS:
            raise FootlightError(f"unknown sampler {self.sampler!r}: choose one of {', '.join(STEPPERS)}")
        if not 0 <= self.switch <= 1:
            raise FootlightError(
                f"the switch to cross-guidance is {self.switch:g}; expected a share of the steps, 0 to 1"
            )

    def told(self, estimates: Mapping[str, Tensor], t: int, schedule: Schedule) -> Condition:
        """The condition at step ``t``, given the estimates of the step before it."""
        hears = self.tell is not None and estimates and t < self.switch * schedule.steps
        return self.tell(estimates) if hears else self.condition


@torch.no_grad()
def walk(chains: Mapping[str, Chain], schedule: Schedule, steps: int) -> Iterator[dict[str, Tensor]]:
    """Walk all chains from noise to samples in ``steps`` steps, side by side.

    Yields every chain's x (b, t, c) by name after each step; the last ones are clean. Whoever iterates may stop between
    steps.
    """
    step = {name: STEPPERS[chain.sampler](schedule, chain.generator) for name, chain in chains.items()}
    x = {name: chain.noise for name, chain in chains.items()}
    estimates: dict[str, Tensor] = {}
    walked = schedule.timesteps(steps)
    for t, before in zip(walked, [*walked[1:], CLEAN], strict=True):
        told = {name: chain.told(estimates, t, schedule) for name, chain in chains.items()}
        estimates = {
            name: chain.denoise(x[name], torch.full((len(x[name]),), t, device=x[name].device), told[name])
            for name, chain in chains.items()
        }
        x = {name: step[name](x[name], estimates[name], t, before) for name in chains}
        yield x


def sample(
    denoise: Denoise,
    noise: Tensor,
    schedule: Schedule,
    steps: int,
    sampler: str = "ddim",
    generator: torch.Generator | None = None,
    condition: Condition | None = None,
) -> Iterator[Tensor]:
    """``walk`` with a single chain: yields x (b, t, c) after each step; the last one is clean.

    Raises FootlightError for an unknown sampler, before anything runs.
    """
    alone = Chain(denoise, noise, condition or Condition(), sampler=sampler, generator=generator)
    return (x["alone"] for x in walk({"alone": alone}, schedule, steps))

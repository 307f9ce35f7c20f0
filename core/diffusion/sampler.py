"""Sampling: one walk down the noise schedule with any number of chains, and the steps that it can take.

A dance is one chain, conditioned on its song. A duet is two chains that are sampled side by side and condition each
other (MoMu-Diffusion section 4.3, eq. 8-9). Above the step Tc, a chain uses only its own condition, because the
estimates of the other chains are still too vague. From Tc down, it is conditioned on them. The paper leaves open which
estimates these are. Here they are those of the previous step, so each chain runs once per step and none goes first. A
chain may also follow the others: it then waits for theirs of the same step.

Each step is a function from x_t and the clean estimate at step ``t`` to x at step ``before``, which is the next lower
one, or ``CLEAN`` after the last.
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

Step = Callable[[Tensor, Tensor, int, int], Tensor]  # x_t, clean estimate, t, before -> x at step ``before``


def ddim_step(
    x_t: Tensor,
    x0: Tensor,
    t: int,
    before: int,
    schedule: Schedule,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """One step of DDIM (Song et al. 2021, eq. 12).

    x_t: (b, t, c) the noisy sample.
    x0: (b, t, c) the clean estimate.
    t: the current step.
    before: the next lower step, or ``CLEAN``.
    schedule: the noise schedule.
    eta: 0 is deterministic; above 0, new noise is added.
    generator: draws that noise.
    """
    now, then = schedule.alpha_bar(t), schedule.alpha_bar(before)
    epsilon = (x_t - math.sqrt(now) * x0) / math.sqrt(1 - now)
    sigma = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
    x = math.sqrt(then) * x0 + math.sqrt(max(0.0, 1 - then - sigma**2)) * epsilon
    if sigma > 0:
        assert generator is not None, "a stochastic step needs a generator"
        x = x + sigma * noise_like(x, generator)
    return x


def ddpm_step(x_t: Tensor, x0: Tensor, t: int, before: int, schedule: Schedule, generator: torch.Generator) -> Tensor:
    """One step of DDPM (Ho et al. 2020): a draw from the posterior q(x_before | x_t, x0), which is DDIM with eta 1."""
    return ddim_step(x_t, x0, t, before, schedule, 1.0, generator)


def dpmpp_step(
    x_t: Tensor,
    x0: Tensor,
    t: int,
    before: int,
    schedule: Schedule,
    previous: tuple[Tensor, int] | None = None,
) -> Tensor:
    """One step of DPM-Solver++(2M) (Lu et al. 2022).

    Without a previous estimate, and on the last step, it is of first order, i.e. a DDIM step.

    x_t: (b, t, c) the noisy sample.
    x0: (b, t, c) the clean estimate.
    t: the current step.
    before: the next lower step, or ``CLEAN``.
    schedule: the noise schedule.
    previous: the clean estimate of the previous, higher step, and that step.
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
    """Half the logarithm of the signal-to-noise ratio: lambda = log(alpha / sigma)."""
    return 0.5 * math.log(alpha_bar / (1 - alpha_bar))


def _multistep(schedule: Schedule, generator: torch.Generator | None) -> Step:
    """A DPM-Solver++(2M) stepper, which remembers the previous step."""
    previous: tuple[Tensor, int] | None = None

    def step(x_t: Tensor, x0: Tensor, t: int, before: int) -> Tensor:
        nonlocal previous
        x = dpmpp_step(x_t, x0, t, before, schedule, previous)
        previous = x0, t
        return x

    return step


def _ancestral(schedule: Schedule, generator: torch.Generator | None) -> Step:
    """A DDPM stepper."""
    assert generator is not None, "ddpm draws noise in every step"
    return partial(ddpm_step, schedule=schedule, generator=generator)


STEPPERS: dict[str, Callable[[Schedule, torch.Generator | None], Step]] = {
    "ddim": lambda schedule, generator: partial(ddim_step, schedule=schedule),
    "ddpm": _ancestral,
    "dpmpp": _multistep,
}
SAMPLERS = tuple(STEPPERS)


@dataclass(frozen=True)
class Chain:
    """One modality on its way from noise to a sample.

    denoise: the denoiser, with guidance and windows.
    noise: (b, t, c) from which the chain starts.
    condition: its own condition, independent of the other chains.
    tell: the clean estimates (b, t, c') of all chains by name, its own included -> the condition from Tc down; None if
        the chain does not depend on others.
    switch: Tc as a fraction of the schedule. With 0 the chain never depends on the others, with 1 it does from the
        second step on (before the first one there are no estimates).
    sampler: a name in ``STEPPERS``. "ddim" and "dpmpp" are deterministic, "ddpm" needs a generator.
    generator: draws the noise of stochastic steps.
    follows: whether it hears what the others estimate in the same step, and not in the one before. Those that follow do
        not hear each other so soon.

    Raises FootlightError for a switch outside of [0, 1] and for an unknown sampler.
    """

    denoise: Denoise
    noise: Tensor
    condition: Condition = Condition()
    tell: Callable[[Mapping[str, Tensor]], Condition] | None = None
    switch: float = SWITCH
    sampler: str = "ddim"
    generator: torch.Generator | None = None
    follows: bool = False

    def __post_init__(self) -> None:
        if self.sampler not in STEPPERS:
            raise FootlightError(f"unknown sampler {self.sampler!r}: choose one of {', '.join(STEPPERS)}")
        if not 0 <= self.switch <= 1:
            raise FootlightError(
                f"the switch to cross-guidance is {self.switch:g}; expected a share of the steps, 0 to 1"
            )

    def condition_at(self, estimates: Mapping[str, Tensor], t: int, schedule: Schedule) -> Condition:
        """The condition at step ``t``, given the estimates (b, t, c) that are there, by name."""
        if self.tell is not None and estimates and t < self.switch * schedule.steps:
            return self.tell(estimates)
        return self.condition


def walk(
    chains: Mapping[str, Chain], schedule: Schedule, steps: int | Mapping[str, int], strength: float = 1.0
) -> Iterator[dict[str, Tensor]]:
    """Sample all chains side by side, from noise to clean samples.

    Yields the x (b, t, c) of every chain by name after each step; the last ones are clean. The caller may stop between
    steps.

    chains: by name.
    schedule: the noise schedule.
    steps: number of steps, or that of each chain by name. The walk has as many as the largest; a chain of fewer takes
        longer ones, and what it estimated stays until the next.
    strength: share of the schedule that is walked, as in ``Schedule.timesteps``. Below 1, the chains start from samples
        with the noise of its first step (SDEdit, Meng et al. 2022).

    Raises FootlightError for steps that do not divide the largest, before anything runs.
    """
    own = {name: steps if isinstance(steps, int) else steps[name] for name in chains}
    most = max(own.values())
    if uneven := [f"{count} of {name}" for name, count in own.items() if most % count]:
        raise FootlightError(f"{most} steps of one chain are no multiple of the {uneven[0]}")
    return _walked(chains, schedule, {name: most // count for name, count in own.items()}, most, strength)


@torch.no_grad()
def _walked(
    chains: Mapping[str, Chain], schedule: Schedule, strides: Mapping[str, int], steps: int, strength: float
) -> Iterator[dict[str, Tensor]]:
    """``walk``, with how many of the steps each chain takes in one."""
    step = {name: STEPPERS[chain.sampler](schedule, chain.generator) for name, chain in chains.items()}
    x = {name: chain.noise for name, chain in chains.items()}
    estimates: dict[str, Tensor] = {}
    walked = schedule.timesteps(steps, strength)
    levels = [*walked, CLEAN]
    for i, t in enumerate(walked):
        for follows in (False, True):
            acting = {n: chain for n, chain in chains.items() if chain.follows is follows and i % strides[n] == 0}
            conditions = {name: chain.condition_at(estimates, t, schedule) for name, chain in acting.items()}
            found = {
                name: chain.denoise(x[name], torch.full((len(x[name]),), t, device=x[name].device), conditions[name])
                for name, chain in acting.items()
            }
            estimates = {**estimates, **found}
            for name, estimate in found.items():
                before = levels[min(i + strides[name], len(walked))]
                x = {**x, name: step[name](x[name], estimate, t, before)}
        yield x


def sample(
    denoise: Denoise,
    noise: Tensor,
    schedule: Schedule,
    steps: int,
    sampler: str = "ddim",
    generator: torch.Generator | None = None,
    condition: Condition | None = None,
    strength: float = 1.0,
) -> Iterator[Tensor]:
    """Sample a single chain: yields x (b, t, c) after each step; the last one is clean.

    The parameters are those of ``Chain`` and ``walk``.

    Raises FootlightError for an unknown sampler, before anything runs.
    """
    alone = Chain(denoise, noise, condition or Condition(), sampler=sampler, generator=generator)
    return (x["alone"] for x in walk({"alone": alone}, schedule, steps, strength))

"""Two experts that dream together: cross-guidance (MoMu-Diffusion section 4.3, eq. 8-9).

Motion and music both start as noise and step down side by side. Above the step Tc each expert is unconditional: its
guesses are too vague to be worth telling. From Tc down each is told the other's clean estimate.

The paper leaves open which estimate: here it is that of the step before, so that each expert runs once a step and
neither goes first. What an estimate says is the expert's own business (``tell``): the other's latents, or also the
rhythm that is heard in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.diffusion.sampler import ddim_step, dpmpp_step
from core.diffusion.schedule import CLEAN, Schedule
from core.errors import FootlightError
from core.types import Condition

SWITCH = 0.5  # Tc / T of the paper; it found 0.3 to 0.7 robust and 0.9 to fail


@dataclass(frozen=True)
class Chain:
    """One side of a duet.

    denoise: with guidance and windows composed into it.  noise: (b, t, c) where it starts.
    tell: what it is told of the other's clean estimate (b, t, c') and its own (b, t, c).
    alone: the condition of which it keeps only what is no guidance (observations) while it is unconditional.
    """

    denoise: Denoise
    noise: Tensor
    tell: Callable[[Tensor, Tensor], Condition]
    alone: Condition = Condition()

    def unconditional(self) -> Condition:
        return replace(self.alone, keep=torch.zeros(len(self.noise), dtype=torch.bool, device=self.noise.device))


def cross_guided(
    first: Chain, second: Chain, schedule: Schedule, steps: int, switch: float = SWITCH, sampler: str = "ddim"
) -> Iterator[tuple[Tensor, Tensor]]:
    """Walk both experts from noise to a sample in ``steps`` steps, yielding both x after each; the last are clean.

    switch: Tc as a share of the schedule: 0 never tells them of each other, 1 does from the second step on (before the
    first there is no estimate).  sampler: "ddim" or "dpmpp". Whoever iterates may stop between steps.
    Raises FootlightError for a switch outside of [0, 1] and for another sampler.
    """
    if not 0 <= switch <= 1:
        raise FootlightError(f"the switch to cross-guidance is {switch:g}; expected a share of the steps, 0 to 1")
    if sampler not in ("ddim", "dpmpp"):
        raise FootlightError(f"joint generation cannot use the sampler {sampler!r}: choose ddim or dpmpp")
    return _walk((first, second), schedule, steps, switch, sampler)


@torch.no_grad()
def _walk(chains, schedule: Schedule, steps: int, switch: float, sampler: str) -> Iterator[tuple[Tensor, Tensor]]:
    walked = schedule.timesteps(steps)
    x = [chain.noise for chain in chains]
    estimates: list[Tensor] = []
    previous = None
    for t, before in zip(walked, [*walked[1:], CLEAN], strict=True):
        cond = estimates and t < switch * schedule.steps
        conditions = [
            chain.tell(other, own) if cond else chain.unconditional()
            for chain, other, own in zip(chains, reversed(estimates or x), estimates or x, strict=True)
        ]
        estimates = [
            chain.denoise(x_t, torch.full((x_t.shape[0],), t, device=x_t.device), condition)
            for chain, x_t, condition in zip(chains, x, conditions, strict=True)
        ]
        for side in range(2):
            if sampler == "ddim":
                x[side] = ddim_step(x[side], estimates[side], t, before, schedule)
            else:
                earlier = None if previous is None else (previous[0][side], previous[1])
                x[side] = dpmpp_step(x[side], estimates[side], t, before, schedule, earlier)
        previous = estimates, t
        yield x[0], x[1]

"""Paths cut into as many segments as a student takes steps, and what it learns from each point of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.diffusion.objective import random_steps
from core.diffusion.schedule import CLEAN, Schedule
from core.errors import FootlightError


def check_steps(student: int, teacher: int) -> None:
    """Raises FootlightError where a student of so many steps would not meet all of its teacher's."""
    if teacher % student:
        raise FootlightError(
            f"a student of {student} steps cannot keep to the path of a teacher of {teacher}: "
            "give the teacher a multiple"
        )


def line(t: int, end: int, schedule: Schedule) -> tuple[float, float]:
    """(a, b) of a DDIM step: x at step ``end`` is a x0 + b x_t, with x_t at step ``t`` and the clean estimate x0."""
    now, then = schedule.alpha_bar(t), schedule.alpha_bar(end)
    kept = ((1 - then) / (1 - now)) ** 0.5
    return then**0.5 - kept * now**0.5, kept


@dataclass(frozen=True)
class Lesson:
    """What a student learns at points of paths.

    x_t: (b, t, z) the points.
    step: (b,) their diffusion steps.
    target: (b, t, z) the clean estimate with which one DDIM step arrives at the end of the point's segment.
    weight: (b, 1, 1) how much an error in it moves that end, relative to the mean over the beginnings of segments.
    last: (b,) bool, whether the segment ends clean.
    """

    x_t: Tensor
    step: Tensor
    target: Tensor
    weight: Tensor
    last: Tensor

    def losses(self, estimate: Tensor, change: float) -> dict[str, Tensor]:
        """``latents``, the error of estimates (b, t, z), and ``change``, that of their changes from frame to frame.

        An error matters as much as it moves the step's end, and more where many steps follow that carry it on.

        change: weight of the second, relative to how much the targets change; 0 leaves it out.
        """
        found = {"latents": (self.weight * (estimate - self.target).square()).mean()}
        if change:
            still = (self.weight * self.target.diff(dim=1).square()).mean()
            found["change"] = change * (self.weight * (estimate - self.target).diff(dim=1).square()).mean() / still
        return found


class Segments(nn.Module):
    """The segments of paths (b, n + 1, t, z) of n steps.

    schedule: of the noise.
    steps: n, of the teacher.
    segments: how many; n is a multiple.
    """

    steps: Tensor
    ends: Tensor
    lines: Tensor

    def __init__(self, schedule: Schedule, steps: int, segments: int) -> None:
        super().__init__()
        self.stride = steps // segments
        levels = [*schedule.timesteps(steps), CLEAN]
        ends = [(i // self.stride + 1) * self.stride for i in range(steps)]
        lines = [line(levels[i], levels[end], schedule) for i, end in enumerate(ends)]
        for name, values in (("steps", levels[:-1]), ("ends", ends), ("lines", lines)):
            self.register_buffer(name, torch.tensor(values), persistent=False)

    def points(self, size: int, starts: float, generator: torch.Generator) -> Tensor:
        """Indices (b,) of points of a path, spread evenly over its segments.

        starts: share of them that lie where a segment begins.
        """
        points = random_steps(size, len(self.steps), generator)
        begin = torch.rand(size, generator=generator, device=generator.device) < starts
        return torch.where(begin, points - points % self.stride, points)

    def lesson(self, path: Tensor, begin: Tensor) -> Lesson:
        """What is learned from paths at the points (b,)."""
        rows, end = torch.arange(len(path), device=path.device), self.ends[begin]
        x_t = path[rows, begin]  #                                  b t z
        arrives, stays = self.lines[begin].unbind(dim=1)
        arrives, stays = arrives[:, None, None], stays[:, None, None]
        target = (path[rows, end] - stays * x_t) / arrives
        weight = arrives / self.lines[:: self.stride, 0].mean()
        return Lesson(x_t, self.steps[begin], target, weight, end == len(self.steps))

"""What a motion that is made anew has to meet, as a loss on its features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from core.diffusion.inpaint import fitted
from core.motion import kinematics, rotation
from core.motion.features import path_of
from core.motion.layouts import Layout
from core.motion.skeleton import SMPL22
from core.pipeline.walks import Walk
from core.postprocess.hold import runs
from core.postprocess.smooth import gaussian

POSE = 100.0  # weights of squared metres
STEP = 0.2  # of squared metres and radians per second
MEETING = 0.015  # of squared metres and radians where a path meets what is kept
WALK = 2.0  # of squared metres and radians beside a path that is followed
SWAY = 0.4  # seconds (one standard deviation) over which a dancer may sway about a path
KEY_WEIGHT = 8.0  # frames that a single kept frame counts for
NEAR = 0.009  # metres: what is kept may be missed by as much, before it is copied
NEAR_PATH = 5e-4  # of the path's loss: it arrives within 18 cm
ARRIVAL = 4  # iterations in which a path is bent
_PATH = ("root_yaw_velocity", "root_velocity")  # parts of a layout that a path follows from


@dataclass(frozen=True)
class Targets:
    """What is kept of a motion, and the path that it takes.

    features: (t, c) of the motion, of which some is kept.
    kept: (t, c) bool, which.
    layout: of the features, with rotations.
    fps: frames per second.
    origin: (3,) x, z and heading of its first frame, metres and radians.
    walk: a path to be followed, or None.
    """

    features: Tensor
    kept: Tensor
    layout: Layout
    fps: float
    origin: Tensor
    walk: Walk | None = None

    def missed(self, made: Tensor) -> tuple[Tensor, bool]:
        """How far () features (t, c) are from what is kept, and whether they are as near as they need to be.

        What is not kept does not count.
        """
        apart, path = self._apart_from(made), self._missed_path(made)
        total = path + POSE * (self._weights[:, None] * apart.square().sum(-1)).mean()
        for name in _PATH:
            place = self.layout.slices[name]
            missed = (made[:, place] - self.features[:, place]).square().sum(-1)
            total = total + STEP * (self._weights * self._planted * missed).mean()
        return total, bool(self._mean(apart.detach()) < NEAR and path < NEAR_PATH)

    def met(self, made: Tensor) -> Tensor:
        """Features (t, c) with what is kept in them, and the rest of their path bent to where it has to go."""
        mixed = torch.where(self.kept, self.features, made)
        if not self._gaps and self.walk is None:
            return mixed
        channels = self.path_channels

        def bent(speeds: Tensor) -> Tensor:
            with_them = mixed.clone()
            with_them[:, channels] = torch.where(self._planted[:, None], mixed[:, channels], speeds)
            return with_them

        return bent(fitted(mixed[:, channels], lambda speeds: self._missed_path(bent(speeds)), ARRIVAL))

    @property
    def keeps_part(self) -> bool:
        """Whether a part of the body is kept all the time."""
        return bool(self.kept.all(0).any())

    @property
    def keeps_path(self) -> bool:
        """Whether the path is kept all the time."""
        return bool(self._planted.all())

    @property
    def path_channels(self) -> list[int]:
        """The channels of features that a path follows from."""
        return [i for name in _PATH for i in range(*self.layout.slices[name].indices(self.layout.channels))]

    def path(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Heading (t,) and root (t, 3) of features (t, c)."""
        return path_of(self.layout.split(features), self.fps, self.origin)

    def kept_error(self, made: Tensor) -> Tensor:
        """The mean distance () of kept joints of features (t, c) from where they were, in the dancer's heading, metres.

        What is not kept is taken from the motion, so that a hand counts if the arm is kept.
        """
        return self._mean(self._apart_from(made))

    def level(self, features: Tensor) -> Tensor:
        """Joint positions (t, j, 3) of features (t, c) on the vertical axis and in the dancer's own heading, metres."""
        parts = self.layout.split(features)
        root = torch.nn.functional.pad(parts["root_height"], (1, 1))
        return kinematics.forward_matrices(
            rotation.matrix_from_6d(parts["rotations"].unflatten(-1, (SMPL22.joints, 6))), root
        )

    def _missed_path(self, made: Tensor) -> Tensor:
        """How far () the path of features (t, c) is from where it has to go, squared and weighted."""
        heading, root = self.path(made)
        total = made.new_zeros(())
        for before, after in self._gaps:
            total = total + MEETING * self._apart(heading, root, before, after)
        return total if self.walk is None else total + WALK * self._strayed(heading, root, self.walk)

    def _apart_from(self, made: Tensor) -> Tensor:
        """How far (t, j, 3) features (t, c) are from joints that are kept, metres; others are not apart at all."""
        return self.level(torch.where(self.kept, made, self.features)) - self._places

    def _mean(self, apart: Tensor) -> Tensor:
        """The mean length () of differences (t, j, 3) at kept joints."""
        joints = self.kept[:, self.layout.slices["rotations"]].unflatten(-1, (SMPL22.joints, -1)).all(-1)
        return (apart.norm(dim=-1) * joints).sum() / joints.sum().clamp_min(1)

    @cached_property
    def _places(self) -> Tensor:
        return self.level(self.features)

    @cached_property
    def _weights(self) -> Tensor:
        """How much (t,) each frame counts: single kept frames as much as several."""
        weights = torch.ones(len(self.kept))
        for start, end in runs(self.kept.all(-1)):
            weights[start:end] = max(1.0, KEY_WEIGHT / (end - start))
        return weights

    @cached_property
    def _planted(self) -> Tensor:
        """Where (t,) the path is kept, bool."""
        return self.kept[:, self.layout.slices["root_height"]][:, 0]

    @cached_property
    def _gaps(self) -> list[tuple[int, int]]:
        """The kept frames before and after each stretch in which the path is free."""
        return [(start - 1, end) for start, end in runs(~self._planted) if start > 0 and end < len(self.kept)]

    @cached_property
    def _path(self) -> tuple[Tensor, Tensor]:
        return self.path(self.features)

    def _apart(self, heading: Tensor, root: Tensor, before: int, after: int) -> Tensor:
        """How far () a path is from where it has to arrive, squared, as the dancer sees it who sets out."""
        arrived = [self._arrival(*path, before, after) for path in ((heading, root), self._path)]
        (turned, moved), (wanted_turn, wanted_move) = arrived
        return (moved - wanted_move).square().sum() + _wrapped(turned - wanted_turn).square()

    def _arrival(self, heading: Tensor, root: Tensor, before: int, after: int) -> tuple[Tensor, Tensor]:
        moved = rotation.rotate(rotation.about("y", -heading[before]), root[after] - root[before])
        return heading[after] - heading[before], moved[[0, 2]]

    def _strayed(self, heading: Tensor, root: Tensor, walk: Walk) -> Tensor:
        """How far () a path is from the one to be followed, squared."""
        anchor = max(0, runs(~self._planted)[0][0] - 1)
        own_heading, own_root = self._path
        turn = own_heading[anchor] - heading[anchor]
        seen = rotation.rotate(rotation.about("y", turn), root - root[anchor])[:, [0, 2]] + own_root[anchor, [0, 2]]
        missed = walk.share * (gaussian(seen, self.fps, SWAY) - walk.places).square().sum(-1)
        if walk.heading is not None:
            missed = (
                missed
                + walk.share * gaussian(_wrapped(heading + turn - walk.heading)[:, None], self.fps, SWAY)[:, 0].square()
            )
        return missed.sum() / walk.share.sum().clamp_min(1e-6)


def _wrapped(angle: Tensor) -> Tensor:
    return angle - 2 * math.pi * torch.round(angle.detach() / (2 * math.pi))

"""Where a rig is with the channels that are keyed: what curves that leave frames out are held against.

All places are in the rig's upright space: z up, in its units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import channels
from . import quaternion as quat
from .proportions import RestBone

TURN = "TURN"
PLACE = "PLACE"

Track = tuple[str, str]
"""Channels that are keyed together: the name of a bone, and TURN or PLACE."""

WAY: Track = ("", PLACE)
"""The track of the way that a rig goes: of the bone of the pelvis, from where it is at rest."""


@dataclass(frozen=True)
class Channels:
    """What a track's channels are in every frame.

    values: (t, c).
    mode: of rotations as in ``channels``; PLACE for a place.
    """

    values: np.ndarray
    mode: str = PLACE

    def read(self, values: np.ndarray) -> np.ndarray:
        """The rotations (t, 4) or the places (t, 3) that ``values`` (t, c) stand for."""
        return values if self.mode == PLACE else channels.rotations(values, self.mode)


@dataclass(frozen=True)
class Control:
    """A control of inverse kinematics, which hangs on no bone of the body.

    bone: its name.
    foot: the column of a dance's stands that says when it stands; -1 for one that never does.
    reach: the distance (units) at which an angle of it shows; 0 for one whose place itself counts.
    """

    bone: str
    foot: int = -1
    reach: float = 0.0


@dataclass(frozen=True)
class Pose:
    """A rig in every frame.

    turned: joint -> how its bone is turned (t, 4) from its rest; and what turns besides, by the bone.
    places: joint -> (t, 3) where its bone starts; and by the bone how far a control is from where it rests.
    """

    turned: dict[int | str, np.ndarray]
    places: dict[int | str, np.ndarray]


@dataclass(frozen=True)
class Body:
    """A rig whose tracks are keyed.

    bones: as ``retarget.keys`` takes them; without those that the controls move.
    size: its units per metre of our body.
    controls: those of inverse kinematics.
    carried: whether what goes the way along the floor takes the controls along.
    """

    bones: Sequence[RestBone]
    size: float
    controls: Sequence[Control] = ()
    carried: bool = False

    @cached_property
    def by_joint(self) -> dict[int, RestBone]:
        """The bones by their joints, those above before those below."""
        found: dict[int, RestBone] = {}
        bones = {bone.joint: bone for bone in self.bones}

        def add(joint: int) -> None:
            if joint >= 0 and joint not in found:
                add(bones[joint].parent)
                found[joint] = bones[joint]

        for joint in bones:
            add(joint)
        return found

    def above(self, joint: int) -> list[int]:
        """The joints of the bones that carry that of ``joint``, from the nearest on."""
        parent = self.by_joint[joint].parent
        return [parent, *self.above(parent)] if parent >= 0 else []

    def pose(self, tracks: Mapping[Track, np.ndarray]) -> Pose:
        """The rig with these rotations (t, 4) and places (t, 3) of its tracks."""
        names = {bone.name for bone in self.bones}
        turned: dict[int | str, np.ndarray] = {
            bone: turns for (bone, kind), turns in tracks.items() if kind == TURN and bone not in names
        }
        places: dict[int | str, np.ndarray] = {0: self.by_joint[0].head + tracks[WAY]}
        for joint, bone in self.by_joint.items():
            own = quat.mul(quat.mul(bone.rotation, tracks[bone.name, TURN]), quat.conjugate(bone.rotation))
            hangs = bone.parent >= 0
            turned[joint] = quat.mul(turned[bone.parent], own) if hangs and bone.inherits else own
            if joint and bone.parent in places:
                offset = bone.head - self.by_joint[bone.parent].head
                places[joint] = places[bone.parent] + quat.rotate(turned[bone.parent], offset)
        level = tracks[WAY] * (self.carried, self.carried, 0.0)
        places |= {one.bone: tracks[one.bone, PLACE] + level for one in self.controls}
        return Pose(turned, places)

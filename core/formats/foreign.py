"""Captures of other bodies for ``core.motion.fit``: from any humanoid BVH file, or from joint positions alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.errors import FootlightError
from core.formats import bvh
from core.motion import directions, fit, kinematics, rotation
from core.motion.skeleton import SMPL22, Skeleton
from core.rig import humanoid
from core.rig.rest import SIDES, Joints, Pose

ONE_PLACE = 0.05  # of the longest bone; a shorter bone has no reliable direction


@dataclass(frozen=True)
class Body:
    """A BVH file in which our joints were found.

    skeleton: as ``bvh.read`` returns it.
    motion: as ``bvh.read`` returns it.
    match: which joint is which of ours.
    rest: the file's T-pose.
    """

    skeleton: Skeleton
    motion: bvh.BvhMotion
    match: humanoid.Match
    rest: Pose

    @property
    def unit(self) -> float:
        """Metres of our body per unit of the file, from the length of its legs."""
        places = {name: torch.from_numpy(self.rest.places[k]) for name, k in self.match.joints.items()}
        return fit.LEG_LENGTH / fit.leg_length(places)

    @property
    def used(self) -> set[int]:
        """The joints of the file whose rotations are used."""
        toes = {self.match.joints.get(f"{side}_foot") for side in SIDES}
        return {*self.match.joints.values(), *self.match.spine} - toes


def body_of(path: Path, skeleton: Skeleton, motion: bvh.BvhMotion) -> Body:
    """The body of a BVH file.

    path: the file.
    skeleton: as ``bvh.read`` returns it.
    motion: as ``bvh.read`` returns it.

    Raises FootlightError for a skeleton that is not a humanoid.
    """
    try:
        match = humanoid.match(skeleton)
    except FootlightError as error:
        raise FootlightError(f"{path}: {error}") from None
    return Body(skeleton, motion, match, _rest(path, skeleton, match))


def capture(body: Body, up: int | None = None) -> fit.Capture:
    """The capture of a body. ``up`` is that of ``fit.capture``."""
    motion = body.motion
    offsets = None if motion.offsets is None else motion.offsets.double()
    local, root = motion.rotations.double(), motion.root.double()
    turns, places = kinematics.forward_global(local, root, body.skeleton, offsets)
    joints, places = _with_toes(body.match, body.skeleton, turns, places)
    return fit.capture(joints, turns, places, body.rest, motion.fps, up)


def capture_of_positions(positions: Tensor, fps: float) -> fit.Capture:
    """A capture from joint positions alone. ``directions.to_rotations`` finds the rotations of the bones.

    Our own dances are restored from their positions within 0.02 mm per joint on average and 1.3 mm at most. Captured
    dance is restored within 0.4 mm on average; feet that bend farther than ankles can, within 10 cm. The roll of
    forearms, hands and head is uncertain by about 20 degrees.

    positions: (t, 22, 3) in the order of ``SMPL22``, y up, in any unit.
    fps: frames per second.
    """
    places = positions.double()
    local = directions.to_rotations(_bones(places))
    turns, _ = kinematics.forward_global(local, places[:, 0])
    at, turned = (dict(zip(SMPL22.names, values.unbind(1), strict=True)) for values in (places, turns))
    return fit.Capture(at, turned, fps)


def _bones(places: Tensor) -> Tensor:
    """Vectors (t, 21, 3) from the parent to each joint; if both are in one place, on to the joint after."""
    bones = places[:, 1:] - places[:, list(SMPL22.parents[1:])]
    length = bones.norm(dim=-1).median(0).values
    for joint in range(SMPL22.joints - 1, 0, -1):
        children = SMPL22.children(joint)
        if length[joint - 1] < ONE_PLACE * length.max() and len(children) == 1:
            bones[:, joint - 1] += bones[:, children[0] - 1]
    return bones


def _with_toes(match: humanoid.Match, skeleton: Skeleton, turns: Tensor, places: Tensor) -> tuple[Joints, Tensor]:
    """Add toes: where a foot has no toe joint, the end of its bone takes its place."""
    at, extra = dict(match.joints), []
    for side in SIDES:
        ankle = match.joints[f"{side}_ankle"]
        tip = skeleton.tips.get(skeleton.names[ankle])
        if f"{side}_foot" not in at and tip is not None:
            at[f"{side}_foot"] = skeleton.joints + len(extra)
            extra.append(places[..., ankle, :] + rotation.rotate(turns[..., ankle, :], tip.to(places)))
    if extra:
        places = torch.cat((places, torch.stack(extra, -2)), -2)
    return Joints(at, match.joints, match.spine), places


def _rest(path: Path, skeleton: Skeleton, match: humanoid.Match) -> Pose:
    """The T-pose of a file: from a matching BVH file in a folder ``tpose`` beside its folder, or zero rotations."""
    local = rotation.identity(skeleton.joints).double()
    for candidate in sorted(path.parent.parent.glob("tpose/*.bvh")):
        other, pose = bvh.read(candidate)
        if other.names == skeleton.names and torch.allclose(other.offsets, skeleton.offsets, atol=1e-4):
            local = pose.rotations[0].double()
            break
    turns, places = kinematics.forward_global(local, torch.zeros(3).double(), skeleton)
    _, places = _with_toes(match, skeleton, turns, places)
    return Pose(turns.numpy(), places.numpy())

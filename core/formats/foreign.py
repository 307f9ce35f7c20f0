"""Captures of other bodies for ``core.motion.fit``: from any humanoid BVH file, or from joint positions alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.errors import FootlightError, warn
from core.formats import bvh
from core.motion import directions, fit, kinematics, rotation
from core.motion.skeleton import SMPL22, Skeleton
from core.rig import humanoid, rest
from core.rig.rest import Joints, Pose
from core.rig.skeleton import SIDES

# Where the T-pose of a BVH file may be found.
ZERO = "zero"
FIRST_FRAME = "first-frame"
MOTION = "motion"

_LOOKED_AT = 100  # frames of a motion by which joints without known names are told
ONE_PLACE = 0.05  # of the longest bone; a shorter bone has no reliable direction


@dataclass(frozen=True)
class Body:
    """A BVH file in which our joints were found.

    skeleton: as ``bvh.read`` returns it.
    motion: as ``bvh.read`` returns it.
    match: which joint is which of ours.
    rest: the file's T-pose; None if only the motion tells it.
    """

    skeleton: Skeleton
    motion: bvh.BvhMotion
    match: humanoid.Match
    rest: Pose | None

    @property
    def unit(self) -> float:
        """Metres of our body per unit of the file, from the length of its legs."""
        _, places = _posed(self.skeleton, self.motion.rotations[0])
        return fit.LEG_LENGTH / fit.leg_length({name: places[k] for name, k in self.match.joints.items()})

    @property
    def used(self) -> set[int]:
        """The joints of the file whose rotations are used."""
        toes = {self.match.joints.get(f"{side}_foot") for side in SIDES}
        return {*self.match.joints.values(), *self.match.spine} - toes


def check_rest(rest: str | None) -> None:
    """Raises FootlightError unless ``rest`` is one that ``body_of`` takes."""
    if rest not in (None, ZERO, FIRST_FRAME, MOTION) and not Path(rest).is_file():
        raise FootlightError(
            f"rest is {rest!r}; expected {ZERO}, {FIRST_FRAME}, {MOTION}, or a BVH file that begins with the T-pose"
        )


def body_of(path: Path, skeleton: Skeleton, motion: bvh.BvhMotion, rest: str | None = None) -> Body:
    """The body of a BVH file.

    path: the file.
    skeleton: as ``bvh.read`` returns it.
    motion: as ``bvh.read`` returns it.
    rest: the file's T-pose: "zero" (rotations), "first-frame", "motion", or the path of a BVH file of the same skeleton
        that begins with it. None takes the first of these that there is: a file in a folder ``tpose`` beside the
        file's folder; zero rotations, if a body stands in them; a first frame in a T-pose; the motion.

    Raises FootlightError for a skeleton that is not a humanoid, and for a file of another skeleton.
    """
    try:
        match = humanoid.match(skeleton, _places(skeleton, motion).numpy())
    except FootlightError as error:
        raise FootlightError(f"{path}: {error}") from None
    return Body(skeleton, motion, match, _rest(path, skeleton, motion, match, rest))


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


def _rest(
    path: Path, skeleton: Skeleton, motion: bvh.BvhMotion, match: humanoid.Match, chosen: str | None
) -> Pose | None:
    """The T-pose of a file as ``body_of`` finds it; None for the motion."""
    zero = rotation.identity(skeleton.joints).double()
    if chosen == MOTION:
        return None
    if chosen in (ZERO, FIRST_FRAME):
        return _pose(match, skeleton, zero if chosen == ZERO else motion.rotations[0].double())
    if chosen is not None:
        local = _t_pose_of(Path(chosen), skeleton)
        if local is None:
            raise FootlightError(f"{chosen}: its skeleton is not that of {path}; expected the same joints and offsets")
        return _pose(match, skeleton, local)
    for candidate in sorted(path.parent.parent.glob("tpose/*.bvh")):
        local = _t_pose_of(candidate, skeleton)
        if local is not None:
            return _pose(match, skeleton, local)
    for local, limits in ((zero, rest.STANDING), (motion.rotations[0].double(), rest.SPREAD)):
        joints, pose = _stance(match, skeleton, local)
        if rest.stands({name: pose.places[k] for name, k in joints.places.items()}, limits):
            return pose
    warn(
        f"{path}: its zero rotations are no T-pose, so its T-pose was found from the movement; give rest to choose "
        "another (first-frame, or a BVH file)"
    )
    return None


def _t_pose_of(path: Path, skeleton: Skeleton) -> Tensor | None:
    """Local rotations (j, 4) of the first frame of a BVH file; None if its skeleton is another."""
    other, pose = bvh.read(path)
    if other.names != skeleton.names or not torch.allclose(other.offsets, skeleton.offsets, atol=1e-4):
        return None
    return pose.rotations[0].double()


def _pose(match: humanoid.Match, skeleton: Skeleton, local: Tensor) -> Pose:
    """The pose of local rotations (j, 4), toes included."""
    return _stance(match, skeleton, local)[1]


def _stance(match: humanoid.Match, skeleton: Skeleton, local: Tensor) -> tuple[Joints, Pose]:
    """As ``_pose``, with the joints of ours in it."""
    turns, places = _posed(skeleton, local)
    joints, places = _with_toes(match, skeleton, turns, places)
    return joints, Pose(turns.numpy(), places.numpy())


def _places(skeleton: Skeleton, motion: bvh.BvhMotion) -> Tensor:
    """Positions (t, j, 3) of all joints in some frames of a motion."""
    some = torch.linspace(0, motion.frames - 1, min(motion.frames, _LOOKED_AT)).round().long()
    offsets = None if motion.offsets is None else motion.offsets[some].double()
    return kinematics.forward(motion.rotations[some].double(), motion.root[some].double(), skeleton, offsets)


def _posed(skeleton: Skeleton, local: Tensor) -> tuple[Tensor, Tensor]:
    """World rotations (j, 4) and places (j, 3) of local rotations (j, 4), with the root at the origin."""
    return kinematics.forward_global(local.double(), torch.zeros(3).double(), skeleton)

"""Motion of the SMPL family of bodies: axis-angles of its joints and the path of its pelvis (Loper et al. 2015).

SMPL, SMPL-H and SMPL-X share their first 22 joints, which are those of ``SMPL22``. Fingers and face are left out. Shape
needs SMPL's licensed model, so every body is taken for the mean adult here.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from core.errors import warn
from core.motion import fit, kinematics, rotation
from core.motion.skeleton import SMPL22, Skeleton
from core.rig.rest import Joints, Pose
from core.rig.skeleton import other_side
from core.types import Motion

_HALF = {
    # The mean adult in SMPL's rest pose to half a centimetre, as far as the joints lie left or in the middle.
    "pelvis": (0.0, 0.0, 0.0),
    "left_hip": (0.06, -0.085, -0.015),
    "spine1": (0.0, 0.12, -0.04),
    "left_knee": (0.045, -0.385, 0.0),
    "spine2": (0.0, 0.14, 0.025),
    "left_ankle": (-0.015, -0.425, -0.035),
    "spine3": (0.0, 0.055, 0.0),
    "left_foot": (0.04, -0.06, 0.125),
    "neck": (0.0, 0.21, -0.035),
    "left_collar": (0.075, 0.115, -0.02),
    "head": (0.0, 0.09, 0.05),
    "left_shoulder": (0.12, 0.045, -0.015),
    "left_elbow": (0.26, -0.015, -0.03),
    "left_wrist": (0.27, 0.01, -0.005),
}


def _mean_body() -> Skeleton:
    mirrored = np.array((-1.0, 1.0, 1.0))
    offsets = [_HALF[name] if name in _HALF else _HALF[other_side(name)] * mirrored for name in SMPL22.names]
    return replace(SMPL22, offsets=torch.from_numpy(np.array(offsets)), tips={})


MEAN_BODY: Skeleton = _mean_body()
"""The joints of SMPL's mean adult, metres. At rest it stands in a T-pose and faces +z, like ours."""

DIRECTIONS = {"x": (0, 1), "y": (1, 1), "z": (2, 1), "-x": (0, -1), "-y": (1, -1), "-z": (2, -1)}
"""Axis and sign of a direction in the world."""
_UPRIGHT = 0.6  # mean of the neck's direction above the feet along an axis, from which the body stands along that axis
_TOUCHING = 0.5  # a floor is found where the lowest joint keeps its height so much better than along the next axis
_LEANING = 0.2  # as _UPRIGHT, where the floor tells the axis and only its sign is looked for
_FASTEST_ROOT = 8.0  # metres per second; a pelvis that is mostly faster is not given in metres


def capture(motion: Motion) -> fit.Capture:
    """The capture of a motion of ``MEAN_BODY``, y up."""
    turns, places = kinematics.forward_global(motion.rotations, motion.root, MEAN_BODY)
    rest = kinematics.forward_global(*_standing(), MEAN_BODY)
    at = {name: k for k, name in enumerate(SMPL22.names)}
    spine = tuple(at[name] for name in ("pelvis", "spine1", "spine2", "spine3"))
    pose = Pose(*(values.numpy() for values in rest))
    return fit.capture(Joints(at, at, spine), turns, places, pose, motion.fps, up=1)


def _standing() -> tuple[Tensor, Tensor]:
    return rotation.identity(MEAN_BODY.joints).double(), torch.zeros(3, dtype=torch.float64)


def levelled(motion: Motion, usual: str) -> tuple[Motion, str]:
    """A motion of ``MEAN_BODY`` turned so that y is up and begun above the origin, and the axis that was up.

    A body that mostly stands tells which way is up. For one that lies or tumbles, the floor does, where its lowest
    joint stays. Where neither does, it is the usual axis.

    usual: one of ``DIRECTIONS``, the axis that is up in files of this kind.
    """
    places = kinematics.forward(motion.rotations, motion.root, MEAN_BODY)
    up = up_axis(places, usual)
    turn = to_y(up, like=motion.root)
    root = rotation.rotate(turn, motion.root)
    root = root - root[:1] * root.new_tensor((1.0, 0.0, 1.0))
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.mul(turn, rotations[:, 0])
    return replace(motion, rotations=rotations, root=root), up


def to_y(up: str, like: Tensor) -> Tensor:
    """The rotation (4,) that turns a direction of the world to y."""
    axis, sign = DIRECTIONS[up]
    direction = like.new_zeros(3)
    direction[axis] = sign
    if up == "-y":  # a camera's axes: half a turn about x, so that left stays left
        return rotation.about("x", like.new_tensor(math.pi))
    return rotation.between(direction, like.new_tensor((0.0, 1.0, 0.0)))


def up_axis(places: Tensor, usual: str) -> str:
    """Which of ``DIRECTIONS`` is up in the world of a body.

    places: (t, 22, 3) in the order of ``SMPL22``.
    usual: the answer where the body does not tell.
    """
    feet = places[:, [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]].mean(1)
    stands = places[:, SMPL22.index("neck")] - feet
    mean = (stands / stands.norm(dim=-1, keepdim=True).clamp_min(1e-9)).mean(0)
    along = {name: float(mean[axis]) * sign for name, (axis, sign) in DIRECTIONS.items()}
    upright = max(along, key=along.__getitem__)
    if along[upright] > _UPRIGHT:
        return upright
    lowest = {name: (sign * places[..., axis]).amin(1) for name, (axis, sign) in DIRECTIONS.items()}
    spread = {name: float((low - low.median()).abs().quantile(0.8)) for name, low in lowest.items()}
    level, next_best = sorted((min(spread[axis], spread[f"-{axis}"]), axis) for axis in "xyz")[:2]
    if level[0] > _TOUCHING * next_best[0]:
        return usual
    ends = level[1], f"-{level[1]}"
    leaning = max(ends, key=along.__getitem__)
    return leaning if along[leaning] > _LEANING else min(ends, key=spread.__getitem__)


def standing_along_y(path: object, places: Tensor) -> Tensor:
    """Places (t, 22, 3) of joints, turned so that y is up. Warns, naming the file ``path``, where another axis was."""
    up = up_axis(places, "y")
    if up != "y":
        warn(f"{path}: the body stands along {up}, which is taken as up")
    return rotation.rotate(to_y(up, like=places), places)


def of_6d(values: Tensor) -> Tensor:
    """Local rotations (t, j, 4) of two rows, or two columns, of each rotation's matrix (t, j, 6).

    Which of both is told by the knees, which bend to one side only (Zhou et al. 2019 and PyTorch3D differ).
    """
    turns = rotation.from_6d(values)
    knees = rotation.to_axis_angle(turns[:, [SMPL22.index("left_knee"), SMPL22.index("right_knee")]])
    return turns if float(knees[..., 0].mean()) >= 0 else rotation.conjugate(turns)


def unit_of(trans: Tensor, fps: float) -> float:
    """Metres to a unit of a path (t, 3) that should be in metres: 1, or 0.01 or 0.001 where no body is so fast."""
    if len(trans) < 2:
        return 1.0
    speed = float(((trans[1:] - trans[:-1]).norm(dim=-1) * fps).quantile(0.8))
    return next((unit for unit in (1.0, 0.01) if speed * unit < _FASTEST_ROOT), 0.001)

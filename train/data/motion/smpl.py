"""Motions of the SMPL body as AIST++ publishes them: axis-angles at 60 frames a second and the body's place.

A file is a pickle of ``smpl_poses`` (t, 72) radians, ``smpl_trans`` (t, 3) in the capture's unit with y up, and
``smpl_scaling`` (1,), the capture's units to a metre (Li et al. 2021, "AI Choreographer").
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError
from core.motion import fit, kinematics, rotation
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion
from train.data.motion import plain_pickle

FPS = 60.0
JOINTS = 24  # the two hands come last and are left out
LEG_LENGTH = 0.82  # metres, thigh and shin of SMPL's mean body
FEET_OUT = math.radians(18.6)  # at rest SMPL's feet point outwards by this, ours straight ahead
_STANDS = 0.5  # metres; a body whose head is on average so far above its feet tells which way is up


def read(path: Path) -> Motion:
    """The motion of one file on our skeleton, before any repair. It has the file's rotations and our bone lengths.

    The path is scaled by the ratio of leg lengths. The floor is not moved.

    Raises FootlightError for files that are damaged, hold something else, or are not y-up.
    """
    poses, trans, scaling = _arrays(path)
    frames = poses.shape[0]
    rotations = rotation.from_axis_angle(poses.reshape(frames, JOINTS, 3)[:, : SMPL22.joints])
    rotations = _feet_ahead(rotation.normalise(rotations))
    root = trans / scaling * (fit.LEG_LENGTH / LEG_LENGTH)
    root = root + root.new_tensor((0.0, REST_HEIGHT, 0.0)) - root[:1] * root.new_tensor((1.0, 0.0, 1.0))
    motion = Motion(rotation.continuous(rotations), root, FPS)
    _check_up(path, motion)
    return motion


def _arrays(path: Path) -> tuple[Tensor, Tensor, float]:
    """Poses (t, 72) in radians, translations (t, 3) and units to a metre, checked to be finite and of one length."""
    found = plain_pickle.load(path)
    names = ("smpl_poses", "smpl_trans", "smpl_scaling")
    if not isinstance(found, dict) or not all(isinstance(found.get(name), np.ndarray | np.generic) for name in names):
        raise FootlightError(f"{path}: expected a pickled dict of arrays {', '.join(names)}; is it a motion of AIST++?")
    poses, trans, scaling = (torch.from_numpy(np.array(found[name], dtype=np.float64)) for name in names)
    frames = len(poses) if poses.ndim else 0
    if frames < 2 or poses.shape != (frames, 3 * JOINTS) or trans.shape != (frames, 3) or scaling.numel() != 1:
        raise FootlightError(
            f"{path}: smpl_poses {tuple(poses.shape)}, smpl_trans {tuple(trans.shape)}, smpl_scaling "
            f"{tuple(scaling.shape)}; expected (t, {3 * JOINTS}), (t, 3) and (1,) with two frames or more"
        )
    if not all(bool(values.isfinite().all()) for values in (poses, trans, scaling)) or float(scaling) <= 0:
        raise FootlightError(f"{path}: holds values that are not finite, or a scaling that is not positive")
    return poses, trans, float(scaling)


def _feet_ahead(rotations: Tensor) -> Tensor:
    """Local rotations (t, 22, 4) with the feet's own axes turned, so that they point where SMPL's did.

    At rest SMPL's feet point outwards and ours straight ahead.
    """
    made = rotations.clone()
    for side, angle in (("left", FEET_OUT), ("right", -FEET_OUT)):
        out = rotation.about("y", rotations.new_tensor(angle))
        ankle, foot = SMPL22.index(f"{side}_ankle"), SMPL22.index(f"{side}_foot")
        made[:, ankle] = rotation.mul(rotations[:, ankle], out)
        made[:, foot] = rotation.mul(rotation.conjugate(out), rotation.mul(rotations[:, foot], out))
    return made


def _check_up(path: Path, motion: Motion) -> None:
    """Raises FootlightError for a body that mostly stands along another axis than y."""
    places = kinematics.forward(motion.rotations, motion.root)
    feet = places[:, [SMPL22.index("left_ankle"), SMPL22.index("right_ankle")]].mean(1)
    stands = (places[:, SMPL22.index("head")] - feet).mean(0)
    axis = int(stands.abs().argmax())
    if float(stands.abs()[axis]) > _STANDS and (axis != 1 or float(stands[1]) < 0):
        along = ("-" if float(stands[axis]) < 0 else "") + "xyz"[axis]
        raise FootlightError(f"{path}: the body stands along {along}; expected y up, as AIST++ has it")

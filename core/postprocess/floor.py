"""Raises the pelvis where knees, hands or the body are in the floor. Feet are the business of ``feet``."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from core.motion import kinematics, rotation
from core.motion.skeleton import FOOT_JOINTS, LEFT_LEG, RIGHT_LEG, SMPL22
from core.postprocess.feet import envelope
from core.postprocess.hold import fade
from core.types import Motion

LOWEST = 0.02  # metres; joints other than those of the feet are no closer to the floor
ROUNDS = 3  # a knee rises less than the pelvis does
_LEGS = (LEFT_LEG, RIGHT_LEG)
_OTHERS = [joint for joint in range(SMPL22.joints) if joint not in FOOT_JOINTS]


def above(motion: Motion, hold: Tensor | None = None) -> Motion:
    """Raise the pelvis smoothly so that only the feet come near the floor. Ankles stay where they are, if legs reach.

    motion: (t, ...) the motion.
    hold: (t, j) bool, what stays as it is; see ``core.postprocess.hold``. Where anything is held, nothing is raised.
    """
    if motion.frames < 3:
        return motion
    positions = kinematics.forward(motion.rotations, motion.root)
    ankles = [positions[:, leg[2]] for leg in _LEGS]
    free = None if hold is None else fade(hold.any(1), motion.fps).to(motion.root)
    for _ in range(ROUNDS):
        depth = (LOWEST - positions[:, _OTHERS, 1]).amax(1).clamp_min(0)
        if not bool(depth.any()):
            break
        rise = envelope(depth, motion.fps)
        rise = rise if free is None else rise * free
        rotations, root = motion.rotations, motion.root + rise[:, None] * motion.root.new_tensor((0.0, 1.0, 0.0))
        for leg, ankle in zip(_LEGS, ankles, strict=True):
            solved = kinematics.two_bone_ik(rotations, root, ankle, leg)
            rotations = torch.where((rise > 0)[:, None, None], rotation.normalise(solved), rotations)
        motion = replace(motion, rotations=rotations, root=root)
        positions = kinematics.forward(rotations, root)
    return motion

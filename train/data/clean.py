"""Repairs: frames at which tracking failed, the floor, and planted feet that slide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from core.motion import contact, kinematics, rotation
from core.types import Motion


def repair(local, root, fps, marked):
    return local, root, {"repaired_frames": 0}


def repair_robot(base, base_turns, angles, fps, marked):
    return base, base_turns, angles, {"repaired_frames": 0}


def smoothed(motion):
    return motion


def grounded(motion):
    positions = kinematics.forward(motion.rotations, motion.root)
    h = contact.floor_height(positions, motion.fps)
    motion = replace(motion, root=motion.root - h * motion.root.new_tensor((0.0, 1.0, 0.0)))
    positions = kinematics.forward(motion.rotations, motion.root)
    return replace(motion, contacts=contact.label(positions, motion.fps)), {"floor": float(h)}


def reason_to_drop(motion, report):
    return None

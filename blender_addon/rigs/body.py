"""The bundled dancer's skeleton: the same 22 joints as the engine's, y-up, metres, T-pose facing +z.

Written out here because Blender's Python has no torch to read ``core.motion.skeleton`` with; a test holds the two
together.
"""

from __future__ import annotations

import numpy as np

JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)

OFFSETS = np.array([
    (0.0, 0.95, 0.0), (0.085, -0.07, 0.0), (-0.085, -0.07, 0.0), (0.0, 0.11, -0.01), (0.0, -0.40, 0.0),
    (0.0, -0.40, 0.0), (0.0, 0.13, -0.005), (0.0, -0.40, 0.0), (0.0, -0.40, 0.0), (0.0, 0.06, 0.005),
    (0.0, -0.06, 0.13), (0.0, -0.06, 0.13), (0.0, 0.21, -0.01), (0.06, 0.12, -0.005), (-0.06, 0.12, -0.005),
    (0.0, 0.08, 0.02), (0.115, 0.03, 0.005), (-0.115, 0.03, 0.005), (0.27, 0.0, 0.0), (-0.27, 0.0, 0.0),
    (0.25, 0.0, 0.0), (-0.25, 0.0, 0.0),
])  # fmt: skip
"""From the parent joint, (22, 3); the pelvis' own row is where it rests above the floor."""

TIPS = {
    "head": (0.0, 0.16, 0.0), "left_foot": (0.0, 0.0, 0.07), "right_foot": (0.0, 0.0, 0.07),
    "left_wrist": (0.18, 0.0, 0.0), "right_wrist": (-0.18, 0.0, 0.0),
}  # fmt: skip
"""Where the last bones end, from their joint."""


def joint_positions() -> np.ndarray:
    """Every joint in the rest pose, (22, 3)."""
    positions = np.array(OFFSETS)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            positions[joint] += positions[parent]
    return positions

"""How much a dance steps, measured on the dance itself, in the size of our own body.

Steps and stillness are those of the engine's own measures, without torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..shared import quaternion, skeleton, stepping

ANKLES = tuple(skeleton.JOINTS.index(name) for name in ("left_ankle", "right_ankle"))


@dataclass(frozen=True)
class Footwork:
    """How much a dance steps.

    steps: a second.
    still: the share of the time in which both feet stay where they are, 0 to 1.
    """

    steps: float
    still: float


def measure(rotations: np.ndarray, root: np.ndarray, fps: float) -> Footwork | None:
    """The footwork of a dance; None of one that is shorter than a window.

    rotations: (t, 22, 4) of our body, wxyz.
    root: (t, 3) metres.
    """
    if len(root) <= max(round(stepping.STILL_SECONDS * fps), 1):
        return None
    feet = np.stack([_place(rotations, root, joint) for joint in ANKLES], axis=1)
    return Footwork(stepping.steps_per_second(feet, fps), stepping.still_windows(feet, fps))


def _place(rotations: np.ndarray, root: np.ndarray, joint: int) -> np.ndarray:
    """Where a joint is (t, 3), metres."""
    place = np.zeros((len(root), 3))
    while joint > 0:
        parent = skeleton.PARENTS[joint]
        place = quaternion.rotate(np.asarray(rotations[:, parent], dtype=float), place + skeleton.OFFSETS[joint])
        joint = parent
    return root + place

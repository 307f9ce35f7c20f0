"""How much a dance steps, measured on the dance itself, in the size of our own body.

Steps and stillness are those of ``core.metrics.footwork``, without torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..shared import quaternion, skeleton

FAST = 0.5  # m/s, of an ankle that takes a step
STEP_SECONDS = 0.1  # for which it is as fast, at least
STILL = 0.05  # metres that neither foot leaves within a window
WINDOW_SECONDS = 1.0

ANKLES = tuple(skeleton.JOINTS.index(name) for name in ("left_ankle", "right_ankle"))


@dataclass(frozen=True)
class Footwork:
    """steps: a second.  still: the share of the time in which both feet stay where they are, 0 to 1."""

    steps: float
    still: float


def measure(rotations: np.ndarray, root: np.ndarray, fps: float) -> Footwork | None:
    """The footwork of a dance; None of one that is shorter than a window.

    rotations: (t, 22, 4) of our body, wxyz.  root: (t, 3) metres.
    """
    window = round(WINDOW_SECONDS * fps)
    if len(root) <= max(window, 1):
        return None
    feet = np.stack([_place(rotations, root, joint) for joint in ANKLES], axis=1)
    return Footwork(_steps(feet, fps), _still(feet, window))


def _steps(feet: np.ndarray, fps: float) -> float:
    """How many a second. feet: (t, 2, 3)."""
    fast = np.linalg.norm(np.gradient(feet, axis=0), axis=2) * fps > FAST
    count = 0
    for foot in fast.T:
        edges = np.flatnonzero(np.diff(np.concatenate(([0], foot.astype(int), [0]))))
        count += int(np.sum(edges[1::2] - edges[::2] >= STEP_SECONDS * fps))
    return count / (len(feet) / fps)


def _still(feet: np.ndarray, window: int) -> float:
    """The share of windows in which neither foot gets away from where it was at the start. window: its frames."""
    starts = np.arange(len(feet) - window)
    farthest = np.zeros(len(starts))
    for later in range(1, window + 1):
        away = np.linalg.norm(feet[starts + later] - feet[starts], axis=2).max(axis=1)
        farthest = np.maximum(farthest, away)
    return float(np.mean(farthest < STILL))


def _place(rotations: np.ndarray, root: np.ndarray, joint: int) -> np.ndarray:
    """Where a joint is (t, 3), metres."""
    place = np.zeros((len(root), 3))
    while joint > 0:
        parent = skeleton.PARENTS[joint]
        place = quaternion.rotate(np.asarray(rotations[:, parent], dtype=float), place + skeleton.OFFSETS[joint])
        joint = parent
    return root + place

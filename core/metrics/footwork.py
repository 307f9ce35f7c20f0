"""Metrics of footwork: whether a dance steps, travels and bends its knees, or stands while the arms go on; and of what
an audience sees: whether it looks at the dancer's back, and hands that are inside the body.

Conventions
    Positions are (t, 22, 3) of ``SMPL22`` in metres, y-up, with the floor at y = 0, at ``fps``. None of the metrics has
    a best value. Compare them with capture of the same style. Steps and stillness are told by ``core.rig.stepping``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.layers.peaks import gaussian_smooth
from core.metrics.physics import validate
from core.motion import contact, kinematics
from core.motion.skeleton import FOOT_JOINTS, LEFT_LEG, RIGHT_LEG
from core.postprocess import hands
from core.rig import stepping
from core.types import Motion

TRAVEL_SMOOTHING = 0.5  # seconds; the pelvis sways faster than it travels
FROZEN_SPEED = 0.03  # metres per second, a millimetre a frame at 30 fps
SHARE = (0.1, 0.9)  # quantiles between which a range lies

_ANKLES = (LEFT_LEG[2], RIGHT_LEG[2])


def pelvis_travel(positions: Tensor, fps: float) -> float:
    """Mean horizontal speed of the pelvis, m/s, after smoothing by a Gaussian that is ``TRAVEL_SMOOTHING`` wide (two
    standard deviations).
    """
    width = 0.5 * TRAVEL_SMOOTHING * fps
    path = torch.stack([gaussian_smooth(place, width) for place in positions[:, 0, (0, 2)].unbind(dim=1)])
    # The smoothing mirrors the path at its ends, which shortens it there.
    margin = min(round(TRAVEL_SMOOTHING * fps), (path.shape[1] - 2) // 2)
    return float(path[:, margin : path.shape[1] - margin].diff(dim=1).norm(dim=0).mean()) * fps


def pelvis_range(positions: Tensor) -> float:
    """Range of the pelvis' height between the quantiles ``SHARE``, metres."""
    return float(spread(positions[:, 0, 1], dim=0))


def knee_range(positions: Tensor) -> float:
    """Range of the knees' bend between the quantiles ``SHARE``, radians; mean of both knees."""
    return float(spread(knee_bends(positions), dim=0).mean())


def knee_bends(positions: Tensor) -> Tensor:
    """How far the left and the right knee of bodies (..., j, 3) are bent, (..., 2), radians."""
    hip, knee, ankle = (positions[..., joints, :] for joints in zip(LEFT_LEG, RIGHT_LEG, strict=True))
    thigh, shin = knee - hip, ankle - knee
    return torch.atan2(torch.linalg.cross(thigh, shin).norm(dim=-1), (thigh * shin).sum(dim=-1))


def spread(values: Tensor, dim: int) -> Tensor:
    """The range of values between the quantiles ``SHARE`` along a dimension."""
    low, high = values.quantile(values.new_tensor(SHARE), dim=dim)
    return high - low


def frozen_feet(positions: Tensor, fps: float) -> float:
    """The fraction of frames of planted feet in which they move less than ``FROZEN_SPEED``; nan without contact.

    The soles of a dancer creep and pivot, so they are seldom frozen. Those of a foot lock are.
    """
    feet = positions[:, FOOT_JOINTS]
    planted = contact.label(positions, fps) > 0.5
    both = planted[1:] & planted[:-1]
    frozen = feet.diff(dim=0).norm(dim=-1) * fps < FROZEN_SPEED
    count = int(both.sum())
    return int((both & frozen).sum()) / count if count else math.nan


def facing_away(motion: Motion) -> float:
    """The fraction of frames in which the chest faces more than a right angle away from the front, +z.

    A chest that is turned at random does so in half of them.
    """
    turns, _ = kinematics.forward_global(motion.rotations, motion.root)
    return float((kinematics.facing(turns)[:, 2] < 0).double().mean())


def hands_inside(motion: Motion) -> float:
    """The fraction of frames in which a hand or a forearm is inside the trunk or a thigh, see ``postprocess.hands``."""
    return float(hands.inside(motion).double().mean())


def evaluate(motion: Motion) -> dict[str, float]:
    """All metrics of one motion of ``SMPL22``, with the frame rate at which they were computed.

    Raises FootlightError as ``core.metrics.physics.validate`` does.
    """
    positions, fps = validate(kinematics.forward(motion.rotations, motion.root)), motion.fps
    ankles = positions[:, _ANKLES].cpu().numpy()
    return {
        "fps": fps,
        "steps": stepping.steps_per_second(ankles, fps),
        "still": stepping.still_windows(ankles, fps),
        "travel": pelvis_travel(positions, fps),
        "height_range": pelvis_range(positions),
        "knee_range": knee_range(positions),
        "frozen": frozen_feet(positions, fps),
        "away": facing_away(motion),
        "inside": hands_inside(motion),
    }

"""Metrics of physical plausibility: foot contact, sliding, jerk, speed, and joints that bend the wrong way.

Conventions
    Positions are (t, 22, 3) of ``SMPL22`` in metres, y-up, with the floor at y = 0, at ``fps``. All metrics but PFC are
    in physical units and computed at the clip's own rate. Jerk is a third difference and still grows with the bandwidth
    of the rate, so compare clips at one rate. Every result contains the rate at which it was computed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.errors import FootlightError
from core.motion import kinematics, rotation
from core.motion.resample import spline
from core.motion.skeleton import FOOT_JOINTS, SMPL22
from core.types import Motion

PFC_FPS = 30.0
SKATE_HEIGHT = 0.05  # metres; a toe below it is in contact
SKATE_SPEED = 0.2  # horizontal metres per second from which it slides
BEND_TOLERANCE = math.radians(10)
_TOES = (FOOT_JOINTS[1], FOOT_JOINTS[3])
# joint: the direction of its bone at rest, and the direction towards which it must not bend (both unit vectors)
_HINGES = {
    "left_knee": ((0.0, -1.0, 0.0), (0.0, 0.0, 1.0)),
    "right_knee": ((0.0, -1.0, 0.0), (0.0, 0.0, 1.0)),
    "left_elbow": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "right_elbow": ((-1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
}


def validate(positions: Tensor) -> Tensor:
    """The positions as float64. Raises FootlightError unless they are finite and (t >= 4, 22, 3)."""
    if positions.ndim != 3 or positions.shape[1:] != (SMPL22.joints, 3) or positions.shape[0] < 4:
        raise FootlightError(f"expected positions (t >= 4, {SMPL22.joints}, 3) in metres, got {tuple(positions.shape)}")
    if not bool(positions.isfinite().all()):
        raise FootlightError("positions hold numbers that are not finite; look at the motion they came from")
    return positions.detach().double()


def pfc(positions: Tensor, fps: float) -> float:
    """Physical foot contact of EDGE, times 1e4, at 30 fps; lower is better (Tseng et al. 2023, section 4).

    A root cannot accelerate while both feet move. The metric is the root's acceleration without its downward part,
    relative to the greatest in the clip, times the product over both feet of the smaller horizontal displacement of
    ankle and toe.
    """
    if fps != PFC_FPS:
        frames = math.floor((positions.shape[0] - 1) * PFC_FPS / fps) + 1
        positions = spline(positions, torch.arange(frames, dtype=torch.float64) * (fps / PFC_FPS))
    acceleration = positions[:, 0].diff(n=2, dim=0) * PFC_FPS**2
    acceleration[:, 1].clamp_(min=0)
    size = acceleration.norm(dim=1)
    most = size.max() if len(size) else size.new_zeros(())
    if most < 1e-9:
        return 0.0
    feet = positions[1:, FOOT_JOINTS][..., (0, 2)].diff(dim=0).norm(dim=-1).reshape(-1, 2, 2)
    return float((feet.amin(dim=2).prod(dim=1) * size / most).mean()) * 1e4


def foot_skating(positions: Tensor, fps: float) -> float:
    """Fraction of contact frames in which a toe slides, over both toes; 0 without contact.

    A toe is in contact if it is below 5 cm in two consecutive frames. It slides if it moves horizontally by more than
    0.2 m/s between them.
    """
    toes = positions[:, _TOES]
    low = toes[..., 1] < SKATE_HEIGHT
    contact = low[1:] & low[:-1]
    sliding = toes[..., (0, 2)].diff(dim=0).norm(dim=-1) * fps > SKATE_SPEED
    return int((contact & sliding).sum()) / max(int(contact.sum()), 1)


def mean_jerk(positions: Tensor, fps: float) -> float:
    """Mean jerk over joints and frames, m/s^3: the norm of the third difference."""
    return float(positions.diff(n=3, dim=0).norm(dim=-1).mean()) * fps**3


def mean_speed(positions: Tensor, fps: float) -> float:
    """Mean speed over joints and frames in the world, m/s."""
    return float(positions.diff(dim=0).norm(dim=-1).mean()) * fps


def wrong_bends(motion: Motion) -> dict[str, float]:
    """For each knee and elbow, the fraction of frames in which it bends the wrong way by more than 10 degrees.

    A knee must not bend forwards nor an elbow backwards. The angle is that of the lower bone beyond straight, in the
    frame of the upper bone.
    """
    shares = {}
    for name, (bone, forbidden) in _HINGES.items():
        local = motion.rotations[:, SMPL22.index(name)].double()
        lean = (rotation.rotate(local, local.new_tensor(bone)) * local.new_tensor(forbidden)).sum(dim=-1)
        shares[name] = float((lean.clamp(-1, 1).asin() > BEND_TOLERANCE).double().mean())
    return shares


def evaluate(motion: Motion) -> dict:
    """All metrics of one motion of ``SMPL22``, with the frame rates at which they were computed.

    Raises FootlightError as ``validate`` does.
    """
    positions = validate(kinematics.forward(motion.rotations, motion.root))
    bends = wrong_bends(motion)
    return {
        "fps": motion.fps,
        "pfc_fps": PFC_FPS,
        "pfc": pfc(positions, motion.fps),
        "foot_skating": foot_skating(positions, motion.fps),
        "jerk": mean_jerk(positions, motion.fps),
        "speed": mean_speed(positions, motion.fps),
        "wrong_bends": max(bends.values()),
        "wrong_bends_by_joint": bends,
    }

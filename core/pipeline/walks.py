"""A path as a dancer walks it in an edit, and a motion moved onto it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.edits.path_file import FloorPath
from core.motion import kinematics, rotation
from core.motion.skeleton import FOOT_JOINTS
from core.postprocess import feet
from core.postprocess.hold import fade
from core.postprocess.smooth import gaussian
from core.types import Motion

APPROACH = 1.5  # seconds in which a dancer comes to a path and leaves it
SWAY = 0.5  # seconds (one standard deviation) over which a dancer may sway about a path
CORNERS = 0.2  # seconds (one standard deviation) over which a path is rounded
TURNS = 0.3  # seconds (one standard deviation) over which a dancer turns along it
STEP = 0.4  # seconds (one standard deviation) within which a dancer steps to where the path is
STANDING = 0.05  # how fast a dancer is moved onto a path while no foot travels, beside the fastest otherwise
LANDED = 4.0  # times as soon as the path counts in full, the dancer comes to it by steps
STILL = 0.02  # metres per second, below which a path has no direction


@dataclass(frozen=True)
class Walk:
    """A path to be followed.

    places: (t, 2) x and z, metres.
    heading: (t,) radians to be faced; None leaves it free.
    share: (t,) in [0, 1], how much each frame counts.
    """

    places: Tensor
    heading: Tensor | None
    share: Tensor


def walked(path: FloorPath, span: tuple[float, float], times: Tensor, held: Tensor, fps: float) -> Walk:
    """A path at the frames of a motion, with its corners rounded.

    path: the curve.
    span: seconds between which the dance is made anew.
    times: (t,) of the frames, seconds.
    held: (t,) bool, where the root of the dance is held.
    fps: frames per second.

    Raises FootlightError for a path that is too fast.
    """
    start, end = span
    places = gaussian(torch.from_numpy(path.at(times.numpy(), start, end)).float(), fps, CORNERS)
    share = fade(held, fps, approach(start, end)).to(places)
    return Walk(places, _along(places, fps) if path.facing == "along" else None, share)


def approach(start: float, end: float) -> float:
    """Seconds in which a dancer comes to a path that is followed between two times, or leaves it."""
    return min(APPROACH, (end - start) / 4)


def _along(places: Tensor, fps: float) -> Tensor | None:
    """The heading (t,) along places (t, 2). Who stands faces where the nearest step goes; None if there is no step."""
    ahead = torch.gradient(gaussian(places, fps, TURNS), dim=0)[0]
    moving = (torch.linalg.vector_norm(ahead, dim=-1) * fps >= STILL).nonzero()[:, 0]
    if not len(moving):
        return None
    nearest = (moving[None] - torch.arange(len(places))[:, None]).abs().argmin(1)
    return rotation.unwrap(torch.atan2(ahead[:, 0], ahead[:, 1])[moving[nearest]])


def followed(motion: Motion, walk: Walk) -> Motion:
    """The motion moved onto a walk of its frames and turned along it, about which it may sway.

    It is moved and turned while a foot travels: then its steps land elsewhere, and the feet that stand do not slide.
    """
    share = walk.share[:, None]
    points = kinematics.forward(motion.rotations, motion.root)[:, FOOT_JOINTS]
    pace = STANDING + feet.travelling(feet.standing(motion, points), points, motion.fps)

    def stepped(shift: Tensor) -> Tensor:
        return torch.lerp(shift, by_steps(shift, pace, motion.fps), (LANDED * share).clamp_max(1).to(shift))

    away = stepped(share * (walk.places - gaussian(motion.root[:, [0, 2]], motion.fps, SWAY)))
    root = motion.root + torch.stack((away[:, 0], torch.zeros_like(away[:, 0]), away[:, 1]), -1)
    if walk.heading is None:
        return replace(motion, root=root)
    off = rotation.unwrap(walk.heading - rotation.yaw(motion.rotations[:, 0]))
    off = off - 2 * math.pi * torch.round((off * walk.share).sum() / walk.share.sum() / (2 * math.pi))
    turn = rotation.about("y", stepped(share * gaussian(off[:, None], motion.fps, SWAY))[:, 0])
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.normalise(rotation.mul(turn, rotations[:, 0]))
    return replace(motion, rotations=rotations, root=root)


def by_steps(shift: Tensor, pace: Tensor, fps: float) -> Tensor:
    """A shift (t, c) that goes where ``shift`` (t, c) goes within about ``STEP`` seconds, but mostly where its pace is
    high.

    pace: (t,) above 0, how fast it may go in each frame beside others.
    fps: frames per second.
    """
    speed, pace = shift.diff(dim=0, prepend=shift[:1]), pace[:, None].to(shift)
    gone = (pace * gaussian(speed, fps, STEP) / gaussian(pace, fps, STEP).clamp_min(STANDING)).cumsum(0)
    return gone + gaussian(shift - gone, fps, STEP)

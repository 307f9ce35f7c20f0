"""Removes drift: keeps a dance of minutes facing the front mostly, and near where it started.

A model that integrates velocities drifts, and after one turn half a minute may be danced with the back to the audience.
Corrections are made where they hide, as in redirected walking (Razzaque et al. 2001): while a foot travels through the
air, and while the dancer turns or walks anyway. Then a step lands a little elsewhere, and a turn is a little wider or
narrower. Who stands on both feet is hardly corrected. A standing foot is what the body is turned about, so it pivots
and does not slide. Feet are locked afterwards.

Who walks away is not only pulled back, but also turned, so that the walk leads home.

Vectors on the floor are complex numbers z + ix here: their phase is the heading, and a turn is a factor.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.motion import kinematics, rotation
from core.motion.resample import spline
from core.motion.skeleton import FOOT_JOINTS
from core.postprocess import feet
from core.postprocess.smooth import gaussian
from core.types import Motion

RESTING = math.radians(2)  # per second, at most, that a body is turned whose feet stand
STEPPING = math.radians(50)  # per second, at most, that it is turned beyond that while a foot travels
TURN_GAIN = 0.3  # of a turn of the body, by which it may become wider or narrower
FASTEST_TURN = math.radians(70)  # per second, at most
STEP_PULL = 0.15  # metres per second, at most, that the body is moved while a foot travels
WALK_GAIN = 0.15  # of its own speed, by which it may be moved beyond that
FASTEST_PULL = 0.3  # metres per second, at most
NEAR = 0.6  # metres from the start within which the body is not moved
FAR = 1.8  # and from which it is moved as fast as it may be
HOMING_FROM = 0.8  # metres from the start beyond which the walk is turned towards it
HOMING = 1.5  # weight against facing the front, for each metre beyond and each metre per second of the walk
_WIDE = math.radians(60)  # from the front, from where on the body is turned as fast as it may be
_CLEAR = 1.5  # a mean facing as long as the inverse of this is followed fully; the shorter, the less it is a direction
_LONG_WAY = math.radians(120)  # from the front, beyond which a turn goes on the way that it began
_MEAN_SECONDS = 2.0  # standard deviation of the mean facing; a spin, or a turn there and back, is not drift
_PATH_SECONDS = 1.0  # likewise of the path; a step there and back is not drift
_WALK_SECONDS = 2.0  # over which the direction of a walk is taken
_AHEAD = 1.0  # seconds that are looked ahead
_GAIN_SECONDS = 0.15  # standard deviation of the mean of turns and speeds that hide a correction
_EASE_SECONDS = 0.08  # likewise of how fast a correction may be
_CLOCK = 4.0  # decisions a second


@dataclass(frozen=True, eq=False)
class _Body:
    """What a correction depends on, for each frame.

    facing: (t,) complex, the direction of the chest on the floor. It is shorter than 1 for a chest that leans.
    root: (t,) complex, metres.
    pivot: (t,) complex, metres, what the body is turned about: the feet that stand.
    travelling: (t,) 0-1, how much a foot travels through the air.
    standing: (t,) 0-1, how much both feet stand.
    """

    facing: Tensor
    root: Tensor
    pivot: Tensor
    travelling: Tensor
    standing: Tensor


def keep(motion: Motion, hold: Tensor | None = None) -> Motion:
    """Turn a motion towards the front (+z) and move it towards where it started. Its first frame stays as it is.

    motion: (t, ...) the motion.
    hold: (t, j) bool, see ``core.postprocess.hold``. A path that is held somewhere has its place and does not drift, so
        it stays as it is.
    """
    if motion.frames < 3 or (hold is not None and bool(hold[:, 0].any())):
        return motion
    body, fps = _body(motion), motion.fps
    turning, pulling = _freedom(motion, body)
    steers, pulls = _decide(body, turning, pulling, fps)
    turned = torch.polar(torch.ones_like(turning), _followed(steers, turning, fps))
    about = torch.cat((turned.new_zeros(1), (-turned.diff() * body.pivot[:-1]).cumsum(0)))
    root = turned * body.root + about + _followed(pulls, pulling, fps)
    placed = torch.stack((root.imag, motion.root[:, 1].double(), root.real), -1)
    rotations = motion.rotations.clone()
    turn = rotation.about("y", turned.angle()).to(rotations)
    rotations[:, 0] = rotation.normalise(rotation.mul(turn, rotations[:, 0]))
    return replace(motion, rotations=rotations, root=placed.to(motion.root))


def _floor(vectors: Tensor) -> Tensor:
    """Vectors (..., 3) on the floor, complex (...)."""
    return torch.complex(vectors[..., 2].double(), vectors[..., 0].double())


def _body(motion: Motion) -> _Body:
    turns, places = kinematics.forward_global(motion.rotations, motion.root)
    points = places[:, FOOT_JOINTS]
    weights = feet.standing(motion, points).double()
    heels, toes = weights[:, 0::2], weights[:, 1::2]
    stands = torch.maximum(heels, toes)  # t 2
    carried = torch.cat((heels * (1 - toes), toes), 1)
    root = _floor(motion.root)
    spots = _floor(points[:, (0, 2, 1, 3)])
    free = 0.1  # weight of the root, about which a body in the air is turned
    return _Body(
        _floor(kinematics.facing(turns)),
        root,
        ((carried * spots).sum(1) + free * root) / (carried.sum(1) + free),
        feet.travelling(weights, points, motion.fps),
        stands.prod(1),
    )


def _freedom(motion: Motion, body: _Body) -> tuple[Tensor, Tensor]:
    """How far a body may be turned, radians, and moved, metres, in each frame (t,)."""
    fps = motion.fps
    yaw = rotation.unwrap(rotation.yaw(motion.rotations[:, 0]).double())
    steps = torch.view_as_real(body.root)
    turns = gaussian(torch.gradient(yaw, dim=0)[0] * fps, fps, _GAIN_SECONDS).abs()
    speed = gaussian(torch.gradient(steps, dim=0)[0] * fps, fps, _GAIN_SECONDS).norm(dim=-1)
    moving = 1 - body.standing
    turning = RESTING + STEPPING * body.travelling + TURN_GAIN * turns * moving
    pulling = STEP_PULL * body.travelling + WALK_GAIN * speed * moving
    both = torch.stack((turning.clamp_max(FASTEST_TURN), pulling.clamp_max(FASTEST_PULL)), 1)
    eased = gaussian(both, fps, _EASE_SECONDS).clamp_min(0) / fps
    return eased[:, 0], eased[:, 1]


def _decide(body: _Body, turning: Tensor, pulling: Tensor, fps: float) -> tuple[Tensor, Tensor]:
    """Which part of the freedom is used at each tick of the clock: of turning (n,) in [-1, 1], and of pulling (n,),
    complex, in the unit circle.

    The body is turned towards the front by the shorter way, the less the less it faces one direction.
    """
    frames = body.root.shape[0]
    ticks = torch.arange(math.ceil(frames / fps * _CLOCK) + 2, dtype=torch.float64) * (fps / _CLOCK)
    path = gaussian(torch.view_as_real(body.root - body.root[:1]), fps, _PATH_SECONDS)

    def at(values: Tensor, seconds: float = 0.0) -> Tensor:
        return torch.view_as_complex(spline(values, ticks + seconds * fps).contiguous())

    half = _WALK_SECONDS / 2
    facing = at(gaussian(torch.view_as_real(body.facing), fps, _MEAN_SECONDS), _AHEAD)
    walks = (at(path, _AHEAD + half) - at(path, _AHEAD - half)) / _WALK_SECONDS
    steps = at(path).diff()
    arms = at(gaussian(torch.view_as_real(body.pivot - body.root), fps, 1 / _CLOCK))
    parts = (*_halves(turning, fps), *_halves(pulling, fps))
    turn, side, place = 0.0, 0.0, 0j
    steers, pulls = [0.0], [0j]
    rows = zip(*(values.tolist() for values in (facing, walks, steps, arms, *parts)), strict=False)
    for aim, walk, step, arm, turn_out, turn_in, pull_out, pull_in in rows:
        far = abs(place)
        if far > HOMING_FROM:
            aim -= HOMING * (far - HOMING_FROM) * walk * place.conjugate() / far
        away = math.remainder(cmath.phase(aim) + turn, 2 * math.pi)
        if away * side < 0 and abs(away) > _LONG_WAY:
            away -= math.copysign(2 * math.pi, away)
        side = away if abs(away) > math.pi / 2 else 0.0
        steer = -min(1.0, _CLEAR * abs(aim)) * max(-1.0, min(1.0, away / _WIDE))
        pull = -max(0.0, min(1.0, (far - NEAR) / (FAR - NEAR))) * place / max(far, NEAR)
        before, turn = turn, turn + steers[-1] * turn_out + steer * turn_in
        was, now = cmath.rect(1, before), cmath.rect(1, turn)
        place += cmath.rect(1, (before + turn) / 2) * step + (was - now) * arm + pulls[-1] * pull_out + pull * pull_in
        steers.append(steer)
        pulls.append(pull)
    return torch.tensor(steers, dtype=torch.float64), torch.tensor(pulls, dtype=torch.complex128)


def _ticking(frames: int, fps: float) -> tuple[Tensor, Tensor]:
    """The last tick of the clock up to each frame (t,), and the share (t,) of the way to the next one."""
    place = torch.arange(frames, dtype=torch.float64) * (_CLOCK / fps)
    return place.floor().long(), place.frac()


def _halves(freedom: Tensor, fps: float) -> tuple[Tensor, Tensor]:
    """What of the freedom (t,) after each tick follows the decision at it, (n,), and at the next one, (n,)."""
    tick, share = _ticking(len(freedom), fps)
    empty = freedom.new_zeros(int(tick[-1]) + 1)
    return empty.index_add(0, tick, freedom * (1 - share)), empty.index_add(0, tick, freedom * share)


def _followed(decisions: Tensor, freedom: Tensor, fps: float) -> Tensor:
    """The correction (t,) by decisions (n,) at ticks, with straight lines between them. It begins at zero."""
    tick, share = _ticking(len(freedom), fps)
    rate = (decisions[tick] * (1 - share) + decisions[tick + 1] * share) * freedom
    return torch.cat((rate.new_zeros(1), rate[:-1].cumsum(0)))

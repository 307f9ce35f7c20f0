"""Beat snap: shifts the accents of a motion onto musical beats by a small, smooth time warp.

A kinematic beat is a minimum of the body's speed (``core.rhythm.accents.kinematic_beats``). If one is near a musical
beat, or else near the middle between two, it is shifted towards it. In between, the motion runs slightly faster or
slower. At every snapped beat its rate is 1, so the minimum remains a minimum. A dancer who strikes the beat has maxima
there (``strikes``), which are shifted in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.motion import kinematics
from core.postprocess.hold import runs
from core.rhythm.accents import kinematic_beats, strikes
from core.types import Beats, Motion

BEAT_WINDOW = 0.3  # of a beat: farther from a musical beat, kinematic beats are not shifted
HALF_WINDOW = 0.15  # the same for the middle between two musical beats
LIMITS = {"arrive": 0.25, "strike": 0.45}
"""By accent, how far from 1 the local rate may be. Strikes are seldom where beats are, and bear more than stops do."""


@dataclass(frozen=True)
class Clock:
    """A time warp: at second ``played[i]`` of the music, second ``source[i]`` of the motion is played.

    played: (n,) float64, increasing.
    source: (n,) float64, increasing, with the same first and last value as ``played``.
    """

    played: Tensor
    source: Tensor

    def at(self, times: Tensor) -> Tensor:
        """Seconds (m,) of the motion at seconds ``times`` (m,) of the music.

        The shift goes from anchor to anchor by a fifth-order polynomial step, so the rate at each anchor is 1 and
        stationary. Beyond the ends the rate is 1.
        """
        times = times.double()
        shift = self.played - self.source
        right = torch.searchsorted(self.played, times.contiguous()).clamp(1, len(self.played) - 1)
        left = right - 1
        share = ((times - self.played[left]) / (self.played[right] - self.played[left])).clamp(0, 1)
        share = share**3 * (10 - 15 * share + 6 * share**2)
        return times - torch.lerp(shift[left], shift[right], share)


def beat_clock(
    motion: Motion,
    beats: Beats,
    strength: float,
    hold: Tensor | None = None,
    accent: str = "arrive",
) -> Clock:
    """The time warp that shifts the kinematic beats of a motion, or its strikes, towards the nearest musical beats.

    motion: the motion.
    beats: of the music.
    strength: 0-1, the fraction of the distance.
    hold: (t, j) bool, see ``core.postprocess.hold``. Frames in which a joint is held keep their time, unless it is held
        in all frames: such a joint is copied afterwards, and says nothing about the others.
    accent: of ``core.protocol.ACCENTS``: what the dancer does on a beat, and what is shifted therefore.
    """
    if strength <= 0:
        return snap(beats.times[:0], beats.times, motion.seconds, 0.0)
    positions = kinematics.forward(motion.rotations, motion.root)
    found = (strikes if accent == "strike" else kinematic_beats)(positions, motion.fps).times
    limit = LIMITS[accent]
    if hold is None:
        return snap(found, beats.times, motion.seconds, strength, limit)
    return _between_held(found.double(), beats, motion, strength, limit, hold[:, ~hold.all(0)].any(1))


def _between_held(found: Tensor, beats: Beats, motion: Motion, strength: float, limit: float, held: Tensor) -> Clock:
    """A time warp of every run of frames that are not held (t,) bool, between which nothing is shifted."""
    ends = torch.tensor([0.0, motion.seconds], dtype=torch.float64)
    played, source = [ends[:1]], [ends[:1]]
    for start, end in runs(~held):
        first, last = max(0, start - 1) / motion.fps, min(end, motion.frames) / motion.fps
        inside = found[(found > first) & (found < last)] - first
        clock = snap(inside, beats.times.double() - first, last - first, strength, limit)
        played.append(clock.played + first)
        source.append(clock.source + first)
    played, source = torch.cat((*played, ends[1:])), torch.cat((*source, ends[1:]))
    new = torch.cat((played[:1] >= 0, played.diff() > 0))
    return Clock(played[new], source[new])


def snap(accents: Tensor, beats: Tensor, seconds: float, strength: float, limit: float = LIMITS["arrive"]) -> Clock:
    """The time warp for given accents of a motion, kinematic beats or strikes, and musical beats.

    An accent and a musical beat are paired if each is the other's nearest, within ``BEAT_WINDOW``. The remaining
    accents are paired with the middles between beats in the same way, within ``HALF_WINDOW``.

    accents: (n,) seconds.
    beats: (m,) musical beats, seconds.
    seconds: length of the motion.
    strength: 0-1, the fraction of the distance.
    limit: the local rate stays within 1 - limit and 1 + limit.
    """
    accents, beats = accents.double().cpu(), beats.double().cpu()
    ends = torch.tensor([0.0, seconds], dtype=torch.float64)
    inside = accents[(accents > 0) & (accents < seconds)]
    if strength <= 0 or len(inside) == 0 or len(beats) < 2:
        return Clock(ends, ends)
    middles = (beats[1:] + beats[:-1]) / 2
    beat = float(beats.diff().median())
    paired, offset = _pair(inside, beats, BEAT_WINDOW * beat)
    rest = ~paired
    on_middle, middle_offset = _pair(inside[rest], middles, HALF_WINDOW * beat)
    offset[rest], paired[rest] = middle_offset, on_middle
    # halfway between two anchors the step is 1.875 times as steep as the line from one to the other
    source = inside[paired]
    if len(source) == 0:
        return Clock(ends, ends)
    shift = _calmed(source, strength * offset[paired], seconds, limit / 1.875)
    return Clock(torch.cat((ends[:1], source + shift, ends[1:])), torch.cat((ends[:1], source, ends[1:])))


def _pair(accents: Tensor, targets: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Which accents (n,) pair with a target within ``reach`` seconds, (n,) bool; and the distances (n,)."""
    if len(accents) == 0 or len(targets) == 0:
        return torch.zeros(len(accents), dtype=torch.bool), torch.zeros_like(accents)
    nearest = _nearest(targets, accents)
    mutual = _nearest(accents, targets)[nearest] == torch.arange(len(accents))
    offset = targets[nearest] - accents
    return mutual & (offset.abs() <= reach), offset


def _nearest(knots: Tensor, at: Tensor) -> Tensor:
    """The index (n,) of the knot (m,), in increasing order, that is nearest to each of ``at`` (n,)."""
    right = torch.searchsorted(knots, at).clamp(max=len(knots) - 1)
    left = (right - 1).clamp(min=0)
    return torch.where(at - knots[left] <= knots[right] - at, left, right)


def _calmed(source: Tensor, shift: Tensor, seconds: float, steepest: float) -> Tensor:
    """Limit how fast the shifts change between neighbouring anchors, and towards the ends, which are not shifted.

    The result is the mean of the envelopes above and below.

    source: (n,) anchors, seconds of the motion, increasing.
    shift: (n,) seconds.
    seconds: length of the motion.
    steepest: seconds of shift per played second, at most.
    """
    slope = steepest / (1 + steepest)  # per second of the motion instead of per played second
    room = slope * torch.minimum(source, seconds - source)
    shift = torch.minimum(torch.maximum(shift, -room), room)
    return (_below(shift, slope * source) - _below(-shift, slope * source)) / 2


def _below(values: Tensor, place: Tensor) -> Tensor:
    """The highest curve (n,) on or below ``values`` (n,) that changes no faster than ``place`` (n,) increases."""
    falling = (values - place).cummin(dim=0).values + place
    rising = (values + place).flip(0).cummin(dim=0).values.flip(0) - place
    return torch.minimum(falling, rising)

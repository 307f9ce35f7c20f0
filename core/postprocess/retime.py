"""Beat snap: a small, smooth change of speed that carries kinematic beats onto musical ones.

A kinematic beat is where the body arrives, a minimum of its speed (``core.rhythm.accents.kinematic_beats``). One near a
beat, or else near the middle between two, is carried towards it; between them time runs a little faster or slower.
At every snapped beat the clock runs at its own rate, so the minimum stays the minimum it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.motion import kinematics
from core.rhythm.accents import kinematic_beats as find_beats
from core.types import Beats, Motion

BEAT_WINDOW, HALF_WINDOW = 0.3, 0.15  # of the beat: hits farther from a beat, or from the middle of two, stay
LIMIT = 0.25  # the local rate stays within 1 - LIMIT and 1 + LIMIT


@dataclass(frozen=True)
class Clock:
    """When to play what: at music second ``played[i]`` stands motion second ``source[i]``; (n,) doubles, increasing,
    the same at both ends."""

    played: Tensor
    source: Tensor

    def at(self, times: Tensor) -> Tensor:
        """Motion seconds for music seconds ``times`` (m,): a fifth-order step from anchor to anchor, so that at each of
        them the rate is 1 and not changing, running at rate 1 beyond the ends."""
        times = times.double()
        shift = self.played - self.source
        right = torch.searchsorted(self.played, times.contiguous()).clamp(1, len(self.played) - 1)
        left = right - 1
        share = ((times - self.played[left]) / (self.played[right] - self.played[left])).clamp(0, 1)
        share = share**3 * (10 - 15 * share + 6 * share**2)
        return times - torch.lerp(shift[left], shift[right], share)


def beat_clock(motion: Motion, beats: Beats, strength: float, limit: float = LIMIT) -> Clock:
    """The clock that carries the hits of ``motion`` by ``strength`` (0-1) of their way onto the nearest beats."""
    if strength <= 0:
        return snap(beats.times[:0], beats.times, motion.seconds, 0.0)
    positions = kinematics.forward(motion.rotations, motion.root)
    return snap(find_beats(positions, motion.fps).times, beats.times, motion.seconds, strength, limit)


def snap(kinematic_beats: Tensor, beats: Tensor, seconds: float, strength: float, limit: float = LIMIT) -> Clock:
    """The clock for hits (n,) and beats (m,), seconds, of a motion that lasts ``seconds``.

    Hits and beats are paired one to one where each is the other's nearest, within ``BEAT_WINDOW``; hits that are left
    are paired with the middles between beats in the same way, within ``HALF_WINDOW``.
    """
    kinematic_beats, beats = kinematic_beats.double().cpu(), beats.double().cpu()
    ends = torch.tensor([0.0, seconds], dtype=torch.float64)
    inside = kinematic_beats[(kinematic_beats > 0) & (kinematic_beats < seconds)]
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


def _pair(kinematic_beats: Tensor, targets: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Which hits (n,) are the nearest of their nearest target, no farther than ``reach``; and the way there (n,)."""
    if len(kinematic_beats) == 0 or len(targets) == 0:
        return torch.zeros(len(kinematic_beats), dtype=torch.bool), torch.zeros_like(kinematic_beats)
    apart = targets[None, :] - kinematic_beats[:, None]
    nearest = apart.abs().argmin(1)
    mutual = apart.abs().argmin(0)[nearest] == torch.arange(len(kinematic_beats))
    offset = apart.gather(1, nearest[:, None])[:, 0]
    return mutual & (offset.abs() <= reach), offset


def _calmed(source: Tensor, shift: Tensor, seconds: float, steepest: float) -> Tensor:
    """The shifts (n,) of anchors (n,), made so gradual that between neighbours, and towards the unshifted ends, they
    change by at most ``steepest`` seconds a played second: the mean of the envelopes above and below."""
    slope = steepest / (1 + steepest)  # a second of the motion may take that much less when played
    room = slope * torch.minimum(source, seconds - source)
    shift = torch.minimum(torch.maximum(shift, -room), room)
    allowed = slope * (source[:, None] - source[None, :]).abs()
    return ((shift[None, :] + allowed).amin(1) + (shift[None, :] - allowed).amax(1)) / 2

"""Rhythm events of a song at 128 frames a second: beats, off-beats and what happens between them.

They are the theatre paper's E = {strong beats, off-beats, sub-structure} (section 4.1). An event is a single frame that
holds its strength; all other frames are zero.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.audio.onsets import ONSET_FPS, ONSET_LEAD, onset_events
from core.rhythm.features import RHYTHM_CHANNELS, phases
from core.types import Beats

EVENT_FPS = 128.0
EVENTS = ("beat", "off-beat", "sub-structure")
NEAR = 0.06  # seconds around a beat or off-beat within which an onset belongs to it
WEAK = 0.5  # strength of a weak beat, relative to a strong one
UNHEARD = 0.5  # strength of a beat on which nothing sounds, relative to one on which much does


def strong_beats(music: Beats) -> Tensor:
    """The strong beats (n,), seconds: in each bar the downbeat and every second beat after it.

    In bars of three and six it is every third, in bars of five and seven the downbeat alone. Without downbeats, all
    beats are strong.
    """
    return music.times.double()[are_strong(music)]


def are_strong(music: Beats) -> Tensor:
    """Which beats (n,) are strong, as in ``strong_beats``."""
    if music.downbeats is None or not bool(music.downbeats.any()):
        return torch.ones(len(music.times), dtype=torch.bool)
    step = {3: 3, 5: 5, 6: 3, 7: 7}.get(music.metre, 2)
    return music.since_downbeat % step == 0


def beat_strength(beats: Beats, onset: Tensor, onset_fps: float = ONSET_FPS) -> Tensor:
    """How strong each beat is (n,), in (0, 1]: by its place in the bar and by how much sounds on it.

    beats: of the song.
    onset: (t,) onset strength in [0, 1].
    onset_fps: frames per second of ``onset``.
    """
    place = torch.where(are_strong(beats), 1.0, WEAK)
    return place * (UNHEARD + (1 - UNHEARD) * _heard(onset, beats.times, onset_fps))


def rhythm_events(beats: Beats, onset: Tensor, frames: int) -> Tensor:
    """Rhythm events (frames, 3) at ``EVENT_FPS``, in the order of ``EVENTS``.

    Off-beats are halfway between two beats and as strong as what sounds there. All other onsets are sub-structure.

    beats: of the song.
    onset: (t,) onset strength in [0, 1], at ``ONSET_FPS``.
    frames: number of frames.
    """
    halfway = (beats.times[1:] + beats.times[:-1]) / 2
    others = onset_events(onset, ONSET_FPS).shifted(-ONSET_LEAD)
    claimed = torch.cat([beats.times, halfway]).double()
    apart = (others.times.double()[:, None] - claimed).abs().amin(dim=1) if len(claimed) else others.times.new_ones(1)
    free = (apart > NEAR).expand(len(others.times))
    assert others.strength is not None
    events = torch.zeros(frames, len(EVENTS))
    for channel, (times, strength) in enumerate(
        (
            (beats.times, beat_strength(beats, onset)),
            (halfway, _heard(onset, halfway, ONSET_FPS)),
            (others.times[free], others.strength[free]),
        )
    ):
        at = (times.double() * EVENT_FPS).round().long()
        inside = (at >= 0) & (at < frames)
        events[at[inside], channel] = strength[inside].float()
    return events


def beat_slots(events: Tensor, beats: Beats, times: Tensor, slots: int) -> Tensor:
    """The rhythm of the beat in which each instant falls, (n, slots * 3), whatever the tempo.

    A slot holds the strongest event of each kind within half a slot to either side. Slot 0 is the beat itself. Without
    two beats there are no slots, and everything is zero.

    events: (t, 3) as ``rhythm_events`` returns them.
    beats: of the song.
    times: (n,) seconds.
    slots: of a beat.
    """
    made = torch.zeros(len(times), slots * len(EVENTS))
    if len(beats.times) < 2 or not len(events):
        return made
    clock = torch.arange(len(events), dtype=torch.float64) / EVENT_FPS
    slot = (phases(beats, clock)[0] * slots).round().long()
    first = int(slot.min())
    table = torch.zeros(int(slot.max()) - first + 1, len(EVENTS))
    table.scatter_reduce_(0, (slot - first)[:, None].expand_as(events), events, "amax")
    beat = phases(beats, times.double())[0].floor().long()
    wanted = beat[:, None] * slots + torch.arange(slots) - first
    known = (wanted >= 0) & (wanted < len(table))
    return (table[wanted.clamp(0, len(table) - 1)] * known[..., None]).flatten(1)


def beat_response(features: Tensor) -> Tensor:
    """How near to a beat each frame is (..., t), 1 on the beat and 0 halfway between two; 0 without beats.

    features: (..., t, r) rhythm features (``core.rhythm.features``).
    """
    phase = features[..., RHYTHM_CHANNELS.index("beat_cos")]
    return features[..., RHYTHM_CHANNELS.index("known")] * ((1 + phase) / 2).square()


def _heard(onset: Tensor, times: Tensor, fps: float) -> Tensor:
    """The strongest onset (n,) within ``NEAR`` of each instant (n,)."""
    if not len(onset) or not len(times):
        return torch.zeros(len(times))
    reach = round(NEAR * fps)
    frames = ((times.double() - ONSET_LEAD) * fps).round().long()[:, None] + torch.arange(-reach, reach + 1)
    inside = (frames >= 0) & (frames < len(onset))
    return (onset.float()[frames.clamp(0, len(onset) - 1)] * inside).amax(dim=1)

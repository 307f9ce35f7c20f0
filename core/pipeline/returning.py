"""Moves that return where a part of the song comes again.

The noise of a dance determines its moves more than the music does. So where a section of the song comes again, the
dance gets the noise of its first time again, bar by bar. The network dances nearly the same moves to it, and fits them
to what is different in the music and to where the dancer is.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.audio.onsets import RHYTHM_RATE
from core.light.sections import Section
from core.light.song import bar_edges, sections_of
from core.pipeline.sound import Sound
from core.types import Beats

LEAST_SECONDS = 45.0  # of a song; in a shorter one hardly anything comes again


def divided(sound: Sound, beats: Beats) -> tuple[Section, ...]:
    """The sections of a song by which moves return; none of a short one.

    beats: of the song.
    """
    if sound.song.seconds < LEAST_SECONDS:
        return ()
    return sections_of(sound.at(RHYTHM_RATE), beats, sound.rhythm_mel)


def first_times(sections: tuple[Section, ...], beats: Beats, seconds: float, frames: int, fps: float) -> Tensor:
    """For each latent frame (frames,) of a dance the one that it repeats: int64, itself where nothing comes again.

    Sections of one kind that follow each other are one part of the song: repeating them at once would be monotonous. A
    part that comes again after another one repeats its first time bar by bar, as long as both last.

    sections: of the song.
    beats: of the song.
    seconds: its length.
    fps: latent frames a second.
    """
    source = np.arange(frames)
    edges = bar_edges(beats, seconds)
    known: dict[int, tuple[int, int]] = {}  # the bars of each kind's first time
    for kind, first, last in _parts(sections, edges):
        if kind not in known:
            known[kind] = first, last
            continue
        then, until = known[kind]
        for bar in range(min(last - first, until - then)):
            (start, end), (began, ended) = edges[first + bar : first + bar + 2], edges[then + bar : then + bar + 2]
            place = np.arange(_frame(start, fps), min(_frame(end, fps), frames))
            share = (place / fps - start) / (end - start)
            source[place] = ((began + share * (ended - began)) * fps).round().clip(0, frames - 1)
    return torch.from_numpy(source)


def _frame(at: float, fps: float) -> int:
    """The first latent frame of a bar that starts at a second."""
    return round(at * fps)


def _parts(sections: tuple[Section, ...], edges: np.ndarray) -> list[tuple[int, int, int]]:
    """Kind, first bar and the bar after the last one of each part of a song: its sections, alike neighbours joined."""
    parts: list[tuple[int, int, int]] = []
    for section in sections:
        first, last = (int(np.abs(edges - at).argmin()) for at in (section.start, section.end))
        if parts and parts[-1][0] == section.label:
            first = parts.pop()[1]
        parts.append((section.label, first, last))
    return parts

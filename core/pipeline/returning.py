"""Moves that dancers repeat and that return with their part of the song, and music that is made in phrases.

The noise of a dance determines its moves more than the music does. So where a move is to come again, its bars get the
noise of its first time. The network dances nearly the same to it, and fits it to what is different in the music and to
where the dancer is. Dancers count in eights: a move of two bars is danced again, and then comes another one. And
where a section of the song comes again, the dance of its first time does.

Music for a motion gets the noise of an earlier phrase in the same way: its harmony and its groove come again, and its
accents and loudness are still those of the motion.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.audio.onsets import RHYTHM_RATE
from core.pipeline.sound import Sound
from core.rhythm.bars import bar_edges
from core.rhythm.sections import Section, sections_of
from core.types import Beats

LEAST_SECONDS = 45.0  # of a song; in a shorter one hardly anything comes again
MOVE = 2  # bars: an eight, as dancers count in bars of four
PHRASE = 4  # bars
UPBEAT = 0.1  # of a bar, by which the first one differs from others if it is none; no move and no phrase has it then
PHRASES = (0, 0, 2, 0, 4, 4, 6, 4)
"""Which of eight phrases each one repeats: A A B A, the form of many songs and choruses, then C C D C, then anew."""


def divided(sound: Sound, beats: Beats) -> tuple[Section, ...]:
    """The sections of a song by which moves return; none of a short one.

    beats: of the song.
    """
    if sound.song.seconds < LEAST_SECONDS:
        return ()
    return sections_of(sound.at(RHYTHM_RATE), beats, sound.rhythm_mel)


def moves(pattern: str, sections: tuple[Section, ...], beats: Beats, seconds: float, frames: int, fps: float) -> Tensor:
    """For each latent frame (frames,) of a dance the one that it repeats: int64, itself the first time.

    Every ``MOVE`` bars are a move, from the first downbeat of each part of the song on. They return with their part,
    see ``first_times``.

    pattern: a letter for each move of a few, which begin anew then. Those of one letter are the same; capitals do not
        count.
    sections: of the song; none if it is one part.
    beats: of the song.
    seconds: its length.
    fps: latent frames a second.
    """
    source, edges, pattern = np.arange(frames), bar_edges(beats, seconds), pattern.upper()
    whole = (0, _upbeat(edges), len(edges) - 1)
    for _, first, last in _parts(sections, edges) or [whole]:
        for bar in range(first, last):
            move, place = divmod(bar - first, MOVE)
            letter = move % len(pattern)
            earlier = first + MOVE * (move - letter + pattern.index(pattern[letter])) + place
            if earlier != bar:
                _repeat(source, edges, bar, earlier, fps)
    return torch.from_numpy(source)[first_times(sections, beats, seconds, frames, fps)]


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
            _repeat(source, edges, first + bar, then + bar, fps)
    return torch.from_numpy(source)


def phrases(beats: Beats, seconds: float, frames: int, fps: float) -> Tensor:
    """For each latent frame (frames,) of music for a motion the one that it repeats: int64, itself the first time.

    Every ``PHRASE`` bars are a phrase, from the first downbeat on. They come again as ``PHRASES`` says.

    beats: of the music.
    seconds: its length.
    fps: latent frames a second.
    """
    source = np.arange(frames)
    edges = bar_edges(beats, seconds)
    upbeat = _upbeat(edges)
    for bar in range(len(edges) - 1 - upbeat):
        phrase, place = divmod(bar, PHRASE)
        earlier = PHRASE * PHRASES[phrase % len(PHRASES)] + place
        if earlier != bar:
            _repeat(source, edges, upbeat + bar, upbeat + earlier, fps)
    return torch.from_numpy(source)


def _upbeat(edges: np.ndarray) -> int:
    """How many of the bars (n,) between edges (n + 1,) are an upbeat: 1 if the first one is shorter or longer."""
    usual = float(np.median(np.diff(edges)))
    return int(abs(edges[1] - usual) > UPBEAT * usual)


def _repeat(source: np.ndarray, edges: np.ndarray, bar: int, earlier: int, fps: float) -> None:
    """Let the frames of a bar repeat those of an earlier one, in ``source`` (t,).

    edges: (n + 1,) seconds of bars.
    fps: frames a second.
    """
    (start, end), (began, ended) = edges[bar : bar + 2], edges[earlier : earlier + 2]
    place = np.arange(round(start * fps), min(round(end * fps), len(source)))
    share = (place / fps - start) / (end - start)
    source[place] = ((began + share * (ended - began)) * fps).round().clip(0, len(source) - 1)


def _parts(sections: tuple[Section, ...], edges: np.ndarray) -> list[tuple[int, int, int]]:
    """Kind, first bar and the bar after the last one of each part of a song: its sections, alike neighbours joined."""
    parts: list[tuple[int, int, int]] = []
    for section in sections:
        first, last = (int(np.abs(edges - at).argmin()) for at in (section.start, section.end))
        if parts and parts[-1][0] == section.label:
            first = parts.pop()[1]
        parts.append((section.label, first, last))
    return parts

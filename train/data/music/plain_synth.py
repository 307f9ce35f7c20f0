"""A synthesiser of plain waves and noise, for music that sounds like no soundfont: other drum machines, other songs.

Every excerpt draws its own instruments. Some of it is played through a room, a compressor that ducks with the kick, or
an overdriven amplifier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch

from core.types import Waveform
from train.data.music import patterns
from train.data.music.midi import Note, Part

RATE = 16_000
_KICKS = (35, patterns.KICK, patterns.LOW_TOM, 41)
_SNARES = (patterns.SNARE, 40, patterns.CLAP)
_LONG = (patterns.OPEN, patterns.RIDE, patterns.CRASH)
_HATS = (*_LONG, patterns.HAT, patterns.PEDAL, patterns.SHAKER, patterns.TAMBOURINE)

Voice = Callable[[Note, np.random.Generator], np.ndarray]


def render(parts: Iterable[Part], seconds: float, draw: np.random.Generator) -> Waveform:
    """The sound of parts, exactly ``seconds`` long, mono at ``RATE`` Hz, peaking at 0.9.

    parts: their times are seconds.
    """
    length = round(seconds * RATE)
    mix = np.zeros(length)
    kicks: list[float] = []
    for part in parts:
        line = np.zeros(length)
        voices = _kit(draw) if part.drums else None
        voice = _tone(draw)
        for note in part.notes:
            first = round(note.start * RATE)
            if not 0 <= first < length:
                continue
            sound = (voices(note, draw) if voices else voice(note, draw)) * (note.velocity / 127) ** 1.5
            line[first : first + len(sound)] += sound[: length - first]
            if part.drums and note.pitch in _KICKS:
                kicks.append(note.start)
        loud = np.sqrt((line**2).mean()) + 1e-9
        mix += line / loud * float(draw.uniform(0.5, 1.0)) * (1.5 if part.drums else 1.0)
    return Waveform(torch.from_numpy(_produced(mix, kicks, draw)).float(), RATE)


def _produced(mix: np.ndarray, kicks: list[float], draw: np.random.Generator) -> np.ndarray:
    """The mix as a studio hands it out."""
    if kicks and draw.random() < 0.25:  # ducked by the kick
        clock, strokes = np.arange(len(mix)) / RATE, np.sort(kicks)
        count = np.searchsorted(strokes, clock, side="right")
        since = np.where(count > 0, clock - strokes[count - 1], 9.0)
        mix = mix * (1 - float(draw.uniform(0.3, 0.8)) * np.exp(-since / 0.09))
    if draw.random() < 0.4:  # a room
        tail = np.arange(int(RATE * draw.uniform(0.1, 0.7)))
        room = draw.normal(size=len(tail)) * np.exp(-tail / len(tail) * 6.9)
        room[0] = 0
        size = len(mix) + len(room)
        wet = np.fft.irfft(np.fft.rfft(mix, size) * np.fft.rfft(room / np.sqrt((room**2).sum()), size), size)
        mix = mix + float(draw.uniform(0.1, 0.5)) * wet[: len(mix)]
    mix = mix / (np.abs(mix).max() + 1e-9)
    if draw.random() < 0.4:
        mix = np.tanh(float(draw.uniform(1.5, 5)) * mix)
    mix = mix + float(10 ** draw.uniform(-5, -2.3)) * draw.normal(size=len(mix))
    return 0.9 * mix / (np.abs(mix).max() + 1e-9)


def _clock(seconds: float) -> np.ndarray:
    return np.arange(max(1, int(seconds * RATE))) / RATE


def _kit(draw: np.random.Generator) -> Voice:
    """A drum machine: sweeps for kicks and toms, noise for snares and cymbals, blips for the rest."""
    low, sweep, fade = draw.uniform(40, 65), draw.uniform(3, 12), draw.uniform(8, 26)
    body, noisy, snare_fade = draw.uniform(150, 260), draw.uniform(0.3, 1.0), draw.uniform(12, 35)
    hat_fade, blip = draw.uniform(30, 90), draw.uniform(600, 2600)
    loud = dict(
        zip(("kick", "snare", "hat", "blip"), draw.uniform((0.8, 0.5, 0.08, 0.2), (1.2, 1.0, 0.45, 0.6)), strict=True)
    )
    only_clicks = draw.random() < 0.06

    def play(note: Note, draw: np.random.Generator) -> np.ndarray:
        time = _clock(0.35)
        if only_clicks:
            return np.sin(2 * np.pi * blip * time) * np.exp(-time * 110)
        if note.pitch in _KICKS:
            return (
                loud["kick"]
                * np.sin(2 * np.pi * (low * time + sweep * (1 - np.exp(-time * 32))))
                * np.exp(-time * fade)
            )
        noise = draw.normal(size=len(time))
        if note.pitch in _SNARES:
            return loud["snare"] * (noisy * noise + np.sin(2 * np.pi * body * time)) * np.exp(-time * snare_fade)
        if note.pitch in _HATS:
            slow = 0.25 if note.pitch in _LONG else 1.0
            return loud["hat"] * np.diff(noise, prepend=0.0) * np.exp(-time * hat_fade * slow)
        if note.pitch in (
            patterns.MID_TOM,
            patterns.HIGH_TOM,
            patterns.LOW_CONGA,
            patterns.OPEN_CONGA,
            patterns.MUTE_CONGA,
        ):
            pitch = 90 + 4 * (note.pitch - 40)
            return loud["blip"] * np.sin(2 * np.pi * (pitch * time + 2 * (1 - np.exp(-time * 40)))) * np.exp(-time * 16)
        return loud["blip"] * np.sin(2 * np.pi * (blip + 23 * note.pitch) * time) * np.exp(-time * 60)

    return play


def _tone(draw: np.random.Generator) -> Voice:
    """An instrument of harmonics that swells, holds and fades, or is plucked."""
    kind = str(draw.choice(["saw", "square", "soft", "pure", "bell"]))
    count = {"saw": 12, "square": 12, "soft": 5, "pure": 1, "bell": 4}[kind]
    orders = np.arange(1, 2 * count, 2) if kind == "square" else np.arange(1, count + 1)
    ratios = orders * (1.41 if kind == "bell" else 1.0)
    heights = 1 / orders ** (1.0 if kind in ("saw", "square") else 2.0)
    attack = float(10 ** draw.uniform(-2.7, -1.3))
    plucked, fade = draw.random() < 0.5, float(draw.uniform(2, 9))

    def play(note: Note, draw: np.random.Generator) -> np.ndarray:
        hertz = 440 * 2 ** ((note.pitch - 69) / 12)
        length = min(max(note.end - note.start, 0.06), 4.0)
        time = _clock(length + 0.05)
        inside = ratios * hertz < RATE / 2.2
        phase = draw.uniform(0, 2 * np.pi, inside.sum())
        wave = (heights[inside, None] * np.sin(2 * np.pi * hertz * ratios[inside, None] * time + phase[:, None])).sum(
            axis=0
        )
        shape = np.minimum(1, time / attack) * np.clip((length + 0.05 - time) / 0.05, 0, 1)
        return wave * shape * (np.exp(-time * fade) if plucked else 1.0)

    return play

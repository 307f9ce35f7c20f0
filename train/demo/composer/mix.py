"""Mixes notes to finished stereo: levels, panning, room, echoes, ducking under the kick, loudness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.signal import butter, oaconvolve, sosfilt

from core.audio.loudness import normalise
from train.demo.composer.arrangement import Arrangement, Note
from train.demo.composer.instruments import RATE, STROKES, VOICES, riser

_RELEASE_FADE_SECONDS = 0.35
_HALL_SECONDS = 1.9


@dataclass(frozen=True)
class Channel:
    """How an instrument is mixed.

    gain: linear.
    pan: -1 left to 1 right.
    room, echo: how much is sent there.
    duck: how far the kick pushes it down.
    low, high: Hz. Nothing below or above is heard.
    width: of a side signal that vanishes when the mix is heard in mono.
    """

    gain: float
    pan: float = 0.0
    room: float = 0.0
    echo: float = 0.0
    duck: float = 0.0
    low: float | None = None
    high: float | None = None
    width: float = 0.0


CHANNELS = {
    "keys": Channel(0.19, -0.12, room=0.25, duck=0.35, low=120, width=0.45),
    "pad": Channel(0.13, room=0.35, duck=0.6, low=180, high=5500, width=0.3),
    "bass": Channel(0.25, duck=0.5, low=32, high=4500),
    "arp": Channel(0.23, 0.3, room=0.25, echo=0.4, duck=0.4, low=200, width=0.3),
    "bell": Channel(0.17, 0.1, room=0.5, echo=0.4, width=0.3),
    "lead": Channel(0.27, 0.0, room=0.22, echo=0.22, duck=0.15, low=180, high=9000, width=0.2),
    "second": Channel(0.19, -0.4, room=0.3, echo=0.2, duck=0.15, low=180, high=7000, width=0.3),
    "flute": Channel(0.23, 0.05, room=0.35, echo=0.2, low=180, width=0.2),
    "riser": Channel(0.16, room=0.2),
    "kick": Channel(0.56),
    "snare": Channel(0.52, room=0.15),
    "clap": Channel(0.5, 0.05, room=0.25),
    "hat": Channel(0.36, 0.3, room=0.04),
    "open": Channel(0.36, 0.3, room=0.06),
    "crash": Channel(0.36, -0.3, room=0.15),
    "shaker": Channel(0.32, -0.4, room=0.06),
    "rim": Channel(0.34, -0.2, room=0.25),
    "low_tom": Channel(0.42, 0.4, room=0.15),
    "mid_tom": Channel(0.38, 0.0, room=0.15),
    "high_tom": Channel(0.38, -0.4, room=0.15),
}
RISER_BEATS = 8
_WIDTH_SECONDS = 0.013


def render(score: Arrangement, bpm: float, draw: np.random.Generator) -> np.ndarray:
    """The finished song: (s, 2) float32 at ``instruments.RATE``, at -14 LUFS, true peaks at most -1 dB."""
    beat = 60 / bpm
    length = round(score.beats * beat * RATE)
    buses = Buses(*(np.zeros((length, 2), np.float32) for _ in range(3)))
    ducking = _ducking(score.strokes.get("kick", []), beat, length)
    for name, notes in score.parts.items():
        _play(name, notes, beat, ducking, buses)
    for name, strokes in score.strokes.items():
        _strike(name, strokes, beat, draw, buses)
    echoes = _echoed(buses.echo, 0.75 * beat)
    return _mastered(buses.dry + echoes + _reverberated(buses.room + 0.3 * echoes, draw))


class Buses(NamedTuple):
    """Three stereo signals (s, 2): what is heard directly, what goes to the hall, and what goes to the echo."""

    dry: np.ndarray
    room: np.ndarray
    echo: np.ndarray


def _play(name: str, notes: list[Note], beat: float, ducking: np.ndarray, buses: Buses) -> None:
    """Play an instrument's notes through its channel. Ducking comes before the sends, so that the hall ducks too."""
    channel, voice = CHANNELS[name], VOICES[name]
    # Lengths are rounded to hundredths of a second, so that equal notes are computed once.
    sounds = [voice(note.pitch, round(note.length * beat, 2)) for note in notes]
    track = np.zeros((len(ducking), *sounds[0].shape[1:]), np.float32)
    for note, sound in zip(notes, sounds, strict=True):
        _add(track, sound, note.start * beat, note.velocity)
    for cutoff, kind in ((channel.low, "highpass"), (channel.high, "lowpass")):
        if cutoff is not None:
            track = _filtered(track, _sections(2, cutoff, kind))
    if channel.duck:
        track *= (1 - channel.duck * ducking).reshape(-1, *[1] * (track.ndim - 1))
    placed = _placed(track, channel)
    if channel.width:
        delay = round(_WIDTH_SECONDS * RATE)
        side = channel.width * _filtered(placed.mean(axis=1), _sections(1, 300, "highpass"))
        placed[delay:, 0] += side[:-delay]
        placed[delay:, 1] -= side[:-delay]
    for bus, amount in zip(buses, (1.0, channel.room, channel.echo), strict=True):
        if amount:
            bus += np.float32(amount) * placed


def _strike(
    name: str, strokes: list[tuple[float, float]], beat: float, draw: np.random.Generator, buses: Buses
) -> None:
    """Play a drum's strokes. Four takes of it alternate, so that rolls do not sound like a machine."""
    channel = CHANNELS[name]
    takes = [riser(RISER_BEATS * beat, draw)] if name == "riser" else [STROKES[name](draw) for _ in range(4)]
    placed = [_placed(take, channel) for take in takes]
    for index, (at, velocity) in enumerate(strokes):
        sound = placed[index % len(placed)]
        _add(buses.dry, sound, at * beat, velocity)
        if channel.room:
            _add(buses.room, sound, at * beat, velocity * channel.room)


def _placed(track: np.ndarray, channel: Channel) -> np.ndarray:
    """(s,) or (s, 2) -> (s, 2) at the channel's level and place, by constant-power panning."""
    angle = (channel.pan + 1) * np.pi / 4
    gains = (channel.gain * np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)])).astype(np.float32)
    return (track if track.ndim == 2 else track[:, None]) * gains


def _add(track: np.ndarray, sound: np.ndarray, seconds: float, velocity: float) -> None:
    start = round(seconds * RATE)
    end = min(start + len(sound), len(track))
    if end > start:
        track[start:end] += sound[: end - start] * np.float32(velocity)


def _filtered(samples: np.ndarray, sections: np.ndarray) -> np.ndarray:
    return np.asarray(sosfilt(sections, samples, axis=0)).astype(np.float32)


def _sections(order: int, cutoff: float | tuple[float, float], kind: str) -> np.ndarray:
    """A Butterworth filter, as ``_filtered`` takes it. cutoff: Hz."""
    return np.asarray(butter(order, cutoff, kind, fs=RATE, output="sos"))


def _ducking(kicks: list[tuple[float, float]], beat: float, length: int) -> np.ndarray:
    """How far to duck (s,), 0 to 1: 1 at each kick, back to 0 within 0.26 s."""
    t = np.arange(round(0.26 * RATE)) / (0.26 * RATE)
    shape = ((1 - t) ** 1.5 * np.minimum(t / 0.015, 1)).astype(np.float32)
    envelope = np.zeros(length, np.float32)
    for at, velocity in kicks:
        start = round(at * beat * RATE)
        piece = envelope[start : start + len(shape)]
        np.maximum(piece, shape[: len(piece)] * np.float32(velocity), out=piece)
    return envelope


def _echoed(sent: np.ndarray, seconds: float, feedback: float = 0.45, repeats: int = 5) -> np.ndarray:
    """Echoes that change sides. Each is darker than the last."""
    delay = round(seconds * RATE)
    result, tap = np.zeros_like(sent), sent
    dark = _sections(1, (250, 4500), "bandpass")
    for index in range(1, repeats + 1):
        if index * delay >= len(sent):
            break
        tap = _filtered(tap[:, ::-1], dark) * (1.0 if index == 1 else feedback)
        result[index * delay :] += tap[: len(sent) - index * delay]
    return result


def _reverberated(sent: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A hall: noise that decays, high tones first, different in each ear."""
    t = np.arange(round(_HALL_SECONDS * RATE)) / RATE
    noise = draw.standard_normal((len(t), 2))
    low, high = _sections(1, 2200, "lowpass"), _sections(1, 2200, "highpass")
    tail = (
        np.asarray(sosfilt(low, noise, axis=0)) * np.exp(-t / 0.42)[:, None]
        + np.asarray(sosfilt(high, noise, axis=0)) * np.exp(-t / 0.2)[:, None]
    )
    tail *= np.minimum(t / 0.012, 1)[:, None]
    response = np.concatenate([np.zeros((round(0.018 * RATE), 2)), tail]) / np.sqrt((tail**2).sum(axis=0))
    thin = sosfilt(_sections(2, 220, "highpass"), sent, axis=0)
    return np.asarray(oaconvolve(thin, response, axes=0))[: len(sent)].astype(np.float32)


def _mastered(mix: np.ndarray) -> np.ndarray:
    """The mix (s, 2), faded out, normalised in loudness and limited."""
    mix = np.asarray(sosfilt(_sections(2, 30, "highpass"), mix, axis=0))
    fade = min(round(_RELEASE_FADE_SECONDS * RATE), len(mix))
    mix[len(mix) - fade :] *= (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, fade)))[:, None]
    return normalise(torch.from_numpy(mix.T.astype(np.float32)), RATE).numpy().T

"""Instruments by arithmetic: every function returns one note or stroke as samples at ``RATE``, without any recording.

Voices take a pitch (MIDI number) and a length in seconds. They return (s,) or (s, 2) float32 with a peak near 1, with
what rings on after the key is released. Strokes that hold noise take a random generator.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.signal import butter, sosfilt

RATE = 44_100
_TABLE = 8192


def frequency(pitch: float) -> float:
    """The frequency of a MIDI number in Hz, with A4 = 440."""
    return 440.0 * 2 ** ((pitch - 69) / 12)


def _times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE)) / RATE


def _envelope(seconds: float, ring: float, attack: float, decay: float, sustain: float) -> np.ndarray:
    """An envelope that rises in ``attack`` s and falls to ``sustain`` in about ``decay`` s.

    After ``seconds`` it falls to 0 in ``ring`` s.
    """
    t = _times(seconds + ring)
    body = np.minimum(t / attack, 1) * (sustain + (1 - sustain) * np.exp(-np.maximum(t - attack, 0) / decay))
    return body * np.clip(1 - (t - seconds) / ring, 0, 1) ** 2


@lru_cache(maxsize=256)
def _saw_table(partials: int) -> np.ndarray:
    harmonics = np.arange(1, partials + 1)
    tilt = np.cos(0.5 * np.pi * harmonics / (partials + 1)) ** 2  # keeps the highest partial from ringing
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    spectrum[1 : partials + 1] = -0.5j * _TABLE * tilt / harmonics
    table = np.fft.irfft(spectrum, _TABLE)
    return (table / np.abs(table).max()).astype(np.float32)


def _saw(cycles: np.ndarray, hertz: float, brightest: float = 16_000.0) -> np.ndarray:
    """A sawtooth at a running phase (s,) in cycles, without partials above ``brightest`` Hz."""
    table = _saw_table(max(1, min(64, int(brightest / hertz))))
    return table[(cycles * _TABLE).astype(np.int64) % _TABLE]


@lru_cache(maxsize=512)
def keys(pitch: int, seconds: float) -> np.ndarray:
    """An electric piano: two-operator frequency modulation (Chowning 1973) and the tine's short high tone."""
    hertz = frequency(pitch)
    t = _times(seconds + 0.35)
    index = 1.6 * np.exp(-t / 0.35) + 0.25
    tone = np.sin(2 * np.pi * hertz * t + index * np.sin(2 * np.pi * hertz * t))
    tine = 0.26 * np.sin(2 * np.pi * 7 * hertz * t) * np.exp(-t / 0.06) if 7 * hertz < 15_000 else 0.0
    return ((0.8 * tone + tine) * _envelope(seconds, 0.35, 0.004, 0.9, 0.25)[: len(t)]).astype(np.float32)


@lru_cache(maxsize=512)
def pad(pitch: int, seconds: float) -> np.ndarray:
    """Slow strings (s, 2): two saws in each ear, detuned against each other."""
    hertz, t = frequency(pitch), _times(seconds + 0.7)
    shape = _envelope(seconds, 0.7, min(0.35, 0.5 * seconds), 4.0, 0.85)
    ears = []
    for cents in ((-7.0, 4.0), (-4.0, 7.0)):
        tuned = [hertz * 2 ** (cent / 1200) for cent in cents]
        ears.append(sum(_saw(t * f + 0.37 * i + 0.11 * pitch, f, 7000.0) for i, f in enumerate(tuned)))
    return (0.5 * np.stack(ears, axis=1) * shape[:, None]).astype(np.float32)


@lru_cache(maxsize=256)
def bass(pitch: int, seconds: float) -> np.ndarray:
    """A plucked synth bass: high partials die first, with a sine below, gently overdriven."""
    hertz, t = frequency(pitch), _times(seconds + 0.06)
    tone = 0.9 * np.sin(2 * np.pi * hertz * t)
    for partial in range(1, 13):
        fall = np.exp(-t * (1.5 + 1.6 * partial))
        tone += 0.55 / partial * np.sin(2 * np.pi * partial * hertz * t) * fall
    shape = _envelope(seconds, 0.06, 0.004, 1.2, 0.7)[: len(t)]
    return (np.tanh(1.3 * tone * shape) / 1.1).astype(np.float32)


@lru_cache(maxsize=256)
def pluck(pitch: int, seconds: float) -> np.ndarray:
    """A short bright string for broken chords."""
    hertz, t = frequency(pitch), _times(seconds + 0.4)
    tone = np.zeros(len(t))
    for partial in range(1, max(2, min(14, int(12_000 / hertz)))):
        tone += np.sin(2 * np.pi * partial * hertz * t) * np.exp(-t * (3.5 + 2.2 * partial)) / partial
    return (0.6 * tone * _envelope(seconds, 0.4, 0.002, 0.6, 0.5)[: len(t)]).astype(np.float32)


@lru_cache(maxsize=256)
def bell(pitch: int, seconds: float) -> np.ndarray:
    """A glassy bell: partials of a struck bar (1, 2.76, 5.40 times the lowest). The low ones ring longest."""
    hertz, t = frequency(pitch), _times(seconds + 1.2)
    tone = sum(
        level * np.sin(2 * np.pi * ratio * hertz * t) * np.exp(-t / ring)
        for ratio, level, ring in ((1, 1.0, 1.1), (2, 0.25, 0.7), (2.756, 0.3, 0.3), (5.404, 0.12, 0.12))
        if ratio * hertz < 16_000
    )
    return (0.7 * tone * _envelope(seconds, 1.2, 0.003, 5.0, 1.0)[: len(t)]).astype(np.float32)


@lru_cache(maxsize=256)
def lead(pitch: int, seconds: float) -> np.ndarray:
    """A singing synthesizer: three detuned saws that scoop into the note, with vibrato once it is held."""
    hertz, t = frequency(pitch), _times(seconds + 0.12)
    vibrato = 0.22 * np.clip((t - 0.25) / 0.3, 0, 1) * np.sin(2 * np.pi * 5.3 * t)
    scoop = -0.35 * np.exp(-t / 0.025)
    bent = hertz * 2 ** ((vibrato + scoop) / 12)
    cycles = np.cumsum(bent) / RATE
    tone = sum(_saw(cycles * 2 ** (cents / 1200) + 0.3 * i, hertz, 9000.0) for i, cents in enumerate((-6.0, 0.0, 6.0)))
    return (0.42 * tone * _envelope(seconds, 0.12, 0.012, 0.5, 0.75)[: len(t)]).astype(np.float32)


@lru_cache(maxsize=256)
def flute(pitch: int, seconds: float) -> np.ndarray:
    """A soft voice of few partials with slow vibrato."""
    hertz, t = frequency(pitch), _times(seconds + 0.14)
    depth = 0.12 * np.clip((t - 0.2) / 0.3, 0, 1)
    cycles = 2 * np.pi * np.cumsum(hertz * 2 ** (depth * np.sin(2 * np.pi * 4.8 * t) / 12)) / RATE
    onset = np.exp(-t / 0.08)
    tone = np.sin(cycles) + (0.32 + 0.3 * onset) * np.sin(2 * cycles) + (0.14 + 0.2 * onset) * np.sin(3 * cycles)
    return (0.62 * tone * _envelope(seconds, 0.14, 0.03, 0.8, 0.8)[: len(t)]).astype(np.float32)


def _noise(seconds: float, draw: np.random.Generator, low: float, high: float | None = None) -> np.ndarray:
    """White noise between two frequencies in Hz."""
    noise = draw.standard_normal(round(seconds * RATE))
    band = (
        butter(2, low, "highpass", fs=RATE, output="sos")
        if high is None
        else butter(2, (low, high), "bandpass", fs=RATE, output="sos")
    )
    return np.asarray(sosfilt(band, noise))


def _unit(samples: np.ndarray) -> np.ndarray:
    return (samples / np.abs(samples).max()).astype(np.float32)


def kick(draw: np.random.Generator) -> np.ndarray:
    """A sine that falls from a click to 47 Hz within 60 ms."""
    t = _times(0.42)
    cycles = np.cumsum(47 + 120 * np.exp(-t / 0.022) + 500 * np.exp(-t / 0.004)) / RATE
    body = np.sin(2 * np.pi * cycles) * np.exp(-t / 0.16)
    click = 0.25 * _noise(0.42, draw, 2500) * np.exp(-t / 0.003)
    return _unit(np.tanh(1.8 * (body + click)) * np.clip((0.42 - t) / 0.05, 0, 1))


def snare(draw: np.random.Generator) -> np.ndarray:
    t = _times(0.3)
    shell = 0.6 * np.sin(2 * np.pi * 186 * t) * np.exp(-t / 0.07) + 0.35 * np.sin(2 * np.pi * 332 * t) * np.exp(
        -t / 0.04
    )
    wires = 0.5 * _noise(0.3, draw, 1400, 11_000) * np.exp(-t / 0.085)
    return _unit(np.tanh(1.5 * (shell + wires)) * np.clip((0.3 - t) / 0.05, 0, 1))


def clap(draw: np.random.Generator) -> np.ndarray:
    """Three pairs of hands, 11 ms apart, and the answer of the room."""
    t = _times(0.32)
    shape = sum(np.where(t >= late, np.exp(-(t - late) / 0.007), 0) for late in (0.0, 0.011, 0.022))
    shape = shape + np.where(t >= 0.03, 0.75 * np.exp(-(t - 0.03) / 0.07), 0)
    return _unit(_noise(0.32, draw, 900, 4200) * shape)


def _metal(seconds: float, draw: np.random.Generator, low: float) -> np.ndarray:
    """The metal of a cymbal: noise and square waves at inharmonic ratios, above ``low`` Hz."""
    t = _times(seconds)
    squares = sum(
        np.sign(np.sin(2 * np.pi * f * t + draw.uniform(0, 6))) for f in (317.0, 466.0, 541.0, 683.0, 811.0, 1049.0)
    )
    noisy = 0.5 * squares + draw.standard_normal(len(t))
    return np.asarray(sosfilt(butter(4, low, "highpass", fs=RATE, output="sos"), noisy))


def hat(draw: np.random.Generator) -> np.ndarray:
    t = _times(0.09)
    return _unit(_metal(0.09, draw, 7500) * np.exp(-t / 0.02))


def open_hat(draw: np.random.Generator) -> np.ndarray:
    t = _times(0.4)
    return _unit(_metal(0.4, draw, 7000) * np.exp(-t / 0.11))


def crash(draw: np.random.Generator) -> np.ndarray:
    t = _times(2.2)
    return _unit(
        _metal(2.2, draw, 3800) * (0.7 * np.exp(-t / 0.55) + 0.3 * np.exp(-t / 0.08)) * np.clip((2.2 - t) / 0.5, 0, 1)
    )


def shaker(draw: np.random.Generator) -> np.ndarray:
    t = _times(0.09)
    return _unit(_noise(0.09, draw, 5500, 14_000) * np.minimum(t / 0.012, 1) * np.exp(-t / 0.025))


def rim(draw: np.random.Generator) -> np.ndarray:
    t = _times(0.09)
    return _unit((np.sin(2 * np.pi * 1720 * t) + 0.6 * np.sin(2 * np.pi * 860 * t)) * np.exp(-t / 0.012))


def tom(hertz: float, draw: np.random.Generator) -> np.ndarray:
    t = _times(0.45)
    cycles = np.cumsum(hertz * (1 + 0.6 * np.exp(-t / 0.03))) / RATE
    skin = 0.15 * _noise(0.45, draw, 400, 3000) * np.exp(-t / 0.02)
    return _unit((np.sin(2 * np.pi * cycles) * np.exp(-t / 0.14) + skin) * np.clip((0.45 - t) / 0.05, 0, 1))


def riser(seconds: float, draw: np.random.Generator) -> np.ndarray:
    """Noise that climbs from 400 Hz to 9 kHz and swells until it stops."""
    t = _times(seconds) / seconds
    centres = np.geomspace(400, 9000, 7)
    climb = 6 * t
    bands = (
        np.exp(-0.5 * (climb - i) ** 2) * _noise(seconds, draw, centre / 1.35, centre * 1.35)
        for i, centre in enumerate(centres)
    )
    noise = sum(bands, start=np.zeros(()))
    return _unit(noise[: len(t)] * t**2)


STROKES = {
    "kick": kick,
    "snare": snare,
    "clap": clap,
    "hat": hat,
    "open": open_hat,
    "crash": crash,
    "shaker": shaker,
    "rim": rim,
    "low_tom": lambda draw: tom(88.0, draw),
    "mid_tom": lambda draw: tom(124.0, draw),
    "high_tom": lambda draw: tom(168.0, draw),
}
VOICES = {
    "keys": keys,
    "pad": pad,
    "bass": bass,
    "arp": pluck,
    "bell": bell,
    "lead": lead,
    "second": lead,
    "flute": flute,
}

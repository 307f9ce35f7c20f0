"""Beats of a song: own tracker, no model, light enough to run while the user waits.

An onset envelope (mel flux, with the bass counted extra); a tempogram of its windowed autocorrelation; and one dynamic
programme over (instant, period) pairs that rewards beats on onsets and periods that the tempogram supports, and charges
for every change of tempo, so that it follows drift (a discrete form of Ellis 2007 with the beat period as a state, as
in Krebs, Böck & Widmer 2015). One octave of tempi, 74-148 beats a minute, is allowed: the same song in half or double
time gives the same beats.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.audio.io import resample
from core.audio.mel import filterbank, spectrum
from core.types import Beats, Waveform

RATE = 16_000
N_FFT = 1024
HOP = 160
FPS = RATE / HOP  # 100: periods are whole frames, so this is the resolution of tempo
SLOWEST, FASTEST = 74.0, 148.0
PRIOR_BPM, PRIOR_OCTAVES = 112.0, 0.9
CHANGE_COST = 60.0
EVIDENCE = 0.4
_PERIODS = np.arange(round(60 * FPS / FASTEST), round(60 * FPS / SLOWEST) + 1)


def track_beats(waveform: Waveform) -> Beats:
    """Beats from the first to the last instant of the song, with a guess of the downbeats (bars of four)."""
    samples = resample(waveform, RATE).samples
    envelope, bass = onset_envelope(samples)
    frames = beat_frames(envelope)
    times = fill(frames / FPS, len(samples) / RATE)
    strength = _sample(envelope, times)
    return Beats(
        times=torch.from_numpy(times).float(),
        tempo=float(60 / np.median(np.diff(times))) if len(times) > 1 else 0.0,
        downbeats=torch.from_numpy(downbeats(_sample(bass, times))),
        strength=torch.from_numpy(np.clip(strength / max(np.quantile(strength, 0.95), 1e-6), 0, 1)).float(),
    )


def onset_envelope(samples: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(s,) at 16 kHz -> (t,) flux of the whole spectrum with the bass counted extra, and (t,) flux of the bass."""
    bank = filterbank(RATE, N_FFT, 64, 8000.0, 27.5)
    mel = torch.log1p(20 * (spectrum(samples, N_FFT, HOP) @ bank))
    lag = 2
    before = torch.nn.functional.max_pool1d(mel[:-lag][:, None], 3, stride=1, padding=1)[:, 0]
    flux = torch.nn.functional.pad((mel[lag:] - before).clamp(min=0), (0, 0, lag // 2, lag - lag // 2))
    bass = flux[:, :6].mean(dim=1)
    envelope = flux.mean(dim=1) + 0.3 * bass
    return _whiten(envelope.numpy()), _whiten(bass.numpy())


def beat_frames(envelope: np.ndarray) -> np.ndarray:
    """(t,) -> fractional frames of the beats: the best path through instants and periods."""
    support = np.log(tempogram(envelope) + 1e-3)
    length, longest = len(envelope), int(_PERIODS[-1])
    ratio = np.log(_PERIODS[:, None] / _PERIODS[None])
    change = CHANGE_COST * ratio**2 * 10
    score = np.full((length + longest, len(_PERIODS)), -np.inf)
    came = np.zeros((length, len(_PERIODS)), np.int16)
    weight = _PERIODS / _PERIODS.mean()
    prior = -0.5 * (np.log2(60 * FPS / _PERIODS / PRIOR_BPM) / PRIOR_OCTAVES) ** 2
    gain = weight * (envelope[:, None] + EVIDENCE * (support + prior))
    columns = np.arange(len(_PERIODS))
    score[:longest] = 0.0  # the song may start anywhere within its first period
    for t in range(length):
        before = score[t + longest - _PERIODS]  # (p, p'): the row of the beat one period ago
        options = before - change
        best = options.argmax(axis=1)
        came[t] = best
        score[t + longest] = options[columns, best] + gain[t]
    end = length - longest + int(score[length:].max(axis=1).argmax())
    frames, state = [], int(score[end + longest].argmax())
    while end >= 0:
        frames.append(end)
        previous = came[end, state]
        end, state = end - int(_PERIODS[state]), int(previous)
    return _refine(np.array(frames[::-1]), envelope)


def tempogram(envelope: np.ndarray) -> np.ndarray:
    """(t,) -> (t, p) in [0, 1]: how well each period explains the eight seconds around each instant."""
    window, step = round(8 * FPS), round(FPS / 2)
    padded = np.pad(envelope, window // 2)
    starts = np.arange(0, len(envelope), step)
    frames = np.stack([padded[s : s + window] for s in starts]) * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, 2 * window, axis=1)) ** 2
    lags = np.fft.irfft(power, axis=1)[:, :window]
    lags = np.maximum(lags / np.maximum(lags[:, :1], 1e-9), 0)
    comb = sum(lags[:, _PERIODS * k] * (window / (window - _PERIODS * k)) / k**0.5 for k in (1, 2, 4))
    comb /= np.maximum(comb.max(axis=1, keepdims=True), 1e-9)
    at = np.arange(len(envelope)) / step
    low = np.minimum(at.astype(int), len(starts) - 1)
    high = np.minimum(low + 1, len(starts) - 1)
    share = (at - low)[:, None]
    return comb[low] * (1 - share) + comb[high] * share


def fill(times: np.ndarray, seconds: float) -> np.ndarray:
    """The beats, continued at their own spacing to the first and the last instant of ``[0, seconds)``."""
    if len(times) < 2:
        period = 0.5
        anchor = times[0] if len(times) else 0.0
        return np.arange(anchor % period, seconds, period)
    head, tail = np.median(np.diff(times[:5])), np.median(np.diff(times[-5:]))
    before = np.arange(times[0] - head, 0, -head)[::-1]
    after = np.arange(times[-1] + tail, seconds, tail)
    whole = np.concatenate([before, times, after])
    return whole[(whole >= 0) & (whole < seconds)]


def downbeats(bass: np.ndarray) -> np.ndarray:
    """(n,) bass onsets on the beats -> (n,) bool: every fourth beat, from where the bass falls most."""
    phase = int(np.argmax([bass[k::4].mean() if len(bass[k::4]) else -np.inf for k in range(4)]))
    return np.arange(len(bass)) % 4 == phase


def _refine(frames: np.ndarray, envelope: np.ndarray) -> np.ndarray:
    return frames.astype(float)


def _sample(envelope: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The strongest value within 30 ms of each instant."""
    reach = round(0.03 * FPS)
    centres = np.round(times * FPS).astype(int)[:, None] + np.arange(-reach, reach + 1)
    return envelope[centres.clip(0, len(envelope) - 1)].max(axis=1)


def _whiten(envelope: np.ndarray) -> np.ndarray:
    """Divide by the local level, so that quiet passages keep their beats."""
    kernel = np.hanning(round(4 * FPS) | 1)
    kernel /= kernel.sum()
    half = len(kernel) // 2
    padded = np.pad(envelope, half, mode="reflect" if len(envelope) > half else "edge")
    spectrum_length = len(padded) + len(kernel)

    def smooth(x):
        return np.fft.irfft(np.fft.rfft(x, spectrum_length) * np.fft.rfft(kernel, spectrum_length), spectrum_length)[
            2 * half : 2 * half + len(envelope)
        ]

    mean = smooth(padded)
    level = np.sqrt(np.maximum(smooth(padded**2), 1e-12))
    return np.clip((envelope - 0.5 * mean) / (level + 0.1 * level.mean() + 1e-6), 0, 4)

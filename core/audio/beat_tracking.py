"""Beat tracking without a trained model, light enough to run while the user waits.

1. Onset envelope: rises of the log-mel spectrum with extra weight on the bass (flux as in SuperFlux, Böck & Widmer
   2013).
2. Tempogram: autocorrelation of eight-second windows, summed over the first four multiples of each period.
3. Beats: a dynamic programme over (instant, beat period) rewards beats on onsets and periods that the tempogram
   supports. Changes of period have a cost, so the tracker follows a drifting tempo. This is Ellis 2007 with the period
   as a state, i.e. the beat model of Krebs, Böck & Widmer 2015.
4. Downbeats: the beat of every four on which bass and harmony change most, tracked through the song.

Only 74 to 148 beats per minute are considered. That is one octave, in which people dance. A song therefore has the same
beats whether its score is written in half, normal or double time. The constants below were chosen on renderings of MIDI
songs with exact beats, which are not the songs of the documented figures.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core import progress
from core.audio.io import resample
from core.audio.mel import filterbank, rises, spectrum
from core.audio.onsets import ONSET_LEAD
from core.types import Beats, Waveform

RATE = 16_000
N_FFT = 1024
HOP = 160
FPS = RATE / HOP  # 100; periods are whole frames, so this is also the resolution of the tempo
BANDS = 64
SLOWEST = 74.0  # beats per minute
FASTEST = 148.0  # beats per minute
BEATS_PER_BAR = 4

BASS_BANDS = 4  # mel bands that count as bass
BASS_WEIGHT = 0.3  # extra weight of the bass in the envelope
LEVEL_SECONDS = 4.0  # the envelope is relative to its mean level over about this time
CEILING = 4.0  # times that level: a crash cymbal counts no more than a strong beat
SUPPORT_WEIGHT = 0.8  # weight of the tempogram relative to the onsets
PRIOR_BPM = 112.0  # centre of a log-normal prior over tempo
PRIOR_OCTAVES = 0.9  # its standard deviation, which makes it weak within one octave
STEP_COST = 0.2  # for any change of period
CHANGE_COST = 5000.0  # for what exceeds one frame, times the square of the relative change
BAR_SWITCH_COST = 15.0  # standard deviations of evidence that a bar of another length takes

_STEP = 4096  # frames of the dynamic programme between two reports, about 40 ms

_PERIODS = np.arange(round(60 * FPS / FASTEST), round(60 * FPS / SLOWEST) + 1)


def track_beats(waveform: Waveform) -> Beats:
    """Track the beats of a whole song, with downbeats (bars of four) and strengths."""
    samples = resample(waveform, RATE).samples
    with progress.part(0.05, 0.45):
        magnitude = spectrum(samples, N_FFT, HOP)
    mel = torch.log1p(20 * (magnitude @ filterbank(RATE, N_FFT, BANDS, RATE / 2, 27.5)))
    progress.report(0.45)
    envelope = onset_envelope(mel)
    with progress.part(0.5, 0.85):
        frames = beat_frames(envelope)
    times = fill(smoothed(frames) / FPS + ONSET_LEAD, len(samples) / RATE)
    strength = _strongest(envelope, times)
    fine = torch.log1p(20 * magnitude[:, :128])
    progress.report(0.9)
    return Beats(
        times=torch.from_numpy(times).float(),
        tempo=tempo_of(times),
        downbeats=torch.from_numpy(_downbeats(mel, fine, times)),
        strength=torch.from_numpy(np.clip(strength / max(np.quantile(strength, 0.95), 1e-6), 0, 1)).float(),
    )


def onset_envelope(mel: Tensor) -> np.ndarray:
    """Onset envelope (t,): how much the spectrum rises at each frame, relative to the music around it.

    mel: (t, m) compressed mel spectrum at ``FPS``.
    """
    rise = rises(mel)
    flux = (rise.mean(dim=1) + BASS_WEIGHT * rise[:, :BASS_BANDS].mean(dim=1)).double().numpy()
    mean = _local_mean(flux)
    level = np.sqrt(_local_mean(flux**2).clip(1e-12))
    return ((flux - 0.75 * mean) / (level + 0.1 * level.mean() + 1e-6)).clip(0, CEILING)


def tempogram(envelope: np.ndarray) -> np.ndarray:
    """Tempogram (t, p) in [0, 1]: how well each beat period explains the eight seconds around each frame.

    envelope: (t,) onset envelope at ``FPS``.
    """
    window, step = round(8 * FPS), round(FPS / 2)
    padded = np.pad(envelope, window // 2)
    starts = np.arange(0, len(envelope), step)
    frames = np.stack([padded[start : start + window] for start in starts]) * np.hanning(window)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(frames, 2 * window, axis=1)) ** 2, axis=1)[:, :window]
    correlation = (correlation / correlation[:, :1].clip(1e-9)).clip(0)
    # Longer lags overlap less of the window. The factor makes up for it.
    harmonics = (correlation[:, k * _PERIODS] * window / (window - k * _PERIODS) / k**0.5 for k in (1, 2, 3, 4))
    comb = sum(harmonics, start=np.zeros(len(_PERIODS)))
    comb /= comb.max(axis=1, keepdims=True).clip(1e-9)
    at = np.arange(len(envelope)) / step
    low = at.astype(int)
    high = np.minimum(low + 1, len(starts) - 1)
    share = (at - low)[:, None]
    return comb[low] * (1 - share) + comb[high] * share


def beat_frames(envelope: np.ndarray) -> np.ndarray:
    """Frames (n,) of the beats of an onset envelope (t,): the best path through instants and periods.

    It is written in numpy because it goes frame by frame.
    """
    length, longest, count = len(envelope), int(_PERIODS[-1]), len(_PERIODS)
    prior = -0.5 * (np.log2(60 * FPS / _PERIODS / PRIOR_BPM) / PRIOR_OCTAVES) ** 2
    support = np.log(tempogram(envelope) + 1e-3) + prior
    # Slow paths collect rewards from fewer beats. The root makes up for half of that, which measured best.
    gain = (_PERIODS / _PERIODS.mean()) ** 0.5 * (envelope[:, None] + SUPPORT_WEIGHT * support)
    apart = np.abs(_PERIODS[:, None] - _PERIODS)
    # A period between two whole frames alternates by one frame, so only larger steps are changes of tempo.
    cost = STEP_COST * (apart > 0) + CHANGE_COST * (apart - 1).clip(0) ** 2 / (_PERIODS[:, None] * _PERIODS)
    score = np.zeros((longest + length, count))  # the rows before the song cost nothing: it may start at any phase
    came_from = np.zeros((length, count), np.int16)
    back, states = longest - _PERIODS, np.arange(count)
    for t in range(length):
        options = score[t + back] - cost
        best = options.argmax(axis=1)
        came_from[t] = best
        score[t + longest] = options[states, best] + gain[t]
        if t % _STEP == 0:
            progress.report(t / length)
    tail = score[-longest:].max(axis=1)
    frame = length - longest + int(tail.argmax())
    state = int(score[frame + longest].argmax())
    frames = []
    while frame >= 0:
        frames.append(frame)
        frame, state = frame - int(_PERIODS[state]), int(came_from[frame, state])
    return np.array(frames[::-1], dtype=float)


def fill(times: np.ndarray, seconds: float) -> np.ndarray:
    """Extend beats (n,) to all of ``[0, seconds)`` at their own spacing."""
    if len(times) < 2:
        period = 60 / PRIOR_BPM
        return np.arange((times[0] if len(times) else 0.0) % period, seconds, period)
    head, tail = np.median(np.diff(times[:5])), np.median(np.diff(times[-5:]))
    before = np.arange(times[0] - head, 0, -head)[::-1]
    after = np.arange(times[-1] + tail, seconds, tail)
    whole = np.concatenate([before, times, after])
    return whole[(whole >= 0) & (whole < seconds)]


def _downbeats(mel: Tensor, fine: Tensor, times: np.ndarray) -> np.ndarray:
    """Which beats are downbeats, (n,) bool.

    A bar starts where the bass enters and stays, where the harmony changes (from one beat to the next, and from two
    beats to the next two), and where there is no snare.

    mel: (t, m) compressed mel spectrum.
    fine: (t, 128) compressed spectrum up to 2 kHz.
    times: (n,) beats, seconds.
    """
    count = len(times)
    if count < BEATS_PER_BAR:
        return np.arange(count) == 0
    edges = np.append(times, 2 * times[-1] - times[-2])
    chords = _means(fine, edges[:-1], edges[1:])
    pairs = _means(fine, edges[:-2], edges[2:])
    rise = (_means(mel, times, times + 0.2) - _means(mel, times - 0.2, times)).clip(0)
    change, wide = np.zeros(count), np.zeros(count)
    change[1:] = 1 - _cosine(chords[1:], chords[:-1])
    wide[2:-1] = 1 - _cosine(pairs[2:], pairs[:-2])
    bass, snare = (_standard(rise[:, bands].mean(axis=1)) for bands in (slice(0, 2), slice(12, None)))
    return _track_bars(bass + _standard(change) + _standard(wide) - 0.5 * snare) == 0


def _track_bars(evidence: np.ndarray) -> np.ndarray:
    """Position (n,) of each beat in its bar, 0-3, by a best path on which skipping or repeating a position has a cost.

    evidence: (n,) for a downbeat at each beat.
    """
    score = np.zeros(BEATS_PER_BAR)
    came_from = np.zeros((len(evidence), BEATS_PER_BAR), int)
    position = np.arange(BEATS_PER_BAR)
    cost = BAR_SWITCH_COST * (position[:, None] != (position + 1) % BEATS_PER_BAR)  # (to, from)
    for i, value in enumerate(evidence):
        options = score - cost
        came_from[i] = options.argmax(axis=1)
        score = options.max(axis=1) + value * (position == 0)
    path = [int(score.argmax())]
    for i in range(len(evidence) - 1, 0, -1):
        path.append(int(came_from[i, path[-1]]))
    return np.array(path[::-1])


def _means(frames: Tensor, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Means (n, c) of frames (t, c) over spans of time. A span beyond the song takes the nearest frame.

    starts: (n,) seconds.
    ends: (n,) seconds.
    """
    sums = functional.pad(frames.double().cumsum(dim=0), (0, 0, 1, 0)).numpy()
    first = np.round((starts - ONSET_LEAD) * FPS).astype(int).clip(0, len(frames) - 1)
    last = np.maximum(np.round((ends - ONSET_LEAD) * FPS).astype(int).clip(0, len(frames)), first + 1)
    return (sums[last] - sums[first]) / (last - first)[:, None]


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(axis=1) / norms.clip(1e-6)


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(values.std(), 1e-6)


def smoothed(frames: np.ndarray) -> np.ndarray:
    """Smooth beats (n,) that lie on whole frames, by a triangle over five beats. A steady drift of tempo stays."""
    if len(frames) < 5:
        return frames
    return np.convolve(np.pad(frames, 2, mode="reflect", reflect_type="odd"), np.array([1, 2, 3, 2, 1]) / 9, "valid")


def tempo_of(times: np.ndarray) -> float:
    """Tempo of beats (n,) in beats per minute: the median over spans of up to eight beats."""
    reach = min(8, len(times) - 1)
    return float(60 * reach / np.median(times[reach:] - times[:-reach])) if reach > 0 else 0.0


def _strongest(envelope: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The largest value (n,) of the envelope within 30 ms of each instant (n,)."""
    reach = np.arange(-3, 4)
    around = np.round((times - ONSET_LEAD) * FPS).astype(int)[:, None] + reach
    return envelope[around.clip(0, len(envelope) - 1)].max(axis=1)


def _local_mean(values: np.ndarray) -> np.ndarray:
    """Running mean (t,) under a Hann window of ``LEVEL_SECONDS``, mirrored at the ends."""
    kernel = np.hanning(round(LEVEL_SECONDS * FPS) | 1)
    half = len(kernel) // 2
    padded = np.pad(values, half, mode="reflect" if len(values) > half else "edge")
    size = len(padded) + len(kernel)
    product = np.fft.rfft(padded, size) * np.fft.rfft(kernel / kernel.sum(), size)
    return np.fft.irfft(product, size)[2 * half : 2 * half + len(values)]

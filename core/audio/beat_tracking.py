"""Beats, bars and their certainty in a song, light enough to run while the user waits.

1. A small network hears how likely a beat and a downbeat are on each frame (``beat_network``).
2. A dynamic programme finds the path of beats, which keeps its metrical level and follows a tempo that drifts
   (``beat_path``). If it slips, it is a steady grid instead (``steady_beats``).
3. The path is compared with its counterparts, such as half and double (``metrical_level``). A count in three may hide
   the beats of 6/8 (``compound``).
4. What the song returns after says what its bars are made of (``metre``).
5. A hidden Markov model counts the beats of each bar (``bars``).

The path may go from 46 to 222 beats a minute, so nothing falls into a hole, and a song that drifts keeps its count.
What comes out is the count that people dance to, for the whole song alike: twice to every beat of slow songs, and to
every second beat of fast ones, on one and three, if their bars allow it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core import progress
from core.audio import bars, compound, metre, metrical_level
from core.audio.beat_network import FPS, HOP, N_FFT, RATE, activations, from_magnitudes, loud
from core.audio.beat_path import USUAL_BPM, best_path, bridged, fill, periods_within, refined, smoothed, tempo_prior
from core.audio.io import resample
from core.audio.mel import rises, spectra
from core.audio.onsets import ONSET_LEAD
from core.audio.steady_beats import steadied
from core.errors import warn
from core.grid.beat_grid import UNSURE, Grid, doubled, tempo_of, thinned
from core.types import Beats, Waveform

SLOWEST = 46.0  # beats per minute
FASTEST = 222.0
SLOWEST_DANCED = 58.0  # people dance twice to every beat of slower music, so beats are put between its beats
FASTEST_DANCED = 149.0  # and to every second beat of faster music, on one and three
USUAL = 105.0  # centre of a log-normal prior over tempo
USUAL_OCTAVES = 0.6  # its standard deviation
PRIOR_WEIGHT = 0.5
SUREST = 4.0  # nats, for and against a beat on a frame: one loud stroke or a gap does not decide
ONSET_WEIGHT = 0.4  # nats for an onset as strong as the music around it
EAGERNESS = 0.2  # nats for every beat, which prefers the faster of two counts
SURE_BEATS = 8  # of fewer beats nobody can be sure
SILENCE = 1e-3  # of the loud passages' level; nothing quieter sounds
CLEAR = 0.03  # of the same level; the song begins with the first sound that is louder
EARLY = 0.1  # seconds by which that may be after its beat
MOMENT = 0.1  # seconds
SILENT_SECONDS = 1.0  # to either side of a frame: so much silence is no pause between two beats

HARMONY_BINS = 128  # of the spectrum, up to 2 kHz
BASS_BANDS = 4  # mel bands that count as bass
BASS_WEIGHT = 0.3  # extra weight of the bass in the envelope
LEVEL_SECONDS = 4.0  # the envelope is relative to its mean level over about this time
CEILING = 4.0  # times that level: a crash cymbal counts no more than a strong beat

_PERIODS = periods_within(SLOWEST, FASTEST, FPS)


def track_beats(waveform: Waveform) -> Beats:
    """Track the beats of a whole song, with downbeats, strengths and confidence."""
    samples = resample(waveform, RATE).samples
    with progress.part(0.05, 0.45):
        mel, fine = _spectrograms(samples)
    envelope = onset_envelope(torch.log1p(20 * mel))
    progress.report(0.5)
    beat, downbeat = (some.double().numpy() for some in activations(mel))
    with progress.part(0.6, 0.95):
        sounds = sounding(mel)
        path = beat_times(beat, envelope, sounds, len(samples) / RATE)
    around = metrical_level.heard(mel, beat, downbeat, envelope)
    times = metrical_level.best_count(path, around, sounds, (SLOWEST, FASTEST))
    against = metre.costs(times, mel, around, sounds)
    hidden = compound.uncovered(times, against, around, sounds, SLOWEST)
    if hidden is not times:
        times, against = hidden, metre.costs(hidden, mel, around, sounds)
    confidence = _confidence(beat, times, going_on(sounds))
    signs = bars.signs(fine, mel, times)
    down = bars.downbeats(_likely(beat, downbeat, times, signs), against, begins(mel, times))
    if len(times) >= 2:
        counted = danced(Grid.of(times, down), metrical_level.in_thirds(times, around, sounds))
        times, down = np.array(counted.times), np.array(counted.downbeats)
    strength = _strongest(envelope, np.round((times - ONSET_LEAD) * FPS))
    return Beats(
        times=torch.from_numpy(times).float(),
        tempo=tempo_of(times),
        downbeats=torch.from_numpy(down),
        strength=torch.from_numpy(np.clip(strength / max(np.quantile(strength, 0.95), 1e-6), 0, 1)).float(),
        confidence=confidence,
    )


def warn_if_unsure(beats: Beats) -> None:
    """Warn the user (``core.errors.warn``) about tracked beats that the music may not have."""
    if beats.confidence is not None and beats.confidence < UNSURE:
        warn(
            f"the beats are a guess, {beats.confidence:.0%} sure (music with a beat gives {UNSURE:.0%} and more): the "
            "sound may be short, speech or in free rhythm, for which a beat score means little. Choose a part with a "
            "clear beat, or dance to it as it is"
        )


def _spectrograms(samples: Tensor) -> tuple[Tensor, Tensor]:
    """Mel magnitudes (t, m) of samples (s,), and the compressed spectrum (t, ``HARMONY_BINS``) that shows harmony."""
    mel, fine = [], []
    for block in spectra(samples, N_FFT, HOP):
        mel.append(from_magnitudes(block))
        fine.append(torch.log1p(20 * block[:, :HARMONY_BINS]))
    return torch.cat(mel), torch.cat(fine)


def sounding(mel: Tensor) -> np.ndarray:
    """Which frames (t,) of a mel spectrum (t, m) at ``FPS`` have sound within ``SILENT_SECONDS``."""
    if len(mel) == 0:
        return np.zeros(0, bool)
    return _widened(mel.mean(dim=1) > SILENCE * loud(mel).clamp_min(1e-6), SILENT_SECONDS).numpy()


def going_on(sounds: np.ndarray) -> np.ndarray:
    """Which frames (t,) are between two sounds, or a moment beside one: elsewhere no beat is heard.

    sounds: (t,) bool, as ``sounding`` returns it.
    """
    return ~_widened(torch.from_numpy(~sounds), SILENT_SECONDS - MOMENT).numpy()


def _widened(frames: Tensor, seconds: float) -> Tensor:
    """Which frames (t,) are within so many seconds of one of the given frames (t,) bool."""
    reach = round(seconds * FPS)
    return functional.max_pool1d(frames[None, None].float(), 2 * reach + 1, stride=1, padding=reach)[0, 0] > 0


def beat_times(likely: np.ndarray, envelope: np.ndarray, sounds: np.ndarray, seconds: float) -> np.ndarray:
    """Beats (n,) throughout a song, seconds: the path, or the steady grid that it should have kept to.

    likely: (t,) probability of a beat on each frame.
    envelope: (t,) onset envelope.
    sounds: (t,) bool, as ``sounding`` returns it. Silence says nothing about the beats.
    """
    odds = np.log(likely.clip(1e-6) / (1 - likely).clip(1e-6)).clip(-SUREST, SUREST)
    onset = np.roll(envelope, round(ONSET_LEAD * FPS))
    reward = odds + ONSET_WEIGHT * (onset - onset.mean()) + EAGERNESS
    prior = tempo_prior(60 * FPS / _PERIODS, USUAL, USUAL_OCTAVES)
    by_period = reward[:, None] + PRIOR_WEIGHT * prior
    by_period[~sounds] = reward[~sounds] = 0
    frames = best_path(by_period, _PERIODS)
    frames = refined(frames[going_on(sounds)[frames.astype(int)]], likely)
    frames = bridged(frames, 60 * FPS / SLOWEST, 60 * FPS / USUAL_BPM)
    path = fill(smoothed(frames) / FPS, seconds, 1 / FPS)
    return steadied(path * FPS, reward, likely) / FPS


def danced(grid: Grid, in_thirds: bool = False) -> Grid:
    """The count of the same song that people dance to: twice to every beat of slow songs, to every second one of fast
    ones.

    Of bars of six it is every third beat. Bars of three, five and seven stay as they are, because half of them is no
    beat. So do slow beats that are divided by three, which have nothing at their halves.
    """
    if grid.tempo < SLOWEST_DANCED:
        return grid if in_thirds else doubled(grid)
    if grid.tempo > FASTEST_DANCED and grid.metre not in (3, 5, 7):
        return thinned(grid, 3 if grid.metre == 6 else 2)
    return grid


def onset_envelope(mel: Tensor) -> np.ndarray:
    """Onset envelope (t,): how much the spectrum rises at each frame, relative to the music around it.

    mel: (t, m) compressed mel spectrum at ``FPS``.
    """
    rise = rises(mel)
    flux = (rise.mean(dim=1) + BASS_WEIGHT * rise[:, :BASS_BANDS].mean(dim=1)).double().numpy()
    mean = _local_mean(flux)
    level = np.sqrt(_local_mean(flux**2).clip(1e-12))
    return ((flux - 0.75 * mean) / (level + 0.1 * level.mean() + 1e-6)).clip(0, CEILING)


def _likely(beat: np.ndarray, downbeat: np.ndarray, times: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Probability (n,) that each of the beats (n,) is a downbeat; without a beat, that in bars of three or four.

    signs: (n,) nats, as ``bars.signs`` returns them.
    """
    frames = np.round(times * FPS)
    at_all, down = _strongest(beat, frames), _strongest(downbeat, frames)
    share = ((down + 0.006) / (at_all + 0.02)).clip(0.005, 0.98)
    odds = np.log(share / (1 - share)) + signs
    return (1 / (1 + np.exp(-odds))).clip(0.01, 0.97)


def begins(mel: Tensor, times: np.ndarray) -> int:
    """Which of the beats (n,) is the first on or after the first clear sound of a mel spectrum (t, m) at ``FPS``."""
    if len(mel) == 0:
        return 0
    first = int((mel.mean(dim=1) > CLEAR * loud(mel)).int().argmax())
    return int(np.searchsorted(times, first / FPS - EARLY))


def _confidence(likely: np.ndarray, times: np.ndarray, sounds: np.ndarray) -> float:
    """How likely (t,) the beats (n,) are on average where something sounds. The fewest count as ``SURE_BEATS``."""
    frames = np.round(times * FPS)
    inside = frames[sounds[frames.astype(int).clip(0, len(sounds) - 1)]]
    return float(_strongest(likely, inside).sum()) / max(len(inside), SURE_BEATS)


def _strongest(curve: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The largest value (n,) of a curve (t,) within 30 ms of each frame (n,)."""
    return curve[(frames.astype(int)[:, None] + np.arange(-3, 4)).clip(0, len(curve) - 1)].max(axis=1, initial=0.0)


def _local_mean(values: np.ndarray) -> np.ndarray:
    """Running mean (t,) under a Hann window of ``LEVEL_SECONDS``, mirrored at the ends."""
    kernel = np.hanning(round(LEVEL_SECONDS * FPS) | 1)
    half = len(kernel) // 2
    padded = np.pad(values, half, mode="reflect" if len(values) > half else "edge")
    size = len(padded) + len(kernel)
    product = np.fft.rfft(padded, size) * np.fft.rfft(kernel / kernel.sum(), size)
    return np.fft.irfft(product, size)[2 * half : 2 * half + len(values)]

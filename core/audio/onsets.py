"""Onsets of a song, and its loudness over time.

Both are computed from a log-mel (t, m) and have its frame rate. By default that is ``ONSET_FPS``, the frame rate of
``rhythm_mel``, which is the same for every model, whatever its own music representation is.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from core.audio.mel import log_mel, rises
from core.config import SignalConfig
from core.layers.peaks import peaks
from core.types import Beats

RHYTHM_RATE = 16_000  # Hz of the audio in which rhythm is analysed; data sets hold the same
RHYTHM_HOP = 256  # samples per frame
ONSET_FPS = RHYTHM_RATE / RHYTHM_HOP  # 62.5
ONSET_LEAD = 0.010
"""Seconds by which frames of 64 ms show an attack too early, in the mel and in the beat tracker.

It is the median over rendered sounds whose onsets are known to the sample. Drums appear 14 ms early, a piano 6 ms,
mixed songs 9 ms. Over all sounds it is 10.3 ms in the mel and 9.6 ms in the tracker.
"""
ONSET_SPACING = 0.08  # seconds between two onsets, at least
FAINTEST_ONSET = 0.15  # of the song's strong onsets
LOUDNESS_SPAN_DB = 60.0  # loudness 0 is this far below full scale
_FULL_SCALE_DB = 20.0  # power of our mels, summed over bands, at the loudest moments of mastered songs


def rhythm_signal() -> SignalConfig:
    """The signal in which rhythm is analysed, whatever a model's own signal is."""
    return SignalConfig(audio_rate=RHYTHM_RATE, hop_samples=RHYTHM_HOP)


def rhythm_mel(samples: Tensor) -> Tensor:
    """Log-mel (t, m) at ``ONSET_FPS`` of samples (s,) at ``RHYTHM_RATE``."""
    return log_mel(samples, rhythm_signal())


def onset_strength(mel: Tensor) -> Tensor:
    """Onset strength (t,) in [0, 1] of a log-mel (t, m): how much the spectrum rises, 1 at the song's strong onsets.

    It is the mean of ``core.audio.mel.rises`` over the bands, relative to its 98th percentile.
    """
    level = functional.relu(mel - math.log(1e-3)) if len(mel) else mel
    flux = rises(level).mean(dim=1)
    scale = torch.quantile(flux, 0.98).clamp(min=1e-3)
    return (flux / scale).clamp(max=1)


def onset_events(onset: Tensor, fps: float = ONSET_FPS) -> Beats:
    """Onsets: the peaks of an onset strength (t,), with their strength there.

    They are early by ``ONSET_LEAD``, which the caller corrects.

    onset: (t,) as ``onset_strength`` returns it.
    fps: its frames per second.
    """
    found = peaks(onset, round(ONSET_SPACING * fps), above=FAINTEST_ONSET)
    return Beats(found / fps, strength=onset[found])


def loudness(mel: Tensor) -> Tensor:
    """Level (t,) in [0, 1] of each frame of a log-mel (t, m): 0 at 60 dB below full scale, 1 at full scale."""
    power = (2 * mel).exp().sum(dim=1).clamp(min=1e-12)
    return (1 + (10 * torch.log10(power) - _FULL_SCALE_DB) / LOUDNESS_SPAN_DB).clamp(0, 1)

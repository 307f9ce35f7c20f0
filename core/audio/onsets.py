"""How strongly and how loudly a song sounds from instant to instant, and when something begins to sound.

Both are read off a log-mel (t, m) frame by frame, so its clock is theirs. Where nothing else is said that is
``ONSET_FPS``, the clock of ``rhythm_mel``, which hears every song alike, whatever a model hears of it.
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

RHYTHM_RATE, RHYTHM_HOP = 16_000, 256  # Hz, samples: of what rhythm is read off, and of what the data sets hold
ONSET_FPS = RHYTHM_RATE / RHYTHM_HOP  # 62.5
ONSET_LEAD = 0.010
"""Seconds by which frames of 64 ms, the mel's and the beat tracker's alike, show an attack before it is heard.

Of rendered sounds whose onsets are known to the sample, this is the median over all: drums are shown 14 ms early, a
piano 6 ms, mixed songs 9 (mel: 10.3 ms over all, tracker: 9.6 ms).
"""
ONSET_SPACING, FAINTEST_ONSET = 0.08, 0.15  # seconds between two; share of a song's hard hits
LOUDNESS_SPAN_DB = 60.0  # loudness 0-1 spans this much below full scale
_FULL_SCALE_DB = 20.0  # power of our mels, summed over bands, for the loudest moments of mastered songs


def rhythm_signal() -> SignalConfig:
    """What rhythm is read off, whatever a model's own signal is."""
    return SignalConfig(audio_rate=RHYTHM_RATE, hop_samples=RHYTHM_HOP)


def rhythm_mel(samples: Tensor) -> Tensor:
    """(s,) samples at ``RHYTHM_RATE`` -> (t, m) log-mel at ``ONSET_FPS``."""
    return log_mel(samples, rhythm_signal())


def onset_strength(mel: Tensor) -> Tensor:
    """(t, m) log-mel -> (t,) in [0, 1]: how much of the spectrum rises at each instant, 1 at the song's hard hits.

    The mean of ``core.audio.mel.rises``, scaled by its 98th percentile.
    """
    level = functional.relu(mel - math.log(1e-3)) if len(mel) else mel
    flux = rises(level).mean(dim=1)
    scale = torch.quantile(flux, 0.98).clamp(min=1e-3)
    return (flux / scale).clamp(max=1)


def onset_events(onset: Tensor, fps: float = ONSET_FPS) -> Beats:
    """The peaks of ``onset_strength`` (t,), with it as their strength. They are ``ONSET_LEAD`` early: the caller shifts
    them."""
    found = peaks(onset, round(ONSET_SPACING * fps), above=FAINTEST_ONSET)
    return Beats(found / fps, strength=onset[found])


def loudness(mel: Tensor) -> Tensor:
    """(t, m) log-mel -> (t,) in [0, 1]: level of the frame, 0 at 60 dB below full scale and 1 at full scale."""
    power = (2 * mel).exp().sum(dim=1).clamp(min=1e-12)
    return (1 + (10 * torch.log10(power) - _FULL_SCALE_DB) / LOUDNESS_SPAN_DB).clamp(0, 1)

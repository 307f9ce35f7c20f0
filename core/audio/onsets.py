"""How strongly and how loudly a song sounds from instant to instant, and when something begins to sound.

Conventions: onset strength and loudness live on the mel's clock (62.5 frames a second, frame i at ``i / 62.5`` s).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from core.audio.mel import local_peaks, rises
from core.config import SignalConfig
from core.types import Beats

ONSET_FPS = SignalConfig().mel_fps
ONSET_SPACING, FAINTEST_ONSET = 0.08, 0.15  # seconds between two; share of a song's hard hits
LOUDNESS_SPAN_DB = 60.0  # loudness 0-1 spans this much below full scale
_FULL_SCALE_DB = 20.0  # power of our mels, summed over bands, for the loudest moments of mastered songs


def onset_strength(mel: Tensor) -> Tensor:
    """(t, m) log-mel -> (t,) in [0, 1]: how much of the spectrum rises at each instant, 1 at the song's hard hits.

    The mean of ``core.audio.mel.rises``, scaled by its 98th percentile.
    """
    level = functional.relu(mel - math.log(1e-3)) if len(mel) else mel
    flux = rises(level).mean(dim=1)
    scale = torch.quantile(flux, 0.98).clamp(min=1e-3)
    return (flux / scale).clamp(max=1)


def onset_events(onset: Tensor) -> Beats:
    """The peaks of ``onset_strength`` (t,), with it as their strength. Frames as long as the mel's show an attack a
    little early; what that is worth depends on the sound, and is left to the caller."""
    peaks = local_peaks(onset, round(ONSET_SPACING * ONSET_FPS), FAINTEST_ONSET)
    return Beats(peaks / ONSET_FPS, strength=onset[peaks])


def loudness(mel: Tensor) -> Tensor:
    """(t, m) log-mel -> (t,) in [0, 1]: level of the frame, 0 at 60 dB below full scale and 1 at full scale."""
    power = (2 * mel).exp().sum(dim=1).clamp(min=1e-12)
    return (1 + (10 * torch.log10(power) - _FULL_SCALE_DB) / LOUDNESS_SPAN_DB).clamp(0, 1)

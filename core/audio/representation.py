"""Music as the frames that a model's configuration asks for: log-mel, the bare waveform, or 35 hand-made features.

Frame i begins or is centred at sample ``i * signal.hop_samples``. All three are made here, in training and when
dancing alike.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.audio.features35 import features35
from core.audio.mel import log_mel
from core.config import SignalConfig

INT16_SCALE = 32767.0


def music_frames(
    samples: Tensor, beats: Tensor, signal: SignalConfig, frames: int | None = None, mel: Tensor | None = None
) -> Tensor:
    """(s,) mono samples at ``signal.audio_rate`` and beats (n,) in seconds -> (floor(s / hop), c) frames of the music.

    samples: float, or int16 as ``to_int16`` gives them. c: ``signal.music_channels``. frames: at least so many; the
    last frame is held, a waveform goes on in silence. mel: their log-mel, where that is wanted and known already.
    """
    samples = to_float(samples)
    if signal.music == "waveform":
        made, after = waveform_frames(samples, signal.hop_samples), samples.new_zeros(1, signal.hop_samples)
    elif signal.music == "features35":
        made = features35(samples, beats, signal.audio_rate, signal.hop_samples)
        after = made[-1:]
    else:
        made = log_mel(samples, signal) if mel is None else mel
        after = made[-1:]
    missing = 0 if frames is None else frames - len(made)
    return torch.cat((made, after.expand(missing, -1))) if missing > 0 else made


def waveform_frames(samples: Tensor, hop: int) -> Tensor:
    """(s,) samples -> (floor(s / hop), hop), a view: frame i holds samples ``i * hop`` to ``(i + 1) * hop``."""
    return samples[: len(samples) // hop * hop].view(-1, hop)


def to_int16(samples: Tensor) -> Tensor:
    """Samples in [-1, 1] at 16 bits, a quarter or half of the memory; what lies beyond is clipped."""
    return (samples.clamp(-1, 1) * INT16_SCALE).round().to(torch.int16)


def to_float(samples: Tensor) -> Tensor:
    """The inverse of ``to_int16``; other types become float32 as they are."""
    return samples.float() / INT16_SCALE if samples.dtype == torch.int16 else samples.float()

"""Music representations: log-mel, raw waveform, or 35 hand-made features, as a model's configuration chooses.

Frame i starts at, or is centred on, sample ``i * signal.hop_samples``. Training and generation use the same functions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.audio.features35 import features35
from core.audio.mel import log_mel
from core.config import SignalConfig

INT16_SCALE = 32767.0


def music_frames(
    samples: Tensor,
    beats: Tensor,
    signal: SignalConfig,
    representation: str = "mel",
    frames: int | None = None,
    mel: Tensor | None = None,
) -> Tensor:
    """Frames (floor(s / hop), c) of a song in one representation, with c = ``signal.channels(representation)``.

    samples: (s,) mono at ``signal.audio_rate``, float or int16 as ``to_int16`` returns them.
    beats: (n,) seconds; only the 35 features use them.
    signal: its rates, and what a mel is.
    representation: one of ``core.config.MUSIC``.
    frames: pad to at least this many frames. The last frame is repeated; a waveform continues with silence.
    mel: the song's log-mel, if it is already known.
    """
    samples = to_float(samples)
    if representation == "waveform":
        made, after = waveform_frames(samples, signal.hop_samples), samples.new_zeros(1, signal.hop_samples)
    elif representation == "features35":
        made = features35(samples, beats, signal.audio_rate, signal.hop_samples)
        after = made[-1:]
    else:
        made = log_mel(samples, signal) if mel is None else mel
        after = made[-1:]
    missing = 0 if frames is None else frames - len(made)
    return torch.cat((made, after.expand(missing, -1))) if missing > 0 else made


def waveform_frames(samples: Tensor, hop: int) -> Tensor:
    """View samples (s,) as frames (floor(s / hop), hop). Frame i holds samples ``i * hop`` to ``(i + 1) * hop``."""
    return samples[: len(samples) // hop * hop].view(-1, hop)


def to_int16(samples: Tensor) -> Tensor:
    """Convert samples in [-1, 1] to 16 bits, which need a half or a quarter of the memory. Others are clipped."""
    return (samples.clamp(-1, 1) * INT16_SCALE).round().to(torch.int16)


def to_float(samples: Tensor) -> Tensor:
    """Convert samples to float32. int16 is scaled back to [-1, 1]; values of other types stay as they are."""
    return samples.float() / INT16_SCALE if samples.dtype == torch.int16 else samples.float()

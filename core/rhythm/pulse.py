"""The pulse of an envelope that nobody was trained to hear, such as that of a movement.

1. Tempogram: autocorrelation of eight-second windows, summed over the first four multiples of each period.
2. Beats: the path through instants and periods that is best rewarded by the envelope and the tempogram.

One octave is considered, in which people dance, with both its ends. The constants were chosen on renderings of MIDI
songs with exact beats.
"""

from __future__ import annotations

import numpy as np

from core.audio.beat_network import FPS
from core.audio.beat_path import best_path, periods_within, tempo_prior

SLOWEST = 74.0  # beats per minute
FASTEST = 148.0
SUPPORT_WEIGHT = 0.8  # weight of the tempogram relative to the envelope
PRIOR_BPM = 112.0  # centre of a log-normal prior over tempo
PRIOR_OCTAVES = 0.9  # its standard deviation, which makes it weak within one octave

_PERIODS = periods_within(SLOWEST, FASTEST, FPS)


def tempogram(envelope: np.ndarray) -> np.ndarray:
    """Tempogram (t, p) in [0, 1]: how well each beat period explains the eight seconds around each frame.

    envelope: (t,) at ``FPS`` frames per second.
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
    """Frames (n,) of the beats of an envelope (t,) at ``FPS``: the best path through instants and periods."""
    support = np.log(tempogram(envelope) + 1e-3) + tempo_prior(60 * FPS / _PERIODS, PRIOR_BPM, PRIOR_OCTAVES)
    # Slow paths collect rewards from fewer beats. The root makes up for half of that, which measured best.
    reward = (_PERIODS / _PERIODS.mean()) ** 0.5 * (envelope[:, None] + SUPPORT_WEIGHT * support)
    return best_path(reward, _PERIODS)

"""Whether bars are made of two and four beats, of three, five or seven: after how many beats a song returns.

In bars of three, strokes, bass and harmony are more like those of three beats later than like those of two or four
beats later, whoever plays and with or without drums. So what sounds on each beat is compared with what sounds some
beats later, over the whole song (Gouyon & Herrera, AES 2003, "Determination of the meter of musical audio signals:
seeking recurrences in beat segment descriptors"). A linear score of these recurrences was learned on music whose bars
are known (``train.metre``).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from torch import Tensor

from core.audio import bars
from core.audio.beat_network import levels
from core.audio.linear_score import LinearScore
from core.audio.metrical_level import DOWNBEAT_ODDS, audible, frames_of, strokes
from core.checkpoint import PRETRAINED

PERIODS = (4, 3, 5, 7)
"""Beats that bars are made of. Bars of two and eight beats count as those of four, bars of six as those of three."""
SHARES = (0.48, 0.47, 0.04, 0.01)
"""How likely they are beforehand. ``bars`` knows that four is more frequent than three. Five and seven need strong
evidence: taken for four they do less harm than four taken for them."""
MULTIPLES = (1, 2, 3, 4)  # of a period after which its music returns
FEWEST = 16  # beats that sound; of fewer nothing is certain
CERTAIN = 2.0  # nats between two periods from which on the better one is certain
CERTAIN_COST = 0.3  # nats that every beat costs in a metre that is certainly wrong
WEIGHTS = PRETRAINED / "metre.safetensors"

_FEWEST_PAIRS = 4  # of beats that are compared; of fewer a recurrence is 0


@lru_cache(maxsize=1)
def metre_score() -> LinearScore:
    """The learned score."""
    return LinearScore.load(WEIGHTS)


def costs(times: np.ndarray, mel: Tensor, heard: np.ndarray, sounds: np.ndarray) -> dict[int, float]:
    """The nats that every beat costs in bars of each metre, for ``bars.downbeats``; empty for too few beats.

    times: (n,) seconds of the beats.
    mel, heard, sounds: as ``figures`` takes them.
    """
    found = figures(times, mel, heard, sounds)
    if found is None:
        return {}
    likely = metre_score()(found) + np.log(SHARES)
    less = (likely.max() - likely).clip(max=CERTAIN) / CERTAIN * CERTAIN_COST
    return {metre: float(less[PERIODS.index(period(metre))]) for metre in bars.METRES}


def period(metre: int) -> int:
    """Which of ``PERIODS`` the bars of a metre are made of."""
    return {2: 4, 6: 3, 8: 4}.get(metre, metre)


def figures(times: np.ndarray, mel: Tensor, heard: np.ndarray, sounds: np.ndarray) -> np.ndarray | None:
    """What speaks for each of ``PERIODS``, as figures (p, f); None where too few of the beats (n,) sound.

    They say how much more the music recurs after a multiple of the period than one beat earlier and later, times the
    square root of the number of beats: chance recurrences are the smaller the more beats are compared.

    mel: (t, m) magnitudes, as ``beat_network.spectrogram`` returns them.
    heard: (t, 8), as ``metrical_level.heard`` returns it.
    sounds: (t,) bool, whether anything sounds on each frame.
    """
    if len(times) < FEWEST:
        return None
    times, gaps = audible(times, heard, sounds)
    if len(times) < FEWEST:
        return None
    spectra = bars.means(levels(mel), times, times + gaps)
    odds = heard[frames_of(times, heard)][:, [DOWNBEAT_ODDS]]
    peaks = [_peaks(recurrences(some)) for some in (strokes(times, gaps, heard), spectra, odds)]
    lags = np.outer(PERIODS, MULTIPLES)  #                                                        p k
    return np.sqrt(len(times)) * np.concatenate([some[lags - 1] for some in peaks], axis=1)


def recurrences(features: np.ndarray) -> np.ndarray:
    """How like the features (n, c) of the beats are to those of one and more beats later, (lags,) from -1 to 1."""
    lags = max(PERIODS) * max(MULTIPLES) + 1
    centred = features - features.mean(axis=0)
    power = float((centred**2).sum(axis=1).mean()) + 1e-9
    found = np.zeros(lags)
    for lag in range(1, min(lags, len(features) - _FEWEST_PAIRS) + 1):
        found[lag - 1] = (centred[lag:] * centred[:-lag]).sum(axis=1).mean() / power
    return found


def _peaks(recurrence: np.ndarray) -> np.ndarray:
    """How much each recurrence (lags,) exceeds the mean of its two neighbours, (lags - 1,). After no beat it is 1."""
    around = np.concatenate([[1.0], recurrence])
    return recurrence[:-1] - (around[:-2] + around[2:]) / 2

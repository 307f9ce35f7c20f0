"""Metrics of the metre of a dance: whether it turns in twos, threes or fours of the music's beats.

Conventions
    The motion is on ``SMPL22``, the beats are those of its music. Between two beats there are eight instants, whatever
    the tempo. Movement is what the joints do between them in dancer space (``core.metrics.diversity``), less its mean.

Metrics
    likeness    how alike the movement is to itself some beats later: a correlation in [-1, 1]. A step to the left that
                is answered by one to the right counts as alike, so it is the greater one of two: of the movement as it
                is, and mirrored.
    twos, threes, fours
                how much more alike it is after whole bars of that many beats than after other numbers of beats. Bars
                that come again exactly have about 1, and 0 means that there are none. Whole bars and other numbers of
                beats have the same mean lag, so movement that slowly becomes another one has 0 too.
    A dance whose bars all differ has 0 as well, whatever its metre. Compare with capture.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.errors import FootlightError
from core.metrics.beat import validate, within
from core.metrics.diversity import dancer_space
from core.motion.resample import at_times
from core.motion.skeleton import MIRROR
from core.types import Motion

FEWEST_BEATS = 12
_INSTANTS = 8  # between two beats
_WHOLE_BARS = {"twos": (2, 3), "threes": (3, 2), "fours": (4, 1)}
"""Beats in a bar, and how many bars the longest lag has. The other lags are all up to just before the next bar."""


def likeness(motion: Motion, beats: Tensor, lags: int) -> Tensor:
    """How alike a motion is to itself after 1, 2 ... ``lags`` beats, (lags,) in [-1, 1]; 0 if nothing moves.

    motion: on ``SMPL22``.
    beats: (n,) of the music, seconds. Those outside of the motion are ignored.

    Raises FootlightError for beats that do not increase, and for fewer than ``FEWEST_BEATS`` within the motion.
    """
    beats = within(validate(beats), motion.seconds)
    if len(beats) < max(FEWEST_BEATS, lags + 2):
        raise FootlightError(
            f"only {len(beats)} beats within the dance; its metre shows in {FEWEST_BEATS} or more, so use a longer one"
        )
    share = torch.arange(_INSTANTS, dtype=torch.float64) / _INSTANTS
    times = torch.cat((torch.lerp(beats[:-1, None], beats[1:, None], share).flatten(), beats[-1:]))
    moved = dancer_space(at_times(motion, times, motion.fps)).diff(dim=0)
    moved = moved - moved.mean(dim=0)
    other = moved[:, MIRROR] * moved.new_tensor((-1.0, 1.0, 1.0))
    by_beat, mirrored = (some.reshape(len(beats) - 1, -1) for some in (moved, other))
    alike = [max(_correlation(by_beat[:-lag], later[lag:]) for later in (by_beat, mirrored)) for lag in _up_to(lags)]
    return torch.tensor(alike, dtype=torch.float64)


def turning(alike: Tensor, metre: int, bars: int) -> float:
    """How much more alike a motion is after whole bars than after other numbers of beats.

    alike: (lags,) as ``likeness`` returns it, for ``metre * (bars + 1) - 1`` lags or more.
    metre: beats in a bar.
    bars: in the longest lag.
    """
    lags = torch.arange(1, metre * (bars + 1))
    whole = lags % metre == 0
    alike = alike[: len(lags)]
    return float(alike[whole].mean() - alike[~whole].mean())


def evaluate(motion: Motion, beats: Tensor) -> dict[str, float]:
    """Twos, threes and fours of a motion, and its likeness after 1, 2, 3 and 4 beats.

    Raises FootlightError as ``likeness`` does.
    """
    alike = likeness(motion, beats, max(metre * (bars + 1) - 1 for metre, bars in _WHOLE_BARS.values()))
    found = {name: turning(alike, *of) for name, of in _WHOLE_BARS.items()}
    return found | {f"after_{lag}": float(alike[lag - 1]) for lag in _up_to(4)}


def _up_to(lags: int) -> range:
    return range(1, lags + 1)


def _correlation(a: Tensor, b: Tensor) -> float:
    return float((a * b).sum() / (a.norm() * b.norm()).clamp_min(1e-12))

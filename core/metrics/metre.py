"""Metrics of the metre of a dance: whether it turns in twos, threes or fours of the music's beats.

Conventions
    The motion is on ``SMPL22``, the beats are those of its music. Between two beats there are eight instants, whatever
    the tempo. Movement is what the joints do between them in dancer space (``core.metrics.diversity``), less its mean.

Metrics
    likeness    how alike the movement is to itself some beats later: a correlation in [-1, 1]. A step to the left that
                is answered by one to the right counts as alike, so it is the greater one of two: of the movement as it
                is, and mirrored.
    repetition  how alike the movement of ten seconds is to itself after the best of all lags between 1.5 and 6 s. No
                beats are needed, so capture to unknown music has it too.
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
STRETCH = 10.0  # seconds in which repetition is looked for
_SHORTEST = 0.8  # of that, which the end of a motion has at least to count as one more
_LAGS = (1.5, 6.0)  # seconds
_RATE = 15.0  # frames a second at which it is
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
    moved = _movement(at_times(motion, times, motion.fps))
    return torch.tensor([_alike(*moved, lag * _INSTANTS) for lag in _up_to(lags)], dtype=torch.float64)


def repetition(motion: Motion) -> float:
    """How much a motion repeats itself, in [-1, 1], see above: the mean over stretches of ``STRETCH`` seconds.

    motion: on ``SMPL22``.

    Raises FootlightError for a motion that is shorter than one.
    """
    count = int(motion.seconds / STRETCH + 1 - _SHORTEST)
    if not count:
        raise FootlightError(
            f"the motion lasts {motion.seconds:.1f} s; repetition shows in {_SHORTEST * STRETCH:g} s or more"
        )
    frames = round(STRETCH * _RATE)
    times = torch.arange(min(count * frames, int(motion.seconds * _RATE)), dtype=torch.float64) / _RATE
    even = at_times(motion, times, _RATE)
    shortest, longest = (round(lag * _RATE) for lag in _LAGS)
    found = []
    for start in range(0, count * frames, frames):
        moved = _movement(even.cut(start, start + frames))
        found.append(max(_alike(*moved, lag) for lag in range(shortest, longest + 1)))
    return sum(found) / len(found)


def _movement(motion: Motion) -> tuple[Tensor, Tensor]:
    """What joints do from frame to frame in dancer space (t - 1, j, 3), less its mean, and the same mirrored."""
    moved = dancer_space(motion).diff(dim=0)
    moved = moved - moved.mean(dim=0)
    return moved, moved[:, MIRROR] * moved.new_tensor((-1.0, 1.0, 1.0))


def _alike(moved: Tensor, mirrored: Tensor, lag: int) -> float:
    """How alike a movement (t, j, 3) is to itself so many frames later, as it is or mirrored."""
    return max(_correlation(moved[:-lag], later[lag:]) for later in (moved, mirrored))


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

"""Whether a count in three is true, or hides the beats of 6/8, of 12/8 or of a fast waltz.

Six eighths make three beats of two (3/4) or two beats of three (6/8), and the network may hear the one where people
count the other. Of a waltz that is faster than it is used to, it may hear every second beat, whose bars are in three
again. Both show in the halves of the beats: they return after three of them, while in a true 3/4 they return after two
(Gouyon & Herrera, AES 2003, see ``metre``). What is counted then is one of the counts by whose halves nothing returns
after three, and of those the one that ``metrical_level`` scores highest.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.audio import metre, metrical_level
from core.audio.beat_network import FPS
from core.audio.metrical_level import audible, level_score, strokes

FASTEST = 210.0  # beats a minute of a waltz; bulerias, which are faster, are danced to every second beat
COUNTS = ((3 / 2, 0), (3 / 2, 1 / 2), (3 / 2, 1), (1 / 2, 0))
"""What may be hidden, as in ``metrical_level.COUNTS``: dotted beats, and the beats of a fast waltz."""
CLEARLY = 0.1  # by which what returns after three halves exceeds what returns after two and four, as a correlation
WALTZ = 1.0  # nats for a fast waltz: the score, which heard few of them, takes its bars for dotted beats too easily


def uncovered(
    times: np.ndarray, costs: Mapping[int, float], heard: np.ndarray, sounds: np.ndarray, slowest: float
) -> np.ndarray:
    """The beats (m,) that a count in three (n,) hides, seconds; the count itself, where it hides none.

    costs: of its bars in each metre, as ``metre.costs`` returns them.
    heard, sounds: as ``metrical_level.best_count`` takes them.
    slowest: the slowest tempo that they may have, beats per minute.
    """
    if not costs or costs[3] > min(costs.values()) or in_threes(times, heard, sounds) < CLEARLY:
        return times
    best, highest, score = times, -np.inf, level_score()
    for count in metrical_level.counts(times, len(heard) / FPS, (slowest, FASTEST), COUNTS):
        found = metrical_level.figures(count, heard, sounds)
        if found is None or in_threes(count, heard, sounds) > 0:
            continue
        value = score(found) + (WALTZ if len(count) > len(times) else 0)
        if value > highest:
            best, highest = count, value
    return best


def in_threes(times: np.ndarray, heard: np.ndarray, sounds: np.ndarray) -> float:
    """How much more the strokes on the halves of beats (n,) return after three of them than after two and four.

    That is a difference of correlations, from -2 to 2. heard, sounds: as ``metrical_level.best_count`` takes them.
    """
    halves = np.interp(np.arange(0, len(times) - 0.75, 0.5), np.arange(len(times)), times)
    halves, gaps = audible(halves, heard, sounds)
    if len(halves) < metre.FEWEST:
        return 0.0
    returns = metre.recurrences(strokes(halves, gaps, heard))
    return float(returns[2] - (returns[1] + returns[3]) / 2)

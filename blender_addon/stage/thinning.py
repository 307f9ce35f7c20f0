"""Keys where a curve turns, and none where the straight line between its neighbours says the same."""

from __future__ import annotations

import numpy as np


def turning_points(values: np.ndarray, tolerance: np.ndarray | float) -> np.ndarray:
    """The frames (k,) between which straight lines stay within ``tolerance`` of ``values`` (t,), in order.

    tolerance: one for all frames or one for each (t,).

    The frame that is farthest off, measured by its tolerance, is kept until none is off (Ramer 1972; Douglas and
    Peucker 1973).
    """
    last = len(values) - 1
    allowed = np.broadcast_to(tolerance, values.shape)
    kept = {0, last}
    open_spans = [(0, last)]
    while open_spans:
        start, end = open_spans.pop()
        inside = np.arange(start + 1, end)
        if not len(inside):
            continue
        line = values[start] + (values[end] - values[start]) * (inside - start) / (end - start)
        off = np.abs(values[inside] - line) / allowed[inside]
        worst = int(off.argmax())
        if off[worst] > 1:
            middle = int(inside[worst])
            kept.add(middle)
            open_spans += [(start, middle), (middle, end)]
    return np.array(sorted(kept))

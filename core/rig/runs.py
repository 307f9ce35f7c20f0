"""Stretches of frames in which something holds, such as a foot that stands."""

from __future__ import annotations

import numpy as np


def runs(frames: np.ndarray) -> list[tuple[int, int]]:
    """The runs [first, last) of true frames in (t,) bool."""
    edges = np.flatnonzero(np.diff(frames.astype(int), prepend=0, append=0))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))

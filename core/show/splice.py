"""Puts parts of one show into another, so that what is kept stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .channels import SLICES
from .flashes import WINDOW, limited
from .show import Show, as_valid, rounded

RETURNS = 4  # frames: in such steps old light returns earlier before a seam
EASED = 0.25  # seconds at either end of a part, in which one light passes over into the other


def spliced(old: Show, new: Show, parts: Sequence[tuple[int, int]]) -> Show:
    """The show ``old`` with some frames of ``new``, and with at most three flashes in any second.

    Frames outside of the parts stay bit for bit, as far as ``limited_beside`` can let them. At the ends of a part the
    light passes over inside of it. Cues are those of the show that is seen when they come; all else is the old
    show's.

    new: with as many frames a second.
    parts: frames [start, end).
    """
    assert abs(new.fps - old.fps) < 1e-6, "both shows are on one clock"
    other = np.concatenate((new.values[: old.frames], old.values[new.frames :]))
    share = np.zeros(old.frames)
    for start, end in parts:
        end = min(end, old.frames, new.frames)
        share[start:end] = np.maximum(share[start:end], _share(start, end, old.frames, round(EASED * old.fps)))
    anew, share = share > 0, share[share > 0, None]
    mixed = old.values[anew] + share * (other[anew] - old.values[anew])
    strobe = SLICES["strobe"]  # between two rates there is a third, which nobody wrote
    mixed[:, strobe] = np.where(share < 0.5, old.values[anew, strobe], other[anew, strobe])
    values = old.values.copy()
    values[anew] = rounded(as_valid(mixed))
    seen = [(cue, show is new) for show in (old, new) for cue in show.cues]
    cues = [cue for cue, is_new in seen if _is_in(cue.seconds * old.fps, parts) == is_new]
    made = Show(values, old.fps, old.look, old.beats, old.sections, tuple(sorted(cues, key=lambda cue: cue.seconds)))
    return limited_beside(made, old, ~anew)


def limited_beside(made: Show, old: Show, kept: np.ndarray) -> Show:
    """A show with at most three flashes in any second, in which frames of an old, safe show are kept.

    Where new light flashes too often beside what follows, the old light returns before: as late as is enough, a second
    at most. Only where that is not enough are kept frames changed.

    made: may flash too often. Its kept frames are the old show's.
    kept: (t,) bool.
    """
    second = round(WINDOW * made.fps) + 1
    for frames in range(0, second + RETURNS, RETURNS):
        values, back = made.values.copy(), _before(kept, frames)
        back[old.frames :] = False
        values[back] = old.values[: len(back)][back[: old.frames]]
        earlier = limited(made.with_values(values))
        if np.array_equal(earlier.values[kept], made.values[kept]):
            return earlier
    return limited(made)


def _before(kept: np.ndarray, frames: int) -> np.ndarray:
    """Which frames (t,) are not kept, and at most so many before one that is."""
    near = kept.copy()
    for _ in range(frames):
        near[:-1] |= near[1:]
    return near & ~kept


def _share(start: int, end: int, frames: int, eased: int) -> np.ndarray:
    """How much of the new show there is in the frames [start, end) of so many. The show's own ends have no seam."""
    at = np.arange(start, end)
    before = (at - start + 1) / (eased + 1) if start > 0 else np.ones(len(at))
    after = (end - at) / (eased + 1) if end < frames else np.ones(len(at))
    return np.minimum(np.minimum(before, after), 1.0)


def _is_in(frame: float, parts: Sequence[tuple[int, int]]) -> bool:
    return any(start <= frame < end for start, end in parts)

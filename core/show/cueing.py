"""Brings the changes of a show's look onto the starts of the song's sections, as cues on a stage are.

A model changes its colours somewhere around a new section, or not at all. Here they change where the section starts: a
change that lies near is moved there. Where light passes over a start without a cue, its colours move on from role to
role: the side has those of the back, and so forth. If that changes too little, because all roles have one colour, their
light moves on as a whole. So the show keeps its palette. A section that comes again after another one gets its colours
in the same places as the first time, where that makes a cue.

The sum of the levels stays when it is, because levels belong to the beat and to the dancer. To move them to the starts
as well met more sections, but the light answered the dancer less.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .channels import ROLES, SLICES
from .colour import encoded, hsv, hue_vector, light_of

TURNING = ("side", "back", "top", "backdrop")  # front and follow show faces
NEAR = 3.0  # seconds to either side of a start, from which a change of colours is moved there
AROUND = 1.0  # seconds before and after a change that are compared to find it
BESIDE = 4.0  # seconds before and after a start that are compared
SEEN = 0.3  # least change of light that is moved, see ``_apart``
CUE = 0.9  # change of light that is a cue
FADE = 0.4  # seconds; it ends on the start

_PARTS = ("hue", "saturation", "level", "across", "spread")
_LAMPS = np.array([np.r_[tuple(SLICES[f"{role}_{part}"] for part in _PARTS)] for role in ROLES])
"""The channels (roles, 6) of the roles: cosine and sine of the hue, and the other parts in turn."""
_COLOUR, _LEVEL = slice(0, 3), 3
_TURNING = [ROLES.index(role) for role in TURNING]
TURNS = len(TURNING)  # of colours; as many of the whole light follow


def cued(
    values: np.ndarray, fps: float, starts: Sequence[float], kinds: Sequence[int], kept: np.ndarray | None = None
) -> np.ndarray:
    """Channels (t, c) whose colours change where sections start.

    values: valid.
    starts: seconds of the sections, increasing, the first one's too.
    kinds: of each section; alike sections have the same.
    kept: (t,) bool, frames that stay as they are. So do all frames of their sections.
    """
    if len(starts) < 2:
        return values
    frames = len(values)
    edges = [0, *(min(round(start * fps), frames) for start in starts[1:]), frames]
    spans = [slice(start, end) for start, end in pairwise(edges)]
    free = [end > start and (kept is None or not kept[start:end].any()) for start, end in pairwise(edges)]
    own = values[:, _LAMPS]
    for before, after, both in zip(spans[:-1], spans[1:], pairwise(free), strict=True):
        if all(both):
            _move(own, before, after, fps)
    homes: dict[int, int] = {}  # the turn of each kind's first time
    made, turn = own.copy(), 0
    for number, span in enumerate(spans):
        was, turn = turn, 0
        if number and free[number]:
            turn = _chosen(_before(made, spans[number - 1], fps), _after(own, span, fps), homes.get(kinds[number]))
        homes.setdefault(kinds[number], turn)
        made[span] = _turned(own[span], turn)
        if number and free[number] and free[number - 1] and turn != was:
            _fade(made, own, spans[number - 1], turn, fps)
    result = values.copy()
    result[:, _LAMPS.ravel()] = made.reshape(frames, -1)
    return result


def _move(lamps: np.ndarray, before: slice, after: slice, fps: float) -> None:
    """Let the largest change of colours near the start of a section happen on it, in ``lamps`` (t, roles, 6).

    Colours before and after it are stretched, within ``NEAR`` or half of a section.
    """
    start, around = after.start, round(AROUND * fps)
    reach = min(round(NEAR * fps), (start - before.start) // 2, (after.stop - start) // 2)
    first = max(start - reach - around, 0)
    window = lamps[first : start + reach + around]
    light = _colours(window) * window[..., _LEVEL].mean(axis=0)[:, None]
    sums = np.concatenate((np.zeros((1, *light.shape[1:])), light.cumsum(axis=0)))
    middle = np.arange(around, len(light) - around + 1)
    change = _apart(sums[middle] - sums[middle - around], sums[middle + around] - sums[middle]) / around
    if not len(change) or change.max() < SEEN:
        return
    at, begin, end = int(middle[change.argmax()]), start - reach - first, start + reach - first
    early, late = max(at - 1, begin), min(at, end - 1)
    source = np.concatenate((np.linspace(begin, early, reach), np.linspace(late, end - 1, reach))).round().astype(int)
    window[begin:end, :, _COLOUR] = window[source, :, _COLOUR]


def _chosen(before: np.ndarray, after: np.ndarray, home: int | None) -> int:
    """The turn of a section: the one of its kind's first time, or none, if that makes a cue; else what changes most.

    before, after: (t, roles, 6) of the light beside its start, before turned as it is.
    """
    was = _light(before).mean(axis=0)
    change = [float(_apart(was, _light(_turned(after, turn)).mean(axis=0))) for turn in range(2 * TURNS)]
    for turn in (home, 0, int(np.argmax(change[:TURNS]))):
        if turn is not None and change[turn] >= CUE:
            return turn
    return int(np.argmax(change))


def _before(lamps: np.ndarray, span: slice, fps: float) -> np.ndarray:
    return lamps[max(span.start, span.stop - round(BESIDE * fps)) : span.stop]


def _after(lamps: np.ndarray, span: slice, fps: float) -> np.ndarray:
    return lamps[span.start : min(span.stop, span.start + round(BESIDE * fps))]


def _turned(lamps: np.ndarray, turn: int) -> np.ndarray:
    """Light (t, roles, 6) that has moved on from role to role: colours, or from ``TURNS`` on all of it."""
    parts = slice(None) if turn >= TURNS else _COLOUR
    made = lamps.copy()
    made[:, _TURNING, parts] = np.roll(lamps[:, _TURNING, parts], turn % TURNS, axis=1)
    return made


def _fade(made: np.ndarray, own: np.ndarray, before: slice, turn: int, fps: float) -> None:
    """Let the light before a start pass over to that of the start, in ``made`` (t, roles, 6).

    own: as it was before it was turned.
    """
    start, frames = before.stop, min(round(FADE * fps), before.stop - before.start)
    place = slice(start - frames, start)
    coming = own[place].copy()
    coming[..., _COLOUR] = own[start, :, _COLOUR]
    coming = _turned(coming, turn)
    share = ((np.arange(frames) + 1) / (frames + 1))[:, None, None]
    share = share * share * (3 - 2 * share)
    picked = hsv(encoded((1 - share) * _colours(made[place]) + share * _colours(coming)))
    made[place] += share * (coming - made[place])
    made[place, :, _COLOUR] = np.concatenate((hue_vector(picked[..., 0]), picked[..., 1:2]), axis=-1)


def _colours(lamps: np.ndarray) -> np.ndarray:
    """The colours (..., 3) of lamps (..., 6) at full level, linear RGB."""
    return light_of(lamps[..., :2], lamps[..., 2])


def _light(lamps: np.ndarray) -> np.ndarray:
    """The light (..., 3) of lamps (..., 6), linear RGB."""
    return _colours(lamps) * lamps[..., _LEVEL, None]


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far (...) two lights (..., roles, 3) are apart: the norm over roles and primaries."""
    return np.sqrt(np.square(one - other).sum(axis=(-2, -1)))

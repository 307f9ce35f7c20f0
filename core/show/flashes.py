"""How often a show flashes, and a limiter that keeps it safe for people with photosensitive epilepsy.

The rule (WCAG 2.3.1 "Three Flashes or Below Threshold"; ITU-R BT.1702): no more than three flashes in any second. A
flash is a pair of opposing changes of relative luminance by 10 % or more of its maximum, of which the darker state is
below 0.80; or a pair of opposing changes to and from a saturated red. Here

- the luminance watched is that of each role, relative to the role in full white, and that of all roles together,
  relative to all of them in full white; each at the left, the middle and the right of the stage; with the strobe;
- the red watched is max(0, R - G - B) of the same light. A change counts from 20/320 on, as in the analysis tools that
  WCAG cites;
- a change is counted when the signal has moved by the threshold since its last extreme within the second, however
  slowly, and wherever on the stage it is. (The standards exempt flashes that fill less than
  a quarter of the view. We cannot know what a camera will see, so nothing is exempt.)
- safe means: in any span of a second, ends included, there are at most three rises and at most three falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from .channels import ROLES, SLICES
from .colour import LUMINANCE, light_of, share_at
from .show import Show

MOST = 3  # flashes in any second
WINDOW = 1.0  # seconds
LUMINANCE_STEP = 0.10
RED_STEP = 20 / 320
BRIGHT = 0.80  # a change between two states that are both brighter is no flash
PLACES = (-1.0, 0.0, 1.0)
COUNT = np.int16  # of changes in a second, which are fewer than its frames
_STEPS = np.array([LUMINANCE_STEP, RED_STEP])[:, None] - 1e-9  # rounding must not hide a change
_BRIGHT = np.array([BRIGHT, np.inf])[:, None]
_LAMPS = np.r_[
    tuple(SLICES[f"{role}_{part}"] for role in ROLES for part in ("hue", "saturation", "level", "across", "spread"))
]
_LEVELS = np.r_[tuple(SLICES[f"{role}_level"] for role in ROLES)]
_STROBE = SLICES["strobe"].start


def strobe_gate(strobe: np.ndarray, fps: float) -> np.ndarray:
    """Whether the strobe lets light through (t,), 1 or 0.

    A strobe begins with light when its rate (t,) leaves 0, and is lit for the first half of every period.
    """
    gate, phase, following = np.ones(len(strobe)), 0.0, -1
    flashing = np.flatnonzero(strobe > 0)
    for frame, rate in zip(flashing.tolist(), strobe[flashing].tolist(), strict=True):
        phase = phase if frame == following else 0.0
        gate[frame] = float(_is_lit(rate, phase))
        phase, following = phase + rate / fps, frame + 1
    return gate


def _is_lit(rate: float, phase: float) -> bool:
    return rate <= 0 or phase % 1.0 < 0.5


def role_light(values: np.ndarray, places: Sequence[float] = PLACES) -> np.ndarray:
    """Linear RGB light (t, roles, places, 3) of each role at places on the stage, of a show (t, c). The strobe is left
    out."""
    parts = []
    for role in ROLES:
        hue, saturation, level, across, spread = (
            values[:, SLICES[f"{role}_{name}"]].astype(np.float64)
            for name in ("hue", "saturation", "level", "across", "spread")
        )
        light = light_of(hue, saturation[:, 0], level[:, 0])
        share = np.concatenate([share_at(across, spread, place) for place in places], axis=1)
        parts.append(light[:, None] * share[..., None])
    return np.stack(parts, axis=1)


def strobed_light(show: Show, places: Sequence[float] = PLACES) -> np.ndarray:
    """The light (t, roles, places, 3) of a show, as ``role_light`` has it, with the strobe."""
    gate = strobe_gate(show.part("strobe"), show.fps)
    return role_light(show.values, places) * gate[:, None, None, None]


def signals(light: np.ndarray) -> np.ndarray:
    """What is watched for flashes (t, 2, n): luminance and red, of each role at each place, then of all roles together.

    light: (t, roles, places, 3) linear RGB.
    """
    watched = np.concatenate((light, light.mean(axis=1, keepdims=True)), axis=1)
    watched = watched.reshape(len(light), -1, 3)
    luminance = watched @ LUMINANCE
    red = (watched[..., 0] - watched[..., 1] - watched[..., 2]).clip(0)
    return np.stack((luminance, red), axis=1)


class Counter:
    """Counts the changes of signals in every second that has not ended yet, each second by itself."""

    def __init__(self, first: np.ndarray, fps: float) -> None:
        """first: (2, n) the signals of the first frame."""
        self._frames = _frames_of_a_second(fps)
        self._seconds = _Seconds.beginning(first[None])
        self._ahead: tuple[np.ndarray, _Seconds] | None = None  # the next frame that was asked about last

    def most_with(self, now: np.ndarray) -> int:
        """The largest number of rises, or of falls, in a second that ends with the next frame's signals (2, n)."""
        return self._continued(now).most

    def take(self, now: np.ndarray) -> None:
        """Count the next frame's signals (2, n)."""
        self._seconds, self._ahead = self._continued(now).followed_by(now, self._frames), None

    def _continued(self, now: np.ndarray) -> _Seconds:
        """The seconds with the next frame; a frame that is asked about and then taken is counted once."""
        if self._ahead is None or self._ahead[0] is not now:
            self._ahead = now, self._seconds.continued(now)
        return self._ahead[1]


def _frames_of_a_second(fps: float) -> int:
    """Of a second, both ends included, and the one it begins from."""
    return int(np.floor(WINDOW * fps + 1e-9)) + 2


@dataclass(frozen=True)
class _Seconds:
    """What is known of seconds, of which each began on another frame; the latest is the last.

    low, high: (w, 2, n) the extremes of each signal since its last change.
    direction: (w, 2, n) of that change: 1, -1, or 0 before the first.
    rises, falls: (w, 2, n) how many there were.
    """

    low: np.ndarray
    high: np.ndarray
    direction: np.ndarray
    rises: np.ndarray
    falls: np.ndarray

    @staticmethod
    def beginning(first: np.ndarray) -> _Seconds:
        """Seconds that begin with frames of signals (w, 2, n)."""
        none = np.zeros(first.shape, dtype=COUNT)
        return _Seconds(first, first, none, none, none)

    @property
    def most(self) -> int:
        """The largest number of rises, or of falls, in any of them."""
        return int(max(self.rises.max(), self.falls.max()))

    def continued(self, now: np.ndarray) -> _Seconds:
        """Every second with one frame of signals (2, n) more, or with one of its own (w, 2, n). A second has at least
        two frames."""
        low, high = np.minimum(self.low, now), np.maximum(self.high, now)
        rise = (now - low >= _STEPS) & (self.direction <= 0) & (low < _BRIGHT)
        fall = (high - now >= _STEPS) & (self.direction >= 0) & (now < _BRIGHT)
        changed = rise | fall
        return _Seconds(
            np.where(changed, now, low),
            np.where(changed, now, high),
            np.where(changed, rise.astype(COUNT) - fall, self.direction),
            self.rises + rise,
            self.falls + fall,
        )

    def of(self, which: slice) -> _Seconds:
        """Some of them."""
        return _Seconds(*(getattr(self, name)[which] for name in _FIELDS))

    def followed_by(self, now: np.ndarray, count: int) -> _Seconds:
        """These and the one that begins now; at most ``count - 1`` of them, because the oldest one has ended."""
        new, kept = _Seconds.beginning(now[None]), self.of(slice(max(0, len(self.low) + 2 - count), None))
        return _Seconds(*(np.concatenate((getattr(kept, name), getattr(new, name))) for name in _FIELDS))


_FIELDS = tuple(field.name for field in fields(_Seconds))


def most_changes(watched: np.ndarray, fps: float) -> int:
    """The largest number of rises, or of falls, in any second of signals (t, 2, n). All seconds are counted at once."""
    seconds, most = _Seconds.beginning(watched), 0
    for later in range(1, min(_frames_of_a_second(fps), len(watched))):
        seconds = seconds.of(slice(len(watched) - later)).continued(watched[later:])
        most = max(most, seconds.most)
    return most


@lru_cache(maxsize=1)  # who judges a show asks again after who limited it; shows do not change
def most_flashes(show: Show) -> int:
    """The largest number of rises, or of falls, in any second of a show."""
    return most_changes(signals(strobed_light(show)), show.fps)


def limited(show: Show) -> Show:
    """The show with at most three flashes in any second.

    A frame that would begin a fourth is not taken. Without its strobe it may be safe; otherwise the light stays as it
    was one frame before, until there is room for the change. All else of the frame (the costume, the beams' movement)
    is kept. A safe show stays as it is.
    """
    if most_flashes(show) <= MOST:
        return show
    values = show.values.copy()
    bare = signals(role_light(values))
    phase, previous = 0.0, bare[0]
    counter = Counter(previous, show.fps)
    for frame in range(1, len(values)):
        rate, before = float(values[frame, _STROBE]), float(values[frame - 1, _STROBE])
        phase = phase + before / show.fps if before > 0 else 0.0
        now = bare[frame] if _is_lit(rate, phase) else np.zeros_like(previous)
        if counter.most_with(now) > MOST:
            values[frame, _STROBE], now = 0.0, bare[frame]
        if counter.most_with(now) > MOST:
            values[frame, _LAMPS], now = values[frame - 1, _LAMPS], previous
            if not previous.any():  # the strobe was dark
                values[frame, _LEVELS] = 0.0
        counter.take(now)
        previous = now
    return show.with_values(values)

"""Lets a dance go up and down with a floor that is not level.

A dance that was made for a level floor is moved onto the other one. A foot that stands is moved as a whole, so that it
stands, turns about its toes and lifts its heel on the slope as it does on the level. Between two stands it is as high
above the floor as it was. The hips follow the lower foot, and the legs make up for the rest.

All places are in the rig's upright space: z up, in its units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import quaternion as quat
from .feet import LEGS, REACH, Leg, joined, standing
from .runs import runs

Relief = Callable[[np.ndarray], np.ndarray]
"""Places (n, 2) -> by how much the floor there is higher (n,) than where the rig stands at rest."""

STEEPEST = 0.8
"""Rise to run: what is steeper is no slope for a sole, but an edge."""

SOLE = 0.08  # metres on our body: from the middle of a sole to where its slope is measured
UP = np.array((0.0, 0.0, 1.0))
_NEAR = 6  # frames before and after: over so many the floor is smoothed for hips and for feet that do not stand
_ROUNDS = 4  # of finding the level dance that is moved to a given place


@dataclass(frozen=True)
class Terrain:
    """A floor under a rig.

    relief: where it is higher and lower.
    heights: joint -> how high it is above the floor while the rig stands, of ankles and toes.
    level: height of the floor where the rig stands at rest.
    size: the rig's units per metre of our body.
    """

    relief: Relief
    heights: Mapping[int, float]
    level: float = 0.0
    size: float = 1.0

    def lifts(self, places: Mapping[int, np.ndarray], joints: Sequence[int]) -> np.ndarray:
        """How much higher joints of a foot are (t, n) than on a flat sole on the level floor."""
        return np.stack([places[joint][:, 2] - self.level - self.heights[joint] for joint in joints], axis=1)

    def foot(self, places: Mapping[int, np.ndarray], joints: Sequence[int], stands: np.ndarray) -> LevelFoot:
        """A foot at places.

        joints: its ankle, and its toe if it has one.
        stands: (t,) bool.
        """
        clearance = np.clip(self.lifts(places, joints).min(axis=1), 0.0, None)
        return LevelFoot(places[joints[0]], places[joints[-1]], stands, clearance, self)


def climb(
    turned: MutableSequence[np.ndarray], starts: Mapping[int, np.ndarray], stands: np.ndarray, floor: Terrain
) -> np.ndarray:
    """Turn legs and feet so that they follow a floor. Returns by how much (t, 3) the hips do.

    turned: joint -> how it is turned (t, 4).
    starts: joint -> (t, 3) where its bone starts on a level floor.
    stands: (t, 4) bool, which of left ankle, left toe, right ankle and right toe stand.
    """
    steps = [
        floor.foot(starts, _ends(leg, starts), stands[:, 2 * i : 2 * i + 2].any(axis=1)).on_relief()
        for i, leg in enumerate(LEGS)
    ]
    lift = hips(*steps)
    lacking = [
        _lacking([starts[joint] for joint in leg[:3]], lift, step) for leg, step in zip(LEGS, steps, strict=True)
    ]
    lift = lift - _over(np.max(lacking, axis=0))[:, None] * UP
    for (hip, knee, ankle, toe), step in zip(LEGS, steps, strict=True):
        at = (starts[joint] + lift for joint in (hip, knee, ankle))
        leg = Leg(*at, thigh=turned[hip], shin=turned[knee])
        turned[hip], turned[knee] = leg.reaching(starts[ankle] + step.ankle)
        for joint in (ankle, toe):
            turned[joint] = quat.mul(step.turn, turned[joint])
    return lift


def _lacking(leg: Sequence[np.ndarray], lift: np.ndarray, step: Step) -> np.ndarray:
    """By how much (t,) hips that are lifted so have to sink for a leg to reach its foot's place on the floor.

    leg: (t, 3) its hip, knee and ankle on the level floor.
    """
    hip, knee, ankle = leg
    bones = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
    longest = np.maximum(REACH * bones, np.linalg.norm(ankle - hip, axis=-1))
    away = hip + lift - ankle - step.ankle
    aside = np.linalg.norm(away[:, :2], axis=-1)
    return np.clip(away[:, 2] - np.sqrt(np.clip(longest**2 - aside**2, 0.0, None)), 0.0, None)


def flatten(
    turned: MutableMapping[int, np.ndarray], places: MutableMapping[int, np.ndarray], fps: float, floor: Terrain
) -> np.ndarray:
    """Turn legs and feet that follow a floor as on a level one, and put the feet there. Returns by how much (t, 3) the
    hips followed it.

    turned: joint -> how it is turned (t, 4).
    places: joint -> (t, 3) where it is, in metres as ``floor``.
    fps: frames per second.
    """
    steps = []
    for leg in LEGS:
        ends = _ends(leg, places)
        rises = np.stack([floor.relief(places[joint][:, :2]) for joint in ends], axis=1)
        stands = standing(np.stack([places[joint] for joint in ends], axis=1), floor.lifts(places, ends) - rises, fps)
        steps.append(floor.foot(places, ends, stands.any(axis=1)).off_relief())
    lift = hips(*steps)
    for leg, step in zip(LEGS, steps, strict=True):
        hip, knee, ankle = leg[:3]
        bent = Leg(*(places[joint] - lift for joint in leg[:3]), thigh=turned[hip], shin=turned[knee])
        turned[hip], turned[knee] = bent.reaching(places[ankle] - step.ankle)
        for joint, moved in zip(_ends(leg, places), (step.ankle, step.toe), strict=False):
            places[joint] = places[joint] - moved
            turned[joint] = quat.mul(quat.conjugate(step.turn), turned[joint])
    return lift


def _ends(leg: Sequence[int], places: Mapping[int, np.ndarray]) -> list[int]:
    """The ankle of a leg, and its toe where it has one."""
    return [joint for joint in leg[2:] if joint in places]


@dataclass(frozen=True)
class LevelFoot:
    """A foot of a rig that dances on a level floor.

    ankle, toe: (t, 3) where its joints are.
    stands: (t,) bool.
    clearance: (t,) how high it is above the level floor.
    floor: that it is to dance on.
    """

    ankle: np.ndarray
    toe: np.ndarray
    stands: np.ndarray
    clearance: np.ndarray
    floor: Terrain

    def on_relief(self) -> Step:
        """How the foot is moved to be on its floor."""
        relief, reach = self.floor.relief, SOLE * self.floor.size
        sole = (self.ankle + self.toe) / 2
        sole[:, 2] = self.floor.level
        below = relief(sole[:, :2])
        tilt, spot = _mean(_tilts(relief, sole[:, :2], reach)), sole + _mean(below)[:, None] * UP
        if stands := runs(self.stands):
            middles = np.array([sole[first:last].mean(axis=0) for first, last in stands])
            tilts, spots = _tilts(relief, middles[:, :2], reach), middles + relief(middles[:, :2])[:, None] * UP
            tilt, spot = _held(tilt, tilts, stands), _held(spot, spots, stands)
        turn, rise = quat.from_vector(tilt), spot[:, 2] - self.floor.level
        over = np.where(self.stands, 0.0, _over(np.clip(below - rise - self.clearance, 0.0, None)))
        about = spot - rise[:, None] * UP
        lift = (rise + over)[:, None] * UP
        ankle, toe = (about + quat.rotate(turn, at - about) - at + lift for at in (self.ankle, self.toe))
        return Step(ankle, toe, turn, rise)

    def off_relief(self) -> Step:
        """How the foot was moved to be where it is, on its floor."""
        step = self.on_relief()
        for _ in range(_ROUNDS):
            step = replace(self, ankle=self.ankle - step.ankle, toe=self.toe - step.toe).on_relief()
        return step


@dataclass(frozen=True)
class Step:
    """How a foot is moved.

    ankle, toe: (t, 3) by how much its joints are.
    turn: (t, 4) how it is turned.
    rise: (t,) by how much the floor is higher where it stands, and on the way between.
    """

    ankle: np.ndarray
    toe: np.ndarray
    turn: np.ndarray
    rise: np.ndarray


def hips(left: Step, right: Step) -> np.ndarray:
    """By how much (t, 3) the hips are moved with both feet: never so that the lower one cannot be reached."""
    return -_over(-np.minimum(left.rise, right.rise))[:, None] * UP


def _tilts(relief: Relief, spots: np.ndarray, reach: float) -> np.ndarray:
    """How a sole is tilted (n, 3) that stands on spots (n, 2): an axis times radians."""
    east, north = ((relief(spots + reach * way) - relief(spots - reach * way)) / (2 * reach) for way in np.eye(2))
    slope = np.hypot(east, north)
    angle = np.where(slope < STEEPEST, np.arctan(slope), 0.0)
    axis = np.stack((north, -east, np.zeros_like(east)), axis=-1) / np.maximum(slope, 1e-12)[:, None]
    return angle[:, None] * axis


def _held(values: np.ndarray, stood: np.ndarray, stands: list[tuple[int, int]]) -> np.ndarray:
    """``values`` (t, 3), those of ``stood`` (n, 3) in the n stands, with smooth ways from and to them."""
    away = np.zeros_like(values)
    for (first, last), value in zip(stands, stood, strict=True):
        away[first:last] = value - values[first:last]
    return values + joined(away, stands)


def _mean(values: np.ndarray) -> np.ndarray:
    """Means (t, ...) of values (t, ...) nearby."""
    padded = np.pad(values, [(_NEAR, _NEAR)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1, axis=0).mean(axis=-1)


def _over(values: np.ndarray) -> np.ndarray:
    """A smooth curve (t,) that is nowhere below ``values`` (t,): means of the largest nearby."""
    padded = np.pad(values, _NEAR, mode="edge")
    return _mean(np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1).max(axis=-1))

"""Finds how the bones of a moving body would stand in our T-pose, from where its joints go.

A rig's zero pose need not be a T-pose: converters of capture leave all bones along one axis. The places of the joints
are known all the same, and they tell how each part of the body is turned, up to a roll about the bone. What a bone's
own rotation differs from that by is constant, and it is the bone's orientation in the T-pose.

The roll is told by several bones that start at one joint (pelvis, chest), by the axis about which knees and elbows
bend, and by soles that stand on the floor. Heads are level and hands in line with the forearm on average.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import FootlightError
from . import quaternion as quat
from .quaternion import unit
from .rest import middle
from .skeleton import JOINTS, OFFSETS, SIDES, standing

FRAMES = 400  # that are looked at, spread over the motion
_TALL = 0.8  # quantile of the body's height; frames above it are upright
_PLANTED = 0.15  # share of the frames in which a foot stands, at least
_BENT = 0.3  # sine of the bend below which a limb's roll follows the bone above it
_NARROW = 0.2  # of the shoulders' width; collars closer to each other tell no direction
_LEFT, _UP, _AHEAD = np.eye(3)
_MIRRORED = np.array((-1.0, 1.0, 1.0))
_STILL = np.array(quat.IDENTITY)
_OURS: dict[str, np.ndarray] = dict(zip(JOINTS, standing(), strict=True))


def t_pose(places: Mapping[str, np.ndarray], turns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The orientations (4,) of a body's bones in our T-pose, in our axes, by the keys of ``turns``.

    places: our name -> positions (t, 3) of the joint, y up; at least hips, knees, ankles, shoulders and elbows.
    turns: our name -> world rotations (t, 4) of the joint's bone, y up; at least the pelvis and spine3. The joints of a
        spine that is not ours are ``_spine0`` (the pelvis), ``_spine1`` and so on, up to the chest.

    Raises FootlightError for a body whose hips or shoulders have no width.
    """
    body = _Body(_thinned(places), _thinned(turns))
    body.trunk()
    body.collars()
    for side, elbow in (("left", -_UP), ("right", _UP)):
        body.limb(side, ("hip", "knee", "ankle"), _LEFT)
        body.foot(side)
        body.limb(side, ("shoulder", "elbow", "wrist"), elbow)
        body.hand(side)
    return body.posed


def sides_agree(places: Mapping[str, np.ndarray]) -> bool:
    """Whether left and right are what they are called: alike on arms and legs, knees and toes in front.

    places: as in ``t_pose``, toes if they are known.
    """
    at = {name: np.asarray(place, dtype=float) for name, place in places.items()}
    hips, shoulders = (unit(at[f"left_{part}"] - at[f"right_{part}"]) for part in ("hip", "shoulder"))
    if float((hips * shoulders).sum(-1).mean()) < 0:
        return False
    ahead = unit(np.cross(hips, middle(at, "shoulder") - middle(at, "hip")))
    front = []
    for side in SIDES:
        hip, knee, ankle = (at[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
        front.append((np.cross(unit(knee - hip), unit(ankle - knee)) * hips).sum(-1).mean())
        if f"{side}_foot" in at:
            front.append((unit(at[f"{side}_foot"] - ankle) * ahead).sum(-1).mean())
    return float(np.mean(front)) > -0.1


def _thinned(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """At most ``FRAMES`` frames of every array, evenly spread."""
    frames = len(next(iter(values.values())))
    some = np.linspace(0, frames - 1, min(frames, FRAMES)).round().astype(int)
    return {name: np.asarray(value, dtype=float)[some] for name, value in values.items()}


class _Body:
    """A body while it is calibrated.

    at: places of the joints.
    turns: rotations of their bones.
    posed: what is known of the T-pose so far.
    now: rotations (t, 4) from our T-pose, as far as they are known.
    """

    def __init__(self, at: dict[str, np.ndarray], turns: dict[str, np.ndarray]) -> None:
        self.at, self.turns = at, turns
        self.posed: dict[str, np.ndarray] = {}
        self.now: dict[str, np.ndarray] = {}
        tall = (middle(self.at, "shoulder") - middle(self.at, "ankle"))[:, 1]
        self.upright = (tall >= np.quantile(tall, _TALL)).astype(float)

    def trunk(self) -> None:
        """Pelvis, spine, neck and head."""
        across = self._across("shoulder")
        if {"left_collar", "right_collar"} <= self.at.keys():
            inner = self._across("collar")
            if np.median(_length(inner)) > _NARROW * np.median(_length(across)):
                across = inner
        up = middle(self.at, "shoulder") - middle(self.at, "hip")
        ours = quat.conjugate(_frames(_LEFT, middle(_OURS, "shoulder") - middle(_OURS, "hip")))
        for name, left in (("pelvis", self._across("hip")), ("spine3", across)):
            self._settle(name, quat.mul(_frames(left, up), ours), self.upright)
        self._lean(up)
        spine = [name for name in self.turns if name.startswith("_spine")]
        shares = {"spine1": 1 / 3, "spine2": 2 / 3} | {name: i / max(len(spine) - 1, 1) for i, name in enumerate(spine)}
        for name in self.turns.keys() & shares.keys():
            self._settle(name, quat.mix(self.now["pelvis"], self.now["spine3"], shares[name]))
        if "neck" in self.turns:
            self._settle("neck", self.now["spine3"], child="head")
        if "head" in self.turns:
            level = _frames(_flat(across), np.broadcast_to(_UP, across.shape))
            self._settle("head", self.now.get("neck", level), self.upright)

    def _lean(self, up: np.ndarray) -> None:
        """Turn pelvis and chest by what our trunk would lean otherwise on average: it bends at other joints.

        up: from the hips to the shoulders (t, 3).
        """
        joints = (_OURS[name] for name in ("spine1", "spine2", "spine3"))
        bones = np.diff((middle(_OURS, "hip"), *joints, middle(_OURS, "shoulder")), axis=0)
        turns = (quat.mix(self.now["pelvis"], self.now["spine3"], share) for share in (0.0, 1 / 3, 2 / 3, 1.0))
        ours = unit(np.sum([quat.rotate(turn, bone) for turn, bone in zip(turns, bones, strict=True)], axis=0))
        for name in ("pelvis", "spine3"):
            back = quat.conjugate(self.now[name])
            still = np.broadcast_to(_STILL, back.shape)
            lean = mean(_swung(still, quat.rotate(back, ours), quat.rotate(back, unit(up))))
            lean[2:] *= 0.5  # aside by half of it: this tilts the lines through hips and shoulders
            self._turn(name, quat.conjugate(lean / np.linalg.norm(lean)))

    def limb(self, side: str, parts: tuple[str, str, str], hinge: np.ndarray) -> None:
        """The two long bones of a limb.

        hinge: the axis about which it bends in our T-pose.
        """
        upper, middle, end = (f"{side}_{part}" for part in parts)
        above = self.now.get(f"{side}_collar", self.now["spine3"]) if parts[0] == "shoulder" else self.now["pelvis"]
        first = unit(self.at[middle] - self.at[upper])
        ours = _ours(middle)
        straight = quat.rotate(_swung(above, ours, first), hinge)
        if end in self.at:
            second = unit(self.at[end] - self.at[middle])
            fold = np.cross(first, second)
            sine = _length(fold)
            axis = fold + _BENT * np.clip(1 - sine / _BENT, 0, None) * straight
        else:
            second, sine, axis = first, np.zeros((len(first), 1)), straight
        weights = sine[:, 0] ** 2 + 1e-3
        own = _frames(hinge, ours)
        for name, along, child in ((upper, first, middle), (middle, second, end)):
            if name in self.turns:
                guess = quat.mul(_along(axis, along), quat.conjugate(own))
                self._settle(name, guess, weights, child)

    def foot(self, side: str) -> None:
        """The foot: its sole is level while it stands."""
        ankle, toe = f"{side}_ankle", f"{side}_foot"
        if ankle not in self.turns:
            return
        if toe in self.at:
            ahead = self.at[toe] - self.at[ankle]
            low = self.at[ankle][:, 1] + self.at[toe][:, 1]
        else:
            ahead = quat.rotate(self.now[f"{side}_knee"], _AHEAD)
            low = self.at[ankle][:, 1]
        speed = np.linalg.norm(np.gradient(self.at[ankle], axis=0), axis=-1) if len(low) > 1 else np.zeros(1)
        rank = low.argsort().argsort() + speed.argsort().argsort()
        planted = (rank <= np.quantile(rank, _PLANTED)).astype(float)
        heading = _along(np.cross(np.broadcast_to(_UP, ahead.shape), ahead), np.broadcast_to(_UP, ahead.shape))
        self._settle(ankle, heading, planted, toe)
        if toe in self.turns:
            self._settle(toe, self.now[ankle])

    def collars(self) -> None:
        """Both collars: at rest while the arms hang, and the same on both sides."""
        ends = {}
        for side in SIDES:
            collar, shoulder = f"{side}_collar", f"{side}_shoulder"
            if collar not in self.turns or collar not in self.at:
                return
            hangs = unit(self.at[shoulder] - self.at[f"{side}_elbow"])[:, 1]
            self._settle(collar, self.now["spine3"], np.clip(hangs, 0.0, None) + 1e-3)
            ends[collar] = unit(self._bone(collar, shoulder))
        both = ends["left_collar"] + ends["right_collar"] * _MIRRORED
        for collar, end in ends.items():
            self._turn(collar, quat.between(end, both if collar.startswith("left") else both * _MIRRORED))

    def hand(self, side: str) -> None:
        """The hand, in line with the forearm on average."""
        if f"{side}_wrist" in self.turns:
            self._settle(f"{side}_wrist", self.now[f"{side}_elbow"])

    def _settle(self, name: str, guess: np.ndarray, weights: np.ndarray | None = None, child: str = "") -> None:
        """Take the orientation of a bone in the T-pose that agrees best with where it is.

        guess: rotations (t, 4) from our T-pose that the places tell.
        weights: (t,) of the frames.
        child: the joint at the bone's end, towards which it points exactly.
        """
        self.posed[name] = mean(quat.mul(quat.conjugate(guess), self.turns[name]), weights)
        self._turn(name, quat.between(self._bone(name, child), _ours(child)) if child in self.at else _STILL)

    def _bone(self, name: str, child: str) -> np.ndarray:
        """The vector (3,) from a joint to the next in the T-pose, as far as it is known."""
        turns = self.turns[name]
        bone = quat.rotate(quat.conjugate(turns), self.at[child] - self.at[name]).mean(0)
        return quat.rotate(self.posed[name], bone)

    def _turn(self, name: str, by: np.ndarray) -> None:
        """Turn a bone of the T-pose by a rotation (4,)."""
        self.posed[name] = quat.mul(by, self.posed[name])
        self.now[name] = quat.mul(self.turns[name], quat.conjugate(self.posed[name]))

    def _across(self, part: str) -> np.ndarray:
        """From the right to the left (t, 3)."""
        across = self.at[f"left_{part}"] - self.at[f"right_{part}"]
        if part != "collar" and not np.median(_length(across)) > 1e-6 * np.median(_length(middle(self.at, "shoulder"))):
            raise FootlightError(f"{part}s that have no width; expected a body whose left and right are apart")
        return across


def _ours(joint: str) -> np.ndarray:
    """The direction (3,) of the bone that ends at a joint of ours, in the T-pose."""
    return unit(OFFSETS[JOINTS.index(joint)])


def _length(v: np.ndarray) -> np.ndarray:
    return np.linalg.norm(v, axis=-1, keepdims=True)


def _flat(v: np.ndarray) -> np.ndarray:
    """The horizontal part of vectors (t, 3)."""
    return v * (1.0, 0.0, 1.0)


def _frames(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The rotations (..., 4) of frames whose first axis is ``across`` and whose second one is nearest to ``up``."""
    x = unit(across)
    z = unit(np.cross(x, up))
    return quat.from_matrix(np.stack((x, np.cross(z, x), z), axis=-1))


def _along(across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """As ``_frames``, with the second axis exact and the first one the nearest."""
    y = unit(along)
    z = unit(np.cross(across, y))
    return quat.from_matrix(np.stack((np.cross(y, z), y, z), axis=-1))


def _swung(turns: np.ndarray, bone: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Rotations (t, 4), turned on the shortest way until ``bone`` (3,) points ``towards`` (t, 3)."""
    return quat.mul(quat.swing(quat.rotate(turns, bone), towards), turns)


def mean(q: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The mean (4,) of rotations (t, 4): the main axis of their outer products (Markley et al. 2007)."""
    weights = np.ones(len(q)) if weights is None else weights
    return np.linalg.eigh(np.einsum("t,ti,tj->ij", weights, q, q))[1][:, -1]

"""The rest pose of another body, and the rotations that bring it to our T-pose.

Positions are given by the names of our joints, in the body's own axes and unit. Rotations are quaternions, wxyz.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..errors import FootlightError
from . import quaternion as quat
from .skeleton import JOINTS, OFFSETS, SIDES

CHAINS = (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist"))
"""The joints of a leg and of an arm, from the trunk outwards."""

SKEWED = 20.0
"""Degrees within which a body whose hips and shoulders disagree counts as facing along an axis."""

AGREED = 0.5
"""Degrees within which an axis always counts as the heading."""

TILTED = 8.0
"""Degrees from an axis beyond which a straight body counts as tilted. Up is then its own up."""


@dataclass(frozen=True)
class Limits:
    """How far a pose may be from the T-pose to count as one, in degrees.

    trunk: from the vertical.
    level: of the lines through the hips and through the shoulders, from the horizontal and from each other.
    thigh, shin: from the vertical.
    arm: of upper arms and forearms, from straight out.
    """

    trunk: float
    level: float
    thigh: float
    shin: float
    arm: float


STANDING = Limits(trunk=10.0, level=5.0, thigh=40.0, shin=40.0, arm=125.0)
"""A rest pose that tells how a body stands: a T-pose, an A-pose, arms hanging, legs apart."""
SPREAD = Limits(trunk=8.0, level=8.0, thigh=15.0, shin=15.0, arm=25.0)
"""A T-pose that somebody stood in."""
_HEAD = 75.0  # degrees of the way from the shoulders to the head from the vertical
_FEET = 80.0  # degrees of the feet from straight ahead, seen from above


@dataclass(frozen=True)
class Joints:
    """Which joints of a source are ours.

    places: our name -> index of the joint whose position is taken.
    turns: our name -> index of the joint whose rotation is taken.
    spine: indices of the spine's joints, from the pelvis to the chest.
    """

    places: dict[str, int]
    turns: dict[str, int]
    spine: tuple[int, ...]


@dataclass(frozen=True)
class Pose:
    """One pose of a source.

    turns: (k, 4) world rotations of its joints.
    places: (k, 3) their world positions.
    """

    turns: np.ndarray
    places: np.ndarray


def middle(place: Mapping[str, np.ndarray], part: str) -> np.ndarray:
    """The middle (..., 3) between the left and the right joint of a part.

    place: our name -> positions (..., 3).
    part: such as "hip".
    """
    return (place[f"left_{part}"] + place[f"right_{part}"]) / 2


def stands(place: dict[str, np.ndarray], limits: Limits = STANDING) -> bool:
    """Whether joints are where they are on a body that stands upright with its arms spread or down.

    place: our name -> position (3,); hips, knees, ankles, shoulders and elbows, and more if they are known.
    """
    try:
        left, up, ahead = quat.rotate(axes(place), np.eye(3))
    except FootlightError:
        return False

    def within(vector: np.ndarray, direction: np.ndarray, degrees: float) -> bool:
        length = np.linalg.norm(vector)
        return bool(length > 0 and vector @ direction >= np.cos(np.radians(degrees)) * length)

    def bones(*parts: str) -> list[tuple[str, np.ndarray]]:
        pairs = [(side, f"{side}_{a}", f"{side}_{b}") for side in SIDES for a, b in pairwise(parts)]
        return [(side, place[b] - place[a]) for side, a, b in pairs if b in place]

    if not within(middle(place, "shoulder") - middle(place, "hip"), up, limits.trunk):
        return False
    if not all(within(place[f"left_{p}"] - place[f"right_{p}"], left, limits.level) for p in ("hip", "shoulder")):
        return False
    for parts, limit in ((("hip", "knee"), limits.thigh), (("knee", "ankle"), limits.shin)):
        if not all(within(bone, -up, limit) for _, bone in bones(*parts)):
            return False
    if not all(
        within(bone, left if side == "left" else -left, limits.arm)
        for side, bone in bones("shoulder", "elbow", "wrist")
    ):
        return False
    if "head" in place and not within(place["head"] - middle(place, "shoulder"), up, _HEAD):
        return False
    for _, foot in bones("ankle", "foot"):
        level = foot - foot @ up * up
        if np.linalg.norm(level) > 0.3 * np.linalg.norm(foot) and not within(level, ahead, _FEET):
            return False
    return True


def axes(place: dict[str, np.ndarray]) -> np.ndarray:
    """The rotation (4,) from the axes of our T-pose (x left, y up, z ahead) to those of a body at rest.

    Up is one of the body's own axes, unless the whole body is tilted. The heading is arbitrary.

    place: our name -> position (3,); hips, ankles and shoulders are used.

    Raises FootlightError for a body without width or height.
    """
    hips, ankles = (place[f"left_{part}"] + place[f"right_{part}"] for part in ("hip", "ankle"))
    shoulders = place["left_shoulder"] + place["right_shoulder"]
    up = _up(shoulders - hips, hips - ankles)
    left = place["left_hip"] - place["right_hip"] + place["left_shoulder"] - place["right_shoulder"]
    left = left - (left * up).sum() * up
    if np.linalg.norm(left) < 1e-6 or np.linalg.norm(hips - ankles) < 1e-6:
        raise FootlightError(
            "a rest pose whose hips and shoulders have no width; expected a body standing with its arms spread or down"
        )
    left = left / np.linalg.norm(left)
    q = quat.from_matrix(np.stack((left, up, np.cross(left, up)), -1))
    return q if q[0] >= 0 else -q


def upright(place: dict[str, np.ndarray]) -> np.ndarray:
    """The rotation matrix (3, 3) from a body's own axes to ours.

    It consists of quarter turns if the body faces along an axis. Models are seldom exactly symmetric, so an axis counts
    as the heading if it is no farther off than the hips and the shoulders are from each other.

    place: as in ``axes``.

    Raises FootlightError as ``axes`` does.
    """
    left, up, ahead = quat.rotate(axes(place), np.eye(3))
    longest = np.abs(up).argmax()
    if np.abs(up[longest]) < np.cos(np.radians(AGREED)):
        return np.stack((left, up, ahead))
    up = np.round(up)  # one of the body's axes; the rotation left a rounding error
    headings = [place[f"left_{part}"] - place[f"right_{part}"] for part in ("hip", "shoulder")]
    hips, shoulders = (heading - (heading @ up) * up for heading in headings)
    longest = np.abs(left).argmax()
    axis = np.eye(3)[longest] * np.sign(left[longest])
    if _degrees(left, axis) <= max(AGREED, min(_degrees(hips, shoulders), SKEWED)):
        left = axis
    return np.stack((left, up, np.cross(left, up)))


def _up(trunk: np.ndarray, legs: np.ndarray) -> np.ndarray:
    """Which way (3,) is up for a body whose hips are ``legs`` (3,) above its ankles and whose shoulders are ``trunk``
    (3,) above its hips: an axis, or along the body if legs and trunk agree that it leans."""
    tall = trunk + legs
    axis = np.zeros_like(tall)
    axis[np.abs(tall).argmax()] = np.sign(tall[np.abs(tall).argmax()])
    if _degrees(tall, axis) > TILTED + 2.0 * _degrees(trunk, legs):
        return tall / np.linalg.norm(tall)
    return axis


def _degrees(a: np.ndarray, b: np.ndarray) -> float:
    """The angle between two vectors; 0 if one of them has no length."""
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return float(np.degrees(np.arccos(np.clip(a @ b / lengths, -1.0, 1.0)))) if lengths > 0 else 0.0


def straighten(
    place: dict[str, np.ndarray], own: np.ndarray, bones: Collection[str], as_built: bool = False
) -> dict[str, np.ndarray]:
    """The rotations (4,), in the body's axes, that bring limbs from their rest pose (e.g. an A-pose) to our T-pose.

    Hands rotate with the forearm. By default, for measuring, every bone continues from the rotation of the bone above
    it, and feet are set flat and straight ahead.

    place: our name -> position (3,).
    own: ``axes`` of the body.
    bones: our names of the joints whose rotations are wanted.
    as_built: for keys. Every bone takes its own shortest rotation, which keeps the roll that its skin was modelled
        with. Feet keep their rest pose, which is part of how the rig is built.
    """
    found = {}
    for side in SIDES:
        for chain in CHAINS:
            names = [f"{side}_{part}" for part in chain]
            fix = np.array(quat.IDENTITY)
            for upper, lower in pairwise(names):
                if upper not in bones or lower not in place or (as_built and lower.endswith("foot")):
                    break
                bone = place[lower] - place[upper]
                ours = quat.rotate(own, OFFSETS[JOINTS.index(lower)])
                if as_built:
                    fix = quat.between(bone, ours)
                elif lower.endswith("foot"):
                    fix = _flat(bone, ours, own, fix)
                else:
                    fix = quat.mul(quat.between(quat.rotate(fix, bone), ours), fix)
                found[upper] = fix
            last = names[-1]
            if last in bones and not (as_built and last.endswith("foot")):
                found[last] = fix
    return found


def t_posed(joints: Joints, rest: Pose) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """World rotations (4,) of a source's bones in our T-pose, and the rotation (4,) from our axes to the source's.

    The bones go by our names; those of the spine are ``_spine0``, ``_spine1`` and so on.

    joints: which joint of the source is which of ours.
    rest: a T-pose, or a pose close to one.

    Raises FootlightError as ``axes`` does.
    """
    place = {name: rest.places[k] for name, k in joints.places.items()}
    own = axes(place)
    turned = {name: rest.turns[k] for name, k in joints.turns.items()}
    turned |= {f"_spine{i}": rest.turns[k] for i, k in enumerate(joints.spine)}
    for name, fix in straighten(place, own, joints.turns.keys()).items():
        turned[name] = quat.mul(fix, turned[name])
    return turned, own


def _flat(bone: np.ndarray, ours: np.ndarray, own: np.ndarray, leg: np.ndarray) -> np.ndarray:
    """The rotation (4,) that sets a foot flat and straight ahead.

    If the legs stand apart, the feet of some rigs are flat on the floor and those of others are in line with the leg.
    Whichever assumption makes the foot point ahead is taken. The slope of a flat foot depends on the height of its
    ankle, so it is not compared with ours. Only a foot that hangs steeply is lifted.

    bone: (3,) the foot at rest.
    ours: (3,) our foot, in the body's axes.
    own: ``axes`` of the body.
    leg: (4,) the rotation that makes the shin vertical.
    """
    across, up = quat.rotate(own, np.array(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))))
    with_leg = quat.rotate(leg, bone)
    length = np.linalg.norm(bone)
    if abs((bone * across).sum()) < abs((with_leg * across).sum()) - 1e-6 * length:
        leg, with_leg = np.array(quat.IDENTITY), bone
    level = with_leg - (with_leg * up).sum() * up
    if np.linalg.norm(level) < 0.5 * length:
        return quat.mul(quat.between(with_leg, ours), leg)
    return quat.mul(quat.between(level, ours - (ours * up).sum() * up), leg)

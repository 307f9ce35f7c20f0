"""How another body stands at rest, and the turns from there to our T-pose.

Places are given by our joints' names, in the body's own axes and unit. All rotations are quaternions wxyz.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..errors import FootlightError
from . import quaternion as quat
from .skeleton import JOINTS, OFFSETS

SIDES = ("left", "right")
CHAINS = (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist"))
"""The joints of a leg and of an arm, from the trunk outwards."""

NEARLY = np.cos(np.radians(20.0))
"""Cosine of the angle by which the hips of a symmetric body may be turned from an axis through sloppy modelling."""


@dataclass(frozen=True)
class Joints:
    """Which world transforms of a source are which joint of ours: indices by our names, and the spine's in order."""

    places: dict[str, int]
    turns: dict[str, int]
    spine: tuple[int, ...]


@dataclass(frozen=True)
class Pose:
    """How a source's joints stand at one moment: world rotations (k, 4) and positions (k, 3)."""

    turns: np.ndarray
    places: np.ndarray


def axes(place: dict[str, np.ndarray]) -> np.ndarray:
    """The rotation (4,) that turns our T-pose's axes (x left, y up, z ahead) to those of a body at rest.

    Up is an axis of the body's own; the heading is free. place: hips, ankles and shoulders are looked at.
    Raises FootlightError for a body without width or height.
    """
    hips, ankles = (place[f"left_{part}"] + place[f"right_{part}"] for part in ("hip", "ankle"))
    shoulders = place["left_shoulder"] + place["right_shoulder"]
    tall = shoulders - ankles
    up = np.zeros_like(tall)
    axis = int(np.abs(tall).argmax())
    up[axis] = np.sign(tall[axis])
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

    It is made of quarter turns where the body faces along an axis, however skewed its hips are. place: as ``axes``;
    raises as ``axes``.
    """
    left, up, _ = quat.rotate(axes(place), np.eye(3))
    up = np.round(up)  # one of the body's axes; rotating left a rounding error
    longest = np.abs(left).argmax()
    if np.abs(left[longest]) > NEARLY:
        left = np.eye(3)[longest] * np.sign(left[longest])
    return np.stack((left, up, np.cross(left, up)))


def straighten(
    place: dict[str, np.ndarray], own: np.ndarray, bones: Collection[str], as_built: bool = False
) -> dict[str, np.ndarray]:
    """The turns (4,), in the body's axes, that bring limbs from how they rest (an A-pose, say) to our T-pose.

    place: where joints are.  own: ``axes`` of the body.  bones: the joints whose bones are wanted, by our names.
    Hands go with the forearm. For measuring, every bone goes on from where the one above it took it, and feet are set
    flat and straight ahead. as_built: for keys, every bone takes the shortest way of its own, which keeps the roll
    that its skin was modelled with, and feet are left alone: how they rest is the rig's build, not its pose.
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
    """World rotations (4,) that a source's bones would have in our T-pose, by our names and ``_spine0``, ``_spine1``
    ...; and the rotation (4,) from our axes to the source's in that pose.

    rest: a pose that is, or resembles, a T-pose. Raises FootlightError as ``axes``.
    """
    place = {name: rest.places[k] for name, k in joints.places.items()}
    own = axes(place)
    turned = {name: rest.turns[k] for name, k in joints.turns.items()}
    turned |= {f"_spine{i}": rest.turns[k] for i, k in enumerate(joints.spine)}
    for name, fix in straighten(place, own, joints.turns.keys()).items():
        turned[name] = quat.mul(fix, turned[name])
    return turned, own


def _flat(bone: np.ndarray, ours: np.ndarray, own: np.ndarray, leg: np.ndarray) -> np.ndarray:
    """The turn (4,) that sets a foot flat and straight ahead. leg: the turn that sets its shin upright.

    Under legs that stand apart some rigs have flat feet, others feet in line with the leg; the foot tells by pointing
    ahead. A foot that stands flat is flat on any body, however high its ankle, so its slope is not compared with ours;
    only one that hangs steeply is lifted.
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

"""Bones that share the turn of two others: of a spine or a neck with more bones than ours, and bones that twist.

A spine bends in all of its bones, and not at three of them alone. A forearm's skin is twisted along its length by the
bones between elbow and wrist, whether these carry the hand or hang beside it. An upper arm's skin is twisted by bones
beside it too: those near the shoulder do not twist with the arm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from . import quaternion as quat
from .skeleton import JOINTS, SIDES, Skeleton

TRUNK = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
"""The joints of spine and neck, from below."""

TWISTED = tuple(
    (f"{side}_{upper}", f"{side}_{lower}") for side in SIDES for upper, lower in (("elbow", "wrist"), ("knee", "ankle"))
)
"""Where the joint below may turn about the bone that leads to it."""

SWUNG = tuple(
    (above, f"{side}_{upper}", f"{side}_{lower}")
    for side in SIDES
    for above, upper, lower in ((f"{side}_collar", "shoulder", "elbow"), ("pelvis", "hip", "knee"))
)
"""What carries a limb, where it starts, and where its first bone ends. Bones beside this one twist less than it."""

_TWIST = re.compile("twist|roll|捩", re.I)
_NEAR = 0.05  # share below which a bone goes along with the one above


@dataclass(frozen=True)
class Share:
    """How a bone turns between two others.

    above, below: the joints of the two, as indices into JOINTS.
    share: of the way from the one to the other, in [0, 1].
    axis: (3,) about which it turns alone; None for any.
    swings: whether it goes along with the one below, and only its twist about the axis is shared.
    """

    above: int
    below: int
    share: float
    axis: np.ndarray | None = None
    swings: bool = False

    def of(self, above: np.ndarray, below: np.ndarray) -> np.ndarray:
        """How the bone is turned (t, 4) where the two are turned by ``above`` and ``below`` (t, 4), from rest."""
        if self.axis is None:
            return quat.mix(above, below, self.share)
        whole = quat.mul(quat.conjugate(above), below)
        angle = np.unwrap(2.0 * np.arctan2(whole[:, 1:] @ self.axis, whole[:, 0]))
        angle -= 2.0 * np.pi * np.round(np.median(angle) / (2.0 * np.pi))
        half = 0.5 * (self.share - self.swings) * angle[:, None]
        twist = np.concatenate((np.cos(half), np.sin(half) * self.axis), axis=-1)
        return quat.mul(below if self.swings else above, twist)


def shares(skeleton: Skeleton[np.ndarray], bones: Mapping[str, int]) -> dict[int, Share]:
    """The bones of a rig that share, and how; those above come before those below.

    bones: our joint -> the index of the bone that moves with it.
    """
    found = _bends(skeleton, bones) | _twists_below(skeleton, bones) | _twists_beside(skeleton, bones)
    return {bone: found[bone] for bone in sorted(found)}


def _bends(skeleton: Skeleton[np.ndarray], bones: Mapping[str, int]) -> dict[int, Share]:
    """The bones of spine and neck between those that move with our joints."""
    found: dict[int, Share] = {}
    for lower, upper in pairwise([joint for joint in TRUNK if joint in bones]):
        line = _between(skeleton, bones[lower], bones[upper])
        line = [bone for bone in line if not _carries_more(skeleton, bone, bones[upper], bones)]
        for i, bone in enumerate(line, 1):
            found[bone] = Share(JOINTS.index(lower), JOINTS.index(upper), i / (len(line) + 1))
    return found


def _twists_below(skeleton: Skeleton[np.ndarray], bones: Mapping[str, int]) -> dict[int, Share]:
    """The bones between elbow and wrist, or knee and ankle, and those beside them: they twist with the hand or foot."""
    found: dict[int, Share] = {}
    heads = skeleton.rest_positions()
    for upper, lower in TWISTED:
        if upper not in bones or lower not in bones:
            continue
        start, end = bones[upper], bones[lower]
        axis = heads[end] - heads[start]
        length = np.linalg.norm(axis)
        if not length > 0:
            continue
        line = _between(skeleton, start, end)
        beside = [bone for above in (start, *line) for bone in skeleton.children(above) if _twists(skeleton, bone)]
        for bone in dict.fromkeys((*line, *beside)):
            share = float(np.clip((heads[bone] - heads[start]) @ axis / length**2, 0.0, 1.0))
            if share > _NEAR and bone not in bones.values():
                found[bone] = Share(JOINTS.index(upper), JOINTS.index(lower), share, axis / length)
    return found


def _twists_beside(skeleton: Skeleton[np.ndarray], bones: Mapping[str, int]) -> dict[int, Share]:
    """The bones beside an upper arm or a thigh: they go along with it, and twist the less the nearer to the trunk."""
    found: dict[int, Share] = {}
    heads = skeleton.rest_positions()
    for carrier, upper, lower in SWUNG:
        above = carrier if carrier in bones else next((one for one in reversed(TRUNK[:4]) if one in bones), None)
        if above is None or upper not in bones or lower not in bones:
            continue
        start = bones[upper]
        axis = heads[bones[lower]] - heads[start]
        length = np.linalg.norm(axis)
        for bone in skeleton.children(start) if length > 0 else ():
            share = float(np.clip((heads[bone] - heads[start]) @ axis / length**2, 0.0, 1.0))
            if _twists(skeleton, bone) and bone not in bones.values() and share < 1.0 - _NEAR:
                found[bone] = Share(JOINTS.index(above), JOINTS.index(upper), share, axis / length, swings=True)
    return found


def _between(skeleton: Skeleton, above: int, below: int) -> list[int]:
    """The bones between two, from above; none where the one does not carry the other."""
    line = skeleton.ancestors(below)[1:]
    return line[: line.index(above)][::-1] if above in line else []


def _carries_more(skeleton: Skeleton, bone: int, below: int, bones: Mapping[str, int]) -> bool:
    """Whether a bone carries a joint of ours that does not hang on the one ``below``, such as a leg."""
    lines = (skeleton.ancestors(joint) for joint in bones.values())
    return any(bone in line and below not in line for line in lines)


def _twists(skeleton: Skeleton, bone: int) -> bool:
    return not skeleton.children(bone) and _TWIST.search(skeleton.names[bone]) is not None

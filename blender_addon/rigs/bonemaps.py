"""Which bone moves with which joint, for every kind of rig that Footlight knows by its bones' names.

A map is a tuple of bone names in the order of ``body.JOINTS``; None where a rig has no such bone.
"""

from __future__ import annotations

from collections.abc import Iterable

from .body import JOINTS

FOOTLIGHT = (
    "pelvis", "thigh.L", "thigh.R", "spine1", "shin.L", "shin.R", "spine2", "foot.L", "foot.R", "spine3", "toe.L",
    "toe.R", "neck", "collar.L", "collar.R", "head", "upper_arm.L", "upper_arm.R", "forearm.L", "forearm.R", "hand.L",
    "hand.R",
)  # fmt: skip

MIXAMO = tuple(
    f"mixamorig:{name}"
    for name in (
        "Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot", "RightFoot", "Spine2",
        "LeftToeBase", "RightToeBase", "Neck", "LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm",
        "LeftForeArm", "RightForeArm", "LeftHand", "RightHand",
    )
)  # fmt: skip

SMPL = tuple(JOINTS)

MAPS = {"the Footlight dancer": FOOTLIGHT, "Mixamo": MIXAMO, "SMPL": SMPL}

NEEDED = (0, 1, 2, 4, 5, 7, 8, 16, 17, 18, 19)
"""Without pelvis, legs and arms a rig cannot dance; the other bones may be missing."""


def match(names: Iterable[str]) -> dict[int, str]:
    """Joint index -> bone name by the map that fits most of ``names``; empty when no map has all that is needed."""
    present = set(names)
    best: dict[int, str] = {}
    for bones in MAPS.values():
        found = {joint: bone for joint, bone in enumerate(bones) if bone in present}
        if all(joint in found for joint in NEEDED) and len(found) > len(best):
            best = found
    return best


def missing(names: Iterable[str]) -> list[str]:
    """The bones of the bundled dancer that are needed and not among ``names``, for a message."""
    present = set(names)
    return [FOOTLIGHT[joint] for joint in NEEDED if FOOTLIGHT[joint] not in present]

"""Which bone of a rig moves with which of our joints: found, put right by hand, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..errors import FootlightError
from . import humanoid, named_limbs, structure
from .skeleton import JOINTS, SIDES, Skeleton

FORMAT = "footlight-bones 1"

NOT_THERE = "-"
"""What a person chooses for a joint that the rig has no bone for."""

FOUR_LEGS = " (it stands on four legs)"
"""What ``Found.lacking`` says of an animal."""

_TRUNK = {
    "pelvis": "hips",
    "spine1": "lower spine",
    "spine2": "middle spine",
    "spine3": "chest",
    "neck": "neck",
    "head": "head",
}
WORDS = _TRUNK | {f"{side}_{part}": f"{side} {word}" for side in SIDES for part, word in named_limbs.LIMB_WORDS.items()}
"""Our joints as people call the bones that move with them, from the hips to the hands."""

OPTIONAL = {"spine1", "spine2", "spine3", "neck", "head"} | {
    f"{side}_{part}" for side in SIDES for part in named_limbs.OPTIONAL_PARTS
}
"""Joints that a rig may lack."""


@dataclass(frozen=True)
class Found:
    """What a rig is.

    bones: our joint -> the bone that moves with it.
    pelvis: the bone at which the legs meet.
    rule: the family of names that matched, or "structure"; "" where nothing did.
    lacking: how a sentence goes on that says what is missing; "" for a body.
    by_itself: as ``bones``, before a person chose any.
    """

    bones: dict[str, str] = field(default_factory=dict)
    pelvis: str = ""
    rule: str = ""
    lacking: str = ""
    by_itself: dict[str, str] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The share of our joints that have a bone, in [0, 1]."""
        return len(self.bones) / len(JOINTS)


def find(skeleton: Skeleton, chosen: Mapping[str, str] | None = None) -> Found:
    """What a rig is, by itself and by what a person has ``chosen``: our joint -> a bone, or ``NOT_THERE``.

    A bone that the rig lacks is no choice. A bone moves with one joint alone, the chosen one.
    """
    chosen = {j: bone for j, bone in (chosen or {}).items() if bone == NOT_THERE or bone in skeleton.names}
    try:
        matched = humanoid.match(skeleton)
    except FootlightError as error:
        near = {joint: skeleton.names[i] for joint, i in named_limbs.nearest(skeleton).items()}
        four = isinstance(error, humanoid.OnAllFours)
        found = Found(near, lacking=FOUR_LEGS if four else named_limbs.lacking(skeleton), by_itself=near)
    else:
        moved = {joint: skeleton.names[i] for joint, i in humanoid.movers(skeleton, matched).items()}
        found = Found(moved, skeleton.names[matched.joints["pelvis"]], matched.rule, by_itself=moved)
    return _corrected(skeleton, found, chosen) if chosen else found


def _corrected(skeleton: Skeleton, found: Found, chosen: dict[str, str]) -> Found:
    bones = {joint: bone for joint, bone in found.bones.items() if bone not in chosen.values()} | chosen
    bones = {joint: bones[joint] for joint in JOINTS if bones.get(joint, NOT_THERE) != NOT_THERE}
    hips = [skeleton.index(bones[j]) for j in ("left_hip", "right_hip") if j in bones]
    if len(hips) == 2 and "pelvis" not in bones and "pelvis" not in chosen:
        meeting = structure.meeting(skeleton, *hips)
        bones |= {} if meeting is None else {"pelvis": skeleton.names[meeting]}
    pelvis = bones.get("pelvis", "") if "pelvis" in chosen or not found.pelvis else found.pelvis
    return replace(found, bones=bones, pelvis=pelvis, lacking=_wrong(skeleton, bones))


def _wrong(skeleton: Skeleton, bones: dict[str, str]) -> str:
    """How a sentence goes on that says what is wrong with a choice of bones; "" for nothing."""
    if missing := [WORDS[joint] for joint in WORDS if joint not in bones and joint not in OPTIONAL]:
        return f" (the list of its bones has no {', no '.join(missing[:3])})"
    pair = named_limbs.broken_limb(
        skeleton, {joint: skeleton.index(bone) for joint, bone in bones.items()}, detached=True
    )
    if pair is None:
        return ""
    upper, lower = pair
    return f" ({bones[lower]}, its {WORDS[lower]}, does not hang on {bones[upper]}, its {WORDS[upper]})"


def to_json(bones: Mapping[str, str]) -> str:
    """A text that ``from_json`` reads.

    bones: our joint -> its bone.
    """
    listed = {joint: bones.get(joint) for joint in WORDS}
    return json.dumps({"format": FORMAT, "bones": listed}, indent=2, ensure_ascii=False) + "\n"


def from_json(text: str | bytes, names: tuple[str, ...]) -> dict[str, str]:
    """Our joint -> a bone, or ``NOT_THERE``, for the joints that a text of ``to_json`` lists.

    names: of the rig's bones.

    Raises FootlightError, saying what is wrong, for another text and for bones that the rig does not have.
    """
    try:
        told = json.loads(text)
        listed = told["bones"].items() if told["format"] == FORMAT else ()
    except (ValueError, TypeError, KeyError, AttributeError):
        listed = ()
    found = {joint: NOT_THERE if bone is None else bone for joint, bone in listed}
    if not found or not found.keys() <= WORDS.keys() or not all(isinstance(bone, str) for bone in found.values()):
        raise FootlightError("this is no list of bones; expected a file that was written by Export Bones")
    if strange := [bone for bone in found.values() if bone != NOT_THERE and bone not in names]:
        some = ", ".join(strange[:3]) + (" ..." if len(strange) > 3 else "")
        raise FootlightError(
            f"the list names {some}, which this rig does not have; "
            "expected a list that was made for a rig with the same bones"
        )
    return found

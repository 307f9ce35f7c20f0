"""Parts of the body by name."""

from __future__ import annotations

from ..errors import FootlightError
from ..rig.skeleton import JOINTS

__all__ = ["BODY_PARTS", "JOINTS", "SELECTIONS", "joints_of", "parse_parts"]

BODY_PARTS = {
    "legs": (
        "pelvis", "left_hip", "left_knee", "left_ankle", "left_foot", "right_hip", "right_knee", "right_ankle",
        "right_foot",
    ),
    "torso": ("spine1", "spine2", "spine3"),
    "head": ("neck", "head"),
    "left arm": ("left_collar", "left_shoulder", "left_elbow", "left_wrist"),
    "right arm": ("right_collar", "right_shoulder", "right_elbow", "right_wrist"),
}  # fmt: skip
"""The joints of each part. The path of the root and the contacts of the feet belong to the legs."""

SELECTIONS = {
    "all": tuple(BODY_PARTS),
    "upper": ("torso", "head", "left arm", "right arm"),
    "lower": ("legs",),
    "arms": ("left arm", "right arm"),
    **{name: (name,) for name in BODY_PARTS},
}
"""The parts that a word means. The lower body is the legs with the pelvis and its path."""


def parse_parts(text: str) -> tuple[str, ...]:
    """The parts, names of ``BODY_PARTS`` in their order, that a text means, such as "upper" or "left arm, head".

    Raises FootlightError for an unknown word.
    """
    found = set()
    for word in text.lower().replace("_", " ").split(","):
        name = " ".join(word.split())
        if name not in SELECTIONS:
            raise FootlightError(f"unknown part of the body {name!r}: choose among {', '.join(SELECTIONS)}")
        found |= set(SELECTIONS[name])
    return tuple(name for name in BODY_PARTS if name in found)


def joints_of(parts: tuple[str, ...]) -> tuple[int, ...]:
    """The indices in ``JOINTS`` of the joints of parts."""
    names = {joint for part in parts for joint in BODY_PARTS[part]}
    return tuple(index for index, name in enumerate(JOINTS) if name in names)

"""KEYS.json: poses of a dance that are hit exactly while the rest is made anew around them.

    {
      "format": "footlight-keys 1",
      "keys": [
        {"seconds": 12.5},
        {"frame": 402, "joints": "left arm, head"},
        {"seconds": 14, "rotations": {"left_elbow": [0.92, 0, -0.38, 0]}, "root": [0.4, 0.93, 1.1]}
      ]
    }

A key is at a second or at a frame of the dance that is edited. Without ``rotations`` and ``root``, the pose that the
dance has there is a key, of the whole body or of ``joints``. With them, only what they say is: local rotations of
joints of ``core.rig.skeleton.JOINTS`` as unit quaternions, wxyz, where the identity is the T-pose, and the position of
the pelvis in metres, y up.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field

from .. import records
from ..errors import FootlightError
from ..rig.skeleton import JOINTS
from .parts import parse_parts

FORMAT = "footlight-keys 1"
UNIT = 0.02  # by which the length of a quaternion may miss 1


@dataclass(frozen=True)
class Key:
    """A pose, or some of its joints.

    seconds, frame: when, one of the two.
    joints: parts of the body, as ``core.edits.parts.parse_parts`` reads them, whose pose in the dance is the key.
    rotations: joint -> local rotation (4,), wxyz.
    root: (3,) metres.

    Creating one raises FootlightError for other values.
    """

    seconds: float | None = None
    frame: int | None = None
    joints: str = "all"
    rotations: dict[str, tuple[float, ...]] = field(default_factory=dict)
    root: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.frame is None):
            raise FootlightError('a key is at "seconds" or at a "frame", one of the two')
        when = self.seconds if self.frame is None else self.frame
        if not (when is not None and math.isfinite(when) and when >= 0):
            raise FootlightError(f"a key is at {when}; expected 0 or more")
        parse_parts(self.joints)
        if self.posed and self.joints != "all":
            raise FootlightError(f"the key at {when:g} has both joints and a pose; the pose says which joints it is of")
        for joint, rotation in self.rotations.items():
            if joint not in JOINTS:
                raise FootlightError(f"unknown joint {joint!r}: choose among {', '.join(JOINTS)}")
            if len(rotation) != 4 or not abs(math.hypot(*rotation) - 1) <= UNIT:
                raise FootlightError(f"the rotation of {joint} is {list(rotation)}; expected a unit quaternion, wxyz")
        if self.root is not None and (len(self.root) != 3 or not all(map(math.isfinite, self.root))):
            raise FootlightError(f"the root is {list(self.root)}; expected x, y and z in metres")

    @property
    def posed(self) -> bool:
        """Whether it brings a pose of its own."""
        return bool(self.rotations) or self.root is not None


@dataclass(frozen=True)
class _File:
    keys: tuple[Key, ...]
    format: str = FORMAT


def from_json(text: str | bytes) -> tuple[Key, ...]:
    """The keys of a text. Raises FootlightError, saying what is wrong and where, for anything else."""
    keys = records.from_text(_File, text, "keys", FORMAT, "keys as docs/edits.md shows them").keys
    if not keys:
        raise FootlightError("there are no keys; expected one or more")
    return keys


def to_json(keys: tuple[Key, ...]) -> str:
    """A text that ``from_json`` reads."""

    def told(key: Key) -> dict:
        values = {name: value for name, value in records.to_json(key).items() if value not in (None, {})}
        return {name: value for name, value in values.items() if (name, value) != ("joints", "all")}

    lines = ",\n".join(f"    {json.dumps(told(key))}" for key in keys)
    return f'{{\n  "format": {json.dumps(FORMAT)},\n  "keys": [\n{lines}\n  ]\n}}\n'

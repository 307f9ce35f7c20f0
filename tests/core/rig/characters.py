"""Characters of many rig families, rebuilt from the names, parents and places of their bones.

A family is a tree in text: a bone a line, below its parent, with the place where it starts. Places are our joints, or
points between two of them. A line of the left side stands for both sides.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.rig import quaternion as quat
from core.rig.skeleton import JOINTS, TIPS, Skeleton, standing

SIDED = {"hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist", "tip", "ball"}
"""Places that the left and the right have; "tip" is the end of the hand, "ball" that of the toes."""

FOLLOWING = {"ankle": "foot", "knee": "ankle", "elbow": "wrist"}
"""Where a bone ends on which nothing hangs."""

FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


@dataclass(frozen=True)
class Build:
    """How a character is built and stands.

    thigh, shin, arm, wide: lengths of thighs, shins and arms, and the width of the hips, relative to ours.
    hang: degrees by which the arms hang; 0 is a T-pose.
    straddle: degrees by which each leg is spread.
    bent: degrees by which elbows and knees are bent.
    """

    thigh: float = 1.0
    shin: float = 1.0
    arm: float = 1.0
    wide: float = 1.0
    hang: float = 0.0
    straddle: float = 0.0
    bent: float = 0.0


@dataclass(frozen=True)
class Character:
    """A rig of a family.

    names, parents: of its bones, parents first; -1 for none.
    heads, tails: (n, 3) where they start and end, metres, y up, facing +z.
    joints: our joint -> its bone, as a person would say.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    heads: np.ndarray
    tails: np.ndarray
    joints: dict[str, str] = field(default_factory=dict)

    @property
    def skeleton(self) -> Skeleton[np.ndarray]:
        """Its bones as a tree of joints."""
        above = np.array([self.heads[p] if p >= 0 else np.zeros(3) for p in self.parents])
        ends = set(range(len(self.names))) - set(self.parents)
        tips = {self.names[i]: self.tails[i] - self.heads[i] for i in ends}
        return Skeleton(self.names, self.parents, self.heads - above, tips)

    def nameless(self) -> Character:
        """The same character, whose names say nothing."""
        names = tuple(f"bone{i:03d}" for i in range(len(self.names)))
        hidden = dict(zip(self.names, names, strict=True))
        return replace(self, names=names, joints={j: hidden[name] for j, name in self.joints.items()})


def places(build: Build) -> dict[str, np.ndarray]:
    """Where the joints of a body of this build are at rest, standing on the floor, metres."""
    at = dict(zip(JOINTS, standing(), strict=True))
    at |= {"top": at["head"] + TIPS["head"]}
    for side in ("left", "right"):
        at |= {f"{side}_tip": at[f"{side}_wrist"] + TIPS[f"{side}_wrist"]}
        at |= {f"{side}_ball": at[f"{side}_foot"] + TIPS[f"{side}_foot"]}
    found = {name: place.copy() for name, place in at.items()}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        hip = at[f"{side}_hip"] * (build.wide, 1.0, 1.0)
        spread, bend = _about(2, sign * build.straddle), _about(0, build.bent)
        found[f"{side}_hip"] = hip
        found[f"{side}_knee"] = hip + quat.rotate(spread, (at[f"{side}_knee"] - at[f"{side}_hip"]) * build.thigh)
        shin = quat.rotate(quat.mul(spread, bend), (at[f"{side}_ankle"] - at[f"{side}_knee"]) * build.shin)
        found[f"{side}_ankle"] = found[f"{side}_knee"] + shin
        for end in ("foot", "ball"):
            found[f"{side}_{end}"] = found[f"{side}_ankle"] + at[f"{side}_{end}"] - at[f"{side}_ankle"]
        hang, fold = _about(2, -sign * build.hang), _about(1, -sign * build.bent)
        for upper, lower, turn in (
            ("shoulder", "elbow", hang),
            ("elbow", "wrist", quat.mul(hang, fold)),
            ("wrist", "tip", quat.mul(hang, fold)),
        ):
            bone = (at[f"{side}_{lower}"] - at[f"{side}_{upper}"]) * build.arm
            found[f"{side}_{lower}"] = found[f"{side}_{upper}"] + quat.rotate(turn, bone)
    down = min(found[f"{side}_ankle"][1] for side in ("left", "right")) - at["left_ankle"][1]
    return {name: place - (0.0, down, 0.0) for name, place in found.items()} | {"floor": np.zeros(3)}


def _about(axis: int, degrees: float) -> np.ndarray:
    half = math.radians(degrees) / 2
    return np.array((math.cos(half), *(math.sin(half) * np.eye(3)[axis])))


def character(tree: str, build: Build | None = None) -> Character:
    """The character of a family's ``tree``.

    A line is ``name = place``. The place is a joint, which the bone then is; ``@joint``, where it only starts; or
    ``joint~joint share`` for a point between. ``joint: place`` is a joint that starts elsewhere. ``fingers name`` hangs
    five fingers of three bones on a hand.
    """
    at = places(build or Build())
    rows: list[tuple[str, int, np.ndarray]] = []
    joints: dict[str, str] = {}
    line: dict[int, int] = {-1: -1}  # depth -> the bone last seen there
    for side, depth, name, spec in _lines(tree):
        above = line[depth - 1]
        if name.startswith("fingers "):
            rows += _fingers(name.removeprefix("fingers "), side, above, len(rows), at)
            continue
        joint, _, elsewhere = spec.partition(": ")
        joint, spec = joint if joint in JOINTS else f"{side}_{joint}", elsewhere or spec
        if joint in JOINTS:
            joints[joint] = name
        line[depth] = len(rows)
        rows.append((name, above, _place(spec, side, at)))
    names, parents, heads = zip(*rows, strict=True)
    assert len(set(names)) == len(names), "names of bones are unique"
    tails = _tails(parents, np.array(heads), {names.index(name): joint for joint, name in joints.items()}, at)
    return Character(names, parents, np.array(heads), tails, {j: joints[j] for j in JOINTS if j in joints})


def _tails(parents: tuple[int, ...], heads: np.ndarray, joints: dict[int, str], at: dict) -> np.ndarray:
    """Where bones end (n, 3): at the next joint of ours below, at the end of a hand, foot or head, else a little on."""
    tails = heads + np.array((0.0, 0.05, 0.0))
    ends = {"wrist": "tip", "foot": "ball", "head": "top"}
    for bone in range(len(heads)):
        below = [i for i, parent in enumerate(parents) if parent == bone]
        side, _, part = joints.get(bone, "").rpartition("_")
        if part in ends:
            tails[bone] = at[f"{side}_{ends[part]}" if side else ends[part]]
        elif part in FOLLOWING and not below:
            tails[bone] = at[f"{side}_{FOLLOWING[part]}"]
        elif not below and parents[bone] >= 0:
            along = heads[bone] - heads[parents[bone]]
            tails[bone] = heads[bone] + (0.05 * along / np.linalg.norm(along) if along.any() else (0.0, 0.05, 0.0))
        elif far := max((i for i in below if np.any(heads[i] != heads[bone])), key=lambda i: i in joints, default=None):
            tails[bone] = heads[far]
    return tails


def _lines(tree: str) -> list[tuple[str, int, str, str]]:
    """Side, depth, name and place of every bone; those of both sides come twice, branch by branch."""
    found: list[tuple[str, int, str, str]] = []
    branch: list[tuple[int, str, str]] = []

    def both() -> None:
        for side in ("left", "right") if branch else ():
            found.extend((side, depth, _sided(name, side), place) for depth, name, place in branch)
        branch.clear()

    for text in tree.strip("\n").splitlines():
        name, _, place = text.strip().partition(" = ")
        depth = len(text) - len(text.lstrip())
        if branch and depth <= branch[0][0]:
            both()
        if branch or "{" in name:
            branch.append((depth, name, place))
        else:
            found.append(("", depth, name, place))
    both()
    return found


def _sided(name: str, side: str) -> str:
    words = {"side": side, "Side": side.title(), "s": side[0], "S": side[0].upper(), "左": "左右"[side == "right"]}
    return re.sub(r"\{(side|Side|s|S|左)\}", lambda found: words[found[1]], name)


def _place(spec: str, side: str, at: dict[str, np.ndarray]) -> np.ndarray:
    def known(name: str) -> np.ndarray:
        return at[f"{side}_{name}" if name in SIDED else name]

    spec = spec.removeprefix("@")
    if "~" not in spec:
        return known(spec).copy()
    ends, share = spec.split()
    first, last = (known(name) for name in ends.split("~"))
    return first + float(share) * (last - first)


def _fingers(pattern: str, side: str, hand: int, first: int, at: dict[str, np.ndarray]) -> list:
    wrist, tip = at[f"{side}_wrist"], at[f"{side}_tip"]
    rows = []
    for i, finger in enumerate(FINGERS):
        for part in range(3):
            name = pattern.replace("{Finger}", finger).replace("{finger}", finger.lower()).replace("{n}", str(part + 1))
            across = np.array((0.0, 0.0, 0.03 * (2 - i)))
            start = wrist + (tip - wrist) * (0.3 + 0.2 * part if finger == "Thumb" else 0.5 + 0.15 * part) + across
            rows.append((name, hand if part == 0 else first + len(rows) - 1, start))
    return rows


def trees() -> dict[str, str]:
    """Every family's tree, by its name, from ``characters.txt``: ``# name`` begins one."""
    text = Path(__file__).with_name("characters.txt").read_text(encoding="utf-8")
    parts = re.split(r"^# (.+)\n", text, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))

"""Finds our joints in another skeleton, by their names if these are known, else by the structure of the skeleton.

Only the limbs need names. The pelvis is where the legs meet and the chest where the arms meet. The spine lies between
the two, and the head above. This holds for every rig, whatever it calls these joints. Skeletons come from BVH files and
from armatures, with any axes and unit.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np

from ..errors import FootlightError
from .families import FAMILIES, HEADS, PREFIXES
from .skeleton import JOINTS, OFFSETS, Skeleton

_LEG = ("hip", "knee", "ankle", "foot")
_ARM = ("collar", "shoulder", "elbow", "wrist")
_OPTIONAL = ("foot", "collar", "wrist")
_WORDS = {
    "hip": "thigh", "knee": "shin", "ankle": "foot", "shoulder": "upper arm", "elbow": "forearm",
}  # fmt: skip
"""The required joints of a limb, as words for a message."""

MOST_LIMBS = 6  # long branches at one joint of a humanoid: two legs, two arms, a neck and perhaps a tail

_SIDES = {
    "left": "left",
    "l": "left",
    "lt": "left",
    "right": "right",
    "r": "right",
    "rt": "right",
    "左": "left",
    "右": "right",
}
_PARTS = {part for family in FAMILIES.values() for names in family for part in names}

COMMON = 0.6
"""Share of all names: a word at which more begin or end tells nothing about the joint."""

MOST_AFFIXES = 3
"""So many words are taken off each end of a name at most."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[左右]|[^\W\d_A-Za-z左右]+")


@dataclass(frozen=True)
class Match:
    """Which joints of a foreign skeleton are ours.

    joints: our name -> index of each joint that was found; always pelvis, chest (as spine3), hips, knees, ankles,
        shoulders and elbows.
    spine: indices from the pelvis to the chest, both included.
    neck: indices from the first joint above the chest to the last one below the head.
    carrier: index of the joint from which legs and chest descend, usually the pelvis.
    rule: the family of names that matched, or "structure".
    """

    joints: dict[str, int]
    spine: tuple[int, ...]
    neck: tuple[int, ...]
    carrier: int
    rule: str


def match(skeleton: Skeleton) -> Match:
    """Find our joints in a foreign skeleton.

    Raises FootlightError, saying what was found and what is missing, unless two arms and two legs share one trunk.
    """
    named = _by_name(skeleton)
    joints, rule = named if named is not None else (_by_structure(skeleton), "structure")
    if joints is None:
        first = ", ".join(skeleton.names[:6]) + (" ..." if skeleton.joints > 6 else "")
        raise FootlightError(
            f"a skeleton of {skeleton.joints} joints ({first or 'none'}) in which no two legs and arms could be found"
            f"{lacking(skeleton)}; expected a humanoid: rename its joints as Mixamo, VRM, Unreal or SMPL do"
        )
    return _with_torso(skeleton, joints, rule)


def movers(skeleton: Skeleton, found: Match) -> dict[str, int]:
    """Our name -> index of the joint of a foreign skeleton that is to move as ours does. No joint appears twice.

    The pelvis is the joint that carries legs and chest. The neck starts at the chest. A spine with more joints than
    ours bends where ours does; one with fewer lacks spine1 or spine2. A trunk of one piece moves with the pelvis.
    """
    joints = {name: index for name, index in found.joints.items() if name not in ("pelvis", "spine3", "neck")}
    chest = found.joints["spine3"]
    taken = {*joints.values(), found.carrier, chest}
    inner = [index for index in found.spine[1:-1] if index not in taken]
    joints |= {"pelvis": found.carrier} | _inner_spine(skeleton, found.spine, inner)
    if chest != found.carrier:
        joints["spine3"] = chest
    if found.neck:
        joints["neck"] = found.neck[0]
    return {name: joints[name] for name in JOINTS if name in joints}


def _inner_spine(skeleton: Skeleton, spine: tuple[int, ...], inner: list[int]) -> dict[str, int]:
    """Choose spine1 and spine2 among the joints between pelvis and chest, by their heights along the spine."""
    ours = np.cumsum([np.linalg.norm(OFFSETS[JOINTS.index(f"spine{i}")]) for i in (1, 2, 3)])
    first, second = ours[:2] / ours[2]
    bones = np.cumsum([_bone(skeleton, index) for index in spine[1:]])
    height = {index: bones[i] / max(bones[-1], 1e-9) for i, index in enumerate(spine[1:])}
    if not inner:
        return {}
    if len(inner) == 1:
        low = abs(height[inner[0]] - first) <= abs(height[inner[0]] - second)
        return {"spine1" if low else "spine2": inner[0]}
    low, high = min(combinations(inner, 2), key=lambda p: abs(height[p[0]] - first) + abs(height[p[1]] - second))
    return {"spine1": low, "spine2": high}


@lru_cache(maxsize=8192)
def side_and_part(name: str) -> tuple[str, str]:
    """Split a joint's name into its side ("left", "right" or "") and the rest.

    The rest is in lower case, without separators and known prefixes.
    """
    return _parsed(name)[1:]


@lru_cache(maxsize=8192)
def _parsed(name: str) -> tuple[str, str, str]:
    """Split a joint's name into (known prefixes, side, part)."""
    words = [word.lower() for word in _WORD.findall(name.rsplit(":", 1)[-1].rsplit("|", 1)[-1])]
    prefix = ""
    while len(words) > 1 and (words[0] in PREFIXES or words[0].isdigit()):
        prefix, words = prefix + words[0], words[1:]
    for at, word in enumerate(words):
        if word in _SIDES and len(words) > 1:
            return prefix, _SIDES[word], "".join(words[:at] + words[at + 1 :])
    joined = "".join(words)
    for letter, side in (("l", "left"), ("r", "right")):  # lfemur, rtibia
        if joined.startswith(letter) and any(joined[1:] in part for part in FAMILIES["acclaim"]):
            return prefix, side, joined[1:]
    for side in ("left", "right"):  # leftupleg
        if joined.startswith(side) and joined.removeprefix(side) in _PARTS:
            return prefix, side, joined.removeprefix(side)
    return prefix, "", joined


@lru_cache(maxsize=8)
def _plain_names(skeleton: Skeleton) -> tuple[str, ...]:
    """The names without the words that most of them begin or end with: a character's name, ``jnt``, ``001``."""
    words = [_WORD.findall(name) for name in skeleton.names]
    for end in (0, -1):
        for _ in range(MOST_AFFIXES):
            found = Counter(line[end].lower() for line in words if len(line) > 1)
            word, count = found.most_common(1)[0] if found else ("", 0)
            if count < COMMON * len(words) or word in _SIDES:
                break
            words = [_without(line, end) if line[end].lower() == word else line for line in words]
    plain = ("_".join(line) for line in words)
    return tuple(n if _WORD.findall(n) == line else p for n, p, line in zip(skeleton.names, plain, words, strict=True))


def _without(words: list[str], end: int) -> list[str]:
    if len(words) < 2:
        return words
    return words[1:] if end == 0 else words[:-1]


def _by_name(skeleton: Skeleton) -> tuple[dict[str, int], str] | None:
    """Limb joints by the family of names that finds the most, and that family. It must find all required joints."""
    best: tuple[dict[str, int], str] | None = None
    for at in _by_kind(skeleton):
        for family in FAMILIES:
            joints = _of_family(at, family)
            if (best is None or len(joints) > len(best[0])) and _sensible(skeleton, joints):
                best = joints, family
    return best


def _by_kind(skeleton: Skeleton) -> list[dict[tuple[str, str], int]]:
    """The first joint of each (side, part), over all names, and over the names of each prefix alone.

    Control rigs contain each limb several times. In Rigify, ORG- bones rotate as whole limbs, while DEF- bones are
    halves that share the twist.
    """
    everything: dict[tuple[str, str], int] = {}
    kinds: dict[str, dict[tuple[str, str], int]] = {}
    for index, name in enumerate(_plain_names(skeleton)):
        prefix, side, part = _parsed(name)
        everything.setdefault((side, part), index)
        kinds.setdefault(prefix, {}).setdefault((side, part), index)
    first = [kinds.pop("org")] if "org" in kinds else []
    return [*first, everything, *(kinds.values() if len(kinds) > 1 else ())]


def _of_family(at: dict[tuple[str, str], int], family: str) -> dict[str, int]:
    joints = {}
    for side in ("left", "right"):
        for role, names in zip(_LEG + _ARM, FAMILIES[family], strict=True):
            found = next((at[side, part] for part in names if (side, part) in at), None)
            if found is not None:
                joints[f"{side}_{role}"] = found
    return joints


def _sensible(skeleton: Skeleton, joints: dict[str, int]) -> bool:
    """Whether all required limb joints were found, each below the one before it, on one trunk."""
    return not _missing(joints) and _loose(skeleton, joints) is None


def _missing(joints: dict[str, int]) -> list[str]:
    """The required limb joints that were not found, as words."""
    return [
        f"{side} {_WORDS[role]}"
        for side in ("left", "right")
        for role in _LEG + _ARM
        if role not in _OPTIONAL and f"{side}_{role}" not in joints
    ]


def _loose(skeleton: Skeleton, joints: dict[str, int]) -> tuple[int, int] | None:
    """Two joints that are not connected as they should be, or None.

    Either the second should descend from the first, or both from one trunk.
    """
    for side in ("left", "right"):
        for chain in (_LEG, _ARM):
            present = [joints[f"{side}_{role}"] for role in chain if f"{side}_{role}" in joints]
            for upper, lower in pairwise(present):
                if upper not in skeleton.ancestors(lower)[1:]:
                    return upper, lower
    hips, shoulders = ([joints[f"{side}_{part}"] for side in ("left", "right")] for part in ("hip", "shoulder"))
    for other in (hips[1], *shoulders):
        if _meeting(skeleton, hips[0], other) is None:
            return hips[0], other
    return None if _meeting(skeleton, *shoulders) is not None else (shoulders[0], shoulders[1])


def lacking(skeleton: Skeleton) -> str:
    """What the best matching family of names finds and lacks, in brackets for a message; "" if none matches."""
    joints = _nearest(skeleton)
    if len(joints) < 2:
        return ""
    names = sorted(joints.values())
    there = ", ".join(skeleton.names[index] for index in names[:3]) + (" ..." if len(names) > 3 else "")
    if missing := _missing(joints):
        return f" (there are {there}, but no {', no '.join(missing[:3])})"
    upper, lower = _loose(skeleton, joints) or (names[0], names[-1])
    return f" (there are {there}, but {skeleton.names[lower]} does not hang on the trunk by {skeleton.names[upper]})"


def counterparts(skeleton: Skeleton) -> tuple[str, ...]:
    """What the other side calls the joints that ``lacking`` tells of, as far as it has them; at most three."""
    joints = _nearest(skeleton)
    pairs = [
        (f"{side}_{role}", f"{other}_{role}")
        for side, other in (("left", "right"), ("right", "left"))
        for role in _LEG + _ARM
        if role not in _OPTIONAL
    ]
    return tuple(skeleton.names[joints[there]] for lost, there in pairs if lost not in joints and there in joints)[:3]


def _nearest(skeleton: Skeleton) -> dict[str, int]:
    """Limb joints by the family of names that finds the most, whether they will do or not."""
    tries = [_of_family(at, family) for at in _by_kind(skeleton) for family in FAMILIES]
    return max(tries, key=lambda joints: (len(joints), -len(_missing(joints))))


def _meeting(skeleton: Skeleton, a: int, b: int) -> int | None:
    """The nearest common ancestor of two joints; None if they have different roots."""
    others = set(skeleton.ancestors(b)[1:])
    return next((joint for joint in skeleton.ancestors(a)[1:] if joint in others), None)


def _with_torso(skeleton: Skeleton, joints: dict[str, int], rule: str) -> Match:
    joints = dict(joints)
    pelvis = _meeting(skeleton, joints["left_hip"], joints["right_hip"])
    arms = [joints.get(f"{side}_collar", joints[f"{side}_shoulder"]) for side in ("left", "right")]
    chest = _meeting(skeleton, *arms)
    assert pelvis is not None and chest is not None, "limbs are chosen so that they meet"
    line = skeleton.ancestors(chest)
    while "neck" in side_and_part(skeleton.names[chest])[1] and skeleton.parents[chest] != pelvis and len(line) > 2:
        chest = skeleton.parents[chest]  # in some rigs the neck is the parent of the arms
        line = skeleton.ancestors(chest)
    if pelvis in line:
        top = pelvis
        spine = tuple(reversed(line[: line.index(pelvis) + 1]))
    else:  # legs and spine descend from one joint above both
        top = chest if chest in skeleton.ancestors(pelvis) else _meeting(skeleton, pelvis, chest)
        assert top is not None, "limbs are chosen so that they meet"
        spine = (pelvis, *reversed(line[: line.index(top)]))
    joints["pelvis"], joints["spine3"] = pelvis, chest
    head = _head(skeleton, joints, chest)
    neck: tuple[int, ...] = ()
    if head is not None:
        joints["head"] = head
        above = skeleton.ancestors(head)[1:]
        neck = tuple(reversed(above[: above.index(chest)])) if chest in above else ()
        if neck:
            joints["neck"] = neck[-1]
    for side in ("left", "right"):
        joints |= _hand_and_toe(skeleton, joints, side)
    return Match(joints, spine, neck, top, rule)


def _head(skeleton: Skeleton, joints: dict[str, int], chest: int) -> int | None:
    """The head's joint, by name or by structure.

    A joint with the name of a head descends from the chest or, in control rigs, stands beside it. Without one, the head
    is on the longest branch of the chest that carries no limb.
    """
    named = [i for names in HEADS for i, name in enumerate(_plain_names(skeleton)) if side_and_part(name)[1] in names]
    limbs = {joints[f"{side}_{part}"] for side in ("left", "right") for part in ("hip", "shoulder")}
    for index in named:
        if chest in skeleton.ancestors(index)[1:]:
            return index
    for index in named:
        if not limbs & {*skeleton.ancestors(index)} and _meeting(skeleton, index, chest) is not None:
            return index
    arms = {joints.get(f"{side}_collar", joints[f"{side}_shoulder"]) for side in ("left", "right")}
    branches = [c for c in skeleton.children(chest) if not any(c in skeleton.ancestors(arm) for arm in arms)]
    branches = [c for c in branches if not any(c in skeleton.ancestors(limb) for limb in limbs)]
    if not branches:
        return None
    chain = max((_main_chain(skeleton, branch) for branch in branches), key=lambda c: _length(skeleton, c))
    return chain[min(1, len(chain) - 1)]


def _hand_and_toe(skeleton: Skeleton, joints: dict[str, int], side: str) -> dict[str, int]:
    """Find a wrist or toe joint without a known name: the longest bone below the elbow or the ankle ends there."""
    found = {}
    for above, role in ((f"{side}_elbow", f"{side}_wrist"), (f"{side}_ankle", f"{side}_foot")):
        children = skeleton.children(joints[above])
        if role not in joints and children:
            far = max(children, key=lambda c: _bone(skeleton, c))
            if _bone(skeleton, far) > 0:
                found[role] = far
    return found


def _main_chain(skeleton: Skeleton, start: int) -> list[int]:
    """The joints from ``start`` down to the one that is farthest along the bones."""
    chain, below = [start], _ways_down(skeleton)
    while below[chain[-1]] >= 0:
        chain.append(below[chain[-1]])
    return chain


@lru_cache(maxsize=8)
def _bones(skeleton: Skeleton) -> tuple[float, ...]:
    """Lengths (j,) of the bones that end at each joint."""
    return tuple(np.linalg.norm(np.asarray(skeleton.offsets, dtype=float), axis=-1).tolist())


def _bone(skeleton: Skeleton, joint: int) -> float:
    return _bones(skeleton)[joint]


@lru_cache(maxsize=8)
def _ways_down(skeleton: Skeleton) -> tuple[int, ...]:
    """For each joint (j,), the child on the way to the farthest joint below it; -1 at the ends."""
    far, below = [0.0] * skeleton.joints, [-1] * skeleton.joints
    for joint in range(skeleton.joints - 1, -1, -1):
        parent, reach = skeleton.parents[joint], far[joint] + _bone(skeleton, joint)
        if parent >= 0 and reach > 0 and reach >= far[parent]:
            far[parent], below[parent] = reach, joint
    return tuple(below)


def _length(skeleton: Skeleton, chain: list[int]) -> float:
    return sum(_bone(skeleton, joint) for joint in chain[1:])


def _by_structure(skeleton: Skeleton) -> dict[str, int] | None:
    """Find the limbs by structure: legs are the equally long branches nearest the root, arms the longest pair above."""
    pairs = []  # (depth, joint, branch, branch, length)
    for joint in range(skeleton.joints):
        branches = [_main_chain(skeleton, child) for child in skeleton.children(joint)]
        branches = [chain for chain in branches if len(chain) >= 3]
        reach = [_length(skeleton, [joint, *chain]) for chain in branches]
        if sum(length > 0.5 * max(reach) for length in reach) > MOST_LIMBS:
            continue
        for a, b in combinations(branches, 2):
            shorter, longer = sorted((_length(skeleton, [joint, *a]), _length(skeleton, [joint, *b])))
            if longer > 0 and shorter > 0.9 * longer:
                pairs.append((len(skeleton.ancestors(joint)), joint, [joint, *a], [joint, *b], longer))
    best: tuple[float, dict[str, int]] | None = None
    for legs, arms in ((x, y) for x in pairs for y in pairs if x is not y):
        own = {*legs[2][1:], *legs[3][1:]}
        if own & set(skeleton.ancestors(arms[1])) or own & {*arms[2], *arms[3]} or arms[0] < legs[0]:
            continue
        score = legs[4] + arms[4]
        if best is None or score > best[0]:
            joints = _limbs_of(skeleton, legs[2:4], arms[2:4])
            if joints is not None and _sensible(skeleton, joints):
                best = score, joints
    return None if best is None else best[1]


def _limbs_of(skeleton: Skeleton, legs, arms) -> dict[str, int] | None:
    rest = np.asarray(skeleton.rest_positions(), dtype=float)
    leg_roles = [_split(skeleton, chain) for chain in legs]
    arm_roles = [_split(skeleton, chain) for chain in arms]
    for one, other in (leg_roles, arm_roles):
        for a, b in zip(one[1:3], other[1:3], strict=True):
            shorter, longer = sorted((_bone(skeleton, a), _bone(skeleton, b)))
            if shorter < 0.7 * longer:
                return None  # one side lacks a joint: its limb is as long, but bends elsewhere
    up = rest[arms[0][0]] - rest[[leg[2] for leg in leg_roles]].mean(0)
    forward = sum((_ahead(rest, skeleton, leg) for leg in leg_roles), np.zeros(3))
    left = np.cross(up, forward)
    if np.linalg.norm(left) < 1e-6:
        return None
    joints = {}
    for roles, names in ((leg_roles, _LEG[:3]), (arm_roles, _ARM[1:])):
        ends = [rest[chain[2]] @ left for chain in roles]
        for chain, side in zip(roles, ("left", "right") if ends[0] > ends[1] else ("right", "left"), strict=True):
            joints |= {f"{side}_{name}": joint for name, joint in zip(names, chain[:3], strict=True)}
    return joints


def _ahead(rest: np.ndarray, skeleton: Skeleton, leg: list[int]) -> np.ndarray:
    """The direction of the foot, from the ankle to the end of the leg's chain, bone tip included."""
    end = rest[leg[-1]] + np.asarray(skeleton.tips.get(skeleton.names[leg[-1]], np.zeros(3)))
    return end - rest[leg[2]]


def _split(skeleton: Skeleton, chain: list[int]) -> list[int]:
    """The joints at the start, middle and end of a limb's two long bones, and the last joint of the chain."""
    bones = [_bone(skeleton, joint) for joint in chain[1:]]
    start = max(range(1, len(bones) - 1), key=lambda i: min(bones[i], bones[i + 1]), default=0)
    return [chain[start], chain[start + 1], chain[start + 2], chain[-1]]

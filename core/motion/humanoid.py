"""Which joint of a foreign skeleton is which of ours, by its names where they are known and by its shape otherwise.

Only limbs need names. The pelvis is where the legs meet, the chest where the arms meet, the spine lies between them and
the head above: that holds for every rig, whatever it calls those joints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import torch
from torch import Tensor

from core.errors import FootlightError
from core.motion.skeleton import Skeleton

_LEG = ("hip", "knee", "ankle", "foot")
_ARM = ("collar", "shoulder", "elbow", "wrist")
_OPTIONAL = ("foot", "collar", "wrist")

# What rigs call the joints of a limb, after side, separators and prefixes are taken off.
# Order: hip, knee, ankle, toe, collar, shoulder, elbow, wrist.
FAMILIES: dict[str, tuple[tuple[str, ...], ...]] = {
    "motionbuilder": (  # MotionBuilder, Mixamo, Neo, Rokoko, CMU by B. Hahne
        ("upleg", "upperleg"), ("leg", "lowleg"), ("foot",), ("toebase", "toe"),
        ("shoulder",), ("arm",), ("forearm",), ("hand",),
    ),
    "anatomical": (  # SMPL, CMU for 3ds Max, Biovision
        ("hip",), ("knee",), ("ankle",), ("toe", "foot", "toebase"),
        ("collar", "clavicle"), ("shoulder",), ("elbow",), ("wrist",),
    ),
    "daz": (
        ("thigh", "thighbend"), ("shin",), ("foot",), ("toe",),
        ("collar",), ("shldr", "shldrbend"), ("forearm", "forearmbend"), ("hand",),
    ),
    "unreal": (
        ("thigh",), ("calf",), ("foot",), ("ball",), ("clavicle",), ("upperarm",), ("lowerarm",), ("hand",),
    ),
    "vrm": (  # VRM, Unity
        ("upperleg",), ("lowerleg",), ("foot",), ("toes", "toebase", "toe"),
        ("shoulder",), ("upperarm",), ("lowerarm",), ("hand",),
    ),
    "blender": (  # Rigify and its metarig
        ("thigh",), ("shin",), ("foot",), ("toe",), ("shoulder",), ("upperarm",), ("forearm",), ("hand",),
    ),
    "biped": (  # 3ds Max Biped, Valve
        ("thigh",), ("calf",), ("foot",), ("toe0", "toe"), ("clavicle",), ("upperarm",), ("forearm",), ("hand",),
    ),
    "acclaim": (  # names of the CMU's own files
        ("femur",), ("tibia",), ("foot",), ("toes",), ("clavicle",), ("humerus",), ("radius",), ("hand", "wrist"),
    ),
    "xsens": (
        ("upperleg", "hip"), ("lowerleg", "knee"), ("foot", "ankle"), ("toe",),
        ("shoulder", "collar"), ("upperarm", "shoulder"), ("forearm", "elbow"), ("hand", "wrist"),
    ),
}  # fmt: skip

_PREFIXES = {"mixamorig", "bip", "j", "def", "org", "valve", "valvebiped", "cc", "base", "character", "skeleton", "b"}
_SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Match:
    """joints: index in the foreign skeleton of each of our joints that was found, by SMPL22 name; always with pelvis,
    chest (as spine3), hips, knees, ankles, shoulders and elbows.  spine: indices from the pelvis to the chest, both
    included.  rule: the family of names that fitted, or "structure"."""

    joints: dict[str, int]
    spine: tuple[int, ...]
    rule: str


def match(skeleton: Skeleton) -> Match:
    """Find our joints in a foreign skeleton. Raises FootlightError when it has no two arms and legs."""
    limbs, rule = _by_name(skeleton), ""
    if limbs is not None:
        joints, rule = limbs
    else:
        joints, rule = _by_structure(skeleton), "structure"
    if joints is None:
        raise FootlightError(
            f"a skeleton of {skeleton.joints} joints ({', '.join(skeleton.names[:6])} ...) in which no two legs and "
            f"arms could be found; expected a humanoid: rename its joints as Mixamo, VRM, Unreal or SMPL do"
        )
    return _with_torso(skeleton, joints, rule)


def side_and_part(name: str) -> tuple[str, str]:
    """A joint's name as ("left" | "right" | "", the rest in lower case without separators and known prefixes)."""
    words = [word.lower() for word in _WORD.findall(name.rsplit(":", 1)[-1].rsplit("|", 1)[-1])]
    while len(words) > 1 and (words[0] in _PREFIXES or words[0].isdigit()):
        words = words[1:]
    for at, word in enumerate(words):
        if word in _SIDES and len(words) > 1:
            return _SIDES[word], "".join(words[:at] + words[at + 1 :])
    joined = "".join(words)
    for letter, side in (("l", "left"), ("r", "right")):  # lfemur, rtibia
        if joined.startswith(letter) and any(joined[1:] in part for part in FAMILIES["acclaim"]):
            return side, joined[1:]
    return "", joined


def _by_name(skeleton: Skeleton) -> tuple[dict[str, int], str] | None:
    """Limb joints of the family of names that finds most of them, all the necessary ones among them."""
    at: dict[tuple[str, str], int] = {}
    for index, name in enumerate(skeleton.names):
        at.setdefault(side_and_part(name), index)
    best: tuple[dict[str, int], str] | None = None
    for family, parts in FAMILIES.items():
        joints = {}
        for side in ("left", "right"):
            for role, names in zip(_LEG + _ARM, parts, strict=True):
                found = next((at[side, part] for part in names if (side, part) in at), None)
                if found is not None:
                    joints[f"{side}_{role}"] = found
        if _sensible(skeleton, joints) and (best is None or len(joints) > len(best[0])):
            best = joints, family
    return best


def _sensible(skeleton: Skeleton, joints: dict[str, int]) -> bool:
    """Whether every necessary limb joint is there and each lies below the one before it."""
    for side in ("left", "right"):
        for chain in (_LEG, _ARM):
            found = [joints.get(f"{side}_{role}") for role in chain]
            if any(index is None for index, role in zip(found, chain, strict=True) if role not in _OPTIONAL):
                return False
            present = [index for index in found if index is not None]
            if any(upper not in ancestors(skeleton, lower)[1:] for upper, lower in pairwise(present)):
                return False
    return True


def ancestors(skeleton: Skeleton, joint: int) -> list[int]:
    """The joint and everything it hangs on, up to the root."""
    line = [joint]
    while skeleton.parents[line[-1]] >= 0:
        line.append(skeleton.parents[line[-1]])
    return line


def _meeting(skeleton: Skeleton, a: int, b: int) -> int:
    others = set(ancestors(skeleton, b)[1:])
    return next(joint for joint in ancestors(skeleton, a)[1:] if joint in others)


def _with_torso(skeleton: Skeleton, joints: dict[str, int], rule: str) -> Match:
    joints = dict(joints)
    pelvis = _meeting(skeleton, joints["left_hip"], joints["right_hip"])
    arms = [joints.get(f"{side}_collar", joints[f"{side}_shoulder"]) for side in ("left", "right")]
    chest = _meeting(skeleton, *arms)
    line = ancestors(skeleton, chest)
    while "neck" in side_and_part(skeleton.names[chest])[1] and skeleton.parents[chest] != pelvis and len(line) > 2:
        chest = skeleton.parents[chest]  # some rigs hang the arms on the neck
        line = ancestors(skeleton, chest)
    if pelvis in line:
        spine = tuple(reversed(line[: line.index(pelvis) + 1]))
    else:  # legs and spine hang on one joint above both
        top = _meeting(skeleton, pelvis, chest) if pelvis != chest else pelvis
        spine = (pelvis, *reversed(line[: line.index(top)]))
    joints["pelvis"], joints["spine3"] = pelvis, chest
    joints |= _neck_and_head(skeleton, joints, chest)
    for side in ("left", "right"):
        joints |= _hand_and_toe(skeleton, joints, side)
    return Match(joints, spine, rule)


def _neck_and_head(skeleton: Skeleton, joints: dict[str, int], chest: int) -> dict[str, int]:
    """The joint of the head, and the last one below it that moves the neck."""
    named = [i for i, name in enumerate(skeleton.names) if side_and_part(name)[1] in ("head", "skull")]
    if named and chest in ancestors(skeleton, named[0]):
        head = named[0]
    else:
        arms = {joints.get(f"{side}_collar", joints[f"{side}_shoulder"]) for side in ("left", "right")}
        branches = [c for c in skeleton.children(chest) if not any(c in ancestors(skeleton, arm) for arm in arms)]
        if not branches:
            return {}
        chain = max((_main_chain(skeleton, branch) for branch in branches), key=lambda c: _length(skeleton, c))
        head = chain[min(1, len(chain) - 1)]
    neck = skeleton.parents[head]
    return {"head": head} | ({"neck": neck} if neck != chest and chest in ancestors(skeleton, neck) else {})


def _hand_and_toe(skeleton: Skeleton, joints: dict[str, int], side: str) -> dict[str, int]:
    """A wrist or toe joint that has no known name: the longest bone below the elbow or ankle leads there."""
    found = {}
    for above, role in ((f"{side}_elbow", f"{side}_wrist"), (f"{side}_ankle", f"{side}_foot")):
        children = skeleton.children(joints[above])
        if role not in joints and children:
            far = max(children, key=lambda c: float(skeleton.offsets[c].norm()))
            if float(skeleton.offsets[far].norm()) > 0:
                found[role] = far
    return found


def _main_chain(skeleton: Skeleton, start: int) -> list[int]:
    """From ``start`` down to the joint that is farthest along the bones."""
    chain, below = [start], _ways_down(skeleton)
    while below[chain[-1]] >= 0:
        chain.append(below[chain[-1]])
    return chain


@lru_cache(maxsize=8)
def _ways_down(skeleton: Skeleton) -> tuple[int, ...]:
    """(j,) the child of each joint through which the farthest joint below it is reached; -1 at the ends."""
    bones = skeleton.offsets.norm(dim=-1).tolist()
    far, below = [0.0] * skeleton.joints, [-1] * skeleton.joints
    for joint in range(skeleton.joints - 1, 0, -1):
        parent, reach = skeleton.parents[joint], far[joint] + bones[joint]
        if reach > 0 and reach >= far[parent]:
            far[parent], below[parent] = reach, joint
    return tuple(below)


def _length(skeleton: Skeleton, chain: list[int]) -> float:
    return float(skeleton.offsets[chain[1:]].norm(dim=-1).sum()) if len(chain) > 1 else 0.0


def _by_structure(skeleton: Skeleton) -> dict[str, int] | None:
    """Legs are the pair of equally long branches nearest the root, arms the longest such pair above it."""
    pairs = []  # (depth, joint, branch, branch, length)
    for joint in range(skeleton.joints):
        branches = [_main_chain(skeleton, child) for child in skeleton.children(joint)]
        for a, b in combinations(branches, 2):
            shorter, longer = sorted((_length(skeleton, [joint, *a]), _length(skeleton, [joint, *b])))
            if min(len(a), len(b)) >= 3 and longer > 0 and shorter > 0.9 * longer:
                pairs.append((len(ancestors(skeleton, joint)), joint, [joint, *a], [joint, *b], longer))
    best: tuple[float, dict[str, int]] | None = None
    for legs, arms in ((x, y) for x in pairs for y in pairs if x is not y):
        own = {*legs[2][1:], *legs[3][1:]}
        if own & set(ancestors(skeleton, arms[1])) or own & {*arms[2], *arms[3]} or arms[0] < legs[0]:
            continue
        score = legs[4] + arms[4]
        if best is None or score > best[0]:
            joints = _limbs_of(skeleton, legs[2:4], arms[2:4])
            if joints is not None:
                best = score, joints
    return None if best is None else best[1]


def _limbs_of(skeleton: Skeleton, legs, arms) -> dict[str, int] | None:
    rest = skeleton.rest_positions()
    leg_roles = [_split(skeleton, chain) for chain in legs]
    arm_roles = [_split(skeleton, chain) for chain in arms]
    up = rest[arms[0][0]] - rest[[leg[2] for leg in leg_roles]].mean(0)
    forward = sum((_ahead(rest, skeleton, leg) for leg in leg_roles), torch.zeros(3))
    left = torch.linalg.cross(up, forward)
    if left.norm() < 1e-6:
        return None
    joints = {}
    for roles, names in ((leg_roles, _LEG[:3]), (arm_roles, _ARM[1:])):
        ends = [torch.dot(rest[chain[2]], left) for chain in roles]
        for chain, side in zip(roles, ("left", "right") if ends[0] > ends[1] else ("right", "left"), strict=True):
            joints |= {f"{side}_{name}": joint for name, joint in zip(names, chain[:3], strict=True)}
    return joints


def _ahead(rest: Tensor, skeleton: Skeleton, leg: list[int]) -> Tensor:
    """Where the foot points: from the ankle to the end of the leg's chain, bone tip included."""
    end = rest[leg[-1]] + skeleton.tips.get(skeleton.names[leg[-1]], torch.zeros(3))
    return end - rest[leg[2]]


def _split(skeleton: Skeleton, chain: list[int]) -> list[int]:
    """The joints at the beginning, middle and end of a limb's two long bones, and the chain's last joint."""
    bones = [float(skeleton.offsets[joint].norm()) for joint in chain[1:]]
    start = max(range(1, len(bones) - 1), key=lambda i: min(bones[i], bones[i + 1]), default=0)
    return [chain[start], chain[start + 1], chain[start + 2], chain[-1]]

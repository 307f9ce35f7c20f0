"""Finds arms and legs by the structure of a skeleton, whatever its joints are called.

Legs are the equally long branches nearest the root, arms the longest pair above. Where the joints go in a motion tells
left from right, and where a limb bends that is split into more bones than two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from .quaternion import unit
from .skeleton import Skeleton

LEG = ("hip", "knee", "ankle", "foot")
ARM = ("collar", "shoulder", "elbow", "wrist")

MOST_LIMBS = 6  # long branches at one joint of a humanoid: two legs, two arms, a neck and perhaps a tail
_WHOLE = 0.6  # of a limb's length; two bones that are shorter together are parts of split ones
_STUMP = 0.3  # of a leg's length, and of the trunk's: what is shorter is a finger and no limb
_ALIKE = 0.25  # log of the ratio of thigh to shin, or of upper arm to forearm
_UNEVEN = 0.8  # weight of a limb whose two long bones are in different numbers of pieces
_SHARP = 0.8  # cosine of the angle between the shin and the foot at rest
_FOREARM = 0.6  # of the upper arm; what is shorter is a part of a forearm
_FINGERS = 3  # bones that hang on a hand
_BENDING = (0.25, 0.7)  # of a limb's length: where knees and elbows are
_STIFF = 4.0  # degrees; a joint whose angle varies less does not bend
_SUPPLE = 15.0  # degrees; a joint whose angle varies more surely does


def limbs(
    skeleton: Skeleton, places: np.ndarray | None, sensible: Callable[[dict[str, int]], bool]
) -> dict[str, int] | None:
    """Our names of the joints of arms and legs -> their indices; None if there are no two of each.

    places: positions (t, j, 3) of the joints in a motion; None for the rest pose alone.
    sensible: whether joints can be those of a body.
    """
    pairs = []  # (depth, joint, branch, branch, length)
    for joint in range(skeleton.joints):
        branches = [main_chain(skeleton, child) for child in skeleton.children(joint)]
        branches = [chain for chain in branches if len(chain) >= 3]
        reach = [length(skeleton, [joint, *chain]) for chain in branches]
        if sum(one > 0.5 * max(reach) for one in reach) > MOST_LIMBS:
            continue
        for a, b in combinations(branches, 2):
            shorter, longer = sorted((length(skeleton, [joint, *a]), length(skeleton, [joint, *b])))
            if longer > 0 and shorter > 0.9 * longer:
                pairs.append((len(skeleton.ancestors(joint)), joint, [joint, *a], [joint, *b], longer))
    best: tuple[float, dict[str, int]] | None = None
    for legs, arms in ((x, y) for x in pairs for y in pairs if x is not y):
        own = {*legs[2][1:], *legs[3][1:]}
        if own & set(skeleton.ancestors(arms[1])) or own & {*arms[2], *arms[3]} or arms[0] < legs[0]:
            continue
        score = legs[4] + arms[4]
        if best is None or score > best[0]:
            joints = _limbs_of(skeleton, places, legs[2:4], arms[2:4])
            if joints is not None and sensible(joints) and not _has_stumps(skeleton, joints):
                best = score, joints
    return None if best is None else best[1]


@lru_cache(maxsize=8)
def _bones(skeleton: Skeleton) -> tuple[float, ...]:
    """Lengths (j,) of the bones that end at each joint."""
    return tuple(np.linalg.norm(np.asarray(skeleton.offsets, dtype=float), axis=-1).tolist())


def bone(skeleton: Skeleton, joint: int) -> float:
    """The length of the bone that ends at a joint."""
    return _bones(skeleton)[joint]


def length(skeleton: Skeleton, chain: list[int]) -> float:
    """The length of a chain of joints."""
    return sum(bone(skeleton, joint) for joint in chain[1:])


@lru_cache(maxsize=8)
def _ways_down(skeleton: Skeleton) -> tuple[int, ...]:
    """For each joint (j,), the child on the way to the farthest joint below it; -1 at the ends."""
    far, below = [0.0] * skeleton.joints, [-1] * skeleton.joints
    for joint in range(skeleton.joints - 1, -1, -1):
        parent, reach = skeleton.parents[joint], far[joint] + bone(skeleton, joint)
        if parent >= 0 and reach > 0 and reach >= far[parent]:
            far[parent], below[parent] = reach, joint
    return tuple(below)


def main_chain(skeleton: Skeleton, start: int) -> list[int]:
    """The joints from ``start`` down to the one that is farthest along the bones."""
    chain, below = [start], _ways_down(skeleton)
    while below[chain[-1]] >= 0:
        chain.append(below[chain[-1]])
    return chain


def _limbs_of(
    skeleton: Skeleton, places: np.ndarray | None, legs: Sequence[list[int]], arms: Sequence[list[int]]
) -> dict[str, int] | None:
    leg_roles, arm_roles = ([_split(skeleton, places, chain) for chain in limb] for limb in (legs, arms))
    for roles in (leg_roles, arm_roles):
        for upper, lower in ((0, 1), (1, 2)):
            shorter, longer = sorted(reach(skeleton, role[upper], role[lower]) for role in roles)
            if shorter < 0.7 * longer:
                return None  # one side lacks a joint: its limb is as long, but bends elsewhere
    at = np.asarray(skeleton.rest_positions(), dtype=float)[None] if places is None else places
    ahead = sum(_ahead(skeleton, at, role, places is None) for role in leg_roles)
    up = at[:, arms[0][0]] - np.mean([at[:, role[2]] for role in leg_roles], axis=0)
    left = np.cross(unit(up), ahead) + sum(_fold(at, role) for role in leg_roles)
    joints = {}
    for roles, names in ((leg_roles, LEG[:3]), (arm_roles, ARM[1:])):
        apart = (at[:, roles[0][:3]] - at[:, roles[1][:3]]).sum(1)
        side = float((apart * left).sum())
        if abs(side) < 1e-6 * float(np.linalg.norm(apart) * np.linalg.norm(left)) or not left.any():
            return None
        for role, where in zip(roles, ("left", "right") if side > 0 else ("right", "left"), strict=True):
            joints |= {f"{where}_{name}": joint for name, joint in zip(names, role[:3], strict=True)}
        left = apart * np.sign(side)  # arms are on the side of the legs
    return joints


def _has_stumps(skeleton: Skeleton, joints: dict[str, int]) -> bool:
    """Whether arms are much shorter than legs, or legs than the trunk: hands have branches that are equally long."""
    leg = reach(skeleton, joints["left_hip"], joints["left_ankle"])
    arm = reach(skeleton, joints["left_shoulder"], joints["left_wrist"])
    hips = meeting(skeleton, joints["left_hip"], joints["left_shoulder"])
    trunk = 0.0 if hips is None else reach(skeleton, hips, joints["left_shoulder"])
    return arm < _STUMP * leg or leg < _STUMP * trunk


def _ahead(skeleton: Skeleton, at: np.ndarray, leg: list[int], at_rest: bool) -> np.ndarray:
    """The directions (t, 3) of a foot, from the ankle to the end of the leg's chain, at rest to that of its bone."""
    end = at[:, leg[3]]
    if at_rest:
        end = end + np.asarray(skeleton.tips.get(skeleton.names[leg[3]], np.zeros(3)))
    return unit(end - at[:, leg[2]])


def _fold(at: np.ndarray, leg: list[int]) -> np.ndarray:
    """The axis (t, 3) about which a knee is bent, which points to the left; as long as the sine of the bend."""
    hip, knee, ankle = (at[:, joint] for joint in leg[:3])
    return np.cross(unit(knee - hip), unit(ankle - knee))


def _split(skeleton: Skeleton, places: np.ndarray | None, chain: list[int]) -> list[int]:
    """The joints at the start, middle and end of a limb's two long bones, and the last joint of the chain."""
    bones = np.array([bone(skeleton, joint) for joint in chain[1:]])
    if places is None:
        start = max(range(1, len(bones) - 1), key=lambda i: min(bones[i], bones[i + 1]), default=0)
        pair = bones[start : start + 2]
        if (pair.sum() < _WHOLE * bones[1:].sum() or _unlike(*pair) > _ALIKE) and (found := _parts(skeleton, chain)):
            return [*found, chain[-1]]
        return [chain[start], chain[start + 1], chain[start + 2], chain[-1]]
    varies = _varies(places, chain)
    bends = np.clip(varies / _SUPPLE, 0.3, 1.0)
    score = [min(bones[i], bones[i + 1]) * bends[i] * bends[i + 1] for i in range(1, len(bones) - 1)]
    start = int(np.argmax(score)) + 1 if score else 0
    if len(chain) > 4 and bones[start : start + 2].sum() < _WHOLE * bones[1:].sum():
        found = _in_pieces(varies, np.cumsum((0.0, *bones)))
        if found is not None:
            return [*(chain[i] for i in found), chain[-1]]
    return [chain[start], chain[start + 1], chain[start + 2], chain[-1]]


def _unlike(upper: float, lower: float) -> float:
    """How unlike two bones are in length: the logarithm of their ratio."""
    return abs(float(np.log(max(upper, 1e-9) / max(lower, 1e-9))))


def _parts(skeleton: Skeleton, chain: list[int]) -> list[int] | None:
    """The start, middle and end of a limb at rest whose long bones are in pieces: the two longest parts before the hand
    or the foot that are about as long as each other. None where there are none."""
    line = [joint for i, joint in enumerate(chain) if i == 0 or bone(skeleton, joint) > 0]
    along = np.cumsum([0.0, *(bone(skeleton, joint) for joint in line[1:])])
    last = _before_the_end(skeleton, line)
    found: list[tuple[float, list[int]]] = []
    for start, middle in combinations(range(1, last), 2):
        unlike = _unlike(along[middle] - along[start], along[last] - along[middle])
        pieces = 1.0 if middle - start == last - middle else _UNEVEN
        if unlike < _ALIKE:
            score = pieces * (1.0 - unlike) * (along[last] - along[start])
            found.append((score, [line[start], line[middle], line[last]]))
    return max(found)[1] if found else None


def _before_the_end(skeleton: Skeleton, line: list[int]) -> int:
    """Where on a line of joints the hand or the foot starts: several bones hang there, or the line turns sharply in its
    further half."""
    places = np.asarray(skeleton.rest_positions(), dtype=float)[line]
    ways = unit(np.diff(places, axis=0))
    along = np.linalg.norm(places - places[0], axis=-1)
    for i in range(2, len(line) - 1):
        turns = float(ways[i] @ ways[i - 1]) < _SHARP
        if along[i] > 0.5 * along.max() and (turns or len(skeleton.children(line[i])) >= _FINGERS):
            return i
    return len(line) - 1


def _varies(places: np.ndarray, chain: list[int]) -> np.ndarray:
    """By how many degrees each joint of a chain bends and stretches (n,) in a motion; 0 at the ends."""
    ways = unit(np.diff(places[:, chain], axis=1))
    angles = np.degrees(np.arccos(np.clip((ways[:, 1:] * ways[:, :-1]).sum(-1), -1.0, 1.0)))
    return np.concatenate(([0.0], np.ptp(np.quantile(angles, (0.05, 0.95), axis=0), axis=0), [0.0]))


def _in_pieces(varies: np.ndarray, along: np.ndarray) -> tuple[int, int, int] | None:
    """The start, middle and end of a limb whose long bones are each a chain of stiff ones; None if it bends nowhere.

    varies: of ``_varies``.
    along: (n,) how far each joint of the chain is along it.
    """
    outermost = len(along) - 1
    shares = (along - along[1]) / (along[-1] - along[1])
    inner = [i for i in range(2, outermost) if _BENDING[0] <= shares[i] <= _BENDING[1]]
    if not inner or varies[middle := max(inner, key=lambda i: varies[i])] < _STIFF:
        return None
    start, end = middle - 1, middle + 1
    while start > 1 and varies[start] < _STIFF:
        start -= 1
    while end < outermost and varies[end] < _STIFF:
        end += 1
    upper = along[middle] - along[start]

    def unlike(i: int) -> float:
        """How unlike the two parts are in length and in pieces: a stiff hand or foot may follow the lower one."""
        return abs(np.log((along[i] - along[middle]) / upper)) + 0.3 * (i - middle != middle - start)

    return start, middle, min(range(middle + 1, end + 1), key=unlike)


def reach(skeleton: Skeleton, upper: int, lower: int) -> float:
    """The length of the chain from a joint down to another."""
    line = skeleton.ancestors(lower)
    return sum(bone(skeleton, joint) for joint in line[: line.index(upper)])


def meeting(skeleton: Skeleton, a: int, b: int) -> int | None:
    """The nearest common ancestor of two joints; None if they have different roots."""
    others = set(skeleton.ancestors(b)[1:])
    return next((joint for joint in skeleton.ancestors(a)[1:] if joint in others), None)


def longest_bone(skeleton: Skeleton, chain: list[int]) -> int:
    """The joint of a chain at which its longest bone starts; the first where the ends of the bones are unknown."""

    def length(joint: int) -> float:
        below = skeleton.children(joint)
        if not below:
            return float(np.linalg.norm(np.asarray(skeleton.tips.get(skeleton.names[joint], 0.0))))
        return max(bone(skeleton, child) or length(child) for child in below)

    return max(chain, key=length)


def collar(skeleton: Skeleton, joints: dict[str, int], side: str) -> dict[str, int]:
    """Find a collar bone without a known name: the first of the bones that carry this arm alone, if it is near."""
    shoulder, role = joints[f"{side}_shoulder"], f"{side}_collar"
    both = meeting(skeleton, joints["left_shoulder"], joints["right_shoulder"])
    line = skeleton.ancestors(shoulder)
    own = line[1 : line.index(both)] if both is not None else []
    if role in joints or not own or own[-1] in joints.values():
        return {}
    near = reach(skeleton, own[-1], shoulder) < reach(skeleton, shoulder, joints[f"{side}_elbow"])
    return {role: own[-1]} if near else {}


def hand_and_toe(skeleton: Skeleton, joints: dict[str, int], side: str) -> dict[str, int]:
    """Find a wrist or toe joint without a known name: the longest bone below the elbow or the ankle ends there.

    A forearm in pieces ends after the last of them.
    """
    found = {}
    for above, role in ((f"{side}_elbow", f"{side}_wrist"), (f"{side}_ankle", f"{side}_foot")):
        far = _farthest(skeleton, joints[above])
        if role in joints or far is None:
            continue
        if role.endswith("wrist"):
            upper = reach(skeleton, joints[f"{side}_shoulder"], joints[above])
            below = _farthest(skeleton, far)
            while below is not None and reach(skeleton, joints[above], far) < _FOREARM * upper:
                far, below = below, _farthest(skeleton, below)
        found[role] = far
    return found


def _farthest(skeleton: Skeleton, joint: int) -> int | None:
    """The child at the end of the longest bone below a joint; None if there is no bone."""
    far = max(skeleton.children(joint), key=lambda child: bone(skeleton, child), default=None)
    return far if far is not None and bone(skeleton, far) > 0 else None

"""Finds our joints in another skeleton, by their names if these are known, else by the structure of the skeleton.

Only the limbs need names. The pelvis is where the legs meet and the chest where the arms meet. The spine lies between
the two, and the head above. This holds for every rig, whatever it calls these joints. Skeletons come from BVH files and
from armatures, with any axes and unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from ..errors import FootlightError
from . import ends, named_limbs, rest, structure
from . import quaternion as quat
from .families import HEADS
from .naming import plain_names, side_and_part
from .skeleton import JOINTS, OFFSETS, SIDES, Skeleton, other_side

_UNNAMED = 2  # required limb joints without a known name, up to which names are believed
_NECK = 3  # bones of a neck at most
_PELVIS = {"pelvis", "hips", "hip"}
"""Names of the bone that is the pelvis."""

_BACK = -0.5  # cosine of the angle between a foot and the way ahead, below which it points back
_LIES = 0.5  # cosine of the angle between trunk and legs below which the trunk lies
_BESIDE = 0.6  # cosine of the angle between an upper arm and the legs above which it is a leg
_SAME_PLACE = 0.01  # of the upper arm; a shorter forearm has no length


class OnAllFours(FootlightError):
    """An animal where a body on two legs was expected."""


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


def match(skeleton: Skeleton, places: np.ndarray | None = None) -> Match:
    """Find our joints in a foreign skeleton.

    places: positions (t, j, 3) of its joints in a motion, which tell more than a rest pose that does not stand; None
        for the rest pose alone.

    Raises FootlightError, saying what was found and what is missing, unless two arms and two legs share one trunk, and
    OnAllFours for an animal.
    """
    named = named_limbs.by_name(skeleton) or named_limbs.by_name(skeleton, detached=True)
    if named and _walks_backwards(skeleton, named[0]):
        named = {other_side(name): joint for name, joint in named[0].items()}, named[1]
    joints, rule = named or (_by_shape(skeleton, places) or _by_shape_of_ends(skeleton), "structure")
    if joints is None:
        first = ", ".join(skeleton.names[:6]) + (" ..." if skeleton.joints > 6 else "")
        raise FootlightError(
            f"a skeleton of {skeleton.joints} joints ({first or 'none'}) in which no two legs and arms could be found"
            f"{named_limbs.lacking(skeleton)}; expected a humanoid: rename its joints as Mixamo, VRM, Unreal or SMPL do"
        )
    if _on_all_fours(skeleton, joints):
        raise OnAllFours(f"a skeleton of {skeleton.joints} joints that stands on four legs; expected a humanoid on two")
    return _with_torso(skeleton, joints, rule)


def _places(skeleton: Skeleton, joints: dict[str, int]) -> dict[str, np.ndarray]:
    """Our name -> where the joint is at rest (3,)."""
    at = np.asarray(skeleton.rest_positions(), dtype=float)
    return {name: at[index] for name, index in joints.items()}


def _on_all_fours(skeleton: Skeleton, joints: dict[str, int]) -> bool:
    """Whether arms are legs at rest: upright beside the legs, below a trunk that lies. Some names of animals are those
    of men."""
    place = _places(skeleton, joints)
    hips, shoulders, ankles = (rest.middle(place, part) for part in ("hip", "shoulder", "ankle"))
    trunk, legs = quat.unit(shoulders - hips), quat.unit(ankles - hips)
    arms = [quat.unit(place[f"{side}_elbow"] - place[f"{side}_shoulder"]) for side in SIDES]
    return bool(abs(trunk @ legs) < _LIES and all(arm @ legs > _BESIDE for arm in arms))


def _walks_backwards(skeleton: Skeleton, joints: dict[str, int]) -> bool:
    """Whether names have left and right exchanged: a body that stands, and both its feet point back."""
    place = _places(skeleton, joints)
    if not {"left_foot", "right_foot"} <= joints.keys():
        return False
    if not rest.stands({name: one for name, one in place.items() if not name.endswith("foot")}):
        return False
    ahead = quat.rotate(rest.axes(place), np.array((0.0, 0.0, 1.0)))
    feet = [quat.unit(place[f"{side}_foot"] - place[f"{side}_ankle"]) for side in SIDES]
    return all(float(foot @ ahead) < _BACK for foot in feet)


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
    bones = np.cumsum([structure.bone(skeleton, index) for index in spine[1:]])
    height = {index: bones[i] / max(bones[-1], 1e-9) for i, index in enumerate(spine[1:])}
    if not inner:
        return {}
    if len(inner) == 1:
        low = abs(height[inner[0]] - first) <= abs(height[inner[0]] - second)
        return {"spine1" if low else "spine2": inner[0]}
    low, high = min(combinations(inner, 2), key=lambda p: abs(height[p[0]] - first) + abs(height[p[1]] - second))
    return {"spine1": low, "spine2": high}


def _by_shape(skeleton: Skeleton, places: np.ndarray | None) -> dict[str, int] | None:
    """Limb joints by the structure of a skeleton; None if there are none.

    places: as of ``match``.
    """
    return structure.limbs(skeleton, places, partial(_believed, skeleton, named_limbs.nearest(skeleton)))


def _by_shape_of_ends(skeleton: Skeleton) -> dict[str, int] | None:
    """As ``_by_shape``, with feet and hands that start where shins and forearms end, wherever they hang."""
    if (found := ends.attached(skeleton)) is None:
        return None
    whole, order = found
    joints = _by_shape(whole, None)
    return joints and {name: order[joint] for name, joint in joints.items()}


def _believed(skeleton: Skeleton, named: dict[str, int], joints: dict[str, int]) -> bool:
    """Whether limbs that the shape tells are sensible, and no others than those that most names tell.

    named: of ``named_limbs.nearest``.
    joints: our name -> index, as the shape tells.
    """
    if not named_limbs.sensible(skeleton, joints):
        return False
    return len(named_limbs.missing(named)) > _UNNAMED or all(
        joints[name] in skeleton.ancestors(index) or index in skeleton.ancestors(joints[name])
        for name, index in named.items()
        if name in joints
    )


def _with_torso(skeleton: Skeleton, joints: dict[str, int], rule: str) -> Match:
    joints = {name: joint for name, joint in joints.items() if not _is_at_elbow(skeleton, joints, name)}
    pelvis = structure.meeting(skeleton, joints["left_hip"], joints["right_hip"])
    arms = [joints.get(f"{side}_collar", joints[f"{side}_shoulder"]) for side in SIDES]
    chest = structure.meeting(skeleton, *arms)
    assert pelvis is not None and chest is not None, "limbs are chosen so that they meet"
    line = skeleton.ancestors(chest)
    while "neck" in _part(skeleton, chest) and skeleton.parents[chest] != pelvis and len(line) > 2:
        chest = skeleton.parents[chest]  # in some rigs the neck is the parent of the arms
        line = skeleton.ancestors(chest)
    if pelvis in line:
        top = pelvis
        spine = tuple(reversed(line[: line.index(pelvis) + 1]))
    else:  # legs and spine descend from one joint above both
        top = chest if chest in skeleton.ancestors(pelvis) else structure.meeting(skeleton, pelvis, chest)
        assert top is not None, "limbs are chosen so that they meet"
        spine = (pelvis, *reversed(line[: line.index(top)]))
    above = skeleton.parents[top]
    if above >= 0 and _part(skeleton, above) in _PELVIS and _part(skeleton, top) not in _PELVIS:
        top = above  # 3ds Max hangs the legs on the first bone of the spine
    joints["pelvis"], joints["spine3"] = pelvis, chest
    head = _head(skeleton, joints, chest)
    neck: tuple[int, ...] = ()
    if head is not None:
        joints["head"] = head
        above = skeleton.ancestors(head)[1:]
        neck = tuple(reversed(above[: above.index(chest)])) if chest in above else ()
        if neck:
            joints["neck"] = neck[-1]
    for side in SIDES:
        joints |= structure.collar(skeleton, joints, side) | structure.hand_and_toe(skeleton, joints, side)
    return Match(joints, spine, neck, top, rule)


def _is_at_elbow(skeleton: Skeleton, joints: dict[str, int], name: str) -> bool:
    """Whether a joint is a wrist in the place of its elbow, which tells nothing of the forearm."""
    side, _, part = name.partition("_")
    if part != "wrist":
        return False
    elbow = joints[f"{side}_elbow"]
    if elbow not in skeleton.ancestors(joints[name]):
        return False
    upper = structure.reach(skeleton, joints[f"{side}_shoulder"], elbow)
    return structure.reach(skeleton, elbow, joints[name]) < _SAME_PLACE * upper


def _part(skeleton: Skeleton, joint: int) -> str:
    """A joint's name without side, separators and prefixes."""
    return side_and_part(plain_names(skeleton)[joint])[1]


def _head(skeleton: Skeleton, joints: dict[str, int], chest: int) -> int | None:
    """The head's joint, by name or by structure.

    A joint with the name of a head descends from the chest or, in control rigs, stands beside it. Without one, the head
    is on the longest branch of the chest that carries no limb.
    """
    named = [i for names in HEADS for i, name in enumerate(plain_names(skeleton)) if side_and_part(name)[1] in names]
    limbs = {joints[f"{side}_{part}"] for side in SIDES for part in ("hip", "shoulder")}
    carrying = {above for joint in limbs for above in skeleton.ancestors(joint)}
    named = [index for index in named if index not in carrying]
    for index in named:
        if chest in skeleton.ancestors(index)[1:]:
            return index
    for index in named:
        if not limbs & {*skeleton.ancestors(index)} and structure.meeting(skeleton, index, chest) is not None:
            return index
    branches = [child for child in skeleton.children(chest) if child not in carrying]
    if not branches:
        return None
    chain = max(
        (structure.main_chain(skeleton, branch) for branch in branches), key=lambda c: structure.length(skeleton, c)
    )
    return structure.longest_bone(skeleton, chain[1 : 1 + _NECK]) if len(chain) > 1 else chain[0]

"""Finds our joints in another skeleton, by their names if these are known, else by the structure of the skeleton.

Only the limbs need names. The pelvis is where the legs meet and the chest where the arms meet. The spine lies between
the two, and the head above. This holds for every rig, whatever it calls these joints. Skeletons come from BVH files and
from armatures, with any axes and unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations, pairwise

import numpy as np

from ..errors import FootlightError
from . import ends, rest, structure
from . import quaternion as quat
from .families import FAMILIES, HEADS
from .naming import parsed, plain_names, side_and_part
from .skeleton import JOINTS, OFFSETS, SIDES, Skeleton, other_side

ROLES = structure.LEG + structure.ARM
OPTIONAL_PARTS = ("foot", "collar", "wrist")
"""Of the joints of a limb, those that a body may lack."""

LIMB_WORDS = {
    "hip": "thigh", "knee": "shin", "ankle": "foot", "foot": "toes",
    "collar": "collar bone", "shoulder": "upper arm", "elbow": "forearm", "wrist": "hand",
}  # fmt: skip
"""The joints of a limb as people call the bones that start there."""

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
    named = _by_name(skeleton) or _by_name(skeleton, detached=True)
    if named and _walks_backwards(skeleton, named[0]):
        named = {other_side(name): joint for name, joint in named[0].items()}, named[1]
    joints, rule = named or (_by_shape(skeleton, places) or _by_shape_of_ends(skeleton), "structure")
    if joints is None:
        first = ", ".join(skeleton.names[:6]) + (" ..." if skeleton.joints > 6 else "")
        raise FootlightError(
            f"a skeleton of {skeleton.joints} joints ({first or 'none'}) in which no two legs and arms could be found"
            f"{lacking(skeleton)}; expected a humanoid: rename its joints as Mixamo, VRM, Unreal or SMPL do"
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


def _by_name(skeleton: Skeleton, detached: bool = False) -> tuple[dict[str, int], str] | None:
    """Limb joints by the families of names that find the most, and these. They must find all required joints.

    Legs and arms may go by different families.

    detached: whether feet and hands may hang elsewhere than on shins and forearms.
    """
    best: tuple[dict[str, int], str] | None = None
    for at in _by_kind(skeleton):
        for joints, rule in _by_families(at):
            if detached:
                joints = ends.with_own_ends(skeleton, joints)
            if (best is None or len(joints) > len(best[0])) and _sensible(skeleton, joints, detached):
                best = joints, rule
    return best


def _by_families(at: dict[tuple[str, str], int]) -> list[tuple[dict[str, int], str]]:
    """Limb joints and the families that found them: legs and arms by one family first, then by two."""
    legs = {family: _of_family(at, family, structure.LEG) for family in FAMILIES}
    arms = {family: _of_family(at, family, structure.ARM) for family in FAMILIES}
    alone = [(legs[family] | arms[family], family) for family in FAMILIES]
    whole = [
        [family for family in FAMILIES if not _missing(limbs[family], roles)]
        for limbs, roles in ((legs, structure.LEG), (arms, structure.ARM))
    ]
    mixed = [(legs[one] | arms[other], f"{one}, {other}") for one in whole[0] for other in whole[1] if one != other]
    return alone + mixed


def _by_kind(skeleton: Skeleton) -> list[dict[tuple[str, str], int]]:
    """The first joint of each (side, part), over all names, and over the names of each prefix alone.

    Control rigs contain each limb several times. In Rigify, ORG- bones rotate as whole limbs, while DEF- bones are
    halves that share the twist.
    """
    everything: dict[tuple[str, str], int] = {}
    kinds: dict[str, dict[tuple[str, str], int]] = {}
    for index, name in enumerate(plain_names(skeleton)):
        prefix, side, part = parsed(name)
        everything.setdefault((side, part), index)
        kinds.setdefault(prefix, {}).setdefault((side, part), index)
    for kind in (everything, *kinds.values()):  # of a limb in pieces, UpperArm1 and so on, the first
        for (side, part), index in list(kind.items()):
            kind.setdefault((side, part.rstrip("0123456789")), index)
    first = [kinds.pop("org")] if "org" in kinds else []
    return [*first, everything, *(kinds.values() if len(kinds) > 1 else ())]


def _of_family(at: dict[tuple[str, str], int], family: str, roles: tuple[str, ...] = ROLES) -> dict[str, int]:
    joints: dict[str, int] = {}
    for side in SIDES:
        for role, names in zip(ROLES, FAMILIES[family], strict=True):
            there = (at[side, part] for part in names if (side, part) in at)
            found = next((index for index in there if index not in joints.values()), None)
            if found is not None and role in roles:
                joints[f"{side}_{role}"] = found
    return joints


def _sensible(skeleton: Skeleton, joints: dict[str, int], detached: bool = False) -> bool:
    """Whether all required limb joints were found, each below the one before it, on one trunk.

    detached: as of ``_by_name``.
    """
    return not _missing(joints) and _loose(skeleton, joints, detached) is None


def _by_shape(skeleton: Skeleton, places: np.ndarray | None) -> dict[str, int] | None:
    """Limb joints by the structure of a skeleton; None if there are none.

    places: as of ``match``.
    """
    return structure.limbs(skeleton, places, partial(_believed, skeleton, nearest(skeleton)))


def _by_shape_of_ends(skeleton: Skeleton) -> dict[str, int] | None:
    """As ``_by_shape``, with feet and hands that start where shins and forearms end, wherever they hang."""
    if (found := ends.attached(skeleton)) is None:
        return None
    whole, order = found
    joints = _by_shape(whole, None)
    return joints and {name: order[joint] for name, joint in joints.items()}


def _believed(skeleton: Skeleton, named: dict[str, int], joints: dict[str, int]) -> bool:
    """Whether limbs that the shape tells are sensible, and no others than those that most names tell.

    named: of ``nearest``.
    joints: our name -> index, as the shape tells.
    """
    if not _sensible(skeleton, joints):
        return False
    return len(_missing(named)) > _UNNAMED or all(
        joints[name] in skeleton.ancestors(index) or index in skeleton.ancestors(joints[name])
        for name, index in named.items()
        if name in joints
    )


def _missing(joints: dict[str, int], roles: tuple[str, ...] = ROLES) -> list[str]:
    """The required limb joints that were not found, as words."""
    return [
        f"{side} {LIMB_WORDS[role]}"
        for side in SIDES
        for role in roles
        if role not in OPTIONAL_PARTS and f"{side}_{role}" not in joints
    ]


def _loose(skeleton: Skeleton, joints: dict[str, int], detached: bool = False) -> tuple[int, int] | None:
    """Two joints that are not connected as they should be, or None.

    Either the second should descend from the first, or both from one trunk.

    detached: as of ``_by_name``.
    """
    if (pair := broken_limb(skeleton, joints, detached)) is not None:
        return joints[pair[0]], joints[pair[1]]
    hips, shoulders = ([joints[f"{side}_{part}"] for side in SIDES] for part in ("hip", "shoulder"))
    for other in (hips[1], *shoulders):
        if structure.meeting(skeleton, hips[0], other) is None:
            return hips[0], other
    return None if structure.meeting(skeleton, *shoulders) is not None else (shoulders[0], shoulders[1])


def broken_limb(skeleton: Skeleton, joints: dict[str, int], detached: bool) -> tuple[str, str] | None:
    """Two joints that follow each other on a limb, of which the lower one does not hang on the upper one; or None.

    joints: our name -> index, as far as they are known.
    detached: whether feet and hands may hang elsewhere than on shins and forearms.
    """
    for side in SIDES:
        for chain in (structure.LEG, structure.ARM):
            for upper, lower in pairwise(name for role in chain if (name := f"{side}_{role}") in joints):
                pair = joints[upper], joints[lower]
                hangs = pair[0] in skeleton.ancestors(pair[1])[1:]
                if not (hangs or (detached and lower in ends.DETACHED and ends.is_detached(skeleton, *pair))):
                    return upper, lower
    return None


def lacking(skeleton: Skeleton) -> str:
    """What the best matching family of names finds and lacks, in brackets for a message; "" if none matches."""
    joints = nearest(skeleton)
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
    joints = nearest(skeleton)
    pairs = [
        (f"{side}_{role}", f"{other}_{role}")
        for side, other in (("left", "right"), ("right", "left"))
        for role in ROLES
        if role not in OPTIONAL_PARTS
    ]
    return tuple(skeleton.names[joints[there]] for lost, there in pairs if lost not in joints and there in joints)[:3]


def nearest(skeleton: Skeleton) -> dict[str, int]:
    """The indices of the joints of legs and arms by the families of names that find the most of each, whether they will
    do or not."""

    def most(roles: tuple[str, ...]) -> dict[str, int]:
        tries = (_of_family(at, family, roles) for at in _by_kind(skeleton) for family in FAMILIES)
        return max(tries, key=lambda joints: (len(joints), -len(_missing(joints, roles))))

    return most(structure.LEG) | most(structure.ARM)


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

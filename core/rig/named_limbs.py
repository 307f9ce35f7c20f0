"""Finds the joints of arms and legs by their names, and says which of them are missing or hang elsewhere."""

from __future__ import annotations

from itertools import pairwise

from . import ends, structure
from .families import FAMILIES
from .naming import parsed, plain_names
from .skeleton import SIDES, Skeleton

ROLES = structure.LEG + structure.ARM
OPTIONAL_PARTS = ("foot", "collar", "wrist")
"""Of the joints of a limb, those that a body may lack."""

LIMB_WORDS = {
    "hip": "thigh", "knee": "shin", "ankle": "foot", "foot": "toes",
    "collar": "collar bone", "shoulder": "upper arm", "elbow": "forearm", "wrist": "hand",
}  # fmt: skip
"""The joints of a limb as people call the bones that start there."""


def by_name(skeleton: Skeleton, detached: bool = False) -> tuple[dict[str, int], str] | None:
    """Limb joints by the families of names that find the most, and these. They must find all required joints.

    Legs and arms may go by different families.

    detached: whether feet and hands may hang elsewhere than on shins and forearms.
    """
    best: tuple[dict[str, int], str] | None = None
    for at in _by_kind(skeleton):
        for joints, rule in _by_families(at):
            if detached:
                joints = ends.with_own_ends(skeleton, joints)
            if (best is None or len(joints) > len(best[0])) and sensible(skeleton, joints, detached):
                best = joints, rule
    return best


def nearest(skeleton: Skeleton) -> dict[str, int]:
    """The indices of the joints of legs and arms by the families of names that find the most of each, whether they will
    do or not."""

    def most(roles: tuple[str, ...]) -> dict[str, int]:
        tries = (_of_family(at, family, roles) for at in _by_kind(skeleton) for family in FAMILIES)
        return max(tries, key=lambda joints: (len(joints), -len(missing(joints, roles))))

    return most(structure.LEG) | most(structure.ARM)


def _by_families(at: dict[tuple[str, str], int]) -> list[tuple[dict[str, int], str]]:
    """Limb joints and the families that found them: legs and arms by one family first, then by two."""
    legs = {family: _of_family(at, family, structure.LEG) for family in FAMILIES}
    arms = {family: _of_family(at, family, structure.ARM) for family in FAMILIES}
    alone = [(legs[family] | arms[family], family) for family in FAMILIES]
    whole = [
        [family for family in FAMILIES if not missing(limbs[family], roles)]
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


def sensible(skeleton: Skeleton, joints: dict[str, int], detached: bool = False) -> bool:
    """Whether all required limb joints were found, each below the one before it, on one trunk.

    detached: as of ``by_name``.
    """
    return not missing(joints) and _loose(skeleton, joints, detached) is None


def missing(joints: dict[str, int], roles: tuple[str, ...] = ROLES) -> list[str]:
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

    detached: as of ``by_name``.
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
    if lost := missing(joints):
        return f" (there are {there}, but no {', no '.join(lost[:3])})"
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

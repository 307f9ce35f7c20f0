"""Hands and feet that hang elsewhere than on their limbs: on the root of a rig, or on nothing.

Low-poly kits have them so, because inverse kinematics led the limbs before they were exported.
"""

from __future__ import annotations

import numpy as np

from . import structure
from .naming import side_and_part
from .skeleton import SIDES, Skeleton

DETACHED = {
    f"{side}_{part}": f"{side}_{above}" for side in SIDES for part, above in (("ankle", "knee"), ("wrist", "elbow"))
}
"""Joints whose bones may hang elsewhere than on those of the joints before them."""

_SHORT = 0.4  # of the bone above: a shin or a forearm is longer, and the other way around
_DEEP = 3  # joints from a root to a shin or a forearm, at least
_THERE = 0.2  # of a shin's length: what starts so near to a foot is in its place


def is_detached(skeleton: Skeleton, upper: int, lower: int) -> bool:
    """Whether a foot or a hand is at the end of a shin or a forearm, and hangs elsewhere.

    upper, lower: indices of shin and foot, or of forearm and hand.
    """
    if upper in skeleton.ancestors(lower) or lower in skeleton.ancestors(upper):
        return False
    at, above = np.asarray(skeleton.rest_positions(), dtype=float), structure.bone(skeleton, upper)
    near = _SHORT * above < np.linalg.norm(at[lower] - at[upper]) < above / _SHORT
    return bool(near) and _in_place(skeleton, upper, lower) is None


def _in_place(skeleton: Skeleton, upper: int, lower: int) -> int | None:
    """What hangs on a shin or a forearm in the place of a foot or a hand; None for nothing."""
    at = np.asarray(skeleton.rest_positions(), dtype=float)
    reach = _THERE * np.linalg.norm(at[lower] - at[upper])
    there = (child for child in skeleton.children(upper) if np.linalg.norm(at[child] - at[lower]) < reach)
    return next((child for child in there if not side_and_part(skeleton.names[child])[1].endswith("end")), None)


def attached(skeleton: Skeleton) -> tuple[Skeleton, list[int]] | None:
    """A skeleton whose bones that start where a limb ends hang on that limb, and which joint of the given one each of
    its joints is. None where nothing starts so: a shin must end at its foot."""
    at, parents = np.asarray(skeleton.rest_positions(), dtype=float), list(skeleton.parents)
    lines = [skeleton.ancestors(joint) for joint in range(skeleton.joints)]
    for limb, line in enumerate(lines):
        tip = np.asarray(skeleton.tips.get(skeleton.names[limb], np.zeros(3)), dtype=float)
        if len(line) < _DEEP or not tip.any() or limb in parents:
            continue
        near = np.linalg.norm(at - at[limb] - tip, axis=-1) < _THERE * np.linalg.norm(tip)
        for end in np.flatnonzero(near).tolist():
            if end not in line and limb not in lines[end] and {*lines[end][1:]} <= {*line}:
                parents[end] = limb
    if parents == list(skeleton.parents):
        return None
    order: list[int] = []
    below = [joint for joint, parent in enumerate(parents) if parent < 0]
    while below:
        order.append(joint := below.pop(0))
        below = [child for child, parent in enumerate(parents) if parent == joint] + below
    index = {joint: i for i, joint in enumerate(order)} | {-1: -1}
    offsets = np.array([at[j] - (at[parents[j]] if parents[j] >= 0 else 0.0) for j in order])
    names = tuple(skeleton.names[joint] for joint in order)
    tips = {name: tip for name, tip in skeleton.tips.items() if skeleton.names.index(name) not in parents}
    return Skeleton(names, tuple(index[parents[joint]] for joint in order), offsets, tips), order


def with_own_ends(skeleton: Skeleton, joints: dict[str, int]) -> dict[str, int]:
    """Limb joints, of which hands, feet and toes hang on their limbs or are detached. In the place of controls that are
    called after feet are the feet, whatever these are called."""
    found = dict(joints)
    for name, joint in joints.items():
        above = DETACHED.get(name) or (name.replace("foot", "ankle") if name.endswith("foot") else "")
        if above not in found or found[above] in skeleton.ancestors(joint)[1:]:
            continue
        own = _in_place(skeleton, found[above], joint) if name in DETACHED else None
        if own is not None:
            found[name] = own
        elif name not in DETACHED or not is_detached(skeleton, found[above], joint):
            del found[name]
    return found

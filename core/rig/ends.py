"""Hands and feet that hang elsewhere than on their limbs: on the root of a rig, or on nothing.

Low-poly kits have them so, because inverse kinematics led the limbs before they were exported.
"""

from __future__ import annotations

import numpy as np

from . import rest, structure
from .naming import side_and_part
from .skeleton import Skeleton

DETACHED = {
    f"{side}_{part}": f"{side}_{above}"
    for side in rest.SIDES
    for part, above in (("ankle", "knee"), ("wrist", "elbow"))
}
"""Joints whose bones may hang elsewhere than on those of the joints before them."""

_SHORT = 0.4  # of the bone above: a shin or a forearm is longer, and the other way around
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

"""Left and right exchanged."""

from __future__ import annotations

from dataclasses import replace

from core.motion.skeleton import MIRROR
from core.types import Motion


def mirror(motion: Motion) -> Motion:
    """The same dance in a mirror: reflected in the plane x = 0, with left and right joints and contacts exchanged."""
    rotations = motion.rotations[..., MIRROR, :] * motion.rotations.new_tensor((1.0, 1.0, -1.0, -1.0))
    root = motion.root * motion.root.new_tensor((-1.0, 1.0, 1.0))
    contacts = None if motion.contacts is None else motion.contacts[..., (2, 3, 0, 1)]
    return replace(motion, rotations=rotations, root=root, contacts=contacts)

"""Motion representations as values: a name, named slices of channels, and the joints whose positions they give.

``smpl22-6d`` (140 channels) is what the models learn: joint rotations and the velocity of the root.
``smpl22-directions`` (71) has bone directions instead of rotations (MoMu-Diffusion's ablation 1).
``openpose14-2d`` (28) is that paper's own: 14 joints seen from the front. It cannot drive a rig; see ``features``.
``stage-66`` (66) is stage light (``core.show.channels``): a modality beside motion, without joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from core.errors import FootlightError
from core.motion.skeleton import SMPL22
from core.show import channels as stage


@dataclass(frozen=True)
class Layout:
    """What the channels of a feature array mean, in order.

    name: by which a config names the layout.
    parts: (name, width, unit) of each slice of channels.
    joints: names of the joints that ``features.positions_from_features`` returns.
    parents: (j,) index of each joint's parent, smaller than its own; -1 for the root.
    dimensions: 3, 2 for a flat image, or 0 where nothing has a position.
    """

    name: str
    parts: tuple[tuple[str, int, str], ...]
    joints: tuple[str, ...] = SMPL22.names
    parents: tuple[int, ...] = SMPL22.parents
    dimensions: int = 3

    @cached_property
    def slices(self) -> dict[str, slice]:
        """The channels of each part."""
        found, start = {}, 0
        for name, width, _ in self.parts:
            found[name] = slice(start, start + width)
            start += width
        return found

    @property
    def channels(self) -> int:
        return sum(width for _, width, _ in self.parts)

    def split(self, features: Tensor) -> dict[str, Tensor]:
        """Split features (..., c) into views (..., width) by part.

        Raises FootlightError when the number of channels is not this layout's.
        """
        if features.shape[-1] != self.channels:
            raise FootlightError(
                f"features with {features.shape[-1]} channels were given; layout {self.name} has {self.channels}"
            )
        return {name: features[..., part] for name, part in self.slices.items()}

    def check_moves_a_rig(self) -> None:
        """Raises FootlightError for a layout without rotations."""
        if self.dimensions != 3:
            others = " or ".join(layout.name for layout in LAYOUTS.values() if layout.dimensions == 3)
            raise FootlightError(
                f"motion of layout {self.name} has no rotations and cannot be turned back into the movement of a rig: "
                f"use a model of layout {others}"
            )


OPENPOSE14 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
)  # fmt: skip
"""The joints of ``openpose14-2d``, in their order."""

_ROOT = (
    ("root_yaw_velocity", 1, "rad/s"),
    ("root_velocity", 2, "m/s, x and z as the heading sees them"),
    ("root_height", 1, "m"),
)
_CONTACTS = ("contacts", 4, "0-1: left ankle, left toe, right ankle, right toe")

LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            "smpl22-6d",
            (*_ROOT, ("rotations", 132, "6-D local rotations; the root's without its heading"), _CONTACTS),
        ),
        Layout(
            "smpl22-directions",
            (
                *_ROOT,
                ("directions", 63, "unit vectors parent -> child of joints 1-21 as the heading sees them"),
                _CONTACTS,
            ),
        ),
        Layout(
            "openpose14-2d",
            (("positions", 28, "m, x and y of 14 joints seen from the front"),),
            joints=OPENPOSE14,
            parents=(-1, 0, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12),
            dimensions=2,
        ),
        Layout("stage-66", stage.PARTS, joints=(), parents=(), dimensions=0),
    )
}

BODY_LAYOUTS = tuple(name for name, layout in LAYOUTS.items() if layout.joints)
"""The names of those that represent a body's motion."""


def layout_named(name: str) -> Layout:
    """The layout of that name. Raises FootlightError for an unknown one."""
    if name not in LAYOUTS:
        raise FootlightError(f"unknown layout {name!r}: choose one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name]

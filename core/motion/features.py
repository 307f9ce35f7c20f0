"""Motion as channels for a network: named slices, and the way there and back.

``smpl22-6d`` (140 channels) is what the models learn. The *heading* of a frame is the yaw of the pelvis: the twist of
its rotation about the vertical. It is a function of the pose alone, so a pose edited or generated on its own still has
one, and taking it out and putting it back is exact; averaging over hips and shoulders would give a calmer line but no
exact way back from a single frame. Velocities are backward differences, so frame 0 has none of its own and repeats
that of frame 1; ``decode`` ignores it and starts at the origin it is given.

``openpose14-2d`` (28 channels) is the 2-D layout of MoMu-Diffusion: 14 joints seen from the front; encode only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from core.config import SignalConfig
from core.motion import contact, kinematics, rotation
from core.motion.skeleton import SMPL22
from core.types import FootlightError, Motion

DEFAULT_FPS = SignalConfig().motion_fps


@dataclass(frozen=True)
class Layout:
    """What the channels of a feature array mean, in order. parts: (name, width, unit)."""

    name: str
    parts: tuple[tuple[str, int, str], ...]

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each part stands among the channels."""
        found, start = {}, 0
        for name, width, _ in self.parts:
            found[name] = slice(start, start + width)
            start += width
        return found

    @property
    def channels(self) -> int:
        return sum(width for _, width, _ in self.parts)

    def split(self, features: Tensor) -> dict[str, Tensor]:
        """Views (..., width) of the channels by part. Raises FootlightError when the width is not this layout's."""
        if features.shape[-1] != self.channels:
            raise FootlightError(
                f"motion features with {features.shape[-1]} channels were given; layout {self.name} has {self.channels}"
            )
        return {name: features[..., part] for name, part in self.slices.items()}


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            "smpl22-6d",
            (
                ("root_yaw_velocity", 1, "rad/s"),
                ("root_velocity", 2, "m/s, x and z as the heading sees them"),
                ("root_height", 1, "m"),
                ("rotations", 132, "6-D local rotations; the root's without its heading"),
                ("contacts", 4, "0-1: left ankle, left toe, right ankle, right toe"),
            ),
        ),
        Layout("openpose14-2d", (("positions", 28, "m, x and y of 14 joints seen from the front"),)),
    )
}


def layout_named(name: str) -> Layout:
    """The layout of that name, or FootlightError."""
    if name not in LAYOUTS:
        raise FootlightError(f"unknown motion layout {name!r}: choose one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def encode(motion: Motion, layout: str | Layout = "smpl22-6d") -> Tensor:
    """Features (t, c) of a motion. Contacts are labelled when the motion brings none."""
    layout = layout_named(layout) if isinstance(layout, str) else layout
    if layout.name == "openpose14-2d":
        return _encode_openpose(motion.rotations, motion.root)
    contacts = motion.contacts
    if contacts is None:
        contacts = contact.label(kinematics.forward(motion.rotations, motion.root), motion.fps)
    return encode_arrays(motion.rotations, motion.root, contacts, motion.fps)


def decode(
    features: Tensor, layout: str | Layout = "smpl22-6d", fps: float = DEFAULT_FPS, origin: Tensor | None = None
) -> Motion:
    """The motion of features (t, c). origin: see ``decode_arrays``."""
    layout = layout_named(layout) if isinstance(layout, str) else layout
    rotations, root, contacts = decode_arrays(features, fps, origin, layout)
    return Motion(rotations, root, float(fps), contacts)


def origin_of(rotations: Tensor, root: Tensor) -> Tensor:
    """Where a motion (..., t, j, 4), (..., t, 3) starts: x and z in metres and heading in radians, (..., 3)."""
    return torch.stack((root[..., 0, 0], root[..., 0, 2], rotation.yaw(rotations[..., 0, 0, :])), -1)


def encode_arrays(rotations: Tensor, root: Tensor, contacts: Tensor, fps: float) -> Tensor:
    """``smpl22-6d`` (..., t, 140) of (..., t, j, 4), (..., t, 3), (..., t, 4); batched, differentiable."""
    heading = rotation.unwrap(rotation.yaw(rotations[..., 0, :]), dim=-1)
    level = rotation.mul(rotation.about("y", -heading), rotations[..., 0, :])
    steps = rotation.rotate(rotation.about("y", -heading[..., 1:]), torch.diff(root, dim=-2))
    local = torch.cat((level[..., None, :], rotations[..., 1:, :]), -2)
    return torch.cat(
        (
            _repeat_first(torch.diff(heading, dim=-1)[..., None] * fps),
            _repeat_first(steps[..., (0, 2)] * fps),
            root[..., 1:2],
            rotation.to_6d(local).flatten(-2),
            contacts,
        ),
        -1,
    )


def decode_arrays(
    features: Tensor, fps: float = DEFAULT_FPS, origin: Tensor | None = None, layout: Layout | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Batched, differentiable ``decode``: rotations (..., t, 22, 4), root (..., t, 3), contacts (..., t, 4) in [0, 1].

    origin: (..., 3) x, z (metres) and heading (radians) of frame 0; None is the middle of the stage, facing +z.
    """
    layout = layout or LAYOUTS["smpl22-6d"]
    if layout.name != "smpl22-6d":
        raise FootlightError(f"layout {layout.name} cannot be turned back into a motion: use smpl22-6d")
    parts = layout.split(features)
    heading, root = _integrate(parts, fps, origin)
    local = rotation.from_6d(parts["rotations"].unflatten(-1, (SMPL22.joints, 6)))
    turned = rotation.mul(rotation.about("y", heading)[..., None, :], local[..., :1, :])
    return torch.cat((turned, local[..., 1:, :]), -2), root, parts["contacts"].clamp(0, 1)


def positions_from_features(features: Tensor, fps: float = DEFAULT_FPS, origin: Tensor | None = None) -> Tensor:
    """World joint positions (..., t, 22, 3) straight from ``smpl22-6d`` features, without quaternions: for losses."""
    parts = LAYOUTS["smpl22-6d"].split(features)
    heading, root = _integrate(parts, fps, origin)
    matrices = rotation.matrix_from_6d(parts["rotations"].unflatten(-1, (SMPL22.joints, 6)))
    level = kinematics.forward_matrices(matrices, torch.zeros_like(root))
    return rotation.rotate(rotation.about("y", heading)[..., None, :], level) + root[..., None, :]


def _integrate(parts: dict[str, Tensor], fps: float, origin: Tensor | None) -> tuple[Tensor, Tensor]:
    """Heading (..., t) and root (..., t, 3) from the velocities, starting at ``origin``."""
    height = parts["root_height"]
    if origin is None:
        origin = height.new_zeros(*height.shape[:-2], 3)
    turns = torch.cumsum(parts["root_yaw_velocity"][..., 1:, 0] / fps, -1)
    heading = origin[..., 2:] + torch.cat((torch.zeros_like(height[..., :1, 0]), turns), -1)
    x, z = parts["root_velocity"][..., 1:, :].unbind(-1)
    seen = torch.stack((x, torch.zeros_like(x), z), -1) / fps
    steps = torch.cumsum(rotation.rotate(rotation.about("y", heading[..., 1:]), seen), -2)
    start = height.new_zeros(*height.shape[:-2], 1, 2)
    planar = origin[..., None, :2] + torch.cat((start, steps[..., (0, 2)]), -2)
    return heading, torch.cat((planar[..., :1], height, planar[..., 1:]), -1)


def _repeat_first(steps: Tensor) -> Tensor:
    """One frame more at the front; a single frame stands still."""
    if steps.shape[-2] == 0:
        return steps.new_zeros(*steps.shape[:-2], 1, steps.shape[-1])
    return torch.cat((steps[..., :1, :], steps), -2)


OPENPOSE14 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
)  # fmt: skip
"""The joints of ``openpose14-2d``, in their order."""

_NOSE = (0.0, 0.05, 0.10)  # in the head joint's frame, metres


def _encode_openpose(rotations: Tensor, root: Tensor) -> Tensor:
    """x and y (..., t, 28) as a camera before the dancer's first frame sees them, the first root at x = 0."""
    turns, places = kinematics.forward_global(rotations, root)
    head = SMPL22.index("head")
    nose = places[..., head, :] + rotation.rotate(turns[..., head, :], places.new_tensor(_NOSE))
    joints = [nose if name == "nose" else places[..., SMPL22.index(name), :] for name in OPENPOSE14]
    origin = origin_of(rotations, root)
    start = torch.stack((origin[..., 0], torch.zeros_like(origin[..., 0]), origin[..., 1]), -1)
    front = rotation.about("y", -origin[..., 2])[..., None, None, :]
    return rotation.rotate(front, torch.stack(joints, -2) - start[..., None, None, :])[..., :2].flatten(-2)

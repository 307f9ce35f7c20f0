"""Encodes motion as feature channels for a network, and decodes them. A ``Layout`` says what the channels mean.

The *heading* of a frame is the yaw of the pelvis: the twist of its rotation about the vertical. It depends on the pose
alone, so a pose that was edited or generated on its own has one too, and removing and restoring it is exact. An average
over hips and shoulders would be smoother, but could not be undone from a single frame.

Velocities are backward differences. Frame 0 has none of its own and repeats that of frame 1; ``decode`` ignores it and
starts at the given origin.

Every layout can be encoded and gives joint positions. Rotations are restored exactly from ``smpl22-6d``. From
``smpl22-directions`` they are fitted (``core.motion.directions``): positions are exact, but the roll of the bones is a
guess. ``openpose14-2d`` does not give rotations.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.motion import contact, directions, kinematics, rotation
from core.motion.layouts import LAYOUTS, OPENPOSE14, Layout, layout_named
from core.motion.skeleton import SMPL22
from core.types import Motion

__all__ = [
    "LAYOUTS", "OPENPOSE14", "Layout", "decode", "decode_arrays", "encode", "encode_arrays", "heading_of",
    "layout_named", "origin_of", "path_of", "positions_from_features",
]  # fmt: skip

DEFAULT_FPS = 31.25  # frames per second, as in the prepared data and the embedded model
DEFAULT_LAYOUT = "smpl22-6d"


def _layout(layout: str | Layout) -> Layout:
    return layout_named(layout) if isinstance(layout, str) else layout


def encode(motion: Motion, layout: str | Layout = DEFAULT_LAYOUT) -> Tensor:
    """Features (t, c) of a motion. Contacts are labelled if the motion has none."""
    layout, contacts = _layout(layout), motion.contacts
    if contacts is None and "contacts" in layout.slices:
        contacts = contact.label(kinematics.forward(motion.rotations, motion.root), motion.fps)
    return encode_arrays(motion.rotations, motion.root, contacts, motion.fps, layout)


def decode(
    features: Tensor, layout: str | Layout = DEFAULT_LAYOUT, fps: float = DEFAULT_FPS, origin: Tensor | None = None
) -> Motion:
    """The motion of features (t, c).

    features: (t, c) in the given layout.
    layout: a layout or its name.
    fps: frames per second.
    origin: (3,) as in ``decode_arrays``.

    Raises FootlightError for a flat layout.
    """
    rotations, root, contacts = decode_arrays(features, fps, origin, layout)
    return Motion(rotations, root, float(fps), contacts)


def origin_of(rotations: Tensor, root: Tensor) -> Tensor:
    """Where a motion starts, (..., 3): x and z in metres and heading in radians.

    rotations: (..., t, j, 4) local rotations.
    root: (..., t, 3) metres.
    """
    return torch.stack((root[..., 0, 0], root[..., 0, 2], rotation.yaw(rotations[..., 0, 0, :])), -1)


def encode_arrays(
    rotations: Tensor, root: Tensor, contacts: Tensor | None, fps: float, layout: str | Layout = DEFAULT_LAYOUT
) -> Tensor:
    """Features (..., t, c) of a motion given as arrays: a batched, differentiable ``encode``.

    rotations: (..., t, 22, 4) local rotations.
    root: (..., t, 3) metres.
    contacts: (..., t, 4) in [0, 1]; None only for a layout without contacts.
    fps: frames per second.
    layout: a layout or its name.
    """
    layout = _layout(layout)
    if layout.dimensions == 2:
        return _from_the_front(rotations, root)
    heading = rotation.unwrap(rotation.yaw(rotations[..., 0, :]), dim=-1)
    level = rotation.mul(rotation.about("y", -heading), rotations[..., 0, :])
    steps = rotation.rotate(rotation.about("y", -heading[..., 1:]), torch.diff(root, dim=-2))
    local = torch.cat((level[..., None, :], rotations[..., 1:, :]), -2)
    pose = directions.from_rotations(local) if "directions" in layout.slices else rotation.to_6d(local)
    assert contacts is not None, f"{layout.name} has channels for contacts"
    return torch.cat(
        (
            _repeat_first(torch.diff(heading, dim=-1)[..., None] * fps),
            _repeat_first(steps[..., (0, 2)] * fps),
            root[..., 1:2],
            pose.flatten(-2),
            contacts,
        ),
        -1,
    )


def decode_arrays(
    features: Tensor,
    fps: float = DEFAULT_FPS,
    origin: Tensor | None = None,
    layout: str | Layout = DEFAULT_LAYOUT,
) -> tuple[Tensor, Tensor, Tensor]:
    """The motion of features as arrays: a batched, differentiable ``decode``.

    Returns rotations (..., t, 22, 4), root (..., t, 3) in metres and contacts (..., t, 4) in [0, 1].

    features: (..., t, c) in the given layout.
    fps: frames per second.
    origin: (..., 3) x and z in metres and heading in radians of frame 0; None is the world origin, facing +z.
    layout: a layout or its name.

    Raises FootlightError for a flat layout.
    """
    layout = _layout(layout)
    parts = layout.split(features)
    layout.check_moves_a_rig()
    heading, root = path_of(parts, fps, origin)
    if "directions" in parts:
        local = directions.to_rotations(parts["directions"].unflatten(-1, (-1, 3)))
    else:
        local = rotation.from_6d(parts["rotations"].unflatten(-1, (SMPL22.joints, 6)))
    turned = rotation.mul(rotation.about("y", heading)[..., None, :], local[..., :1, :])
    return torch.cat((turned, local[..., 1:, :]), -2), root, parts["contacts"].clamp(0, 1)


def positions_from_features(
    features: Tensor, fps: float = DEFAULT_FPS, origin: Tensor | None = None, layout: str | Layout = DEFAULT_LAYOUT
) -> Tensor:
    """World joint positions (..., t, j, 3) in metres, straight from features without quaternions, for losses.

    A flat layout gives (..., t, j, 2) in the image plane, y up, whatever ``origin`` is. The joints are those of
    ``layout.joints``.

    features: (..., t, c) in the given layout.
    fps: frames per second.
    origin: (..., 3) as in ``decode_arrays``.
    layout: a layout or its name.
    """
    layout = _layout(layout)
    parts = layout.split(features)
    if layout.dimensions == 2:
        return parts["positions"].unflatten(-1, (-1, 2))
    heading, root = path_of(parts, fps, origin)
    if "directions" in parts:
        level = directions.positions(parts["directions"].unflatten(-1, (-1, 3)))
    else:
        matrices = rotation.matrix_from_6d(parts["rotations"].unflatten(-1, (SMPL22.joints, 6)))
        level = kinematics.forward_matrices(matrices, torch.zeros_like(root))
    return rotation.rotate(rotation.about("y", heading)[..., None, :], level) + root[..., None, :]


def heading_of(parts: dict[str, Tensor], fps: float) -> Tensor:
    """Heading (..., t) in radians, 0 in frame 0, integrated from the part ``root_yaw_velocity``."""
    turns = torch.cumsum(parts["root_yaw_velocity"][..., 1:, 0] / fps, -1)
    return torch.cat((torch.zeros_like(parts["root_yaw_velocity"][..., :1, 0]), turns), -1)


def path_of(parts: dict[str, Tensor], fps: float, origin: Tensor | None) -> tuple[Tensor, Tensor]:
    """Heading (..., t) in radians and root (..., t, 3) in metres, integrated from the velocities.

    parts: of features, as ``Layout.split`` gives them.
    fps: frames per second.
    origin: (..., 3) as in ``decode_arrays``.
    """
    height = parts["root_height"]
    if origin is None:
        origin = height.new_zeros(*height.shape[:-2], 3)
    heading = origin[..., 2:] + heading_of(parts, fps)
    x, z = parts["root_velocity"][..., 1:, :].unbind(-1)
    seen = torch.stack((x, torch.zeros_like(x), z), -1) / fps
    steps = torch.cumsum(rotation.rotate(rotation.about("y", heading[..., 1:]), seen), -2)
    start = height.new_zeros(*height.shape[:-2], 1, 2)
    planar = origin[..., None, :2] + torch.cat((start, steps[..., (0, 2)]), -2)
    return heading, torch.cat((planar[..., :1], height, planar[..., 1:]), -1)


def _repeat_first(steps: Tensor) -> Tensor:
    """Prepend a copy of the first of the differences (..., t - 1, c). Of a single frame, the difference is zero."""
    if steps.shape[-2] == 0:
        return steps.new_zeros(*steps.shape[:-2], 1, steps.shape[-1])
    return torch.cat((steps[..., :1, :], steps), -2)


_NOSE = (0.0, 0.05, 0.10)  # in the head joint's frame, metres


def _from_the_front(rotations: Tensor, root: Tensor) -> Tensor:
    """Features (..., t, 28) of ``openpose14-2d``: x and y seen by a camera in front of the dancer's first frame.

    The root of frame 0 is at x = 0.
    """
    turns, places = kinematics.forward_global(rotations, root)
    head = SMPL22.index("head")
    nose = places[..., head, :] + rotation.rotate(turns[..., head, :], places.new_tensor(_NOSE))
    joints = [nose if name == "nose" else places[..., SMPL22.index(name), :] for name in OPENPOSE14]
    origin = origin_of(rotations, root)
    start = torch.stack((origin[..., 0], torch.zeros_like(origin[..., 0]), origin[..., 1]), -1)
    front = rotation.about("y", -origin[..., 2])[..., None, None, :]
    return rotation.rotate(front, torch.stack(joints, -2) - start[..., None, None, :])[..., :2].flatten(-2)

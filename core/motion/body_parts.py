"""The parts of the body (``core.edits.parts``) that an edit keeps or makes anew, as channels of a layout.

A part that is given is shown to a denoiser as latents of the motion in which all other parts are at the mean of the
training motion (``shown``).
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.edits.parts import BODY_PARTS
from core.motion.layouts import Layout
from core.motion.skeleton import SMPL22


def part_of_channels(layout: Layout) -> Tensor:
    """The index (c,) of the part in ``BODY_PARTS`` to which each channel of a layout belongs.

    Raises ValueError for a layout without rotations of ``SMPL22``.
    """
    if "rotations" not in layout.slices:
        raise ValueError(f"the channels of layout {layout.name} do not belong to single parts of the body")
    of_joint = part_of_joints()
    channels = torch.zeros(layout.channels, dtype=torch.long)
    place = layout.slices["rotations"]
    channels[place] = of_joint.repeat_interleave((place.stop - place.start) // len(of_joint))
    return channels


def part_of_joints() -> Tensor:
    """The index (22,) of the part in ``BODY_PARTS`` to which each joint of ``SMPL22`` belongs."""
    of_joint = torch.zeros(len(SMPL22.names), dtype=torch.long)
    for index, joints in enumerate(BODY_PARTS.values()):
        of_joint[[SMPL22.index(name) for name in joints]] = index
    return of_joint


def shown(features: Tensor, given: Tensor, mean: Tensor, layout: Layout) -> Tensor:
    """Features (b, t, c) with the channels of all parts that are not given at their mean.

    features: (b, t, c) in the layout.
    given: (b, t, parts), above 0 where a part is given.
    mean: (c,) of the training motion, or others (b, t, c).
    layout: one with rotations.
    """
    return torch.where(given[..., part_of_channels(layout).to(given.device)] > 0, features, mean)

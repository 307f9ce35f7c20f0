"""Restores the bone lengths of motion given as joint positions. Rotations of a skeleton do not need this."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LONGEST = 1.3  # times the bone's mean length (MoMu-Diffusion, appendix on post-processing)


def restore(positions: Tensor, parents: Sequence[int], longest: float = LONGEST) -> Tensor:
    """Positions (t, j, 2 or 3) in which overlong bones have their mean length. Joints below a bone move with it.

    positions: (t, j, 2 or 3).
    parents: (j,) index of each joint's parent, smaller than its own; -1 for the root.
    longest: times its own mean length; a longer bone is shortened to the mean.
    """
    moved = [positions[:, 0]] * len(parents)
    for joint, parent in enumerate(parents):
        if parent < 0:
            moved[joint] = positions[:, joint]
            continue
        bone = positions[:, joint] - positions[:, parent]
        length = torch.linalg.vector_norm(bone, dim=-1, keepdim=True)
        mean = length.mean(0, keepdim=True)
        bone = torch.where(length > longest * mean, bone * mean / length.clamp_min(1e-9), bone)
        moved[joint] = moved[parent] + bone
    return torch.stack(moved, 1)

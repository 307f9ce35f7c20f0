"""Forward kinematics, and analytic inverse kinematics of a two-bone limb. Differentiable, for any batch shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import pairwise

import torch
from torch import Tensor

from core.motion import rotation
from core.motion.skeleton import MIRROR, SMPL22, Skeleton
from core.types import Motion


@dataclass(frozen=True)
class _Plan:
    """The tree of joints by levels, so that one level is computed at once.

    steps: for every level below the root, its joints, and the positions of their parents in the level above.
    order: the positions of the skeleton's joints in the concatenated levels.
    """

    steps: tuple[tuple[Tensor, Tensor], ...]
    order: Tensor


@lru_cache(maxsize=32)
@torch.inference_mode(False)  # the plan is kept, and training may be next to use it
def _plan(skeleton: Skeleton, device: torch.device) -> _Plan:
    levels = skeleton.levels()
    above = [[upper.index(skeleton.parents[j]) for j in level] for upper, level in pairwise(levels)]
    laid = [j for level in levels for j in level]
    order = [laid.index(j) for j in range(skeleton.joints)]
    at = partial(torch.tensor, device=device)
    return _Plan(tuple((at(level), at(parents)) for level, parents in zip(levels[1:], above, strict=True)), at(order))


def forward_global(
    rotations: Tensor, root: Tensor, skeleton: Skeleton = SMPL22, offsets: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """World rotations (..., j, 4) and positions (..., j, 3) of every joint.

    Components are the leading dimension inside, and joints the next, so that each product runs over contiguous numbers.

    rotations: (..., j, 4) local rotations, wxyz.
    root: (..., 3) metres.
    skeleton: the joints and their offsets.
    offsets: (..., j, 3) in place of the skeleton's own, for captures whose bones change length.
    """
    if offsets is None:
        offsets = skeleton.offsets.to(rotations)
    offsets = offsets[(None,) * (rotations.dim() - offsets.dim())]
    plan = _plan(skeleton, rotations.device)
    local, bones = (of_joints.movedim((-1, -2), (0, 1)).contiguous() for of_joints in (rotations, offsets))
    turns, places = [local[:, :1]], [root.movedim(-1, 0)[:, None]]
    for level, parents in plan.steps:
        parent = turns[-1].index_select(1, parents)
        carried = rotation.rotated(parent, bones.index_select(1, level))
        places.append(places[-1].index_select(1, parents) + torch.stack(carried))
        turns.append(torch.stack(rotation.product(parent, local.index_select(1, level))))
    ordered = (torch.cat(levels, 1).index_select(1, plan.order) for levels in (turns, places))
    world, positions = (of_joints.movedim((0, 1), (-1, -2)) for of_joints in ordered)
    return world, positions


def forward(rotations: Tensor, root: Tensor, skeleton: Skeleton = SMPL22, offsets: Tensor | None = None) -> Tensor:
    """World positions (..., j, 3) of every joint, metres. The parameters are those of ``forward_global``."""
    return forward_global(rotations, root, skeleton, offsets)[1]


def forward_matrices(matrices: Tensor, root: Tensor) -> Tensor:
    """World positions (..., j, 3) on ``SMPL22`` from local rotation matrices, for losses that need no quaternions.

    The matrix entries are the leading dimensions inside, which is faster on a CPU than many products of small matrices.
    ``rotation.matrix_from_6d`` returns them in this memory layout.

    matrices: (..., j, 3, 3) local rotations.
    root: (..., 3) metres.
    """
    entries = matrices.movedim((-2, -1, -3), (0, 1, 2))  # (3, 3, j, ...)
    offsets = SMPL22.offsets.to(matrices).T.reshape(3, SMPL22.joints, *[1] * (entries.dim() - 3))
    turns, places = entries[:, :, :1], [root.movedim(-1, 0)[:, None]]
    plan = _plan(SMPL22, matrices.device)
    for level, parents in plan.steps:
        parent, local = turns.index_select(2, parents), entries.index_select(2, level)
        places.append(places[-1].index_select(1, parents) + (parent * offsets.index_select(1, level)).sum(1))
        turns = parent[:, 0:1] * local[0:1] + parent[:, 1:2] * local[1:2] + parent[:, 2:3] * local[2:3]
    return torch.cat(places, 1).index_select(1, plan.order).movedim((0, 1), (-1, -2))


def tips(rotations: Tensor, root: Tensor, skeleton: Skeleton = SMPL22) -> dict[str, Tensor]:
    """World positions (..., 3) of the ends of bones without a child joint, by the name of the joint they start at."""
    turns, places = forward_global(rotations, root, skeleton)
    at = {name: skeleton.index(name) for name in skeleton.tips}
    return {
        name: places[..., at[name], :] + rotation.rotate(turns[..., at[name], :], tip.to(root))
        for name, tip in skeleton.tips.items()
    }


def facing(turns: Tensor) -> Tensor:
    """The direction (..., 3) that the chest faces, of world rotations (..., j, 4) of ``SMPL22``; +z is the front."""
    chest = turns[..., SMPL22.index("spine3"), :]
    return rotation.rotate(chest, chest.new_tensor((0.0, 0.0, 1.0)))


def local_rotations(turns: Tensor, skeleton: Skeleton = SMPL22) -> Tensor:
    """Local rotations (..., j, 4) from world rotations (..., j, 4)."""
    parents = [max(parent, 0) for parent in skeleton.parents]
    local = rotation.mul(rotation.conjugate(turns[..., parents, :]), turns)
    is_root = torch.tensor([parent < 0 for parent in skeleton.parents], device=turns.device)[:, None]
    return torch.where(is_root, turns, local)


def two_bone_ik(
    rotations: Tensor,
    root: Tensor,
    target: Tensor,
    chain: tuple[int, int, int],
    softness: float = 0.01,
) -> Tensor:
    """Local rotations (..., j, 4) that move the end of a two-bone limb to ``target`` and keep its world rotation.

    The skeleton is ``SMPL22``. The middle joint stays in the plane in which the limb bends. A limb that is almost
    straight bends towards the front of the upper joint, so a knee never flips. The limb points at a target that is out
    of reach.

    rotations: (..., j, 4) local rotations.
    root: (..., 3) metres.
    target: (..., 3) world position, metres.
    chain: upper, middle and end joint, each the parent of the next: hip, knee, ankle.
    softness: metres. Closer than this to full reach, the limb stretches exponentially and does not snap straight. The
        end misses its target there by at most 0.37 x softness.
    """
    upper, middle, end = chain
    turns, places = forward_global(rotations, root, SMPL22)
    hip, knee, ankle = places[..., upper, :], places[..., middle, :], places[..., end, :]
    thigh, shin = _length(knee - hip), _length(ankle - knee)
    wanted = target - hip
    reach = _soft_reach(_length(wanted), thigh, shin, softness)

    swing = rotation.between(ankle - hip, wanted)
    along = wanted / _length(wanted)
    bent = rotation.rotate(swing, knee - hip)
    front = rotation.rotate(rotation.mul(swing, turns[..., upper, :]), _front(wanted))
    pole = _pole(bent, front, along)

    forth = (reach**2 + thigh**2 - shin**2) / (2 * reach)
    out = (thigh**2 - forth**2).clamp_min(1e-12).sqrt()
    new_knee = along * forth + pole * out  # relative to the hip
    new_ankle = along * reach

    turn = rotation.mul(rotation.between(bent, new_knee), swing)
    new_upper = rotation.mul(turn, turns[..., upper, :])
    fold = rotation.between(rotation.rotate(turn, ankle - knee), new_ankle - new_knee)
    new_middle = rotation.mul(fold, rotation.mul(turn, turns[..., middle, :]))

    parent = SMPL22.parents[upper]
    local = list(rotations.unbind(-2))
    local[upper] = rotation.normalise(rotation.mul(rotation.conjugate(turns[..., parent, :]), new_upper))
    local[middle] = rotation.normalise(rotation.mul(rotation.conjugate(new_upper), new_middle))
    local[end] = rotation.normalise(rotation.mul(rotation.conjugate(new_middle), turns[..., end, :]))
    return torch.stack(local, -2)


def _length(v: Tensor) -> Tensor:
    return torch.linalg.vector_norm(v, dim=-1, keepdim=True).clamp_min(1e-6)


def _front(like: Tensor) -> Tensor:
    return like.new_tensor((0.0, 0.0, 1.0)).expand_as(like)


def _soft_reach(distance: Tensor, thigh: Tensor, shin: Tensor, softness: float) -> Tensor:
    """The length that the limb will span: ``distance`` up to ``softness`` short of full reach, then approaching it."""
    most = thigh + shin
    if softness > 0:
        start = most - softness
        over = (distance - start).clamp_min(0)
        distance = torch.where(distance > start, most - softness * torch.exp(-over / softness), distance)
    # a fully folded limb has no direction, so it always spans at least 2 cm more
    return torch.maximum(torch.minimum(distance, most), (thigh - shin).abs() + 0.02)


def _pole(bent: Tensor, front: Tensor, along: Tensor) -> Tensor:
    """The unit vector, at right angles to ``along``, in whose direction the middle joint bends.

    Where the joint stands out by less than 4 cm, the vector is blended with the front. This also corrects a knee that
    capture noise has bent slightly backwards.
    """
    bent = bent - (bent * along).sum(-1, keepdim=True) * along
    front = front - (front * along).sum(-1, keepdim=True) * along
    front = front / _length(front)
    weight = (1 - _length(bent) / 0.04).clamp_min(0)
    pole = bent + 0.03 * weight * front
    return pole / _length(pole)


def mirror(motion: Motion) -> Motion:
    """Mirror a motion: reflect it in the plane x = 0 and exchange left and right joints and contacts."""
    rotations = motion.rotations[..., MIRROR, :] * motion.rotations.new_tensor((1.0, 1.0, -1.0, -1.0))
    root = motion.root * motion.root.new_tensor((-1.0, 1.0, 1.0))
    contacts = None if motion.contacts is None else motion.contacts[..., (2, 3, 0, 1)]
    return replace(motion, rotations=rotations, root=root, contacts=contacts)

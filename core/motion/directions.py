"""Bone directions as unit vectors: from rotations, to joint positions, and back to rotations of ``SMPL22``.

A direction says where a bone points but not how it rolls about its own axis. The roll is chosen as follows:

- Several bones start at the pelvis and at the chest; together they determine its rotation.
- The upper bone of a limb rolls so that knee or elbow bends as a hinge.
- A straight arm keeps the roll of the shortest rotation. A straight leg faces where its toes point.
- The lower spine shares the twist between pelvis and chest.
- No bone starts at the head, the hands or the toes; they take the rotation of the joint above.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22

STRAIGHT = 0.3  # sine of the bend below which a limb's default roll is blended in

_SIDES = ("left", "right")
_SPINE = ("spine1", "spine2")
_HINGES = {"leg": (1.0, 0.0, 0.0), "left_arm": (0.0, -1.0, 0.0), "right_arm": (0.0, 1.0, 0.0)}
"""The axis about which the lower bone of a limb bends, in the rest pose."""


def from_rotations(rotations: Tensor) -> Tensor:
    """Bone directions (..., 21, 3), unit vectors, of local rotations (..., 22, 4). Bone i ends at joint i + 1."""
    places = kinematics.forward(rotations, torch.zeros_like(rotations[..., 0, :3]))
    bones = places[..., 1:, :] - places[..., list(SMPL22.parents[1:]), :]
    return rotation.unit(bones, _rest(places))


def positions(directions: Tensor) -> Tensor:
    """Joint positions (..., 22, 3) of bone directions (..., 21, 3), metres, with ``SMPL22``'s bone lengths.

    The root is at the origin. Directions are normalised; a zero vector is replaced by the bone's rest direction.
    """
    rest = _rest(directions)
    bones = rotation.unit(directions, rest) * _lengths().to(directions)[:, None]
    return torch.einsum("jb,...bc->...jc", _paths().to(directions), bones)


def to_rotations(directions: Tensor) -> Tensor:
    """Local rotations (..., 22, 4) whose bones point along directions (..., 21, 3); differentiable.

    Forward kinematics of the result gives ``positions(directions)`` again. It is exact where the bones at the pelvis
    and at the chest form the same angles as in ``SMPL22``, and otherwise as close as rigid bones allow.
    """
    point = dict(zip(SMPL22.names[1:], rotation.unit(directions, _rest(directions)).unbind(-2), strict=True))
    turn: dict[str, Tensor] = {}

    def follow(joint: str, start: Tensor, child: str) -> None:
        """Set the joint's rotation to ``start``, turned the shortest way until the bone to ``child`` points right."""
        bone = SMPL22.offsets[SMPL22.index(child)].to(directions)
        turn[joint] = rotation.mul(rotation.between(rotation.rotate(start, bone), point[child]), start)

    turn["pelvis"] = _braced(point, "left_hip", "right_hip", "spine1")
    turn["spine3"] = _braced(point, "left_collar", "right_collar", "neck")
    for i, (joint, child) in enumerate(zip(_SPINE, (*_SPINE[1:], "spine3"), strict=True)):
        follow(joint, rotation.slerp(turn["pelvis"], turn["spine3"], (i + 1) / 3), child)
    follow("neck", turn["spine3"], "head")
    for side in _SIDES:
        follow(f"{side}_hip", turn["pelvis"], f"{side}_knee")
        toes = torch.linalg.cross(point[f"{side}_foot"], point[f"{side}_knee"])
        _hinge(turn, point, f"{side}_hip", f"{side}_knee", f"{side}_ankle", _HINGES["leg"], toes)
        follow(f"{side}_knee", turn[f"{side}_hip"], f"{side}_ankle")
        follow(f"{side}_ankle", turn[f"{side}_knee"], f"{side}_foot")
        follow(f"{side}_collar", turn["spine3"], f"{side}_shoulder")
        follow(f"{side}_shoulder", turn[f"{side}_collar"], f"{side}_elbow")
        _hinge(turn, point, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist", _HINGES[f"{side}_arm"], None)
        follow(f"{side}_elbow", turn[f"{side}_shoulder"], f"{side}_wrist")
        turn[f"{side}_foot"], turn[f"{side}_wrist"] = turn[f"{side}_ankle"], turn[f"{side}_elbow"]
    turn["head"] = turn["neck"]
    turns = torch.stack([turn[name] for name in SMPL22.names], -2)
    return rotation.normalise(kinematics.local_rotations(turns))


def _braced(point: dict[str, Tensor], left: str, right: str, up: str) -> Tensor:
    """World rotation (..., 4) of a joint from the three bones that start there: left to right exactly, then up."""

    def axes(across: Tensor, upwards: Tensor) -> Tensor:
        return rotation.matrix_from_6d(torch.cat((across, upwards), -1))

    def own(name: str) -> Tensor:
        return SMPL22.offsets[SMPL22.index(name)].to(point[name])

    rest = axes(own(left) - own(right), own(up))
    now = axes(point[left] * own(left).norm() - point[right] * own(right).norm(), point[up])
    return rotation.from_matrix(now @ rest.transpose(-1, -2))


def _hinge(
    turn: dict[str, Tensor],
    point: dict[str, Tensor],
    upper: str,
    middle: str,
    end: str,
    axis: tuple[float, float, float],
    straight: Tensor | None,
) -> None:
    """Roll ``upper`` about its own bone until the limb's hinge lies along the axis about which the limb is bent.

    turn: world rotations (..., 4) by joint; that of ``upper`` is replaced.
    point: directions (..., 3) by the joint where the bone ends.
    axis: the hinge in the rest pose.
    straight: (..., 3) the axis for a limb that is not bent; None keeps the hinge where it is.
    """
    along, lower = point[middle], point[end]
    now = rotation.rotate(turn[upper], turn[upper].new_tensor(axis).expand_as(along))
    straight = now if straight is None else straight
    straight = rotation.unit(straight - (straight * along).sum(-1, keepdim=True) * along, now)
    fold = torch.linalg.cross(along, lower)  #  its length is the sine of the bend
    sine = torch.linalg.vector_norm(fold.detach(), dim=-1, keepdim=True)
    wanted = fold + STRAIGHT * (1 - sine / STRAIGHT).clamp_min(0) * straight
    angle = torch.atan2((torch.linalg.cross(now, wanted) * along).sum(-1), (now * wanted).sum(-1))
    turn[upper] = rotation.mul(rotation.from_axis_angle(along * angle[..., None]), turn[upper])


def _rest(like: Tensor) -> Tensor:
    """Bone directions (21, 3) of the rest pose, with dtype and device of ``like``."""
    return (SMPL22.offsets[1:] / _lengths()[:, None]).to(like)


def _lengths() -> Tensor:
    """Bone lengths (21,), metres."""
    return torch.linalg.vector_norm(SMPL22.offsets[1:], dim=-1)


@lru_cache(maxsize=1)
def _paths() -> Tensor:
    """(22, 21): 1 where a bone is on the way from the root to a joint, else 0."""
    paths = torch.zeros(SMPL22.joints, SMPL22.joints - 1)
    for joint, parent in enumerate(SMPL22.parents[1:], 1):
        paths[joint] = paths[parent]
        paths[joint, joint - 1] = 1
    return paths

"""Keeps hands and forearms out of the trunk and the thighs.

The body is three capsules: the trunk, which is wider than it is deep, and the thighs. Their sizes are such that dancers
in capture are hardly ever inside. Where an arm is, it is pushed out by the shortest way, by its shoulder and elbow. The
push rises before and falls after along a smooth curve, and all else stays as it is, bit for bit.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from core.postprocess.hold import fade
from core.postprocess.smooth import gaussian
from core.types import Motion

TRUNK = 0.10  # metres from the spine to the surface before and behind it; 1 % of capture's frames are below
DEPTH = 0.8  # of the trunk, by its width
THIGH = 0.10  # metres from the bone to the surface; likewise 1 %
HAND = 0.09  # metres from the wrist to the middle of the hand
ALONG = (0.0, 0.35, 0.7)  # of the forearm, from the wrist: where it is looked at beside the hand
LOOKS = 15.0  # a second, at least, that are taken at where the arms are; a push lasts longer than is between them
REACH = 0.1  # seconds before and after, over which a push lasts
EASE = 0.06  # seconds, one standard deviation of the curve along which it rises and falls
_STRETCHED = 0.99  # of the straight arm: it is stretched no farther, unless it was
_FOLDED = 0.05  # metres beyond the fully folded arm, likewise

_SHOULDERS, _ELBOWS, _WRISTS = (
    [SMPL22.index(f"{side}_{joint}") for side in ("left", "right")] for joint in ("shoulder", "elbow", "wrist")
)
_COLLARS = [SMPL22.parents[joint] for joint in _SHOULDERS]
_ALONG_ARM = ((1.0, 0.0, 0.0), (-1.0, 0.0, 0.0))  # the direction of each arm's bones at rest
_FOLD = ((0.0, -1.0, 0.0), (0.0, 1.0, 0.0))  # the axis about which each forearm turns to the front
_SPINE = SMPL22.index("spine1")
_STARTS = [SMPL22.index(joint) for joint in ("pelvis", "left_hip", "right_hip")]  # of trunk and thighs
_ENDS = [SMPL22.index(joint) for joint in ("neck", "left_knee", "right_knee")]
_RADII = (TRUNK, THIGH, THIGH)
_FLATTENED = (1 - DEPTH**2, 0.0, 0.0)  # how much less the way to the side counts, squared


def clear(motion: Motion, hold: Tensor | None = None) -> Motion:
    """Push hands and forearms out of the trunk and the thighs.

    motion: (t, ...) the motion.
    hold: (t, j) bool, what stays as it is; see ``core.postprocess.hold``.
    """
    if motion.frames < 3:
        return motion
    seen = torch.arange(0, motion.frames, max(1, int(motion.fps / LOOKS)))
    push = motion.root.new_zeros(motion.frames, 2, 3)
    push[seen] = _pushes(*kinematics.forward_global(motion.rotations[seen], motion.root[seen]))
    push = _eased(push, motion.fps)
    if hold is not None:
        held = hold[:, _SHOULDERS] | hold[:, _ELBOWS] | hold[:, _WRISTS]
        push = push * torch.stack([fade(arm, motion.fps) for arm in held.unbind(1)], 1).to(push)[..., None]
    moved = push.abs().amax((1, 2)).nonzero()[:, 0]
    if not len(moved):
        return motion
    push = push[moved]
    arms = push.abs().amax(2, keepdim=True) > 0  # an arm that is not pushed keeps its very numbers
    turns, places = kinematics.forward_global(motion.rotations[moved], motion.root[moved])
    rotations = motion.rotations.clone()
    for joints, turned in zip((_SHOULDERS, _ELBOWS), _reaching(turns, places, push), strict=True):
        place = (moved[:, None], torch.tensor(joints))
        rotations[place] = torch.where(arms, turned, rotations[place])
    return replace(motion, rotations=rotations)


def inside(motion: Motion) -> Tensor:
    """The frames (t,) bool in which a hand or a forearm is inside the trunk or a thigh."""
    normals, sizes = _around(*kinematics.forward_global(motion.rotations, motion.root))
    return (sizes < normals.new_tensor(_RADII)).flatten(1).any(1)


def _around(turns: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Where the points (n) of both arms are around the middles of trunk and thighs.

    Returns the normals (3, t, 2, n, 3) of the surfaces that are like the body's and go through the points, with their
    components first, and what these surfaces have as the body has its ``_RADII`` (t, 2, n, 3), metres.

    turns, places: world rotations (t, j, 4) and positions (t, j, 3) of the joints.
    """
    elbow, wrist = places[:, _ELBOWS], places[:, _WRISTS]
    hand = wrist + HAND * rotation.rotate(turns[:, _WRISTS], wrist.new_tensor(_ALONG_ARM))
    points = torch.stack((hand, *(torch.lerp(wrist, elbow, share) for share in ALONG)), 2)
    starts = places[:, _STARTS]
    points, starts, lines = (  # sums over leading components run over contiguous numbers
        values.movedim(-1, 0).contiguous() for values in (points, starts, places[:, _ENDS] - starts)
    )
    ways, lines = points[..., None] - starts[:, :, None, None], lines[:, :, None, None]
    share = (ways * lines).sum(0) / lines.square().sum(0)
    ways = ways - share.clamp(0, 1) * lines
    side = rotation.rotate(turns[:, _SPINE], places.new_tensor((1.0, 0.0, 0.0))).T[:, :, None, None, None]
    normals = ways - (ways * side).sum(0) * places.new_tensor(_FLATTENED) * side
    return normals, (ways * normals).sum(0).clamp_min(0).sqrt()


def _pushes(turns: Tensor, places: Tensor) -> Tensor:
    """The push (t, 2, 3) of each wrist that brings the deepest point of its arm to the body's surface, metres.

    turns, places: as of ``_around``.
    """
    normals, sizes = _around(turns, places)
    depths = normals.new_tensor(_RADII) - sizes
    found = torch.zeros_like(places[:, :2])
    deep = (depths > 0).flatten(1).any(1).nonzero()[:, 0]
    normals = normals[:, deep].movedim(0, -1).flatten(2, 3)
    sizes, depths = (values[deep].flatten(2, 3) for values in (sizes, depths))
    depth, most = depths.max(2, keepdim=True)
    normal = normals.take_along_dim(most[..., None], 2)[:, :, 0]
    slope = normal.square().sum(-1, keepdim=True).clamp_min(1e-8) / sizes.take_along_dim(most, 2).clamp_min(1e-4)
    found[deep] = normal * depth.clamp_min(0) / slope
    return found


def _eased(push: Tensor, fps: float) -> Tensor:
    """Pushes (t, 2, 3) that rise before and fall after, and are as long as is needed in between; zero elsewhere."""
    depth, reach = torch.linalg.vector_norm(push, dim=-1), max(1, round(REACH * fps))
    if not bool(depth.any()):
        return push
    longest = functional.max_pool1d(depth.T, 2 * reach + 1, stride=1, padding=reach).T
    near = functional.max_pool1d((longest > 0).to(push).T, 4 * reach + 1, stride=1, padding=2 * reach).T
    smooth = gaussian(torch.cat((push, longest[..., None]), -1), fps, EASE)
    length = smooth[..., 3].clamp_min(0) * near
    return length[..., None] * functional.normalize(smooth[..., :3], dim=-1, eps=1e-6)


def _reaching(turns: Tensor, places: Tensor, push: Tensor) -> tuple[Tensor, Tensor]:
    """Local rotations (t, 2, 4) of shoulders and elbows that move the wrists by pushes (t, 2, 3), metres.

    An elbow bends in the plane in which it is bent; a straight one as a hinge does.

    turns, places: as of ``_around``.
    """
    shoulder, elbow, wrist = places[:, _SHOULDERS], places[:, _ELBOWS], places[:, _WRISTS]
    upper, lower, now = elbow - shoulder, wrist - elbow, wrist - shoulder
    target = now + push
    a, b, reach, wanted = (torch.linalg.vector_norm(v, dim=-1, keepdim=True) for v in (upper, lower, now, target))
    wanted = torch.maximum(wanted, torch.minimum((a - b).abs() + _FOLDED, reach))
    wanted = torch.minimum(wanted, torch.maximum(_STRETCHED * (a + b), reach))
    hinge = rotation.rotate(turns[:, _ELBOWS], turns.new_tensor(_FOLD))
    axis = functional.normalize(torch.linalg.cross(upper, lower) / (a * b) + 0.05 * hinge, dim=-1)
    folding = rotation.from_axis_angle(axis * (_opening(a, b, reach) - _opening(a, b, wanted)))
    swing = rotation.between(upper + rotation.rotate(folding, lower), target)
    new_upper = rotation.mul(swing, turns[:, _SHOULDERS])
    new_lower = rotation.mul(swing, rotation.mul(folding, turns[:, _ELBOWS]))
    above = rotation.conjugate(turns[:, _COLLARS])
    found = (rotation.mul(above, new_upper), rotation.mul(rotation.conjugate(new_upper), new_lower))
    return rotation.normalise(found[0]), rotation.normalise(found[1])


def _opening(a: Tensor, b: Tensor, opposite: Tensor) -> Tensor:
    """The angle between two sides of a triangle by its three sides, radians."""
    return ((a.square() + b.square() - opposite.square()) / (2 * a * b)).clamp(-1, 1).acos()

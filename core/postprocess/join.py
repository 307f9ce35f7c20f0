"""Joins a motion that was made anew to the one that is held around it, exactly and without a jolt.

1. The made path is turned and moved so that it meets the held one wherever the pelvis is held. In between, the turn and
   the shift grow slowly.
2. What is left of the difference in pose fades out beside held frames along a smooth curve ("inertialisation", Bollo
   2018, with both sides known). It goes through what is slow in the difference, and not through its jitter: that would
   be carried on beyond the seam, where it moves arrivals off the beat.
3. What is held is copied.

After other post-processing, ``eased`` takes the jolts out of what was made beside the seams, so that velocity and
acceleration run on, too, and hands do not jolt along with a trunk that is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from core.postprocess.banded import smoothest
from core.postprocess.hold import between, fade
from core.types import Motion

BLEND = 0.15  # seconds: scale of the curve along which a difference in pose fades out; four of them later it is gone
REACH = 0.3  # seconds beside a seam within which the least jerk is sought
JERK = 0.1  # seconds: movements that are shorter are smoothed half-way there
_MARGIN = 6  # frames beyond ``REACH`` that its curves run on through; more than their order
_AIM_REACH = 0.15  # seconds, as ``REACH``, for the ends of limbs that hang on what is held
_ORDER = 3  # of the differences that are small along its curve: acceleration runs on
_FAITH = 0.3  # weight of a held frame's difference against the smoothness of its curve, which leaves out above 0.9 Hz
_EXACT = 1e6  # weight of a held frame against the least jerk

_LIMBS = tuple(
    ([SMPL22.index(joint) for joint in limb], SMPL22.index(end))
    for limb, end in (
        (("spine1", "spine2", "spine3"), "neck"),
        *(
            ((f"{side}_{joint}",), f"{side}_{end}")
            for side in ("left", "right")
            for joint, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
        ),
    )
)
"""The bones that are aimed together and the joint at their end, from the trunk out."""


def join(made: Motion, base: Motion, hold: Tensor, blend: float = BLEND) -> Motion:
    """The made motion where nothing is held, the base where it is.

    made: (t, ...) the new motion.
    base: (t, ...) the motion that is held, of the same frame rate.
    hold: (t, j) bool, see ``core.postprocess.hold``.
    blend: as ``BLEND``.
    """
    assert made.frames == base.frames and made.fps == base.fps
    motion = _meet(made, base, hold[:, 0])
    apart = rotation.to_axis_angle(rotation.mul(rotation.conjugate(motion.rotations), base.rotations))
    apart = _by_frames(apart.flatten(1), hold.repeat_interleave(3, dim=1), partial(_fading, span=blend * base.fps))
    turns = rotation.from_axis_angle(apart.unflatten(1, (-1, 3)))
    rotations = rotation.normalise(rotation.mul(motion.rotations, turns))
    root = motion.root + _fading(base.root - motion.root, hold[:, 0], blend * base.fps)
    return copied(replace(motion, rotations=rotations, root=root), base, hold)


def eased(motion: Motion, hold: Tensor, reach: float = REACH, jerk: float = JERK) -> Motion:
    """A joined motion that goes over the least jerk beside what is held (t, j), and farther away stays as it is.

    A difference that fades out leaves the made motion's own jolts beside a seam. Here, frames count less the nearer
    they are to one, and the curve of least jerk goes through them, as people move (Flash and Hogan 1985). It is that of
    the limbs in the world: turned smoothly against a trunk that jolts, they would jolt along. Limbs that hang on such a
    trunk are aimed so that their ends have it too. Quaternions are smoothed per component, as in
    ``core.postprocess.smooth``.

    motion: (t, ...) the motion, with what is held in it.
    hold: (t, j) bool, see ``core.postprocess.hold``.
    reach: seconds beside held frames within which the motion may change.
    jerk: as ``JERK``.
    """
    near = _near(hold, math.ceil(reach * motion.fps) + _MARGIN)
    if not bool(near.any()):
        return motion
    rotations, root = motion.rotations.clone(), motion.root.clone()
    beside = replace(motion, rotations=rotations[near], root=root[near], contacts=None)
    found = _eased_beside(beside, hold[near], reach, jerk)
    rotations[near], root[near] = found.rotations, found.root
    return replace(motion, rotations=rotations, root=root)


def _near(hold: Tensor, reach: int) -> Tensor:
    """Whether each frame (t,) is no more than ``reach`` frames from where what is held (t, j) changes."""
    changes = functional.pad((hold[1:] != hold[:-1]).any(1).float(), (1, 0))
    return functional.max_pool1d(changes[None, None], 2 * reach + 1, stride=1, padding=reach)[0, 0] > 0


def _eased_beside(motion: Motion, hold: Tensor, reach: float, jerk: float) -> Motion:
    """``eased`` of the frames near seams alone, one after another. Between those of two seams there are frames that
    stay, so neither hears of the other."""
    turns, _ = kinematics.forward_global(motion.rotations, motion.root)
    known = _with_all_above(hold).repeat_interleave(4, dim=1)
    turns = carried(rotation.continuous(turns).flatten(1), known, motion.fps, reach, jerk).unflatten(1, (-1, 4))
    root = carried(motion.root, hold[:, :1].expand(-1, 3), motion.fps, reach, jerk)
    rotations = _local(rotation.normalise(turns), motion.rotations, hold)
    return copied(_aimed(replace(motion, rotations=rotations, root=root), hold, jerk), motion, hold)


def _aimed(motion: Motion, hold: Tensor, jerk: float) -> Motion:
    """The motion with limbs that hang on what is held aimed at ends that go over the least jerk beside it.

    motion, hold, jerk: as of ``eased``.
    """
    for limb, end in _LIMBS:
        above = SMPL22.ancestors(limb[0])[1:]
        hangs = hold[:, above].any(1) & ~hold[:, limb[0]]
        if not bool(hangs.any()):
            continue
        turns, places = kinematics.forward_global(motion.rotations, motion.root)
        start, held = places[:, limb[0]], hold[:, limb[:1]].expand(-1, 3)
        goal = carried(places[:, end], held, motion.fps, _AIM_REACH, jerk)
        aim = rotation.between(places[:, end] - start, goal - start)[:, None]
        aimed = torch.where(hangs[:, None, None], rotation.mul(aim, turns[:, limb]), turns[:, limb])
        turns = turns.index_copy(1, torch.tensor(limb), aimed)
        motion = replace(motion, rotations=_local(turns, motion.rotations, hold))
    return motion


def _with_all_above(hold: Tensor) -> Tensor:
    """Which joints (t, j) bool are held with all joints above them, so that they are known in the world."""
    known = hold.clone()
    for joint, parent in enumerate(SMPL22.parents[1:], 1):
        known[:, joint] &= known[:, parent]
    return known


def _local(turns: Tensor, base: Tensor, hold: Tensor) -> Tensor:
    """Local rotations (t, j, 4) of ``turns`` (t, j, 4) in the world, but of ``base`` (t, j, 4) where they are held
    (t, j)."""
    world: list[Tensor] = []
    found = base.clone()
    for joint, parent in enumerate(SMPL22.parents):
        wanted = turns[:, joint] if parent < 0 else rotation.mul(rotation.conjugate(world[parent]), turns[:, joint])
        found[:, joint] = torch.where(hold[:, joint, None], base[:, joint], wanted)
        world.append(found[:, 0] if parent < 0 else rotation.mul(world[parent], found[:, joint]))
    return found


def carried(values: Tensor, held: Tensor, fps: float, reach: float = REACH, jerk: float = JERK) -> Tensor:
    """Values (t, c) that go over the least jerk beside held ones (t, c) bool. Those, and all farther away, stay.

    fps, reach, jerk: as of ``eased``.
    """
    made = _by_frames(values, held, partial(_eased, fps=fps, reach=reach, jerk=jerk))
    return torch.where(held, values, made)


def faded(apart: Tensor, held: Tensor, fps: float, blend: float = BLEND) -> Tensor:
    """Differences (t, c) of held values (t, c) bool, which fade out beyond them along a smooth curve.

    blend: as ``BLEND``.
    """
    return torch.where(held, apart, _by_frames(apart, held, partial(_fading, span=blend * fps)))


def copied(made: Motion, base: Motion, hold: Tensor) -> Motion:
    """The made motion (t, ...) with what is held (t, j) from the base (t, ...), bit for bit."""
    rotations = torch.where(hold[..., None], base.rotations, made.rotations)
    root = torch.where(hold[:, :1], base.root, made.root)
    contacts = made.contacts
    if contacts is not None and base.contacts is not None:
        contacts = torch.where(hold.all(1, keepdim=True), base.contacts, contacts)
    return replace(made, rotations=rotations, root=root, contacts=contacts)


def _meet(made: Motion, base: Motion, held: Tensor) -> Motion:
    """The made motion, turned about the vertical and moved over the floor so that it meets the base where that is held.

    It meets it at the edges of what is held. Beyond them the two go on apart, which says how velocities differ there.
    """
    edges = held & ~(_beside(held, 1) & _beside(held, -1))
    if not bool(edges.any()):
        return made
    turn = rotation.yaw(rotation.mul(base.rotations[:, 0], rotation.conjugate(made.rotations[:, 0]))).double()
    turn[edges] = rotation.unwrap(turn[edges])
    turned = rotation.about("y", between(turn[:, None], edges)[:, 0]).to(made.root.dtype)
    rotations = made.rotations.clone()
    rotations[:, 0] = rotation.normalise(rotation.mul(turned, rotations[:, 0]))
    steps = rotation.rotate(turned[1:], torch.diff(made.root, dim=0))
    root = made.root[:1] + torch.cat((torch.zeros_like(made.root[:1]), steps.cumsum(0)))
    flat = root.new_tensor((1.0, 0.0, 1.0))
    return replace(made, rotations=rotations, root=root + between((base.root - root) * flat, edges))


def _beside(held: Tensor, step: int) -> Tensor:
    """Whether the neighbour of each frame (t,) is held; beyond the ends there is none that is not."""
    moved = torch.roll(held, step)
    moved[0 if step > 0 else -1] = True
    return moved


def _by_frames(values: Tensor, held: Tensor, curve: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Values (t, c) of which each channel that is not held (t, c) bool throughout is on a curve.

    curve: of values (t, n) that are held in the same frames (t,) bool.
    """
    made = values.clone()
    for pattern in held.T.unique(dim=0):
        if not pattern.all():
            alike = (held == pattern[:, None]).all(0)
            made[:, alike] = curve(values[:, alike], pattern)
    return made


def _fading(apart: Tensor, held: Tensor, span: float) -> Tensor:
    """A smooth curve (t, c) along the differences (t, c) of held frames (t,) bool that is near zero far from them."""
    if not bool(held.any()):
        return torch.zeros_like(apart)
    weight = _FAITH * max(1.0, span ** (2 * _ORDER))
    return smoothest(apart.double(), weight * held.double(), span, _ORDER).to(apart.dtype)


def _eased(values: Tensor, held: Tensor, fps: float, reach: float, jerk: float) -> Tensor:
    """Values (t, c), smoothed beside held frames (t,) bool."""
    if not bool(held.any()):
        return values
    away = fade(held, fps, reach).double()
    exact = _EXACT * max(1.0, (jerk * fps) ** (2 * _ORDER))
    weights = torch.where(held, exact, (away / (1 - away).clamp_min(1 / exact)).clamp_max(exact))
    return smoothest(values.double(), weights, jerk * fps, _ORDER, rest=0.0).to(values.dtype)

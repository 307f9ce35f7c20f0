"""Removes foot sliding.

There are four functions:

- ``standing`` says how surely toes and heels stand in each frame.
- ``contacts`` decides which toes and heels stand, from the model's contacts and from how low and slow they are.
- ``steady`` moves the root so that standing feet neither slide nor leave the floor.
- ``lock`` holds every standing toe near one place, where it may creep as soles do, but not slide. The smoothest
  correction that does so is added to the feet. The pelvis is lowered where a leg would not reach, and inverse
  kinematics solves the legs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, pairwise

import torch
from torch import Tensor
from torch.nn import functional

from core.motion import contact, kinematics, rotation
from core.motion.skeleton import FOOT_HEIGHTS, FOOT_JOINTS, LEFT_LEG, RIGHT_LEG, SMPL22
from core.postprocess.banded import smoothest
from core.postprocess.hold import between, fade, runs
from core.postprocess.smooth import gaussian
from core.types import Motion

TIGHT_LIFT = 0.04  # metres above the joint's height when standing: a contact is this low somewhere
LOOSE_LIFT = 0.07  # and this low throughout
TIGHT_SPEED = 0.3  # metres per second: a contact is this slow somewhere
LOOSE_SPEED = 0.6  # and this slow throughout
SHORTEST = 0.1  # seconds of a contact
FARTHEST = 0.12  # metres that a standing foot may stray from its place; if it slid farther, it takes a small step
STEP_SECONDS = 0.25  # duration of such a step
STEP_HEIGHT = 0.05  # its height, metres
BLEND = 0.10  # seconds in which a horizontal correction rises and falls
DROP = 0.05  # seconds for the vertical one, which is shorter so that a swinging foot is not held down
# In capture as it was recorded, before anything holds its feet, standing toes creep at 6 to 10 cm/s (median) and one in
# ten at more than 20; half of them stay within 2 cm of their place, and nine in ten within 4 cm.
CREEP = 0.08  # metres per second up to which a standing foot follows its own path
CREEP_SMOOTHING = 0.08  # seconds (one standard deviation) by which that path is smoothed first
CREEP_REACH = 0.04  # metres around its place that it keeps to
HOLD = 400.0  # weight of a standing toe's place, relative to leaving the foot where it was
CLAIM = 0.3  # the least value of a model's contact that counts
CLEARANCE = 0.056  # metres that a travelling toe keeps above the floor
SWING_SPEED = 0.6  # metres per second; a toe in the air that is as fast travels all the way
SWING_EASE = 0.08  # seconds (one standard deviation) in which it begins and ends
RETURN_REST = 0.15  # how fast a body returns to a held path while no foot travels, beside the fastest otherwise
RETURN_FADE = 0.2  # seconds in which it begins to return beside a held frame
TRAVEL = 0.2  # metres per second from which a toe travels
RISE = 0.1  # seconds in which a toe rises to the clearance
LOWEST_ANKLE = 0.065  # metres; no ankle is closer to the floor
REACH = 0.985  # of the straight leg; the pelvis is lowered so that a leg is stretched no farther
DEEPEST = 0.15  # metres by which the pelvis is lowered at most
_LEG = float(torch.linalg.vector_norm(SMPL22.offsets[list(LEFT_LEG[1:])], dim=-1).sum())  # thigh and shin, metres
_SIDES = ((LEFT_LEG, 0), (RIGHT_LEG, 2))  # a leg, and the index of its ankle in FOOT_JOINTS; the toe is the next


def contacts(motion: Motion, positions: Tensor) -> Tensor:
    """Which of ``FOOT_JOINTS`` stand, (t, 4) bool.

    A contact is low and slow by the loose limits throughout, and by the tight ones somewhere. If the motion has
    contacts of its own, they must claim one there too.

    motion: the motion.
    positions: (t, j, 3) its joint positions, metres.
    """
    lift, speed = _lift_and_speed(motion, positions[:, FOOT_JOINTS])
    loose = (lift < LOOSE_LIFT) & (speed < LOOSE_SPEED)
    tight = (lift < TIGHT_LIFT) & (speed < TIGHT_SPEED)
    if motion.contacts is not None:
        tight &= motion.contacts > CLAIM
    return contact.stretches(loose, tight, max(1, round(SHORTEST * motion.fps)))


def steady(motion: Motion, hold: Tensor | None = None) -> Motion:
    """Move the root so that standing feet do not slide and are on the floor.

    If both feet stand and slide apart, the root follows their mean; ``lock`` removes the rest. Where the path has to
    meet a held one again, it returns while a foot travels: otherwise the feet would slide all the way.

    motion: (t, ...) the motion.
    hold: (t, j) bool, what stays as it is; see ``core.postprocess.hold``.
    """
    if motion.frames < 3:
        return motion
    points = kinematics.forward(motion.rotations, motion.root)[:, FOOT_JOINTS]
    lift, _ = _lift_and_speed(motion, points)
    stands = standing(motion, points, hold)
    weight = stands[..., None]  # t 4 1
    slide = torch.gradient(points, dim=0)[0]  # metres per frame
    slide = (weight * slide).sum(1) / (weight.sum(1) + 0.3)
    shift = -gaussian(slide, motion.fps, 0.04).cumsum(0)
    around = gaussian(torch.cat((weight * lift[..., None], weight), -1).sum(1), motion.fps, 0.4)
    height = around[:, 0] / (around[:, 1].clamp_min(0) + 0.2)
    shift = torch.stack((shift[:, 0] - shift[0, 0], -height, shift[:, 2] - shift[0, 2]), -1)
    if hold is not None:
        held = hold[:, 0]
        pace = (RETURN_REST + travelling(stands, points, motion.fps)) * fade(held, motion.fps, RETURN_FADE)
        shift = (shift - between(shift, held, pace)) * fade(held, motion.fps).to(shift)[:, None]
    return replace(motion, root=motion.root + shift)


def standing(motion: Motion, points: Tensor, hold: Tensor | None = None) -> Tensor:
    """How surely each of ``FOOT_JOINTS`` stands, (t, 4) in [0, 1]: it is low and slow, and the motion says so.

    motion: the motion.
    points: (t, 4, 3) positions of ``FOOT_JOINTS``, metres.
    hold: (t, j) bool, see ``core.postprocess.hold``. Where the root is held, nothing counts.
    """
    lift, speed = _lift_and_speed(motion, points)
    weight = torch.exp(-0.5 * (speed / LOOSE_SPEED) ** 2 - 0.5 * (lift.clamp_min(0) / LOOSE_LIFT) ** 2)
    if motion.contacts is not None:
        weight = weight * motion.contacts
    if hold is not None:
        weight = weight * ~hold[:, :1]
    return gaussian(weight, motion.fps, 0.03).clamp(0, 1)


def travelling(stands: Tensor, points: Tensor, fps: float) -> Tensor:
    """How much (t,) in [0, 1] a foot travels through the air, where a step can land elsewhere and nobody sees it.

    stands: (t, 4) how surely ``FOOT_JOINTS`` stand, as of ``standing``.
    points: (t, 4, 3) their positions, metres.
    """
    stands = torch.maximum(stands[:, 0::2], stands[:, 1::2])
    quick = (contact.joint_speed(points, fps)[:, 1::2].to(stands) / SWING_SPEED).clamp_max(1)
    return gaussian(((1 - stands) * quick).amax(1), fps, SWING_EASE).clamp(0, 1)


def lock(motion: Motion, hold: Tensor | None = None) -> Motion:
    """Keep standing feet from sliding, and all feet above the floor.

    The contacts (t, 4) of the result are 0 or 1 and say which joints stand.

    motion: (t, ...) the motion.
    hold: (t, j) bool, what stays as it is; see ``core.postprocess.hold``. A foot that stands in a held frame stays in
        its place there.
    """
    if motion.frames < 3:
        return motion
    positions = kinematics.forward(motion.rotations, motion.root)
    standing = contacts(motion, positions)
    legs = [_held(hold, leg, motion.frames) for leg, _ in _SIDES]
    targets, sinks = [], []
    for ((hip, _, ankle), column), held in zip(_SIDES, legs, strict=True):
        heel, toe = standing[:, column], standing[:, column + 1]
        move, steps = _correction(positions[:, FOOT_JOINTS[column : column + 2]], heel, toe, motion.fps, held)
        standing[:, column : column + 2] &= ~steps[:, None]
        targets.append(positions[:, ankle] + move)
        sinks.append(_sink(positions[:, hip], positions[:, ankle], targets[-1]) * (heel | toe))
    sink = envelope(torch.stack(sinks).amax(0), motion.fps)
    if hold is not None:
        sink = sink * fade(hold[:, 0], motion.fps).to(sink)
    root = motion.root - sink[:, None] * motion.root.new_tensor((0.0, 1.0, 0.0))
    rotations = motion.rotations
    for (leg, _), target, held in zip(_SIDES, targets, legs, strict=True):
        solved = kinematics.two_bone_ik(rotations, root, target, leg)
        if held.any():
            share = fade(held, motion.fps).to(root)[:, None]
            solved[:, leg] = rotation.slerp(rotations[:, leg], solved[:, leg], share)
        rotations = solved
    if hold is not None:
        rotations = torch.where(hold[..., None], motion.rotations, rotations)
    return replace(motion, rotations=rotations, root=root, contacts=standing.to(root.dtype))


def _held(hold: Tensor | None, leg: tuple[int, int, int], frames: int) -> Tensor:
    """The frames (t,) bool in which some joint of a leg is held."""
    return torch.zeros(frames, dtype=torch.bool) if hold is None else hold[:, list(leg)].any(1)


def _lift_and_speed(motion: Motion, points: Tensor) -> tuple[Tensor, Tensor]:
    """Height (t, 4) of ``FOOT_JOINTS`` above where they are when standing, and speed (t, 4); metres, seconds.

    points: (t, 4, 3) their positions, metres.
    """
    return points[..., 1] - points.new_tensor(FOOT_HEIGHTS), contact.joint_speed(points, motion.fps)


def _correction(foot: Tensor, heel: Tensor, toe: Tensor, fps: float, held: Tensor) -> tuple[Tensor, Tensor]:
    """The shift (t, 3) of a foot, metres, and where it takes a small step instead of sliding, (t,) bool.

    The toe is held in place; where only the heel stands, the heel. It is not held so low that the foot's other end
    would be in the floor.

    foot: (t, 2, 3) positions of ankle and toe, metres.
    heel: (t,) bool, whether it stands.
    toe: (t,) bool, whether it stands.
    fps: frames per second.
    held: (t,) bool, where the foot is not shifted.
    """
    wanted, weights = torch.zeros_like(foot[:, 0]), HOLD * held.to(foot)
    raised = torch.zeros_like(weights)
    lowest = foot.new_tensor((LOWEST_ANKLE, FOOT_HEIGHTS[1]))
    above = (lowest - foot[..., 1]).amax(1)  # the least shift that leaves neither ankle nor toe in the floor
    for stands, point, height in ((heel & ~toe, foot[:, 0], FOOT_HEIGHTS[0]), (toe, foot[:, 1], FOOT_HEIGHTS[1])):
        split = [_pieces(point[start:end, (0, 2)], start, fps) for start, end in runs(stands)]
        pieces = [*chain.from_iterable(split)]
        for frames in _alike(pieces):
            path = point[frames]  #                                    t n 3
            place = path.mean(0)
            place[:, 1] = height
            shift = place + _creep(path, fps) - path
            shift[..., 1] = torch.maximum(shift[..., 1], above[frames])
            wanted[frames], weights[frames] = shift, HOLD
        for first, last in pieces if held.any() else ():
            wanted[first:last] -= between(wanted[first:last], held[first:last])
        for (_, before), (after, _) in chain.from_iterable(map(pairwise, split)):
            phase = torch.arange(1, after - before + 1, dtype=raised.dtype) / (after - before + 1)
            raised[before:after] = STEP_HEIGHT * torch.sin(math.pi * phase).square().to(raised)
    weights = weights.double()
    along = smoothest(wanted[:, (0, 2)].double(), weights, BLEND * fps)
    down = smoothest(wanted[:, 1:2].double(), weights, DROP * fps)
    move = torch.stack((along[:, 0], down[:, 0], along[:, 1]), -1).to(foot.dtype)
    sunk = (lowest - foot[..., 1] - move[:, 1:2]).amax(1).clamp_min(0)
    up = envelope(sunk * (weights == 0).to(sunk), fps) + raised
    up = up + _clearance(foot[:, 1] + move + up[:, None] * move.new_tensor((0.0, 1.0, 0.0)), weights > 0, fps)
    up = up * fade(held, fps).to(up)
    return move + up[:, None] * move.new_tensor((0.0, 1.0, 0.0)), raised > 0


def _alike(pieces: Iterable[tuple[int, int]]) -> Iterator[Tensor]:
    """Pieces [first, last) in groups of one length, to be worked on at once: the frames (t, n) of each group."""
    firsts: dict[int, list[int]] = {}
    for first, last in pieces:
        firsts.setdefault(last - first, []).append(first)
    for length, begins in firsts.items():
        yield torch.arange(length)[:, None] + torch.tensor(begins)


def _creep(path: Tensor, fps: float) -> Tensor:
    """Where standing points go on the floor around their places (t, n, 3), metres, at no more than ``CREEP`` and no
    farther than ``CREEP_REACH``.

    path: (t, n, 3) of points while they stand, metres.
    """
    if path.shape[0] < 3:
        return torch.zeros_like(path)
    steps = torch.gradient(gaussian(path, fps, CREEP_SMOOTHING), dim=0)[0] * path.new_tensor((1.0, 0.0, 1.0))
    speed = torch.linalg.vector_norm(steps, dim=-1, keepdim=True) * fps
    crept = (steps * (CREEP / speed.clamp_min(CREEP))).cumsum(0)
    crept = crept - crept.mean(0)
    far = torch.linalg.vector_norm(crept, dim=-1, keepdim=True).clamp_min(1e-9) / CREEP_REACH
    return crept * (torch.tanh(far) / far)


def _clearance(toe: Tensor, stands: Tensor, fps: float) -> Tensor:
    """How much higher (t,) a toe (t, 3) must swing to clear the floor, metres; 0 where it stands."""
    speed = torch.linalg.vector_norm(torch.gradient(toe[:, (0, 2)], dim=0)[0], dim=-1) * fps
    travels = gaussian(((speed - 0.5 * TRAVEL) / (0.5 * TRAVEL)).clamp(0, 1), fps, 0.03)
    short = (CLEARANCE - toe[:, 1]).clamp_min(0) * travels
    stood = functional.pad(stands, (1, 1), value=True)  # before and after the dance, too
    allowed = fade(stood, fps, RISE)[1:-1].to(short)
    return gaussian(short * allowed, fps, 0.02).clamp_min(0) * ~stands


def _pieces(path: Tensor, start: int, fps: float) -> list[tuple[int, int]]:
    """Split a contact, if needed, into pieces [first, last) in each of which the foot stays close to one place.

    There is time for a small step between the pieces.

    path: (t, 2) of the standing foot, metres.
    start: frame at which it begins.
    fps: frames per second.
    """
    frames, gap = path.shape[0], max(1, round(STEP_SECONDS * fps))
    if torch.linalg.vector_norm(path - path.mean(0), dim=-1).amax() <= FARTHEST or frames < 3 * gap:
        return [(start, start + frames)]
    # the step is where the foot slides farthest, not too close to either end
    slid = torch.linalg.vector_norm(path[gap:] - path[:-gap], dim=-1)
    middle = gap // 2 + int(slid[gap // 2 : len(slid) - gap // 2].argmax())
    return [*_pieces(path[:middle], start, fps), *_pieces(path[middle + gap :], start + middle + gap, fps)]


def _sink(hip: Tensor, ankle: Tensor, target: Tensor) -> Tensor:
    """How far (t,) the pelvis must sink for an ankle to reach its target, metres.

    It sinks only if the target is farther away than both the straight leg and the ankle were.

    hip: (t, 3) metres.
    ankle: (t, 3) metres.
    target: (t, 3) metres.
    """
    longest = REACH * _LEG
    reach = torch.linalg.vector_norm(ankle - hip, dim=-1).clamp(min=longest)
    beside = torch.linalg.vector_norm((target - hip)[:, (0, 2)], dim=-1).clamp_max(0.9 * longest)
    return ((hip - target)[:, 1] - (reach.square() - beside.square()).sqrt()).clamp(0, DEEPEST)


def envelope(values: Tensor, fps: float) -> Tensor:
    """A smooth curve (t,) on or above ``values`` (t,), except at their sharpest peaks."""
    reach = max(1, round(0.1 * fps))
    highest = functional.max_pool1d(values[None, None], 2 * reach + 1, stride=1, padding=reach)[0, 0]
    return gaussian(highest, fps, 0.05).clamp_min(0)

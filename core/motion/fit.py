"""Retargets the motion of another body to ``SMPL22``, frame by frame.

Every source is first brought to a ``Capture``: its joint positions, and the rotations of its bones relative to a T-pose
that faces +z. Torso, head and hands take over these rotations. Limbs point exactly where the source's limbs
do. Inverse kinematics then moves the ankles to their positions: thigh and shin seldom have our proportions, and feet
must stand where they stood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError
from core.motion import kinematics, plausible, rotation
from core.motion.skeleton import LEFT_LEG, RIGHT_LEG, SMPL22
from core.rig import calibration, quaternion
from core.rig.rest import Joints, Pose, t_posed
from core.rig.skeleton import SIDES
from core.types import Motion

_LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
LEG_LENGTH = 0.80  # of SMPL22, hip to ankle, metres
_HINGES = (("hip", "knee", "ankle", (1.0, 0.0, 0.0)), ("shoulder", "elbow", "wrist", (0.0, -1.0, 0.0)))
"""Upper, middle and end joint, and the axis about which the lower bone of the left limb bends in our T-pose."""
MOST_ROLL = 0.7  # radians that a foot may roll about its length, relative to the shin
MOST_BENT = 0.8  # radians that a foot may be drawn up towards the shin
_SPINE = ("spine1", "spine2", "spine3")


@dataclass(frozen=True)
class Capture:
    """A body in motion, y up, in its own unit of length. Joints go by their names in ``SMPL22``.

    places: joint -> (t, 3) world positions; at least hips, knees, ankles, shoulders and elbows.
    turns: joint -> (t, 4) world rotations relative to the T-pose; at least the pelvis and the three spine joints.
    fps: frames per second.
    """

    places: dict[str, Tensor]
    turns: dict[str, Tensor]
    fps: float


def capture(
    joints: Joints, turns: Tensor, places: Tensor, rest: Pose | None, fps: float, up: int | None = None
) -> Capture:
    """Bring a source to a ``Capture``.

    joints: which joint of the source is which of ours.
    turns: (t, k, 4) world rotations of the source's joints.
    places: (t, k, 3) their world positions, in the source's unit.
    rest: a T-pose, or a pose close to one. Arms and legs are turned into the T-pose by the shortest rotation, and hands
        and feet with them. None finds the T-pose from the motion.
    fps: frames per second.
    up: the world's up axis (0-2); None takes the axis along which the body stands most.

    Raises FootlightError for a body without width or height.
    """
    lift = _level(joints, places, up)
    posed, own = t_posed(joints, rest) if rest is not None else _calibrated(joints, turns, places, lift)
    axes = torch.from_numpy(own).to(turns)

    def turned(k: int, name: str) -> Tensor:
        delta = rotation.mul(turns[:, k], rotation.conjugate(torch.from_numpy(posed[name]).to(turns)))
        return rotation.mul(lift, rotation.mul(delta, axes))

    moved = {name: turned(k, name) for name, k in joints.turns.items()}
    spine = _spine([turned(k, f"_spine{i}") for i, k in enumerate(joints.spine)])
    return Capture({name: rotation.rotate(lift, places[:, k]) for name, k in joints.places.items()}, moved | spine, fps)


def _calibrated(
    joints: Joints, turns: Tensor, places: Tensor, lift: Tensor
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """As ``t_posed``, from the motion. lift: of ``_level``."""
    at = {name: rotation.rotate(lift, places[:, k]).numpy() for name, k in joints.places.items()}
    turned = joints.turns | {f"_spine{i}": k for i, k in enumerate(joints.spine)}
    found = calibration.t_pose(at, {name: rotation.mul(lift, turns[:, k]).numpy() for name, k in turned.items()})
    lowered = rotation.conjugate(lift).numpy()
    return {name: quaternion.mul(lowered, turn) for name, turn in found.items()}, lowered


def _level(joints: Joints, places: Tensor, up: int | None) -> Tensor:
    """The rotation (4,) that turns the up axis of the source's world to y. ``up`` None finds it from the body."""
    if up is None:
        at = joints.places
        feet = places[:, [at["left_ankle"], at["right_ankle"]]].mean(1)
        tall = places[:, [at["left_shoulder"], at["right_shoulder"]]].mean(1) - feet
        mean = (tall / tall.norm(dim=-1, keepdim=True).clamp_min(1e-9)).mean(0)
        axis = int(mean.abs().argmax())
        sign = 1.0 if mean[axis] >= 0 else -1.0
    else:
        axis, sign = up, 1.0
    direction = places.new_zeros(3)
    direction[axis] = sign
    return rotation.between(direction, direction.new_tensor((0.0, 1.0, 0.0)))


def _spine(deltas: list[Tensor]) -> dict[str, Tensor]:
    """World rotations (t, 4) of our three spine joints, interpolated along the source's spine at thirds of its joints.

    deltas: world rotations (t, 4) of the source's spine joints, from the pelvis to the chest.
    """
    last = len(deltas) - 1
    turns = {}
    for number, name in enumerate(_SPINE, 1):
        at = last * number / len(_SPINE)
        low = min(int(at), max(last - 1, 0))
        turns[name] = rotation.slerp(deltas[low], deltas[min(low + 1, last)], at - low)
    return turns


def fit(source: Capture) -> tuple[Motion, float]:
    """Fit ``SMPL22`` to a capture; returns the motion, at the capture's frame rate, and the scale in metres per unit.

    The floor stays where the source has it; ``contact.fix_floor`` brings it to y = 0.

    Raises FootlightError for legs without length, and as ``plausible`` does for what is no body.
    """
    plausible.check_body(source.places)
    scale = LEG_LENGTH / leg_length(source.places)
    turns = _turned(source)
    middle = (source.places["left_hip"] + source.places["right_hip"]) * (scale / 2)
    hips = SMPL22.offsets[[LEFT_LEG[0], RIGHT_LEG[0]]].mean(0).to(turns)
    root = middle - rotation.rotate(turns[:, 0], hips.expand(len(turns), 3))
    local = kinematics.local_rotations(rotation.normalise(turns))
    for chain, side in ((LEFT_LEG, "left"), (RIGHT_LEG, "right")):
        target = source.places[f"{side}_ankle"] * scale + _narrower(source, turns, side)
        local = kinematics.two_bone_ik(local, root, target, chain)
    motion = Motion(rotation.continuous(local).float(), root.float(), source.fps)
    found = kinematics.forward(motion.rotations, motion.root).to(turns)
    plausible.check_agreement(source.places, dict(zip(SMPL22.names, found.unbind(1), strict=True)))
    return motion, scale


def _turned(source: Capture) -> Tensor:
    """World rotations (t, 22, 4) of our joints: limbs point where the source's do, all else turns as it does there.

    A joint that the source lacks turns with its parent.
    """
    like = source.turns["pelvis"]
    world: dict[str, Tensor] = {}
    for name, parent in zip(SMPL22.names, SMPL22.parents, strict=True):
        world[name] = source.turns.get(name, like if parent < 0 else world[SMPL22.names[parent]])
    for side in SIDES:
        for upper, lower in _LIMBS:
            upper, lower = f"{side}_{upper}", f"{side}_{lower}"
            if lower in source.places:
                bone = rotation.rotate(world[upper], _offset(lower, like))
                swing = rotation.between(bone, source.places[lower] - source.places[upper])
                world[upper] = rotation.mul(swing, world[upper])
        for upper, middle, end, hinge in _HINGES:
            upper, middle, end = f"{side}_{upper}", f"{side}_{middle}", f"{side}_{end}"
            if end in source.places:
                axis = like.new_tensor(hinge) * (-1 if middle == "right_elbow" else 1)
                lower = source.places[end] - source.places[middle]
                world[upper] = rotation.mul(world[upper], _rolled(world[upper], lower, _offset(middle, like), axis))
        knee, ankle, foot, elbow, wrist = (f"{side}_{part}" for part in ("knee", "ankle", "foot", "elbow", "wrist"))
        world[ankle] = _unrolled(world[ankle], world[knee], SMPL22.index(foot))
        if foot not in source.turns:
            world[foot] = world[ankle]
        if wrist not in source.turns:
            world[wrist] = world[elbow]
    return torch.stack(list(world.values()), 1)


def _offset(name: str, like: Tensor) -> Tensor:
    """The place (3,) of a joint of ours relative to its parent, in the T-pose, metres."""
    return SMPL22.offsets[SMPL22.index(name)].to(like)


def _rolled(upper: Tensor, lower: Tensor, bone: Tensor, axis: Tensor) -> Tensor:
    """The constant roll (4,) of a limb's upper bone that aligns its hinge with ours.

    T-poses differ in the roll of straight arms, by up to 30 degrees between the sources used here. The direction in
    which the limb bends during the motion reveals the roll. Limbs that hardly bend, or bend in all directions, stay as
    they are.

    upper: (t, 4) world rotations of the upper bone.
    lower: (t, 3) world vectors along the lower bone.
    bone: (3,) the upper bone at rest.
    axis: (3,) our hinge at rest.
    """
    bone = bone / bone.norm()
    folds = rotation.rotate(rotation.conjugate(upper), lower / lower.norm(dim=-1, keepdim=True).clamp_min(1e-9))
    folds = torch.linalg.cross(bone.expand_as(folds), folds)
    mean = folds.mean(0)
    if float(mean.norm()) < max(0.9 * float(folds.norm(dim=-1).mean()), 0.1):
        return rotation.identity(like=upper)
    angle = torch.atan2((torch.linalg.cross(axis, mean) * bone).sum(), (axis * mean).sum())
    return rotation.from_axis_angle(bone * angle)


def _unrolled(ankle: Tensor, shin: Tensor, foot: int) -> Tensor:
    """World rotations (t, 4) of an ankle with the sole facing down, and within the range of an ankle.

    Some captures flip a pointed foot by half a turn about its own length and never flip it back.

    ankle: (t, 4) world rotations.
    shin: (t, 4) world rotations of the knee joint.
    foot: index of the toe joint.
    """
    along = rotation.rotate(ankle, SMPL22.offsets[foot].to(ankle))
    along = along / along.norm(dim=-1, keepdim=True)
    across = ankle.new_tensor((1.0, 0.0, 0.0))
    own, want = rotation.rotate(ankle, across), rotation.rotate(shin, across)
    want = want - (want * along).sum(-1, keepdim=True) * along
    roll = torch.atan2((torch.linalg.cross(want, own) * along).sum(-1), (want * own).sum(-1))
    half = torch.where(roll.abs() > torch.pi / 2, roll - torch.pi * roll.sign(), roll)
    change = half.clamp(-MOST_ROLL, MOST_ROLL) - roll
    ankle = rotation.mul(rotation.from_axis_angle(along * change[:, None]), ankle)
    ahead = rotation.rotate(rotation.mul(rotation.conjugate(shin), ankle), ankle.new_tensor((0.0, 0.0, 1.0)))
    excess = (torch.atan2(ahead[:, 1], ahead[:, (0, 2)].norm(dim=-1)) - MOST_BENT).clamp_min(0)
    return rotation.mul(ankle, rotation.from_axis_angle(across * excess[:, None]))


def _narrower(source: Capture, turns: Tensor, side: str) -> Tensor:
    """The shift (t, 3) of an ankle inwards that makes up for hips wider than ours, metres.

    It points across the foot and not across the pelvis, so a foot that stands still in the source stays still.
    """
    scale = LEG_LENGTH / leg_length(source.places)
    width = float((source.places["left_hip"] - source.places["right_hip"]).norm(dim=-1).median()) * scale
    ours = float(SMPL22.offsets[LEFT_LEG[0], 0] - SMPL22.offsets[RIGHT_LEG[0], 0])
    across = rotation.rotate(turns[:, SMPL22.index(f"{side}_ankle")], turns.new_tensor((1.0, 0.0, 0.0)))
    inwards = (ours - width) / 2 * (1 if side == "left" else -1)
    return across * across.new_tensor((1.0, 0.0, 1.0)) * inwards


def leg_length(places: dict[str, Tensor]) -> float:
    """Mean length of a leg, thigh plus shin, in the source's unit.

    places: positions (..., 3) by our joint names.

    Raises FootlightError for legs without length.
    """
    total = 0.0
    for side in SIDES:
        hip, knee, ankle = (places[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
        total += float((knee - hip).norm(dim=-1).median() + (ankle - knee).norm(dim=-1).median()) / 2
    if not total > 0:
        raise FootlightError("legs without length; expected a humanoid skeleton with thighs and shins")
    return total


def errors(source: Capture, motion: Motion, scale: float) -> dict[str, float]:
    """Mean distance in centimetres between the joints of the source and those of the fitted motion, by our names.

    Hips, knees and ankles are compared in the world. Arms are compared relative to the shoulder and feet relative to
    the ankle, with our bone lengths, because different proportions are not errors.
    """
    ours = dict(zip(SMPL22.names, kinematics.forward(motion.rotations, motion.root).unbind(1), strict=True))
    found = {}
    for side in SIDES:
        for part in ("hip", "knee", "ankle"):
            theirs = source.places[f"{side}_{part}"].float() * scale
            found[f"{side}_{part}"] = ours[f"{side}_{part}"] - theirs
        drift = torch.zeros_like(motion.root)
        for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("ankle", "foot")):
            if f"{side}_{lower}" in source.places:
                bone = (source.places[f"{side}_{lower}"] - source.places[f"{side}_{upper}"]).float()
                mine = ours[f"{side}_{lower}"] - ours[f"{side}_{upper}"]
                bone = bone / bone.norm(dim=-1, keepdim=True).clamp_min(1e-9) * mine.norm(dim=-1, keepdim=True)
                drift = mine - bone + (drift if lower == "wrist" else 0)
                found[f"{side}_{lower}"] = drift
    return {name: round(float(gap.norm(dim=-1).mean()) * 100, 2) for name, gap in found.items()}

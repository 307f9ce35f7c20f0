"""Foreign rigs for the tests: our dancer with other names, sizes, axes, rest poses and extra joints, as BVH text; and a
dance to disguise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core.motion import kinematics, rotation
from core.motion.skeleton import LEFT_LEG, REST_HEIGHT, RIGHT_LEG, SMPL22
from core.types import Motion

# In the order of SMPL22; None: the rig has no such joint.
_SPINE = {"spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2"}


def _limbs(hip, knee, ankle, foot, collar, shoulder, elbow, wrist) -> dict[str, str]:
    parts = dict(hip=hip, knee=knee, ankle=ankle, foot=foot, collar=collar, shoulder=shoulder, elbow=elbow, wrist=wrist)
    return {
        f"{side}_{part}": name.format(side=side, Side=side.title(), s=side[0], S=side[0].upper())
        for part, name in parts.items()
        for side in ("left", "right")
    }


RIGS: dict[str, dict[str, str]] = {
    "mixamo": {"pelvis": "mixamorig:Hips", "neck": "mixamorig:Neck", "head": "mixamorig:Head"}
    | {joint: f"mixamorig:{name}" for joint, name in _SPINE.items()}
    | {
        joint: f"mixamorig:{name}"
        for joint, name in _limbs(
            "{Side}UpLeg", "{Side}Leg", "{Side}Foot", "{Side}ToeBase",
            "{Side}Shoulder", "{Side}Arm", "{Side}ForeArm", "{Side}Hand",
        ).items()
    },
    "unreal": {"pelvis": "pelvis", "spine1": "spine_01", "spine2": "spine_02", "spine3": "spine_03"}
    | {"neck": "neck_01", "head": "head"}
    | _limbs(
        "thigh_{s}", "calf_{s}", "foot_{s}", "ball_{s}", "clavicle_{s}", "upperarm_{s}", "lowerarm_{s}", "hand_{s}",
    ),
    "vrm": {"pelvis": "J_Bip_C_Hips", "spine1": "J_Bip_C_Spine", "spine2": "J_Bip_C_Chest"}
    | {"spine3": "J_Bip_C_UpperChest", "neck": "J_Bip_C_Neck", "head": "J_Bip_C_Head"}
    | _limbs(
        "J_Bip_{S}_UpperLeg", "J_Bip_{S}_LowerLeg", "J_Bip_{S}_Foot", "J_Bip_{S}_ToeBase",
        "J_Bip_{S}_Shoulder", "J_Bip_{S}_UpperArm", "J_Bip_{S}_LowerArm", "J_Bip_{S}_Hand",
    ),
    "rigify": {"pelvis": "spine", "spine1": "spine.001", "spine2": "spine.002", "spine3": "spine.003"}
    | {"neck": "spine.004", "head": "spine.006"}
    | _limbs(
        "thigh.{S}", "shin.{S}", "foot.{S}", "toe.{S}", "shoulder.{S}", "upper_arm.{S}", "forearm.{S}", "hand.{S}",
    ),
    "biped": {"pelvis": "Bip01 Pelvis", "spine1": "Bip01 Spine", "spine2": "Bip01 Spine1", "spine3": "Bip01 Spine2"}
    | {"neck": "Bip01 Neck", "head": "Bip01 Head"}
    | _limbs(
        "Bip01 {S} Thigh", "Bip01 {S} Calf", "Bip01 {S} Foot", "Bip01 {S} Toe0",
        "Bip01 {S} Clavicle", "Bip01 {S} UpperArm", "Bip01 {S} Forearm", "Bip01 {S} Hand",
    ),
    "cmu": {"pelvis": "Hips", "spine1": "LowerBack", "spine2": "Spine", "spine3": "Spine1"}
    | {"neck": "Neck1", "head": "Head"}
    | _limbs(
        "{Side}UpLeg", "{Side}Leg", "{Side}Foot", "{Side}ToeBase",
        "{Side}Shoulder", "{Side}Arm", "{Side}ForeArm", "{Side}Hand",
    ),
    "cmu max": {"pelvis": "Hips", "spine1": "lowerback", "spine2": "Chest", "spine3": "Chest2"}
    | {"neck": "Neck", "head": "Head"}
    | _limbs(
        "{Side}Hip", "{Side}Knee", "{Side}Ankle", "{Side}Toe",
        "{Side}Collar", "{Side}Shoulder", "{Side}Elbow", "{Side}Wrist",
    ),
    "daz": {"pelvis": "hip", "spine1": "abdomen", "spine2": "abdomen2", "spine3": "chest"}
    | {"neck": "neck", "head": "head"}
    | _limbs("{s}Thigh", "{s}Shin", "{s}Foot", "{s}Toe", "{s}Collar", "{s}Shldr", "{s}ForeArm", "{s}Hand"),
    "smpl": {name: name for name in SMPL22.names},
    "acclaim": {"pelvis": "root", "spine1": "lowerback", "spine2": "upperback", "spine3": "thorax"}
    | {"neck": "upperneck", "head": "head"}
    | _limbs(
        "{s}femur", "{s}tibia", "{s}foot", "{s}toes", "{s}clavicle", "{s}humerus", "{s}radius", "{s}wrist",
    ),
    "genesis 8": {"pelvis": "hip", "spine1": "abdomenLower", "spine2": "abdomenUpper", "spine3": "chestUpper"}
    | {"neck": "neckLower", "head": "head"}
    | _limbs(
        "{s}ThighBend", "{s}Shin", "{s}Foot", "{s}Toe",
        "{s}Collar", "{s}ShldrBend", "{s}ForearmBend", "{s}Hand",
    ),
    "character creator": {"pelvis": "CC_Base_Hip", "spine1": "CC_Base_Waist", "spine2": "CC_Base_Spine01"}
    | {"spine3": "CC_Base_Spine02", "neck": "CC_Base_NeckTwist01", "head": "CC_Base_Head"}
    | _limbs(
        "CC_Base_{S}_Thigh", "CC_Base_{S}_Calf", "CC_Base_{S}_Foot", "CC_Base_{S}_ToeBase",
        "CC_Base_{S}_Clavicle", "CC_Base_{S}_Upperarm", "CC_Base_{S}_Forearm", "CC_Base_{S}_Hand",
    ),
    "makehuman": {"pelvis": "root", "spine1": "spine04", "spine2": "spine02", "spine3": "spine01"}
    | {"neck": "neck01", "head": "head"}
    | _limbs(
        "upperleg01.{S}", "lowerleg01.{S}", "foot.{S}", "toe1-1.{S}",
        "clavicle.{S}", "upperarm01.{S}", "lowerarm01.{S}", "wrist.{S}",
    ),
    "advanced skeleton": {"pelvis": "Root_M", "spine1": "Spine1_M", "spine2": "Spine2_M", "spine3": "Chest_M"}
    | {"neck": "Neck_M", "head": "Head_M"}
    | _limbs(
        "Hip_{S}", "Knee_{S}", "Ankle_{S}", "Toes_{S}", "Scapula_{S}", "Shoulder_{S}", "Elbow_{S}", "Wrist_{S}",
    ),
    "valve": {"pelvis": "ValveBiped.Bip01_Pelvis", "spine1": "ValveBiped.Bip01_Spine"}
    | {"spine2": "ValveBiped.Bip01_Spine1", "spine3": "ValveBiped.Bip01_Spine2"}
    | {"neck": "ValveBiped.Bip01_Neck1", "head": "ValveBiped.Bip01_Head1"}
    | _limbs(
        "ValveBiped.Bip01_{S}_Thigh", "ValveBiped.Bip01_{S}_Calf", "ValveBiped.Bip01_{S}_Foot",
        "ValveBiped.Bip01_{S}_Toe0", "ValveBiped.Bip01_{S}_Clavicle", "ValveBiped.Bip01_{S}_UpperArm",
        "ValveBiped.Bip01_{S}_Forearm", "ValveBiped.Bip01_{S}_Hand",
    ),
    "vrchat": {"pelvis": "Hips", "spine1": "Spine", "spine2": "Chest", "spine3": "Upper Chest"}
    | {"neck": "Neck", "head": "Head"}
    | _limbs(
        "{Side} leg", "{Side} knee", "{Side} ankle", "{Side} toe",
        "{Side} shoulder", "{Side} arm", "{Side} elbow", "{Side} wrist",
    ),
    "mmd": {"pelvis": "腰", "spine1": "上半身", "spine2": "上半身1", "spine3": "上半身2", "neck": "首", "head": "頭"}
    | _limbs("足.{S}", "ひざ.{S}", "足首.{S}", "つま先.{S}", "肩.{S}", "腕.{S}", "ひじ.{S}", "手首.{S}"),
    "auto-rig pro": {"pelvis": "root.x", "spine1": "spine_01.x", "spine2": "spine_02.x", "spine3": "spine_03.x"}
    | {"neck": "neck.x", "head": "head.x"}
    | _limbs(
        "thigh_stretch.{s}", "leg_stretch.{s}", "foot.{s}", "toes_01.{s}",
        "shoulder.{s}", "arm_stretch.{s}", "forearm_stretch.{s}", "hand.{s}",
    ),
    "nameless": {name: f"joint{index:02d}" for index, name in enumerate(SMPL22.names)},
}  # fmt: skip


@dataclass(frozen=True)
class Foreign:
    """How a foreign file differs from ours.

    names: by our names.
    unit: our metres times this.
    turn: (4,) from our axes to the file's.
    rest: (j, 4) local rotations of ours that the file calls zero.
    """

    names: dict[str, str]
    unit: float = 100.0
    turn: Tensor | None = None
    rest: Tensor | None = None


def a_pose(degrees: float = 50.0) -> Tensor:
    """Arms hanging by ``degrees``, forearms a little ahead, legs apart."""
    rest = rotation.identity(SMPL22.joints)
    down = torch.tensor(degrees).deg2rad()
    rest[SMPL22.index("left_shoulder")] = rotation.about("z", -down)
    rest[SMPL22.index("right_shoulder")] = rotation.about("z", down)
    for name, angle in (("left_hip", 0.15), ("right_hip", -0.15)):
        rest[SMPL22.index(name)] = rotation.about("z", torch.tensor(angle))
        rest[SMPL22.index(name.replace("hip", "ankle"))] = rotation.about("z", torch.tensor(-angle))
    return rest


def bvh_text(rotations: Tensor, root: Tensor, fps: float, foreign: Foreign) -> str:
    """A motion of ours (t, j, 4), (t, 3) as a file of the foreign rig; each wrist also has three fingers."""
    turn = rotation.identity() if foreign.turn is None else foreign.turn
    rest = rotation.identity(SMPL22.joints) if foreign.rest is None else foreign.rest
    turns, places = kinematics.forward_global(rest, torch.zeros(3))
    places = rotation.rotate(turn, places) * foreign.unit
    offsets = places - places[[max(parent, 0) for parent in SMPL22.parents]]
    world, _ = kinematics.forward_global(rotations, root)
    world = rotation.mul(rotation.mul(turn, rotation.mul(world, rotation.conjugate(turns))), rotation.conjugate(turn))
    local = kinematics.local_rotations(world)
    moved = rotation.rotate(turn, root) * foreign.unit
    lines, order = ["HIERARCHY"], []

    def joint(index: int, pad: str) -> None:
        order.append(index)
        name = foreign.names[SMPL22.names[index]]
        x, y, z = offsets[index].tolist()
        lines.extend((f"{pad}{'JOINT' if pad else 'ROOT'} {name}", f"{pad}{{", f"{pad} OFFSET {x:.6f} {y:.6f} {z:.6f}"))
        position = "" if pad else "Xposition Yposition Zposition "
        lines.append(f"{pad} CHANNELS {3 if pad else 6} {position}Zrotation Yrotation Xrotation")
        for child in SMPL22.children(index):
            joint(child, pad + " ")
        if "wrist" in SMPL22.names[index]:
            tip = offsets[index] / 4
            for finger in range(3):
                x, y, z = (tip * (1 + 0.1 * finger)).tolist()
                inner = pad + " "
                lines.extend(
                    (f"{inner}JOINT {name}Finger{finger}", f"{inner}{{", f"{inner} OFFSET {x:.6f} {y:.6f} {z:.6f}")
                )
                lines.extend((f"{inner} CHANNELS 3 Zrotation Xrotation Yrotation", f"{inner} End Site", f"{inner} {{"))
                lines.extend((f"{inner}  OFFSET {x:.6f} {y:.6f} {z:.6f}", f"{inner} }}", f"{inner}}}"))
                order.append(-1)
        elif not SMPL22.children(index):
            x, y, z = (
                rotation.rotate(turn, SMPL22.tips.get(SMPL22.names[index], torch.ones(3))) * foreign.unit
            ).tolist()
            lines.extend((f"{pad} End Site", f"{pad} {{", f"{pad}  OFFSET {x:.6f} {y:.6f} {z:.6f}", f"{pad} }}"))
        lines.append(f"{pad}}}")

    joint(0, "")
    lines += ["MOTION", f"Frames: {len(root)}", f"Frame Time: {1 / fps:.8f}"]
    angles = torch.cat((local, rotation.identity(len(root), 1)), 1)[:, order].double()
    angles = rotation.unwrap_euler(rotation.to_euler(angles, "ZYX")).rad2deg().flatten(1)
    table = torch.cat((moved.double(), angles), 1)
    lines += [" ".join(f"{value:.6f}" for value in row) for row in table.tolist()]
    return "\n".join(lines) + "\n"


def dance(seconds: float = 4.0, fps: float = 60.0) -> Motion:
    """Arms, head and spine wave, the pelvis sways and turns, the feet stand."""
    time = torch.arange(int(seconds * fps)) / fps
    frames = len(time)

    def wave(size: float, hz: float, phase: float = 0.0) -> Tensor:
        return size * torch.sin(2 * math.pi * hz * time + phase)

    rotations = rotation.identity(frames, SMPL22.joints)
    at = SMPL22.index
    rotations[:, 0] = rotation.mul(rotation.about("y", wave(0.3, 0.3)), rotation.about("x", wave(0.15, 0.5)))
    for number, name in enumerate(("spine1", "spine2", "spine3")):
        rotations[:, at(name)] = rotation.mul(
            rotation.about("z", wave(0.06, 0.7, 1.0)), rotation.about("y", wave(0.1, 0.5, 0.3 * number))
        )
    rotations[:, at("neck")] = rotation.about("x", wave(0.2, 0.6))
    rotations[:, at("head")] = rotation.about("y", wave(0.4, 0.4))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        lowered = rotation.about("z", sign * (wave(0.5, 0.6, sign) - 0.7))
        rotations[:, at(f"{side}_shoulder")] = rotation.mul(lowered, rotation.about("x", wave(0.3, 0.5, sign)))
        rotations[:, at(f"{side}_elbow")] = rotation.about("y", -sign * (0.9 + wave(0.6, 0.8, sign)))
        rotations[:, at(f"{side}_wrist")] = rotation.about("z", wave(0.3, 0.9))
    root = torch.stack((wave(0.06, 0.4), REST_HEIGHT - 0.06 + wave(0.03, 0.8), wave(0.04, 0.5, 1.0)), -1)
    rest = SMPL22.rest_positions() + torch.tensor((0.0, REST_HEIGHT, 0.0))
    for chain, step in ((LEFT_LEG, (0.06, 0.0, 0.1)), (RIGHT_LEG, (-0.08, 0.0, -0.05))):
        target = (rest[chain[2]] + torch.tensor(step)).expand(frames, 3)
        rotations = kinematics.two_bone_ik(rotations, root, target, chain)
        world, _ = kinematics.forward_global(rotations, root)
        level = rotation.identity(frames, 1)
        world = torch.cat((world[:, : chain[2]], level, world[:, chain[2] + 1 :]), 1)
        rotations[:, chain[2]] = kinematics.local_rotations(world)[:, chain[2]]
    return Motion(rotations, root, fps)


def steps(seconds: float = 6.0, fps: float = 30.0) -> tuple[Motion, Tensor]:
    """Steps to the side, ahead and back, from one foot to the other, with turns of the hips and a jump; arms and spine
    as in ``dance``. Also whether (t, 2) the left and the right foot stand."""
    motion = dance(seconds, fps)
    frames, beat = motion.frames, round(0.6 * fps)
    time = torch.arange(frames) / fps
    generator = torch.Generator().manual_seed(5)
    rest = SMPL22.rest_positions() + torch.tensor((0.0, REST_HEIGHT, 0.0))
    rotations, stands, targets = motion.rotations, torch.ones(frames, 2, dtype=torch.bool), []
    for foot, chain in enumerate((LEFT_LEG, RIGHT_LEG)):
        place = rest[chain[2]].clone()
        target = place.repeat(frames, 1)
        for start in range(foot * beat, frames - beat, 2 * beat):
            goal = rest[chain[2]] + torch.tensor((0.12, 0.0, 0.2)) * (2 * torch.rand(3, generator=generator) - 1)
            share = (torch.arange(beat) + 1) / (beat + 1)
            smooth = (share**2 * (3 - 2 * share))[:, None]
            target[start : start + beat] = place + smooth * (goal - place)
            target[start : start + beat, 1] += 0.12 * torch.sin(math.pi * share)
            target[start + beat :] = goal
            stands[start : start + beat, foot] = False
            place = goal
        targets.append(target)
    jump = 0.15 * torch.sin(math.pi * ((time - seconds / 2) / 0.5).clamp(0, 1))
    stands &= (jump < 1e-6)[:, None]
    root = (targets[0] + targets[1]) / 2 * torch.tensor((1.0, 0.0, 1.0))
    root = root + torch.stack((0.03 * torch.sin(4 * time), motion.root[:, 1] - 0.03 + jump, 0.0 * time), -1)
    for target, chain in zip(targets, (LEFT_LEG, RIGHT_LEG), strict=True):
        lifted = target + jump[:, None] * torch.tensor((0.0, 1.0, 0.0))
        rotations = kinematics.two_bone_ik(rotations, root, lifted, chain)
        world, _ = kinematics.forward_global(rotations, root)
        level = torch.cat((world[:, : chain[2]], rotation.identity(frames, 1), world[:, chain[2] + 1 :]), 1)
        rotations[:, chain[2]] = kinematics.local_rotations(level)[:, chain[2]]
    return Motion(rotations, root, fps), stands


Y_TO_Z = rotation.about("x", torch.tensor(math.pi / 2))
DISGUISES = {
    "centimetres": Foreign(RIGS["mixamo"]),
    "Z up, A-pose": Foreign(RIGS["unreal"], 100.0, Y_TO_Z, a_pose()),
    "a giant facing aside, A-pose": Foreign(RIGS["biped"], 3.0, rotation.about("y", torch.tensor(1.2)), a_pose(35.0)),
    "no names": Foreign(RIGS["nameless"], 0.4, None, a_pose()),
}

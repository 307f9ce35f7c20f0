"""Names and shapes of skeletons in capture files: of programs, data sets and converters; limbs in pieces; no names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.formats import bvh
from core.motion import kinematics
from core.motion.skeleton import SMPL22
from core.rig import humanoid
from core.rig.skeleton import JOINTS
from tests.core.motion import disguise
from tests.core.motion.rigs import RIGS, Foreign, bvh_text, dance
from tests.core.rig.test_humanoid import renamed

PARTS = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")


def named(trunk: str, limbs: str, before: str = "") -> dict[str, str | None]:
    """Names by our joints.

    trunk: from the pelvis to the head.
    limbs: in the order of PARTS, with {Side}, {side}, {S} or {s}.  A dash is a joint that there is none of.
    """
    names: dict[str, str | None] = dict(
        zip(("pelvis", "spine1", "spine2", "spine3", "neck", "head"), trunk.split(), strict=True)
    )
    for part, name in zip(PARTS, limbs.split(), strict=True):
        for side in ("left", "right"):
            names[f"{side}_{part}"] = name.format(side=side, Side=side.title(), s=side[0], S=side[0].upper())
    return {
        joint: None if name == "-" else f"{before}{name}".replace("~", " ") for joint, name in names.items() if name
    }


HIK = "Hips Spine Spine1 Spine2 Neck Head"
HIK_LIMBS = "{Side}UpLeg {Side}Leg {Side}Foot {Side}ToeBase {Side}Shoulder {Side}Arm {Side}ForeArm {Side}Hand"
MOTIVE = "Hip Ab - Chest Neck Head", "{S}Thigh {S}Shin {S}Foot {S}Toe {S}Shoulder {S}UArm {S}FArm {S}Hand"
CAPTURES = {
    "LAFAN1": named(HIK, HIK_LIMBS.replace("ToeBase", "Toe")),
    "Rokoko": named(
        "Hips Spine1 Spine2 Spine4 Neck Head",
        "{Side}Thigh {Side}Shin {Side}Foot {Side}Toe {Side}Shoulder {Side}Arm {Side}ForeArm {Side}Hand",
    ),
    "Kimodo": named(
        "Hips Spine1 Spine2 Chest Neck1 Head",
        "{Side}Leg {Side}Shin {Side}Foot {Side}ToeBase {Side}Shoulder {Side}Arm {Side}ForeArm {Side}Hand",
    ),
    "Xsens, 100STYLE": named(
        "Hips Chest Chest2 Chest4 Neck Head",
        "{Side}Hip {Side}Knee {Side}Ankle {Side}Toe {Side}Collar {Side}Shoulder {Side}Elbow {Side}Wrist",
    ),
    "Xsens segments": named(
        "Pelvis L5 L3 T8 Neck Head",
        "{Side}UpperLeg {Side}LowerLeg {Side}Foot {Side}Toe {Side}Shoulder {Side}UpperArm {Side}ForeArm {Side}Hand",
    ),
    "iPi": named(
        "Hip LowerSpine MiddleSpine Chest Neck Head",
        "{S}Thigh {S}Shin {S}Foot {S}Toe {S}Clavicle {S}Shoulder {S}Forearm {S}Hand",
    ),
    "Motive": named(*MOTIVE),
    "Motive, a subject": named(*MOTIVE, before="Skeleton~001_"),
    "Vicon": named(
        "pelvis lowerback upperback thorax lowerneck head",
        "{S}Femur {S}Tibia {S}Foot {S}Toes {S}Clavicle {S}Humerus {S}Radius {S}Hand",
    ),
    "SMPL": named(
        "Pelvis Spine1 Spine2 Spine3 Neck Head",
        "{S}_Hip {S}_Knee {S}_Ankle {S}_Foot {S}_Collar {S}_Shoulder {S}_Elbow {S}_Wrist",
        before="m_avg_",
    ),
    "Bandai Namco": named(
        "Hips Spine - Chest Neck Head",
        "UpperLeg_{S} LowerLeg_{S} Foot_{S} Toes_{S} Shoulder_{S} UpperArm_{S} LowerArm_{S} Hand_{S}",
    ),
    "Axis Neuron, no toes": named(HIK, HIK_LIMBS.replace("{Side}ToeBase", "-"), before="Robot_"),
    "Biped": named(
        "Pelvis Spine Spine1 Spine2 Neck Head",
        "{S}~Thigh {S}~Calf {S}~Foot {S}~Toe0 {S}~Clavicle {S}~UpperArm {S}~Forearm {S}~Hand",
        before="Bip001~",
    ),
    "Poser": named(
        "Hip Abdomen - Chest Neck Head",
        "{Side}~Thigh {Side}~Shin {Side}~Foot {Side}~Toe {Side}~Collar {Side}~Shoulder {Side}~Forearm {Side}~Hand",
    ),
    "Second Life": named(
        "mPelvis mTorso - mChest mNeck mHead",
        "mHip{Side} mKnee{Side} mAnkle{Side} mFoot{Side} mCollar{Side} mShoulder{Side} mElbow{Side} mWrist{Side}",
    ),
    "Human3.6M, no ankles, no collars": named(
        "Hip Spine - Thorax Neck Head", "{S}Hip {S}Knee {S}Foot - - {S}Shoulder {S}Elbow {S}Wrist"
    ),
    "lower case": named(HIK.lower(), HIK_LIMBS.replace("{Side}", "{side}").lower()),
    "lower case, letters": named(
        "hip lowerspine middlespine chest neck head",
        "{s}thigh {s}shin {s}foot {s}toe {s}clavicle {s}shoulder {s}forearm {s}hand",
    ),
    "MakeHuman": named(
        "root spine04 spine02 spine01 neck01 head",
        "upperleg01.{S} lowerleg01.{S} foot.{S} toe1-1.{S} clavicle.{S} upperarm01.{S} lowerarm01.{S} wrist.{S}",
    ),
} | {
    f"Mixamo, {before!r}": named(HIK, HIK_LIMBS, before=before)
    for before in ("mixamorig:", "mixamorig1:", "mixamorig_", "mixamorig9_", "mixamorig", "", "Character1_", "ns:rig:")
}


@pytest.mark.parametrize("names", CAPTURES.values(), ids=CAPTURES.keys())
def test_names_of_captures_are_known(names):
    skeleton = renamed(names)
    found = humanoid.match(skeleton)
    assert found.rule != "structure"
    inner = ("spine1", "spine2")
    known = {joint: name for joint, name in names.items() if name and joint not in inner}
    assert {joint: skeleton.names[index] for joint, index in found.joints.items()} == known


def told(tmp_path, names):
    ours, path = dance(2.0), tmp_path / "told.bvh"
    path.write_text(bvh_text(ours.rotations, ours.root, ours.fps, Foreign(names)))
    return bvh.read(path)


LONG = ("hip", "knee", "shoulder", "elbow")


@pytest.mark.parametrize("pieces", [1, 2, 3, 4])
@pytest.mark.parametrize("zero", ["standing", "any"])
def test_limbs_without_names_are_told_by_how_they_move(pieces, zero, tmp_path):
    """Long bones may be in pieces, and the zero pose may be any."""
    skeleton, motion = told(tmp_path, RIGS["smpl"])
    known = {joint: skeleton.index(joint) for joint in JOINTS}
    cut = [f"{side}_{part}" for side in ("left", "right") for part in LONG] if pieces > 1 else []
    skeleton, motion = disguise.split(skeleton, motion, cut, pieces)
    known = {joint: skeleton.index(joint) for joint in known}
    turns = (
        disguise.any_which_way(skeleton)
        if zero == "any"
        else torch.tensor([1.0, 0, 0, 0]).repeat(len(skeleton.names), 1)
    )
    skeleton, motion = disguise.rezeroed(disguise.nameless(skeleton), motion, turns)
    places = kinematics.forward(motion.rotations, motion.root, skeleton)
    found = humanoid.match(skeleton, places[::4].double().numpy())
    assert found.rule == "structure"
    joints = [f"{side}_{part}" for side in ("left", "right") for part in (*LONG, "ankle", "wrist")]
    assert {joint: found.joints[joint] for joint in joints} == {joint: known[joint] for joint in joints}


def test_the_ends_of_limbs_in_pieces_are_their_joints(tmp_path):
    """By names, as in MakeHuman's skeleton: lowerleg02 is no ankle and lowerarm02 no wrist, also without hands."""
    skeleton, motion = told(tmp_path, RIGS["makehuman"])
    cut = [RIGS["makehuman"][f"{side}_{part}"] for side in ("left", "right") for part in LONG]
    skeleton, _ = disguise.split(skeleton, motion, cut, 2)
    found = humanoid.match(skeleton)
    assert {j: skeleton.names[i] for j, i in found.joints.items() if j in RIGS["makehuman"]} == {
        joint: name for joint, name in RIGS["makehuman"].items() if joint in found.joints
    }
    handless = [name.replace("wrist", "fist") for name in skeleton.names]
    found = humanoid.match(type(skeleton)(tuple(handless), skeleton.parents, skeleton.offsets, {}))
    assert handless[found.joints["left_wrist"]] == "fist.L" and handless[found.joints["left_ankle"]] == "foot.L"


def test_pieces_with_numbers_are_told_from_the_first():
    numbered = {j: f"{name}1" if name and j.split("_")[-1] in LONG else name for j, name in CAPTURES["LAFAN1"].items()}
    skeleton = renamed(numbered)
    found = humanoid.match(skeleton)
    assert found.rule == "motionbuilder" and skeleton.names[found.joints["left_elbow"]] == "LeftForeArm1"


def test_sides_at_rest_are_told_by_the_feet():
    hidden = disguise.nameless(SMPL22)
    found = humanoid.match(hidden)
    turned = hidden.offsets * torch.tensor((-1.0, 1.0, -1.0))  # facing backwards
    again = humanoid.match(type(hidden)(hidden.names, hidden.parents, turned, {n: -t for n, t in hidden.tips.items()}))
    assert found.joints == again.joints
    np.testing.assert_array_equal([found.joints["left_hip"], found.joints["right_wrist"]], [1, 21])

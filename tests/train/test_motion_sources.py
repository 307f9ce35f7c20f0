"""Foreign motion onto our skeleton: against a motion of ours that was disguised as another rig's."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch

from core.motion import bvh, contact, kinematics, rotation
from core.motion.resample import resample
from core.motion.skeleton import FOOT_JOINTS, LEFT_LEG, REST_HEIGHT, RIGHT_LEG, SMPL22
from core.types import FootlightError, Motion
from tests.train.rigs import RIGS, Foreign, a_pose, bvh_text
from train.data import clean, humanoid, motion_sources


def dance(seconds: float = 4.0, fps: float = 60.0) -> Motion:
    """Arms, head and spine wave, the pelvis sways and turns, the feet stand."""
    time = torch.arange(int(seconds * fps)) / fps
    frames = len(time)

    def wave(size: float, hz: float, phase: float = 0.0) -> torch.Tensor:
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


Y_TO_Z = rotation.about("x", torch.tensor(math.pi / 2))
DISGUISES = {
    "centimetres": Foreign(RIGS["mixamo"]),
    "Z up, A-pose": Foreign(RIGS["unreal"], 100.0, Y_TO_Z, a_pose()),
    "a giant facing aside, A-pose": Foreign(RIGS["biped"], 3.0, rotation.about("y", torch.tensor(1.2)), a_pose(35.0)),
    "no names": Foreign(RIGS["nameless"], 0.4, None, a_pose()),
}


@pytest.mark.parametrize("foreign", DISGUISES.values(), ids=DISGUISES.keys())
def test_a_disguised_dance_comes_back(foreign, tmp_path):
    ours = dance()
    path = tmp_path / "foreign.bvh"
    path.write_text(bvh_text(ours.rotations, ours.root, ours.fps, foreign))
    made = motion_sources.load_humanoid_bvh(path)
    wanted = resample(ours, motion_sources.FPS)
    assert made.fps == motion_sources.FPS and made.frames == wanted.frames
    found, known = (kinematics.forward_global(m.rotations, m.root) for m in (made, wanted))
    if foreign.turn is not None:  # the file's axes are levelled, its heading is its own
        heading = rotation.about("y", rotation.yaw(foreign.turn)) if foreign.turn[1].abs() < 0.1 else None
        if heading is not None:
            known = rotation.mul(heading, known[0]), rotation.rotate(heading, known[1])
    gap = (found[1] - known[1]).norm(dim=-1)
    assert gap.mean() < 0.003 and gap.max() < 0.01
    # of the bones' rolls, all but the arms' (whose rest is not theirs to know) are the same
    plain = [
        j for j, name in enumerate(SMPL22.names) if not any(part in name for part in ("shoulder", "elbow", "wrist"))
    ]
    assert rotation.angle(found[0][:, plain], known[0][:, plain]).rad2deg().max() < 3.0
    assert made.contacts.mean() > 0.95


@pytest.mark.parametrize("rig", [name for name in RIGS if name != "nameless"])
def test_rigs_are_known_by_their_names(rig, tmp_path):
    ours = dance(0.1)
    names = RIGS[rig]
    path = tmp_path / "rig.bvh"
    path.write_text(bvh_text(ours.rotations, ours.root, ours.fps, Foreign(names)))
    skeleton, _ = bvh.read(path)
    found = humanoid.match(skeleton)
    assert found.rule != "structure"
    spine = {"spine1", "spine2"}
    assert {j: skeleton.names[i] for j, i in found.joints.items()} == {j: names[j] for j in names if j not in spine}
    assert [skeleton.names[i] for i in found.spine] == [names[j] for j in ("pelvis", "spine1", "spine2", "spine3")]


def test_names_agree_with_structure():
    by_name = humanoid.match(SMPL22)
    hidden = humanoid.match(replace(SMPL22, names=tuple(RIGS["nameless"].values()), tips={}))
    assert (by_name.rule, hidden.rule) == ("anatomical", "structure")
    limbs = [j for j in by_name.joints if "collar" not in j]
    assert {j: hidden.joints[j] for j in limbs} == {j: by_name.joints[j] for j in limbs}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mixamorig:LeftUpLeg", ("left", "upleg")),
        ("Bip01 R UpperArm", ("right", "upperarm")),
        ("DEF-upper_arm.L", ("left", "upperarm")),
        ("J_Bip_R_LowerLeg", ("right", "lowerleg")),
        ("lShldrBend", ("left", "shldrbend")),
        ("clavicle_l", ("left", "clavicle")),
        ("LHipJoint", ("left", "hipjoint")),
        ("rfemur", ("right", "femur")),
        ("leg", ("", "leg")),
        ("lowerback", ("", "lowerback")),
    ],
)
def test_sides_and_parts_of_names(name, expected):
    assert humanoid.side_and_part(name) == expected


def test_what_is_no_humanoid_is_refused(tmp_path):
    path = tmp_path / "snake.bvh"
    path.write_text(
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
        "JOINT b\n{\nOFFSET 0 1 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\n}\n"
        "MOTION\nFrames: 2\nFrame Time: 0.02\n" + "0 " * 9 + "\n" + "0 " * 9 + "\n"
    )
    with pytest.raises(FootlightError, match=r"snake\.bvh.*two legs"):
        motion_sources.load(path)


def test_a_t_pose_beside_the_capture_calibrates_it(tmp_path):
    """A rig whose zero pose bows the head is only understood with its T-pose."""
    bowed = rotation.identity(SMPL22.joints)
    bowed[SMPL22.index("neck")] = rotation.about("x", torch.tensor(0.6))
    foreign, ours = Foreign(RIGS["smpl"], rest=bowed), dance(2.0)
    (tmp_path / "set").mkdir()
    (tmp_path / "tpose").mkdir()
    path = tmp_path / "set" / "clip.bvh"
    path.write_text(bvh_text(ours.rotations, ours.root, ours.fps, foreign))

    def head(motion: Motion) -> torch.Tensor:
        return kinematics.forward_global(motion.rotations, motion.root)[0][:, SMPL22.index("head")]

    wanted = head(resample(ours, motion_sources.FPS))
    alone = rotation.angle(head(motion_sources.load_humanoid_bvh(path)), wanted)
    still = rotation.identity(1, SMPL22.joints)
    (tmp_path / "tpose" / "clip.bvh").write_text(bvh_text(still, torch.zeros(1, 3), 60.0, foreign))
    calibrated = rotation.angle(head(motion_sources.load_humanoid_bvh(path)), wanted)
    assert alone.min() > 0.5 and calibrated.max() < 0.02


def test_all_of_a_data_folder_is_loaded(tmp_path):
    ours = dance(2.5)
    text = bvh_text(ours.rotations, ours.root, ours.fps, Foreign(RIGS["mixamo"]))
    entries = []
    for name, split in (("a", "train"), ("b", "val")):
        (tmp_path / f"{name}.bvh").write_text(text)
        entries.append({"path": f"{name}.bvh", "kind": "motion", "split": split})
    entries.append({"path": "song.ogg", "kind": "audio", "split": "train"})
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    loaded = list(motion_sources.load_all(tmp_path, splits=("val",)))
    assert [entry["path"] for entry, _ in loaded] == ["b.bvh"]
    report = loaded[0][1].report
    assert report["dropped"] is None and abs(report["scale"] - 0.01) < 1e-4 and max(report["error_cm"].values()) < 0.5


def test_glitches_are_bridged_and_the_rest_is_left_alone():
    ours = dance()
    local, root = ours.rotations.double().clone(), ours.root.double().clone()
    hip, spots = SMPL22.index("left_hip"), (40, 41, 120)
    local[list(spots), hip] = rotation.mul(local[list(spots), hip], rotation.about("y", torch.tensor(2.5).double()))
    root[200] += torch.tensor((0.3, 0.0, 0.2)).double()
    made, made_root, report = clean.repair(local, root, 60.0)
    assert rotation.angle(made, ours.rotations.double()).rad2deg().max() < 2.0
    assert (made_root - ours.root).norm(dim=-1).max() < 0.005
    touched = (rotation.angle(made, local) > 1e-6).any(-1) | (made_root != root).any(-1)
    assert set(touched.nonzero()[:, 0].tolist()) <= {
        38,
        39,
        40,
        41,
        42,
        118,
        119,
        120,
        121,
        122,
        198,
        199,
        200,
        201,
        202,
    }
    assert 0 < report["repaired_share"] < 0.06 and report["longest_gap"] < 0.1


def test_smoothing_keeps_hits_and_timing_and_takes_noise():
    ours = dance()
    noise = 0.002 * torch.randn(ours.root.shape, generator=torch.Generator().manual_seed(0))
    made = clean.smoothed(replace(ours, root=ours.root + noise))
    inner = slice(20, -20)
    assert (made.root - ours.root)[inner].std() < 0.65 * noise.std()  # white noise below 10 of 30 Hz remains
    time = torch.arange(240) / 60
    five_hertz = torch.sin(2 * math.pi * 5 * time)[:, None].expand(240, 3)
    kept = clean.smoothed(replace(ours, root=five_hertz)).root
    assert (kept - five_hertz)[inner].abs().max() < 0.12


def test_planted_feet_stop_sliding_and_knees_stay_in_front():
    ours = resample(dance(), motion_sources.FPS)
    time = torch.arange(ours.frames) / ours.fps
    slide = torch.stack((0.01 * torch.sin(9 * time), 0.004 * torch.sin(5 * time), 0.012 * torch.cos(7 * time)), -1)
    sliding = replace(ours, root=ours.root + slide)
    toes = kinematics.forward(sliding.rotations, sliding.root)[:, FOOT_JOINTS[1]]
    assert (toes[1:] - toes[:-1]).norm(dim=-1).mean() * ours.fps > 0.08
    made = clean.planted(sliding)
    positions = kinematics.forward(made.rotations, made.root)
    feet = positions[:, FOOT_JOINTS]
    assert (feet[1:] - feet[:-1]).norm(dim=-1).max() * ours.fps < 0.02
    assert (feet[..., 1].mean(0) - torch.tensor((0.08, 0.02, 0.08, 0.02))).abs().max() < 0.005
    for knee in (LEFT_LEG[1], RIGHT_LEG[1]):
        assert rotation.to_axis_angle(made.rotations[:, knee])[:, 0].min() > 0
    upper = [0, 3, 6, 9, 12, 15, 16, 17, 18, 19, 20, 21]
    assert rotation.angle(made.rotations[:, upper], sliding.rotations[:, upper]).max() < 1e-3


def test_steps_are_not_glued_to_the_floor():
    """A foot that is lifted and put down elsewhere still goes there."""
    ours = resample(dance(), motion_sources.FPS)
    place = kinematics.forward(ours.rotations, ours.root)[:, LEFT_LEG[2]]
    step = torch.zeros(ours.frames, 3)
    rise = torch.linspace(0, math.pi, 15)
    step[50:65, 1], step[50:65, 0] = 0.12 * torch.sin(rise), 0.1 * (1 - torch.cos(rise))
    step[65:, 0] = 0.2
    rotations = kinematics.two_bone_ik(ours.rotations, ours.root, place + step, LEFT_LEG)
    stepped = replace(ours, rotations=rotations)
    made = clean.planted(stepped)
    before, after = (kinematics.forward(m.rotations, m.root)[:, LEFT_LEG[2]] for m in (stepped, made))
    assert (after - before).norm(dim=-1).max() < 0.03
    assert made.contacts[52:62, :2].max() == 0 and made.contacts[70:, :2].min() == 1
    assert clean.skate(made) <= clean.skate(stepped)


def test_hanging_clips_are_put_on_the_floor():
    ours = resample(dance(), motion_sources.FPS)
    made, report = clean.grounded(replace(ours, root=ours.root + torch.tensor((0.0, 0.13, 0.0))))
    assert abs(report["floor"] - 0.13) < 0.005
    assert contact.floor_height(kinematics.forward(made.rotations, made.root), made.fps).abs() < 0.005


@pytest.mark.parametrize(
    ("report", "word"),
    [
        ({"repaired_share": 0.2, "longest_gap": 0.1}, "repaired"),
        ({"repaired_share": 0.01, "longest_gap": 0.9}, "gap"),
        ({"repaired_share": 0.01, "longest_gap": 0.1}, None),
    ],
)
def test_the_rule_for_dropping(report, word):
    reason = clean.reason_to_drop(dance(), report)
    assert reason is None if word is None else word in reason

"""Foreign motion onto our skeleton: against a motion of ours that was disguised as another rig's."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from core.errors import collected_warnings
from core.formats import bvh
from core.motion import contact, kinematics, rotation
from core.motion.resample import resample
from core.motion.skeleton import FOOT_JOINTS, LEFT_LEG, REST_HEIGHT, RIGHT_LEG, SMPL22
from core.types import Motion
from tests.core.motion import disguise
from tests.core.motion.rigs import DISGUISES, RIGS, Foreign, bvh_text, dance
from train.data.motion import clean, sources
from train.data.rates import MOTION_FPS


def test_a_disguised_dance_comes_back_clean(tmp_path):
    ours, foreign = dance(), DISGUISES["Z up, A-pose"]
    path = tmp_path / "foreign.bvh"
    path.write_text(bvh_text(ours.rotations, ours.root, ours.fps, foreign))
    made = sources.load(path).motion
    wanted = resample(ours, MOTION_FPS)
    assert made.fps == MOTION_FPS and made.frames == wanted.frames
    found, known = (kinematics.forward(m.rotations, m.root) for m in (made, wanted))
    gap = (found - known).norm(dim=-1)
    assert gap.mean() < 0.003 and gap.max() < 0.01
    assert made.contacts.mean() > 0.95


@pytest.mark.filterwarnings("ignore::core.errors.FootlightWarning")
def test_a_zero_pose_that_is_no_t_pose_comes_back_clean(tmp_path):
    """All bones along x while every rotation is zero, as converters of capture leave them."""
    ours = dance()
    (tmp_path / "told.bvh").write_text(bvh_text(ours.rotations, ours.root, ours.fps, Foreign(RIGS["mixamo"])))
    skeleton, motion = bvh.read(tmp_path / "told.bvh")
    told = disguise.text(*disguise.rezeroed(skeleton, motion, disguise.along(skeleton)))
    (tmp_path / "odd.bvh").write_text(told)
    found, known = (sources.load(tmp_path / f"{name}.bvh").motion for name in ("odd", "told"))
    gap = (kinematics.forward(found.rotations, found.root) - kinematics.forward(known.rotations, known.root)).norm(
        dim=-1
    )
    assert gap.mean() < 0.01 and gap.max() < 0.05


@pytest.mark.parametrize(("frames", "said"), [(slice(60, 100), True), (slice(60, 63), False), (slice(1, None), False)])
def test_frames_that_a_recorder_repeats_are_said(frames, said, tmp_path):
    """A second that is one pose to the last digit, a tenth of a second, and a file of one pose alone."""
    ours = dance(4.0)
    rotations, root = ours.rotations.clone(), ours.root.clone()
    rotations[frames], root[frames] = rotations[frames.start - 1], root[frames.start - 1]
    (tmp_path / "held.bvh").write_text(bvh_text(rotations, root, ours.fps, Foreign(RIGS["mixamo"])))
    with collected_warnings() as warned:
        sources.load(tmp_path / "held.bvh")
    assert any("nothing moves at all from frame 59 to 99" in line for line in warned) == said
    assert said or not any("nothing moves" in line for line in warned)


def test_a_report_says_how_a_file_was_fitted(tmp_path):
    ours = dance(2.5)
    (tmp_path / "b.bvh").write_text(bvh_text(ours.rotations, ours.root, ours.fps, Foreign(RIGS["mixamo"])))
    report = sources.load(tmp_path / "b.bvh").report
    assert report["dropped"] is None and abs(report["scale"] - 0.01) < 1e-4 and max(report["error_cm"].values()) < 0.5


def test_glitches_are_bridged_and_the_rest_is_left_alone():
    ours = dance()
    local, root = ours.rotations.double().clone(), ours.root.double().clone()
    hip, spots = SMPL22.index("left_hip"), (40, 41, 120)
    local[list(spots), hip] = rotation.mul(local[list(spots), hip], rotation.about("y", torch.tensor(2.5).double()))
    root[200] += torch.tensor((0.3, 0.0, 0.2)).double()
    aside = rotation.about("y", torch.tensor(0.2).double())  # which would be believed where the root does not jump
    local[200, 0] = rotation.mul(local[200, 0], aside)
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


@pytest.mark.parametrize(
    ("fps", "radians", "marked", "repaired"),
    [
        (60.0, 0.25, (), False),
        (60.0, 0.35, (), True),
        (60.0, 0.2, (48,), True),  # marks reach from a frame before to two after
        (60.0, 0.2, (51,), True),
        (60.0, 0.2, (52,), False),
        (120.0, 0.25, (), False),  # a fast camera does not lower the limit
        (30.0, 0.5, (), False),  # a slow one raises it
        (30.0, 0.7, (), True),
    ],
)
def test_what_is_a_jump_depends_on_the_camera_and_on_marks(fps, radians, marked, repaired):
    local, root = rotation.identity(100, 22).double(), torch.zeros(100, 3).double()
    local[50, 4] = rotation.about("x", torch.tensor(radians).double())
    made, _, report = clean.repair(local, root, fps, marked)
    assert float(rotation.angle(made[50, 4], local[49, 4])) == pytest.approx(0.0 if repaired else radians, abs=1e-6)
    assert report["longest_gap"] == (pytest.approx(report["repaired_frames"] / fps, abs=1e-3) if repaired else 0.0)


def test_failures_that_follow_each_other_at_once_are_one_gap():
    """Two jumps a sixth of a second apart are bridged together, two that are a second apart are not."""
    local, root = rotation.identity(120, 22).double(), torch.zeros(120, 3).double()
    for frame in (30, 34, 90):
        local[frame, 4] = rotation.about("x", torch.tensor(0.8).double())
    _, _, report = clean.repair(local, root, 30.0)
    assert report["longest_gap"] == pytest.approx(5 / 30, abs=1e-3) and report["repaired_frames"] == 6


def test_a_foot_that_creeps_goes_on_creeping():
    """A body that is carried a quarter of a metre in five seconds, on feet that stand: they are not held at one place
    in the middle of their way."""
    frames = 150
    root = torch.tensor((0.0, REST_HEIGHT - 0.01, 0.0)).repeat(frames, 1)
    root[:, 0] = torch.linspace(0, 0.25, frames)
    crept = Motion(rotation.identity(frames, 22), root, 30.0)
    before, after = (kinematics.forward(m.rotations, m.root)[:, FOOT_JOINTS] for m in (crept, clean.planted(crept)))
    assert (after - before)[..., (0, 2)].norm(dim=-1).max() < 0.07


@pytest.mark.parametrize(("seconds", "laid"), [(1.0, True), (0.15, False)])
def test_a_foot_that_stands_on_its_heel_with_toes_drawn_up_is_laid_flat(seconds, laid):
    frames, up = 90, round(seconds * 30)
    rotations, root = rotation.identity(frames, 22), torch.tensor((0.0, REST_HEIGHT, 0.0)).repeat(frames, 1)
    rotations[30 : 30 + up, LEFT_LEG[2]] = rotation.about("x", torch.tensor(-0.8))
    cocked = Motion(rotations, root, 30.0)
    before, after = (kinematics.forward(m.rotations, m.root)[:, FOOT_JOINTS] for m in (cocked, clean.planted(cocked)))
    inside = slice(30 + up // 3, 30 + up - up // 3)
    assert before[inside, 1, 1].min() > 0.1
    toe, heel = after[inside, 1, 1], (after - before)[inside, 0]
    assert (toe.max() < 0.03) if laid else (toe.min() > 0.06)
    assert heel.norm(dim=-1).max() < 0.01, "the heel stays where it stands"


def test_smoothing_keeps_fast_movements_and_timing_and_removes_noise():
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
    ours = resample(dance(), MOTION_FPS)
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


def test_the_pelvis_sinks_where_straight_legs_do_not_reach_the_floor():
    """A body on straight legs that a tracker lifts by 2 cm for a while, feet and all."""
    frames = 120
    root = torch.tensor((0.0, REST_HEIGHT, 0.0)).repeat(frames, 1)
    root[:, 1] += 0.02 * torch.sin(torch.linspace(0, math.pi, frames)) ** 2
    lifted = Motion(rotation.identity(frames, 22), root, 30.0)
    made = clean.planted(lifted)
    feet = kinematics.forward(made.rotations, made.root)[:, FOOT_JOINTS]
    assert (feet[..., 1] - torch.tensor((0.08, 0.02, 0.08, 0.02))).abs().max() < 0.006
    assert 0.015 < float((lifted.root - made.root)[60, 1]) < 0.03


def test_steps_are_not_glued_to_the_floor():
    """A foot that is lifted and put down elsewhere still goes there."""
    ours = resample(dance(), MOTION_FPS)
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
    ours = resample(dance(), MOTION_FPS)
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

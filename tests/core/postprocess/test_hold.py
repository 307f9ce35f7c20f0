"""Held joints of held frames stay bit for bit, and corrections leave no jump beside them."""

import math
from dataclasses import replace

import pytest
import torch

from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from core.postprocess import drift, feet, joints, retime, smooth
from core.postprocess.hold import between, fade, runs
from core.postprocess.join import copied, eased, join
from core.types import Beats, Motion


@pytest.fixture
def noisy(steps):
    """Steps with jitter and slides, which every correction finds something to do about."""
    generator = torch.Generator().manual_seed(0)
    jitter = 0.02 * torch.randn(*steps.rotations.shape[:2], 3, generator=generator)
    jitter[:, SMPL22.index("left_knee"), 0] -= 1.5 * (torch.arange(steps.frames) % 50 < 10)
    slide = 0.1 * torch.sin(torch.arange(steps.frames) / 20)
    root = steps.root + torch.stack((slide, 0.1 * slide, slide), -1)
    rotations = rotation.mul(steps.rotations, rotation.from_axis_angle(jitter))
    return replace(steps, rotations=rotations, root=root)


@pytest.fixture
def hold(noisy):
    """All but a range of three seconds, in which the left arm is held."""
    hold = torch.ones(noisy.frames, 22, dtype=torch.bool)
    hold[120:214] = False
    hold[:, SMPL22.index("left_elbow")] = True
    return hold


CORRECTIONS = {
    "limit": lambda motion, hold: joints.limit(motion, hold=hold),
    "smooth": lambda motion, hold: smooth.smooth(motion, hold=hold),
    "drift": lambda motion, hold: drift.keep(motion, hold),
    "steady": feet.steady,
    "lock": feet.lock,
}


@pytest.mark.parametrize("name", CORRECTIONS)
def test_what_is_held_is_the_same_bit_by_bit_and_the_rest_is_corrected(noisy, hold, name):
    correct = CORRECTIONS[name]
    made, free = correct(noisy, hold), correct(noisy, None)
    assert torch.equal(made.rotations[hold], noisy.rotations[hold])
    assert torch.equal(made.root[hold[:, 0]], noisy.root[hold[:, 0]])
    changed = not (torch.equal(free.rotations, noisy.rotations) and torch.equal(free.root, noisy.root))
    assert changed, "the check would be empty"
    if name != "drift":  # a path that has its place does not drift
        inside = made.rotations[140:194], made.root[140:194]
        assert not all(torch.equal(a, b[140:194]) for a, b in zip(inside, (noisy.rotations, noisy.root), strict=True))


@pytest.mark.parametrize("name", ["smooth", "steady", "lock"])
def test_corrections_leave_no_jump_beside_what_is_held(noisy, hold, name):
    made = CORRECTIONS[name](noisy, hold)
    shift = (made.root - noisy.root).norm(dim=-1)
    turn = rotation.angle(made.rotations, noisy.rotations).amax(1)
    for frame in (119, 120, 213, 214):
        assert float(shift[frame]) < 2e-3 and float(turn[frame]) < math.radians(2)


def test_a_foot_that_stands_across_the_edge_stays_where_it_is_held(steps):
    """The place of a held foot is its place there, and not the mean over the contact, which slid."""
    slide = torch.zeros(steps.frames)
    slide[120:214] = 0.08 * torch.sin(torch.linspace(0, math.pi, 94)) ** 2
    slid = replace(steps, root=steps.root + slide[:, None] * torch.tensor([1.0, 0.0, 0.0]))
    hold = torch.ones(steps.frames, 22, dtype=torch.bool)
    hold[120:214] = False
    made = feet.lock(slid, hold)
    places = kinematics.forward(made.rotations, made.root)
    before = kinematics.forward(slid.rotations, slid.root)
    toe = SMPL22.index("left_foot")
    step = places[118:124, toe].diff(dim=0).norm(dim=-1).amax()
    assert float(step) < 0.01 + float(before[118:124, toe].diff(dim=0).norm(dim=-1).amax())


def test_frames_in_which_anything_is_held_keep_their_time(steps):
    beats = Beats(torch.arange(0.1, 12.0, 0.5))
    whole = retime.beat_clock(steps, beats, 1.0)
    hold = torch.ones(steps.frames, 22, dtype=torch.bool)
    hold[120:214] = False
    clock = retime.beat_clock(steps, beats, 1.0, hold=hold)
    times = torch.arange(steps.frames, dtype=torch.float64) / steps.fps
    shift = clock.at(times) - times
    assert torch.all(shift[:119].abs() < 1e-12) and torch.all(shift[215:].abs() < 1e-12)
    assert float(shift.abs().max()) > 0.01 and float((whole.at(times) - times)[:119].abs().max()) > 0.01
    assert bool((clock.at(times).diff() > 0).all())
    hold[:, 3] = True  # a joint that is held throughout says nothing about the others
    assert torch.equal(retime.beat_clock(steps, beats, 1.0, hold=hold).at(times), clock.at(times))
    key = 120 + int(shift[120:214].abs().argmax())
    hold[key, 5] = True  # one that is held in a single frame does
    again = retime.beat_clock(steps, beats, 1.0, hold=hold).at(times) - times
    assert abs(float(again[key])) < 1e-12 < float(again[120:214].abs().max())


def test_weights_and_steps_between_held_frames():
    held = torch.zeros(20, dtype=torch.bool)
    held[[4, 12]] = True
    weights = fade(held, 10.0, 0.3)
    assert weights[4] == weights[12] == 0 and weights[8] == weights[0] == weights[19] == 1
    assert torch.allclose(weights[5], torch.tensor(0.25, dtype=torch.float64)) and torch.equal(
        weights[:4], weights[5:9].flip(0)
    )
    values = torch.zeros(20, 1)
    values[4], values[12] = 1.0, 3.0
    steps = between(values, held)[:, 0]
    assert torch.equal(steps[:5], torch.ones(5)) and torch.equal(steps[12:], torch.full((8,), 3.0))
    assert float(steps[8]) == 2.0 and bool((steps.diff() >= 0).all())
    assert torch.equal(between(values, torch.zeros(20, dtype=torch.bool)), torch.zeros(20, 1))
    assert runs(held) == [(4, 5), (12, 13)]


def walked(frames: int, fps: float, turn: float, speed: float) -> Motion:
    """A stiff body that walks in an arc."""
    time = torch.arange(frames, dtype=torch.float64) / fps
    heading = turn * time
    rotations = rotation.identity(frames, 22, like=time)
    rotations[:, 0] = rotation.about("y", heading)
    step = torch.stack((heading.sin(), torch.zeros_like(time), heading.cos()), -1) * speed / fps
    root = torch.cat((torch.zeros(1, 3), step[1:].cumsum(0))) + torch.tensor([0.0, 0.9, 0.0])
    return Motion(rotations.float(), root.float(), fps, torch.ones(frames, 4))


def test_a_path_that_went_elsewhere_meets_what_is_held_on_both_sides():
    base, made = walked(300, 30.0, 0.2, 0.5), walked(300, 30.0, -0.5, 0.8)
    hold = torch.ones(300, 22, dtype=torch.bool)
    hold[100:220] = False
    joined = eased(join(made, base, hold), hold)
    assert torch.equal(joined.rotations[hold], base.rotations[hold]) and torch.equal(joined.root[:100], base.root[:100])
    pace = joined.root.diff(dim=0).norm(dim=-1) * 30
    assert float(pace.max()) < 1.6 and float(pace[100:220].mean()) > 0.3
    places = kinematics.forward(joined.rotations, joined.root)
    jerk = places.diff(n=3, dim=0).norm(dim=-1) * 30**3
    assert float(jerk.max()) < 150  # where they were cut together, a distance of 1 cm would be 270


@pytest.mark.parametrize("span", [0.1, 0.15])
def test_poses_run_on_at_the_seams(swaying, span):
    base, made = swaying(300, 30.0, 1), swaying(300, 30.0, 2)
    made = replace(made, rotations=rotation.mul(made.rotations, rotation.about("x", torch.full((300, 22), 0.2))))
    hold = torch.ones(300, 22, dtype=torch.bool)
    hold[100:200] = False
    joined = eased(join(made, base, hold, span), hold)
    cut = copied(made, base, hold)

    def speed(motion):
        return rotation.angle(motion.rotations[1:], motion.rotations[:-1]).amax(1) * 30

    assert float(speed(cut)[98:102].max()) > 10 and float(speed(joined)[95:105].max()) < 9
    middle = slice(140, 160)
    apart = rotation.angle(joined.rotations[middle, 1:], made.rotations[middle, 1:])
    assert float(apart.max()) < 0.1, "far from the seams it is what was made"


def test_a_single_held_pose_is_hit_and_passed_smoothly(swaying):
    base, made = swaying(200, 30.0, 1), swaying(200, 30.0, 2)
    hold = torch.zeros(200, 22, dtype=torch.bool)
    hold[100, 5:] = True
    joined = eased(join(made, base, hold), hold)
    assert torch.equal(joined.rotations[100, 5:], base.rotations[100, 5:])
    assert torch.equal(joined.root, made.root)
    assert float(rotation.angle(joined.rotations[1:], joined.rotations[:-1]).max()) * 30 < 25


def test_a_step_between_held_frames_goes_on_where_it_may():
    held = torch.zeros(30, dtype=torch.bool)
    held[[2, 20]] = True
    values = torch.arange(30.0)[:, None]
    pace = torch.zeros(30)
    pace[8:11] = torch.tensor([1.0, 2.0, 1.0])
    found = between(values, held, pace)[:, 0]
    assert torch.equal(found[:8], torch.full((8,), 2.0)) and torch.equal(found[11:], torch.full((19,), 20.0))
    assert found[7:12].diff().tolist() == pytest.approx([18 * share for share in (1 / 8, 3 / 8, 3 / 8, 1 / 8)])


def test_a_path_returns_to_where_it_is_held_while_a_foot_travels(steps):
    """Feet that glide all the way to where they are held again stand still, and land elsewhere at each step."""
    free = slice(100, 300)
    hold = torch.ones(steps.frames, 22, dtype=torch.bool)
    hold[free] = False
    glide = torch.zeros(steps.frames)
    glide[100:300], glide[300:] = torch.linspace(0, 0.5, 200), 0.5
    glided = replace(steps, root=steps.root + glide[:, None] * torch.tensor([1.0, 0.0, 0.0]))
    made = feet.steady(replace(glided, contacts=None), hold)
    toes = kinematics.forward(steps.rotations, steps.root)[:, (10, 11), 1]
    stands = (toes < toes.amin() + 0.005).all(1)[free][20:-20]
    slid = ((made.root - steps.root)[free, 0].diff() * steps.fps).abs()[20:-19]
    assert float(slid[stands].mean()) < 0.6 * float(slid[~stands].mean())

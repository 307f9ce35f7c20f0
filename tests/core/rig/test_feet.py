"""Feet that stand on rigs of any build. The oracle is the forward kinematics of the rig."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.rig import feet, proportions, retarget
from core.rig import quaternion as quat
from core.rig.skeleton import JOINTS, PARENTS
from tests.core.motion.rigs import steps
from tests.core.rig.characters import Build, places
from tests.core.rig.test_retarget import STANDING, in_our_places, rig, shown

FPS = 20.0
MOTION, STANDS = steps(4.0, FPS)
DANCE = retarget.Dance(
    MOTION.rotations.double().numpy(), MOTION.root.double().numpy(), STANDS.repeat_interleave(2, 1).numpy()
)
FEET = STANDS.numpy()
PLACES = in_our_places(DANCE.rotations, DANCE.root)[1]
ANKLES = [JOINTS.index(f"{side}_ankle") for side in ("left", "right")]
TOES = [JOINTS.index(f"{side}_foot") for side in ("left", "right")]


def danced(build: Build, dance: retarget.Dance = DANCE) -> tuple[np.ndarray, list[proportions.RestBone]]:
    """World matrices (t, 22, 4, 4) of the bones of a rig of this build in a dance, and its bones."""
    at = places(build)
    heads = {joint: proportions.to_blender(at[name]) for joint, name in enumerate(JOINTS)}
    bones = rig(heads, dict(enumerate(PARENTS)))
    return shown(retarget.keys(dance, bones), bones), bones


def some_build(seed: int) -> Build:
    at = np.random.default_rng(seed).uniform
    return Build(at(0.8, 1.2), at(0.8, 1.2), at(0.7, 1.2), at(0.8, 1.5), at(0.0, 85.0), at(0.0, 8.0))


SEEDS = range(6)


def size_of(build: Build) -> float:
    return (build.thigh + build.shin) / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_standing_feet_stand_on_any_build(seed):
    build = some_build(seed)
    matrices, _ = danced(build)
    for side in range(2):
        both = FEET[1:, side] & FEET[:-1, side]
        for joint in (ANKLES[side], TOES[side]):
            moved = np.linalg.norm(np.diff(matrices[:, joint, :3, 3], axis=0), axis=-1)[both] / size_of(build)
            ours = np.linalg.norm(np.diff(PLACES[:, joint], axis=0), axis=-1)[both]
            assert moved.max() < ours.max() + 2e-4, "metres a frame"
        lift, rest = matrices[FEET[:, side], ANKLES[side], 2, 3], places(build)["left_ankle"][1]
        ours = PLACES[FEET[:, side], ANKLES[side], 2] - STANDING[ANKLES[side], 2]
        np.testing.assert_allclose((lift - rest) / size_of(build), ours, atol=0.003)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dance_comes_back_from_any_build(seed):
    matrices, bones = danced(some_build(seed))
    found, root = retarget.motion(matrices, bones, FPS, residual=retarget.keys(DANCE, bones).residual)
    np.testing.assert_allclose(in_our_places(found, root)[1], PLACES, atol=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_part_of_a_dance_comes_back_and_without_its_residual_it_is_near(seed):
    matrices, bones = danced(some_build(seed))
    part, residual = np.arange(13, 57), retarget.keys(DANCE, bones).residual
    found, root = retarget.motion(matrices[part], bones, FPS, residual=residual.at(part))
    np.testing.assert_allclose(in_our_places(found, root)[1], PLACES[part], atol=1e-3)
    found, root = retarget.motion(matrices, bones, FPS)
    np.testing.assert_allclose(in_our_places(found, root)[1], PLACES, atol=0.03)


def test_a_raised_leg_points_where_the_dancers_does():
    """While the body turns, before its foot comes down: wide hips take it farther than ours, and its legs go along."""
    frames = 60
    turned = np.linspace(1.5, 0.0, frames)
    rotations = np.tile(np.array(quat.IDENTITY), (frames, 22, 1))
    rotations[:, 0] = np.stack((np.cos(turned / 2), 0 * turned, np.sin(turned / 2), 0 * turned), axis=-1)
    root = np.tile((0.0, 0.95, 0.0), (frames, 1))
    stands = np.zeros((frames, 4), dtype=bool)
    stands[-10:, :2] = True
    matrices, _ = danced(Build(wide=4.0), retarget.Dance(rotations, root, stands))
    leg = matrices[: -10 - 12, ANKLES[0], :3, 3] - matrices[: -10 - 12, JOINTS.index("left_hip"), :3, 3]
    assert np.degrees(np.arccos(-quat.unit(leg)[:, 2])).mean() < 8.0


def test_a_raised_leg_of_another_build_points_where_the_dancers_does():
    """A knee is lifted and bent, with thighs that are half as long again as the shins; the other foot stands."""
    frames = 60
    lift = np.sin(np.linspace(0.0, np.pi, frames)) ** 2
    rotations = np.tile(np.array(quat.IDENTITY), (frames, 22, 1))
    for joint, angle in (("left_hip", -1.2 * lift), ("left_knee", 1.6 * lift)):
        turn = np.stack((np.cos(angle / 2), np.sin(angle / 2), 0 * angle, 0 * angle), axis=-1)
        rotations[:, JOINTS.index(joint)] = turn
    root = np.tile((0.0, 0.95, 0.0), (frames, 1))
    stands = np.ones((frames, 4), dtype=bool)
    stands[8:-8, :2] = False
    matrices, _ = danced(Build(thigh=1.2, shin=0.8), retarget.Dance(rotations, root, stands))
    ours = in_our_places(rotations, root)[1]
    for upper, lower in (("left_hip", "left_knee"), ("left_knee", "left_ankle")):
        a, b = JOINTS.index(upper), JOINTS.index(lower)
        limb, wanted = (quat.unit(at[20:40, b] - at[20:40, a]) for at in (matrices[:, :, :3, 3], ours))
        assert np.degrees(np.arccos((limb * wanted).sum(axis=-1).clip(-1.0, 1.0))).max() < 1.0


def test_a_foot_that_glides_is_as_low_as_the_dancers():
    """It moves ahead just above the floor with an upright shin, on thighs that are half as long again as the shins,
    while the other knee bends."""
    frames = 60
    ahead = 0.9 * np.sin(np.linspace(0.0, np.pi, frames)) ** 2
    sunk = 0.4 * (1 - np.cos(ahead))
    bent = np.arccos((0.8 - sunk) / 0.8)
    rotations = np.tile(np.array(quat.IDENTITY), (frames, 22, 1))
    angles = {"left_hip": -ahead, "left_knee": ahead, "right_hip": -bent, "right_knee": 2 * bent, "right_ankle": -bent}
    for joint, angle in angles.items():
        rotations[:, JOINTS.index(joint)] = quat.from_vector(angle[:, None] * np.array((1.0, 0.0, 0.0)))
    root = np.stack((0 * sunk, 0.95 - sunk, 0 * sunk), axis=-1)
    stands = np.ones((frames, 4), dtype=bool)
    stands[5:-5, :2] = False
    build = Build(thigh=1.2, shin=0.8)
    matrices, _ = danced(build, retarget.Dance(rotations, root, stands))
    lift = matrices[:, ANKLES[0], 2, 3] - places(build)["left_ankle"][1]
    ours = in_our_places(rotations, root)[1][:, ANKLES[0], 2] - STANDING[ANKLES[0], 2]
    np.testing.assert_allclose(ours, 0.0, atol=1e-9)
    np.testing.assert_allclose(lift, 0.0, atol=0.003)


def test_jumps_keep_their_height():
    build = Build(thigh=1.1, shin=0.9, wide=1.3)
    matrices, _ = danced(build)
    flying = ~FEET.any(axis=1)
    assert flying.any()
    lift = matrices[flying][:, ANKLES, 2, 3].min(axis=1) - places(build)["left_ankle"][1]
    ours = PLACES[flying][:, ANKLES, 2].min(axis=1) - STANDING[ANKLES[0], 2]
    np.testing.assert_allclose(lift / size_of(build), ours, atol=0.02)


def test_nothing_changes_where_nothing_has_to():
    matrices, _ = danced(Build())
    np.testing.assert_allclose(matrices[:, :, :3, 3], PLACES, atol=1e-5)


@pytest.mark.parametrize("legs", [0.5, 1.2])
def test_a_foot_that_turns_about_its_toes_keeps_them(legs):
    """The heel rises while the toe stands; the rig's foot is as long as ours, on legs that are shorter or longer."""
    frames = 40
    rotations = np.tile(np.array(quat.IDENTITY), (frames, 22, 1))
    rise = np.linspace(0.0, 0.6, frames)
    turn = np.stack((np.cos(rise / 2), np.sin(rise / 2), 0 * rise, 0 * rise), axis=-1)
    rotations[:, ANKLES[0]] = turn
    root = np.tile((0.0, 0.95, 0.0), (frames, 1))
    toe = in_our_places(rotations, root)[1][:, TOES[0]]
    root[:, 1] += toe[0, 2] - toe[:, 2]
    root[:, 2] += toe[:, 1] - toe[0, 1]
    stands = np.zeros((frames, 4), dtype=bool)
    stands[:, 1] = True
    held = in_our_places(rotations, root)[1][:, TOES[0]]
    np.testing.assert_allclose(held, np.tile(held[:1], (frames, 1)), atol=1e-9)
    matrices, _ = danced(Build(thigh=legs, shin=legs), retarget.Dance(rotations, root, stands))
    np.testing.assert_allclose(
        matrices[:, TOES[0], :3, 3], np.tile(matrices[:1, TOES[0], :3, 3], (frames, 1)), atol=2e-3
    )


def test_between_two_stands_a_correction_goes_on_as_fast_as_in_them():
    """One that grows evenly in both goes straight on: a cubic through a line is the line."""
    line = np.arange(20)[:, None] * np.array((0.01, -0.02, 0.005))
    stood = np.where((np.arange(20) < 6) | (np.arange(20) >= 14), 1.0, np.nan)[:, None] * line
    np.testing.assert_allclose(feet.joined(np.nan_to_num(stood), [(0, 6), (14, 20)]), line, atol=1e-12)


@pytest.mark.parametrize(("height", "speed", "stands"), [(0.0, 0.0, True), (0.2, 0.0, False), (0.0, 1.0, False)])
def test_what_is_low_and_slow_stands(height, speed, stands):
    places = np.zeros((30, 1, 3))
    places[:, 0, 0] = speed * np.arange(30) / FPS
    assert (feet.standing(places, np.full((30, 1), height), FPS) == stands).all()


@settings(max_examples=10)
@given(st.integers(0, 1000), st.floats(15.0, 120.0))
def test_a_dance_comes_back_at_any_frame_rate(seed, fps):
    motion, stands = steps(2.0, fps)
    turns, root = motion.rotations.double().numpy(), motion.root.double().numpy()
    dance = retarget.Dance(turns, root, stands.repeat_interleave(2, 1).numpy())
    matrices, bones = danced(some_build(seed), dance)
    ours = in_our_places(turns, root)[1]
    found, place = retarget.motion(matrices, bones, fps, residual=retarget.keys(dance, bones).residual)
    np.testing.assert_allclose(in_our_places(found, place)[1], ours, atol=1e-3)
    found, place = retarget.motion(matrices, bones, fps)
    assert np.linalg.norm(in_our_places(found, place)[1] - ours, axis=-1).mean() < 0.02, "metres, without its residual"


def test_a_long_foot_that_turns_on_the_floor_slides_no_more_than_the_dancers():
    """It sways and rolls onto its toes a little while it stands; the rig's is twice as long as ours on its legs."""
    time = np.arange(60) / 30
    rotations = np.tile(np.array(quat.IDENTITY), (60, 22, 1))
    sway = np.stack((0 * time, 0.2 * np.sin(5 * time), 0 * time), axis=-1)
    rotations[:, ANKLES[0]] = quat.from_vector(sway + np.stack((0.1 * np.sin(7 * time), 0 * time, 0 * time), axis=-1))
    dance = retarget.Dance(rotations, np.tile((0.0, 0.93, 0.0), (60, 1)), np.ones((60, 4), dtype=bool))
    ours = in_our_places(rotations, dance.root)[1]
    matrices, _ = danced(Build(thigh=0.5, shin=0.5), dance)
    for joint in (ANKLES[0], TOES[0]):
        away = np.linalg.norm(np.diff(matrices[:, joint, :3, 3] / 0.5, axis=0), axis=-1)
        assert away.max() < 1.1 * np.linalg.norm(np.diff(ours[:, TOES[0]], axis=0), axis=-1).max()


@pytest.mark.parametrize("foot", [(0.0, -0.24, -0.25), (0.0, -0.3, -0.02), (0.05, -0.14, -0.2)])
def test_the_ankle_of_a_long_or_a_high_foot_moves_no_farther_about_its_toes_than_ours(foot):
    """It stands on its toes, turns about the vertical and raises its heel."""
    time, ours = np.arange(60) / 30, np.array((0.0, -0.13, -0.06))
    turns = quat.from_vector(np.stack((0.2 * np.sin(4 * time), 0 * time, 0.3 * np.sin(5 * time)), axis=-1))
    stands = np.ones(60, dtype=bool)
    less = quat.mul(feet.settled(turns, stands, stands, np.array(foot), ours), turns)

    def steps(turns: np.ndarray, foot: Sequence[float]) -> tuple[float, float]:
        """How far the ankle moves in a frame at most, along the floor and up."""
        moved = np.diff(quat.rotate(turns, -np.array(foot)), axis=0)
        return np.linalg.norm(moved[:, :2], axis=-1).max(), np.abs(moved[:, 2]).max()

    allowed = 1.1 * np.array(steps(turns, ours))
    assert (steps(less, foot) < allowed).all()
    assert (steps(turns, foot) > allowed).any()


def test_hips_give_way_to_legs_of_another_build():
    """While a body sinks on both feet, thighs half as long again as the shins do not fold as ours do."""
    sunk = 0.25 * np.sin(np.linspace(0.0, np.pi, 60)) ** 2
    bend = np.arccos((0.8 - 0.05 - sunk) / 0.8)
    rotations = np.tile(np.array(quat.IDENTITY), (60, 22, 1))
    for side in ("left", "right"):
        for part, angle in (("hip", -bend), ("knee", 2 * bend), ("ankle", -bend)):
            rotations[:, JOINTS.index(f"{side}_{part}")] = quat.from_vector(angle[:, None] * np.array((1.0, 0.0, 0.0)))
    root = np.stack((0 * sunk, 0.9 - sunk, 0 * sunk), axis=-1)
    dance = retarget.Dance(rotations, root, np.ones((60, 4), dtype=bool))
    matrices, _ = danced(Build(thigh=1.2, shin=0.8), dance)
    ours = in_our_places(rotations, root)[1]
    hips = [JOINTS.index(f"{side}_hip") for side in ("left", "right")]
    moved = (matrices[:, :, :3, 3] - ours)[:, hips].mean(axis=1)
    assert 0.005 < np.abs(moved).max() < 0.03
    off = []
    for upper, lower in (("left_hip", "left_knee"), ("left_knee", "left_ankle")):
        a, b = JOINTS.index(upper), JOINTS.index(lower)
        limb, wanted = (quat.unit(at[:, b] - at[:, a]) for at in (matrices[:, :, :3, 3], ours))
        off.append(np.degrees(np.arccos((limb * wanted).sum(axis=-1).clip(-1.0, 1.0))).max())
    assert max(off) < 2.0

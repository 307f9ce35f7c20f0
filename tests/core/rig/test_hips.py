"""Hips of rigs that are built otherwise than ours. The oracle is the forward kinematics of the rig."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.rig import feet, hips, retarget
from core.rig import quaternion as quat
from core.rig.skeleton import JOINTS, OFFSETS
from tests.core.rig.characters import Build
from tests.core.rig.test_feet import danced

FRAMES = 120
TIME = np.arange(FRAMES) / 30.0
HIPS = ("right_hip", "left_hip")
LEGS = [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))]


def about(axis: str, angle: np.ndarray) -> np.ndarray:
    """Rotations (t, 4) about an axis of the upright space: z is up, x is left."""
    return np.concatenate((np.cos(angle / 2)[:, None], np.sin(angle / 2)[:, None] * np.eye(3)["xyz".index(axis)]), -1)


def degrees_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(2 * np.arccos(np.abs((a * b).sum(axis=-1)).clip(0.0, 1.0)))


def swaying() -> np.ndarray:
    """A pelvis that twists, tilts, bows and turns slowly."""
    return quat.mul(
        quat.mul(about("z", 0.3 * np.sin(9.0 * TIME) + 0.4 * TIME), about("y", 0.15 * np.sin(7.0 * TIME))),
        about("x", 0.3 * np.sin(5.0 * TIME)),
    )


def off(build: Build, dance: retarget.Dance, pairs: Sequence[tuple[str, str]]) -> float:
    """Degrees by which lines between joints of a rig are off the dancer's at most."""
    (matrices, _), (ours, _) = danced(build, dance), danced(Build(), dance)
    worst = []
    for ends in pairs:
        a, b = (JOINTS.index(joint) for joint in ends)
        limb, wanted = (quat.unit(at[:, b, :3, 3] - at[:, a, :3, 3]) for at in (matrices, ours))
        worst.append(float(np.degrees(np.arccos((limb * wanted).sum(-1).clip(-1.0, 1.0))).max()))
    return max(worst)


def twisting(turn: np.ndarray) -> retarget.Dance:
    """A pelvis is turned (t, 4) while the feet stand and the legs hang, a little bent so that they can give way."""
    rotations = np.tile(np.array(quat.IDENTITY), (len(turn), 22, 1))
    rotations[:, 0] = turn
    for side in ("left", "right"):
        for joint, bend in (("hip", -0.35), ("knee", 0.7), ("ankle", -0.35)):
            rotations[:, JOINTS.index(f"{side}_{joint}")] = about("x", np.full(len(turn), bend))
        hip = JOINTS.index(f"{side}_hip")
        rotations[:, hip] = quat.mul(quat.conjugate(turn), rotations[:, hip])
    return retarget.Dance(rotations, np.tile((0.0, 0.9, 0.0), (len(turn), 1)), np.ones((len(turn), 4), dtype=bool))


@pytest.mark.parametrize("axis", "zy")
def test_very_wide_hips_turn_less_so_that_legs_stay_where_the_dancers_are(axis):
    """The pelvis twists ("z") or tilts ("y") quickly."""
    turn = about({"z": "y", "y": "z"}[axis], 0.2 * np.sin(2 * np.pi * np.arange(FRAMES) / 20))  # our y is up
    assert off(Build(wide=1.04), twisting(turn), [HIPS]) < 0.5
    assert 4.0 < off(Build(wide=4.0), twisting(turn), [HIPS]) < 12.0
    assert off(Build(wide=4.0), twisting(turn), LEGS) < 0.3


@pytest.mark.parametrize("wide", [1.2, 2.0, 4.0])
def test_legs_on_wide_hips_point_where_the_dancers_do_in_a_slow_twist(wide):
    turn = about("y", 0.5 * np.sin(2 * np.pi * np.arange(150) / 240))
    assert off(Build(wide=wide), twisting(turn), LEGS) < 1.0


@pytest.mark.parametrize(("wide", "most"), [(1.2, 0.5), (1.7, 1.0), (4.0, 2.0)])
def test_hips_go_around_the_foot_on_which_the_dancer_pivots(wide, most):
    """By a quarter turn, in less than half a second. The other foot is free."""
    turn = about("y", 0.8 * (1 + np.tanh((np.arange(150) - 75) / 6)))
    away = np.tile(OFFSETS[JOINTS.index("left_hip")], (150, 1))
    root = np.array((0.0, 0.9, 0.0)) + away - quat.rotate(turn, away)  # the left hip stays where it is
    stands = np.tile((True, True, False, False), (150, 1))
    dance = replace(twisting(turn), root=root, stands=stands)
    assert off(Build(wide=wide), dance, LEGS[:2]) < most


def test_hips_go_with_the_leg_that_stands():
    """It bends and straightens, with a thigh that is half as long again as the shin; the other leg is raised."""
    bend = 0.35 + 0.25 * np.sin(4.0 * TIME)
    rotations = np.tile(np.array(quat.IDENTITY), (FRAMES, 22, 1))
    for joint, angle in (("hip", -bend), ("knee", 2 * bend), ("ankle", -bend)):
        rotations[:, JOINTS.index(f"left_{joint}")] = about("x", angle)
    for joint, angle in (("hip", -1.2), ("knee", 1.4)):
        rotations[:, JOINTS.index(f"right_{joint}")] = about("x", np.full(FRAMES, angle))
    root = np.stack((0 * bend, 0.95 - 0.8 * (1 - np.cos(bend)), 0 * bend), axis=-1)
    dance = retarget.Dance(rotations, root, np.tile((True, True, False, False), (FRAMES, 1)))
    build = Build(thigh=1.2, shin=0.8)
    assert off(build, dance, LEGS) < 4.0
    ankle = danced(build, dance)[0][:, JOINTS.index("left_ankle"), :3, 3]
    assert np.abs(np.diff(ankle, axis=0)).max() < 1e-4


@pytest.mark.parametrize("way", [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)], ids=["along the leg", "aside"])
@pytest.mark.parametrize("bent", [60.0, 90.0])
def test_stiffness_says_how_much_thigh_and_shin_turn(way, bent):
    """With a knee that is bent by so many degrees."""
    aside, down = 0.42 * np.sin(np.radians(bent / 2)), 0.42 * np.cos(np.radians(bent / 2))
    hip, knee, ankle = (np.array(at)[None] for at in ((0.0, 0.0, 0.0), (0.0, -aside, -down), (0.0, 0.0, -2 * down)))
    upright = np.array(quat.IDENTITY)[None]
    leg, moved = feet.Leg(hip, knee, ankle, upright, upright), 1e-4 * np.array(way)
    found = np.sqrt(moved @ hips.stiffness(leg, 1.0)[0] @ moved)
    thigh, shin = leg.reaching(ankle + moved)
    for turn in (thigh, shin):
        np.testing.assert_allclose(np.linalg.norm(quat.to_vector(turn)), found, rtol=0.1)


def test_hips_that_are_little_wider_turn_as_ours():
    turns = swaying()
    np.testing.assert_array_equal(hips.steadied(turns, 1.04), turns)


def test_hips_of_any_width_bow_as_ours():
    turns = about("x", 0.8 * np.sin(8.0 * TIME))
    assert degrees_between(hips.steadied(turns, 4.0), turns).max() < 1e-4


def test_the_slow_turn_of_the_body_stays():
    turns = about("z", 0.3 * np.arange(500) / 30.0)
    assert degrees_between(hips.steadied(turns, 4.0), turns)[200:300].max() < 0.5


def test_a_body_that_spins_or_lies_on_its_side_keeps_its_hips():
    spin = about("z", np.pi * (1 + np.tanh(6.0 * (TIME - 2.0))))  # once around, in half a second
    steadied = hips.steadied(spin, 4.0)
    assert degrees_between(steadied, spin).max() < 46.0
    assert degrees_between(steadied[1:], steadied[:-1]).max() < degrees_between(spin[1:], spin[:-1]).max() + 1.0
    lying = about("y", np.full(FRAMES, np.pi / 2))
    assert degrees_between(hips.steadied(lying, 4.0), lying).max() < 1e-3

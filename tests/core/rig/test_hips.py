"""Hips of rigs that are much wider than ours. The oracle is the forward kinematics of the rig."""

from __future__ import annotations

import numpy as np
import pytest

from core.rig import hips, retarget
from core.rig import quaternion as quat
from core.rig.skeleton import JOINTS
from tests.core.rig.characters import Build
from tests.core.rig.test_feet import danced

FRAMES = 120
TIME = np.arange(FRAMES) / 30.0
LEFT = np.array((1.0, 0.0, 0.0))


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


def legs_and_hips(wide: float, axis: str) -> tuple[float, float]:
    """Degrees by which legs and hips of a rig with such hips are off those of a dancer whose pelvis twists ("z") or
    tilts ("y") quickly while the feet stand and the legs hang."""
    turn = about({"z": "y", "y": "z"}[axis], 0.2 * np.sin(2 * np.pi * np.arange(FRAMES) / 20))  # our y is up
    rotations = np.tile(np.array(quat.IDENTITY), (FRAMES, 22, 1))
    rotations[:, 0] = turn
    for side in ("left", "right"):  # a little bent, so that legs can give way
        for joint, bend in (("hip", -0.35), ("knee", 0.7), ("ankle", -0.35)):
            rotations[:, JOINTS.index(f"{side}_{joint}")] = about("x", np.full(FRAMES, bend))
        hip = JOINTS.index(f"{side}_hip")
        rotations[:, hip] = quat.mul(quat.conjugate(turn), rotations[:, hip])
    root = np.tile((0.0, 0.9, 0.0), (FRAMES, 1))
    dance = retarget.Dance(rotations, root, np.ones((FRAMES, 4), dtype=bool))
    (matrices, _), (ours, _) = danced(Build(wide=wide), dance), danced(Build(), dance)
    thigh, wanted = (at[:, 4, :3, 3] - at[:, 1, :3, 3] for at in (matrices, ours))
    line, level = (at[:, 1, :3, 3] - at[:, 2, :3, 3] for at in (matrices, ours))
    off = (np.arccos((quat.unit(a) * quat.unit(b)).sum(-1).clip(-1, 1)) for a, b in ((thigh, wanted), (line, level)))
    legs, between = (float(np.degrees(one.max())) for one in off)
    return legs, between


@pytest.mark.parametrize("axis", "zy")
def test_very_wide_hips_turn_less_so_that_legs_stay_where_the_dancers_are(axis):
    (legs, between), (wide_legs, wide_between) = legs_and_hips(1.04, axis), legs_and_hips(4.0, axis)
    assert between < 0.1 and 4.0 < wide_between < 12.0
    assert legs < 3.0 and wide_legs < 1.5 * legs + 1.0


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
    assert degrees_between(steadied, spin).max() < 41.0
    assert degrees_between(steadied[1:], steadied[:-1]).max() < degrees_between(spin[1:], spin[:-1]).max() + 1.0
    lying = about("y", np.full(FRAMES, np.pi / 2))
    assert degrees_between(hips.steadied(lying, 4.0), lying).max() < 1e-3

"""Dances on floors that are not level. The oracle is the equation of the floor and the kinematics of the rig."""

from __future__ import annotations

import numpy as np
import pytest

from core.rig import proportions, retarget
from core.rig import quaternion as quat
from core.rig.skeleton import JOINTS, PARENTS
from tests.core.rig.characters import Build, places
from tests.core.rig.test_feet import ANKLES, DANCE, FEET, FPS, TOES, in_our_places, some_build
from tests.core.rig.test_retarget import rig, shown

SLOPE = 0.25  # of about 14 degrees
WAYS = {"along": (SLOPE, 0.0), "across": (0.0, SLOPE), "down and across": (-0.15, 0.2)}


def slope(way):
    return retarget.Ground(relief=lambda at: at @ np.array(way))


def some_rig(build: Build):
    at = places(build)
    return rig({joint: proportions.to_blender(at[name]) for joint, name in enumerate(JOINTS)}, dict(enumerate(PARENTS)))


def danced(ground, build: Build):
    bones = some_rig(build)
    return shown(retarget.keys(DANCE, bones, ground), bones), bones


def size_of(build: Build) -> float:
    return (build.thigh + build.shin) / 2


def test_a_floor_that_is_level_changes_nothing():
    level, _ = danced(retarget.Ground(0.7), Build())
    relief, _ = danced(retarget.Ground(0.7, lambda at: np.zeros(len(at))), Build())
    np.testing.assert_allclose(relief, level, atol=1e-6)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_standing_feet_stand_on_a_slope_and_do_not_slide(way, seed):
    build = Build() if seed is None else some_build(seed)
    matrices, _ = danced(slope(way), build)
    level, _ = danced(retarget.LEVEL, build)
    normal = np.array((-way[0], -way[1], 1.0)) / np.sqrt(1.0 + way[0] ** 2 + way[1] ** 2)
    for side in range(2):
        stands, both = FEET[:, side], FEET[1:, side] & FEET[:-1, side]
        for joint in (ANKLES[side], TOES[side]):
            here, flat = matrices[:, joint, :3, 3], level[:, joint, :3, 3]
            np.testing.assert_allclose((here @ normal)[stands], flat[stands, 2], atol=0.004 * size_of(build))
            slides, slid = (np.linalg.norm(np.diff(at, axis=0), axis=-1)[both] for at in (here, flat))
            assert slides.max() < slid.max() + 5e-4, "metres a frame"
        turns = (quat.orientation(one[:, ANKLES[side], :3, :3]) for one in (matrices, level))
        now, before = turns
        turned = quat.rotate(quat.mul(now, quat.conjugate(before)), np.array((0.0, 0.0, 1.0)))
        np.testing.assert_allclose(turned[stands], np.tile(normal, (stands.sum(), 1)), atol=1e-5)


def test_nothing_jerks_on_a_slope():
    """No joint is accelerated much more than on the level."""
    fastest = []
    for ground in (retarget.LEVEL, slope((0.15, 0.2))):
        matrices, _ = danced(ground, Build())
        fastest.append(np.linalg.norm(np.diff(matrices[:, :, :3, 3], 2, axis=0), axis=-1).max() * FPS**2)
    assert fastest[1] < 1.3 * fastest[0], fastest


def test_over_a_step_feet_are_above_the_floor():
    """At the edge of a stage some stands are on it, some are not, and none of the feet goes through it."""
    edge, height = 0.05, 0.12
    ground = retarget.Ground(relief=lambda at: np.where(at[:, 0] > edge, height, 0.0))
    matrices, bones = danced(ground, Build())
    at_rest = {bone.joint: bone.head[2] for bone in bones}
    stood = set()
    for side in range(2):
        ankle, toe = (matrices[:, joint, :3, 3] for joint in (ANKLES[side], TOES[side]))
        sole = (ankle + toe)[:, :2] / 2
        floor = np.where(sole[:, 0] > edge, height, 0.0)
        above = np.minimum(ankle[:, 2] - at_rest[ANKLES[side]], toe[:, 2] - at_rest[TOES[side]])
        clear = np.abs(sole[:, 0] - edge) > 0.02
        assert (above - floor)[clear].min() > -0.02
        stood |= {*np.round(above[FEET[:, side]], 1)}
    assert {0.0, 0.1} <= stood


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_it_comes_back_as_it_was_on_the_level(way):
    matrices, bones = danced(slope(way), Build())
    rotations, root = retarget.motion(matrices, bones, FPS, slope(way))
    found, wanted = (in_our_places(*one)[1] for one in ((rotations, root), (DANCE.rotations, DANCE.root)))
    assert np.linalg.norm(found - wanted, axis=-1).max() < 0.01, "a centimetre"

"""Dances on floors that are not level. The oracle is the equation of the floor and the kinematics of the rig."""

from __future__ import annotations

import numpy as np
import pytest

from core.rig import proportions, retarget
from core.rig import quaternion as quat
from core.rig.skeleton import JOINTS, PARENTS, REST_HEIGHT
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


@pytest.mark.parametrize("rise", [-0.4, 0.4], ids=["down", "up"])
def test_hips_sink_where_straight_legs_would_not_reach_the_slope(rise):
    """A body that stands still on straight legs, soles flat: both feet are as near to the plane as to the floor."""
    frames = 30
    still = np.zeros((frames, len(JOINTS), 4))
    still[..., 0] = 1.0
    root = np.tile((0.0, REST_HEIGHT, 0.0), (frames, 1))
    bones = some_rig(Build())
    dance = retarget.Dance(still, root, np.ones((frames, 4), dtype=bool))
    here, flat = (shown(retarget.keys(dance, bones, ground), bones) for ground in (slope((0.0, rise)), retarget.LEVEL))
    normal = np.array((0.0, -rise, 1.0)) / np.hypot(rise, 1.0)
    for joint in (*ANKLES, *TOES):
        np.testing.assert_allclose(here[:, joint, :3, 3] @ normal, flat[:, joint, 2, 3], atol=0.002)


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


def test_a_foot_in_the_air_is_lifted_over_a_post():
    """The post stands under the left foot's way through the air, where no foot stands, and is higher than its step."""
    height, radius = 0.2, 0.1
    flat, bones = danced(retarget.LEVEL, Build())
    soles = [(flat[:, ankle, :2, 3] + flat[:, toe, :2, 3]) / 2 for ankle, toe in zip(ANKLES, TOES, strict=True)]
    stood = np.concatenate([sole[FEET[:, side]] for side, sole in enumerate(soles)])
    away = np.linalg.norm(soles[0][:, None] - stood, axis=-1).min(axis=1)
    spot = soles[0][np.argmax(away * ~FEET[:, 0])]

    def post(at: np.ndarray) -> np.ndarray:
        return height * (np.linalg.norm(at - spot, axis=-1) < radius)

    matrices, _ = danced(retarget.Ground(relief=post), Build())
    at_rest = {bone.joint: bone.head[2] for bone in bones}
    ankle, toe = (matrices[:, joint, :3, 3] for joint in (ANKLES[0], TOES[0]))
    above = np.minimum(ankle[:, 2] - at_rest[ANKLES[0]], toe[:, 2] - at_rest[TOES[0]])
    over = post((ankle + toe)[:, :2] / 2) > 0
    assert over.sum() > 5 and (above[over] > height - 0.005).all()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_it_comes_back_as_it_was_on_the_level(way):
    matrices, bones = danced(slope(way), Build())
    rotations, root = retarget.motion(matrices, bones, FPS, slope(way))
    found, wanted = (in_our_places(*one)[1] for one in ((rotations, root), (DANCE.rotations, DANCE.root)))
    assert np.linalg.norm(found - wanted, axis=-1).max() < 0.01, "a centimetre"

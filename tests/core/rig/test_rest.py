"""How bodies stand at rest. The oracle is our own body, turned, bent and hung otherwise by known rotations."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import FootlightError
from core.rig import proportions, rest
from core.rig import quaternion as quat
from core.rig.skeleton import BODY, JOINTS, PARENTS, standing


def about(axis, degrees):
    half = np.radians(degrees) / 2
    return np.concatenate(([np.cos(half)], np.sin(half) * np.eye(3)["xyz".index(axis)]))


def posed(**local):
    """World rotations and places by name of our body with some joints turned."""
    turns, places = [], []
    for joint, name in enumerate(JOINTS):
        parent, turn = PARENTS[joint], np.array(local.get(name, quat.IDENTITY))
        turns.append(turn if parent < 0 else quat.mul(turns[parent], turn))
        at = BODY.offsets[joint]
        places.append(at if parent < 0 else places[parent] + quat.rotate(turns[parent], at))
    return dict(zip(JOINTS, turns, strict=True)), dict(zip(JOINTS, places, strict=True))


def same(found, known, atol=1e-9):
    np.testing.assert_allclose(np.abs(np.sum(found * known, axis=-1)), 1.0, atol=atol)


@pytest.mark.parametrize("degrees", [(0, 0), (90, 0), (0, 180), (-90, 90)])
def test_a_rig_on_other_axes_is_stood_up(degrees):
    """Quarter turns about x and then z: files with y up, characters that face backwards or sideways."""
    places = proportions.to_blender(standing())
    shift = np.array((0.01, -0.02, 0.03))
    turned = quat.rotate(quat.mul(about("z", degrees[1]), about("x", degrees[0])), places) + shift
    stood = (turned - shift) @ proportions.upright(dict(zip(JOINTS, turned, strict=True))).T
    np.testing.assert_allclose(stood, places, atol=1e-12)


def test_sloppy_hips_are_no_heading_and_a_quarter_of_a_right_angle_is_one():
    _, places = posed()
    places["left_hip"] = places["left_hip"] + (0.0, 0.0, 0.02)
    np.testing.assert_array_equal(rest.upright(places), np.eye(3))
    heading = about("y", 35)
    turned = {name: quat.rotate(heading, place) for name, place in posed()[1].items()}
    np.testing.assert_allclose(rest.upright(turned), quat.rotate(heading, np.eye(3)), atol=1e-9)
    same(rest.axes(turned), heading)


@pytest.mark.parametrize("degrees", [1, 5, 12, 19, 35, 44, 46, 80, -15])
def test_a_body_that_was_turned_faces_where_it_faces(degrees):
    """Hips and shoulders agree, so no axis is the heading."""
    heading = about("y", degrees)
    turned = {name: quat.rotate(heading, place) for name, place in posed()[1].items()}
    np.testing.assert_allclose(rest.upright(turned), quat.rotate(heading, np.eye(3)), atol=1e-9)


@pytest.mark.parametrize(("axis", "degrees"), [("x", 30), ("x", -55), ("z", 40), ("z", -15)])
def test_a_straight_body_that_leans_has_its_own_up(axis, degrees):
    lean = about(axis, degrees)
    leaning = {name: quat.rotate(lean, place) for name, place in posed()[1].items()}
    own = quat.rotate(lean, np.eye(3))
    assert np.abs(np.sum(rest.upright(leaning) * own, axis=-1)).min() > np.cos(np.radians(1.0))


def test_a_body_that_bends_stands_on_an_axis():
    """A hunched trunk over straight legs, and somebody who sits: the floor is below them."""
    for local in (
        {"spine1": about("x", 30)},
        {"left_hip": about("x", -90), "right_hip": about("x", -90), "left_knee": about("x", 90),
         "right_knee": about("x", 90)},
    ):  # fmt: skip
        _, places = posed(**local)
        np.testing.assert_allclose(rest.upright(places), np.eye(3), atol=1e-9)


def test_limbs_that_hang_are_turned_back():
    """Of an A-pose with bent elbows and straddled legs: to the T-pose exactly, whatever the body's axes."""
    hung = {
        "left_shoulder": about("z", -50), "right_shoulder": about("z", 35), "left_hip": about("z", 10),
        "left_elbow": about("y", -40),
    }  # fmt: skip
    turns, places = posed(**hung)
    own = about("x", 90)
    turns = {name: quat.mul(own, turn) for name, turn in turns.items()}
    places = {name: quat.rotate(own, place) for name, place in places.items()}
    joints = rest.Joints(*([{name: i for i, name in enumerate(JOINTS)}] * 2), (0, 3, 6, 9))
    pose = rest.Pose(np.stack(list(turns.values())), np.stack(list(places.values())))
    found, axes = rest.t_posed(joints, pose)
    same(axes, own)
    for name in JOINTS:
        same(found[name], own)
    for i in range(4):
        same(found[f"_spine{i}"], own)


def test_for_keys_each_bone_takes_its_own_shortest_way_and_feet_stay():
    _, places = posed(left_shoulder=about("z", -50), left_elbow=about("y", -40), left_hip=about("z", 10))
    found = rest.straighten(places, np.array(quat.IDENTITY), set(JOINTS), as_built=True)
    same(found["left_shoulder"], about("z", 50))
    forearm = places["left_wrist"] - places["left_elbow"]
    same(found["left_elbow"], quat.between(forearm, np.array((1.0, 0.0, 0.0))))
    same(found["left_wrist"], found["left_elbow"])
    same(found["left_hip"], about("z", -10))
    assert not {"left_ankle", "left_foot", "spine1"} & found.keys()


def test_a_body_without_width_is_refused():
    flat = {name: place * (0, 1, 1) for name, place in posed()[1].items()}
    with pytest.raises(FootlightError, match="no width"):
        rest.axes(flat)

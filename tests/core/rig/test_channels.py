"""Rotations as a bone's channels. The oracle is scipy's, which knows Euler angles of every order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from core.rig import channels
from core.rig import quaternion as quat

MODES = (channels.QUATERNION, channels.AXIS_ANGLE, *channels.ORDERS)
FRAMES = 80


def turning(seed: int, speed: float) -> np.ndarray:
    """Rotations (t, 4) that turn by at most ``speed`` radians a frame, about axes that change, with any signs."""
    generator = np.random.default_rng(seed)
    axes = np.cumsum(generator.normal(size=(FRAMES, 3)), axis=0)
    steps = speed * generator.uniform(0, 1, (FRAMES, 1)) * quat.unit(axes)
    found = [quat.unit(generator.normal(size=4))]
    for step in Rotation.from_rotvec(steps[1:]).as_quat(scalar_first=True):
        found.append(quat.mul(step, found[-1]))
    return np.array(found) * generator.choice((-1.0, 1.0), (FRAMES, 1))


def same(a: np.ndarray, b: np.ndarray) -> None:
    np.testing.assert_allclose(np.abs(np.sum(quat.unit(a) * quat.unit(b), axis=-1)), 1.0, atol=1e-12)


@pytest.mark.parametrize("order", channels.ORDERS)
def test_euler_angles_are_read_as_they_are_elsewhere(order):
    angles = np.random.default_rng(0).uniform(-7, 7, (FRAMES, 3))
    by_order = angles[:, ["XYZ".index(letter) for letter in order]]
    known = Rotation.from_euler(order.lower(), by_order).as_quat(scalar_first=True)
    same(channels.rotations(angles, order), known)


def test_axis_and_angle_are_read_as_they_are_elsewhere():
    found = np.random.default_rng(0).normal(size=(FRAMES, 4))
    known = Rotation.from_rotvec(found[:, :1] * quat.unit(found[:, 1:])).as_quat(scalar_first=True)
    same(channels.rotations(found, channels.AXIS_ANGLE), known)


@settings(max_examples=60)
@given(st.integers(0, 2**31), st.floats(0.001, 0.3), st.sampled_from(MODES))
def test_channels_stand_for_the_rotations_and_do_not_jump(seed, speed, mode):
    turns = turning(seed, speed)
    found = channels.of(turns, mode)
    same(channels.rotations(found, mode), turns)
    steps = np.abs(np.diff(found, axis=0))
    if mode == channels.QUATERNION:
        assert steps.max() <= speed / 2 + 1e-9, "no sign flips"
    elif mode in channels.ORDERS:
        middle = found[:, "XYZ".index(mode[1])]
        near = np.abs(np.cos(middle))
        slow = np.minimum(near[1:], near[:-1]) > 2 * speed
        assert steps.max() <= np.pi
        assert steps[slow].max(initial=0.0) < 1.0, "far from where angles lock, they turn as slowly as the bone"
    else:
        assert steps[:, 0].max() <= np.pi


@pytest.mark.parametrize("order", channels.ORDERS)
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_angles_run_on_through_the_place_where_two_of_them_lock(order, way):
    i, j, _ = ("XYZ".index(letter) for letter in order)
    angles = np.zeros((101, 3))
    angles[:, j] = way * np.linspace(0, np.pi, 101)
    angles[:, i] = 0.3
    found = channels.of(channels.rotations(angles, order), order)
    np.testing.assert_allclose(found, angles, atol=1e-6)


@pytest.mark.parametrize("order", channels.ORDERS)
def test_angles_run_on_while_two_of_them_are_locked(order):
    """Only the sum of the first and the last is known there, and both go evenly as they come from the sides."""
    i, j, k = ("XYZ".index(letter) for letter in order)
    angles = np.zeros((61, 3))
    angles[:, i], angles[:, k] = np.linspace(0.4, 0.7, 61), np.linspace(-0.2, 0.3, 61)
    angles[:, j] = np.pi / 2 - 0.05 * np.clip(np.abs(np.arange(61) - 30) - 10, 0, None)
    found = channels.of(channels.rotations(angles, order), order)
    np.testing.assert_allclose(found, angles, atol=1e-6)


def test_a_bone_that_stays_where_angles_lock():
    turns = np.tile(channels.rotations(np.array([[0.4, np.pi / 2, 0.0]]), "XYZ"), (10, 1))
    found = channels.of(turns, "XYZ")
    np.testing.assert_allclose(found, [[0.4, np.pi / 2, 0.0]] * 10, atol=1e-6)

"""What a rig does not show of its dance is added to what is read from it."""

from __future__ import annotations

import numpy as np
import pytest

from core.rig import quaternion as quat
from core.rig.residual import Residual
from core.rig.skeleton import JOINTS

FRAMES = 30
KNEE, ELBOW, HEAD = (JOINTS.index(name) for name in ("left_knee", "left_elbow", "head"))


def moving(seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return quat.unit(generator.normal(size=(FRAMES, 22, 4))), generator.normal(size=(FRAMES, 3))


def same(found: np.ndarray, known: np.ndarray) -> None:
    np.testing.assert_allclose(np.abs((found * known).sum(axis=-1)), 1.0, atol=1e-9)


def test_what_was_read_and_the_residual_are_the_motion():
    (rotations, root), (read, place) = moving(0), moving(1)
    found, at = Residual.between(rotations, root, read, place).added(read, place)
    same(found, rotations)
    np.testing.assert_allclose(at, root)


def test_joints_that_are_read_as_they_are_have_none():
    rotations, root = moving(0)
    read = rotations.copy()
    read[:, KNEE] = quat.mul(read[:, KNEE], quat.from_vector(np.array((0.3, 0.0, 0.0))))
    residual = Residual.between(rotations, root, read, root)
    assert residual.turns.keys() == {KNEE} and not residual.root.any()
    np.testing.assert_allclose(residual.turns[KNEE], np.tile((-0.3, 0.0, 0.0), (FRAMES, 1)), atol=1e-9)


def test_frames_between_and_beyond():
    line = np.arange(FRAMES)[:, None] * np.array((0.01, 0.0, -0.02))
    found = Residual({KNEE: line}, line).at(np.array((-3.0, 4.5, 99.0)))
    expected = np.array((0.0, 4.5, FRAMES - 1.0))[:, None] * np.array((0.01, 0.0, -0.02))
    np.testing.assert_allclose(found.turns[KNEE], expected)
    np.testing.assert_allclose(found.root, expected)


@pytest.mark.parametrize("joints", [(KNEE,), (0, KNEE, ELBOW)])
def test_an_edit_brings_the_residual_of_what_it_makes(joints):
    one, two = (np.full((FRAMES, 3), value) for value in (0.1, 0.2))
    found = Residual({KNEE: one, HEAD: one}, one).replaced(Residual({ELBOW: two}, two), 10, 20, joints)
    inside = np.zeros(FRAMES, dtype=bool)
    inside[10:20] = True
    np.testing.assert_allclose(found.turns[KNEE], np.where(inside[:, None], 0.0, one))
    np.testing.assert_array_equal(found.turns[HEAD], one)
    elbow = found.turns.get(ELBOW, np.zeros((FRAMES, 3)))
    np.testing.assert_allclose(elbow, np.where(inside[:, None] & (ELBOW in joints), two, 0.0))
    np.testing.assert_allclose(found.root, np.where(inside[:, None] & (0 in joints), two, one))


def test_it_is_packed_as_text():
    generator = np.random.default_rng(2)
    residual = Residual({KNEE: generator.normal(size=(FRAMES, 3)) * 0.2}, generator.normal(size=(FRAMES, 3)))
    found = Residual.unpacked(residual.packed())
    assert found.turns.keys() == {KNEE}
    np.testing.assert_allclose(found.turns[KNEE], residual.turns[KNEE], atol=3e-4)
    np.testing.assert_allclose(found.root, residual.root, atol=1e-6)

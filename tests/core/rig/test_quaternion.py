"""Rotations in numpy. The oracle is the engine's own, in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.motion import rotation
from core.rig import quaternion as quat


@pytest.fixture
def some():
    generator = torch.Generator().manual_seed(0)
    a, b = (rotation.normalise(torch.randn(50, 4, generator=generator, dtype=torch.float64)) for _ in range(2))
    return a, b, torch.randn(50, 3, generator=generator, dtype=torch.float64)


def same(found, known):
    np.testing.assert_allclose(np.abs(np.sum(found * known, axis=-1)), 1.0, atol=1e-12)


def test_products(some):
    a, b, v = some
    np.testing.assert_allclose(quat.mul(a.numpy(), b.numpy()), rotation.mul(a, b).numpy(), atol=1e-12)
    np.testing.assert_allclose(quat.rotate(a.numpy(), v.numpy()), rotation.rotate(a, v).numpy(), atol=1e-12)
    np.testing.assert_allclose(quat.conjugate(a.numpy()), rotation.conjugate(a).numpy())


def test_matrices(some):
    turns = some[0].numpy()
    matrices = rotation.to_matrix(some[0]).numpy()
    same(quat.from_matrix(matrices), turns)
    same(quat.orientation(matrices * 0.01), turns)
    same(quat.orientation(matrices @ np.diag((1.0, 3.0, 0.5))), turns)


def test_between(some):
    u, v = some[2][0].numpy(), some[2][1].numpy()
    same(quat.between(u, v), rotation.between(some[2][0], some[2][1]).numpy())
    for w in (v, -u, u, -3 * u):
        turned = quat.rotate(quat.between(u, w), u)
        np.testing.assert_allclose(turned / np.linalg.norm(turned), w / np.linalg.norm(w), atol=1e-9)
    np.testing.assert_array_equal(quat.between(np.zeros(3), u), quat.IDENTITY)


def test_continuous(some):
    flipped = some[0].numpy().copy()
    flipped[10:20] *= -1
    smooth = quat.continuous(np.stack((flipped, flipped), axis=1))
    assert (np.sum(smooth[1:] * smooth[:-1], axis=-1) >= 0).all()
    same(smooth[:, 0], flipped)


def test_vectors(some):
    turns = some[0].numpy()
    same(quat.from_vector(quat.to_vector(turns)), turns)
    np.testing.assert_allclose(quat.to_vector(turns), rotation.to_axis_angle(some[0]).numpy(), atol=1e-5)
    np.testing.assert_array_equal(quat.to_vector(np.array(quat.IDENTITY)), np.zeros(3))


def test_twist(some):
    axis = np.array((0.0, 0.0, 1.0))
    about = quat.from_vector(np.linspace(-3.0, 3.0, 50)[:, None] * axis)
    tilted = quat.from_vector(np.random.default_rng(0).normal(size=(50, 3)) * (0.5, 0.5, 0.0))
    same(quat.twist(quat.mul(tilted, about), axis), about)

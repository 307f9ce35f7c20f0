"""The body's numbers, and what trees of joints tell about themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.motion.skeleton import SMPL22
from core.rig.skeleton import BODY, JOINTS, PARENTS, TIPS, Skeleton, standing

OFFSETS = np.array([
    (0.0, 0.0, 0.0), (0.085, -0.07, 0.0), (-0.085, -0.07, 0.0), (0.0, 0.11, -0.01), (0.0, -0.40, 0.0),
    (0.0, -0.40, 0.0), (0.0, 0.13, -0.005), (0.0, -0.40, 0.0), (0.0, -0.40, 0.0), (0.0, 0.06, 0.005),
    (0.0, -0.06, 0.13), (0.0, -0.06, 0.13), (0.0, 0.21, -0.01), (0.06, 0.12, -0.005), (-0.06, 0.12, -0.005),
    (0.0, 0.08, 0.02), (0.115, 0.03, 0.005), (-0.115, 0.03, 0.005), (0.27, 0.0, 0.0), (-0.27, 0.0, 0.0),
    (0.25, 0.0, 0.0), (-0.25, 0.0, 0.0),
])  # fmt: skip
"""Dances and models were made with these lengths."""


def test_the_body_is_the_one_that_models_were_trained_with():
    np.testing.assert_array_equal(BODY.offsets, OFFSETS)
    assert PARENTS == (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
    assert (SMPL22.names, SMPL22.parents) == (JOINTS, PARENTS)
    assert SMPL22.offsets.dtype == torch.float32
    assert torch.equal(SMPL22.offsets, torch.tensor(OFFSETS, dtype=torch.float32))
    assert SMPL22.tips.keys() == TIPS.keys()
    assert torch.equal(SMPL22.tips["right_wrist"], torch.tensor((-0.18, 0.0, 0.0)))


def test_it_stands_on_the_floor():
    places = dict(zip(JOINTS, standing(), strict=True))
    np.testing.assert_allclose(places["pelvis"], (0.0, 0.95, 0.0))
    np.testing.assert_allclose(places["left_foot"], (0.085, 0.02, 0.13), atol=1e-12)
    np.testing.assert_allclose(places["right_wrist"], (-0.695, 1.40, -0.01), atol=1e-12)
    np.testing.assert_allclose(SMPL22.rest_positions() + torch.tensor((0.0, 0.95, 0.0)), standing(), atol=1e-6)


@pytest.mark.parametrize("array", [np.array, torch.tensor])
def test_trees_of_numpy_and_of_torch(array):
    offsets = array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0], [5.0, 0.0, 0.0]])
    tree = Skeleton(("a", "b", "c", "other"), (-1, 0, 1, -1), offsets)
    np.testing.assert_array_equal(tree.rest_positions(), [[1, 0, 0], [1, 1, 0], [1, 1, 2], [5, 0, 0]])
    np.testing.assert_array_equal(tree.offsets, offsets)
    assert tree.ancestors(2) == [2, 1, 0] and tree.ancestors(3) == [3]
    assert tree.children(0) == (1,) and tree.levels() == ((0, 3), (1,), (2,))

import numpy as np
import torch
from scipy.linalg import fractional_matrix_power

from core.motion.kinematics import forward
from core.motion.skeleton import SMPL22
from core.theatre.motion import GraphConv, MotionEncoder, normalised_adjacency
from core.theatre.slices import Slicing, motion_rows


def dense() -> np.ndarray:
    """D^-1/2 A D^-1/2 by matrix functions, from the edges."""
    a = np.eye(22)
    for child, parent in enumerate(SMPL22.parents):
        if parent >= 0:
            a[child, parent] = a[parent, child] = 1
    root = fractional_matrix_power(np.diag(a.sum(axis=1)), -0.5)
    return root @ a @ root


def test_the_adjacency_is_normalised_on_both_sides():
    np.testing.assert_allclose(normalised_adjacency(SMPL22.parents).numpy(), dense(), atol=1e-6)
    assert np.linalg.eigvalsh(dense()).max() < 1 + 1e-9  # so that propagation does not blow up


def test_a_propagation_is_that_of_the_formula():
    torch.manual_seed(0)
    layer, h = GraphConv(3, 5), torch.randn(2, 4, 22, 3)
    w, b = (p.detach().double().numpy() for p in (layer.weight.weight, layer.weight.bias))
    expected = np.einsum("ij,btjc->btic", dense(), h.double().numpy() @ w.T + b)
    np.testing.assert_allclose(layer(h).detach().numpy(), expected, atol=1e-5)


def test_a_joint_is_told_of_its_neighbours_alone():
    layer, h = GraphConv(1, 1), torch.zeros(22, 1)
    h[SMPL22.index("left_wrist")] = 1
    with torch.no_grad():
        layer.weight.weight.fill_(1)
        layer.weight.bias.zero_()
        reached = {SMPL22.names[i] for i in layer(h)[:, 0].nonzero()[:, 0].tolist()}
    assert reached == {"left_elbow", "left_wrist"}


def test_motion_becomes_one_vector_a_slice(shape, swaying):
    motion, slicing = swaying(50), Slicing.of(shape)
    rows = motion_rows(forward(motion.rotations, motion.root), motion.fps, slicing)
    assert rows.shape == (50 // slicing.moves, slicing.moves * 220)
    torch.manual_seed(0)
    encoder = MotionEncoder(shape.theatre, slicing)
    vectors = encoder(rows[None])
    assert vectors.shape == (1, len(rows), shape.theatre.width) and bool(vectors.isfinite().all())
    changed = rows.clone()
    changed[3] += 1
    assert float((encoder(changed[None]) - vectors).detach()[0, 3].abs().max()) > 1e-3

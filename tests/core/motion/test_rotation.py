import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation, Slerp
from torch.autograd import gradcheck

from core.motion import rotation

ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


def scipy_of(q: torch.Tensor) -> Rotation:
    return Rotation.from_quat(q.reshape(-1, 4)[:, [1, 2, 3, 0]].numpy())


@pytest.fixture
def some():
    generator = torch.Generator().manual_seed(1)
    return rotation.normalise(torch.randn(2, 500, 4, generator=generator, dtype=torch.float64))


def test_algebra_agrees_with_scipy(some):
    a, b = some
    v = torch.randn(500, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    A, B = scipy_of(a), scipy_of(b)
    np.testing.assert_allclose(rotation.to_matrix(rotation.mul(a, b)), (A * B).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(rotation.rotate(a, v), A.apply(v.numpy()), atol=1e-12)
    np.testing.assert_allclose(rotation.to_axis_angle(a), A.as_rotvec(), atol=1e-9)
    np.testing.assert_allclose(
        rotation.to_matrix(rotation.from_axis_angle(v)), Rotation.from_rotvec(v).as_matrix(), atol=1e-12
    )
    np.testing.assert_allclose(
        rotation.to_matrix(rotation.from_matrix(torch.from_numpy(A.as_matrix()))), A.as_matrix(), atol=1e-12
    )
    np.testing.assert_allclose(rotation.angle(a, b), (A.inv() * B).magnitude(), atol=1e-9)
    np.testing.assert_allclose(rotation.to_6d(a), A.as_matrix()[..., :2].swapaxes(1, 2).reshape(-1, 6), atol=1e-12)


def test_slerp_agrees_with_scipy(some):
    a, b = some[0, :20], some[1, :20]
    for share in (0.0, 0.3, 1.0):
        ours = rotation.to_matrix(rotation.slerp(a, b, share))
        for i in range(20):
            theirs = Slerp([0, 1], scipy_of(torch.stack((a[i], b[i]))))([share])
            np.testing.assert_allclose(ours[i], theirs.as_matrix()[0], atol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_orders_agree_with_scipy(order, some):
    q = some[0]
    angles = rotation.to_euler(q, order)
    np.testing.assert_allclose(angles, scipy_of(q).as_euler(order), atol=1e-6)
    there = rotation.to_matrix(rotation.from_euler(angles, order))
    np.testing.assert_allclose(there, Rotation.from_euler(order, angles.numpy()).as_matrix(), atol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("pole", (-math.pi / 2, math.pi / 2))
def test_euler_angles_are_exact_in_gimbal_lock(order, pole):
    angles = torch.tensor([[0.7, pole, -0.4], [0.0, pole, 0.0], [-2.0, pole + 1e-9, 1.0]], dtype=torch.float64)
    q = rotation.from_euler(angles, order)
    back = rotation.from_euler(rotation.to_euler(q, order), order)
    assert rotation.angle(q, back).max() < 1e-7


def test_unwrapped_euler_angles_follow_several_turns_without_a_jump():
    time = torch.linspace(0, 1, 400, dtype=torch.float64)
    angles = torch.stack((9 * time, 5 * time - 2, -20 * time), -1)  # the middle angle passes through +90 degrees
    q = rotation.from_euler(angles, "ZXY")
    unwrapped = rotation.unwrap_euler(rotation.to_euler(q, "ZXY"))
    assert rotation.angle(rotation.from_euler(unwrapped, "ZXY"), q).max() < 1e-7
    assert unwrapped.diff(dim=0).abs().max() < 0.06


def test_signs_become_continuous_and_rotations_stay(some):
    time = torch.linspace(0, 12, 300, dtype=torch.float64)
    q = rotation.about("x", time) * torch.where(torch.arange(300) % 7 < 3, -1.0, 1.0)[:, None]
    smooth = rotation.continuous(q)
    assert smooth.diff(dim=0).abs().max() < 0.05
    assert rotation.angle(q, smooth).max() < 1e-7


def test_yaw_is_the_twist_about_the_vertical():
    yaw = torch.linspace(-3, 3, 50, dtype=torch.float64)
    tilt = rotation.from_axis_angle(torch.tensor([0.8, 0.0, -0.5], dtype=torch.float64))
    np.testing.assert_allclose(rotation.yaw(rotation.mul(rotation.about("y", yaw), tilt)), yaw, atol=1e-12)
    upside_down = rotation.about("x", torch.tensor(math.pi, dtype=torch.float64))
    assert rotation.yaw(upside_down) == 0


@pytest.mark.parametrize("dtype", (torch.float32, torch.float64))
def test_between_turns_any_direction_to_any_other(dtype):
    u = torch.tensor([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 2, 0], [1, 2, 3], [0, 0, 5]], dtype=dtype)
    v = torch.tensor([[1, 0, 0], [-1, 0, 0], [0, -3, 0], [0.001, 1, 0], [-3, 2, 1], [0, 1e-4, -1]], dtype=dtype)
    turned = rotation.rotate(rotation.between(u, v), u)
    cosine = torch.nn.functional.cosine_similarity(turned, v)
    assert (1 - cosine).max() < 1e-6
    assert torch.isfinite(rotation.between(torch.zeros(3), torch.zeros(3))).all()


def test_gradients_are_right_at_the_identity_and_elsewhere():
    zero = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(rotation.from_axis_angle, zero)
    generator = torch.Generator().manual_seed(3)
    v = torch.randn(4, 3, dtype=torch.float64, generator=generator).requires_grad_()
    assert gradcheck(lambda x: rotation.to_axis_angle(rotation.from_axis_angle(x)), v)
    assert gradcheck(lambda x: rotation.to_axis_angle(rotation.from_axis_angle(x)), zero)
    d = torch.randn(4, 6, dtype=torch.float64, generator=generator).requires_grad_()
    assert gradcheck(lambda x: rotation.to_matrix(rotation.from_6d(x)), d)
    u = torch.randn(4, 3, dtype=torch.float64, generator=generator).requires_grad_()
    assert gradcheck(rotation.between, (u, v))
    for f, at in (
        (lambda x: rotation.between(x, x.detach()), u.detach()),
        (lambda x: rotation.between(x, -x.detach()), u.detach()),
        (rotation.from_6d, torch.zeros(1, 6)),
        (rotation.from_6d, torch.ones(1, 6)),
        (lambda q: rotation.slerp(q, q.detach(), 0.5), rotation.identity(1)),
        (rotation.yaw, rotation.about("x", torch.tensor(math.pi))),
        (rotation.normalise, torch.zeros(1, 4)),
    ):
        x = at.clone().requires_grad_()
        f(x).sum().backward()
        assert torch.isfinite(x.grad).all()


def test_six_numbers_of_any_kind_give_a_rotation():
    bad = torch.tensor(
        [[0, 0, 0, 0, 0, 0], [1, 0, 0, 2, 0, 0], [0, 0, 0, 0, 1, 0], [1e-9, 0, 0, 0, 0, 1e-9], [3, 1, 2, -3, -1, -2.0]]
    )
    m = rotation.to_matrix(rotation.from_6d(bad))
    np.testing.assert_allclose(m @ m.transpose(-1, -2), torch.eye(3).expand_as(m), atol=1e-5)
    np.testing.assert_allclose(torch.linalg.det(m), 1, atol=1e-5)

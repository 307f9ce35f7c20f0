import torch

from core.motion.dynamics import DYNAMICS, MASS, angular_momentum, centre_of_mass, dynamics, kinetic_energy, velocity
from core.motion.skeleton import SMPL22
from core.rig.skeleton import standing

BODY = torch.from_numpy(standing())


def turning(rate: float, frames: int, fps: float) -> torch.Tensor:
    """A stiff body (t, 22, 3) that turns about the vertical through its centre of mass, radians a second."""
    arm = BODY - centre_of_mass(BODY)
    angle = rate * torch.arange(frames, dtype=torch.float64) / fps
    x = arm[:, 0] * angle.cos()[:, None] + arm[:, 2] * angle.sin()[:, None]
    z = arm[:, 2] * angle.cos()[:, None] - arm[:, 0] * angle.sin()[:, None]
    return torch.stack([x, arm[:, 1].expand_as(x), z], dim=-1)


def test_the_masses_are_those_of_one_body():
    assert abs(float(MASS.sum()) - 1) < 1e-6 and bool((MASS > 0).all())
    for name in SMPL22.names:
        if name.startswith("left_"):
            assert MASS[SMPL22.index(name)] == MASS[SMPL22.index(name.replace("left_", "right_"))]


def test_a_turning_body_has_the_momentum_and_energy_of_mechanics():
    rate, fps = 2.0, 500.0
    positions = turning(rate, 11, fps)
    x, y, z = (positions[5] - centre_of_mass(positions[5])).unbind(dim=1)
    mass = MASS.double()
    inertia = (mass * (x**2 + z**2)).sum()  # about the vertical
    speed = velocity(positions, fps)
    momentum = angular_momentum(positions, speed)[5].sum(dim=0)
    expected = rate * torch.stack([-(mass * x * y).sum(), inertia, -(mass * z * y).sum()])
    torch.testing.assert_close(momentum, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(kinetic_energy(speed)[5].sum(), 0.5 * inertia * rate**2, atol=1e-5, rtol=1e-4)


def test_a_body_that_travels_has_energy_and_no_momentum():
    clock = torch.arange(9, dtype=torch.float64)[:, None, None] / 30
    positions = BODY + clock * torch.tensor([1.0, 0.0, 2.0], dtype=torch.float64)
    speed = velocity(positions, 30.0)
    assert float(angular_momentum(positions, speed).abs().max()) < 1e-9
    torch.testing.assert_close(kinetic_energy(speed).sum(dim=-1), torch.full((9,), 2.5, dtype=torch.float64))


def test_dynamics_do_not_depend_on_the_place():
    positions = turning(1.0, 12, 30.0).float()
    told = dynamics(positions, 30.0)
    assert told.shape == (12, 22, DYNAMICS)
    # the pelvis' place on the floor is taken away, its height is not
    torch.testing.assert_close(dynamics(positions + torch.tensor([3.0, 0.0, -2.0]), 30.0), told, atol=1e-4, rtol=1e-4)

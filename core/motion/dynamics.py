"""What moves a body: the displacement gradient, angular momentum and kinetic energy of its joints.

A joint carries the mass of the segment that begins at it. The shares are those of Winter (2009), Biomechanics and Motor
Control of Human Movement, table 4.1. The trunk's is divided among pelvis, spine and collars, the foot's between ankle
and toe. All values are for a body of one kilogram.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.motion.skeleton import SMPL22

_SHARES = {
    "pelvis": 0.142, "spine1": 0.085, "spine2": 0.085, "spine3": 0.085, "neck": 0.021, "head": 0.06,
    "hip": 0.1, "knee": 0.0465, "ankle": 0.0097, "foot": 0.0048,
    "collar": 0.05, "shoulder": 0.028, "elbow": 0.016, "wrist": 0.006,
}  # fmt: skip

MASS = torch.tensor([_SHARES[name.removeprefix("left_").removeprefix("right_")] for name in SMPL22.names])
"""Share (22,) of each joint in the mass of the body; together about 1."""

DYNAMICS = 10  # channels of ``dynamics``


def velocity(positions: Tensor, fps: float) -> Tensor:
    """The displacement gradient (..., t, j, 3) of positions (..., t, j, 3), m/s: central differences, one-sided at the
    ends.
    """
    return torch.gradient(positions, spacing=1 / fps, dim=-3)[0]


def centre_of_mass(values: Tensor) -> Tensor:
    """The mean (..., 3) of values (..., 22, 3), weighted by mass."""
    mass = MASS.to(values)
    return (values * mass[:, None]).sum(dim=-2) / mass.sum()


def angular_momentum(positions: Tensor, speed: Tensor) -> Tensor:
    """Angular momentum (..., 22, 3) of each joint about the body's centre of mass, m^2/s per kilogram.

    It is relative to the centre's own movement, so a body that travels as a whole has none.

    positions: (..., 22, 3) metres.
    speed: (..., 22, 3) their velocity, m/s.
    """
    arm = positions - centre_of_mass(positions)[..., None, :]
    relative = speed - centre_of_mass(speed)[..., None, :]
    return MASS.to(positions)[:, None] * torch.linalg.cross(arm, relative)


def kinetic_energy(speed: Tensor) -> Tensor:
    """Kinetic energy (..., 22) of each joint, J per kilogram, of velocities (..., 22, 3) in m/s."""
    return 0.5 * MASS.to(speed) * speed.square().sum(dim=-1)


def dynamics(positions: Tensor, fps: float) -> Tensor:
    """What a motion encoder is told of each joint, (..., t, 22, 10).

    The channels are the position relative to the pelvis' place on the floor, the displacement gradient, the angular
    momentum, and the square root of the kinetic energy, which grows with speed and not with its square.

    positions: (..., t, 22, 3) metres.
    fps: frames per second.
    """
    speed = velocity(positions, fps)
    floor = positions[..., :1, :] * positions.new_tensor((1.0, 0.0, 1.0))
    energy = (kinetic_energy(speed) + 1e-12).sqrt()[..., None]
    return torch.cat([positions - floor, speed, angular_momentum(positions, speed), energy], dim=-1)

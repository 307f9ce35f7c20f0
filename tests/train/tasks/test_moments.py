"""The loss on mean footwork: its measures against those of footwork, and what it makes of dances that move too much."""

import numpy as np
import pytest
import torch

from core.config import preset
from core.metrics import footwork
from core.motion import features, kinematics, rotation
from core.motion.layouts import layout_named
from core.types import Motion
from train.tasks import moments
from train.tasks.decoded import Bodies

BODY = preset("tiny").modalities["motion"]
BODIES = Bodies(BODY.fps, layout_named(BODY.representation))
FRAMES = round(4 * BODY.fps)
STEPPING, TRAVEL, HEIGHT, KNEES, SPEED, PEAK = range(len(moments.NAMES))


def bounce(depth: float, speed: float = 0.0, knees: float = 0.0) -> torch.Tensor:
    """Features of a body that goes down and up by ``depth`` once a second, flies along and bends its knees by
    ``knees`` (radians) twice a second.
    """
    clock = torch.arange(FRAMES) / BODY.fps
    root = torch.stack((speed * clock, 1.5 + 0.5 * depth * torch.cos(2 * torch.pi * clock), 0 * clock), dim=1)
    rotations = rotation.identity(FRAMES, 22).clone()
    bend = 0.3 + 0.5 * knees * torch.sin(4 * torch.pi * clock)
    rotations[:, (4, 5)] = rotation.about("x", bend)[:, None]
    return features.encode(Motion(rotations, root, BODY.fps, torch.zeros(FRAMES, 4)), BODIES.layout)


def test_measures_are_those_of_footwork():
    motion = bounce(0.2, speed=0.4, knees=0.6)
    decoded = features.decode(motion, BODIES.layout, BODIES.fps)
    places = kinematics.forward(decoded.rotations, decoded.root)
    (found,) = moments.measures(motion[None], BODIES)
    assert float(found[TRAVEL]) == pytest.approx(footwork.pelvis_travel(places, BODY.fps), rel=0.04)
    assert float(found[HEIGHT]) == pytest.approx(footwork.pelvis_range(places), rel=1e-3)
    assert float(found[KNEES]) == pytest.approx(footwork.knee_range(places), rel=1e-3)
    speed = places.diff(dim=0).norm(dim=-1) * BODY.fps
    assert float(found[SPEED]) == pytest.approx(float(speed.mean()), rel=1e-3)
    assert float(speed.max()) * 0.95 < float(found[PEAK]) <= float(speed.max())


@pytest.mark.parametrize(("speed", "steps"), [(0.1, 0.0), (0.5, 0.5), (1.5, 1.0)])
def test_ankles_step_where_they_are_fast(speed, steps):
    assert float(moments.measures(bounce(0.0, speed)[None], BODIES)[0, STEPPING]) == pytest.approx(steps, abs=0.03)


def test_capture_of_each_style_has_its_means_and_counts_once():
    capture = [{"features": bounce(depth), "style": 0} for depth in np.linspace(0.05, 0.15, 8)]
    capture += [capture[0]] * 20  # the same motion to other music
    capture += [{"features": bounce(0.1), "style": 1}, {"features": bounce(0.1), "style": -1}]
    wanted = moments.captured(capture, FRAMES, 3, BODIES)
    assert wanted.shape == (3, 6) and wanted[1:].isnan().all()
    assert float(wanted[0, HEIGHT]) == pytest.approx(0.095, abs=0.002)  # of a cosine, the quantiles span 95 per cent


def test_dances_that_go_down_too_far_learn_to_go_down_as_capture_does():
    """Dances whose depths are twice those of capture, scaled by what is learned: their mean is met, and they still
    differ from one another as much, for what they are."""
    wanted = torch.tensor([[0.2, 0.3, 0.1, 0.5, 0.4, 2.0]])
    scale = torch.nn.Parameter(torch.ones(6))
    loss, generator = moments.Moments(wanted), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam([scale], lr=0.02)
    for _ in range(400):
        danced = wanted * (1.5 + torch.rand(8, 6, generator=generator)) * scale
        optimiser.zero_grad()
        loss(danced, torch.zeros(8, dtype=torch.long)).backward()
        optimiser.step()
    torch.testing.assert_close(scale.detach(), torch.full((6,), 0.5), atol=0.04, rtol=0)


def test_the_loss_is_that_of_the_means_and_not_of_single_dances():
    """Half of the dances do twice what capture does, the others nothing: on average they are like it."""
    loss = moments.Moments(torch.ones(2, 6))
    both = torch.tensor([2.0, 0.0] * 50)[:, None].expand(-1, 6).requires_grad_()
    assert float(loss(both, torch.zeros(100, dtype=torch.long))) < 0.05
    assert float(loss(torch.full((1, 6), 3.0), torch.ones(1, dtype=torch.long))) == pytest.approx(6)  # at most one each
    with torch.no_grad():  # validation teaches it nothing
        before = loss.means.clone()
        loss(torch.full((4, 6), 9.0), torch.zeros(4, dtype=torch.long))
    assert torch.equal(before, loss.means)

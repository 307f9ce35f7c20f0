import math

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

from core.errors import FootlightError
from core.motion import rotation
from core.motion.resample import at_times, resample, spline
from core.types import Motion


def turning(times: torch.Tensor, fps: float) -> Motion:
    """Known at every instant: all joints turn 1.5 times a second, the root swings; signs flip at random."""
    times = times.double()
    q = rotation.about("x", 3 * math.pi * times)[:, None].expand(-1, 22, -1)
    sign = torch.where(torch.arange(len(times)) % 3 == 0, -1.0, 1.0)[:, None, None]
    root = torch.stack((torch.sin(5 * times), torch.cos(3 * times), times), -1)
    return Motion((q * sign).float(), root.float(), fps, (times[:, None] > 1).float().expand(-1, 4))


@pytest.mark.parametrize("frames", (2, 3, 10, 200))
def test_spline_is_the_natural_cubic_spline(frames):
    values = torch.randn(frames, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    at = torch.linspace(0, frames - 1, 5 * frames, dtype=torch.float64)
    reference = CubicSpline(np.arange(frames), values.numpy(), bc_type="natural")
    np.testing.assert_allclose(spline(values, at), reference(at.numpy()), atol=1e-12)


@pytest.mark.parametrize("fps", (24.0, 25.0, 30000 / 1001, 30.0, 60.0, 120.0))
def test_resampled_motion_is_the_motion_between_the_frames(fps):
    motion = turning(torch.arange(100) / 31.25, 31.25)
    out = resample(motion, fps)
    assert out.fps == fps and abs(out.seconds - motion.seconds) <= 0.5 / fps + 1e-9
    times = torch.arange(out.frames, dtype=torch.float64) / fps
    inside = (times > 0.2) & (times < 3.0)  # a natural spline is less exact at its ends
    exact = turning(times, fps)
    assert rotation.angle(out.rotations, exact.rotations)[inside].max() < 2e-3
    assert (out.root - exact.root)[inside].abs().max() < 1e-4
    assert (out.root - exact.root).abs().max() < 0.02  # the last half frame lies beyond the last sample
    assert (out.contacts[times < 0.95] == 0).all() and (out.contacts[times > 1.05] == 1).all()


def test_resampling_can_be_undone_and_same_rate_changes_nothing():
    motion = turning(torch.arange(60) / 30, 30.0)
    assert resample(motion, 30.0) is motion
    back = resample(resample(motion, 120.0), 30.0)
    assert back.frames == 60
    assert rotation.angle(back.rotations, motion.rotations).max() < 2e-3
    torch.testing.assert_close(back.root, motion.root, atol=1e-5, rtol=0)


def test_warped_times_and_ends():
    motion = turning(torch.arange(60) / 30, 30.0)
    warped = at_times(motion, torch.tensor([-9.0, 0.5, 0.51, 9.0]), 30.0)
    assert torch.isfinite(warped.root).all()
    np.testing.assert_allclose(warped.root[1:3, 2], [0.5, 0.51], atol=1e-6)
    np.testing.assert_allclose(warped.root[[0, 3], 2], [-1 / 30, 2.0], atol=1e-5)  # held one frame beyond the ends


def test_a_single_frame_and_a_bad_rate():
    motion = turning(torch.zeros(1), 30.0)
    assert resample(motion, 60.0).frames == 2
    assert resample(motion, 24.0, frames=5).rotations.shape == (5, 22, 4)
    for fps in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(FootlightError, match="frame rate"):
            resample(motion, fps)

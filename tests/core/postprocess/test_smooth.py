import math
from dataclasses import replace

import pytest
import torch
from scipy import ndimage

from core.motion import rotation
from core.postprocess.smooth import gaussian, lowpass, smooth
from core.types import Motion

FPS = 31.25
TIME = torch.arange(625, dtype=torch.float64) / FPS


@pytest.mark.parametrize(("hertz", "left"), [(1.0, 1.0), (6.0, 1 / math.sqrt(2)), (12.0, 0.0624)])
def test_tones_keep_the_share_that_butterworth_gives_and_their_phase(hertz, left):
    tone = torch.sin(2 * math.pi * hertz * TIME + 0.4)[:, None]
    out = lowpass(tone, FPS, cutoff=6.0, order=4)
    middle = slice(100, -100)
    assert torch.allclose(out[middle], left * tone[middle], atol=5e-3)


def test_lines_pass_unchanged_to_the_last_frame():
    line = torch.stack((3 + 2 * TIME, -TIME), -1)
    assert torch.allclose(lowpass(line, FPS, 5.0), line, atol=1e-9)
    assert torch.allclose(gaussian(line, FPS, 0.3), line, atol=1e-9)


def test_gaussian_is_scipys():
    noise = torch.randn(625, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = ndimage.gaussian_filter1d(noise.numpy(), 0.1 * FPS, axis=0, truncate=8)
    assert torch.allclose(gaussian(noise, FPS, 0.1)[60:-60], torch.from_numpy(theirs)[60:-60], atol=1e-3)


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_the_shortest_motions_survive(frames):
    values = torch.arange(frames, dtype=torch.float32)[:, None]
    assert torch.allclose(lowpass(values, FPS, 5.0), values, atol=1e-5)
    assert torch.allclose(gaussian(values, FPS, 0.5), values, atol=1e-5)


def test_jitter_goes_and_the_dance_stays(steps):
    """A motion with three full turns, of arbitrary quaternion signs, under noise of 3 degrees and 1 cm."""
    generator = torch.Generator().manual_seed(1)
    turn = rotation.about("y", torch.linspace(0, 6 * math.pi, steps.frames))
    clean = replace(steps, rotations=rotation.mul(turn[:, None], steps.rotations))
    noise = rotation.from_axis_angle(0.05 * torch.randn(steps.frames, 22, 3, generator=generator))
    signs = torch.randint(0, 2, (steps.frames, 22, 1), generator=generator) * 2.0 - 1
    root = clean.root + 0.01 * torch.randn(steps.frames, 3, generator=generator)
    noisy = Motion(signs * rotation.mul(clean.rotations, noise), root, steps.fps)
    out = smooth(noisy, 5.0)
    assert rotation.angle(out.rotations, clean.rotations).mean() < 0.6 * 0.08  # of the noise's mean angle
    assert (out.root - clean.root).norm(dim=-1).mean() < 0.65 * 0.016
    assert torch.allclose(out.rotations.norm(dim=-1), torch.ones(()), atol=1e-5)

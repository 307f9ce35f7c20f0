import math

import pytest
import torch
from torch.nn import functional

from core.autoencoder.rhythmic_contrast import RhythmicContrast, choose_clips, rhythmic_contrast
from core.errors import FootlightError


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("t", "clips", "length"), [(64, 8, 4), (64, 16, 4), (33, 8, 4), (200, 5, 7)])
def test_clips_differ_in_time_and_category(t, clips, length):
    amplitude = torch.rand(40, t, generator=seeded(1))
    begin, greatest = choose_clips(amplitude, clips, length, seeded(2))
    assert begin.shape == (40, clips) and begin.min() >= 0 and begin.max() <= t - length
    assert (begin.sort(dim=1).values.diff(dim=1) >= length).all()
    for row, starts, peaks in zip(amplitude, begin.tolist(), greatest, strict=True):
        assert torch.equal(peaks, torch.stack([row[s : s + length].max() for s in starts]))
        assert (peaks.diff() > 0).all()  # one of each category, in rising order


def test_every_moment_can_be_chosen():
    amplitude = torch.rand(1, 40, generator=seeded(1)).expand(3000, -1)
    begin, _ = choose_clips(amplitude, 4, 4, seeded(2))
    assert set(begin.flatten().tolist()) == set(range(37))


def test_the_generator_decides():
    amplitude = torch.rand(4, 64)
    assert torch.equal(choose_clips(amplitude, 8, 4, seeded(3))[0], choose_clips(amplitude, 8, 4, seeded(3))[0])
    assert not torch.equal(choose_clips(amplitude, 8, 4, seeded(3))[0], choose_clips(amplitude, 8, 4, seeded(4))[0])


def test_the_loss_is_symmetric_cross_entropy_of_max_pooled_clips():
    motion, music = torch.randn(3, 64, 20, generator=seeded(5)), torch.randn(3, 64, 20, generator=seeded(6))
    amplitude = torch.rand(3, 64, generator=seeded(7))
    begin, _ = choose_clips(amplitude, 6, 5, seeded(8))
    expected = 0.0
    for i in range(3):
        a, b = (torch.stack([x[i, s : s + 5].max(dim=0).values for s in begin[i].tolist()]) for x in (motion, music))
        logits = functional.cosine_similarity(a[:, None], b[None], dim=-1) / 0.2
        truth = torch.arange(6)
        expected += 0.5 * (functional.cross_entropy(logits, truth) + functional.cross_entropy(logits.T, truth)) / 3
    loss = rhythmic_contrast(motion, music, amplitude, seeded(8), clips=6, length=5, temperature=0.2)
    torch.testing.assert_close(loss, expected)


def test_moments_that_agree_score_better_than_chance():
    shared = torch.randn(16, 64, 20, generator=seeded(9))
    amplitude = torch.rand(16, 64, generator=seeded(10))
    together = rhythmic_contrast(shared, shared, amplitude, seeded(11))
    shifted = rhythmic_contrast(shared, shared.roll(20, dims=1), amplitude, seeded(11))
    assert together < 0.5 < math.log(8) * 0.9 < shifted


def test_stillness_contrasts_with_nothing():
    motion = torch.randn(2, 64, 20, requires_grad=True)
    loss = rhythmic_contrast(motion, torch.randn(2, 64, 20), torch.zeros(2, 64), seeded())
    loss.backward()
    assert float(loss.detach()) == 0 and float(motion.grad.abs().max()) == 0


def test_unlike_widths_meet_in_a_learned_space():
    alike = RhythmicContrast(20, 20)
    assert not list(alike.parameters())
    contrast = RhythmicContrast(32, 20)
    assert contrast.motion.weight.shape == contrast.music.weight.new_empty(20, 32).shape
    generator, target = seeded(12), torch.randn(32, 20, generator=seeded(13))
    optimiser = torch.optim.Adam(contrast.parameters(), 1e-2)
    losses = []
    for _ in range(80):
        motion = torch.randn(8, 64, 32, generator=generator)
        amplitude = torch.rand(8, 64, generator=generator)
        loss = contrast(motion, motion @ target / 32**0.5, amplitude, generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]


def test_too_short_a_crop_is_an_error_in_words():
    with pytest.raises(FootlightError, match="8 clips of 4 frames"):
        choose_clips(torch.rand(1, 20), 8, 4, seeded())

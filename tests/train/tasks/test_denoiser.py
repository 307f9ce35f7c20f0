"""Which clips a denoiser is trained on, and which of them are conditioned on their style."""

import pytest
import torch

from core.autoencoder.networks import autoencoder_of
from core.config import preset, with_styles
from train.tasks.denoiser import DenoiserTask, DenoiserTaskConfig

FRAMES = 8
LENGTHS = {0: 900, 1: 90, 2: 10}  # latent frames by style


@pytest.fixture(scope="module")
def drawn():
    """(n,) style of the clip, whether it was a condition, and whether anything was, of many draws."""
    config = with_styles(preset("tiny"), ("a", "b", "c"))
    motion, music = (config.modalities[name].autoencoder for name in ("motion", "music"))
    clips = [
        {
            "latents": torch.full((length, motion.latent_channels), float(style)),
            "context.music": torch.zeros(length, music.latent_channels),
            "rhythm": torch.zeros(length, config.denoisers["motion"].rhythm_channels),
            "features": torch.zeros(length * motion.stride, motion.channels),
            "style": style,
        }
        for style, length in LENGTHS.items()
    ]
    settings = DenoiserTaskConfig(frames=FRAMES, shortest=FRAMES, balance=0.5, drop_style=0.4, drop=0.2)
    task = DenoiserTask(config, settings, autoencoder_of(config.modalities["motion"]), {"train": clips, "val": clips})
    batch = task.batch(40_000, torch.Generator().manual_seed(0))
    return batch["latents"][:, 0, 0].long(), batch["style"].sum(dim=1) > 0, batch["keep"]


def shares(styles: torch.Tensor) -> torch.Tensor:
    return torch.bincount(styles, minlength=3) / len(styles)


NATURAL = torch.tensor([0.9, 0.09, 0.01])


def test_rare_styles_are_drawn_more_often_than_they_are_long(drawn):
    style, _, _ = drawn
    expected = NATURAL.sqrt() / NATURAL.sqrt().sum()
    torch.testing.assert_close(shares(style), expected, atol=0.01, rtol=0)


def test_without_a_style_the_capture_keeps_its_own_shares(drawn):
    style, cond, keep = drawn
    torch.testing.assert_close(shares(style[~cond]), NATURAL, atol=0.015, rtol=0)
    torch.testing.assert_close(shares(style[~keep]), NATURAL, atol=0.02, rtol=0)


def test_the_most_common_style_is_dropped_as_often_as_it_says(drawn):
    style, cond, keep = drawn
    common = style == 0
    assert float((~cond[common]).float().mean()) == pytest.approx(0.4, abs=0.015)
    assert float((~keep[common]).float().mean()) == pytest.approx(0.2, abs=0.015)

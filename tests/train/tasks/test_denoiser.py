"""Which clips a denoiser is trained on, and which of them are conditioned on their style."""

import dataclasses

import pytest
import torch

from core.autoencoder.networks import autoencoder_of
from core.config import preset, with_styles
from core.errors import FootlightError
from core.motion.body_parts import part_of_channels
from core.motion.features import encode
from core.motion.layouts import layout_named
from core.motion.skeleton import REST_HEIGHT
from core.types import Motion
from train.tasks.denoiser import DenoiserTask, DenoiserTaskConfig
from train.variants import motion_side

FRAMES = 8
LENGTHS = {0: 900, 1: 90, 2: 10}  # latent frames by style


def task_of(prediction=None, parts=1, **settings):
    """A task with clips of three styles of different lengths. The values of their latents are the style's number."""
    config = motion_side(with_styles(preset("tiny"), ("a", "b", "c")), prediction=prediction)
    denoiser = dataclasses.replace(config.denoisers["motion"], observed_parts=parts)
    config = dataclasses.replace(config, denoisers={**config.denoisers, "motion": denoiser})
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
    chosen = DenoiserTaskConfig(frames=FRAMES, shortest=FRAMES, drop_style=0.4, drop=0.2, **settings)
    return DenoiserTask(config, chosen, autoencoder_of(config.modalities["motion"]), {"train": clips, "val": clips})


@pytest.fixture(scope="module")
def drawn():
    """(n,) style of the clip, whether it was a condition, and whether anything was, of many draws."""
    batch = task_of(balance=0.5).batch(10_000, torch.Generator().manual_seed(0))
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


def test_minutes_of_a_style_can_count_less():
    """With a tenth of the weight, nine tenths of the capture are drawn as if they were as much as the second style."""
    task = task_of(balance=0.0, style_weights={"a": 0.1})
    batch = task.batch(20_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        shares(batch["latents"][:, 0, 0].long()), torch.tensor([9, 9, 1]) / 19, atol=0.015, rtol=0
    )
    with pytest.raises(FootlightError, match="choose among a, b, c"):
        task_of(style_weights={"waltz": 1.0})


def test_seconds_on_still_feet_can_count_less():
    """A body that steps counts fully, one that stands as it says, and one that stands for half of its time between."""
    model = motion_side(with_styles(preset("tiny"), ("a",)))
    motion, fps = model.modalities["motion"], model.modalities["motion"].fps
    frames, layout = round(30 * fps), layout_named(motion.representation)
    rest = torch.zeros(frames, 22, 4)
    rest[..., 0] = 1
    stands, glides = torch.zeros(frames), torch.arange(frames) / fps  # glides at a metre per second
    clips = []
    for path in (stands, glides, (glides - 15).clamp_min(0)):
        root = torch.stack([path, torch.full_like(path, REST_HEIGHT), torch.zeros(frames)], dim=1)
        features = encode(Motion(rest, root, fps, torch.ones(frames, 4)), layout)
        clips.append({"features": features, "style": 0})
    task = task_of(standing=0.2)
    counts = [task.counts(clip) for clip in clips]
    assert counts[:2] == pytest.approx([0.2, 1.0])
    assert counts[2] == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize(("most_snr", "prediction"), [(0.0, None), (5.0, None), (0.0, "v")])
def test_changes_are_judged_against_a_still_body(most_snr, prediction):
    """An estimate that stands still costs 1 on average over noise levels, the truth and its offsets cost nothing."""
    task = task_of(most_snr=most_snr, change=1.0, prediction=prediction)
    phase = task.phases["denoiser"]
    clean = torch.randn(1000, 6, 4, generator=torch.Generator().manual_seed(0))
    clean = clean[:1].expand(1000, -1, -1)
    batch = {"latents": clean, "valid": torch.ones(1000, 6, dtype=torch.bool)}
    every = torch.arange(1000)
    assert float(phase.change_error(torch.zeros_like(clean), every, batch)) == pytest.approx(1, rel=1e-3)
    assert float(phase.change_error(clean + 3.0, every, batch)) < 1e-6
    losses = phase(task.batch(2, torch.Generator().manual_seed(0)), torch.Generator().manual_seed(0), 0)
    assert {"latents", "change"} <= set(losses)


def test_validation_says_how_much_samples_move():
    """The zero-initialised network gives a still body, while the capture moves."""
    task = task_of()
    for clip in task.val:
        clip["latents"] = torch.randn(clip["latents"].shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = task.validate(task.phases)
    assert 0 <= found["movement"] < 0.05
    assert "latents" in found


def test_what_is_given_is_frames_poses_and_parts_of_the_body():
    task = task_of(parts=5, observe=0.4, observe_parts=0.5)
    batch = task.batch(20_000, torch.Generator().manual_seed(0))
    mask = batch["observed_mask"] > 0  # b t parts
    whole, some = mask.all(dim=-1), mask.any(dim=-1)
    only_parts = (some & ~whole).any(dim=1)
    assert float(only_parts.float().mean()) == pytest.approx(0.5 * 31 / 32, abs=0.02)  # one in 32 keeps no part
    assert float((whole.any(dim=1) & ~only_parts).float().mean()) == pytest.approx(0.5 * 0.4, abs=0.03)
    assert float((~some.any(dim=1)).float().mean()) > 0.2
    # A part that is given alone somewhere is given in every frame.
    assert torch.equal((mask & ~whole[..., None]).any(dim=1)[only_parts], mask.all(dim=1)[only_parts])
    few = whole.sum(dim=1)[~only_parts]
    assert {1, 2, 3, 4, 5, 6, 7} <= set(few.tolist())


def test_frames_that_are_given_are_the_truth_and_hidden_parts_do_not_show():
    """Two motions that differ in the legs alone look the same where only the other parts are given."""
    task = task_of(parts=5, observe=0.5, observe_parts=0.5)
    legs = part_of_channels(task.layout) == 0
    features = torch.randn(3, FRAMES * task.stride, 140, generator=torch.Generator().manual_seed(0))
    other = torch.where(legs, -features, features)
    latents = torch.randn(3, FRAMES, 6)
    given = torch.zeros(3, FRAMES, 5, dtype=torch.bool)
    given[0], given[1, :, 1:] = True, True
    one, two = (task.observed({"features": x, "latents": latents}, given) for x in (features, other))
    assert torch.equal(one[0], latents[0]) and not one[2].any()
    assert one[1].any() and torch.equal(one[1], two[1])


def test_validation_says_how_well_what_is_given_is_kept():
    task = task_of(parts=5)
    task.val = [{**clip, "features": torch.randn(clip["features"].shape)} for clip in task.val]
    with torch.no_grad():
        found = task.validate(task.phases)
    assert found["kept_frames_cm"] > 0 and found["kept_parts_cm"] > 0
    # A network that has learned nothing keeps parts no better than it guesses the rest, but they are fewer.
    assert found["kept_parts_cm"] < found["made_cm"]

"""What the denoiser of music is trained on: whose music, which accents, which channels count."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from core.autoencoder.networks import autoencoder_of
from core.config import preset, with_styles
from core.errors import FootlightError
from core.rhythm.features import RHYTHM_CHANNELS
from core.types import Beats
from train.data import synthetic
from train.data.encoder import Encoder
from train.data.latents import met_target, score_clips
from train.tasks.scorer import ScorerTask, ScorerTaskConfig, audibility, some_of

FRAMES = 32
ONSET = RHYTHM_CHANNELS.index("onset")


@pytest.fixture(scope="module")
def task():
    torch.manual_seed(0)
    config = with_styles(preset("tiny"), ("bob",))
    pairs = synthetic.pairs(4, 6.0)
    song = replace(pairs["val"][0], genre="x")
    mel_vae, motion_vae = (autoencoder_of(config.modalities[name]).eval() for name in ("music", "motion"))
    clips = score_clips(pairs, {"train": [song], "val": []}, Encoder(mel_vae), Encoder(motion_vae), config)
    return ScorerTask(config, ScorerTaskConfig(frames=FRAMES, shortest=FRAMES), mel_vae, clips), pairs


def test_songs_without_a_motion_are_learnt_from_by_rhythm_alone(task):
    task, pairs = task
    assert sum("context.motion" in clip for clip in task.train) == 2 * len(pairs["train"]) == len(task.train) - 1
    seen = {"context": 0, "alone": 0}
    for step in range(40):
        batch = task.batch(3, torch.Generator().manual_seed(step))
        seen["context" if "context.motion" in batch else "alone"] += 1
        assert batch["latents"].shape == (3, FRAMES, 6) and batch["rhythm"].shape == (3, FRAMES, len(RHYTHM_CHANNELS))
    assert seen["alone"] / 40 == pytest.approx(ScorerTaskConfig().drop_other, abs=0.2)


def test_a_crop_has_the_beats_and_accents_of_its_own_moment(task):
    """The synthetic music clicks on its beats and nowhere else."""
    task, pairs = task
    clip, fps = task.train[0], task.model.latent_fps
    start = 20
    rhythm = task.crop(clip, start, None)["rhythm"]
    times = (torch.arange(FRAMES) + start) / fps
    phase = torch.atan2(rhythm[:, 1], rhythm[:, 0]) / (2 * torch.pi)
    expected = torch.remainder(times * pairs["train"][0].tempo / 60 + 0.5, 1) - 0.5
    away = (phase - expected + 0.5).remainder(1) - 0.5
    assert away.abs().max() < 0.02
    near_beat = expected.abs() * 60 / pairs["train"][0].tempo < 0.03
    far = expected.abs() * 60 / pairs["train"][0].tempo > 0.2
    assert rhythm[near_beat, ONSET].min() > 0.6 and rhythm[far, ONSET].max() < 0.05


def test_accents_are_some_of_the_onsets_and_often_only_those_on_beats():
    onsets, beats = Beats(torch.arange(40) * 0.25, strength=torch.ones(40)), Beats(torch.arange(20) * 0.5)
    counts, on_beats = [], 0
    for seed in range(300):
        kept = some_of(onsets, beats, torch.Generator().manual_seed(seed))
        assert set(kept.times.tolist()) <= set(onsets.times.tolist()) and len(kept.strength) == len(kept.times)
        counts.append(len(kept.times))
        on_beats += bool((kept.times.remainder(0.5) == 0).all())
    assert min(counts) <= 2 and max(counts) >= 36 and sum(counts) / 300 < 20
    assert on_beats / 300 > 0.45
    assert some_of(onsets, beats, None).times.tolist() == beats.times.tolist()


def test_the_target_that_music_meets_is_its_clicks():
    pair = synthetic.pairs(1)["train" if synthetic.pairs(1)["train"] else "val"][0]
    target = met_target(pair)
    distance = (target["onsets"].times[:, None] - pair.beats.double()).abs().amin(dim=1)
    assert len(target["onsets"].times) >= len(pair.beats) - 2 and distance.max() < 0.05


def test_channels_that_sound_louder_count_more():
    gains = torch.tensor([4.0, 2.0, 1.0, 0.0])
    linear = SimpleNamespace(std=torch.ones(4), decode=lambda z: z * gains, unstandardise=lambda z: z)
    weight = audibility(linear, torch.randn(64, 50, 4, generator=torch.Generator().manual_seed(0)))
    assert weight.mean() == pytest.approx(1.0)
    assert float(weight[0] / weight[1]) == pytest.approx(4.0, rel=0.1)
    assert weight[3] <= weight[2]
    assert weight.min() > 0


def test_pairs_that_are_too_short_are_refused(task):
    task, _ = task
    short = [{**clip, "latents": clip["latents"][:4]} for clip in task.train]
    with pytest.raises(FootlightError, match="none of the training pairs lasts"):
        ScorerTask(task.model, task.config, task.vae, {"train": short, "val": short})

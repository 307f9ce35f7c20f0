"""Music from a motion, on a model of random weights: lengths, seeds, styles, what goes wrong."""

import math
from dataclasses import replace

import pytest
import torch

from core import pipeline, progress
from core.audio import loudness
from core.errors import FootlightError
from core.formats.motion import MotionClip
from core.formats.music import mastered
from core.motion import kinematics
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.pipeline import ScoreOptions, score, score_motion
from core.rhythm import target
from core.types import Motion, Waveform

FPS = 30.0


def swing(seconds: float, bpm: float = 120.0, fps: float = FPS) -> MotionClip:
    """A body whose arms swing and stop on every beat."""
    clock = torch.arange(round(seconds * fps)) / fps
    angle = 0.6 * torch.cos(math.pi * bpm / 60 * clock)
    rotations = torch.zeros(len(clock), 22, 4)
    rotations[..., 0] = 1
    for name in ("left_shoulder", "right_shoulder", "spine1"):
        joint = SMPL22.names.index(name)
        rotations[:, joint, 0], rotations[:, joint, 3] = torch.cos(angle / 2), torch.sin(angle / 2)
    root = torch.tensor([0.0, REST_HEIGHT, 0.0]).expand(len(clock), 3)
    motion = Motion(rotations, root, fps)
    return MotionClip(kinematics.forward(rotations, root), fps, motion)


@pytest.fixture(scope="module")
def model(model_folder):
    return pipeline.Model.load(model_folder, "cpu")


@pytest.mark.parametrize(("seconds", "fps"), [(1.0, 30.0), (3.37, 24.0), (5.0, 31.25), (2.0, 59.94), (20.0, 30.0)])
def test_a_score_is_as_long_as_its_motion(model, seconds, fps):
    clip = swing(seconds, fps=fps)
    made = score_motion(model, clip, ScoreOptions(steps=2))
    assert made.sound.rate == 16_000
    assert made.sound.samples.shape == (round(clip.seconds * 16_000),)
    assert bool(made.sound.samples.isfinite().all()) and float(made.sound.samples.abs().max()) > 0


def test_same_seed_same_music_other_seed_other_music(model):
    clip = swing(3.0)
    first, again, other = (score_motion(model, clip, ScoreOptions(seed=seed)) for seed in (3, 3, 4))
    assert torch.equal(first.sound.samples, again.sound.samples) and first.metrics == again.metrics
    assert (first.mel - other.mel).abs().mean() > 0.01


def test_it_asks_for_the_beat_of_the_motion(model):
    made = score_motion(model, swing(10.0, bpm=100.0), ScoreOptions(steps=1))
    assert abs(made.beats.tempo - 100.0) < 3
    assert made.beats.downbeats.sum() in (len(made.beats.times) // 4, len(made.beats.times) // 4 + 1)


def test_the_model_hears_of_the_motion_and_of_the_style(model):
    clip, other = swing(3.0), swing(3.0, bpm=90.0)
    plain = score_motion(model, clip)
    assert (score_motion(model, other).mel - plain.mel).abs().mean() > 0.01
    salsa, mixed = (score_motion(model, clip, ScoreOptions(style=style)) for style in ("salsa", "salsa:0.5,robot:0.5"))
    assert (salsa.mel - plain.mel).abs().mean() > 1e-3 and (salsa.mel - mixed.mel).abs().mean() > 1e-3


def test_a_flat_body_is_scored_by_its_rhythm_alone(model):
    clip = swing(3.0)
    flat = MotionClip(clip.positions[:, :14, :2], clip.fps, None)
    condition = score.encode_motion(model, flat, target.rhythm_target(flat.positions, flat.fps))
    assert not condition.context and condition.rhythm is not None
    assert score_motion(model, flat, ScoreOptions(steps=1)).sound.samples.shape == (48_000,)


def test_progress_rises_and_names_its_steps(model):
    seen: list[tuple[str, float]] = []
    with progress.listen(lambda *told: seen.append(told)):
        score_motion(model, swing(2.0), ScoreOptions(steps=3))
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] <= 1
    assert len({stage for stage, _ in seen}) == 4


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (ScoreOptions(steps=1001), "steps is 1001"),
        (ScoreOptions(style="polka"), "polka"),
        (ScoreOptions(style="salsa:x"), "weight"),
        (ScoreOptions(style="salsa:-1"), "weight"),
    ],
)
def test_what_this_model_cannot_do_is_refused(model, options, word):
    with pytest.raises(FootlightError, match=word):
        next(score_motion(model, swing(2.0), options))


def test_what_cannot_be_scored_is_refused(model):
    with pytest.raises(FootlightError, match="at least 1 s"):
        score_motion(model, swing(0.5))
    still = swing(2.0)
    still = MotionClip(still.positions[:1].expand_as(still.positions), still.fps, still.motion)
    with pytest.raises(FootlightError, match="stands still"):
        score_motion(model, still)
    with pytest.raises(FootlightError, match="dances only"):
        score_motion(replace(model, denoisers={"motion": model.denoisers["motion"]}), swing(2.0))


@pytest.mark.parametrize("stereo", [False, True])
def test_a_mastered_music_is_loud_and_does_not_clip(model, stereo):
    made = score_motion(model, swing(4.0))
    sound = mastered(made.sound, stereo)
    assert sound.samples.shape == ((2, 64_000) if stereo else (64_000,))
    assert loudness.loudness(sound.samples, sound.rate) == pytest.approx(-14, abs=1.0)
    assert loudness.true_peak(sound.samples) <= 1.0


@pytest.mark.parametrize("stereo", [False, True])
def test_a_music_that_is_cut_in_a_note_begins_and_ends_without_a_click(stereo):
    """A chord that sounds from the first sample to the last; a click is a step larger than its own."""
    clock = torch.arange(48_000) / 16_000
    chord = sum(torch.cos(2 * torch.pi * hertz * clock) for hertz in (220.0, 277.2, 329.6)) / 3
    samples = mastered(Waveform(chord, 16_000), stereo).samples.reshape(-1, 48_000)
    steps = torch.diff(torch.nn.functional.pad(samples, (1, 1))).abs()
    inside = steps[:, 1_000:-1_000].max()
    assert steps[:, 0].max() < inside and steps[:, -1].max() < 0.1 * inside
    loud = samples.square().mean(0)
    assert loud[200:2_000].mean() == pytest.approx(float(loud[20_000:40_000].mean()), rel=0.3)


def test_without_a_vocoder_there_is_still_sound(model):
    made = score_motion(replace(model, vocoder=None), swing(1.5), ScoreOptions(steps=1))
    assert made.sound.samples.shape == (24_000,) and float(made.sound.samples.abs().max()) > 0

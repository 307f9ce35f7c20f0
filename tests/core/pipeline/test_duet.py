"""A dance and its music from nothing, on a model of random weights."""

from dataclasses import replace

import pytest
import torch

from core import pipeline, progress
from core.errors import FootlightError
from core.pipeline import DuetOptions, duet, generate_duet


@pytest.fixture(scope="module")
def model(model_folder):
    return pipeline.Model.load(model_folder, "cpu")


@pytest.mark.parametrize(("seconds", "fps"), [(5.0, 30.0), (7.31, 24.0)])
def test_both_are_as_long_as_was_asked_for(model, seconds, fps):
    made = generate_duet(model, DuetOptions(seconds=seconds, fps=fps, steps=2))
    assert made.music.sound.samples.shape == (round(seconds * 16_000),)
    assert made.dance.motion.frames == round(seconds * fps) and made.dance.motion.fps == fps
    assert bool(made.dance.motion.rotations.isfinite().all()) and bool(made.music.sound.samples.isfinite().all())
    assert set(made.dance.metrics) >= {"beat", "beat_f"} and set(made.music.metrics) >= {"beat_f", "accents"}


def test_same_seed_same_duet_other_seed_other_duet(model):
    first, again, other = (generate_duet(model, DuetOptions(seconds=5.0, seed=seed, steps=3)) for seed in (3, 3, 4))
    assert torch.equal(first.music.sound.samples, again.music.sound.samples)
    assert torch.equal(first.dance.motion.rotations, again.dance.motion.rotations)
    assert (first.music.mel - other.music.mel).abs().mean() > 0.01


def test_they_speak_only_below_the_switch(model, monkeypatch):
    heard: list[str] = []

    def listening(name, chain):
        return replace(chain, tell=lambda estimates: heard.append(name) or chain.tell(estimates))

    real = duet.chains

    def spied(model, options):
        return {name: listening(name, chain) for name, chain in real(model, options).items()}

    monkeypatch.setattr(duet, "chains", spied)
    for switch, times in ((0.0, 0), (0.5, 2), (1.0, 3)):
        heard.clear()
        generate_duet(model, DuetOptions(seconds=5.0, steps=4, switch=switch))
        assert heard == ["motion", "music"] * times


@pytest.mark.parametrize(("motion", "music"), [(2, 3), (3, 2)])
def test_both_take_the_steps_that_the_slower_one_needs(model, monkeypatch, motion, music):
    taken: list[int] = []
    real = duet.walk
    monkeypatch.setattr(duet, "walk", lambda *a: taken.append(a[-1]) or real(*a))
    needed = {"motion": motion, "music": music}
    sampling = {name: replace(model.config.sampling[name], steps=steps) for name, steps in needed.items()}
    varied = replace(model, config=replace(model.config, sampling=sampling))
    generate_duet(varied, DuetOptions(seconds=5.0))
    generate_duet(varied, DuetOptions(seconds=5.0, steps=1))
    assert taken == [3, 1]


def test_the_switch_and_the_style_matter(model):
    plain, alone, salsa = (
        generate_duet(model, DuetOptions(seconds=5.0, steps=4, **more))
        for more in ({}, {"switch": 0.0}, {"style": "salsa"})
    )
    assert not torch.equal(plain.music.mel, alone.music.mel)
    assert not torch.equal(plain.music.mel, salsa.music.mel)


def test_progress_rises(model):
    seen: list[tuple[str, float]] = []
    with progress.listen(lambda *told: seen.append(told)):
        generate_duet(model, DuetOptions(seconds=5.0, steps=3))
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (DuetOptions(steps=1001), "steps is 1001"),
        (DuetOptions(style="polka"), "polka"),
    ],
)
def test_what_this_model_cannot_do_is_refused(model, options, word):
    with pytest.raises(FootlightError, match=word):
        next(generate_duet(model, options))


def test_a_model_without_a_composer_is_refused(model):
    with pytest.raises(FootlightError, match="dances only"):
        next(generate_duet(replace(model, denoisers={"motion": model.denoisers["motion"]})))

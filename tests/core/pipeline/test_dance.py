import math
import shutil
from dataclasses import replace

import pytest
import torch

from core import pipeline, progress
from core.errors import FootlightError
from core.motion import kinematics, rotation
from core.pipeline import DanceOptions, Model, beginning, generate_dance
from core.pipeline.choices import noise_seed, parse_style, style_for
from core.pipeline.model import style_of
from core.protocol import LARGEST_SEED
from core.types import Beats, Motion


@pytest.fixture(scope="module")
def model(model_folder):
    return Model.load(model_folder, "cpu")


def same(a, b):
    return torch.equal(a.motion.rotations, b.motion.rotations) and torch.equal(a.motion.root, b.motion.root)


@pytest.mark.parametrize(
    ("seconds", "fps"), [(1.0, 30.0), (3.33, 24.0), (5.017, 30000 / 1001), (2.5, 60.0), (4.0, 31.25), (2.0, 1.0)]
)
def test_a_dance_is_as_long_as_its_song(model, make_song, seconds, fps):
    made = generate_dance(model, make_song(seconds), DanceOptions(fps=fps))
    motion = made.motion
    assert motion.fps == fps and abs(motion.frames - seconds * fps) <= 1
    assert motion.rotations.shape == (motion.frames, 22, 4) and motion.contacts.shape == (motion.frames, 4)
    assert bool(motion.rotations.isfinite().all()) and bool(motion.root.isfinite().all())
    assert torch.allclose(motion.rotations.norm(dim=-1), torch.ones(()), atol=1e-5)
    assert ((motion.rotations[1:] * motion.rotations[:-1]).sum(-1) > -1e-3).all()  # signs run on


def test_same_seed_same_dance_other_seed_other_dance(model, make_song):
    song = make_song(4.0)
    first, again, other = (generate_dance(model, song, DanceOptions(seed=seed)) for seed in (3, 3, 4))
    assert same(first, again)
    assert rotation.angle(first.motion.rotations, other.motion.rotations).mean() > math.radians(1)
    assert first.metrics == again.metrics


def test_every_song_has_a_noise_of_its_own(model, make_song):
    """One that differs by less than 16 bits hold is the same song, one with a click more is another."""
    song = make_song(2.0)
    nearly = replace(song, samples=(song.samples * 32767).round() / 32767 + 1e-6)
    clicked = replace(song, samples=song.samples.clone().index_fill(0, torch.tensor([100]), 0.01))
    first, second, third = (pipeline.sample_dance(model, one, DanceOptions())[0] for one in (song, nearly, clicked))
    torch.testing.assert_close(first, second, atol=1e-2, rtol=0)
    assert (first - third).abs().mean() > 20 * (first - second).abs().mean()
    seeds = {noise_seed(seed, heard) for seed in (0, 1, LARGEST_SEED) for heard in (b"", b"a", b"b")}
    assert len(seeds) == 9 and all(0 <= seed <= LARGEST_SEED for seed in seeds)


def test_styles_are_named_however_they_are_written():
    known = ("hip-hop", "LA hip-hop", "pop")
    assert parse_style("Hip Hop:3, LA-HIP-HOP", known).tolist() == [0.75, 0.25, 0.0]
    with pytest.raises(FootlightError, match="unknown style 'hop'"):
        parse_style("hop", known)


def test_a_dance_without_a_style_draws_one_by_the_shares(model, make_song):
    styles, shares = ("pop", "salsa", "modern"), (1.0, 3.0, 0.0)
    config = replace(model.config, styles=styles, style_shares=shares)
    drawn = [style_for(config, None, noise_seed(seed)) for seed in range(400)]
    assert set(drawn) == {"pop", "salsa"} and 0.2 < drawn.count("pop") / 400 < 0.3
    assert style_for(config, "modern", 0) == "modern"
    assert style_for(replace(config, style_shares=()), None, 0) is None
    for wrong in ((1.0,), (0.0, 0.0, 0.0), (1.0, -1.0, 1.0)):
        with pytest.raises(FootlightError, match="shares"):
            replace(config, style_shares=wrong)

    one = model.config.styles[0]
    choosy = replace(model, config=replace(model.config, style_shares=(1.0,) + (0.0,) * (len(model.config.styles) - 1)))
    made, asked, free = (generate_dance(m, make_song(2.0), DanceOptions(style=s))
                         for m, s in ((choosy, None), (model, one), (model, None)))  # fmt: skip
    assert made.style == asked.style == one and free.style is None
    assert same(made, asked) and not same(made, free)


def test_a_style_can_condition_more_strongly(model, make_song):
    def dances(strength: float, style: str | None):
        motion = replace(model.config.sampling["motion"], style_strength=strength)
        sampling = {**model.config.sampling, "motion": motion}
        told = replace(model, config=replace(model.config, sampling=sampling))
        return generate_dance(told, make_song(2.0), DanceOptions(style=style))

    style = model.config.styles[0]
    untold, weak, plain, strong = dances(1.0, None), dances(0.0, style), dances(1.0, style), dances(1.6, style)
    assert same(untold, weak) and not same(plain, strong)
    assert same(plain, generate_dance(model, make_song(2.0), DanceOptions(style=style)))


def test_each_style_can_have_a_strength_of_its_own(model):
    sampling = replace(model.config.sampling["motion"], style_strength=1.5, style_strengths={"robot": 0.8})
    told, plain = (style_of(model, "salsa:0.25, robot:0.75", some) for some in (sampling, None))
    assert told[0].tolist() == pytest.approx([1.5 * 0.25, 1.5 * 0.8 * 0.75])
    assert plain[0].tolist() == pytest.approx([0.25, 0.75])


def test_it_dances_longer_than_a_window_from_the_first_second_to_the_last(model, make_song):
    """20 s are 625 latent frames here, the window is 48."""
    made = generate_dance(model, make_song(20.0), DanceOptions(steps=2))
    places = kinematics.forward(made.motion.rotations, made.motion.root)
    speed = places.diff(dim=0).norm(dim=-1).mean(-1) * 30
    for part in (speed[:30], speed[-30:]):
        assert part.mean() > 0.3 * speed.mean()


def test_progress_rises_and_names_its_steps(model, make_song):
    seen: list[tuple[str, float]] = []
    with progress.listen(lambda *told: seen.append(told)):
        generate_dance(model, make_song(2.0), DanceOptions(steps=3))
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    dancing = [fraction for stage, fraction in seen if stage == "Dancing"]
    assert len(dancing) >= 4 and dancing[-1] - dancing[0] == pytest.approx(0.76 * 0.85, abs=0.002)
    assert len({stage for stage, _ in seen}) >= 5


def test_who_cancels_keeps_their_own_gradient_mode(model, make_song):
    def show(stage, _):
        if stage == "Dancing":
            raise InterruptedError

    with pytest.raises(InterruptedError), progress.listen(show):
        generate_dance(model, make_song(2.0))
    assert torch.is_grad_enabled()


def test_every_module_of_a_model_can_be_left(model, make_song):
    """However long a pass through a network takes, there is a report before each of its modules."""
    reports = []
    with progress.listen(lambda *_: None, lambda: reports.append(None)):
        generate_dance(model, make_song(2.0), DanceOptions(steps=3))
    modules = sum(1 for network in (model.autoencoders["music"], model.denoisers["motion"]) for _ in network.modules())
    assert len(reports) > modules


def test_options_do_what_they_say(model, make_song):
    song = make_song(4.0)
    plain = DanceOptions(beat_snap=0)
    base = generate_dance(model, song, plain)
    for change in ({"steps": 7}, {"guidance": 6.0}, {"style": "salsa"}, {"beat_snap": 1.0}):
        assert not same(base, generate_dance(model, song, replace(plain, **change))), change
    assert same(
        generate_dance(model, song, replace(plain, style="Salsa")),
        generate_dance(model, song, replace(plain, style="salsa")),
    )
    salsa, robot = (generate_dance(model, song, replace(plain, style=style)) for style in ("salsa", "robot"))
    assert not same(salsa, robot)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 1001}, "steps is 1001"),
        ({"style": "polka"}, "unknown style 'polka'.*salsa, robot"),
    ],
)
def test_what_this_model_cannot_do_is_refused_before_any_work(model, make_song, change, words):
    with pytest.raises(FootlightError, match=words):
        next(generate_dance(model, make_song(2.0), DanceOptions(**change)))


def test_songs_under_a_second_and_senseless_parts_are_refused(model, make_song, song_file):
    with pytest.raises(FootlightError, match=r"0\.50 s"):
        next(generate_dance(model, make_song(0.5)))
    for start, seconds in ((math.nan, None), (-1.0, None), (0.0, math.inf), (0.0, -2.0)):
        with pytest.raises(FootlightError, match="expected 0 or more seconds"):
            pipeline.read_song(song_file, start, seconds)
    assert pipeline.read_song(song_file, 1.0, 2.0).seconds == pytest.approx(2.0)


def test_finish_puts_kinematic_beats_on_musical_ones_and_feet_on_the_floor():
    """An arm that stops 70 ms after every beat, on a body that hovers and glides."""
    fps, seconds = 31.25, 16.0
    time = torch.arange(round(seconds * fps) + 1) / fps
    swing = 0.9 * torch.cos(2 * math.pi * (time - 0.07))
    rotations = rotation.identity(len(time), 22)
    rotations[:, 16], rotations[:, 17] = rotation.about("z", swing), rotation.about("z", -swing)
    root = torch.stack((0.05 * time, torch.full_like(time, 0.96), torch.zeros_like(time)), -1)
    raw = Motion(rotations, root, fps, torch.ones(len(time), 4))
    beats = Beats(torch.arange(0, seconds, 0.5), 120.0)
    scores = []
    for snap in (0.0, 1.0):
        motion = pipeline.finish(raw, beats, seconds, 30.0, snap)
        assert motion.frames == 480
        scores.append(pipeline.judge(motion, beats))
        assert scores[-1]["skating"] < 0.01
        toes = kinematics.forward(motion.rotations, motion.root)[:, (10, 11), 1]
        assert toes.min() > 0.01 and toes.median() < 0.03
    assert scores[1]["beat"] > scores[0]["beat"] + 0.2
    assert scores[1]["beat"] > 0.8 and scores[1]["beat_f"] > 0.9 > scores[1]["beat_f_chance"]


def test_models_that_cannot_be_used_are_refused(model_folder, make_song, tmp_path):
    with pytest.raises(FootlightError, match="unknown preset 'nonsense'"):
        Model.load("nonsense")
    with pytest.raises(FootlightError, match=r"no config\.json"):
        Model.load(tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(model_folder, broken)
    data = (broken / "denoiser.motion.safetensors").read_bytes()
    (broken / "denoiser.motion.safetensors").write_bytes(data[: len(data) // 2])
    half = Model.load(broken)
    assert set(half.denoisers) == {"motion", "music"} and half.denoisers["music"] is half.denoisers["music"]
    with pytest.raises(FootlightError, match=r"denoiser.motion.safetensors is damaged"):
        generate_dance(half, make_song(2.0))
    (broken / "denoiser.motion.safetensors").unlink()
    with pytest.raises(FootlightError, match=r"denoiser.motion.safetensors is missing"):
        Model.load(broken)


def test_devices_that_are_not_there_are_refused(model_folder):
    assert str(pipeline.find_device("cpu")) == "cpu"
    with pytest.raises(FootlightError, match="there is no device 'abacus'"):
        Model.load(model_folder, "abacus")


def test_the_first_seconds_come_early_and_change_nothing(model, make_song, monkeypatch):
    monkeypatch.setattr(beginning, "SHOWN", 5.0)
    heard, options = pipeline.hear_song(model, make_song(40.0)), DanceOptions(seed=2, fps=24, beat_snap=0.0)
    begun = pipeline.begin_dance(model, heard, options)
    whole = pipeline.dance_to(model, heard, options)
    first = begun.preview
    assert first.motion.frames == 120 and first.motion.fps == 24 and first.style == whole.style
    assert torch.equal(first.beats.times, whole.beats.times) and not first.metrics
    early, late = (kinematics.forward(one.motion.rotations, one.motion.root) for one in (first, whole))
    assert (early - late[:120]).abs().max() < 1e-4  # metres
    assert same(pipeline.dance_to(model, heard, options, begun.memory), whole)
    assert 0.3 < begun.share < 0.5
    assert pipeline.begin_dance(model, pipeline.hear_song(model, make_song(15.0)), options) is None

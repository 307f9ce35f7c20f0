"""The evaluation: statistics against scipy, retrieval, the cache, one pair, and a report from end to end."""

import csv
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from scipy import stats

from core import checkpoint
from core import config as configuration
from core.audio import io
from core.autoencoder.mel_vae import MelVAE
from core.autoencoder.motion_vae import MotionVAE
from core.diffusion.networks import denoiser_of
from core.errors import FootlightError
from core.formats import bvh
from core.metrics import beat, physics
from core.motion import features, kinematics, rotation
from core.motion.skeleton import SMPL22
from core.rhythm.features import analyse
from core.types import Beats, Motion, Waveform
from train import evaluate, prepare, variants
from train.data import synthetic
from train.data.pairing import pairs
from train.data.rates import AUDIO_RATE, MOTION_FPS
from train.evaluation import page, run, statistics
from train.evaluation.cache import Cache, Track
from train.evaluation.dance import genres, measures, retrieval, systems, tables
from train.evaluation.dance.material import Capture, Excerpt, tempo_of
from train.evaluation.dance.measures import Clip
from train.tools import card


def song(bpm: float, seconds: float = 30.0) -> Waveform:
    return Waveform(synthetic.clicks(bpm, seconds, torch.Generator().manual_seed(0)), AUDIO_RATE)


def excerpt(bpm: float, seconds: float = 20.0, number: int = 0) -> Excerpt:
    heard = song(bpm, seconds)
    return Excerpt(f"clicks {bpm:g}", heard, analyse(heard), number)


def swaying(bpm: float, seconds: float, seed: int = 0) -> Motion:
    """Arms and spine that turn round on beats, each time by another amount, on a body that slowly turns and walks."""
    generator = torch.Generator().manual_seed(seed)
    motion = synthetic.swing(bpm, int(seconds * MOTION_FPS), 0.0, 0.8)
    clock = torch.arange(motion.frames) / MOTION_FPS
    size = 0.7 + 0.3 * torch.sin(clock * (0.5 + torch.rand(1, generator=generator)))
    rotations = rotation.slerp(rotation.identity(22).expand_as(motion.rotations), motion.rotations, size[:, None])
    rotations[:, 0] = rotation.about("y", 0.3 * clock + seed)
    root = motion.root + torch.stack((0.1 * clock, 0 * clock, 0.05 * clock), dim=1)
    return Motion(rotations, root, MOTION_FPS, motion.contacts)


@pytest.fixture(scope="module")
def shelf():
    clips = [
        Capture(f"clip {n}", "swing", "train", swaying(bpm, seconds, n))
        for n, (bpm, seconds) in enumerate(((97, 9.0), (104, 8.0), (112, 10.0), (126, 9.0)))
    ]
    return retrieval.Shelf.of(clips, [])


# statistics


def test_the_bootstrap_is_scipys():
    values = np.random.default_rng(3).gamma(2.0, size=23)
    ours = statistics.bootstrap(values, resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, random_state=np.random.default_rng(9)
    ).confidence_interval
    spread = values.std() / np.sqrt(len(values))
    assert ours.mean == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * spread)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * spread)


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    draw = np.random.default_rng(0)
    found = [statistics.bootstrap(draw.normal(size=40), resamples=400) for _ in range(300)]
    covered = np.mean([one.low <= 0 <= one.high for one in found])
    assert 0.90 <= covered <= 0.98


def clip(system: str, song: str, seed: int, value: float) -> Clip:
    made = Track(torch.zeros(4, 22, 3), 30.0)
    return Clip(system, song, seed, Beats(torch.zeros(0)), made, {"score": {"value": value}})


def test_seeds_of_a_song_are_one_unit_and_a_single_song_has_no_width():
    ours = [clip("a", "x", 0, 1.0), clip("a", "x", 1, 3.0), clip("a", "y", 0, 5.0)]
    assert statistics.interval(ours, "score.value").units == 2
    assert statistics.interval(ours, "score.value").mean == pytest.approx(3.5)
    alone = statistics.interval(ours[:2], "score.value")
    assert alone.mean == 2.0 and alone.low is None
    assert statistics.interval(ours, "score.other") is None


def test_differences_are_paired_by_song():
    """Songs differ by far more than the systems do; pairing takes that away, and a song one lacks is not compared."""
    theirs = [clip("b", name, 0, 10.0 * i) for i, name in enumerate("uvwxyz")]
    ours = [clip("a", name, 0, 10.0 * i + 1 + 0.1 * (i % 2)) for i, name in enumerate("uvwxy")]
    found = statistics.difference(ours, theirs, "score.value")
    assert found.units == 5 and found.mean == pytest.approx(1.04)
    assert 0.99 < found.low <= found.high < 1.11
    assert statistics.interval(ours, "score.value").high - statistics.interval(ours, "score.value").low > 10


# systems


def test_words_name_systems_and_their_options():
    assert systems.parse("some/folder=mine@guidance=1.5,steps=8") == systems.Asked(
        "some/folder", "mine", (("guidance", 1.5), ("steps", 8))
    )
    assert systems.parse("some/folder").name == "folder"
    assert systems.parse("slowing@amount=0.4").name == "slowing amount 0.4"
    for word, says in (
        ("default@speed=2", "no option"),
        ("slowing@guidance=2", "no option"),
        ("default@steps=many", "a number"),
        ("default@sampler=euler", "sampler"),
    ):
        with pytest.raises(FootlightError, match=says):
            systems.parse(word)


def test_an_accent_slows_the_body_on_beats_as_much_as_it_is_told_to():
    heard = excerpt(120)
    steady = synthetic.swing(120, int(20 * MOTION_FPS), 0.0, 0.8)
    walking = replace(steady, rotations=rotation.identity(steady.frames, 22), root=steady.root.clone())
    walking.root[:, 0] = torch.arange(steady.frames) / MOTION_FPS  # a metre a second
    clips = [Capture("walk", "walk", "val", walking)]
    beats = heard.beats.times.double().numpy()
    middle = (beats[3:-3] * 60).round().astype(int)
    for amount in (0.0, 0.4):
        made = systems.slowing_system(systems.parse(f"slowing@amount={amount}"), 60.0, clips).dance(heard, 0)
        speed = torch.gradient(made.root[:, 0])[0].numpy() * 60
        assert speed[middle].mean() == pytest.approx(1 - amount, abs=0.05)
        assert made.root[-30, 0] == pytest.approx((made.frames - 30) / 60, abs=0.1)
    with pytest.raises(FootlightError, match="amount"):
        systems.slowing_system(systems.parse("slowing@amount=1"), 60.0, clips)


# retrieval


def test_retrieval_is_on_the_beat_and_as_long_as_the_song(shelf):
    heard = excerpt(104)
    made = retrieval.retrieval_system(systems.parse("retrieval"), 30.0, shelf).dance(heard, 0)
    assert made.fps == 30.0 and made.frames == 600
    strict = measures.beat_measures(made, heard.beats)["f_hits_70ms"]
    assert strict["value"] > 0.8 and strict["value"] > strict["chance"] + 0.4


def test_retrieval_takes_the_nearest_tempo_and_other_seeds_take_others(shelf):
    heard = excerpt(112)
    beats = heard.beats.times.double().numpy()
    chosen = [retrieval.ranked(shelf, beats, np.zeros(80), 20.0, set(), seed).which for seed in range(4)]
    assert shelf.names[chosen[0]] == "clip 2" and len(set(chosen)) == 4
    made = [retrieval.strung(shelf, heard, seed, 0.25) for seed in (0, 0, 1)]
    assert torch.equal(made[0].rotations, made[1].rotations)
    assert not torch.equal(made[0].rotations, made[2].rotations)


def test_joins_keep_every_bone_and_jump_nowhere(shelf):
    heard = excerpt(104, 30.0)
    made = retrieval.strung(shelf, heard, 0, 0.25)
    assert made.seconds > 2 * max(body.motion.seconds for body in shelf.bodies)  # so there are two joins at least
    places = kinematics.forward(made.rotations.double(), made.root.double())
    for joint, parent in enumerate(SMPL22.parents):
        if parent >= 0:
            length = (places[:, joint] - places[:, parent]).norm(dim=-1)
            assert torch.allclose(length, SMPL22.offsets[joint].double().norm().expand_as(length), atol=1e-5)
    alone = [kinematics.forward(body.motion.rotations, body.motion.root) for body in shelf.bodies]
    fastest = max(float(path.diff(dim=0).norm(dim=-1).max()) for path in alone)
    assert float(places.diff(dim=0).norm(dim=-1).max()) < 2 * fastest
    assert torch.equal(made.contacts, made.contacts.clamp(0, 1))


def test_a_song_without_a_beat_is_refused_in_words(shelf):
    silent = excerpt(104)
    silent = replace(silent, heard=replace(silent.heard, beats=Beats(torch.zeros(0))))
    with pytest.raises(FootlightError, match="two beats"):
        retrieval.strung(shelf, silent, 0, 0.25)


# cache


def test_the_cache_gives_back_what_was_made(tmp_path):
    cache = Cache(tmp_path, quiet=True)
    motion = swaying(100, 3.0)
    track = Track(torch.rand(20, 14, 2), 25.0)
    for name, value in (("motion", motion), ("track", track), ("none", None)):
        made = [cache.get(name, lambda value=value: value) for _ in range(2)]
        assert type(made[1]) is type(value)
        if isinstance(value, Motion):
            assert torch.equal(made[1].rotations, value.rotations) and torch.equal(made[1].contacts, value.contacts)
            assert made[1].fps == value.fps
        if isinstance(value, Track):
            assert torch.equal(made[1].positions, value.positions)
    assert (cache.made, cache.found) == (3, 3)
    path = tmp_path / "motion.npz"
    path.write_bytes(path.read_bytes()[:50])
    assert torch.equal(cache.get("motion", lambda: motion).root, motion.root) and cache.made == 4


def test_another_sound_seed_or_system_is_another_dance():
    a, b = excerpt(100), excerpt(101)
    one = systems.System("one", "key", lambda song, seed: None, "")
    other = replace(one, key="other")
    keys = [one.cache_key(a, 0), one.cache_key(b, 0), one.cache_key(a, 1), other.cache_key(a, 0)]
    assert len(set(keys)) == 4 and keys[0] == replace(one, name="renamed").cache_key(excerpt(100), 0)


# scores


def test_flat_positions_are_scored_as_far_as_they_can_be():
    motion, music = swaying(100, 12.0), Beats(torch.arange(1, 20) * 0.6)
    solid = measures.evaluate(motion, music)
    side = kinematics.forward(motion.rotations, motion.root)
    side[..., 2] = 0
    drawn = measures.evaluate(Track(side[..., :2], MOTION_FPS), music)
    assert "physics" in solid and "physics" not in drawn
    whole = measures.evaluate(Track(side, MOTION_FPS), music)
    for name in ("bas_aist", "bas_bailando", "bas_hits", "f_hits_70ms", "momu_hits"):
        assert drawn["beats"][name] == pytest.approx(whole["beats"][name])
    assert measures.flat({"a": {"b": 1.0}, "c": 2.0}) == {"a.b": 1.0, "c": 2.0}


def test_a_genres_reference_knows_its_spread():
    fast, slow = (replace(swaying(bpm, 20.0), contacts=None) for bpm in (150, 75))
    found = genres.reference([Capture("fast", "swing", "val", fast), Capture("slow", "swing", "train", slow)])
    each = [physics.evaluate(motion)["speed"] for motion in (fast, slow)]
    assert found["mean"]["speed"] == pytest.approx(np.mean(each), rel=1e-6)
    assert found["windows"] == 4 and found["seconds"] == pytest.approx(40, abs=0.1)
    assert min(each) * 0.8 < found["low"]["speed"] < found["mean"]["speed"] < found["high"]["speed"] < max(each) * 1.2
    assert genres.ratios(found["mean"], found)["speed"] == pytest.approx(1)


# one pair


def test_one_pair_is_the_metrics_called_by_hand(tmp_path, capsys):
    motion, music = swaying(100, 12.0), song(100, 20.0)
    bvh.write(tmp_path / "dance.bvh", motion, fps=30.0)
    io.write(tmp_path / "song.wav", music)
    args = evaluate.Evaluate(
        motion=tmp_path / "dance.bvh", music=tmp_path / "song.wav", at=2.0, json=tmp_path / "scores.json"
    )
    evaluate.main(args)
    found = json.loads((tmp_path / "scores.json").read_text())
    danced = bvh.read_motion(tmp_path / "dance.bvh")
    heard = analyse(io.read(tmp_path / "song.wav")).beats.shifted(2.0)
    by_hand = beat.evaluate(kinematics.forward(danced.rotations, danced.root), 30.0, heard)
    for name in ("bas_aist", "bas_bailando", "bas_theatre", "f_hits_70ms", "f_hits_100ms"):
        assert found["beats"][name] == pytest.approx(by_hand[name])
    assert found["physics"]["jerk"] == pytest.approx(physics.evaluate(danced)["jerk"])
    shown = capsys.readouterr().out
    assert "chance" in shown and "foot skating" in shown and "bas_aist" in shown
    with pytest.raises(FootlightError, match="--music"):
        evaluate.main(evaluate.Evaluate(motion=args.motion))
    with pytest.raises(FootlightError, match="starts at"):
        evaluate.main(replace(args, at=60.0))


def test_one_pair_of_a_flat_body_has_no_physics(tmp_path, capsys):
    motion = swaying(100, 12.0)
    flat = features.encode(motion, "openpose14-2d").unflatten(-1, (14, 2))
    np.savez(tmp_path / "film.npz", positions=flat.numpy(), fps=motion.fps)
    io.write(tmp_path / "song.wav", song(100, 20.0))
    args = evaluate.Evaluate(motion=tmp_path / "film.npz", music=tmp_path / "song.wav", json=tmp_path / "scores.json")
    evaluate.main(args)
    found = json.loads((tmp_path / "scores.json").read_text())
    assert "physics" not in found and found["seconds"] == pytest.approx(12, abs=0.1)
    assert "bas_aist" in capsys.readouterr().out


# end to end


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A data folder of clicks and swaying bodies, and its prepared pairs."""
    folder = tmp_path_factory.mktemp("source")
    lines = []
    for name, split, bpm in (("a", "train", 84), ("b", "train", 124), ("c", "val", 100), ("d", "val", 112)):
        io.write(folder / f"{name}.wav", song(bpm, 24.0))
        lines.append({"path": f"{name}.wav", "kind": "audio", "split": split, "genre": "clicks", "seconds": 24.0})
    for n, (split, bpm, seconds) in enumerate((("train", 97, 13.0), ("train", 118, 13.0), ("val", 104, 16.0))):
        bvh.write(folder / f"m{n}.bvh", swaying(bpm, seconds, n), fps=60.0)
        lines.append({"path": f"m{n}.bvh", "kind": "motion", "split": split, "genre": "salsa", "group": f"m{n}"})
    (folder / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    data = folder / "prepared"
    prepare.main(prepare.Prepare(folder, data, workers=1, rendered=0, settings=pairs.Settings(rendered_share=0.0)))
    return folder, data


@pytest.fixture(scope="module")
def arguments(source, tmp_path_factory):
    folder, data = source
    return evaluate.Evaluate(
        data=data,
        source=folder,
        systems=("default=ours@steps=1", "slowing", "retrieval"),
        sweep=("snap=0,1",),
        out=tmp_path_factory.mktemp("report"),
        seconds=10.0,
        start=2.0,
        variety=2,
        style_songs=1,
        sheets=1,
    )


@pytest.fixture(scope="module")
def report(arguments):
    return evaluate.main(arguments)


class Page(HTMLParser):
    """Collects what is open, what refers elsewhere, and the text."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.text, self.images = [], [], "", 0

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)
        self.images += tag == "img"
        self.links += [v for k, v in attrs if k in ("src", "href", "srcset", "data", "action") and v[:5] != "data:"]
        assert tag not in ("script", "link", "iframe", "object")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_report_stands_alone(report, arguments):
    text = (arguments.out / "report.html").read_text()
    parsed = Page()
    parsed.feed(text)
    assert not parsed.open and not parsed.links and "@import" not in text and "url(" not in text
    assert parsed.images >= 8
    for title in ("MoMu table 5", "MoMu table 6", "Theatre table 2", "Physics by genre: ours", "Overview"):
        assert title in parsed.text
    for name in ("ours", "slowing", "retrieval", "real", "ours snap 1"):
        assert name in parsed.text


def test_names_of_users_are_shown_as_text(report):
    """Systems, songs, styles, reasons and pictures may be called anything; none of it becomes a tag or an attribute."""
    name = """<b>&"'"""
    crafted = json.loads(json.dumps(report))
    crafted["systems"] = {name + system: row | {"about": name} for system, row in crafted["systems"].items()}
    crafted["songs"] = [song | {"name": name} for song in crafted["songs"]]
    crafted["failures"] = [{"system": name, "song": name, "seed": 0, "reason": name}]
    made, plain = Page(), Page()
    made.feed(page.page(crafted, {name: (b"png", name)}))
    plain.feed(page.page(report, {"name": (b"png", "caption")}))
    assert not made.open and not made.links and made.images == plain.images == 1
    assert made.text.count(name) > len(crafted["systems"]) + len(crafted["songs"])
    assert "<b>" in made.text and "<b>" not in plain.text and "&amp;" not in made.text


def test_the_files_hold_every_dance(report, arguments):
    stored = json.loads((arguments.out / "report.json").read_text())
    rows = list(csv.DictReader((arguments.out / "clips.csv").open()))
    danced = [row for row in rows if row["system"] == "retrieval"]
    assert sorted(row["song"] for row in danced) == ["c", "d"] and len(stored["clips"]) == len(rows)
    mean = np.mean([float(row["beats.bas_hits.calibrated"]) for row in danced])
    assert stored["systems"]["retrieval"]["beats"]["bas_hits"]["calibrated"] == pytest.approx(mean)
    averaged = {row["system"]: row for row in csv.DictReader((arguments.out / "systems.csv").open())}
    assert float(averaged["retrieval"]["beats.bas_hits.calibrated"]) == pytest.approx(mean)
    assert {row["value"] for row in stored["sweeps"]} == {0.0, 1.0}
    assert all(len(row) == len(table.headers) for table in tables.everything(stored) for row in table.rows)
    assert all("{" not in table.note for table in tables.everything(stored))


def test_the_card_takes_its_figures_from_the_report(report):
    lines = card.figures_table(json.loads(json.dumps(report)))
    assert "**Overview**" in lines and "**Physics by genre: ours**" in lines
    for start in (i for i, line in enumerate(lines) if line.startswith("|---")):
        assert lines[start - 1].count("|") == lines[start].count("|") == lines[start + 1].count("|")


def test_capture_is_what_sets_are_measured_against(report):
    """Retrieval is made of training capture: nothing comes nearer to it, and its row says which clip it is."""
    near = {name: report["systems"][name]["copying"]["median"] for name in ("ours", "retrieval")}
    assert near["retrieval"] < near["ours"]
    assert report["systems"]["retrieval"]["copying"]["nearest"]["training"] in ("m0", "m1")
    assert report["systems"]["ours"]["frechet"]["fid_k"] > 0
    assert "classifier" in report["systems"]["ours"]["left_out"]["embedding"]


def test_snapping_more_is_more_on_the_beat(report):
    f = {v: report["systems"][f"ours snap {v}"]["beats"]["bas_hits"]["value"] for v in (0, 1)}
    assert f[1] > f[0]


def test_a_second_run_dances_nothing(report, arguments, monkeypatch):
    def forbidden(*args, **more):
        raise AssertionError("it danced again")

    for place, name in ((systems.pipeline, "dance"), (systems, "accented"), (retrieval, "strung")):
        monkeypatch.setattr(place, name, forbidden)
    again = run.run(arguments, quiet=True)
    assert not again.failures
    assert again.report["systems"]["ours"]["beats"] == report["systems"]["ours"]["beats"]


def test_a_failure_is_named_and_costs_nobody_else(report, arguments, monkeypatch, tmp_path):
    strung = retrieval.strung

    def sometimes(shelf, song, seed, amount):
        if song.name == "c":
            raise RuntimeError("stumbled")
        return strung(shelf, song, seed, amount)

    monkeypatch.setattr(retrieval, "strung", sometimes)
    args = replace(arguments, out=tmp_path, systems=("retrieval", "slowing"), sweep=(), variety=1, sheets=0)
    results = run.run(args, quiet=True)
    assert [(f["system"], f["song"]) for f in results.failures if f["seed"] == 0][:1] == [("retrieval", "c")]
    assert "stumbled" in results.failures[0]["reason"]
    assert [c.song for c in results.clips["retrieval"]] == ["d"] and len(results.clips["slowing"]) == 2
    json.dumps(results.report, allow_nan=False)  # retrieval has a single song, whose interval has no width
    page.write(results, args)
    assert "stumbled" in (tmp_path / "report.html").read_text()


def test_what_cannot_be_evaluated_is_said(arguments):
    for change, says in (
        ({"data": None}, "--data"),
        ({"seeds": 0}, "seeds"),
        ({"systems": ("slowing",), "sweep": ("guidance=1",)}, "sweep"),
        ({"systems": ("slowing", "slowing"), "sweep": ()}, "two systems"),
        ({"systems": ("nonesuch",), "sweep": ()}, "nonesuch"),
    ):
        with pytest.raises(FootlightError, match=says):
            run.run(replace(arguments, **change), quiet=True)


def test_tempo_is_that_of_the_clip():
    times = torch.cat((torch.arange(0, 10, 0.5), torch.arange(10, 20, 0.25)))
    assert tempo_of(Beats(times), 8.0) == pytest.approx(120) and tempo_of(Beats(times[:1]), 8.0) == 0


def test_a_flat_model_is_scored_by_its_joints(tmp_path):
    flat = replace(
        variants.motion_side(configuration.preset("tiny"), layout="openpose14-2d"), scorer=None, vocoder=None
    )
    networks = {
        "mel_vae": MelVAE(flat.mel_vae),
        "motion_vae": MotionVAE(flat.motion_vae, flat.signal.motion_layout),
        "denoiser": denoiser_of(flat.denoiser),
    }
    checkpoint.save_folder(tmp_path / "flat", flat, {name: net.state_dict() for name, net in networks.items()})
    system = systems.model_system(systems.parse(f"{tmp_path / 'flat'}=flat@steps=1"), 30.0, {})
    made = system.dance(excerpt(100, 6.0), 0)
    assert made.positions.shape == (round(6 * 31.25), 14, 2) and made.fps == 31.25
    assert bool(made.positions.isfinite().all())

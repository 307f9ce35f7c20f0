"""Music in the evaluation: composers and scores on clicks whose answers are known, and a report from end to end."""

import csv
import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core import pipeline
from core.audio import io
from core.errors import FootlightError
from core.formats import bvh
from core.formats.motion import clip_of
from core.metrics import audio
from core.motion import kinematics
from core.types import Beats, Waveform
from train import evaluate, prepare
from train.data import synthetic
from train.data.dataset import load_song_records
from train.data.pairing import pairs
from train.data.rates import AUDIO_RATE, MOTION_FPS
from train.evaluation.cache import Cache, Music, Together
from train.evaluation.dance import measures, systems
from train.evaluation.music import composers, duets, judge, scenes
from train.evaluation.music import tables as music_tables
from train.evaluation.music.scenes import Scene, TrainingMusic
from train.evaluation.performance import Performance


def clicks(bpm: float, seconds: float, late: float = 0.0) -> Music:
    """A metronome whose first click comes ``late`` seconds after the beginning."""
    sound = synthetic.clicks(bpm, seconds + late, torch.Generator().manual_seed(0)).roll(round(late * AUDIO_RATE))
    return Music.of(Waveform(sound[: round(seconds * AUDIO_RATE)], AUDIO_RATE))


def scene(bpm: float, seconds: float = 16.0, number: int = 0) -> Scene:
    """A body that arrives on every click of its music."""
    clip = clip_of(synthetic.swing(bpm, round(seconds * MOTION_FPS), 0.0, 0.8))
    grid = Beats(torch.arange(0, seconds, 60 / bpm, dtype=torch.float64), bpm)
    return Scene(f"swing {bpm:g}", f"swing {bpm:g}", "swing", number, clip, clicks(bpm, seconds), grid)


def scored(where: Scene, music: Music) -> dict:
    return composers.scores_of(where, music, composers.track_beats(music.sound))


# scores


def test_music_on_the_beat_is_far_above_the_same_music_half_a_beat_later():
    where = scene(120)
    on, late = scored(where, where.music), scored(where, clicks(120, 16.0, late=0.25))
    for name in ("f_hits", "f_grid", "f_beats_grid", "f_reference"):
        assert on[name]["calibrated"] > 0.8, name
        assert late[name]["value"] < 0.2 and late[name]["calibrated"] < 0, name
    assert on["tempo"]["any"] == late["tempo"]["any"] == 1  # a shift leaves the tempo as it is
    assert on["loris_reference"]["bcs"] == on["loris_reference"]["bhs"] == 1


def test_a_metronome_of_another_tempo_saturates_the_bins_and_fails_the_strict_f():
    where = scene(120)
    found = scored(where, clicks(100, 16.0))
    assert found["loris_reference"]["bcs"] == found["loris_reference"]["bhs"] == 1
    assert found["loris_reference"]["saturated"] is True
    assert found["f_reference"]["value"] < 0.5 and abs(found["f_reference"]["calibrated"]) < 0.3
    assert found["tempo"]["any"] == 0


def test_half_and_double_tempo_are_the_same_tempo_and_half_the_beat():
    where = scene(80)
    assert scored(where, clicks(160, 16.0))["tempo"]["any"] == 1
    half = scored(scene(140), clicks(70, 16.0))
    assert half["tempo"]["any"] == 1 and half["f_grid"]["value"] == pytest.approx(2 / 3, abs=0.05)


# composers


def test_moved_music_keeps_every_sample_and_loses_the_beat():
    where = scene(120)
    found = [composers.moved(where.music, seed) for seed in range(8)]
    assert all(torch.equal(music.wave.sort().values, where.music.wave.sort().values) for music in found)
    mean = np.mean([scored(where, music)["f_hits"]["calibrated"] for music in found])
    assert mean < 0.4 < 0.8 < scored(where, where.music)["f_hits"]["calibrated"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Clicks of many tempi and bodies that swing, prepared with their sound."""
    folder = tmp_path_factory.mktemp("source")
    lines = []
    for name, split, bpm in (
        ("a", "train", 84),
        ("b", "train", 101),
        ("c", "train", 124),
        ("d", "val", 100),
        ("e", "val", 112),
    ):
        io.write(folder / f"{name}.wav", clicks(bpm, 24.0, late=0.2).sound)
        lines.append({"path": f"{name}.wav", "kind": "audio", "split": split, "genre": "clicks", "seconds": 24.0})
    for n, (split, bpm) in enumerate((("train", 97), ("val", 104), ("val", 112))):
        bvh.write(folder / f"m{n}.bvh", synthetic.swing(bpm, round(12 * MOTION_FPS), 0.0, 0.8), fps=60.0)
        lines.append({"path": f"m{n}.bvh", "kind": "motion", "split": split, "genre": "salsa", "group": f"m{n}"})
    (folder / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    data = folder / "prepared"
    settings = pairs.Settings(rendered_share=0.0)
    prepare.main(prepare.Prepare(folder, data, workers=1, rendered=0, waveforms=True, settings=settings))
    return folder, data


def test_the_nearest_song_has_the_tempo_of_the_dance_and_can_begin_on_its_beat(source):
    training = TrainingMusic(source[1])
    where = scene(99, 12.0)
    line = training.nearest(where.pulse.tempo, 12.0, 0)
    assert line["tempo"] == pytest.approx(101, abs=1)
    assert training.nearest(where.pulse.tempo, 12.0, 3) == line  # after the last comes the first
    song = load_song_records(source[1], "train", waveforms=True, only=line["id"])[0]
    starts = []
    for wanted in (0.0, 0.4, 1.0):
        music = training.excerpt(line, wanted, 12.0, first_beat=0.5)
        assert len(music.wave) == 12 * AUDIO_RATE
        places = (song.wave == music.wave[0]).nonzero()[:, 0].tolist()
        begun = next(n for n in places if torch.equal(song.wave[n : n + 12 * AUDIO_RATE], music.wave)) / AUDIO_RATE
        assert float((song.beats[song.downbeats] - (begun + 0.5)).abs().min()) < 1e-3
        starts.append(begun)
    latest = len(song.wave) / AUDIO_RATE - 12.0
    assert starts[0] < 0.4 * latest <= starts[1] < starts[2] <= latest, "the next place from where it was wanted"
    with pytest.raises(FootlightError, match="no training song"):
        training.nearest(100.0, 60.0, 0)


def test_music_on_the_first_beat_beats_music_from_anywhere(source):
    """At the very tempo of the dance only the beginning matters."""
    where = scene(101, 12.0)
    anywhere, on_beat = composers.tempo_composers(TrainingMusic(source[1]))
    score = {
        name: np.mean([scored(where, one.compose(where, 3 * n))["f_grid"]["calibrated"] for n in range(4)])
        for name, one in (("anywhere", anywhere), ("on beat", on_beat))
    }
    assert score["on beat"] > score["anywhere"] + 0.2 and score["on beat"] > 0.5


def test_the_unconditional_model_hears_nothing_of_the_motion(model_folder):
    model = pipeline.Model.load(model_folder, "cpu")
    first, second = scene(120, 4.0), scene(90, 4.0)
    made = [composers.unconditional(model, where, 7, 2) for where in (first, second)]
    assert torch.equal(made[0].wave, made[1].wave) and len(made[0].wave) == 4 * AUDIO_RATE
    assert not torch.equal(made[0].wave, composers.unconditional(model, first, 8, 2).wave)


def test_scenes_come_one_of_each_clip_first(source):
    takes = [SimpleNamespace(motion_name=clip, band=band) for clip in "abc" for band in (0, 1, 2)]
    order = scenes.spread(takes)
    assert sorted(map(id, order)) == sorted(map(id, takes))
    for start in (0, 3, 6):  # every clip and every band in each round
        assert {one.motion_name for one in order[start : start + 3]} == set("abc")
        assert {one.band for one in order[start : start + 3]} == {0, 1, 2}
    found = scenes.scenes(source[1], 30.0)
    for one in found:
        assert one.clip.fps == 30.0 and one.seconds == pytest.approx(one.music.seconds, abs=0.05)
    assert [one.name for one in scenes.scenes(source[1], 30.0, 1)] == [found[0].name]


@pytest.mark.parametrize("tempo", [80.0, 100.0, 120.0, 140.0])
def test_a_dance_can_be_played_at_any_tempo(tempo):
    motion = scenes.at_tempo(scene(104, 16.0), tempo)
    assert motion.seconds == pytest.approx(16 * 104 / tempo, abs=0.1)
    positions = kinematics.forward(motion.rotations, motion.root)
    found = audio.kinematic_beats(positions, motion.fps).times
    assert 60 / float(found.diff().median()) == pytest.approx(tempo, rel=0.02)


# duets


def heard(name: str, bpm: float) -> duets.Heard:
    where = scene(bpm)
    return duets.Heard(name, where.clip.motion, where.music, composers.track_beats(where.music.sound))


def test_a_duet_scores_above_one_whose_music_was_swapped():
    made = [heard("a", 104), heard("b", 126), heard("c", 88)]
    own, other = duets.clips_of("own", made), duets.swapped("swapped", made)
    for path in ("beats.f_hits_70ms.calibrated", "music.f_hits.calibrated"):
        assert min(measures.look_up(clip.scores, path) for clip in own) > 0.7
        assert max(measures.look_up(clip.scores, path) for clip in other) < 0.35
    assert own[0].scores["other_song"]["f_hits_70ms"] == other[0].scores["beats"]["f_hits_70ms"]
    assert duets.swapped("swapped", made[:1]) == []


def test_random_lengths_are_within_their_bounds_and_the_same_every_time():
    found = duets.lengths(40)
    assert found == duets.lengths(40) and min(found) >= 10 and max(found) <= 30 and len(set(found)) > 30


def test_the_best_switch_is_the_one_that_agrees(monkeypatch):
    """Dances and clicks that agree at a switch of 0.5, are a little off at 0.6, and strangers elsewhere."""

    def performed(found, seconds, stage, title, switch, beat_snap):
        late = {0.5: 0.0, 0.6: 0.02}.get(switch, 0.3)
        made = []
        for n, bpm in enumerate((100.0, 112.0, 124.0)):
            where, music = scene(bpm), clicks(bpm, 16.0, late=late)
            beats = where.grid.shifted(-late)
            made.append(duets.Heard(f"duet {n}", where.clip.motion, music, beats))
        return made

    monkeypatch.setattr(duets, "performed", performed)
    monkeypatch.setattr(duets.sets.Reference, "against", lambda self, motions: {})
    silent = judge.Judge(None, None, None)
    monkeypatch.setattr(judge.Judge, "of_sets", lambda self, given: {})
    found = duets.switch_sweep(
        duets.Inventor("x", None, None, ""), (0.3, 0.5, 0.6), 3, None, duets.sets.Reference([]), silent
    )
    assert [row["switch"] for row in found["rows"]] == [0.6, 0.5, 0.3, 0.0]
    assert found["best"] == 0.5 and 0.3 not in found["tied"]


# words and the cache


def test_words_of_composers_and_inventors():
    asked = systems.parse("default=mine@guidance=2,switch=0.4", systems.DUET)
    assert asked.name == "mine" and asked.chosen({"snap": "beat_snap"}) == {"guidance": 2.0, "switch": 0.4}
    with pytest.raises(FootlightError, match="no option 'snap'"):
        systems.parse("default@snap=0.5", systems.SCORER)
    assert systems.parse("slowing", systems.SCORER).kind == systems.SCORER


def test_the_cache_keeps_scores_and_duets(tmp_path):
    cache = Cache(tmp_path, quiet=True)
    music = replace(clicks(100, 2.0), mel=torch.randn(125, 80).half())
    both = Together(synthetic.swing(100, 60, 0.0, 0.8), music)
    for name, value in (("music", music), ("both", both)):
        cache.get(name, lambda value=value: value)
        again = cache.get(name, lambda: pytest.fail("made anew"))
        heard_again = again if name == "music" else again.music
        assert (
            type(again) is type(value) and torch.equal(heard_again.wave, music.wave) and heard_again.rate == AUDIO_RATE
        )
        assert torch.equal(heard_again.mel, music.mel)
    assert torch.equal(again.motion.rotations, both.motion.rotations) and again.motion.fps == both.motion.fps
    assert torch.equal(Music.of(music.sound).wave, music.wave)  # what is heard is what a file would hold


# end to end


@pytest.fixture(scope="module")
def arguments(source, model_folder, tmp_path_factory):
    folder, data = source
    return evaluate.Evaluate(
        data=data,
        source=folder,
        systems=(),
        scores=(f"{model_folder}=ours@steps=2",),
        duets=(f"{model_folder}=ours@steps=2",),
        motions=2,
        duet_count=2,
        switches=(0.5,),
        tempos=(100.0, 120.0),
        tempo_dances=1,
        out=tmp_path_factory.mktemp("report"),
        seconds=8.0,
    )


@pytest.fixture(scope="module")
def report(arguments):
    return evaluate.main(arguments)


def test_every_composer_has_a_row_beside_chance_and_real(report):
    found = report["music"]["systems"]
    expected = {"real", "ours", "ours, Griffin-Lim", "ours, shifted", "ours, unconditional"}
    assert set(found) == expected | {composers.NEAREST, composers.NEAREST_ON_BEAT} and not report["failures"]
    for row in found.values():
        assert {"value", "chance", "calibrated"} <= set(row["scores"]["f_hits"])
        assert row["scores"]["loris_reference"]["saturated"] is True and row["fad"]["patches"] >= 10
    assert found["real"]["scores"]["f_reference"]["value"] == 1
    assert found["real"]["scores"]["f_beats_grid"]["calibrated"] > 0.8
    assert len({row["fad"]["patches"] for row in found.values()}) == 1  # sets of like size
    assert "difference" not in found["ours"] and "f_hits.calibrated" in found["real"]["difference"]
    json.dumps(report, allow_nan=False)


def test_duets_tempos_and_decoding_are_in_the_report(report):
    music = report["music"]
    assert {"ours, 25 s", "ours, 25 s, swapped", "ours, 10–30 s", "ours, 10–30 s, swapped", "real"} == set(
        music["duets"]
    )
    assert [row["switch"] for row in music["switch"]["rows"]] == [0.5, 0.0] and music["switch"]["best"] == 0.5
    assert len(music["tempo"]["dances"]["ours"]) == 2
    ways = music["decoding"]["ours"]
    assert ways["Griffin-Lim"]["mel_l1"]["mean"] < ways["autoencoder + vocoder"]["mel_l1"]["mean"]
    assert ways["Griffin-Lim"]["onset_f"]["mean"] > 0.8  # clicks survive it


class Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.images = "", 0

    def handle_starttag(self, tag, attrs):
        self.images += tag == "img"
        assert all(value.startswith("data:") for name, value in attrs if name == "src")

    def handle_data(self, data):
        self.text += data


def test_the_page_and_the_files_hold_it_all(report, arguments):
    page = Text()
    page.feed((arguments.out / "report.html").read_text())
    for title in ("Music from motion", "MoMu table 2", "MoMu table 10", "Tempo", "What decoding costs", "saturated"):
        assert title in page.text
    assert page.images >= 4 and "Overview" not in page.text
    stored = json.loads((arguments.out / "report.json").read_text())
    assert all(len(row) == len(table.headers) for table in music_tables.everything(stored) for row in table.rows)
    assert all("{" not in table.note for table in music_tables.everything(stored))
    rows = list(csv.DictReader((arguments.out / "music.csv").open()))
    ours = [float(row["f_hits.calibrated"]) for row in rows if row["system"] == "ours"]
    assert len(ours) == 2
    assert stored["music"]["systems"]["ours"]["scores"]["f_hits"]["calibrated"] == pytest.approx(np.mean(ours))
    assert (arguments.out / "duets.csv").is_file() and (arguments.out / "figures" / "switch.png").is_file()


def test_a_second_run_composes_nothing(report, arguments, monkeypatch):
    def forbidden(*args, **more):
        raise AssertionError("it played again")

    for name in ("score", "duet"):
        monkeypatch.setattr(pipeline, name, forbidden)
    monkeypatch.setattr(composers, "unconditional", forbidden)
    again = evaluate.run.run(replace(arguments, switches=()), quiet=True)
    assert not again.failures
    for name in ("ours", "ours, unconditional"):
        assert again.report["music"]["systems"][name] == report["music"]["systems"][name]


def test_what_cannot_play_is_said(arguments, source, tmp_path):
    dances_only = arguments.scores[0].partition("=")[0]
    for change, says in (
        ({"scores": ("nonesuch",)}, "nonesuch"),
        ({"scores": (f"{dances_only}=a", f"{dances_only}=a")}, "two meanings"),
        ({"duets": (f"{dances_only}=a@switch=2",)}, "switch"),
        ({"duet_count": 1}, "duet_count"),
        ({"scores": (f"{dances_only}=a@steps=0",)}, "steps"),
    ):
        with pytest.raises(FootlightError, match=says):
            evaluate.run.run(replace(arguments, **change), quiet=True)


def test_one_failing_composer_costs_nobody(source, tmp_path):
    def stumbles(where, seed):
        raise RuntimeError("stumbled")

    stage = Performance(Cache(tmp_path, quiet=True))
    bad = composers.Composer("bad", "", stumbles)
    where = scene(100, 8.0)
    assert composers.scored(bad, [where], 2, stage) == []
    assert [f["reason"] for f in stage.failures] == ["RuntimeError: stumbled"] * 2
    good = composers.scored(composers.real_composer(), [where], 1, stage)
    assert len(good) == 1 and math.isfinite(good[0].scores["f_hits"]["calibrated"])

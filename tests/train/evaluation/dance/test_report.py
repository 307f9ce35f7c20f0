"""A report, from end to end."""

import csv
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from core import checkpoint
from core import config as configuration
from core.audio import io
from core.autoencoder.networks import autoencoder_of
from core.diffusion.networks import denoiser_of
from core.errors import FootlightError
from core.formats import bvh
from core.metrics.classifier import Classifier, ClassifierConfig, MotionClassifier
from core.types import Beats
from tests.train.evaluation.material import excerpt, prepared_takes, song, swaying
from train import evaluate, prepare, variants
from train.data.pairing import pairs
from train.evaluation import page, run
from train.evaluation.dance import retrieval, systems, tables
from train.evaluation.dance.material import tempo_of
from train.tools import card


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
        systems=("default=ours@steps=3", "slowing", "retrieval"),
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
    for title in (
        "MoMu table 5",
        "MoMu table 6",
        "Theatre table 2",
        "Physics by genre: ours",
        "Overview",
        "Footwork by genre: ours",
    ):
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


def test_what_a_new_model_must_not_lose_is_compared(report):
    table = tables.differences(report)
    assert {row[0] for row in table.rows} == {"slowing", "retrieval", "ours snap 0", "ours snap 1"}
    for title in ("F 70 ms", "other song", "FID k", "FID g", "wrong bends", "still", "frozen"):
        assert all("[" in row[table.headers.index(title)] for row in table.rows), title


def test_form_is_measured_as_far_as_a_dance_has_sections(report):
    """Ten seconds hold two sections of eight beats, too few for an order. The val pair of 16 s has three."""
    ours = report["systems"]["ours"]
    assert "form" not in ours
    shown = tables.form(report)
    assert shown is not None and [row[:2] for row in shown.rows] == [("real", "1 / 3.0")]
    known = {"mean": 0.25, "low": 0.125, "high": 0.5, "units": 9}
    row = {"form": {"sections": 5.5}, "intervals": {f"form.{name}": known for name in ("correlation", "above")}}
    row |= {"difference": {"form.correlation": known}}
    shown = tables.form({"systems": {"a": row, "b": ours}, "compared_with": "c"})
    assert shown is not None and shown.headers[-1] == "against c"
    assert shown.rows == (("a", "9 / 5.5", "+0.25 [+0.12, +0.50]", "–", *["+0.25 [+0.12, +0.50]"] * 2),)


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
    (style,) = report["capture"]["copied"]
    for shown in (report["capture"]["copied"], report["systems"]["ours"]["copied"]):
        assert shown[style]["windows"] > 0 and shown[style]["median"] >= shown[style]["p5"] > 0
    assert "Copying by style" in [table.title for table in tables.everything(report)]
    assert report["systems"]["ours"]["frechet"]["fid_k"] > 0
    assert "classifier" in report["systems"]["ours"]["left_out"]["embedding"]


def test_snapping_more_is_more_on_the_beat(report):
    """By how near the moves are, for hits within 70 ms may all be there without snapping."""
    near = {v: report["systems"][f"ours snap {v}"]["beats"]["bas_bailando"]["value"] for v in (0, 1)}
    assert near[1] > near[0]


def test_takes_of_aist_and_a_classifier_add_what_they_can_tell(arguments, tmp_path):
    network = MotionClassifier(ClassifierConfig(classes=2, width=8))
    Classifier(network, ("salsa", "other"), 1.0, {"salsa": 1.0}, {"salsa": 1}, 1.0).save(tmp_path / "classifier")
    more = {"aist": prepared_takes(tmp_path), "classifier": tmp_path / "classifier", "out": tmp_path}
    args = replace(arguments, systems=("slowing",), sweep=(), variety=2, sheets=0, **more)
    found = json.loads(json.dumps(run.run(args, quiet=True).report))
    assert list(found["aist"]["rows"]) == ["motion capture", "slowing"] and found["aist"]["takes"] == 2
    assert "AIST++ subset: MoMu table 5" in [table.title for table in tables.everything(found)]
    assert list(found["capture"]["told"]) == ["salsa"] and found["capture"]["classes"] == 2
    assert found["systems"]["slowing"]["intervals"]["embedding.diversity_inter"]["units"] == 2


def test_a_second_run_dances_nothing(report, arguments, monkeypatch):
    def forbidden(*args, **more):
        raise AssertionError("it danced again")

    for place, name in ((systems.pipeline, "dance"), (systems, "slowed"), (retrieval, "strung")):
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
    flat = variants.motion_side(configuration.preset("tiny"), layout="openpose14-2d")
    flat = replace(variants.with_scorer(flat, False), vocoder=None)
    networks = {f"autoencoder.{name}": autoencoder_of(modality) for name, modality in flat.modalities.items()}
    networks["denoiser.motion"] = denoiser_of(flat.denoisers["motion"])
    checkpoint.save_folder(tmp_path / "flat", flat, {name: net.state_dict() for name, net in networks.items()})
    system = systems.model_system(systems.parse(f"{tmp_path / 'flat'}=flat@steps=1"), 30.0, {})
    made = system.dance(excerpt(100, 6.0), 0)
    assert made.positions.shape == (round(6 * 31.25), 14, 2) and made.fps == 31.25
    assert bool(made.positions.isfinite().all())

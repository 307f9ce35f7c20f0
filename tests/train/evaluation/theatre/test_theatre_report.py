"""A comparison of theatres from end to end, with a tiny model of random weights."""

import csv
import json

import pytest

from core.audio import io
from core.errors import FootlightError
from tests.train.evaluation.material import prepared_takes, song
from train import evaluate
from train.evaluation.cache import Cache
from train.evaluation.dance import material, systems
from train.evaluation.performance import Performance
from train.evaluation.theatre import report, scenes, tables

SECONDS = 6.0


@pytest.fixture(scope="module")
def arguments(theatre_folder, model_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    lines = []
    for name, bpm in (("a", 100), ("b", 125)):
        io.write(folder / f"{name}.wav", song(bpm, SECONDS))
        lines.append({"path": f"{name}.wav", "kind": "audio", "split": "val", "genre": "clicks", "seconds": SECONDS})
    (folder / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    data = folder / "prepared"
    data.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(material, "SHORTEST_PAIR", 3.0)
        patch.setattr(report, "DANCER", f"{model_folder}=default@steps=2")
        patch.setattr(report, "DRAWS", 20)
        yield evaluate.Evaluate(
            data=prepared_takes(data),
            source=folder,
            theatre=(f"{theatre_folder}=ours@steps=2", f"{theatre_folder}=arriving@steps=2,accent=arrive"),
            dancers=(f"{model_folder}=other@steps=3",),
            out=folder / "report",
            seconds=SECONDS,
            demo_seconds=0.0,
        )


@pytest.fixture(scope="module")
def made(arguments):
    return evaluate.main(arguments)


def test_capture_theatres_baselines_and_controls_are_compared(made):
    assert list(made["systems"]) == [
        "capture, struck",
        "capture, arriving",
        "ours",
        "ours, no look",
        "default dance, light by ours",
        "default dance, rules",
        "default dance, rules alone",
        "arriving",
        "other dance, rules",
        "ours, light shifted",
        "ours, light of another dance",
        "default dance, light of another dance",
        "ours, random show",
        "default dance, rules shifted",
    ]
    assert made["judge"] == "ours" and made["theatres"] == ["ours", "arriving"] and not made["failures"]
    for name, row in made["systems"].items():
        known = row["intervals"]
        assert {"bas.calibrated", "ms", "voa", "cmc.value", "sci.right"} <= known.keys(), name
        assert known["ms"]["units"] == (3 if name.startswith("capture") else 2)
        assert ("fid" in row["frames"]) != name.startswith("capture"), name
    ours, shifted = (made["systems"][name]["intervals"] for name in ("ours", "ours, light shifted"))
    for path in ("bas.value", "ms", "voa"):  # the same dances
        assert ours[path]["mean"] == shifted[path]["mean"]
    assert ours["cmc.value"]["mean"] != shifted["cmc.value"]["mean"]
    answering = {name for name, row in made["systems"].items() if "light.answer.value" in row["intervals"]}
    assert answering == {"ours", "default dance, light by ours", "default dance, rules"}


def test_rules_write_in_the_look_that_was_asked_for_and_all_is_written(made, arguments):
    with (arguments.out / "theatre.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(row["acts"] for row in made["systems"].values())
    assert {row["look"] for row in rows if row["system"] == "ours"} == {"disco", "noir"}
    assert json.loads((arguments.out / "theatre.json").read_text())["systems"] == made["systems"]
    names = {path.stem for path in (arguments.out / "figures").glob("*.png")}
    assert names == {
        "theatre_4_energy",
        "theatre_5_similarity",
        "theatre_6_baselines",
        "theatre_7_ablations",
        "theatre_at_a_glance",
    }


def test_tables_have_a_cell_for_every_column_and_say_who_judges(made):
    for table in tables.everything(made):
        assert table.rows and all(len(row) == len(table.headers) for row in table.rows), table.title
    assert "ours" in tables.table_2(made).note


def test_a_second_run_makes_nothing_anew(made, arguments):
    cache = Cache(arguments.out / "cache", quiet=True)
    again = report.run(arguments, arguments.data, arguments.source, cache)
    assert cache.made == 0 and again.report["systems"] == made["systems"]


def test_the_demo_song_has_known_sections():
    scene = scenes.demo_scene(("noir",), 20.0, 3)
    assert scene.sections is not None and float(scene.sections.min()) > 0
    assert scene.look == "noir" and scene.band == "middle"  # 112 beats a minute


def test_what_is_no_theatre_is_refused(model_folder, theatre_folder, tmp_path):
    stage = Performance(Cache(tmp_path, quiet=True))
    for words, message in (
        ((f"{theatre_folder}=a", f"{theatre_folder}=a"), "two theatres are called"),
        ((f"{theatre_folder}=a@accent=jump",), "accent is jump"),
        ((str(model_folder),), "theatre|light"),
    ):
        with pytest.raises(FootlightError, match=message):
            report.company(words, (), 30.0, stage)
    with pytest.raises(FootlightError, match="no option 'switch'"):
        systems.parse("folder@switch=1", systems.THEATRE)

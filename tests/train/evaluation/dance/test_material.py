"""What dances are compared with: captures as the index of a data folder names them."""

import json
from pathlib import Path

import pytest

from tests.train.evaluation.material import swaying
from train.data.motion.sources import Source
from train.evaluation.cache import Cache
from train.evaluation.dance import material


@pytest.fixture
def takes(tmp_path, monkeypatch) -> Path:
    """A data folder of four takes, all of which load as the same movement."""
    kinds = {"dances": {}, "stands": {"static": True}, "fights": {"genre": "martial arts"}, "broken": {}}
    lines = []
    for name, told in kinds.items():
        (tmp_path / f"{name}.bvh").write_text(name)
        lines.append({"path": f"{name}.bvh", "kind": "motion", "genre": "aist lock", "split": "train", **told})
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def load(path: Path, entry: dict) -> Source:
        return Source(swaying(100.0, 2.0), {"dropped": path.stem == "broken"})

    monkeypatch.setattr(material, "load_source", load)
    return tmp_path


def test_takes_that_stand_still_are_no_measure_of_a_dance(takes, tmp_path):
    found = material.captures(takes, 30.0, Cache(tmp_path / "cache"))
    assert [(clip.name, clip.style) for clip in found] == [("dances", "lock")]

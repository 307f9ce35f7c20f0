"""The shipped model makes the dances, scores and duets it always made.

A golden file holds what thirteen requests gave when it was written. The songs are integers, so the seeds drawn from
them are the same on every computer: seeds, styles, lengths and weights are compared exactly. Networks round otherwise
on another processor, so movement, sound and beats are compared within a tolerance, and the networks run in float32.

``python -m tests.core.test_shipped_model`` says what differs from the file and by how much, and writes it anew. Do that
when another model ships, and say so.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core import pipeline
from core.edits.parts import parse_parts
from core.formats.motion import clip_of
from core.metrics import physics
from core.motion import kinematics
from core.pipeline import DanceOptions, DuetOptions, Model, ScoreOptions
from core.pipeline import model as loading
from core.pipeline.choices import noise_seed
from core.pipeline.edit import Edit, edit_dance, sample_edit, stretch_of, targets_of
from core.types import Waveform

GOLDEN = Path(__file__).parents[1] / "golden" / "shipped_model.json"
RATE = 16_000
SAMPLED = 8  # frames of each dance, and pieces of each score
BANDS = 8  # that the mel's 80 are averaged to

DANCES = {
    "plain": (0, 6, {}),
    "another seed": (0, 6, {"seed": 7}),
    "another song": (1, 6, {"seed": 7}),
    "salsa": (0, 6, {"seed": 3, "style": "salsa", "fps": 24.0}),
    "a mixture": (1, 6, {"seed": 3, "style": "salsa:0.6,pop:0.4", "beat_snap": 0.8}),
    "fine": (0, 6, {"seed": 3, "style": "salsa", "quality": "fine"}),
    "windows": (1, 15, {"seed": 5, "steps": 4, "guidance": 2.0}),
}
SCORES = {"plain": {"steps": 8}, "another seed": {"seed": 4, "steps": 8}, "salsa": {"style": "salsa", "steps": 8}}
DUETS = {
    "plain": {"steps": 8},
    "late": {"seed": 2, "steps": 8, "switch": 0.25},
    "salsa": {"style": "salsa", "steps": 8},
}


def song(which: int, seconds: int) -> Waveform:
    """Drums and a bass at 120 or 100 beats a minute, of whole numbers: the same samples everywhere."""
    beat, state = (8000, 9600)[which], 12_345 + which
    samples = np.zeros(seconds * RATE, np.int64)
    for number, start in enumerate(range(0, len(samples), beat // 2)):
        length = min(2000, len(samples) - start)
        fall = 2000 - np.arange(length)
        noise = np.empty(length, np.int64)
        for i in range(length):
            state = (1_103_515_245 * state + 12_345) % 2**31
            noise[i] = (state >> 16) % 2001 - 1000
        loud = (6, 2, 4, 2)[number % 4]
        samples[start : start + length] += noise * fall * loud // 2000
        period = (160, 120, 200, 144)[number // 4 % 4]
        samples[start : start + length] += (
            np.where(np.arange(length) % period < period // 2, 3000, -3000) * fall // 2000
        )
    return Waveform(torch.from_numpy(samples.clip(-32_767, 32_767).astype(np.float32) / 32_767), RATE)


@cache
def model() -> Model:
    return Model.load()


def places(motion, count: int = SAMPLED) -> list:
    """Joint positions (count, 22, 3) of frames spread over a motion, in whole millimetres."""
    at = torch.linspace(0, motion.frames - 1, count).round().long()
    found = kinematics.forward(motion.rotations[at], motion.root[at])
    return (1000 * found).round().int().tolist()


def picture(mel) -> list:
    """A log-mel (t, 80) as ``SAMPLED`` pieces of ``BANDS`` bands, in hundredths of a neper."""
    pieces = torch.stack([piece.mean(0) for piece in mel.tensor_split(SAMPLED)])
    return (100 * pieces.unflatten(1, (BANDS, -1)).mean(2)).round().int().tolist()


def dance_values(made) -> dict:
    motion = made.motion
    return {
        "frames": motion.frames,
        "fps": motion.fps,
        "style": made.style,
        "beats": [round(1000 * time) for time in made.beats.times.tolist()],
        "places": places(motion),
    }


def score_values(made) -> dict:
    beats = [round(1000 * time) for time in made.beats.times.tolist()]
    return {"samples": len(made.sound.samples), "beats": beats, "mel": picture(made.mel)}


def measure_dance(name: str) -> dict:
    which, seconds, options = DANCES[name]
    return dance_values(pipeline.generate_dance(model(), song(which, seconds), DanceOptions(**options)))


def measure_score(name: str) -> dict:
    motion = pipeline.generate_dance(model(), song(0, 6), DanceOptions()).motion
    return score_values(pipeline.score_motion(model(), clip_of(motion), ScoreOptions(**SCORES[name])))


def measure_duet(name: str) -> dict:
    made = pipeline.generate_duet(model(), DuetOptions(seconds=6.0, **DUETS[name]))
    return {"dance": dance_values(made.dance), "music": score_values(made.music)}


def digests() -> list[str]:
    """Of every tensor of the shipped model, in the order of the digests: whatever networks and tensors are called."""
    found = []
    for path in (loading.PRETRAINED / "default").glob("*.safetensors"):
        values = (value.reshape(-1).view(torch.uint8).numpy() for value in load_file(path).values())
        found += [hashlib.sha256(value.tobytes()).hexdigest()[:16] for value in values]
    return sorted(found)


def seeds() -> list[int]:
    samples = (song(0, 2).samples * 32_767).round().to(torch.int16).numpy().tobytes()
    return [noise_seed(seed, heard) for seed in (0, 1, 2**40) for heard in (b"", samples)]


@pytest.fixture(autouse=True)
def in_float32(monkeypatch):
    monkeypatch.setattr(loading, "native_half", lambda device: None)


@pytest.fixture(scope="module")
def golden() -> dict:
    return json.loads(GOLDEN.read_text())


def agree_on_dance(found: dict, wanted: dict) -> None:
    for name in ("frames", "fps", "style"):
        assert found[name] == wanted[name], name
    np.testing.assert_allclose(found["beats"], wanted["beats"], atol=12)  # ms: a frame of the tracker
    apart = np.linalg.norm(np.subtract(found["places"], wanted["places"]), axis=-1)  # mm
    assert np.median(apart) < 2 and np.quantile(apart, 0.95) < 20, (np.median(apart), apart.max())


def agree_on_score(found: dict, wanted: dict) -> None:
    assert found["samples"] == wanted["samples"]
    np.testing.assert_allclose(found["beats"], wanted["beats"], atol=12)
    apart = np.abs(np.subtract(found["mel"], wanted["mel"]))
    assert np.median(apart) <= 2 and np.quantile(apart, 0.95) <= 20, (np.median(apart), apart.max())


def test_weights_and_seeds_are_the_same_to_the_bit(golden):
    assert digests() == golden["digests"]
    assert seeds() == golden["seeds"]


@pytest.mark.parametrize("name", DANCES)
def test_dances(name, golden):
    agree_on_dance(measure_dance(name), golden["dances"][name])


@pytest.mark.parametrize("name", SCORES)
def test_scores(name, golden):
    agree_on_score(measure_score(name), golden["scores"][name])


@pytest.mark.parametrize("name", DUETS)
def test_duets(name, golden):
    found, wanted = measure_duet(name), golden["duets"][name]
    agree_on_dance(found["dance"], wanted["dance"])
    agree_on_score(found["music"], wanted["music"])


def test_a_golden_dance_differs_from_others(golden):
    """The tolerance is no blank cheque: another seed or style fails it."""
    plain = golden["dances"]["plain"]
    agree_on_dance(plain, plain)
    for other in ("another seed", "salsa"):
        with pytest.raises(AssertionError):
            agree_on_dance({**plain, "places": golden["dances"][other]["places"]}, plain)
    plain, other = (np.array(golden["scores"][name]["mel"]) for name in ("plain", "another seed"))
    assert np.quantile(np.abs(plain - other), 0.95) > 20


@torch.no_grad()
def test_an_edit_is_near_to_what_it_keeps_before_that_is_copied():
    heard = pipeline.hear_song(model(), song(1, 12))
    base = pipeline.dance_to(model(), heard, DanceOptions())
    edit = Edit(base.motion, 120, 240, parse_parts("upper"))
    stretch = stretch_of(model(), edit, heard)
    targets = targets_of(model(), stretch, edit)
    drawn = sample_edit(model(), heard, stretch, edit, targets, DanceOptions(seed=1), base.style)
    assert float(targets.kept_error(drawn)) < 0.01  # metres
    assert float((drawn - targets.features)[~targets.kept].abs().max()) > 0.5  # the rest is another movement


@torch.no_grad()
def test_feet_slide_no_more_in_edits_than_in_their_dances():
    """Eight edits: the share of contact frames in which a toe slides."""
    slides: dict[str, list[float]] = {"edit": [], "base": []}
    for which in (0, 1):
        heard = pipeline.hear_song(model(), song(which, 12))
        base = pipeline.dance_to(model(), heard, DanceOptions())
        for parts in ("all", "lower"):
            for seed in (1, 2):
                edit = Edit(base.motion, 120, 240, parse_parts(parts))
                made = edit_dance(model(), heard, edit, DanceOptions(seed=seed), base.style)
                for name, motion in (("edit", made.motion), ("base", base.motion)):
                    places = kinematics.forward(motion.rotations, motion.root)[120:240]
                    slides[name].append(physics.foot_skating(places, motion.fps))
    assert sum(slides["edit"]) < 1.1 * sum(slides["base"])


def leaves(document: dict, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested dicts, each with the names that lead to it."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}, ")
        else:
            yield prefix + name, value


UNITS = {"places": "mm", "beats": "ms", "mel": "hundredths of a neper"}


def difference(name: str, found: Any, wanted: Any) -> str:
    """How far a value is from the one in the file."""
    unit = UNITS.get(name.split(", ")[-1])
    if unit is not None and np.shape(found) == np.shape(wanted):
        apart = np.abs(np.subtract(found, wanted))
        if unit == "mm":
            apart = np.linalg.norm(apart, axis=-1)
        return f"{np.median(apart):.0f} {unit} in the median, {apart.max():.0f} at most"
    if isinstance(found, list):
        kept = (Counter(found) & Counter(wanted)).total() if unit is None else 0
        return f"{len(wanted)} values became {len(found)}, of which {kept} are the same"
    return f"{wanted} became {found}"


def differences(found: dict, wanted: dict) -> list[str]:
    """What differs from the file, a line each; none where nothing does."""
    new, old = dict(leaves(found)), dict(leaves(wanted))
    told = [f"{name}: is {'new' if name in new else 'gone'}" for name in sorted(new.keys() ^ old.keys())]
    return told + [
        f"{name}: {difference(name, new[name], old[name])}" for name in new if new[name] != old.get(name, new[name])
    ]


def test_what_a_new_file_changes_is_told(golden):
    assert differences(golden, golden) == []
    other = copy.deepcopy(golden)
    dance = other["dances"]["plain"]
    dance["places"][0][0] = [part + step for part, step in zip(dance["places"][0][0], (3, 0, 4), strict=True)]
    dance["style"] = "tango"
    other["digests"][0] = "0" * 16
    del other["duets"]["late"]
    style, tensors = golden["dances"]["plain"]["style"], len(golden["digests"])
    lines = differences(other, golden)
    assert f"dances, plain, style: {style} became tango" in lines
    assert "dances, plain, places: 0 mm in the median, 5 at most" in lines
    assert f"digests: {tensors} values became {tensors}, of which {tensors - 1} are the same" in lines
    gone = [line for line in lines if line.endswith("is gone")]
    assert len(lines) == 3 + len(gone) and all(line.startswith("duets, late, ") for line in gone) and gone


def write() -> None:
    """Write the golden file anew, and print what changes in it."""
    loading.native_half = lambda device: None
    document = {"digests": digests(), "seeds": seeds()}
    document["dances"] = {name: measure_dance(name) for name in DANCES}
    document["scores"] = {name: measure_score(name) for name in SCORES}
    document["duets"] = {name: measure_duet(name) for name in DUETS}
    told = differences(document, json.loads(GOLDEN.read_text()))
    print("\n".join(told) or "nothing has changed")
    GOLDEN.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write()

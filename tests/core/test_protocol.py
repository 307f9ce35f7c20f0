"""Requests and events: their bounds, and through JSON and back."""

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from core import protocol
from core.errors import FootlightError
from core.protocol import (
    BeatsDone,
    Cancelled,
    DanceDone,
    DanceOptions,
    DancePreview,
    DanceRequest,
    Done,
    DuetDone,
    DuetOptions,
    DuetRequest,
    Failed,
    LightDone,
    LightOptions,
    LookDone,
    Progress,
    Ready,
    Sampling,
    ScoreDone,
    ScoreRequest,
    TheatreDone,
    TheatreRequest,
)

ROOT = Path(__file__).parents[2]
BEATS = {"beats": (0.5, 1.0), "downbeats": (True, False), "tempo": 120.0}
DANCE = {"frames": 60, "fps": 24.0, "metrics": {"beat": 0.5}, "style": None}
EVENTS = [
    Ready(version="1", protocol=protocol.PROTOCOL, device="cpu"),
    Progress(id="a", stage="Dancing", fraction=0.25),
    Done(id=3),
    BeatsDone(id=4, **BEATS),
    DanceDone(id=5, out="a.npz", **DANCE, **BEATS),
    ScoreDone(id=6, out="a.wav", seconds=2.0, rate=16_000, metrics={}, **BEATS),
    DuetDone(id=7, out_motion="a.npz", out_music="a.wav", seconds=2.5, rate=16_000, **DANCE, **BEATS),
    LightDone(id=9, out="a.json", frames=47, fps=15.625, sections=(0.0,), look="noir", metrics={}, **BEATS),
    TheatreDone(
        id=10,
        out="a.npz",
        out_light="a.json",
        look="noir",
        accent="strike",
        light_metrics={"flashes": 2.0},
        **DANCE,
        **BEATS,
    ),
    LookDone(id=11, look="noir"),
    Cancelled(id=8),
    Failed(id=None, kind="input", message="no such file"),
    DancePreview(id=2, out="a.npz", frames=900, fps=30.0, style="pop"),
]


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (Sampling, {"seed": -1}, r"seed is -1; expected 0 to 2\^63 - 1"),
        (Sampling, {"seed": 2**63}, "seed is 9223372036854775808"),
        (LightOptions, {"seed": -1}, "seed is -1"),
        (Sampling, {"quality": "draft"}, "quality is draft; expected normal or fine"),
        (Sampling, {"steps": 0}, "steps is 0; expected 1 or more"),
        (Sampling, {"guidance": 20.5}, "guidance is 20.5; expected 0 to 20"),
        (Sampling, {"guidance": math.inf}, "guidance is inf"),
        (DanceOptions, {"fps": 0.0}, "fps is 0; expected 1 to 240 frames per second"),
        (DanceOptions, {"fps": math.nan}, "fps is nan"),
        (DanceOptions, {"fps": 1e9}, "fps is 1e\\+09"),
        (DanceOptions, {"beat_snap": 1.5}, "beat snap is 1.5; expected 0 to 1"),
        (DanceOptions, {"moves": "AA-B"}, "moves is AA-B; expected 1 to 16 letters"),
        (DanceOptions, {"moves": "A A"}, "moves is A A; expected 1 to 16 letters"),
        (DanceOptions, {"moves": ""}, "moves is empty; expected 1 to 16 letters"),
        (DanceOptions, {"moves": "\N{GREEK CAPITAL LETTER ALPHA}B"}, "expected 1 to 16 letters"),
        (DanceOptions, {"moves": "ABCDEFGHIJKLMNOPQ"}, "moves is ABCDEFGHIJKLMNOPQ; expected 1 to 16 letters"),
        (DuetOptions, {"seconds": 4.9}, "seconds is 4.9; expected 5 to 240 seconds"),
        (DuetOptions, {"seconds": 240.1}, "seconds is 240.1"),
        (DuetOptions, {"switch": 1.1}, "switch is 1.1; expected 0 to 1"),
        (DanceRequest, {"song": "a", "out": "b", "start": -1.0}, "start is -1; expected 0 or more seconds"),
        (DanceRequest, {"song": "a", "out": "b", "seconds": math.inf}, "seconds is inf"),
        (ScoreRequest, {"motion": "a", "out": "b", "fps": 0.5}, "fps is 0.5"),
    ],
)
def test_a_number_out_of_bounds_makes_no_request(kind, values, message):
    with pytest.raises(FootlightError, match=message):
        kind(**values)


def test_moves_are_up_to_sixteen_letters_capitals_or_not():
    for moves in ("A", "aabC", "ABCDEFGHIJKLMNOP"):
        assert DanceOptions(moves=moves).moves == moves


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (DanceRequest, {"out": "b", "free_form": True}, "in free form nothing is; leave one of them out"),
        (TheatreRequest, {"out": "b", "free_form": True}, "in free form nothing is; leave one of them out"),
        (DanceRequest, {"out": "b", "edit": "a.npz"}, "moves are those of a new dance"),
        (TheatreRequest, {"out_light": "b", "motion": "a.npz"}, "the motion is given, so no moves are made"),
    ],
)
def test_moves_are_refused_where_none_are_repeated(kind, given, message):
    """Free form alone, an edit and a given dance are what they were."""
    assert kind(song="a", **given).moves is None
    with pytest.raises(FootlightError, match=message):
        kind(song="a", moves="AABB", **given)


@pytest.mark.parametrize("kind", protocol.REQUESTS.values())
def test_bounds_are_of_the_request(kind):
    given = {field.name: "x" for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING}
    if kind is TheatreRequest:
        given["out"] = "x"  # one of two places that are needed
    for field in dataclasses.fields(kind):
        rule = protocol.rule(kind, field.name)
        assert rule.help and rule.help[0] + rule.help[-1] != rule.help[0].upper() + "."
        for bound in (rule.least, rule.most):
            if bound is not None:
                assert getattr(kind(**given, **{field.name: bound}), field.name) == bound


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_survive_the_wire(event):
    assert protocol.event_from_json(json.loads(json.dumps(protocol.event_to_json(event)))) == event


def test_every_request_has_its_answer_and_every_event_is_tried():
    assert {type(event).type for event in EVENTS} == set(protocol.EVENTS)
    assert {event.op for event in EVENTS if isinstance(event, Done)} - {None} == set(protocol.ANSWERS)
    assert set(protocol.REQUESTS) - set(protocol.ANSWERS) == {"free"}


@pytest.mark.parametrize(
    "request_",
    [
        DanceRequest(song="a.wav", out="b.npz", seed=2**63 - 1, style="salsa:0.5", seconds=3.0, moves="aabc"),
        DuetRequest(out_motion="a", out_music="b", seconds=5.0, guidance=2.0, mono=True),
        protocol.FreeRequest(),
    ],
)
def test_requests_survive_the_wire(request_):
    message = json.loads(json.dumps(protocol.request_to_json(7, request_)))
    assert (message["id"], message["op"]) == (7, request_.op)
    assert protocol.request_from_json(message) == request_


def test_what_is_left_out_has_its_default_and_whole_numbers_are_numbers():
    read = protocol.request_from_json({"id": 1, "op": "dance", "song": "a", "out": "b", "fps": 24})
    assert read == DanceRequest(song="a", out="b", fps=24.0) and isinstance(read.fps, float)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speed": 2}, "dance: unknown field 'speed'"),
        ({"song": 5}, "dance.song: expected str, got 5"),
        ({"song": None}, "dance.song: expected str, got None"),
        ({"seed": 1.5}, r"dance.seed: expected int, got 1\.5"),
        ({"seed": True}, "dance.seed: expected int, got True"),
        ({"fps": "24"}, "dance.fps: expected float, got '24'"),
        ({"steps": -3}, "steps is -3; expected 1 or more"),
    ],
)
def test_ill_made_requests_are_refused_by_the_name_of_the_field(change, message):
    with pytest.raises(FootlightError, match=message):
        protocol.request_from_json({"id": 1, "op": "dance", "song": "a", "out": "b", **change})


def test_a_missing_field_and_an_ill_made_event_are_refused():
    with pytest.raises(FootlightError, match="dance: the field 'out' is missing"):
        protocol.request_from_json({"id": 1, "op": "dance", "song": "a"})
    done = protocol.event_to_json(EVENTS[4])
    for change, message in (
        ({"beats": 3}, "done.beats: expected a list, got 3"),
        ({"beats": [0.5, "x"]}, r"done.beats\[1\]: expected float, got 'x'"),
        ({"metrics": [1]}, r"done.metrics: expected an object, got \[1\]"),
        ({"metrics": {"beat": "good"}}, "done.metrics.beat: expected float, got 'good'"),
    ):
        with pytest.raises(FootlightError, match=message):
            protocol.event_from_json({**done, **change})


def test_it_loads_neither_torch_nor_numpy():
    code = "import sys, core.protocol, core.arguments; sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_name_is_found_however_it_is_written():
    known = ("hip-hop", "LA hip-hop", "street jazz", "own é", "Hip Hop", "-")
    asked = {"HipHop": "hip-hop", "hip_hop": "hip-hop", "LA HIP HOP": "LA hip-hop", "Street-Jazz": "street jazz"}
    asked |= {"Hip Hop": "Hip Hop", "OWN É": "own é", "-": "-", "--": None, "": None, "jazz": None}
    assert {name: protocol.named(name, known) for name in asked} == asked

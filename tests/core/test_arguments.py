"""Every option of a command line is a field of a request, with its default, its bounds and its help."""

import argparse
import dataclasses

import pytest

from core import arguments, cli, protocol
from core.protocol import DanceOptions, DanceRequest, DuetOptions, DuetRequest, ScoreRequest

MADE = (DanceRequest, ScoreRequest, DuetRequest)


def options_of(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {action.dest: action for action in parser._actions if action.dest != "help"}


def command(name: str) -> dict[str, argparse.Action]:
    commands = next(a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction))
    return options_of(commands.choices[name])


def agree(action: argparse.Action, kind: type, field: str) -> None:
    rule, default = protocol.rule(kind, field), protocol.default(kind, field)
    assert action.help.startswith(rule.help) and rule.expected in action.help, field
    assert action.default == (None if default is dataclasses.MISSING else default), field


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.op)
def test_the_command_line_offers_what_the_request_takes(kind):
    offered = command(kind.op)
    fields = {field.name for field in dataclasses.fields(kind)}
    assert set(offered) == fields | {"model", "device", "json"}
    for name in fields:
        agree(offered[name], kind, name)


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.op)
def test_what_is_not_said_is_the_requests_default(kind):
    files = {"dance": ["a.wav", "--out", "b.npz"], "score": ["a.bvh", "--out", "b.wav"]}
    said = files.get(kind.op, ["--out-motion", "a.npz", "--out-music", "b.wav"])
    args = cli.parser().parse_args([kind.op, *said])
    given = {field.name: getattr(args, field.name) for field in dataclasses.fields(kind)}
    assert arguments.request_of(kind, args) == kind(
        **{name: value for name, value in given.items() if protocol.default(kind, name) is dataclasses.MISSING}
    )


def test_a_command_line_becomes_its_request():
    words = "duet --out-motion a.npz --out-music ./b.wav --seconds 12 --mono --guidance 2 --switch 0.7 --midi c.mid"
    assert arguments.request_of(DuetRequest, cli.parser().parse_args(words.split())) == DuetRequest(
        out_motion="a.npz", out_music="b.wav", seconds=12.0, mono=True, guidance=2.0, switch=0.7, midi="c.mid"
    )


def test_help_states_bounds_and_defaults():
    assert (
        arguments.help_text(DanceOptions, "fps") == "frame rate of the dance (1 to 240 frames per second, default 30)"
    )
    assert arguments.help_text(DanceOptions, "steps") == "denoising steps (1 or more, default: the model's own)"
    assert arguments.help_text(DanceOptions, "quality").endswith("(normal or fine, default normal)")
    assert arguments.help_text(DuetRequest, "mono") == "one channel instead of two"
    assert arguments.help_text(DanceOptions, "moves").endswith("(1 to 16 letters, default: as dancers of the style do)")


def test_the_batch_offers_the_same(monkeypatch):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch.command import RATE
    from blender_addon.batch.options import options

    offered = options_of(options(""))
    for name in ("seed", "seconds", "steps", "guidance", "style"):
        agree(offered[name], DanceRequest, name)
    for name, kind, field in (("fps", DanceOptions, "fps"), ("beat_snap", DanceOptions, "beat_snap")):
        assert offered[name].default is None  # not said is another thing than said as the default is
        assert arguments.help_text(kind, field) in offered[name].help
    assert protocol.rule(DuetOptions, "seconds").expected in offered["duet"].help
    assert DanceOptions.fps == RATE

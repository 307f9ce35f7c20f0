"""The commands and their options, and the program that runs one."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from core import __version__, arguments
from core.cli import commands
from core.cli.beats import print_beats
from core.cli.shown import say, show_any_name
from core.errors import FootlightError, collected_warnings, one_line
from core.protocol import BeatsRequest, DanceRequest, DuetRequest, LightRequest, ScoreRequest, TheatreRequest, rule

BAD_INPUT = 2  # exit code, that of argparse's and tyro's own refusals too
INTERRUPTED = 130  # exit code
_MODEL = "a model folder, or the name of an embedded model (default: default)"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = _Parser(prog="footlight", description="Generate dances for music and music for dances.")
    top.add_argument("--version", action="version", version=f"footlight {__version__}")
    choices = top.add_subparsers(
        dest="command",
        required=True,
        metavar="dance|score|duet|theatre|light|looks|beats|styles|bench",
        parser_class=_Parser,
    )

    def command(
        name: str, run: Callable[[argparse.Namespace], None], help: str, description: str
    ) -> argparse.ArgumentParser:
        made = choices.add_parser(name, help=help, description=description)
        made.set_defaults(run=run)
        return made

    made = {
        DanceRequest: ("generate a dance to a song", commands.dance),
        ScoreRequest: ("generate music for a motion", commands.score),
        DuetRequest: ("generate a dance and its music together", commands.duet),
        TheatreRequest: ("generate a dance and its stage light together, or one for the other", commands.theatre),
    }
    for kind, (purpose, run) in made.items():
        one = command(kind.op, run, purpose, f"{purpose.capitalize()}.")
        arguments.add_options(one, kind)
        _add_running(one)

    purpose = "write stage light for a song"
    light = command("light", commands.light, purpose, f"{purpose.capitalize()}, by the rules of a look.")
    arguments.add_options(light, LightRequest)
    _add_json(light)
    command(
        "looks", commands.looks, "looks that --look accepts", "Print the looks, one per line, and what they are for."
    )

    beats = command("beats", print_beats, "beats of a song or a motion", "Print beats as JSON.")
    motions = rule(ScoreRequest, "motion").help
    beats.add_argument("file", type=Path, help=f"a song ({rule(BeatsRequest, 'song').help}), or a motion ({motions})")
    beats.add_argument("--fps", type=float, help=rule(ScoreRequest, "fps").help)
    beats.add_argument(
        "--out", type=Path, metavar="BEATS.json", help="write the beats of a song to a file, to be corrected"
    )

    styles = command(
        "styles", commands.styles, "styles that --style accepts", "Print the model's styles, one per line."
    )
    styles.add_argument("--model", help=_MODEL)

    timed = command("bench", commands.bench, "how fast this computer is", "Time dances to a song that is made for it.")
    timed.add_argument("song", nargs="?", help="a song of yours: says how long a dance to it will take")
    timed.add_argument("--seconds", type=float, help="the same for a song of this length (default 180)")
    timed.add_argument("--steps", type=int, help=arguments.help_text(DanceRequest, "steps"))
    _add_running(timed)
    return top


def _add_running(one: argparse.ArgumentParser) -> None:
    one.add_argument("--model", help=_MODEL)
    one.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    _add_json(one)


def _add_json(one: argparse.ArgumentParser) -> None:
    one.add_argument("--json", action="store_true", help="progress and result as JSON lines on standard output")


def main(words: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code."""
    show_any_name()
    args = parser().parse_args(words)
    try:
        with collected_warnings() as args.warnings:
            args.run(args)
        sys.stdout.flush()
        for warning in args.warnings:
            print(f"footlight {args.command}: warning: {one_line(warning)}", file=sys.stderr)
    except FootlightError as error:
        message = one_line(str(error))
        if getattr(args, "json", False):
            say(type="error", message=message)
        print(f"footlight {args.command}: {message}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has closed the pipe, as head does
    return 0

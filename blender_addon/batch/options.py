"""The options of the batch's command line, in groups."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path
from typing import NoReturn

from ..shared import FootlightError, arguments, protocol, thinning
from ..stage import film

LARGEST_SIDE = 16384


class Parser(argparse.ArgumentParser):
    """One line for what is wrong, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def options(description: str) -> Parser:
    """What reads the command line. Options that exclude each other are not its matter."""
    parser = Parser(
        prog="render_batch",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "inputs", nargs="*", type=Path, metavar="SONG", help="any sound that Blender plays; with --score, a .blend"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--skip-existing", action="store_true", help="skip what was made before, from the same")
    _add_music(parser)
    _add_dance(parser)
    _add_scene(parser)
    _add_light(parser)
    _add_film(parser)
    _add_process(parser)
    return parser


def _add_music(parser: Parser) -> None:
    """Options of music and duets."""
    group = parser.add_argument_group("music instead of a dance")
    group.add_argument("--score", action="store_true", help="make music for the animation in each .blend")
    arguments.add_option(
        group,
        protocol.DuetOptions,
        "seconds",
        flag="--duet",
        dest="duet",
        metavar="SECONDS",
        default=None,
        help=f"make dances with their music, so long ({protocol.rule(protocol.DuetOptions, 'seconds').expected})",
    )
    group.add_argument("--count", type=_count, help="how many of them; the seeds count up from --seed (default 1)")


def _add_dance(parser: Parser) -> None:
    """Options of what is made."""
    group = parser.add_argument_group("what is made")
    for name in ("seed", "seconds"):
        arguments.add_option(group, protocol.DanceRequest, name)
    arguments.add_option(group, protocol.DanceRequest, "beats", metavar="FILE")
    group.add_argument("--dance", type=Path, metavar="FILE", help="the SONG's dance, an .npz file made before")
    rate = arguments.help_text(protocol.DanceOptions, "fps")
    arguments.add_option(group, protocol.DanceOptions, "fps", default=None, help=f"{rate}; 29.97 is 30 / 1.001")
    for name in ("quality", "steps", "guidance"):
        arguments.add_option(group, protocol.DanceOptions, name)
    arguments.add_option(group, protocol.DanceOptions, "beat_snap", default=None)
    arguments.add_option(group, protocol.DanceOptions, "free_form")
    arguments.add_option(group, protocol.DanceOptions, "moves", metavar="LETTERS")
    arguments.add_option(group, protocol.DanceOptions, "style", metavar="NAME[:WEIGHT,...]")
    group.add_argument(
        "--keys",
        type=_keys,
        default=thinning.EVERY_FRAME,
        metavar="N|DEG:MM",
        help="a key on every Nth frame, or as few as a tolerance allows, for example 1:5; on every frame unless given",
    )


def _add_scene(parser: Parser) -> None:
    """Options of a scene that is the user's."""
    group = parser.add_argument_group("a scene of your own")
    group.add_argument("--blend", type=Path, metavar="FILE", help="the scene to dance in, instead of the bundled one")
    group.add_argument("--armature", metavar="NAME", help="who dances there; the only armature unless given")


def _add_light(parser: Parser) -> None:
    """Options of stage light."""
    group = parser.add_argument_group("stage light")
    group.add_argument(
        "--look",
        metavar="NAME|FILE",
        help=f"light the dance: {protocol.rule(protocol.LightOptions, 'look').help}; with --dataset several",
    )
    group.add_argument("--show", type=Path, metavar="FILE", help="light the SONG's dance by a SHOW.json made before")
    group.add_argument(
        "--theatre",
        action="store_true",
        help="let the model make dance and light together; with --dance or --show, the other one for it",
    )
    arguments.add_option(group, protocol.TheatreOptions, "accent", metavar="strike|arrive")
    group.add_argument(
        "--dataset",
        type=_count,
        metavar="COUNT",
        help="instead of a scene, so many small pictures of random moments from random cameras, and what they show",
    )


def _add_film(parser: Parser) -> None:
    """Options of the film."""
    group = parser.add_argument_group("the film")
    group.add_argument("--render", action="store_true", help="also make a film with sound")
    group.add_argument(
        "--engine",
        choices=tuple(film.ENGINES),
        help="workbench unless given, eevee for a lit stage; cycles where OpenGL is missing or too slow; drawn is fast "
        "without it (bundled dancer only)",
    )
    group.add_argument(
        "--resolution", type=_resolution, metavar="WxH", help="1280x720 unless given, or what your own scene has"
    )
    group.add_argument("--frames", type=_frames, metavar="FIRST:LAST", help="of the film, for example 1:300")
    group.add_argument(
        "--within", type=_positive, metavar="SECONDS", help="make the film smaller or plainer if it would take longer"
    )


def _add_process(parser: Parser) -> None:
    """Options of the engine's process."""
    group = parser.add_argument_group("the engine process")
    group.add_argument("--model", metavar="FOLDER", help="a model folder; the embedded model unless given")
    group.add_argument("--python", type=Path, metavar="FILE", help="the Python that runs it; .venv's unless given")
    group.add_argument("--device", help="auto, cpu, cuda or mps")


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 1 or more")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text}: expected a number above 0")
    return value


def _resolution(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (4 <= width <= LARGEST_SIDE and 4 <= height <= LARGEST_SIDE):
        raise argparse.ArgumentTypeError(f"{text}: expected WIDTHxHEIGHT in pixels, for example 1280x720")
    return width, height


def _frames(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if not found or int(found[1]) > int(found[2]):
        raise argparse.ArgumentTypeError(f"{text}: expected FIRST:LAST, for example 1:300")
    return int(found[1]), int(found[2])


def _keys(text: str) -> thinning.Spacing:
    try:
        numbers = [float(part) for part in text.split(":")]
        if len(numbers) == 2:
            return thinning.Spacing(tolerance=thinning.Tolerance(*numbers), smooth=True)
        return thinning.Spacing(every=int(text), smooth=int(text) > 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: expected N, or DEGREES:MILLIMETRES, for example 2 or 1:5") from None
    except FootlightError as error:
        raise argparse.ArgumentTypeError(str(error)) from None

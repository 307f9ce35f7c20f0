"""The command line of the batch."""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ..errors import UserError
from ..shared import FootlightError, arguments, protocol, thinning
from ..stage import film
from . import opengl

ROOT = Path(__file__).resolve().parents[2]
LARGEST_SIDE = 16384
RATE = protocol.DanceOptions.fps


@dataclass(frozen=True)
class Item:
    """One of the things to make. label: its name in the table; stem: of its results' names; source: the song or the
    scene that it is made from, None for a duet."""

    label: str
    stem: str
    source: Path | None
    seed: int


class _Parser(argparse.ArgumentParser):
    """One line for what is wrong, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parse(words: list[str], description: str) -> argparse.Namespace:
    """The command line. Ends the program with one line and the code 2 for anything that makes no sense."""
    parser = _parser(description)
    args = parser.parse_args(words)
    _check_numbers(parser, args)
    args.out = args.out.absolute()
    args.own = bool(args.blend or args.score)  # the scenes are the user's
    args.lit = bool(args.show or args.look or args.theatre)
    if args.out.exists() and not args.out.is_dir():
        parser.error(f"--out {args.out}: this is a file; give a folder")
    _check_inputs(parser, args)
    _check_scene(parser, args)
    _check_light(parser, args)
    pictures = args.render or args.dataset
    if (args.engine and not pictures) or ((args.resolution or args.frames or args.within) and not args.render):
        parser.error("--engine, --resolution, --frames and --within are about the film: ask for it by --render")
    if args.own and args.engine == "drawn":
        parser.error("--engine drawn knows the bundled dancer and its stage only: choose another for your own scene")
    args.items = items(args)
    stems: dict[str, Item] = {}
    for item in args.items:
        if other := stems.get(item.stem):
            parser.error(f"{other.source} and {item.source} would both be {item.stem}.blend: rename one of them")
        stems[item.stem] = item
    args.engine = _engine(parser, args) if pictures else "eevee" if args.lit else "workbench"
    return args


def _engine(parser: _Parser, args: argparse.Namespace) -> str:
    """The engine that is asked for, or the best that this machine has, with a word about it."""
    if args.engine in film.WITHOUT_OPENGL:
        return args.engine
    usual, name = ("eevee", "EEVEE") if args.lit else ("workbench", "Workbench")
    missing = opengl.lacking()
    if missing and args.engine:
        parser.error(
            f"--engine {args.engine} needs {missing}: {opengl.REMEDY}, or render with --engine cycles or drawn"
        )
    if missing:
        print(f"{name} needs {missing}; rendering with Cycles, which takes longer. To have it, {opengl.REMEDY}.")
        if args.render and not args.own:
            print("--engine drawn needs no OpenGL and is much faster than Cycles.")
        return "cycles"
    if not args.engine and args.lit and opengl.is_slow():
        print("OpenGL is calculated by the processor here, where Cycles is faster than EEVEE; rendering with Cycles.")
        return "cycles"
    return args.engine or usual


def items(args: argparse.Namespace) -> list[Item]:
    """What is asked for, in order."""
    if args.duet:
        seeds = range(args.seed, args.seed + args.count)
        return [Item(f"duet {seed}", f"duet_{seed}", None, seed) for seed in seeds]
    ending = f"_score_{args.seed}" if args.score else ""
    return [Item(path.name, path.stem + ending, path, args.seed) for path in args.inputs]


def _parser(description: str) -> _Parser:
    parser = _Parser(
        prog="render_batch",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "inputs", nargs="*", type=Path, metavar="SONG", help="any sound that Blender plays; with --score, a .blend"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--skip-existing", action="store_true", help="skip what is there already")
    other = parser.add_argument_group("music instead of a dance")
    other.add_argument("--score", action="store_true", help="make music for the animation in each .blend")
    arguments.add_option(
        other,
        protocol.DuetOptions,
        "seconds",
        flag="--duet",
        dest="duet",
        metavar="SECONDS",
        default=None,
        help=f"make dances with their music, so long ({protocol.rule(protocol.DuetOptions, 'seconds').expected})",
    )
    other.add_argument("--count", type=_count, help="how many of them; the seeds count up from --seed (default 1)")
    dance = parser.add_argument_group("what is made")
    for name in ("seed", "seconds"):
        arguments.add_option(dance, protocol.DanceRequest, name)
    arguments.add_option(dance, protocol.DanceRequest, "beats", metavar="FILE")
    dance.add_argument("--dance", type=Path, metavar="FILE", help="the SONG's dance, an .npz file made before")
    rate = arguments.help_text(protocol.DanceOptions, "fps")
    arguments.add_option(dance, protocol.DanceOptions, "fps", default=None, help=f"{rate}; 29.97 is 30 / 1.001")
    for name in ("quality", "steps", "guidance"):
        arguments.add_option(dance, protocol.DanceOptions, name)
    arguments.add_option(dance, protocol.DanceOptions, "beat_snap", default=None)
    arguments.add_option(dance, protocol.DanceOptions, "style", metavar="NAME[:WEIGHT,...]")
    dance.add_argument(
        "--keys",
        type=_keys,
        default=thinning.EVERY_FRAME,
        metavar="N|DEG:MM",
        help="a key on every Nth frame, or as few as a tolerance allows, for example 1:5; on every frame unless given",
    )
    scene = parser.add_argument_group("a scene of your own")
    scene.add_argument("--blend", type=Path, metavar="FILE", help="the scene to dance in, instead of the bundled one")
    scene.add_argument("--armature", metavar="NAME", help="who dances there; the only armature unless given")
    light = parser.add_argument_group("stage light")
    light.add_argument(
        "--look",
        metavar="NAME|FILE",
        help=f"light the dance: {protocol.rule(protocol.LightOptions, 'look').help}; with --dataset several",
    )
    light.add_argument("--show", type=Path, metavar="FILE", help="light the SONG's dance by a SHOW.json made before")
    light.add_argument(
        "--theatre",
        action="store_true",
        help="let the model make dance and light together; with --dance or --show, the other one for it",
    )
    arguments.add_option(light, protocol.TheatreOptions, "accent", metavar="strike|arrive")
    light.add_argument(
        "--dataset",
        type=_count,
        metavar="COUNT",
        help="instead of a scene, so many small pictures of random moments from random cameras, and what they show",
    )
    movie = parser.add_argument_group("the film")
    movie.add_argument("--render", action="store_true", help="also make a film with sound")
    movie.add_argument(
        "--engine",
        choices=tuple(film.ENGINES),
        help="workbench unless given, eevee for a lit stage; cycles where OpenGL is missing or too slow; drawn is fast "
        "without it (bundled dancer only)",
    )
    movie.add_argument(
        "--resolution", type=_resolution, metavar="WxH", help="1280x720 unless given, or what your own scene has"
    )
    movie.add_argument("--frames", type=_frames, metavar="FIRST:LAST", help="of the film, for example 1:300")
    movie.add_argument(
        "--within", type=_positive, metavar="SECONDS", help="make the film smaller or plainer if it would take longer"
    )
    process = parser.add_argument_group("the engine process")
    process.add_argument("--model", metavar="FOLDER", help="a model folder; the embedded model unless given")
    process.add_argument("--python", type=Path, metavar="FILE", help="the Python that runs it; .venv's unless given")
    process.add_argument("--device", help="auto, cpu, cuda or mps")
    return parser


def _check_numbers(parser: _Parser, args: argparse.Namespace) -> None:
    numbers = ("seed", "seconds", "fps", "quality", "steps", "guidance", "beat_snap")
    named = {name: getattr(args, name) for name in numbers}
    try:
        protocol.check(protocol.DanceRequest, **named)
        protocol.check(protocol.TheatreOptions, accent=args.accent)
    except FootlightError as error:
        parser.error(str(error))
    try:
        protocol.check(protocol.DuetOptions, seconds=args.duet)
    except FootlightError as error:
        parser.error(f"--duet: {error}")


def _check_inputs(parser: _Parser, args: argparse.Namespace) -> None:
    if args.score and args.duet:
        parser.error("--score makes music for a dance that is there, --duet makes both: give one of them")
    if args.duet and args.inputs:
        parser.error(f"--duet makes its own music: {args.inputs[0]} has no use")
    if args.duet is None and not args.inputs:
        parser.error("give a SONG or more; with --score a .blend or more; or --duet SECONDS")
    if args.count and not args.duet:
        parser.error("--count says how many duets there shall be: ask for them by --duet SECONDS")
    args.count = args.count or 1
    if args.dance and (args.score or args.duet or len(args.inputs) != 1):
        parser.error("--dance is a dance for one SONG: give the two of them")
    if args.dance and not args.dance.is_file():
        parser.error(f"--dance {args.dance}: there is no such file")
    if args.dance and args.seconds:
        parser.error("--seconds is for a dance to be made: --dance has its own length")
    if args.beats and (args.score or args.duet or args.dance or len(args.inputs) != 1):
        parser.error("--beats are those of one SONG, to which a dance is made: give the two of them")
    if args.beats and not Path(args.beats).is_file():
        parser.error(f"--beats {args.beats}: there is no such file")
    if args.seconds and (args.score or args.duet):
        parser.error("--seconds is about songs: --score takes the scene's frames, --duet its own number of seconds")
    if args.keys != thinning.EVERY_FRAME and args.score:
        parser.error("--keys is about dances: --score makes music")
    if args.beat_snap is not None and args.score:
        parser.error("--beat-snap is about dances: --score makes music")


def _check_scene(parser: _Parser, args: argparse.Namespace) -> None:
    if args.blend and args.score:
        parser.error("--blend is a scene to dance in: give the scenes for --score in the place of songs")
    if args.blend and not args.blend.is_file():
        parser.error(f"--blend {args.blend}: there is no such file")
    if args.armature and not args.own:
        parser.error("--armature names one of your own scene: give that by --blend")
    if args.fps and args.own:
        parser.error("--fps is for the bundled scene: your own keeps its frame rate")


def _check_light(parser: _Parser, args: argparse.Namespace) -> None:
    if args.dataset and (not args.look or args.render or args.fps):
        parser.error("--dataset makes pictures of a --look at the rate of shows: give that, without --render and --fps")
    if args.dataset and args.engine == "drawn":
        parser.error("--engine drawn makes no pictures for a data set: choose another")
    if args.accent and not args.theatre:
        parser.error("--accent is about a dance that is made with its light: ask for that by --theatre")
    if args.theatre and args.dataset:
        parser.error("--dataset makes pictures of looks by rules: leave --theatre out")
    if args.theatre and args.dance and args.show:
        parser.error("--dance and --show leave nothing to make for --theatre: give one of them")
    if not args.lit:
        return
    if args.score or args.duet:
        parser.error("--look, --show and --theatre light a SONG's dance: not --score or --duet")
    if args.blend and (args.theatre or args.dataset):
        parser.error("--theatre and --dataset are for the bundled scene: not --blend")
    if args.look and args.show:
        parser.error("--show is a finished show, --look asks for one: give one of them")
    if args.show and len(args.inputs) != 1:
        parser.error("--show is the light for one SONG: give the two of them")
    if args.show and not args.show.is_file():
        parser.error(f"--show {args.show}: there is no such file")
    if args.engine == "workbench":
        parser.error("--engine workbench knows no lamps: choose another for a lit stage")


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


def engine_command(args: argparse.Namespace) -> list[str]:
    """How the engine is started. Raises UserError when no Python for it is found."""
    candidates = [args.python] if args.python else [ROOT / ".venv/bin/python", ROOT / ".venv/Scripts/python.exe"]
    python = next((path for path in candidates if path.exists()), None)
    if python is None:
        raise UserError(f"there is no Python at {candidates[0]} for the engine; run make demo, or give one by --python")
    # absolute, for the engine runs in another folder; not resolved, for a virtual environment's python is a link
    command = [str(python.absolute()), "-m", "core.engine"]
    if args.model:  # a folder, or the name of an embedded model
        command += ["--model", str(Path(args.model).absolute()) if Path(args.model).exists() else args.model]
    return command + (["--device", args.device] if args.device else [])

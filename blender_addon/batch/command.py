"""The command line of the batch."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import looks
from ..errors import UserError
from ..shared import FootlightError, kinds, protocol, thinning
from ..stage import film
from . import inputs, opengl
from .options import Parser, options

ROOT = Path(__file__).resolve().parents[2]
RATE = protocol.DanceOptions.fps


@dataclass(frozen=True)
class Item:
    """One of the things to make.

    label: its name in the table.
    stem: of its results' names.
    source: the song or the scene that it is made from, None for a duet.
    """

    label: str
    stem: str
    source: Path | None
    seed: int


def parse(words: list[str], description: str) -> argparse.Namespace:
    """The command line. Ends the program with one line and the code 2 for anything that makes no sense."""
    parser = options(description)
    args = parser.parse_args(words)
    _check_numbers(parser, args)
    args.out = args.out.absolute()
    args.inputs = _inputs(parser, args)
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
        if other := stems.get(item.stem.casefold()):
            parser.error(f"{other.source} and {item.source} would both be {item.stem}.blend: rename one of them")
        stems[item.stem.casefold()] = item
    args.engine = _engine(parser, args) if pictures else "eevee" if args.lit else "workbench"
    return args


def _engine(parser: Parser, args: argparse.Namespace) -> str:
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
    named = zip(args.inputs, inputs.stems(args.inputs), strict=True)
    return [Item(" ".join(f"{stem}{path.suffix}".split()), stem + ending, path, args.seed) for path, stem in named]


def _inputs(parser: Parser, args: argparse.Namespace) -> list[Path]:
    """The files that the command line means, with a word about films in its folders."""
    songs = bpy.path.extensions_audio | {*kinds.OWN_ENDINGS}
    files = inputs.found(args.inputs, {".blend"} if args.score else songs, args.out)
    folders = [path for path in args.inputs if path.is_dir()]
    films = [] if args.score else inputs.found(folders, bpy.path.extensions_movie - songs, args.out)
    if args.inputs and not files:
        if args.score:
            parser.error(f"{args.inputs[0]}: there is no .blend in this folder")
        way = f"; films are taken by their names, as {films[0]}" if films else ""
        parser.error(f"{args.inputs[0]}: there is no song in this folder{way}")
    if films:
        more = f" and {len(films) - 1} more" if len(films) > 1 else ""
        print(f"left out, as films are taken by their names: {films[0]}{more}")
    return files


def _check_numbers(parser: Parser, args: argparse.Namespace) -> None:
    numbers = ("seed", "seconds", "fps", "quality", "steps", "guidance", "beat_snap", "moves")
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


def _check_inputs(parser: Parser, args: argparse.Namespace) -> None:
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
    if args.free_form and args.duet:
        parser.error("--free-form is about a dance to a song, or music for a dance: in --duet nothing returns anyway")
    if args.moves and (args.score or args.duet or args.dance):
        parser.error("--moves is about a dance that is made to a SONG: not --score, --duet or --dance")
    if args.moves and args.free_form:
        parser.error("--moves says what is repeated, and in --free-form nothing is: give one of them")


def _check_scene(parser: Parser, args: argparse.Namespace) -> None:
    if args.blend and args.score:
        parser.error("--blend is a scene to dance in: give the scenes for --score in the place of songs")
    if args.blend and not args.blend.is_file():
        parser.error(f"--blend {args.blend}: there is no such file")
    if args.armature and not args.own:
        parser.error("--armature names one of your own scene: give that by --blend")
    if args.fps and args.own:
        parser.error("--fps is for the bundled scene: your own keeps its frame rate")


def _check_light(parser: Parser, args: argparse.Namespace) -> None:
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
    _check_looks(parser, args)


def _check_looks(parser: Parser, args: argparse.Namespace) -> None:
    """Ends the program for a look that there is not, before anything is made for it."""
    known = [look.name for look in looks.shipped()]
    for asked in (args.look or "").split(",") if args.dataset else filter(None, [args.look]):
        path = Path(asked)
        own = args.theatre and args.model and not path.suffix  # perhaps a look that this model alone knows
        if protocol.named(asked, known) is None and not path.is_file() and not own:
            parser.error(f"--look: {protocol.no_look(asked, 'choose one of ' + ', '.join(known))}")


def look_files(args: argparse.Namespace) -> list[str]:
    """The looks of the command line that are files, which only the engine can read."""
    return [asked for asked in (args.look or "").split(",") if Path(asked).is_file()]


def model_folder(args: argparse.Namespace) -> Path | None:
    """The model folder that is asked for by its path or its name; None where none is."""
    if not args.model or Path(args.model).exists():
        return Path(args.model).absolute() if args.model else None
    return ROOT / "core" / "pretrained" / args.model


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

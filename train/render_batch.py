"""Dances, .blend files and films for many songs, without a window.

    blender -b --python train/render_batch.py -- SONG... --out DIR [--render]
    python train/render_batch.py SONG... --out DIR [--render]          (with the bpy module)

Blender's own Python needs nothing but what Blender brings: the dances are made by the engine process, which runs in
the Python given by --python (by default the one in .venv beside this checkout). For each song DIR gets NAME.blend
and, with --render, NAME.mp4, each whole or not at all. A song that fails is reported and the rest goes on. At the end
stands a table; the exit code is 0, 1 if any song failed, 2 for a command line that makes no sense.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # a script that Blender runs is no package: this is how it finds the checkout it lies in
    sys.path.insert(0, str(ROOT))

try:
    import bpy
except ImportError as error:
    sys.exit(
        f"{sys.executable} cannot load bpy ({error}): run this by Blender (blender -b --python {__file__} -- ...) "
        "or by a Python with the bpy module (pip install -e .[blender])"
    )

from blender_addon.engine.client import Engine  # noqa: E402
from blender_addon.engine.job import Job, JobState, Request  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.scene import actions, rigs, strips  # noqa: E402
from blender_addon.scene.dancer import add_dancer, dancers  # noqa: E402
from train import film, opengl  # noqa: E402

LARGEST_SIDE = 16384
RESOLUTION = (1280, 720)
RATE = 30.0
PROGRESS_SECONDS = 20.0  # between two words of progress where nobody looks on


@dataclass(frozen=True)
class Outcome:
    """What became of one song. state: done, skipped or failed.  detail: the dance's score, or why it failed."""

    song: Path
    state: str
    seconds: float
    detail: str


class _Parser(argparse.ArgumentParser):
    """One line for what is wrong, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line. Ends the program with one line and the code 2 for anything that makes no sense."""
    parser = _Parser(
        prog="render_batch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("songs", nargs="+", type=Path, metavar="SONG", help="wav, flac, ogg, opus or mp3")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--skip-existing", action="store_true", help="leave alone what is there already")
    dance = parser.add_argument_group("the dance")
    dance.add_argument("--seed", type=int, default=0)
    dance.add_argument("--seconds", type=_positive, help="only the first seconds of each song")
    dance.add_argument("--fps", type=_positive, help=f"of the scene ({RATE:g}); 29.97 is 30 / 1.001")
    dance.add_argument("--steps", type=int, help="of the sampling; what the model was tuned for unless given")
    dance.add_argument("--guidance", type=float, help="of the sampling; what the model was tuned for unless given")
    dance.add_argument("--beat-snap", type=float, help="0 to 1: how far hits are carried onto beats")
    dance.add_argument("--style", help="one of the model's styles")
    scene = parser.add_argument_group("a scene of your own")
    scene.add_argument("--blend", type=Path, metavar="FILE", help="the scene to dance in, instead of the bundled one")
    scene.add_argument("--armature", metavar="NAME", help="who dances there; the only armature unless given")
    movie = parser.add_argument_group("the film")
    movie.add_argument("--render", action="store_true", help="also make a film with sound")
    movie.add_argument(
        "--engine", choices=tuple(film.ENGINES), help="workbench unless given; cycles where there is no OpenGL"
    )
    movie.add_argument(
        "--resolution", type=_resolution, metavar="WxH", help="1280x720 unless given, or what your own scene has"
    )
    movie.add_argument("--frames", type=_frames, metavar="FIRST:LAST", help="of the film, for example 1:300")
    process = parser.add_argument_group("the engine process")
    process.add_argument("--model", metavar="FOLDER", help="a model folder; the embedded model unless given")
    process.add_argument("--python", type=Path, metavar="FILE", help="the Python that runs it; .venv's unless given")
    process.add_argument("--device", help="auto, cpu, cuda or mps")
    args = parser.parse_args(arguments)
    args.out = args.out.absolute()
    if args.out.exists() and not args.out.is_dir():
        parser.error(f"--out {args.out}: this is a file; give a folder")
    if args.blend and not args.blend.is_file():
        parser.error(f"--blend {args.blend}: there is no such file")
    if args.armature and not args.blend:
        parser.error("--armature names one of your own scene: give that by --blend")
    if args.fps and args.blend:
        parser.error("--fps is for the bundled scene: your own keeps its frame rate")
    if not args.render and (args.engine or args.resolution or args.frames):
        parser.error("--engine, --resolution and --frames are about the film: ask for it by --render")
    names: dict[str, Path] = {}
    for song in args.songs:
        if song.stem in names:
            parser.error(f"{names[song.stem]} and {song} would both be {song.stem}.blend: rename one of them")
        names[song.stem] = song
    missing = opengl.lacking() if args.render and args.engine != "cycles" else ""
    if missing and args.engine:
        parser.error(f"--engine {args.engine} needs {missing}: {opengl.REMEDY}, or render with --engine cycles")
    if missing:
        print(f"Workbench needs {missing}; rendering with Cycles, which takes longer. To have it, {opengl.REMEDY}.")
    args.engine = args.engine or ("cycles" if missing else "workbench")
    return args


def _positive(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text}: expected a number above 0")
    return value


def _resolution(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    size = tuple(map(int, found.groups())) if found else (0, 0)
    if not all(4 <= side <= LARGEST_SIDE for side in size):
        raise argparse.ArgumentTypeError(f"{text}: expected WIDTHxHEIGHT in pixels, for example 1280x720")
    return size


def _frames(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if not found or int(found[1]) > int(found[2]):
        raise argparse.ArgumentTypeError(f"{text}: expected FIRST:LAST, for example 1:300")
    return int(found[1]), int(found[2])


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


class Terminal:
    """What people read: lines, and progress that is overwritten; where nobody looks on, progress now and then.

    Blender's own many words, from Python or not, go into ``log`` meanwhile.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self._file = os.fdopen(os.dup(1), "w", buffering=1)
        self._shown = ""
        self._next = time.monotonic() + PROGRESS_SECONDS

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Everything that is printed meanwhile goes to the log."""
        sys.stdout.flush()
        kept = os.dup(1), os.dup(2)
        with self.log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            for number, descriptor in enumerate(kept, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)

    def progress(self, text: str) -> None:
        """What is going on. Called often."""
        if self._file.isatty():
            if text != self._shown:
                print(f"\r{text:<78.78}", end="\r", flush=True, file=self._file)
                self._shown = text
        elif time.monotonic() >= self._next:
            print(text, file=self._file)
            self._next = time.monotonic() + PROGRESS_SECONDS

    def say(self, text: str) -> None:
        """A line that stays."""
        print(f"\r{'':78s}\r{text}" if self._shown else text, file=self._file)
        self._shown = ""

    def tail(self) -> str:
        """The last words in the log."""
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.is_file() else []
        return " ".join(lines[-3:]) or "none"


def ask(engine: Engine, request: Request, on_progress: Callable[[str], None]) -> dict:
    """Send a request and wait for its end. on_progress: told what is going on. Raises UserError when it fails."""
    job = Job(engine, request)
    while not job.poll().ended:
        on_progress(f"{job.stage} {100 * job.fraction:3.0f} %")
        time.sleep(0.05)
    if job.state is not JobState.DONE:
        raise UserError(job.error or "the engine was told to stop")
    return job.result


def set_frame_rate(scene: bpy.types.Scene, fps: float) -> None:
    """Whole rates as they are, broadcast rates as n / 1.001."""
    whole = max(1, round(fps))
    scene.render.fps = whole
    broadcast = abs(fps * 1.001 - whole) < 1e-2 and abs(fps - whole) > 1e-3
    scene.render.fps_base = 1.001 if broadcast else whole / fps


def open_scene(args: argparse.Namespace) -> tuple[bpy.types.Scene, bpy.types.Object]:
    """The user's scene and armature, or an empty one with the bundled dancer. Raises UserError."""
    if args.blend is None:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        scene = bpy.context.scene
        set_frame_rate(scene, args.fps or RATE)
        scene.sync_mode = "AUDIO_SYNC"  # or playing it would show another beat than is heard
        return scene, add_dancer(bpy.context)
    bpy.ops.wm.open_mainfile(filepath=str(args.blend.absolute()), load_ui=False)
    scene = bpy.context.scene
    armatures = [ob for ob in scene.objects if ob.type == "ARMATURE"]
    named = [ob for ob in armatures if args.armature in (None, ob.name)]
    if len(named) != 1:
        names = ", ".join(ob.name for ob in armatures) or "none"
        raise UserError(f"{args.blend.name}: which armature shall dance? Give --armature; there are: {names}")
    if args.render and scene.camera is None:
        raise UserError(f"{args.blend.name}: the scene {scene.name!r} has no camera to film with; add one")
    return scene, named[0]


def make_blend(song: Path, blend: Path, args: argparse.Namespace, engine: Engine, terminal: Terminal) -> str:
    """Dance to one song and save the scene. Returns the score in a few words; raises UserError."""
    scene, armature = open_scene(args)
    rigs.check_writable(armature)
    result = terminal.log.with_name("dance.safetensors")
    values = {
        "song": str(song.absolute()),
        "seconds": args.seconds,
        "fps": strips.frame_rate(scene),
        "seed": args.seed,
        "steps": args.steps,
        "guidance": args.guidance,
        "beat_snap": args.beat_snap,
        "style": args.style,
        "out": str(result),
    }
    request = Request("dance", {name: value for name, value in values.items() if value is not None})
    answer = ask(engine, request, lambda text: terminal.progress(f"{song.name}: {text}"))
    first = scene.frame_start
    action = actions.write_dance(result, armature, first, name=f"{song.stem} dance")
    last = int(action.frame_range[1])
    strip = strips.add_song(scene, song, first)
    scene.frame_end = last
    scene.frame_set(first)
    if args.blend is None:
        width, height = args.resolution or RESOLUTION
        film.set_stage(scene, armature, (first, last), width / height)
        film.set_render(scene, args.engine, (width, height), f"//{blend.stem}.mp4")
    save(blend, strip.sound)
    score = answer.get("score", {})
    return "  ".join(f"{key} {value:.2f}" for key, value in score.items() if isinstance(value, int | float))


def save(blend: Path, sound: bpy.types.Sound) -> None:
    """Save the file whole or not at all, the song's path relative to it, so that their folder can be moved."""
    partial = blend.with_name(f".{blend.stem}.part.blend")
    with contextlib.suppress(ValueError):  # on another drive of Windows: the path stays whole
        # relative to the file that is open, which saving puts right, or where there is none to the one to come
        sound.filepath = bpy.path.relpath(sound.filepath, start=None if bpy.data.filepath else str(blend.parent))
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(partial), compress=True, check_existing=False)
        partial.replace(blend)
    finally:
        partial.unlink(missing_ok=True)


def make_film(blend: Path, movie: Path, args: argparse.Namespace, terminal: Terminal) -> None:
    """Film the scene that was saved. Raises UserError, or RuntimeError as Blender does."""
    bpy.ops.wm.open_mainfile(filepath=str(blend), load_ui=False)
    scene = bpy.context.scene
    first, last = scene.frame_start, scene.frame_end
    frames = args.frames or (first, last)
    if frames[0] > last or frames[1] < first:
        raise UserError(f"the dance has the frames {first}:{last}, but --frames asks for {frames[0]}:{frames[1]}")
    frames = max(first, frames[0]), min(last, frames[1])
    render = scene.render
    bundled = args.blend is None and dancers(scene)
    size = args.resolution or (RESOLUTION if bundled else (render.resolution_x, render.resolution_y))
    partial = movie.with_name(f".{movie.name}.part")
    film.set_render(scene, args.engine, size, str(partial))
    try:
        film.render_film(scene, frames, lambda done: terminal.progress(f"{movie.name}: rendering {100 * done:3.0f} %"))
        if not partial.is_file() or partial.stat().st_size == 0:
            raise UserError(f"Blender wrote no film; its last words: {terminal.tail()}")
        partial.replace(movie)
    finally:
        partial.unlink(missing_ok=True)


def make(song: Path, args: argparse.Namespace, engine: Callable[[], Engine], terminal: Terminal) -> str:
    """What is asked for of one song. Returns a few words about it; raises UserError, RuntimeError or OSError."""
    if not song.is_file():
        raise UserError(f"there is no file {song}")
    blend, movie = outputs(song, args)
    kept = args.skip_existing and blend.is_file()
    detail = "filmed the scene that was there" if kept else make_blend(song, blend, args, engine(), terminal)
    if args.render:
        make_film(blend, movie, args, terminal)
    return detail


def outputs(song: Path, args: argparse.Namespace) -> tuple[Path, Path]:
    """Where a song's .blend and film go."""
    return args.out / f"{song.stem}.blend", args.out / f"{song.stem}.mp4"


def there(song: Path, args: argparse.Namespace) -> bool:
    """Whether all that is asked for of a song was made before."""
    blend, movie = outputs(song, args)
    return blend.is_file() and (movie.is_file() or not args.render)


def table(outcomes: list[Outcome]) -> str:
    """What became of all songs."""
    width = max(len("song"), *(len(outcome.song.name) for outcome in outcomes))
    lines = [f"{'song':{width}s}  {'state':8s} {'seconds':>8s}  result"]
    lines += [f"{o.song.name:{width}s}  {o.state:8s} {o.seconds:8.1f}  {o.detail}" for o in outcomes]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Make every song's results, print a table, return the exit code."""
    args = parse(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="footlight-"))
    terminal = Terminal(folder / "blender.log")
    outcomes: list[Outcome] = []
    engines: list[Engine] = []

    def engine() -> Engine:
        """The one that runs, or a new one when none does."""
        if not engines or not engines[-1].alive:
            engines.append(Engine(engine_command(args), ROOT, folder / f"engine{len(engines)}.log"))
        return engines[-1]

    try:
        for song in args.songs:
            began = time.monotonic()
            try:
                if args.skip_existing and there(song, args):
                    state, detail = "skipped", "it was there"
                else:
                    with terminal.alone():
                        state, detail = "done", make(song, args, engine, terminal)
            except (UserError, RuntimeError, OSError) as error:
                state, detail = "failed", " ".join(str(error).split())
            outcomes.append(Outcome(song, state, time.monotonic() - began, detail))
            terminal.say(f"{state:8s} {song.name}: {detail}")
    finally:
        for started in engines:
            started.stop(patience=2.0)
        shutil.rmtree(folder, ignore_errors=True)
    terminal.say(f"\n{table(outcomes)}")
    return 1 if any(outcome.state == "failed" for outcome in outcomes) else 0


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    sys.exit(main(given))

"""Dances, .blend files and films for many songs, without a window.

    blender -b --python train/render_batch.py -- SONG... --out DIR [--render]
    python train/render_batch.py SONG... --out DIR [--render]          (with the bpy module)

Blender's own Python needs nothing but what Blender brings: the dances are made by the engine process, which runs in
the Python given by --python (by default the one in .venv beside this checkout). For each song DIR gets NAME.blend
and, with --render, NAME.mp4. A song that fails is reported and the rest goes on; the exit code is 1 if any failed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # a script that Blender runs is no package: this is how it finds the checkout it lies in
    sys.path.insert(0, str(ROOT))

from blender_addon.engine.client import Engine  # noqa: E402
from blender_addon.engine.job import Job, JobState, Request  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.scene import actions, strips  # noqa: E402
from blender_addon.scene.dancer import add_dancer  # noqa: E402
from train import film  # noqa: E402


@dataclass(frozen=True)
class Outcome:
    """What became of one song. state: done, skipped or failed."""

    song: Path
    state: str
    seconds: float
    detail: str


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="render_batch.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("songs", nargs="+", type=Path, help="wav, flac, ogg, opus or mp3")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fps", type=float, default=30.0, help="of the scene; 29.97 is 30 / 1.001")
    parser.add_argument("--seconds", type=float, default=None, help="only the first seconds of each song")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--guidance", type=float, default=None)
    parser.add_argument("--beat-snap", type=float, default=None)
    parser.add_argument("--model", type=Path, default=None, help="a model folder; the embedded one by default")
    parser.add_argument("--python", type=Path, default=None, help="the Python that runs the engine")
    parser.add_argument("--blend", type=Path, default=None, help="a scene of your own to dance in")
    parser.add_argument("--armature", default=None, help="the armature's name in that scene")
    parser.add_argument("--render", action="store_true", help="also a film with sound")
    parser.add_argument("--engine", choices=tuple(film.ENGINES), default="workbench")
    parser.add_argument("--resolution", type=_resolution, default=(1280, 720), help="for example 1280x720")
    parser.add_argument("--frames", type=_frames, default=None, help="of the film, for example 1:300")
    parser.add_argument("--skip-existing", action="store_true", help="leave songs alone whose results are there")
    return parser.parse_args(arguments)


def _resolution(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def _frames(text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    return int(first), int(last)


def engine_command(args: argparse.Namespace) -> list[str]:
    """How the engine is started. Raises UserError when no Python for it is found."""
    candidates = [args.python] if args.python else [ROOT / ".venv/bin/python", ROOT / ".venv/Scripts/python.exe"]
    python = next((path for path in candidates if path.exists()), None)
    if python is None:
        raise UserError(f"There is no Python at {candidates[0]} for the engine. Run make, or name one by --python.")
    command = [str(python), "-m", "core.engine"]
    return [*command, "--model", str(args.model.resolve())] if args.model else command


def ask(engine: Engine, request: Request, title: str) -> dict:
    """Send a request and wait for its end, with a line of progress. Raises UserError when it fails."""
    job, shown = Job(engine, request), ""
    while not job.poll().ended:
        text = f"{title}: {job.stage} {100 * job.fraction:3.0f} %"
        if text != shown and sys.stderr.isatty():
            print(f"\r{text:<78}", end="", file=sys.stderr, flush=True)
            shown = text
        time.sleep(0.05)
    if shown:
        print(file=sys.stderr)
    if job.state is not JobState.DONE:
        raise UserError(job.error or "cancelled")
    return job.result


def set_frame_rate(scene: bpy.types.Scene, fps: float) -> None:
    """Whole rates as they are, broadcast rates as n / 1.001."""
    whole = round(fps)
    scene.render.fps = whole
    broadcast = abs(fps * 1.001 - whole) < 1e-2 and abs(fps - whole) > 1e-3
    scene.render.fps_base = 1.001 if broadcast else whole / fps


def open_scene(args: argparse.Namespace) -> tuple[bpy.types.Scene, bpy.types.Object]:
    """The user's scene and armature, or an empty one with the bundled dancer."""
    if args.blend is None:
        bpy.ops.wm.read_homefile(use_empty=True)
        set_frame_rate(bpy.context.scene, args.fps)
        return bpy.context.scene, add_dancer(bpy.context)
    if not args.blend.is_file():
        raise UserError(f"There is no file {args.blend}.")
    bpy.ops.wm.open_mainfile(filepath=str(args.blend.resolve()))
    scene = bpy.context.scene
    armatures = [ob for ob in scene.objects if ob.type == "ARMATURE"]
    named = [ob for ob in armatures if args.armature in (None, ob.name)]
    if len(named) != 1:
        names = ", ".join(ob.name for ob in armatures) or "none"
        raise UserError(f"{args.blend.name}: which armature shall dance? Give --armature; there are: {names}.")
    return scene, named[0]


def make(song: Path, args: argparse.Namespace, engine: Engine, folder: Path) -> str:
    """One song: dance, .blend and film. Returns a few words about the result; raises UserError when it fails."""
    if not song.is_file():
        raise UserError(f"there is no file {song}")
    blend, movie = args.out / f"{song.stem}.blend", args.out / f"{song.stem}.mp4"
    scene, armature = open_scene(args)
    actions.check_rig(armature)
    result = folder / "dance.safetensors"
    values = {
        "song": str(song.resolve()),
        "start": 0.0,
        "seconds": args.seconds,
        "fps": strips.frame_rate(scene),
        "seed": args.seed,
        "steps": args.steps,
        "guidance": args.guidance,
        "beat_snap": args.beat_snap,
        "out": str(result),
    }
    answer = ask(engine, Request("dance", {k: v for k, v in values.items() if v is not None}), song.name)
    first = scene.frame_start
    action = actions.write_dance(result, armature, first, name=f"{song.stem} dance")
    strips.add_song(scene, song, first)
    last = int(action.frame_range[1])
    scene.frame_end = last
    if args.blend is None:
        film.set_stage(scene, armature, (first, last))
    partial = args.out / f".{song.stem}.part"
    film.set_render(scene, args.engine, args.resolution, movie)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend.resolve()), compress=True)
    if args.render:
        scene.render.filepath = str(partial)
        film.render_film(scene, args.frames or (first, last))
        if not partial.is_file() or partial.stat().st_size == 0:
            raise UserError("Blender wrote no film; see its messages above")
        partial.replace(movie)
    score = answer.get("score", {})
    return "  ".join(f"{key} {value:.2f}" for key, value in score.items() if isinstance(value, int | float))


def outputs(song: Path, args: argparse.Namespace) -> list[Path]:
    return [args.out / f"{song.stem}.blend"] + ([args.out / f"{song.stem}.mp4"] if args.render else [])


def main(arguments: list[str]) -> int:
    """Make every song's results, print a table, return the exit code."""
    args = parse(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="footlight-"))
    outcomes: list[Outcome] = []
    engine: Engine | None = None
    try:
        for song in args.songs:
            began = time.monotonic()
            if args.skip_existing and all(path.is_file() for path in outputs(song, args)):
                outcomes.append(Outcome(song, "skipped", 0.0, "results are there"))
                continue
            try:
                if engine is None or not engine.alive:
                    engine = Engine(engine_command(args), ROOT, folder / "engine.log")
                state, detail = "done", make(song, args, engine, folder)
            except (UserError, RuntimeError, OSError) as error:
                state, detail = "failed", " ".join(str(error).split())
            outcomes.append(Outcome(song, state, time.monotonic() - began, detail))
            print(f"{state:8s} {song.name}: {detail}", flush=True)
    finally:
        if engine is not None:
            engine.stop(patience=2.0)
        shutil.rmtree(folder, ignore_errors=True)
    width = max(len(outcome.song.name) for outcome in outcomes)
    print(f"\n{'song':{width}s}  {'state':8s} {'seconds':>8s}  result")
    for outcome in outcomes:
        print(f"{outcome.song.name:{width}s}  {outcome.state:8s} {outcome.seconds:8.1f}  {outcome.detail}")
    return 1 if any(outcome.state == "failed" for outcome in outcomes) else 0


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    code = main(given)
    sys.stdout.flush()
    sys.exit(code)

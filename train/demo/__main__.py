"""The demonstration: ``python -m train.demo --out build/demo``.

Composes the demo song, dances to it with the embedded model, writes ``dance.bvh`` and a contact sheet with the beats
marked, and lets Blender make ``dance.blend`` and a short film with sound, from the song's liveliest part.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import tyro

from blender_addon.batch import opengl
from core import pipeline
from core.audio import io
from core.errors import FootlightError
from core.formats import bvh
from core.metrics.beat import kinematic_beats
from core.motion import kinematics
from train.demo.song import DemoSong, write_demo_song
from train.draw import contact_sheet

SHEET_SECONDS = 16.0  # what the contact sheet shows: enough to see single beats
LEAD_SECONDS = 4.0  # what is shown before the liveliest part begins
FPS = 30
RESULTS = ("dance.wav", "dance.bvh", "dance.blend", "contact.png", "dance.mp4")


@dataclass(frozen=True)
class Demo:
    """seed: of the dance.  film_start: seconds; None is where the song's liveliest part begins.  film_seconds: length
    of the film.  width, height: of its picture, in pixels."""

    out: Path = Path("build/demo")
    model: Path | None = None
    seed: int = 0
    film_start: float | None = None
    film_seconds: float = 12.0
    width: int = 854
    height: int = 480


def main(args: Demo) -> None:
    """Make everything; says what it is doing and how long each part took. Raises FootlightError."""
    if find_spec("bpy") is None:
        raise FootlightError("there is no bpy in this Python; install it: pip install -e .[train,blender]")
    pipeline.find_model(args.model)
    args.out.mkdir(parents=True, exist_ok=True)
    for name in RESULTS:
        (args.out / name).unlink(missing_ok=True)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)

    say("composing the song")
    song_path = args.out / "dance.wav"
    written = write_demo_song(song_path)
    start = liveliest(written) if args.film_start is None else args.film_start
    say("loading the model and dancing")
    options = pipeline.DanceOptions(seed=args.seed, fps=FPS)
    dance = pipeline.run(pipeline.generate_dance(pipeline.Model.load(args.model), io.read(song_path), options))
    bvh.write(args.out / "dance.bvh", dance.motion, fps=FPS)
    say("  " + ", ".join(f"{name} {value:.2f}" for name, value in dance.metrics.items()))
    say("drawing the contact sheet")
    draw_sheet(dance, start, args)
    say("Blender: the scene and its film")
    film(song_path, start, args)
    say("done")
    for name in RESULTS:
        print(f"  {args.out / name}  {(args.out / name).stat().st_size / 1e6:.1f} MB")


def liveliest(song: DemoSong) -> float:
    """When to look, in seconds: shortly before the section with the most energy begins."""
    section = max(song.sections, key=lambda part: part.energy)
    return max(0.0, section.start - LEAD_SECONDS)


def draw_sheet(dance: pipeline.Dance, start: float, args: Demo) -> None:
    """The contact sheet of SHEET_SECONDS from ``start`` on."""
    first = round(start * FPS)
    shown = dance.motion.cut(first, min(dance.motion.frames, first + round(SHEET_SECONDS * FPS)))
    positions = kinematics.forward(shown.rotations, shown.root)
    title = f"demo song from {start:.1f} s, {dance.beats.tempo:.0f} BPM, seed {args.seed}"
    beats = dance.beats.times - first / FPS
    contact_sheet(
        positions, FPS, beats, kinematic_beats(positions, FPS).times, title=title, path=args.out / "contact.png"
    )


def film(song: Path, start: float, args: Demo) -> None:
    """Let Blender dance to the song once more, with the same seed, and film it. Raises FootlightError."""
    seconds, width, height, engine = args.film_seconds, args.width, args.height, "workbench"
    if missing := opengl.lacking():
        print(f"  Workbench needs {missing}: {opengl.REMEDY}. Until then Cycles makes a smaller and shorter film.")
        seconds, width, height, engine = seconds / 2, width // 2, height // 2, "cycles"
    first = round(start * FPS) + 1
    command = [sys.executable, Path(__file__).parents[1] / "render_batch.py", song, "--out", args.out]
    command += ["--seed", args.seed, "--fps", FPS, "--python", sys.executable]
    command += ["--render", "--engine", engine, "--resolution", f"{width}x{height}"]
    command += ["--frames", f"{first}:{first + round(seconds * FPS) - 1}"]
    command += ["--model", args.model] if args.model else []
    if subprocess.run([str(part) for part in command]).returncode != 0:
        raise FootlightError("Blender made no film; what is wrong stands above")


if __name__ == "__main__":
    try:
        main(tyro.cli(Demo, description=__doc__))
    except FootlightError as error:
        raise SystemExit(f"train.demo: {error}") from None

"""The demonstration: ``python -m train.demo --out build/demo``.

Composes the demo song, dances to it with the embedded model, writes ``dance.bvh`` and a contact sheet with the beats
marked, and lets Blender make ``dance.blend`` and a short film with sound.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from core import pipeline
from core.audio import io
from core.metrics.beat import hits
from core.motion import bvh, kinematics
from core.types import FootlightError
from train.demo_song import write_demo_song
from train.draw import contact_sheet

SHEET_SECONDS = 16.0  # what the contact sheet shows: enough to see single beats


@dataclass(frozen=True)
class Demo:
    """seed: of the dance.  film_seconds: length of the film, from film_start on.  width: of its picture."""

    out: Path = Path("build/demo")
    model: Path | None = None
    seed: int = 0
    film_start: float = 16.0
    film_seconds: float = 20.0
    width: int = 854
    height: int = 480


def main(args: Demo) -> None:
    """Make everything; says what it is doing and how long each part took."""
    args.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)

    say("composing the song")
    song_path = args.out / "dance.wav"
    write_demo_song(song_path)
    say("dancing")
    song = io.read(song_path)
    dance = pipeline.run(pipeline.dance(pipeline.Model.load(args.model), song, pipeline.DanceOptions(seed=args.seed)))
    bvh.write(args.out / "dance.bvh", dance.motion, fps=dance.motion.fps)
    say("drawing the contact sheet")
    first = round(args.film_start * dance.motion.fps)
    shown = dance.motion.cut(first, first + round(SHEET_SECONDS * dance.motion.fps))
    positions = kinematics.forward(shown.rotations, shown.root)
    beats = dance.beats.times - args.film_start
    title = f"demo song from {args.film_start:g} s, {dance.beats.tempo:.0f} BPM, seed {args.seed}"
    contact_sheet(
        positions, shown.fps, beats, hits(positions, shown.fps).times, title=title, path=args.out / "contact.png"
    )
    say("Blender: scene and film")
    last = args.film_start + args.film_seconds
    command = [sys.executable, str(Path(__file__).with_name("render_batch.py")), str(song_path)]
    command += ["--out", str(args.out), "--seed", str(args.seed), "--render", "--python", sys.executable]
    command += ["--frames", f"{round(args.film_start * 30) + 1}:{round(last * 30)}"]
    command += ["--resolution", f"{args.width}x{args.height}"]
    command += ["--model", str(args.model)] if args.model else []
    done = subprocess.run([*command, "--engine", "workbench"], capture_output=True, text=True)
    if done.returncode != 0:  # no OpenGL on this machine, say: Cycles needs none
        say("Workbench cannot render here; Cycles, which needs no graphics driver, takes a few minutes")
        short = [*command, "--engine", "cycles", "--resolution", f"{args.width // 2}x{args.height // 2}"]
        done = subprocess.run(short, capture_output=True, text=True)
    if done.returncode != 0:
        raise FootlightError(f"Blender could not make the film: {(done.stdout + done.stderr)[-800:]}")
    say("done")
    for name in ("dance.wav", "dance.bvh", "dance.blend", "contact.png", "dance.mp4"):
        print(f"  {args.out / name}  {(args.out / name).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    try:
        main(tyro.cli(Demo, description=__doc__))
    except FootlightError as error:
        raise SystemExit(f"train.demo: {error}") from None

"""The demonstration: ``python -m train.demo --out build/demo``.

Composes the demo song and dances to it with the embedded model. Writes ``dance.bvh`` and a contact sheet with the beats
marked, and the light for both. Then Blender makes ``dance.blend``, the dance on its lit stage. The film shows the
song's liveliest part, with sound, and is as large as the machine has time for. ``blender_addon.stage.drawn`` draws it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from core import pipeline
from core.audio import io
from core.errors import FootlightError
from core.files import write_atomically
from core.formats import bvh
from core.formats.dance import write as write_dance
from core.formats.motion import MotionClip
from core.metrics.beat import kinematic_beats
from core.motion import kinematics
from core.protocol import LightOptions
from core.show import file as show_file
from core.types import Waveform
from train.command import run_program
from train.demo.song import DemoSong, write_demo_song
from train.draw import contact_sheet

SHEET_SECONDS = 16.0  # what the contact sheet shows: enough to see single beats
LEAD_SECONDS = 4.0  # what is shown before the liveliest part begins
FPS = 30
FILM_WITHIN = 75.0  # seconds; on a slower machine the film is smaller or plainer
BATCH = Path(__file__).parents[1] / "render_batch.py"
RESULTS = ("dance.wav", "dance.bvh", "show.json", "dance.blend", "contact.png", "dance.mp4")


@dataclass(frozen=True)
class Demo:
    """Compose a song, dance to it and film the dance."""

    out: Path = Path("build/demo")  # the folder to write
    model: Path | None = None  # a model folder; the embedded model otherwise
    seed: int = 3  # of the dance: for the demo song this one draws a salsa, which shows footwork
    look: str = "disco"  # of the light; `core looks` lists them
    film_start: float | None = None  # seconds; otherwise where the song's liveliest part begins
    film_seconds: float = 12.0  # length of the film
    width: int = 854  # of its picture, pixels
    height: int = 480


def main(args: Demo) -> None:
    """Make everything, and say what is being done and how long each part took. Raises FootlightError."""
    if find_spec("bpy") is None:
        raise FootlightError("there is no bpy in this Python; install it: pip install -e .[train,blender]")
    pipeline.find_model(args.model)
    args.out.mkdir(parents=True, exist_ok=True)
    for name in RESULTS:
        (args.out / name).unlink(missing_ok=True)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)

    def made(name: str) -> None:
        say(f"  {args.out / name} is there")

    say("composing the song (about ten seconds)")
    song_path = args.out / "dance.wav"
    written = write_demo_song(song_path)
    made("dance.wav")
    start = liveliest(written) if args.film_start is None else args.film_start
    say("loading the model and dancing (about twenty seconds)")
    model = pipeline.Model.load(args.model)
    options = pipeline.DanceOptions(seed=args.seed, fps=FPS)
    song = io.read(song_path)
    dance = pipeline.generate_dance(model, song, options)
    bvh.write(args.out / "dance.bvh", dance.motion, fps=FPS)
    made("dance.bvh")
    say("  " + ", ".join(f"{name} {value:.2f}" for name, value in dance.metrics.items()))
    say("writing the light (a few seconds)")
    write_light(song, dance, args)
    made("show.json")
    say("drawing the contact sheet (a few seconds)")
    draw_sheet(dance, start, args)
    made("contact.png")
    say(f"Blender: the scene, dance.blend (a few seconds), then its film (at most about {FILM_WITHIN:.0f} seconds)")
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        file = Path(folder) / "dance.npz"
        digest = hashlib.sha256(song_path.read_bytes()).hexdigest()
        write_dance(file, dance, seed=str(args.seed), model=model.name, audio_sha256=digest)
        film(song_path, file, start, args)
    made("dance.mp4")
    say("done")
    for name in RESULTS:
        print(f"  {args.out / name}  {(args.out / name).stat().st_size / 1e6:.1f} MB")


def liveliest(song: DemoSong) -> float:
    """The second at which the film should start: shortly before the section with the most energy."""
    section = max(song.sections, key=lambda part: part.energy)
    return max(0.0, section.start - LEAD_SECONDS)


def write_light(song: Waveform, dance: pipeline.Dance, args: Demo) -> None:
    """Write ``show.json``, the light for the song and its dance. Raises FootlightError for an unknown look."""
    clip = MotionClip(kinematics.forward(dance.motion.rotations, dance.motion.root), FPS)
    light = pipeline.light_song(song, LightOptions(look=args.look, seed=args.seed), clip, dance.beats)
    write_atomically(args.out / "show.json", show_file.encoded(light.show))


def draw_sheet(dance: pipeline.Dance, start: float, args: Demo) -> None:
    """Write the contact sheet of ``SHEET_SECONDS`` from ``start`` on."""
    first = round(start * FPS)
    shown = dance.motion.cut(first, min(dance.motion.frames, first + round(SHEET_SECONDS * FPS)))
    positions = kinematics.forward(shown.rotations, shown.root)
    title = f"demo song from {start:.1f} s, {dance.beats.tempo:.0f} BPM, seed {args.seed}"
    beats = dance.beats.times - first / FPS
    contact_sheet(
        positions, FPS, beats, kinematic_beats(positions, FPS).times, title=title, path=args.out / "contact.png"
    )


def film(song: Path, dance: Path, start: float, args: Demo) -> None:
    """Let Blender put the dance into a scene, save the scene and film it. Raises FootlightError."""
    if subprocess.run(film_command(song, dance, start, args)).returncode != 0:
        raise FootlightError("Blender made no film; what is wrong stands above")


def film_command(song: Path, dance: Path, start: float, args: Demo) -> list[str]:
    """The command line of the batch that films.

    start: of the film, seconds.
    """
    first = round(start * FPS) + 1
    command = [sys.executable, BATCH, song, "--out", args.out, "--dance", dance, "--fps", FPS]
    command += ["--show", args.out / "show.json", "--render", "--engine", "drawn", "--within", FILM_WITHIN]
    command += ["--resolution", f"{args.width}x{args.height}"]
    command += ["--frames", f"{first}:{first + round(args.film_seconds * FPS) - 1}"]
    return [str(part) for part in command]


if __name__ == "__main__":
    run_program("train.demo", main, Demo, __doc__)

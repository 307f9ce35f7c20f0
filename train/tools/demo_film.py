"""The moving picture of the README: ``python -m train.tools.demo_film [--demo build/demo] --out docs/images``.

It shows a few seconds of what ``make demo`` left in its folder, with the beats counted in the picture, since a picture
that plays inside a page is silent. Writes ``demo.webp``, which moves by itself, and ``demo.mp4``, the same with sound.
Blender's own encoder writes the film, so nothing else need be installed.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from PIL import Image, ImageDraw

from blender_addon.batch import opengl
from blender_addon.stage import drawn, film
from core.audio import io
from core.audio.beat_tracking import track_beats
from core.errors import FootlightError
from train.command import run_program

SUPERSAMPLED = 4  # dots are drawn so much larger, then reduced: round edges
LIT = (255, 214, 120, 255)
DARK = (255, 255, 255, 60)
DOWNBEAT = (255, 140, 90, 255)
FLASH = 0.18  # seconds for which a dot is at its largest
LIMIT = 2_000_000  # bytes of each file: pages must open quickly


@dataclass(frozen=True)
class DemoFilm:
    """Show a few seconds of the demo."""

    demo: Path = Path("build/demo")  # the folder of ``make demo``: dance.blend and dance.wav
    out: Path = Path("docs/images")  # the pictures' folder
    start: float = 30.0  # seconds of the song; here a bar begins, shortly before the refrain
    seconds: float = 8.571  # four bars, so that the picture comes round on the beat
    width: int = 640  # of the picture, pixels
    height: int = 360
    every: int = 2  # the silent picture shows every second frame
    quality: int = 55  # of its frames, 0 to 100


@dataclass(frozen=True)
class Count:
    """Beats as they are counted.

    times: (n,) seconds.
    bar: (n,) the number of each beat in its bar, from 0.
    metre: beats of a bar.
    """

    times: np.ndarray
    bar: np.ndarray
    metre: int

    def at(self, second: float) -> tuple[int, float]:
        """The number of the beat in its bar that was heard last, and the seconds since; (-1, inf) before the first."""
        index = int(np.searchsorted(self.times, second, side="right")) - 1
        return (int(self.bar[index]), second - float(self.times[index])) if index >= 0 else (-1, float("inf"))


def count(song: Path) -> Count:
    """The beats of a song. Raises FootlightError when it cannot be read."""
    beats = track_beats(io.read(song))
    metre = beats.metre or 4
    downbeats = np.flatnonzero(beats.downbeats.numpy()) if beats.downbeats is not None else np.empty(0, int)
    numbers = np.arange(len(beats.times))
    first = 0 * numbers
    if len(downbeats):
        last = np.searchsorted(downbeats, numbers, side="right") - 1
        first = np.where(last >= 0, downbeats[np.maximum(last, 0)], downbeats[0])
    return Count(beats.times.numpy(), (numbers - first) % metre, metre)


def with_dots(picture: Image.Image, counted: Count, second: float) -> Image.Image:
    """The picture with a dot for each beat of the bar at its lower edge; the one that is heard is lit."""
    width, height = picture.size
    beat, since = counted.at(second)
    layer = Image.new("RGBA", (width * SUPERSAMPLED, height // 6 * SUPERSAMPLED))
    draw = ImageDraw.Draw(layer)
    step = height / 12
    for dot in range(counted.metre):
        lit = dot == beat
        radius = height / 55 * (1.5 if lit and since < FLASH else 1.0) * SUPERSAMPLED
        x = (width / 2 + (dot - (counted.metre - 1) / 2) * step) * SUPERSAMPLED
        y = layer.height / 2
        colour = (DOWNBEAT if dot == 0 else LIT) if lit else DARK
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    layer = layer.resize((width, height // 6), Image.Resampling.LANCZOS)
    made = picture.convert("RGBA")
    made.alpha_composite(layer, (0, height - height // 6))
    return made.convert("RGB")


def photograph(scene: bpy.types.Scene, frames: range, size: tuple[int, int], folder: Path) -> list[Path]:
    """The frames of a scene as pictures in a folder: by Workbench, or drawn where the stage is lit or OpenGL lacks."""
    stage = drawn.read_stage(scene)
    if stage.spots or opengl.lacking():
        return drawn.save_frames(stage, frames, size, folder)
    film.set_render(scene, "workbench", size, "")
    scene.render.use_sequencer = False
    paths = [folder / f"{number:06d}.png" for number in range(len(frames))]
    for frame, path in zip(frames, paths, strict=True):
        scene.frame_set(frame)
        film.render_picture(scene, path)
    return paths


def encode(scene: bpy.types.Scene, paths: list[Path], frames: range, size: tuple[int, int], out: Path) -> None:
    """The pictures under the scene's sound, as a film."""
    drawn.add_frames(scene, paths, frames[0])
    film.set_render(scene, "workbench", size, str(out))
    scene.render.ffmpeg.constant_rate_factor = "MEDIUM"
    scene.render.ffmpeg.audio_bitrate = 128
    film.render_film(scene, (frames[0], frames[-1]))


def main(args: DemoFilm) -> list[Path]:
    """Write the moving picture and the film. Returns their files. Raises FootlightError."""
    blend, song = args.demo / "dance.blend", args.demo / "dance.wav"
    if not blend.is_file() or not song.is_file():
        raise FootlightError(f"{args.demo} has no dance.blend and dance.wav; make them first: make demo")
    counted = count(song)
    bpy.ops.wm.open_mainfile(filepath=str(blend.absolute()), load_ui=False)
    scene, size = bpy.context.scene, (args.width, args.height)
    rate = scene.render.fps / scene.render.fps_base
    first = scene.frame_start + round(args.start * rate)
    frames = range(first, first + round(args.seconds * rate))
    args.out.mkdir(parents=True, exist_ok=True)
    still, moving = args.out / "demo.webp", args.out / "demo.mp4"
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        paths = photograph(scene, frames, size, Path(folder))
        pictures = []
        for frame, path in zip(frames, paths, strict=True):
            with Image.open(path) as picture:
                pictures.append(with_dots(picture, counted, (frame - scene.frame_start) / rate))
            pictures[-1].save(path)
        shown = pictures[:: args.every]
        shown[0].save(
            still,
            save_all=True,
            append_images=shown[1:],
            duration=round(1000 * args.every / rate),
            loop=0,
            quality=args.quality,
            method=6,
        )
        encode(scene, paths, frames, size, moving.absolute())
    for path in (still, moving):
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")
        if path.stat().st_size > LIMIT:
            raise FootlightError(f"{path} is larger than {LIMIT / 1e6:g} MB; give a smaller --width and --height")
    return [still, moving]


if __name__ == "__main__":
    run_program("train.tools.demo_film", main, DemoFilm, __doc__)

"""The pictures of lit stages in docs/light.md: ``python -m train.tools.stage_pictures [--demo build/demo]``.

Lights the dance that ``make demo`` left in its folder in a few looks and renders a moment of each with Cycles. Writes
``stage-LOOK.webp``.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import bpy
from PIL import Image

from blender_addon.scene.dancer import dancers
from blender_addon.stage import film, lights, scenery
from core import pipeline
from core.audio import io
from core.errors import FootlightError
from core.formats.motion import read_motion
from core.protocol import LightOptions
from core.show.show import Show
from train.command import run_program


@dataclass(frozen=True)
class StagePictures:
    """Render moments of lit stages."""

    demo: Path = Path("build/demo")  # the folder of ``make demo``: dance.blend, dance.bvh and dance.wav
    out: Path = Path("docs/images")  # the pictures' folder
    looks: tuple[str, ...] = ("neon", "dawn")
    second: float = 33.0  # of the song
    width: int = 480  # pixels
    height: int = 270
    samples: int = 24  # of Cycles
    quality: int = 80  # of the pictures, 0 to 100


def main(args: StagePictures) -> list[Path]:
    """Render a moment in every look. Returns the files. Raises FootlightError."""
    blend, song, dance = (args.demo / f"dance.{ending}" for ending in ("blend", "wav", "bvh"))
    if missing := [path.name for path in (blend, song, dance) if not path.is_file()]:
        raise FootlightError(f"{args.demo} has no {missing[0]}; make it first: make demo")
    heard, clip, beats = io.read(song), read_motion(dance), None
    args.out.mkdir(parents=True, exist_ok=True)
    written = []
    for look in args.looks:
        light = pipeline.light_song(heard, LightOptions(look=look), clip, beats)
        beats = light.beats  # tracked once
        written.append(args.out / f"stage-{look}.webp")
        picture(blend, light.show, args).save(written[-1], quality=args.quality, method=6)
        print(f"{written[-1]}  {written[-1].stat().st_size / 1e3:.0f} kB", flush=True)
    return written


def picture(blend: Path, show: Show, args: StagePictures) -> Image.Image:
    """The moment in a show's light."""
    bpy.ops.wm.open_mainfile(filepath=str(blend.absolute()), load_ui=False)
    scene, size = bpy.context.scene, (args.width, args.height)
    bodies = dancers(scene)
    if not bodies:
        raise FootlightError(f"{blend} has not the bundled dancer; make it again: make demo")
    frames = scene.frame_start, scene.frame_end
    scene.camera = lights.set_lit_stage(scene, bodies, frames, show, args.width / args.height)
    scenery.set_colours(scene)
    film.set_render(scene, "cycles", size, "")
    scene.cycles.samples = args.samples
    scene.frame_set(frames[0] + round(args.second * scene.render.fps / scene.render.fps_base))
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        path = Path(folder) / "stage.png"
        film.render_picture(scene, path)
        with Image.open(path) as rendered:
            return rendered.convert("RGB")


if __name__ == "__main__":
    run_program("train.tools.stage_pictures", main, StagePictures, __doc__)

"""A film of a scene that was saved: the best one that this machine has time for, and how long it takes."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..errors import UserError
from ..scene.dancer import dancers
from ..stage import drawn, film
from .making import RESOLUTION, partial_of
from .terminal import Terminal

TRIAL_FRAMES = 4  # timed for each quality that is tried, after one or more that are not


@dataclass(frozen=True)
class Quality:
    """How good the pictures of a film are, and so how long they take.

    scale: of the picture's sides.
    smoothing: Workbench's, as ``scene.display.render_aa`` names it.
    """

    scale: float = 1.0
    smoothing: str = film.SMOOTHING


_SCALED = tuple(Quality(scale) for scale in (1.0, 0.75, 0.5))

QUALITIES = {
    "workbench": (Quality(), *(Quality(scale, "FXAA") for scale in (1.0, 0.75, 0.5))),
    "eevee": _SCALED,
    "cycles": _SCALED,
    "drawn": _SCALED,
}
"""What can be chosen among, by engine, the best first."""


def choose(
    qualities: Sequence[Quality], frames: int, within: float, trial: Callable[[Quality], float]
) -> tuple[Quality, float]:
    """The first quality in which ``frames`` take no longer than ``within`` seconds, else the last, and its seconds.

    trial: the seconds that a frame takes in a quality.
    """
    *better, last = qualities
    for quality in better:
        seconds = frames * trial(quality)
        if seconds <= within:
            return quality, seconds
    return last, frames * trial(last)


def make_film(blend: Path, movie: Path, args: argparse.Namespace, terminal: Terminal) -> None:
    """Film the scene that was saved. Raises UserError, or RuntimeError as Blender does."""
    bpy.ops.wm.open_mainfile(filepath=str(blend), load_ui=False)
    scene = bpy.context.scene
    first, last = scene.frame_start, scene.frame_end
    frames = args.frames or (first, last)
    if frames[0] > last or frames[1] < first:
        raise UserError(f"the scene has the frames {first}:{last}, but --frames asks for {frames[0]}:{frames[1]}")
    frames = range(max(first, frames[0]), min(last, frames[1]) + 1)
    bundled = not args.own and dancers(scene)
    whole = args.resolution or (RESOLUTION if bundled else film.size(scene))
    partial = partial_of(movie)

    def prepare(quality: Quality) -> None:
        width, height = (max(4, round(side * quality.scale)) for side in whole)
        film.set_render(scene, args.engine, (width, height), str(partial))
        scene.display.render_aa = quality.smoothing

    def trial(quality: Quality) -> float:
        prepare(quality)
        return seconds_a_frame(scene, args.engine, frames)

    quality, estimate = QUALITIES[args.engine][0], ""
    if args.within:
        terminal.progress(f"{movie.name}: timing a few frames")
        quality, seconds = choose(QUALITIES[args.engine], len(frames), args.within, trial)
        estimate = f", about {seconds:.0f} s"
    prepare(quality)
    size = "x".join(map(str, film.size(scene)))
    terminal.say(f"{movie.name}: filming {len(frames)} frames of {size}{estimate}")
    count = Count(movie.name, len(frames), terminal.progress)
    try:
        if args.engine == "drawn":
            film_drawn(scene, frames, count)
        else:
            film.render_film(scene, (frames[0], frames[-1]), lambda done: count(round(done * len(frames))))
        if not partial.is_file() or partial.stat().st_size == 0:
            raise UserError(f"Blender wrote no film; its last words: {terminal.tail()}")
        partial.replace(movie)
    finally:
        partial.unlink(missing_ok=True)


class Count:
    """Tells how many frames are done, and how long the rest takes."""

    def __init__(self, name: str, frames: int, tell: Callable[[str], None]) -> None:
        self._name, self._frames, self._tell, self._began = name, frames, tell, time.monotonic()

    def __call__(self, done: int) -> None:
        left = (time.monotonic() - self._began) / max(done, 1) * (self._frames - done)
        known = done >= self._frames / 20  # the first frame takes longest
        self._tell(f"{self._name}: frame {done} of {self._frames}" + (f", about {left:.0f} s left" if known else ""))


def film_drawn(scene: bpy.types.Scene, frames: range, on_progress: Callable[[int], None]) -> None:
    """The film of the bundled stage that ``drawn`` makes, under the scene's sound. Raises UserError."""
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        stage = drawn.read_stage(scene)
        paths = drawn.save_frames(stage, frames, film.size(scene), Path(folder), on_progress)
        drawn.add_frames(scene, paths, frames[0])
        film.render_film(scene, (frames[0], frames[-1]))


def seconds_a_frame(scene: bpy.types.Scene, engine: str, frames: range) -> float:
    """How long a frame of the film takes as the scene is set, measured on a few from its middle."""
    middle = frames[len(frames) // 2 :]
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:

        def take(some: range) -> None:
            if engine == "drawn":
                drawn.save_frames(drawn.read_stage(scene), some, film.size(scene), Path(folder))
                return
            for frame in some:
                scene.frame_set(frame)
                bpy.ops.render.render()

        take(middle[:1])
        timed = middle[1 : 1 + TRIAL_FRAMES] or middle
        began = time.monotonic()
        take(timed)
        return (time.monotonic() - began) / len(timed)

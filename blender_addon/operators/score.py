"""Score motion: from the animation of the chosen dancer to music in the sequencer."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import names, session
from ..engine.job import Request
from ..scene import markers, music, reading, rigs
from .job_operator import JobOperator
from .order import Place, beat_alignment, beat_frames, find_dancer, sampling, settings_of, summary


@dataclass(frozen=True)
class Order:
    """What music is for: the frames from ``first`` to ``last``, both included."""

    place: Place
    first: int
    last: int
    seed: int
    markers: bool


class FOOTLIGHT_OT_score_motion(JobOperator, bpy.types.Operator):
    """Make music to the dancer's animation and add it to the sequencer. The rig stays as it is"""

    bl_idname = names.SCORE
    bl_label = "Score Motion"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        start(context)


def start(context: bpy.types.Context) -> None:
    """Read the animation and ask the engine for its music. Raises UserError when something is missing."""
    folder = session.prepare()
    settings = settings_of(context.scene)
    armature = find_dancer(context)
    rigs.check_readable(armature)
    first, last = frame_range(context.scene, armature)
    order = Order(Place.here(context, armature), first, last, settings.seed, settings.markers)
    reading.check_length(first, last, order.place.fps)
    music.check_folder()
    values = sampling(context.scene)
    session.start_with("Reading the animation", request(order, values, Path(folder)), lambda done: write(order, done))


def frame_range(scene: bpy.types.Scene, armature: bpy.types.Object) -> tuple[int, int]:
    """The first and the last frame that the panel's choice means."""
    if settings_of(scene).score_range == "ACTION":
        return reading.animated_range(armature)
    return scene.frame_start, scene.frame_end


def request(order: Order, values: dict, folder: Path) -> Generator[float, None, Request]:
    """What is asked of the engine, after the animation was read; yields how much of it. values: how to sample."""
    path, place = folder / "motion.npz", order.place
    yield from reading.saving(path, lambda: place.find("music")[:2], order.first, order.last, place.fps)
    return Request("score", {**values, "motion": str(path), "out": str(folder / "music.wav")})


def write(order: Order, done: dict) -> str:
    """Put finished music into the sequencer. Raises UserError when what it was made for is gone."""
    scene, _, sequencer = order.place.find("music")
    strip = music.add(
        sequencer, Path(done["out"]), f"score_{order.seed}", order.first, strip_properties(order.seed, done)
    )
    session.state.warning = music.warning()
    if order.markers:
        frames = beat_frames(order.first, order.place.fps, done.get("beats", ()))
        markers.show_beats(scene, frames, done.get("downbeats"))
    return f"{strip.name}: {summary(strip)}"


def strip_properties(seed: int, done: dict) -> dict:
    """What a music strip says of itself."""
    score = beat_alignment(done)
    known = {"seed": seed, "tempo": done.get("tempo"), "beat_score": score}
    return {key: value for key, value in known.items() if value is not None}

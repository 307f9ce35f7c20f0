"""Generate duet: a dance and its music from nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import names, session
from ..engine.job import Request
from ..scene import actions, markers, music, rigs
from .job_operator import JobOperator
from .order import Place, beat_alignment, beat_frames, find_dancer, sampling, settings_of, summary
from .score import strip_properties


@dataclass(frozen=True)
class Order:
    """What a duet is for: its first frame and how many there are."""

    place: Place
    first: int
    frames: int
    seed: int
    markers: bool


class FOOTLIGHT_OT_generate_duet(JobOperator, bpy.types.Operator):
    """Make a dance and its music together, from the scene's first frame on: a new action and a new strip"""

    bl_idname = names.DUET
    bl_label = "Generate Duet"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        start(context)


def start(context: bpy.types.Context) -> None:
    """Ask the engine for a dance and its music. Raises UserError when something is missing."""
    folder = Path(session.prepare())
    scene, settings = context.scene, settings_of(context.scene)
    armature = find_dancer(context)
    rigs.check_writable(armature)
    place = Place.here(context, armature)
    music.check_folder()
    frames = round(settings.duet_seconds * place.fps)
    order = Order(place, scene.frame_start, frames, settings.seed, settings.markers)
    values = {
        **sampling(scene),
        "seconds": frames / place.fps,
        "fps": place.fps,
        "beat_snap": settings.beat_snap,
        "out_motion": str(folder / "dance.npz"),
        "out_music": str(folder / "music.wav"),
    }
    session.start(Request("duet", values), lambda done: write(order, done))


def write(order: Order, done: dict) -> str:
    """Put a finished duet into the scene it was made for, both or neither. Raises UserError when what it needs is
    gone."""
    scene, armature, sequencer = order.place.find("duet")
    rigs.check_writable(armature)
    score = beat_alignment(done)
    properties = strip_properties(order.seed, done)
    strip = music.add(sequencer, Path(done["out_music"]), f"duet_{order.seed}", order.first, properties)
    try:
        action = actions.write_dance(
            done["out_motion"],
            armature,
            order.first,
            name=f"{Path(strip.name).stem} dance",
            frames=order.frames,
            properties={"song": strip.name} | ({} if score is None else {"beat_score": score}),
        )
    except Exception:
        music.remove(sequencer, strip)
        raise
    session.state.warning = music.warning()
    if order.markers:
        frames = beat_frames(order.first, order.place.fps, done.get("beats", ()))
        markers.show_beats(scene, frames, done.get("downbeats"))
    return f"{action.name}: {summary(action)}"

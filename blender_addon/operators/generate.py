"""Generate dance: from the chosen song to a new action on the chosen dancer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import names, session
from ..engine.job import Request
from ..errors import UserError
from ..scene import actions, markers, rigs, strips
from .job_operator import JobOperator, redraw
from .order import Place, beat_alignment, beat_frames, find_dancer, sampling, settings_of, summary
from .song import find_song, request_values


@dataclass(frozen=True)
class Order:
    """What a dance is for."""

    place: Place
    song: strips.Song
    markers: bool


class FOOTLIGHT_OT_generate_dance(JobOperator, bpy.types.Operator):
    """Make a dance to the song and write it to the dancer as a new action"""

    bl_idname = names.GENERATE
    bl_label = "Generate Dance"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        start(context)


class FOOTLIGHT_OT_cancel(bpy.types.Operator):
    """Stop what Footlight is doing; nothing is written"""

    bl_idname = names.CANCEL
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return session.busy()

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.cancel()
        redraw(context)
        return {"FINISHED"}


def start(context: bpy.types.Context) -> None:
    """Ask the engine for the dance that the scene's settings describe. Raises UserError when something is missing."""
    folder = session.prepare()
    settings = settings_of(context.scene)
    armature = find_dancer(context)
    rigs.check_writable(armature)
    order = Order(Place.here(context, armature), find_song(context, folder), settings.markers)
    values = {
        **request_values(order.song),
        **sampling(context.scene),
        "fps": order.place.fps,
        "beat_snap": settings.beat_snap,
        "out": str(Path(folder) / "dance.npz"),
    }
    session.start(Request("dance", values), lambda done: write(order, done))


def write(order: Order, done: dict) -> str:
    """Put a finished dance into the scene it was made for. Raises UserError when what it needs is gone."""
    song = order.song
    scene, armature, sequencer = order.place.find("dance")
    if not strips.is_there(sequencer, song):
        raise UserError(f"The strip {song.strip!r} was deleted while its dance was made; nothing was written.")
    score = beat_alignment(done)
    action = actions.write_dance(
        done["out"],
        armature,
        song.frame_start,
        name=f"{song.name} dance",
        frames=song.frames,
        properties={"song": song.name} | ({} if score is None else {"beat_score": score}),
    )
    if order.markers:
        frames = beat_frames(song.frame_start, order.place.fps, done.get("beats", ()))
        markers.show_beats(scene, frames, done.get("downbeats"))
    return f"{action.name}: {summary(action)}"

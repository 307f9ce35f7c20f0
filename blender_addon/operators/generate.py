"""Generate dance: from the chosen song to a new action on the chosen dancer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import names, session
from ..engine.job import Request
from ..errors import UserError
from ..props import STEPS
from ..scene import actions, dancer, markers, strips, versions
from .job_operator import JobOperator, redraw
from .song import beat_frames, by_uid, find_song, request_values


@dataclass(frozen=True)
class Order:
    """What a dance is for, in values that outlive undo, renaming and deletion."""

    scene: int  # session_uid
    sequencer: int
    armature: int
    armature_name: str
    fps: float
    song: strips.Song
    seed: int
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
    settings = getattr(context.scene, names.SCENE_PROPERTY)
    armature = find_dancer(context)
    actions.check_rig(armature)
    song = find_song(context, folder)
    order = Order(
        context.scene.session_uid,
        versions.sequencer_scene(context).session_uid,
        armature.session_uid,
        armature.name,
        strips.frame_rate(context.scene),
        song,
        settings.seed,
        settings.markers,
    )
    request = Request(
        "dance",
        {
            **request_values(song),
            "fps": order.fps,
            "seed": settings.seed,
            "steps": STEPS[settings.quality],
            "guidance": settings.guidance or None,
            "beat_snap": settings.beat_snap,
            "out": str(Path(folder) / "dance.safetensors"),
        },
    )
    session.start(request, lambda done: write(order, done))


def find_dancer(context: bpy.types.Context) -> bpy.types.Object:
    """The armature that shall dance: the chosen one, else the active one, else the scene's only dancer."""
    chosen = getattr(context.scene, names.SCENE_PROPERTY).dancer
    if chosen is not None:
        if chosen.name not in context.scene.objects:
            raise UserError(f"{chosen.name!r} is no longer in this scene. Choose another armature under Dancer.")
        return chosen
    active = context.active_object
    if active is not None and active.type == "ARMATURE":
        return active
    found = dancer.dancers(context.scene)
    if active is not None and active.parent in found:
        return active.parent
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"There are {len(found)} dancers in this scene. Choose one under Dancer.")
    raise UserError("There is no dancer. Use Add Dancer, or choose an armature under Dancer.")


def write(order: Order, done: dict) -> str:
    """Put a finished dance into the scene it was made for. Raises UserError when what it needs is gone."""
    scene = by_uid(bpy.data.scenes, order.scene)
    if scene is None:
        raise UserError("The scene was deleted while its dance was made; nothing was written.")
    armature = by_uid(scene.objects, order.armature)
    if armature is None:
        raise UserError(f"{order.armature_name!r} was deleted while its dance was made; nothing was written.")
    sequencer = by_uid(bpy.data.scenes, order.sequencer)
    if sequencer is None or not strips.is_there(sequencer, order.song):
        raise UserError(f"The strip {order.song.strip!r} was deleted while its dance was made; nothing was written.")
    if strips.frame_rate(scene) != order.fps:
        raise UserError("The scene's frame rate was changed while the dance was made. Generate it again.")
    score = beat_score(done)
    action = actions.write_dance(
        done["out"],
        armature,
        order.song.frame_start,
        name=f"{order.song.name} dance",
        frames=order.song.frames,
        properties={"song": order.song.name} | ({} if score is None else {"beat_score": score}),
    )
    if order.markers:
        markers.show_beats(scene, beat_frames(order.song, order.fps, done.get("beats", ())), done.get("downbeats"))
    return f"{action.name}: {summary(action)}"


def beat_score(done: dict) -> float | None:
    """How well the dance is on the beat, 0-1, from the engine's scores."""
    score = done.get("score", {}).get("beat")
    return None if score is None else float(score)


def summary(action: bpy.types.Action) -> str:
    """One line about a dance, from the action that holds it."""
    parts = []
    if (score := action.get(names.ACTION_PREFIX + "beat_score")) is not None:
        parts.append(f"beat score {score:.2f}")
    if tempo := float(action.get(names.ACTION_PREFIX + "tempo", 0)):
        parts.append(f"{tempo:.0f} bpm")
    parts.append(f"seed {action.get(names.ACTION_PREFIX + 'seed', '?')}")
    return ", ".join(parts)

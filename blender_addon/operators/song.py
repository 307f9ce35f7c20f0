"""The song that the scene's settings name, and its clock: what every operator that sends a song to the engine needs."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from .. import names
from ..errors import UserError
from ..scene import strips, versions


def find_song(context: bpy.types.Context, folder: str) -> strips.Song:
    """The song that the scene's settings name. folder: for files made on the way.
    Raises UserError when there is none."""
    settings = getattr(context.scene, names.SCENE_PROPERTY)
    scene = versions.sequencer_scene(context)
    if strips.frame_rate(scene) != strips.frame_rate(context.scene):
        raise UserError(
            f"The sequencer shows the scene {scene.name!r}, which has another frame rate than {context.scene.name!r}. "
            "Give both the same."
        )
    if settings.source == "MIX":
        return strips.whole_mix(scene, folder)
    return strips.excerpt(scene, strips.choose(scene, settings.strip), folder)


def request_values(song: strips.Song) -> dict:
    """How a request to the engine names the song."""
    return {"song": song.path, "start": song.start, "seconds": song.seconds}


def beat_frames(song: strips.Song, fps: float, times: Iterable[float]) -> list[float]:
    """The frames of beats that are told in seconds from the excerpt's start."""
    return [song.frame_start + time * fps for time in times]


def by_uid(collection: Iterable, uid: int):
    """What has this session_uid, which outlives renaming and undo; None when it was deleted."""
    return next((item for item in collection if item.session_uid == uid), None)

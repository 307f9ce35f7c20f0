"""The song that the scene's settings name: what every operator that sends a song to the engine needs."""

from __future__ import annotations

import bpy

from ..scene import strips
from .order import sequencer_scene, settings_of


def find_song(context: bpy.types.Context, folder: str) -> strips.Song:
    """The song that the scene's settings name. folder: for files made on the way.
    Raises UserError when there is none."""
    settings = settings_of(context.scene)
    scene = sequencer_scene(context)
    if settings.source == "MIX":
        return strips.whole_mix(scene, folder)
    return strips.excerpt(scene, strips.choose(scene, settings.strip), folder)


def request_values(song: strips.Song) -> dict:
    """How a request to the engine names the song."""
    return {"song": song.path, "start": song.start, "seconds": song.seconds}

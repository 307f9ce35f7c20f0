"""What the panel's settings mean: who is to dance, to which song, and how the engine is to sample."""

from __future__ import annotations

import bpy

from .. import names, styles
from ..errors import UserError
from ..props import OWN_CHOICE, STEPS
from ..scene import dancer, meant, songs, strips, versions


def settings_of(scene: bpy.types.Scene):
    """What the user chose in the panel."""
    return getattr(scene, names.SCENE_PROPERTY)


def sampling(scene: bpy.types.Scene) -> dict:
    """The engine's words for the panel's choices of seed, quality, guidance and style."""
    settings = settings_of(scene)
    first, second = ("" if name == OWN_CHOICE else name for name in (settings.style, settings.style_second))
    return {
        "seed": settings.seed,
        "steps": STEPS[settings.quality],
        "guidance": settings.guidance or None,
        "style": styles.text(first, second, settings.style_mix),
    }


def find_dancer(context: bpy.types.Context) -> bpy.types.Object:
    """The armature that is meant: the chosen one, else the active one or the one of what is active, else the scene's
    only dancer, else its only body. Raises UserError, saying what to do, when there is none."""
    chosen = settings_of(context.scene).dancer
    if chosen is not None:
        if chosen.name not in context.scene.objects:
            raise UserError(f"{chosen.name!r} is no longer in this scene. Choose another armature under Dancer.")
        return chosen
    active = context.active_object
    if active is not None and (shown := meant.armature_of(context.scene, active)):
        return shown
    found = dancer.dancers(context.scene) or meant.bodies(context.scene)
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"There are {len(found)} dancers in this scene. Choose one under Dancer.")
    raise UserError("There is no dancer. Use Add Dancer, or choose an armature under Dancer.")


def find_song(context: bpy.types.Context, folder: str) -> strips.Song:
    """The song that the settings name, in the scene of the window. folder: for files made on the way.  Raises UserError
    when there is none."""
    scene, settings = context.scene, settings_of(context.scene)
    if settings.source == "MIX":
        return strips.whole_mix(scene, folder)
    strip = songs.choose(scene, settings.strip, shown=versions.sequencer_scene(context))
    return strips.excerpt(scene, strip, folder)

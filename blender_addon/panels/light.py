"""Stage light: its look, and the stage that is lit."""

from __future__ import annotations

import bpy

from .. import light_props, names, session
from ..api import light
from ..operators.light import is_seen
from ..operators.settings import settings_of
from ..scene.wording import listed
from ..stage import lights
from . import cards, rows, status
from .wrapping import wrapped


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object | None) -> None:
    """armature: who dances, where that is clear."""
    chosen = settings_of(context.scene).light
    choices = layout.column()
    choices.enabled = not session.busy()
    rows.labelled(choices, "Look").prop(chosen, "look", text="")
    if chosen.look == light_props.FILE:
        rows.labelled(choices, "File").prop(chosen, "file", text="")
    status.go(layout, context, names.LIGHT, "Light Stage", "LIGHT_SPOT")
    stage = light.of(context.scene)
    if stage is not None:
        _card(layout, context, stage, armature)


def _card(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    stage: bpy.types.Collection,
    armature: bpy.types.Object | None,
) -> None:
    """The stage that is lit, what keeps it from being seen as it is meant, and what can be done with it."""
    scene = context.scene
    box = layout.box().column(align=False)
    wrapped(box, context, light.title(stage), "CHECKMARK", less=cards.BOX)
    song, cues = (stage.get(names.PREFIX + name) for name in ("song", "cues"))
    wrapped(box, context, f"{cues} {'cue' if cues == 1 else 'cues'} to {song!r}", "BLANK1", less=cards.BOX)
    if warning := stage.get(names.PREFIX + "warning", ""):
        cards.warning(box, context, warning).collection = stage.name
    if not light.is_for(stage, armature):
        wrapped(box, context, "Lit for another dance. Light it again", "INFO", less=cards.BOX)
    if scene.render.engine == "BLENDER_WORKBENCH":
        wrapped(box, context, "Workbench shows no lamps. Choose EEVEE or Cycles", "INFO", less=cards.BOX)
    if others := lights.others(scene):
        named = listed([repr(name) for name in others], "lamps")
        shine = "shines too. Disable it" if len(others) == 1 else "shine too. Disable them"
        wrapped(box, context, f"{named} {shine} in renders", "INFO", less=cards.BOX)
    row = box.row(align=True)
    row.operator(names.SEE_LIGHT, icon="SHADING_RENDERED", depress=is_seen(context))
    row.operator(names.REMOVE_LIGHT, text="Remove", icon="X")

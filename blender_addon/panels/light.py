"""Stage light: its look, the dance that is made with it, and the stage that is lit."""

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
    rows.labelled(_look(layout, chosen), "Lit By").prop(chosen, "by", expand=True)
    status.go(layout, context, names.LIGHT, "Light Stage", "LIGHT_SPOT")
    stage = light.of(context.scene)
    if stage is not None:
        _card(layout, context, stage, armature)


def draw_theatre(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What is made together with its dance."""
    chosen = settings_of(context.scene).light
    rows.labelled(_look(layout, chosen), "Accent").prop(chosen, "accent", expand=True)
    status.go(layout, context, names.THEATRE, "Make Dance and Light", "OUTLINER_OB_LIGHT")


def _look(layout: bpy.types.UILayout, chosen: light_props.FootlightLight) -> bpy.types.UILayout:
    """The rows for the look. Returns the column that they are in, for further choices."""
    choices = layout.column()
    choices.enabled = not session.busy()
    rows.labelled(choices, "Look").prop(chosen, "look", text="")
    if chosen.look == light_props.FILE:
        rows.labelled(choices, "File").prop(chosen, "file", text="")
    return choices


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
    song, cues, by = (stage.get(names.PREFIX + name) for name in ("song", "cues", "by"))
    written = "By the model," if by == light.MODEL else f"{cues} {'cue' if cues == 1 else 'cues'}"
    wrapped(box, context, f"{written} to {song!r}", "BLANK1", less=cards.BOX)
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

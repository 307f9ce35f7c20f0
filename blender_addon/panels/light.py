"""Stage light: its look, the dance that is made with it, and the stage that is lit."""

from __future__ import annotations

import bpy

from .. import light_props, names, session
from ..api import kept_light, light
from ..operators.light import is_seen
from ..operators.settings import settings_of
from ..scene import takes as listed
from ..scene import wording
from ..stage import lights
from . import cards, rows, status, takes
from .wrapping import wrapped


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object | None) -> None:
    """Draw what is asked of the light, and what there is of it.

    armature: who dances, where that is clear.
    """
    chosen = settings_of(context.scene).light
    choices = layout.column()
    choices.enabled = not session.busy()
    _look(choices, chosen)
    rows.labelled(choices, "Lit By").prop(chosen, "by", expand=True)
    status.go(layout, context, names.LIGHT, "Light Stage", "LIGHT_SPOT")
    stage = light.of(context.scene)
    if stage is not None:
        _card(layout, context, stage, armature)
    elif _has_light(armature):
        layout.operator(names.LIGHT_TAKE, icon="LOOP_BACK")


def draw_theatre(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What is made together with its dance, or the light that a dance is made for."""
    chosen = settings_of(context.scene).light
    takes.number(layout, context)
    choices = layout.column()
    choices.enabled = not session.busy()
    rows.labelled(choices, "Light").prop(chosen, "made", expand=True)
    if chosen.made == light_props.KEPT:
        stage = light.of(context.scene)
        rows.labelled(choices, "").label(text=light.title(stage) if stage else "")
        text = "Make Dance for This Light"
    else:
        _look(choices, chosen.together)
        text = "Make Dance and Light"
    rows.labelled(choices, "Accent").prop(chosen, "accent", expand=True)
    status.go(layout, context, names.THEATRE, text, "OUTLINER_OB_LIGHT", polls_all=False)


def draw_edited(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object | None) -> None:
    """The button that lights an edited dance where it was edited, where it is known where that was.

    armature: who dances, where that is clear.
    """
    if armature is not None and kept_light.was_edited(listed.shown(armature)):
        status.go(layout, context, names.LIGHT_EDIT, "Light Edited Bars", "LIGHT_SPOT")


def _look(layout: bpy.types.UILayout, chosen: light_props.FootlightLook | light_props.FootlightLight) -> None:
    """The rows for the look."""
    rows.labelled(layout, "Look").prop(chosen, "look", text="")
    if chosen.look == light_props.FILE:
        rows.labelled(layout, "File").prop(chosen, "file", text="")


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
        lit = _has_light(armature)
        told = "Lit for another take" if lit else "Lit for another dance. Light it again"
        wrapped(box, context, told, "INFO", less=cards.BOX)
        if lit:
            box.operator(names.LIGHT_TAKE, icon="LOOP_BACK")
    elif stage.get(names.PREFIX + kept_light.EDITED):
        wrapped(box, context, "Lit before the dance was edited", "INFO", less=cards.BOX)
        draw_edited(box, context, armature)
    elif stage.get(light.CHANGED):
        wrapped(box, context, "With your changes to the stage", "INFO", less=cards.BOX)
        box.operator(names.LIGHT_TAKE, text="As It Was Lit", icon="LOOP_BACK").as_written = True
    if scene.render.engine == "BLENDER_WORKBENCH":
        wrapped(box, context, "Workbench shows no lamps. Choose EEVEE or Cycles", "INFO", less=cards.BOX)
    if others := lights.others(scene):
        named = wording.listed([repr(name) for name in others], "lamps")
        shine = "shines too. Disable it" if len(others) == 1 else "shine too. Disable them"
        wrapped(box, context, f"{named} {shine} in renders", "INFO", less=cards.BOX)
    row = box.row(align=True)
    row.operator(names.SEE_LIGHT, icon="SHADING_RENDERED", depress=is_seen(context))
    row.operator(names.REMOVE_LIGHT, text="Remove", icon="X")


def _has_light(armature: bpy.types.Object | None) -> bool:
    """Whether the dance that an armature shows keeps its light."""
    return armature is not None and kept_light.has_light(listed.shown(armature))

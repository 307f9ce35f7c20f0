"""Footlight's tab in the side bars of the 3D View and of the sequencer: one set of panels for each of the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .. import environment, model, names, session
from ..errors import UserError
from ..operators.settings import dancer_or_none, find_dancer, seconds_of, settings_of
from ..scene import strips
from . import beats, bones, cards, engine, helping, keys, light, rows, song, status, takes
from .wrapping import wrapped

SPACES = dict(zip(names.EDITORS, ("", "_sequencer"), strict=True))
"""Where the panels are, and what their identifiers there end with."""


class Panel:
    """What all of them have in common."""

    bl_region_type = "UI"
    bl_category = names.TAB

    if TYPE_CHECKING:  # what bpy.types.Panel, the other base, brings along
        layout: bpy.types.UILayout


class Main(Panel):
    """Who dances, to what and how, whatever is made."""

    bl_label = "Footlight"

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        helping.draw_header_preset(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        engine.draw(layout, context)
        status.error(layout, context, names.INSTALL_ENGINE)
        choices = layout.column()
        choices.enabled = engine.installing() or not session.busy()
        rows.dancer(choices, context)
        song.draw(choices, context)
        rows.style(choices, context)
        rows.seed(choices, context)


class Child(Panel):
    """A panel inside the main one."""


class Dance(Child):
    bl_label = "Dance"

    def draw(self, context: bpy.types.Context) -> None:
        takes.number(self.layout, context)
        status.go(self.layout, context, names.GENERATE, "Generate Dance", "ARMATURE_DATA")
        dancer = _dancer(context)
        takes.draw(self.layout, dancer)
        cards.dance(self.layout, context, dancer)


class Edit(Child):
    bl_label = "Edit"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, settings_of(context.scene)
        choices = layout.column()
        choices.enabled = not session.busy()
        choices.row().prop(settings, "edit_range", expand=True)
        if settings.edit_range == "COUNTS":
            choices.prop(settings, "edit_counts", text="")
        rows.labelled(choices, "Body").prop(settings, "edit_joints", text="")
        choices.prop(settings, "edit_keep_keys")
        rows.labelled(choices, "Path").prop(settings, "edit_path", text="", icon="CURVE_DATA")
        if settings.edit_path is not None:
            rows.labelled(choices, "Facing").prop(settings, "edit_facing", text="")
        choices.prop(settings, "edit_variation", slider=True)
        status.go(layout, context, names.EDIT, "Regenerate", "FILE_REFRESH")
        light.draw_edited(layout, context, _dancer(context))


class Music(Child):
    bl_label = "Music for This Dance"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, settings_of(context.scene)
        row = layout.row()
        row.enabled = not session.busy()
        row.prop(settings, "score_range", expand=True)
        if told := _part(context):
            layout.label(text=told)
        status.go(layout, context, names.SCORE, "Make Music", "SOUND")
        cards.music(layout, context)


class Both(Child):
    bl_label = "Dance and Music"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        row = self.layout.row()
        row.enabled = not session.busy()
        row.prop(settings_of(context.scene), "duet_seconds")
        status.go(self.layout, context, names.DUET, "Make Both", "SOUND")


class Theatre(Child):
    bl_label = "Dance and Light"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        light.draw_theatre(self.layout, context)


class Light(Child):
    bl_label = "Stage Light"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        light.draw(self.layout, context, _dancer(context))


class Beats(Child):
    bl_label = "Beats"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        beats.draw(self.layout, context)


class Bones(Child):
    bl_label = "Bones"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        try:
            dancer = find_dancer(context)
        except UserError as error:
            wrapped(self.layout, context, str(error))
            return
        bones.draw(self.layout, context, dancer)


class Keys(Child):
    bl_label = "Keys"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        keys.draw(self.layout, context)


class Advanced(Child):
    bl_label = "Advanced"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        settings = settings_of(context.scene)
        layout = self.layout
        choices = layout.column()
        choices.enabled = not session.busy()
        if model.facts(environment.model_folder()).taught:
            choices.prop(settings, "fine")
        choices.prop(settings, "follow", slider=True)
        choices.prop(settings, "beat_snap", slider=True)
        choices.prop(settings, "free_form")
        repeated = choices.column()
        repeated.enabled = not settings.free_form
        repeated.prop(settings, "moves")
        if session.state.engine:
            layout.operator(names.FREE_MEMORY, text="Stop Engine", icon="QUIT")


def _dancer(context: bpy.types.Context) -> bpy.types.Object | None:
    """Who dances, where that is clear."""
    try:
        return dancer_or_none(context)
    except UserError:
        return None


def _part(context: bpy.types.Context) -> str:
    """How much of the scene's range the music will be for, where it is less."""
    scene, seconds = context.scene, seconds_of(context, names.SCORE)
    whole = (scene.frame_end - scene.frame_start + 1) / strips.frame_rate(scene)
    if seconds is None or seconds > whole - 0.05:
        return ""
    return f"{seconds:.1f} s of the scene's {whole:.1f} s"


def _for_space(space: str, ending: str) -> list[type]:
    """A panel of each kind for an editor's side bar."""
    main = f"FOOTLIGHT_PT_main{ending}"
    found = []
    for kind in (Main, Dance, Edit, Music, Both, Theatre, Light, Beats, Bones, Keys, Advanced):
        name = f"FOOTLIGHT_PT_{kind.__name__.lower()}{ending}"
        more = {"bl_parent_id": main} if issubclass(kind, Child) else {}
        about = {"bl_idname": name, "bl_space_type": space, "__doc__": kind.__doc__, **more}
        found.append(type(name, (kind, bpy.types.Panel), about))
    return found


CLASSES = tuple(cls for space, ending in SPACES.items() for cls in _for_space(space, ending))
"""All panels, parents before their children."""

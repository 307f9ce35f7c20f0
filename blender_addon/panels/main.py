"""The tab in the 3D View's side panel."""

from __future__ import annotations

import textwrap

import bpy

from .. import environment, names, session
from ..api.target import summary
from ..operators.settings import settings_of
from ..props import OWN_CHOICE
from . import song

POINTS_PER_LETTER = 7.0


class FootlightPanel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = names.TAB


class FOOTLIGHT_PT_main(FootlightPanel, bpy.types.Panel):
    """Who dances and how, whatever is made; and what is going on."""

    bl_label = "Footlight"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        settings = settings_of(context.scene)
        choices = layout.column()
        choices.enabled = not session.busy()
        _dancer(choices, settings)
        _style(choices, settings)
        choices.prop(settings, "seed")
        if job := session.state.job:
            layout.progress(text=f"{job.stage}  {job.fraction:.0%}", factor=job.fraction)
            layout.operator(names.CANCEL, icon="CANCEL")
            return
        if environment.find_python() is None:
            layout.label(text="The engine is not installed yet", icon="INFO")
            layout.operator(names.INSTALL_ENGINE, icon="IMPORT")
        _outcome(layout, context)


class FOOTLIGHT_PT_dance(FootlightPanel, bpy.types.Panel):
    bl_label = "Dance"
    bl_parent_id = "FOOTLIGHT_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        choices = self.layout.column()
        choices.enabled = not session.busy()
        song.draw(choices, context)
        _go(self.layout, names.GENERATE, "PLAY")


class FOOTLIGHT_PT_score(FootlightPanel, bpy.types.Panel):
    bl_label = "Score"
    bl_parent_id = "FOOTLIGHT_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        row = self.layout.row()
        row.enabled = not session.busy()
        row.prop(settings_of(context.scene), "score_range", expand=True)
        _go(self.layout, names.SCORE, "SPEAKER")


class FOOTLIGHT_PT_duet(FootlightPanel, bpy.types.Panel):
    bl_label = "Duet"
    bl_parent_id = "FOOTLIGHT_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        row = self.layout.row()
        row.enabled = not session.busy()
        row.prop(settings_of(context.scene), "duet_seconds")
        _go(self.layout, names.DUET, "PLAY_SOUND")


class FOOTLIGHT_PT_beats(FootlightPanel, bpy.types.Panel):
    bl_label = "Beats"
    bl_parent_id = "FOOTLIGHT_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        settings = settings_of(context.scene)
        row = self.layout.row(align=True)
        row.operator(names.SHOW_BEATS, text="Show", icon="MARKER_HLT")
        row.operator(names.REMOVE_BEATS, text="Remove", icon="X")
        self.layout.prop(settings, "markers")


class FOOTLIGHT_PT_advanced(FootlightPanel, bpy.types.Panel):
    bl_label = "Advanced"
    bl_parent_id = "FOOTLIGHT_PT_main"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        settings = settings_of(context.scene)
        layout = self.layout
        layout.enabled = not session.busy()
        layout.row().prop(settings, "quality", expand=True)
        layout.prop(settings, "guidance")
        layout.prop(settings, "beat_snap", slider=True)
        if session.state.engine:
            layout.operator(names.FREE_MEMORY, icon="MEMORY")


def _dancer(layout: bpy.types.UILayout, settings) -> None:
    row = layout.row(align=True)
    row.prop(settings, "dancer", text="", icon="ARMATURE_DATA")
    row.operator(names.ADD_DANCER, text="", icon="ADD")


def _style(layout: bpy.types.UILayout, settings) -> None:
    layout.prop(settings, "style")
    if settings.style != OWN_CHOICE:
        layout.prop(settings, "style_second", text="With")
        if settings.style_second != OWN_CHOICE:
            layout.prop(settings, "style_mix", slider=True)


def _go(layout: bpy.types.UILayout, operator: str, icon: str) -> None:
    row = layout.row()
    row.enabled = environment.find_python() is not None
    row.scale_y = 1.4
    row.operator(operator, icon=icon)


def _outcome(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What is known of the dance on the chosen dancer, or how the last job ended when that was another one."""
    state = session.state
    if state.error:
        box = layout.box()
        box.alert = True
        _wrapped(box, context, state.error, "ERROR")
        if state.log:
            _wrapped(box, context, f"Log: {state.log}", "TEXT")
        return
    armature = settings_of(context.scene).dancer or context.active_object
    data = armature.animation_data if armature else None
    action = data.action if data else None
    if (
        action is not None
        and names.PREFIX + "seed" in action
        and (not state.message or state.message.startswith(action.name))
    ):
        box = layout.box()
        _wrapped(box, context, action.name, "CHECKMARK")
        told = summary(action)
        _wrapped(box, context, told[0].upper() + told[1:], "BLANK1")
    elif state.message:
        _wrapped(layout, context, state.message, "INFO")
    if state.warning:
        _wrapped(layout, context, state.warning, "ERROR")


def _wrapped(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str) -> None:
    """A text over as many lines as the panel's width makes necessary."""
    width = context.region.width / (context.preferences.system.ui_scale * POINTS_PER_LETTER)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for i, line in enumerate(textwrap.wrap(text, max(int(width) - 6, 20))):
        column.label(text=line, icon=icon if i == 0 else "BLANK1")

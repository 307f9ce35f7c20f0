"""The tab in the 3D View's side panel."""

from __future__ import annotations

import textwrap

import bpy

from .. import environment, names, session
from ..operators import generate
from ..scene import strips, versions

POINTS_PER_LETTER = 7.0


class FootlightPanel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = names.TAB


class FOOTLIGHT_PT_main(FootlightPanel, bpy.types.Panel):
    bl_label = "Dance"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        settings = getattr(context.scene, names.SCENE_PROPERTY)
        choices = layout.column()
        choices.enabled = not session.busy()
        _song(choices, context, settings)
        _dancer(choices, context, settings)
        choices.prop(settings, "seed")
        layout.separator(factor=0.5)
        if session.busy():
            job = session.state.job
            layout.progress(text=f"{job.stage}  {job.fraction:.0%}", factor=job.fraction)
            layout.operator(names.CANCEL, icon="CANCEL")
        elif environment.find_python() is None:
            layout.label(text="The engine is not installed yet", icon="INFO")
            layout.operator(names.INSTALL_ENGINE, icon="IMPORT")
        else:
            row = layout.row()
            row.scale_y = 1.6
            row.operator(names.GENERATE, icon="PLAY")
        if not session.busy():
            _outcome(layout, context)


class FOOTLIGHT_PT_beats(FootlightPanel, bpy.types.Panel):
    bl_label = "Beats"
    bl_parent_id = "FOOTLIGHT_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        settings = getattr(context.scene, names.SCENE_PROPERTY)
        row = self.layout.row(align=True)
        row.operator(names.SHOW_BEATS, text="Show", icon="MARKER_HLT")
        row.operator(names.REMOVE_BEATS, text="Remove", icon="X")
        self.layout.prop(settings, "markers")


class FOOTLIGHT_PT_advanced(FootlightPanel, bpy.types.Panel):
    bl_label = "Advanced"
    bl_parent_id = "FOOTLIGHT_PT_main"
    bl_options = frozenset({"DEFAULT_CLOSED"})

    def draw(self, context: bpy.types.Context) -> None:
        settings = getattr(context.scene, names.SCENE_PROPERTY)
        layout = self.layout
        layout.enabled = not session.busy()
        layout.row().prop(settings, "quality", expand=True)
        layout.prop(settings, "guidance")
        layout.prop(settings, "beat_snap", slider=True)
        if session.state.engine:
            layout.operator(names.FREE_MEMORY, icon="MEMORY")


def _song(layout: bpy.types.UILayout, context: bpy.types.Context, settings) -> None:
    layout.row().prop(settings, "source", expand=True)
    if settings.source == "MIX":
        return
    found = strips.sound_strips(versions.sequencer_scene(context))
    hints = {0: "add a song to the sequencer", 1: found[0].name if found else ""}
    hint = hints.get(len(found), "choose a strip")
    layout.prop(settings, "strip", text="", icon="SPEAKER", placeholder=hint)


def _dancer(layout: bpy.types.UILayout, context: bpy.types.Context, settings) -> None:
    row = layout.row(align=True)
    row.prop(settings, "dancer", text="", icon="ARMATURE_DATA")
    row.operator(names.ADD_DANCER, text="", icon="ADD")


def _outcome(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """How the last job ended; else what is known of the dance on the chosen dancer."""
    state = session.state
    if state.error:
        box = layout.box()
        box.alert = True
        _wrapped(box, context, state.error, "ERROR")
        if state.log:
            _wrapped(box, context, f"Log: {state.log}", "TEXT")
        return
    armature = getattr(context.scene, names.SCENE_PROPERTY).dancer or context.active_object
    data = armature.animation_data if armature else None
    action = data.action if data else None
    if action and names.ACTION_PREFIX + "seed" in action:
        box = layout.box()
        _wrapped(box, context, action.name, "CHECKMARK")
        summary = generate.summary(action)
        _wrapped(box, context, summary[0].upper() + summary[1:], "BLANK1")
    elif state.message:
        _wrapped(layout, context, state.message, "INFO")


def _wrapped(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str) -> None:
    """A text over as many lines as the panel's width makes necessary."""
    width = context.region.width / (context.preferences.system.ui_scale * POINTS_PER_LETTER)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for i, line in enumerate(textwrap.wrap(text, max(int(width) - 6, 20))):
        column.label(text=line, icon=icon if i == 0 else "BLANK1")

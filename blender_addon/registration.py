"""What Blender is told about the add-on, in the order that it needs."""

from __future__ import annotations

import bpy

from . import light_props, names, readiness, session, status_bar
from .key_props import FootlightKeys
from .light_props import FootlightLight, FootlightLook
from .operators.beats import FOOTLIGHT_OT_remove_beats, FOOTLIGHT_OT_show_beats
from .operators.bones import (
    FOOTLIGHT_OT_clear_bones,
    FOOTLIGHT_OT_export_bones,
    FOOTLIGHT_OT_import_bones,
    FOOTLIGHT_OT_take_stance,
)
from .operators.dancer import FOOTLIGHT_OT_add_dancer
from .operators.duet import FOOTLIGHT_OT_generate_duet
from .operators.edit import FOOTLIGHT_OT_edit_dance
from .operators.engine import (
    FOOTLIGHT_OT_cancel,
    FOOTLIGHT_OT_copy_report,
    FOOTLIGHT_OT_free_memory,
    FOOTLIGHT_OT_install_engine,
    FOOTLIGHT_OT_open_log,
    FOOTLIGHT_OT_reinstall_engine,
    FOOTLIGHT_OT_remove_engine,
    FOOTLIGHT_OT_use_installed_engine,
)
from .operators.generate import FOOTLIGHT_OT_generate_dance
from .operators.grid import (
    FOOTLIGHT_OT_clear_beats,
    FOOTLIGHT_OT_correct_beats,
    FOOTLIGHT_OT_export_beats,
    FOOTLIGHT_OT_import_beats,
    FOOTLIGHT_OT_use_markers,
)
from .operators.help import FOOTLIGHT_OT_open_help, FOOTLIGHT_OT_report_bug
from .operators.job_operator import redraw
from .operators.keep import FOOTLIGHT_OT_keep_music
from .operators.light import (
    FOOTLIGHT_OT_light_edit,
    FOOTLIGHT_OT_light_stage,
    FOOTLIGHT_OT_light_take,
    FOOTLIGHT_OT_remove_light,
    FOOTLIGHT_OT_see_light,
)
from .operators.notices import FOOTLIGHT_OT_dismiss, FOOTLIGHT_OT_explain
from .operators.open_panel import FOOTLIGHT_OT_open_panel
from .operators.play import FOOTLIGHT_OT_play
from .operators.score import FOOTLIGHT_OT_score_motion
from .operators.seed import FOOTLIGHT_OT_new_seed
from .operators.song import (
    FOOTLIGHT_FH_song,
    FOOTLIGHT_MT_recent_songs,
    FOOTLIGHT_OT_bring_song,
    FOOTLIGHT_OT_choose_song,
    FOOTLIGHT_OT_show_scene,
)
from .operators.stage import FOOTLIGHT_OT_add_stage
from .operators.takes import (
    FOOTLIGHT_OT_accept_take,
    FOOTLIGHT_OT_lay_out_takes,
    FOOTLIGHT_OT_reject_take,
    FOOTLIGHT_OT_step_take,
)
from .operators.theatre import FOOTLIGHT_OT_generate_theatre
from .panels import main, menus, status
from .panels.menus import FOOTLIGHT_MT_footlight
from .panels.takes import FOOTLIGHT_UL_takes
from .preferences import FootlightPreferences
from .props import TAKE_NAME, FootlightBones, FootlightSettings, FootlightTakes

CLASSES = (
    FootlightBones,
    FootlightTakes,
    FootlightKeys,
    FootlightLook,
    FootlightLight,
    FootlightSettings,
    FootlightPreferences,
    FOOTLIGHT_OT_generate_dance,
    FOOTLIGHT_OT_edit_dance,
    FOOTLIGHT_OT_score_motion,
    FOOTLIGHT_OT_generate_duet,
    FOOTLIGHT_OT_generate_theatre,
    FOOTLIGHT_OT_step_take,
    FOOTLIGHT_OT_accept_take,
    FOOTLIGHT_OT_reject_take,
    FOOTLIGHT_OT_lay_out_takes,
    FOOTLIGHT_UL_takes,
    FOOTLIGHT_OT_cancel,
    FOOTLIGHT_OT_add_dancer,
    FOOTLIGHT_OT_import_bones,
    FOOTLIGHT_OT_export_bones,
    FOOTLIGHT_OT_clear_bones,
    FOOTLIGHT_OT_take_stance,
    FOOTLIGHT_OT_choose_song,
    FOOTLIGHT_OT_bring_song,
    FOOTLIGHT_OT_show_scene,
    FOOTLIGHT_MT_recent_songs,
    FOOTLIGHT_FH_song,
    FOOTLIGHT_OT_play,
    FOOTLIGHT_OT_add_stage,
    FOOTLIGHT_OT_light_stage,
    FOOTLIGHT_OT_see_light,
    FOOTLIGHT_OT_remove_light,
    FOOTLIGHT_OT_light_take,
    FOOTLIGHT_OT_light_edit,
    FOOTLIGHT_OT_open_panel,
    FOOTLIGHT_OT_open_help,
    FOOTLIGHT_OT_report_bug,
    FOOTLIGHT_MT_footlight,
    FOOTLIGHT_OT_show_beats,
    FOOTLIGHT_OT_remove_beats,
    FOOTLIGHT_OT_correct_beats,
    FOOTLIGHT_OT_use_markers,
    FOOTLIGHT_OT_import_beats,
    FOOTLIGHT_OT_export_beats,
    FOOTLIGHT_OT_clear_beats,
    FOOTLIGHT_OT_install_engine,
    FOOTLIGHT_OT_reinstall_engine,
    FOOTLIGHT_OT_remove_engine,
    FOOTLIGHT_OT_use_installed_engine,
    FOOTLIGHT_OT_open_log,
    FOOTLIGHT_OT_copy_report,
    FOOTLIGHT_OT_free_memory,
    FOOTLIGHT_OT_new_seed,
    FOOTLIGHT_OT_dismiss,
    FOOTLIGHT_OT_explain,
    FOOTLIGHT_OT_keep_music,
    *main.CLASSES,
)


def register() -> None:
    """Register everything, or nothing: what fails is taken back and said."""
    done = []
    try:
        for cls in CLASSES:
            bpy.utils.register_class(cls)
            done.append(cls)
    except (RuntimeError, ValueError):
        for cls in reversed(done):
            bpy.utils.unregister_class(cls)
        raise
    setattr(bpy.types.Scene, names.SCENE_PROPERTY, bpy.props.PointerProperty(type=FootlightSettings))
    kept = bpy.props.PointerProperty(type=FootlightBones, override={"LIBRARY_OVERRIDABLE"})
    setattr(bpy.types.Object, names.BONES_PROPERTY, kept)
    listed = bpy.props.PointerProperty(type=FootlightTakes, override={"LIBRARY_OVERRIDABLE"})
    setattr(bpy.types.Object, names.TAKES_PROPERTY, listed)
    setattr(bpy.types.Action, names.TAKE_NAME, TAKE_NAME)
    light_props.register()
    session.register()
    status_bar.register(status.status_bar)
    menus.register()
    readiness.look_at_start(done=lambda: redraw(bpy.context))


def unregister() -> None:
    menus.unregister()
    status_bar.unregister()
    session.unregister()
    light_props.unregister()
    delattr(bpy.types.Action, names.TAKE_NAME)
    delattr(bpy.types.Object, names.TAKES_PROPERTY)
    delattr(bpy.types.Object, names.BONES_PROPERTY)
    delattr(bpy.types.Scene, names.SCENE_PROPERTY)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)

"""Footlight in Blender's own menus: so that it is found there and by F3, which looks through the menus."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from .. import links, names

Draw = Callable[[bpy.types.Menu, bpy.types.Context], None]


class FOOTLIGHT_MT_footlight(bpy.types.Menu):
    """Dances for music, and music for dances"""

    bl_idname = "FOOTLIGHT_MT_footlight"
    bl_label = "Footlight"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator(names.CHOOSE_SONG, icon="FILE_SOUND")
        layout.operator(names.GENERATE)
        layout.operator(names.SCORE, text="Make Music from Motion")
        layout.operator(names.DUET, text="Make Both: Dance and Music")
        layout.operator(names.THEATRE)
        layout.operator(names.PLAY, icon="PLAY")
        layout.separator()
        layout.operator(names.ADD_STAGE, icon="LIGHT_AREA")
        layout.operator(names.LIGHT, icon="LIGHT_SPOT")
        layout.operator(names.SHOW_BEATS, icon="MARKER_HLT")
        layout.separator()
        layout.operator(names.OPEN_PANEL)
        layout.operator(names.OPEN_HELP, icon="HELP")
        layout.operator(names.REPORT_BUG, icon="URL")


def _submenu(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.menu(FOOTLIGHT_MT_footlight.bl_idname)


def _armature(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.operator(names.ADD_DANCER, text="Footlight Dancer", icon="OUTLINER_OB_ARMATURE")


def _sound(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.operator_context = "INVOKE_DEFAULT"
    self.layout.operator(names.CHOOSE_SONG, text="Song for Footlight...", icon="FILE_SOUND")


ENTRIES: dict[str, Draw] = {
    "VIEW3D_MT_armature_add": _armature,
    "VIEW3D_MT_object_animation": _submenu,  # Pose > Animation too
    "SEQUENCER_MT_strip": _submenu,
    "SEQUENCER_MT_add": _sound,
}
"""What is added, by the menu."""


def register() -> None:
    for name, draw in ENTRIES.items():
        getattr(bpy.types, name).append(draw)
    bpy.utils.register_manual_map(links.manual)


def unregister() -> None:
    bpy.utils.unregister_manual_map(links.manual)
    for name, draw in ENTRIES.items():
        getattr(bpy.types, name).remove(draw)

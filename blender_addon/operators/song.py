"""Choose a song, use one that is in another scene, and go back to the scene with the dancer."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import os
from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import names, notices, recent
from ..errors import UserError
from ..scene import bringing, songs, versions
from ..scene.wording import joined
from ..shared import FootlightError, kinds
from .at_once import AtOnce
from .polling import SaysWhy
from .settings import check_editable, settings_of


class FOOTLIGHT_OT_choose_song(SaysWhy, AtOnce, bpy.types.Operator):
    """Choose a sound file. It goes to this scene's sequencer, from the first frame on, and is the song to dance to"""

    bl_idname = names.CHOOSE_SONG
    bl_label = "Choose Song..."
    bl_options = frozenset({"UNDO"})

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_sound: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        check_editable(context.scene)
        return ""

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if self.filepath:  # dropped, or chosen among the recent ones
            return self.execute(context)
        if folder := recent.folder():
            self.filepath = str(folder) + os.sep
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def act(self, context: bpy.types.Context) -> str:
        if not self.filepath:
            raise UserError("No file was given. Give the path of a sound file.")
        path = Path(bpy.path.abspath(self.filepath))
        brought = bringing.file(context.scene, path)
        recent.remember(path)
        return joined(brought.said, take(context, brought))


class FOOTLIGHT_OT_bring_song(SaysWhy, AtOnce, bpy.types.Operator):
    """Copy the song's strip from the other scene into this one, where its dance plays"""

    bl_idname = names.BRING_SONG
    bl_label = "Use It Here"
    bl_options = frozenset({"UNDO"})

    strip: StringProperty(
        name="Strip", description="Which strip of the other scene; empty: its only song", options={"SKIP_SAVE"}
    )

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        check_editable(context.scene)
        found = songs.elsewhere(context.scene, versions.sequencer_scene(context))
        return "No other scene has a song" if found is None else ""

    def act(self, context: bpy.types.Context) -> str:
        source = songs.elsewhere(context.scene, versions.sequencer_scene(context))
        strip = songs.choose(source, self.strip or settings_of(source).strip)
        brought = bringing.copy(context.scene, source, strip)
        return joined(brought.said, take(context, brought))


class FOOTLIGHT_OT_show_scene(SaysWhy, AtOnce, bpy.types.Operator):
    """Show the scene with the dancer again. A song that was added to the empty scene comes along"""

    bl_idname = names.SHOW_SCENE
    bl_label = "Back to the Dancer"
    bl_options = frozenset({"UNDO"})

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        elsewhere = context.window is not None and songs.left_behind(context.scene) is not None
        return "" if elsewhere else "The dancer is in the scene that is shown"

    def act(self, context: bpy.types.Context) -> str:
        empty, scene = context.scene, songs.left_behind(context.scene)
        assert scene is not None and context.window is not None
        context.window.scene = scene
        versions.show_in_sequencer(context.window, scene)
        said = f"This is {scene.name!r} again; {empty.name!r} is still in the file."
        if songs.state(scene, settings_of(scene).strip).kind is songs.Kind.ELSEWHERE and songs.songs(empty):
            try:
                brought = bringing.copy(scene, empty, songs.choose(empty))
            except FootlightError as error:
                said = f"{said} {error}"
            else:
                settings_of(scene).strip = brought.strip.name
                said = f"{said} {brought.said}"
        notices.dismiss()
        return said


class FOOTLIGHT_MT_recent_songs(bpy.types.Menu):
    """Songs that were chosen last"""

    bl_label = "Recent Songs"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        paths = recent.songs()
        for path in paths:
            layout.operator(names.CHOOSE_SONG, text=path.stem, icon="FILE_SOUND").filepath = str(path)
        if not paths:
            layout.label(text="None yet")


class FOOTLIGHT_FH_song(bpy.types.FileHandler):
    """A sound file that is dropped on the 3D View becomes the song."""

    bl_label = "Footlight: Choose Song"
    bl_import_operator = names.CHOOSE_SONG
    bl_file_extensions = ";".join(sorted(bpy.path.extensions_audio | {*kinds.OWN_ENDINGS}))

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def take(context: bpy.types.Context, brought: bringing.Brought) -> str:
    """Make a strip of the scene the song, and show the scene in the sequencer. Returns what to say of that."""
    settings = settings_of(context.scene)
    settings.source, settings.strip = "STRIP", brought.strip.name
    notices.dismiss()
    if context.window is not None and versions.show_in_sequencer(context.window, context.scene):
        return f"The sequencer shows {context.scene.name!r} now."
    return ""

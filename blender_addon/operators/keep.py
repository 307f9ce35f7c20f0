"""Keep music that lies in a temporary folder."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import bpy
from bpy.props import StringProperty

from .. import names
from ..scene import strips


class FOOTLIGHT_OT_keep_music(bpy.types.Operator):
    """Pack the music into your .blend file, and save that"""

    bl_idname = names.KEEP_MUSIC
    bl_label = "Save and Keep"
    bl_options = frozenset({"UNDO"})

    strip: StringProperty(name="Strip", description="The strip with the music", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        found = strips.named(context.scene, self.strip)
        if found is None or found.sound is None:
            self.report({"ERROR"}, f"There is no music {self.strip!r} in this scene any more.")
            return {"CANCELLED"}
        try:
            found.sound.pack()
        except RuntimeError as error:
            self.report({"ERROR"}, f"The music cannot be packed ({error}). Save your file, then make the music again.")
            return {"CANCELLED"}
        self.report({"INFO"}, "The music is in your file now.")
        if bpy.data.filepath:
            bpy.ops.wm.save_mainfile()
        elif not bpy.app.background:
            bpy.ops.wm.save_mainfile("INVOKE_DEFAULT")
        return {"FINISHED"}

"""Keep music that lies in a temporary folder."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import bpy
from bpy.props import StringProperty

from .. import names
from ..errors import UserError
from ..scene import strips
from .at_once import AtOnce


class FOOTLIGHT_OT_keep_music(AtOnce, bpy.types.Operator):
    """Pack the music into your .blend file, and save that"""

    bl_idname = names.KEEP_MUSIC
    bl_label = "Save and Keep"
    bl_options = frozenset({"UNDO"})

    strip: StringProperty(name="Strip", description="The strip with the music", options={"SKIP_SAVE"})

    def act(self, context: bpy.types.Context) -> str:
        found = strips.named(context.scene, self.strip)
        if found is None or found.sound is None:
            raise UserError(f"There is no music {self.strip!r} in this scene any more.")
        try:
            found.sound.pack()
        except RuntimeError as error:
            reason = f"The music cannot be packed ({error})."
            raise UserError(f"{reason} Save your file, then make the music again.") from None
        if bpy.data.filepath:
            bpy.ops.wm.save_mainfile()
        elif not bpy.app.background:
            bpy.ops.wm.save_mainfile("INVOKE_DEFAULT")
        return "The music is in your file now."

"""Choose among a dancer's takes: go through them, keep one, remove one."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import bpy
from bpy.props import IntProperty

from .. import names, session
from ..api import takes as lit
from ..scene import takes
from ..scene.wording import listed
from .at_once import AtOnce
from .polling import SaysWhy
from .settings import find_dancer


class _Take(SaysWhy, bpy.types.Operator):
    """What the operators have in common: a dancer that shows one of its takes."""

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        session.check_idle()
        return cls.lack_of(find_dancer(context))

    @classmethod
    def lack_of(cls, armature: bpy.types.Object) -> str:
        """Why there is nothing to do for a dancer; empty where there is."""
        if takes.shows_one(armature):
            return ""
        return "The dancer shows none of its takes" if takes.of(armature) else "The dancer has no take yet"


class FOOTLIGHT_OT_step_take(_Take):
    """Show another take of the dancer, also while it plays"""

    bl_idname = names.STEP_TAKE
    bl_label = "Next Take"
    bl_options = frozenset({"UNDO"})

    by: IntProperty(description="How many places further in the list", default=1)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return f"Show the {'next' if properties.by > 0 else 'previous'} take, also while it plays"

    @classmethod
    def lack_of(cls, armature: bpy.types.Object) -> str:
        if takes.several(armature):
            return ""
        return "The dancer has no other take" if takes.of(armature) else "The dancer has no take yet"

    def execute(self, context: bpy.types.Context) -> set[str]:
        armature = find_dancer(context)
        shown = takes.step(armature, self.by)
        if shown is not None:
            lit.follow(context.scene, armature)
            self.report({"INFO"}, f"{shown.name} is shown.")
        return {"FINISHED"}


class FOOTLIGHT_OT_accept_take(_Take):
    """Keep the take that is shown, and remove the dancer's others to the same song"""

    bl_idname = names.ACCEPT_TAKE
    bl_label = "Keep Only This Take"
    bl_options = frozenset({"REGISTER", "UNDO"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        armature = find_dancer(context)
        action = takes.shown(armature)
        assert action is not None
        removed, left = takes.accept(armature, action)
        gone = "1 other take was removed" if len(removed) == 1 else f"{len(removed)} other takes were removed"
        used = "is" if len(left) == 1 else "are"
        kept = f" {listed(left)} {used} used elsewhere and kept too." if left else ""
        self.report({"INFO"}, f"{action.name} is kept, {gone}.{kept}")
        return {"FINISHED"}


class FOOTLIGHT_OT_reject_take(AtOnce, _Take):
    """Remove the take that is shown. The next one is shown in its place"""

    bl_idname = names.REJECT_TAKE
    bl_label = "Remove Take"
    bl_options = frozenset({"REGISTER", "UNDO"})

    def act(self, context: bpy.types.Context) -> str:
        armature = find_dancer(context)
        action = takes.shown(armature)
        assert action is not None
        name = action.name
        following = takes.reject(armature, action)
        lit.follow(context.scene, armature)
        return f"{name} was removed." + (f" {following.name} is shown." if following else "")


class FOOTLIGHT_OT_lay_out_takes(_Take):
    """Put the dancer's takes on NLA tracks, all muted but the one that is shown, or take them off again"""

    bl_idname = names.LAY_OUT_TAKES
    bl_label = "Takes on NLA Tracks"
    bl_options = frozenset({"REGISTER", "UNDO"})

    @classmethod
    def lack_of(cls, armature: bpy.types.Object) -> str:
        if not takes.of(armature):
            return "The dancer has no take yet"
        data = armature.animation_data
        return "The dancer has an NLA strip in tweak mode. Press Tab in the NLA" if data and data.use_tweak_mode else ""

    def execute(self, context: bpy.types.Context) -> set[str]:
        armature = find_dancer(context)
        if takes.take_up(armature):
            self.report({"INFO"}, "The takes are actions again, without NLA tracks.")
        else:
            takes.lay_out(armature)
            self.report({"INFO"}, "The takes lie on NLA tracks, all muted but the one that is shown.")
        return {"FINISHED"}

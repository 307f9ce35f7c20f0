"""Light the stage: from the song and the dance to lamps, cloth and costume; see it, and take it away."""

# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from .. import light_props, names, session
from ..api import kept_light, light, takes
from ..scene import takes as listed
from .at_once import AtOnce
from .job_operator import JobOperator, ask
from .polling import SaysWhy
from .settings import check_editable, dancer_or_none, find_dancer, find_song, settings_of
from .stage import on_stage


class FOOTLIGHT_OT_light_stage(JobOperator, bpy.types.Operator):
    """Light the song and the dance to it: a stage with lamps that change with the music, in place of an earlier stage.
    Works without a dancer too"""

    bl_idname = about = names.LIGHT
    bl_label = "Light Stage"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        start(context)


class FOOTLIGHT_OT_see_light(bpy.types.Operator):
    """Show all 3D Views of the window as they are rendered, with the light and without the outlines of lamps; again:
    solid"""

    bl_idname = names.SEE_LIGHT
    bl_label = "Rendered View"
    bl_options = frozenset()

    def execute(self, context: bpy.types.Context) -> set[str]:
        seen = is_seen(context)
        for view in _views(context):
            view.shading.type = "SOLID" if seen else "RENDERED"
            view.overlay.show_extras = seen
        return {"FINISHED"}


class FOOTLIGHT_OT_remove_light(SaysWhy, bpy.types.Operator):
    """Take the lit stage away, and give the scene its own camera and world again"""

    bl_idname = names.REMOVE_LIGHT
    bl_label = "Remove Stage Light"
    bl_options = frozenset({"REGISTER", "UNDO"})

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        check_editable(context.scene)
        return "" if light.of(context.scene) else "There is no lit stage"

    def execute(self, context: bpy.types.Context) -> set[str]:
        light.remove(context.scene)
        return {"FINISHED"}


class FOOTLIGHT_OT_light_take(SaysWhy, AtOnce, bpy.types.Operator):
    """Light the stage as it was lit for the take that is shown, in place of the stage that is there"""

    bl_idname = names.LIGHT_TAKE
    bl_label = "Light of This Take"
    bl_options = frozenset({"UNDO"})

    as_written: BoolProperty(
        name="As It Was Lit", description="Without what was changed of the stage by hand", options={"SKIP_SAVE"}
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return "Take your changes to the stage back: build it as it was lit" if properties.as_written else ""

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        check_editable(context.scene)
        session.check_idle()
        return "" if kept_light.has_light(listed.shown(find_dancer(context))) else takes.NOT_LIT

    def act(self, context: bpy.types.Context) -> str:
        return takes.light_shown(context.scene, find_dancer(context), as_written=self.as_written)


class FOOTLIGHT_OT_light_edit(JobOperator, bpy.types.Operator):
    """Light anew what was edited of the take that is shown, as it was lit: by the same rules or model, in the same look
    and with the same seed. The light of everything else stays"""

    bl_idname = about = names.LIGHT_EDIT
    bl_label = "Light Edited Bars"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        folder = session.prepare()
        target, preparation = light.request_edited(
            context.scene, find_dancer(context), find_song(context, folder), folder, others=on_stage(context)
        )
        ask(context, names.LIGHT_EDIT, target, preparation, light.write)


def start(context: bpy.types.Context) -> None:
    """Read the dance and ask the engine for the light. Raises UserError when something is missing."""
    folder = session.prepare()
    settings = settings_of(context.scene)
    target, preparation = light.request(
        context.scene,
        dancer_or_none(context),
        find_song(context, folder),
        folder,
        others=on_stage(context),
        look=light_props.asked(settings.light),
        by=settings.light.by,
        seed=settings.seed,
    )
    ask(context, names.LIGHT, target, preparation, light.write)


def is_seen(context: bpy.types.Context) -> bool:
    """Whether a 3D View of the window shows the scene as it is rendered."""
    return any(view.shading.type == "RENDERED" for view in _views(context))


def _views(context: bpy.types.Context) -> list[bpy.types.SpaceView3D]:
    areas = context.screen.areas if context.screen else ()
    return [area.spaces.active for area in areas if area.type == "VIEW_3D"]

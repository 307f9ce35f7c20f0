"""The one error that is shown in the panel, for as long as nothing was changed that may have cured it.

What is missing in a scene is drawn from the scene and not kept here. An error belongs to the circumstances in which it
came: the scene with its armatures, strips and settings, the preferences, whether Blender is online. Where they are
different it is gone, and so it is after undo, redo, another file, or the X beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
from bpy.app.handlers import persistent

from . import environment, names
from .scene import floors, staging, timeline, versions


@dataclass(frozen=True)
class Notice:
    """An error that is shown.

    text: for the user.
    about: the operator that failed.
    log: a file that tells more; empty for none.
    """

    text: str
    about: str
    log: str = ""


@dataclass
class _Shown:
    notice: Notice | None = None
    circumstances: tuple = ()


_shown = _Shown()


def tell(context: bpy.types.Context, notice: Notice) -> None:
    """Show an error from now on, instead of any other one."""
    _shown.notice, _shown.circumstances = notice, circumstances(context, notice.about)


def current(context: bpy.types.Context) -> Notice | None:
    """The error to show; it is forgotten where the circumstances are no longer those in which it came."""
    notice = _shown.notice
    if notice is not None and circumstances(context, notice.about) != _shown.circumstances:
        dismiss()
    return _shown.notice


def dismiss() -> None:
    """Show nothing any more."""
    _shown.notice, _shown.circumstances = None, ()


def circumstances(context: bpy.types.Context, about: str) -> tuple:
    """All that may cure an error. An error about the engine's installation belongs to no scene."""
    preferences = environment.preferences()
    computer = (
        bpy.app.online_access,
        str(environment.find_python()),
        preferences.python,
        preferences.device,
        preferences.model_folder,
    )
    if about == names.INSTALL_ENGINE:
        return computer
    scene, sequencer = context.scene, versions.sequencer_scene(context)
    active = context.active_object
    return (
        *computer,
        bpy.data.filepath,
        scene.session_uid,
        sequencer.session_uid,
        active.session_uid if active else 0,
        context.mode,
        _time(scene),
        _time(sequencer),
        _chosen(getattr(scene, names.SCENE_PROPERTY)),
        tuple(_armature(ob) for ob in scene.objects if ob.type == "ARMATURE"),
        tuple(tuple(_strip(one) for one in timeline.sounds(place)) for place in (scene, sequencer)),
    )


def _time(scene: bpy.types.Scene) -> tuple:
    render = scene.render
    return scene.frame_start, scene.frame_end, render.fps, render.fps_base, len(scene.objects)


def _chosen(settings: bpy.types.PropertyGroup) -> tuple:
    """The values of settings, and of those that are grouped among them."""
    chosen = [rule.identifier for rule in settings.bl_rna.properties if rule.identifier != "rna_type"]
    values = (getattr(settings, name) for name in chosen)
    return tuple(_chosen(one) if isinstance(one, bpy.types.PropertyGroup) else str(one) for one in values)


def _armature(ob: bpy.types.Object) -> tuple:
    data, floor, shown = ob.animation_data, floors.picked(ob), staging.dance_of(ob)
    held = tuple((c.name, c.mute, round(c.influence, 3)) for bone in ob.pose.bones for c in bone.constraints)
    return (
        ob.session_uid,
        ob.name,
        ob.library is None,
        ob.hide_viewport,
        ob.data.pose_position,
        ob.data.is_editmode,
        tuple(ob.data.bones.keys()),
        held,
        floor.session_uid if floor else 0,
        (shown.session_uid if shown else 0, data.use_tweak_mode) if data else None,
    )


def _strip(one: timeline.Placed) -> tuple:
    sound = one.strip.sound
    return (
        one.strip.name,
        one.strip.select,
        one.muted,
        one.first,
        one.end,
        round(one.strip.volume, 3),
        (sound.filepath, sound.packed_file is not None) if sound else None,
    )


@persistent
def _forget(*_args: object) -> None:
    dismiss()


HANDLERS = ("undo_post", "redo_post", "load_post")


def register() -> None:
    for name in HANDLERS:
        getattr(bpy.app.handlers, name).append(_forget)


def unregister() -> None:
    for name in HANDLERS:
        getattr(bpy.app.handlers, name).remove(_forget)
    dismiss()

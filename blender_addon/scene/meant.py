"""The armature that is meant where something else is active: a mesh that follows it, or an instance of a collection."""

from __future__ import annotations

import contextlib

import bpy

from ..errors import UserError
from . import rigs


def armature_of(scene: bpy.types.Scene, active: bpy.types.Object) -> bpy.types.Object | None:
    """The armature in ``scene`` that ``active`` shows; None when it shows none.

    Raises UserError, saying what to do, when that armature is not in the scene by itself.
    """
    if active.type == "ARMATURE":
        return active
    if active.type == "EMPTY" and active.instance_type == "COLLECTION" and active.instance_collection:
        return _of_instance(scene, active, active.instance_collection)
    modifiers = [modifier.object for modifier in active.modifiers if modifier.type == "ARMATURE"]
    line = [active.parent]
    while line[-1] is not None:
        line.append(line[-1].parent)
    found = [ob for ob in (*modifiers, *line) if ob is not None and ob.type == "ARMATURE"]
    return next((ob for ob in found if scene in ob.users_scene and rigs.fits(ob)), None)


def bodies(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The armatures of ``scene`` that can be given a dance."""
    found = []
    for armature in (ob for ob in scene.objects if ob.type == "ARMATURE"):
        with contextlib.suppress(UserError):
            rigs.check_writable(armature)
            found.append(armature)
    return found


def _of_instance(
    scene: bpy.types.Scene, empty: bpy.types.Object, collection: bpy.types.Collection
) -> bpy.types.Object | None:
    armatures = [ob for ob in collection.all_objects if ob.type == "ARMATURE"]
    bodies = [ob for ob in armatures if rigs.fits(ob)] or armatures
    if not bodies:
        return None
    overrides = [ob for ob in scene.objects if ob.override_library and ob.override_library.reference in bodies]
    there = overrides or [ob for ob in bodies if scene in ob.users_scene]
    if len(there) == 1:
        return there[0]
    if collection.library or bodies[0].library:
        raise UserError(f"{empty.name!r} shows a character that is linked from another file. {rigs.OVERRIDE}")
    raise UserError(
        f"{empty.name!r} is an instance of the collection {collection.name!r}, whose armature is not in this scene by "
        "itself. Link the collection into the scene (Outliner, Blender File: drag it to the scene), and choose "
        f"{bodies[0].name!r} under Dancer."
    )

"""What a scene is made of, as plain values, to compare it before and after."""

import bpy
import numpy as np

BLOCKS = ("scenes", "objects", "armatures", "actions", "collections", "sounds", "cameras", "texts")
SKIPPED = {"rna_type", "tool_settings", "depsgraph", "original", "bone", "parent", "child", "children"}
"""What belongs to the interface, is made by Blender, or leads back to where one came from."""

OWNED = {
    (bpy.types.Armature, "bones"): bpy.types.Bone,
    (bpy.types.Armature, "collections_all"): bpy.types.BoneCollection,
    (bpy.types.Pose, "bones"): bpy.types.PoseBone,
    (bpy.types.ActionChannelbag, "fcurves"): bpy.types.FCurve,
    (bpy.types.AnimData, "drivers"): bpy.types.FCurve,
    (bpy.types.NlaStrip, "fcurves"): bpy.types.FCurve,
}
"""Where bones, their collections and curves belong. Elsewhere their names stand for them: they lead to each other."""

WITH_PROPERTIES = (bpy.types.ID, bpy.types.PoseBone, bpy.types.Bone)
"""What has custom properties."""

EVALUATED = {"matrix_world", "matrix_local", "dimensions"}
"""Of an object: what Blender only keeps up to date where the object is shown. Undo resets it elsewhere."""


def everything() -> dict:
    """Path -> value, of the data-blocks that a scene is made of, and how many of every kind there are."""
    kinds = (prop.identifier for prop in bpy.data.bl_rna.properties if prop.type == "COLLECTION")
    found = {f"{kind}.count": len(getattr(bpy.data, kind)) for kind in kinds if kind != "window_managers"}
    for kind in BLOCKS:
        for block in getattr(bpy.data, kind):
            _add(found, f"{kind}[{block.name_full}]", block, ())
    return found


def differences(before: dict, after: dict) -> list[str]:
    """What is not the same, a line each."""
    paths = sorted(before.keys() | after.keys())
    return [f"{p}: {before.get(p)!r} -> {after.get(p)!r}" for p in paths if before.get(p) != after.get(p)]


def _add(found: dict, path: str, what, above: tuple[int, ...]) -> None:
    """Add the values below ``what``. above: addresses that are not gone into again."""
    here = (*above, what.as_pointer())
    for key, value in what.items() if isinstance(what, WITH_PROPERTIES) else ():
        if isinstance(value, (str, int, float)):
            found[f'{path}["{key}"]'] = value
    skipped = SKIPPED | EVALUATED if isinstance(what, bpy.types.Object) and not what.visible_get() else SKIPPED
    for prop in what.bl_rna.properties:
        name = prop.identifier
        if name in skipped:
            continue
        value = getattr(what, name, None)
        if prop.type == "POINTER":
            if isinstance(value, bpy.types.ID) and not value.is_embedded_data:
                found[f"{path}.{name}"] = value.name_full
            elif isinstance(value, tuple(OWNED.values())):
                found[f"{path}.{name}"] = _called(value)
            elif value is not None and value.as_pointer() not in here:
                _add(found, f"{path}.{name}", value, here)
        elif prop.type == "COLLECTION":
            for i, one in enumerate(value or ()):
                if isinstance(one, tuple(OWNED.values())) and (type(what), name) not in OWNED:
                    found[f"{path}.{name}[{i}]"] = _called(one)
                elif isinstance(one, bpy.types.ID):
                    found[f"{path}.{name}[{i}]"] = one.name_full
                elif isinstance(one, bpy.types.bpy_struct) and one.as_pointer() not in here:
                    _add(found, f"{path}.{name}[{i}]", one, here)
        else:
            found[f"{path}.{name}"] = str(np.array(value).tolist()) if getattr(prop, "is_array", False) else value


def _called(what) -> str:
    return f"{what.data_path}[{what.array_index}]" if isinstance(what, bpy.types.FCurve) else what.name

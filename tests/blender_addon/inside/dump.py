"""What a scene is made of, as plain values, to compare it before and after."""

import bpy
import numpy as np

BLOCKS = ("scenes", "objects", "armatures", "actions", "collections", "sounds", "cameras", "texts")
SKIPPED = {"rna_type", "tool_settings", "depsgraph", "original", "bone", "parent", "child", "children"}
"""What belongs to the interface, is made by Blender, or leads back to where one came from."""


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
    for key, value in what.items() if isinstance(what, bpy.types.ID) else ():
        if isinstance(value, (str, int, float)):
            found[f'{path}["{key}"]'] = value
    for prop in what.bl_rna.properties:
        name = prop.identifier
        if name in SKIPPED:
            continue
        value = getattr(what, name, None)
        if prop.type == "POINTER":
            if isinstance(value, bpy.types.ID) and not value.is_embedded_data:
                found[f"{path}.{name}"] = value.name_full
            elif value is not None and value.as_pointer() not in here:
                _add(found, f"{path}.{name}", value, here)
        elif prop.type == "COLLECTION":
            for i, one in enumerate(value or ()):
                if isinstance(one, bpy.types.ID):
                    found[f"{path}.{name}[{i}]"] = one.name_full
                elif isinstance(one, bpy.types.bpy_struct) and one.as_pointer() not in here:
                    _add(found, f"{path}.{name}[{i}]", one, here)
        else:
            found[f"{path}.{name}"] = str(np.array(value).tolist()) if getattr(prop, "is_array", False) else value

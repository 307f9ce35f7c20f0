"""What a stage changes of a scene besides: the camera and the world. Both come back when the stage goes."""

from __future__ import annotations

import bpy

from ..names import PREFIX, STAGE
from . import scenery

# The custom properties of a scene that has a stage: its own camera and world.
CAMERA = f"{PREFIX}camera_before"
WORLD = f"{PREFIX}world_before"


def set_on(scene: bpy.types.Scene, camera: bpy.types.Object) -> list[str]:
    """Film by a stage's ``camera`` in a dark world. Returns what was changed, a few words each."""
    before = scene.camera
    instead = ""
    if before is not None and STAGE not in before:
        scene[CAMERA], instead = before, f" instead of {before.name!r}"
    scene.camera = camera
    return [f"filmed by {camera.name!r}{instead}", *(["the world is dark"] if set_night(scene) else [])]


def set_night(scene: bpy.types.Scene) -> bool:
    """A dark world, where the scene has none or a plain one; a world with a picture, a sky or the like stays. Returns
    whether another one was set."""
    before = scene.world
    if before is not None and (STAGE in before or not _is_plain(before)):
        return False
    world = next((one for one in bpy.data.worlds if STAGE in one), None) or bpy.data.worlds.new("Stage")
    world[STAGE] = True
    world.color = scenery.NIGHT
    if world.node_tree and (background := world.node_tree.nodes.get("Background")):
        background.inputs["Color"].default_value = (*scenery.NIGHT, 1.0)
        background.inputs["Strength"].default_value = 1.0
    if before is not None:
        scene[WORLD] = before
    elif WORLD in scene:
        del scene[WORLD]
    scene.world = world
    return True


def without_stage(scene: bpy.types.Scene) -> bool:
    """Take the stage out of a scene, which has its own camera and world again. Returns whether there was one."""
    found = scenery.strike(scene)
    if found:
        _give_back(scene)
    return found


def _give_back(scene: bpy.types.Scene) -> None:
    """Let a scene whose stage was struck have its own camera and world again. What was chosen since stays."""
    camera, world, night = scene.get(CAMERA), scene.get(WORLD), scene.world
    if scene.camera is None and camera is not None and camera.name in scene.objects:
        scene.camera = camera
    if night is not None and STAGE in night:
        scene.world = world
        if not night.users:
            bpy.data.worlds.remove(night)
    for name in (CAMERA, WORLD):
        if name in scene:
            del scene[name]


def _is_plain(world: bpy.types.World) -> bool:
    """Whether a world is of one colour."""
    tree = world.node_tree if world.use_nodes else None
    return tree is None or all(node.type in ("BACKGROUND", "OUTPUT_WORLD") for node in tree.nodes)

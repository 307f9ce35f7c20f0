"""A scene for pictures that are drawn, and pictures of Cycles to hold them against."""

import tempfile
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from blender_addon.scene import actions
from blender_addon.scene.dancer import add_dancer


def empty_scene(size):
    """A new scene for pictures of ``size``."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    return scene


def add_sliding_dancer(path):
    """The bundled dancer, who goes to one place (x, y, z) of ``path`` (t, 3) after the other. Returns its armature."""
    dancer = add_dancer(bpy.context)
    root = dancer.data.bones[0].name
    places = f'pose.bones["{root}"].location'
    actions.new_action(dancer, "Slide", [actions.Curve(places, axis, path[:, axis], root) for axis in range(3)], 1)
    return dancer


def in_picture(scene, place):
    """Where the camera sees a place: pixels from the left and the lower edge."""
    seen = world_to_camera_view(scene, scene.camera, Vector(place))
    return seen.x * scene.render.resolution_x, seen.y * scene.render.resolution_y


def seen_from_above(scene, metres, samples):
    """What Cycles sees of a square around the origin: (h, w, 3) linear, its first row the lowest."""
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    camera.location, camera.data.type, camera.data.ortho_scale = (0.0, 0.0, 5.0), "ORTHO", metres
    scene.camera = camera
    render = scene.render
    render.engine, render.image_settings.file_format = "CYCLES", "OPEN_EXR"
    scene.cycles.samples, scene.cycles.use_denoising = samples, False
    scene.cycles.pixel_filter_type = "BOX"
    with tempfile.TemporaryDirectory() as folder:
        render.filepath = str(Path(folder) / "seen.exr")
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(render.filepath)
        return np.array(image.pixels[:]).reshape(render.resolution_y, render.resolution_x, 4)[..., :3]

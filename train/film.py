"""A stage, a camera and a film of a dance, in Blender. Runs in the program and in the bpy module; needs no torch."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import numpy as np

ENGINES = {"workbench": ("BLENDER_WORKBENCH",), "eevee": ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT"), "cycles": ("CYCLES",)}
"""Names of the render engines by the name a person uses; the first one that this Blender knows is taken."""

EYE = 1.55  # height of the camera, metres
LENS = 40.0  # mm
CYCLES_SAMPLES = 16


def set_stage(scene: bpy.types.Scene, armature: bpy.types.Object, frames: tuple[int, int]) -> bpy.types.Object:
    """A floor, three lights, and a camera that keeps the whole dance of ``frames`` in view. Returns the camera."""
    places = _places(scene, armature, frames)
    centre, reach = places.mean(axis=0), np.abs(places - places.mean(axis=0)).max()
    floor = bpy.data.objects.new("Stage floor", _disc(radius=max(6.0, reach + 4.0)))
    floor.location = (centre[0], centre[1], 0.0)
    floor.data.materials.append(_floor_material())
    scene.collection.objects.link(floor)
    for name, angle, energy, size in (("Key", -40, 700, 3.0), ("Fill", 55, 260, 5.0), ("Back", 165, 420, 2.0)):
        light = bpy.data.lights.new(f"Stage {name.lower()}", "AREA")
        light.energy, light.size = energy, size
        ob = bpy.data.objects.new(light.name, light)
        turn = math.radians(angle)
        ob.location = (centre[0] + 5 * math.sin(turn), centre[1] - 5 * math.cos(turn), 4.5)
        _look_at(ob, (centre[0], centre[1], 1.0))
        scene.collection.objects.link(ob)
    camera = bpy.data.objects.new("Stage camera", bpy.data.cameras.new("Stage camera"))
    camera.data.lens = LENS
    half_view = math.atan(0.5 * camera.data.sensor_width * 9 / 16 / LENS)  # vertical, of a 16:9 picture
    distance = max(1.35 / math.tan(half_view), (reach + 1.0) / math.tan(half_view) * 9 / 16) + reach
    camera.location = (centre[0], centre[1] - distance, EYE)
    _look_at(camera, (centre[0], centre[1], 0.92))
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def set_render(scene: bpy.types.Scene, engine: str, resolution: tuple[int, int], film: Path) -> None:
    """Settings of an H.264 film with sound. engine: a key of ENGINES."""
    available = {item.identifier for item in scene.render.bl_rna.properties["engine"].enum_items}
    available |= {"CYCLES"} if hasattr(scene, "cycles") else set()
    render = scene.render
    render.engine = next((name for name in ENGINES[engine] if name in available), ENGINES[engine][0])
    render.resolution_x, render.resolution_y = (value // 2 * 2 for value in resolution)  # H.264 needs even sides
    render.resolution_percentage = 100
    image = render.image_settings
    if hasattr(image, "media_type"):  # 5.0 and later ask for the kind of file first
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    ffmpeg = render.ffmpeg
    ffmpeg.format, ffmpeg.codec, ffmpeg.constant_rate_factor = "MPEG4", "H264", "HIGH"
    ffmpeg.audio_codec, ffmpeg.audio_bitrate = "AAC", 192
    render.use_file_extension = False
    render.filepath = str(film)
    shading = scene.display.shading
    shading.light, shading.color_type, shading.show_shadows, shading.show_cavity = "STUDIO", "MATERIAL", True, True
    scene.display.render_aa = "8"
    if render.engine == "CYCLES":
        scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = CYCLES_SAMPLES, False, 2
    if scene.world is None:
        scene.world = bpy.data.worlds.new("Stage")
    scene.world.color = (0.035, 0.04, 0.05)


def render_film(scene: bpy.types.Scene, frames: tuple[int, int]) -> None:
    """Render the frames from the first to the last, both included, into the film that ``set_render`` named."""
    kept = scene.frame_start, scene.frame_end
    scene.frame_start, scene.frame_end = frames
    try:
        with bpy.context.temp_override(scene=scene):
            bpy.ops.render.render(animation=True)
    finally:
        scene.frame_start, scene.frame_end = kept


def _places(scene: bpy.types.Scene, armature: bpy.types.Object, frames: tuple[int, int]) -> np.ndarray:
    """Where the dancer stands (n, 2) at some frames, in the world."""
    kept, found = scene.frame_current, []
    root = armature.pose.bones[0]
    for frame in np.linspace(*frames, num=40).round().astype(int):
        scene.frame_set(int(frame))
        found.append((armature.matrix_world @ root.matrix).translation.xy[:])
    scene.frame_set(kept)
    return np.array(found)


def _look_at(ob: bpy.types.Object, target: tuple[float, float, float]) -> None:
    from mathutils import Vector

    ob.rotation_euler = (Vector(target) - ob.location).to_track_quat("-Z", "Y").to_euler()


def _disc(radius: float, corners: int = 96) -> bpy.types.Mesh:
    angles = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    rim = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.zeros(corners)], axis=1)
    mesh = bpy.data.meshes.new("Stage floor")
    mesh.from_pydata(rim.tolist(), [], [tuple(range(corners))])
    return mesh


def _floor_material() -> bpy.types.Material:
    material = bpy.data.materials.new("Stage floor")
    material.use_nodes = True
    colour = (0.16, 0.17, 0.19, 1.0)
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
    material.diffuse_color = colour
    return material

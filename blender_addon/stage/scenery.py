"""What a dance is filmed on: a floor, a backdrop and three lamps."""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Vector

from .camera import dancer_path, following_camera, look_at

FLOOR, TILE, LIT = 18.0, 0.5, 2.8
"""Side of the floor, side of its tiles, and how far the pool of light reaches beyond the dance, metres."""
WALL, GLOW_HEIGHT, GLOW = 9.0, 2.4, 3.6
"""Height of the backdrop, and middle and reach of the glow on it, metres."""
FLOOR_PIXELS, WALL_PIXELS = 1024, 256
LIGHT_TILE, DARK_TILE, JOINT_LINE = (0.62, 0.56, 0.52), (0.43, 0.39, 0.37), (0.15, 0.13, 0.14)
NIGHT, FAR, DUSK = (0.008, 0.009, 0.014), (0.034, 0.035, 0.041), (0.055, 0.085, 0.17)
"""Linear colours of the floor, of the dark, of the floor in the dark (it must end where the dark backdrop begins, and
takes less light than one that stands upright), and of the glow on the backdrop."""


def set_stage(
    scene: bpy.types.Scene, armature: bpy.types.Object, frames: tuple[int, int], aspect: float = 16 / 9
) -> bpy.types.Object:
    """A tiled floor in a pool of light, a backdrop, three lamps, and a camera that follows the dance of ``frames``.

    armature: the bundled dancer, with its dance.  aspect: width of the picture by its height.  Returns the camera.
    """
    bpy.context.view_layer.update()  # the armature may just have been put in its place
    path = dancer_path(armature, frames)
    middle = (path.min(axis=0) + path.max(axis=0)) / 2
    reach = float(np.abs(path - middle).max())
    for ob in (_floor(middle, reach), _backdrop(middle)):
        scene.collection.objects.link(ob)
    for name, angle, height, energy, size in (
        ("Key", -38, 4.2, 260, 2.0),
        ("Fill", 50, 3.0, 70, 4.0),
        ("Back", 160, 4.5, 300, 1.5),
    ):
        light = bpy.data.lights.new(f"Stage {name.lower()}", "AREA")
        light.energy, light.size = energy, size
        lamp = bpy.data.objects.new(light.name, light)
        turn, away = math.radians(angle), 4.5 + reach
        lamp.location = (middle[0] + away * math.sin(turn), middle[1] - away * math.cos(turn), height)
        look_at(lamp, (middle[0], middle[1], 1.0))
        scene.collection.objects.link(lamp)
    camera = following_camera(path, frames[0], scene.render.fps / scene.render.fps_base, aspect)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.world = scene.world or bpy.data.worlds.new("Stage")
    scene.world.color = NIGHT
    if scene.world.node_tree and (background := scene.world.node_tree.nodes.get("Background")):
        background.inputs["Color"].default_value = (*NIGHT, 1.0)
        background.inputs["Strength"].default_value = 1.0
    scene.view_settings.view_transform = "Standard"  # tones as chosen here; filmic ones would grey them
    shading = scene.display.shading
    shading.light, shading.studio_light, shading.color_type = "STUDIO", "paint.sl", "TEXTURE"
    shading.show_shadows, shading.shadow_intensity, shading.show_cavity = True, 0.6, False
    shading.show_specular_highlight = True
    scene.display.light_direction = Vector((0.35, 0.45, 0.82)).normalized()
    return camera


def _floor(middle: np.ndarray, reach: float) -> bpy.types.Object:
    """Tiles of two tones with joints between them, counted from the world's origin, lit where the dance is."""
    steps = (np.arange(FLOOR_PIXELS) + 0.5) / FLOOR_PIXELS * FLOOR - FLOOR / 2
    x, y = (steps + middle[0])[None, :] / TILE, (steps + middle[1])[:, None] / TILE
    odd = (np.floor(x) + np.floor(y)) % 2 == 1
    joint = np.minimum(np.abs(x - np.round(x)), np.abs(y - np.round(y))) * TILE < 0.5 * FLOOR / FLOOR_PIXELS
    tiles = np.where(joint[..., None], JOINT_LINE, np.where(odd[..., None], LIGHT_TILE, DARK_TILE))
    away = np.hypot(steps[None, :], steps[:, None])
    light = np.clip(FLOOR / 2 - away, 0, 1) / (1 + (away / (reach + LIT)) ** 4)
    half = FLOOR / 2
    corners = [(*(middle + corner), 0.0) for corner in ((-half, -half), (half, -half), (half, half), (-half, half))]
    return _panel("Stage floor", corners, _blend(FAR, tiles, light))


def _backdrop(middle: np.ndarray) -> bpy.types.Object:
    """A wall behind the floor, dark where it meets it, with a glow behind the dancer."""
    x = ((np.arange(WALL_PIXELS) + 0.5) / WALL_PIXELS - 0.5) * 2 * FLOOR
    z = (np.arange(WALL_PIXELS) + 0.5) / WALL_PIXELS * WALL
    height = np.where(z < GLOW_HEIGHT, (GLOW_HEIGHT - z) / GLOW_HEIGHT * 2, (z - GLOW_HEIGHT) / GLOW)
    light = np.exp(-((x[None, :] / (2 * GLOW)) ** 2) - height[:, None] ** 2)
    behind = middle[1] + FLOOR / 2
    left, right = middle[0] - FLOOR, middle[0] + FLOOR
    corners = [(left, behind, 0.0), (right, behind, 0.0), (right, behind, WALL), (left, behind, WALL)]
    return _panel("Stage backdrop", corners, _blend(NIGHT, np.array(DUSK), light), glows=True)


def _blend(dark: tuple[float, float, float], bright: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Linear colours (h, w, 3): ``bright`` (3,) or (h, w, 3) where light (h, w) is 1, ``dark`` where it is 0."""
    return np.array(dark) + light[..., None] * (bright - np.array(dark))


def _panel(name: str, corners: list[tuple], picture: np.ndarray, glows: bool = False) -> bpy.types.Object:
    """A flat square of four corners with a picture (h, w, 3) on it, kept inside the .blend. glows: gives off light."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    mesh.uv_layers.new(name="Picture").data.foreach_set("uv", (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0))
    height, width, _ = picture.shape
    image = bpy.data.images.new(name, width, height)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = np.clip(picture, 0, 1) ** (1 / 2.2)  # the picture is kept as sRGB
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = image
    nodes.active = texture  # what Workbench shows
    links.new(texture.outputs["Color"], surface.inputs["Emission Color" if glows else "Base Color"])
    if glows:
        surface.inputs["Base Color"].default_value = (0.0, 0.0, 0.0, 1.0)
        surface.inputs["Emission Strength"].default_value = 1.0
    surface.inputs["Roughness"].default_value = material.roughness = 0.6
    mesh.materials.append(material)
    return bpy.data.objects.new(name, mesh)

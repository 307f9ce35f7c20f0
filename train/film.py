"""A stage, a camera and a film of a dance, in Blender. Runs in the program and in the bpy module; needs no torch."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import bpy
import numpy as np
from mathutils import Vector

from blender_addon.errors import UserError
from blender_addon.scene import actions

ENGINES = {"workbench": ("BLENDER_WORKBENCH",), "eevee": ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT"), "cycles": ("CYCLES",)}
"""Names of the render engines by the name a person uses; the first one that this Blender knows is taken."""

CYCLES_SAMPLES = 8  # and a denoiser after them

EYE, CHEST = 2.0, 0.98
"""Heights of the camera and of what it looks at, metres: high enough that the feet are seen on the floor."""
LENS, SENSOR_HEIGHT = 50.0, 20.25  # mm
HALF_VIEW = math.atan(0.5 * SENSOR_HEIGHT / LENS)
TALL, WIDE = 1.2, 1.0
"""Half of what the picture must hold around the dancer, upright and across, metres."""
FOLLOW_SECONDS = 0.5
"""How lazily the camera follows: steps stay visible as steps, a walk across the stage does not leave the picture."""

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
    path = _path(armature, frames)
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
        _look_at(lamp, (middle[0], middle[1], 1.0))
        scene.collection.objects.link(lamp)
    camera = _camera(path, frames[0], scene.render.fps / scene.render.fps_base, aspect)
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


def set_engine(scene: bpy.types.Scene, engine: str) -> None:
    """Choose a render engine by its key in ENGINES. Raises UserError when this Blender has none of that name."""
    for name in ENGINES[engine]:
        with contextlib.suppress(TypeError):  # the names that an engine may have are only known to the setter
            scene.render.engine = name
            return
    raise UserError(f"this Blender ({bpy.app.version_string}) has no {engine}; choose another --engine")


def set_render(scene: bpy.types.Scene, engine: str, resolution: tuple[int, int], path: str) -> None:
    """Settings of an H.264 film with sound at ``path``. engine: a key of ENGINES. Raises as ``set_engine``."""
    render = scene.render
    set_engine(scene, engine)
    render.resolution_x, render.resolution_y = (value // 2 * 2 for value in resolution)  # H.264 needs even sides
    render.resolution_percentage = 100
    image = render.image_settings
    if hasattr(image, "media_type"):  # 5.0 and later ask for the kind of file first
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    ffmpeg = render.ffmpeg
    ffmpeg.format, ffmpeg.codec, ffmpeg.constant_rate_factor = "MPEG4", "H264", "HIGH"
    ffmpeg.ffmpeg_preset = "GOOD"
    ffmpeg.audio_codec, ffmpeg.audio_bitrate = "AAC", 192
    render.use_file_extension = False
    render.filepath = path
    scene.display.render_aa = "5"  # the cost grows with the samples: 0.5 s a frame of 640 x 360 without a GPU
    if render.engine == "CYCLES":
        scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = CYCLES_SAMPLES, True, 2
        render.use_persistent_data = True  # what does not move is not built anew for each frame


def render_film(
    scene: bpy.types.Scene, frames: tuple[int, int], on_progress: Callable[[float], None] = lambda _: None
) -> None:
    """Render the frames from the first to the last, both included, into the film that ``set_render`` named.

    on_progress: told the fraction that is done.  Raises RuntimeError as Blender does.
    """
    kept = scene.frame_start, scene.frame_end
    first, last = scene.frame_start, scene.frame_end = frames

    def written(scene: bpy.types.Scene, *_) -> None:
        on_progress((scene.frame_current - first + 1) / (last - first + 1))

    bpy.app.handlers.render_write.append(written)
    try:
        with bpy.context.temp_override(scene=scene):
            bpy.ops.render.render(animation=True)
    finally:
        bpy.app.handlers.render_write.remove(written)
        scene.frame_start, scene.frame_end = kept


def _path(armature: bpy.types.Object, frames: tuple[int, int]) -> np.ndarray:
    """Where the dancer's root stands (frames, 2), metres in the world, read from its curves."""
    root = armature.data.bones[0]
    data = armature.animation_data
    curves = data.action.layers[0].strips[0].channelbag(data.action_slot).fcurves
    location = f'pose.bones["{bpy.utils.escape_identifier(root.name)}"].location'
    x, y, z = (curves.find(location, index=axis) for axis in range(3))
    place = armature.matrix_world @ root.matrix_local
    numbers = range(frames[0], frames[1] + 1)
    return np.array([(place @ Vector((x.evaluate(n), y.evaluate(n), z.evaluate(n)))).xy for n in numbers])


def _camera(path: np.ndarray, first: int, fps: float, aspect: float) -> bpy.types.Object:
    """A camera with a curve for each coordinate, at a distance from which the whole body is always seen."""
    data = bpy.data.cameras.new("Stage camera")
    data.sensor_fit, data.sensor_height, data.lens = "VERTICAL", SENSOR_HEIGHT, LENS
    camera = bpy.data.objects.new("Stage camera", data)
    followed = _smooth(path, FOLLOW_SECONDS * fps)
    aside, nearer = np.abs(path - followed)[:, 0].max(), (followed - path)[:, 1].max()
    distance = max(TALL, (WIDE + aside) / aspect) / math.tan(HALF_VIEW) + max(0.0, nearer)
    places = np.stack([followed[:, 0], followed[:, 1] - distance, np.full(len(path), EYE)], axis=1)
    camera.location = places[0]
    _look_at(camera, (*followed[0], CHEST))
    curves = (actions.Curve("location", axis, places[:, axis], "Stage camera") for axis in range(3))
    actions.new_action(camera, "Stage camera", curves, first)
    return camera


def _smooth(path: np.ndarray, width: float) -> np.ndarray:
    """A path (n, c) under a Gaussian of ``width`` frames, its ends held."""
    reach = math.ceil(3 * width)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    held = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in held.T], axis=1)


def _look_at(ob: bpy.types.Object, target: tuple[float, float, float]) -> None:
    ob.rotation_euler = (Vector(target) - ob.location).to_track_quat("-Z", "Y").to_euler()


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

"""What a dance is filmed on: a floor, a backdrop and three lamps, in a collection of their own."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np
from mathutils import Vector

from ..names import PREFIX, STAGE
from ..scene.mixing import frame_rate
from .camera import Shot, followed, following_camera, hidden, shot
from .watched import Watched, nobody, watch

# Side of the floor, side of its tiles, and how far the pool of light reaches beyond the dance, in units.
FLOOR = 18.0
TILE = 0.5
LIT = 2.8
AROUND = 7.0
"""How far the floor reaches at least beyond the dance, in units."""
BELOW = 1e-3
"""How far the floor is below the feet, in units: a floor that is there already hides it."""
# Height of the backdrop, and middle and reach of the glow on it, in units.
WALL = 9.0
GLOW_HEIGHT = 2.4
GLOW = 3.6
LAMPS = (("Key", -38, 4.2, 260, 2.0), ("Fill", 50, 3.0, 70, 4.0), ("Back", 160, 4.5, 300, 1.5))
"""Names, degrees from the front to the right, heights in units, watts for a unit of one metre, and sides in units."""
# How far lamps stand from the dance, and the distance up to which they are as bright as LAMPS says, in units.
AWAY = 4.5
NEAR = 6.0
# Degrees from the front to where the camera may stand, in that order, and which part of the bodies may be hidden.
TURNS = (0, 45, -45, 90, -90, 135, -135, 180)
HIDDEN = 0.02
# The custom properties of a picture: which one it is, and its mean linear colour.
DRAWN = f"{PREFIX}drawn"
MEAN = f"{PREFIX}mean"
FLOOR_PIXELS = 1024
WALL_PIXELS = 256
LIGHT_TILE = (0.62, 0.56, 0.52)
DARK_TILE = (0.43, 0.39, 0.37)
JOINT_LINE = (0.15, 0.13, 0.14)
DARK_FLOOR = 0.3
"""Of the tiles' colours, on a floor for lamps."""
# Linear colours of the floor, of the dark, of the floor in the dark (it must end where the dark backdrop begins, and
# takes less light than one that stands upright), and of the glow on the backdrop.
NIGHT = (0.008, 0.009, 0.014)
FAR = (0.034, 0.035, 0.041)
DUSK = (0.055, 0.085, 0.17)


@dataclass(frozen=True)
class Place:
    """Where the stage is.

    middle: (3,) on the floor, in the world.
    front: (2,) towards the audience.
    reach: how far the dance goes from the middle.
    unit: length of what is a metre for the bundled dancer.
    """

    middle: np.ndarray
    front: np.ndarray
    reach: float
    unit: float

    @property
    def side(self) -> float:
        """Of the floor."""
        return max(FLOOR * self.unit, 2 * (self.reach + AROUND * self.unit))

    def at(self, right: float, back: float, up: float) -> tuple[float, float, float]:
        """A place in the world, seen from the middle by the audience."""
        x, y = self.front
        moved = self.middle + right * np.array((-y, x, 0.0)) - back * np.array((x, y, 0.0)) + np.array((0.0, 0.0, up))
        return tuple(moved.tolist())


def set_stage(
    scene: bpy.types.Scene, armatures: Sequence[bpy.types.Object], frames: tuple[int, int], aspect: float = 16 / 9
) -> bpy.types.Object:
    """A tiled floor in a pool of light, a backdrop, three lamps, and a camera that follows the dance of ``frames``, in
    place of a stage that was set before. Nothing else in the scene is touched. Returns the camera.

    armatures: those who dance, of any kind and size; without any, the stage is in the middle of the world.
    aspect: width of the picture by its height.
    """
    site = survey(scene, armatures, frames, aspect)
    strike(scene)
    camera = following_camera(site.shot, site.place.unit)
    lamps = [_lamp(site.place, *lamp) for lamp in LAMPS]
    assemble(scene, [_floor(site.place), _backdrop(site.place), *lamps, camera])
    return camera


@dataclass(frozen=True)
class Site:
    """Where a stage is to stand, and how the dance on it is filmed.

    path: (t, 3) where the bodies are on the floor on every frame.
    """

    place: Place
    path: np.ndarray
    shot: Shot


def survey(
    scene: bpy.types.Scene, armatures: Sequence[bpy.types.Object], frames: tuple[int, int], aspect: float
) -> Site:
    """Find the place of a stage: arguments as of ``set_stage``. One that stands there does not count."""
    bpy.context.view_layer.update()  # the armature may just have been put in its place
    watched = watch(scene, armatures, frames) if armatures else nobody(frames)
    watched, filmed = _filmed(scene, watched, armatures, aspect)
    return Site(_place(watched), followed(watched, frame_rate(scene)), filmed)


def assemble(scene: bpy.types.Scene, objects: Sequence[bpy.types.Object]) -> None:
    """Put the objects of a stage into a collection of their own, where ``strike`` finds them."""
    collection = bpy.data.collections.new("Stage")
    collection[STAGE] = True
    scene.collection.children.link(collection)
    for ob in objects:
        ob[STAGE] = True
        collection.objects.link(ob)


def standing(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The stages of a scene: none or one, unless the user has copied it."""
    return [one for one in scene.collection.children_recursive if STAGE in one]


def strike(scene: bpy.types.Scene) -> bool:
    """Take the stage that ``set_stage`` built out of a scene. What the user put into its collection stays. Returns
    whether there was one."""
    found = standing(scene)
    for collection in found:
        for ob in list(collection.objects):
            if STAGE in ob:
                _remove(ob)
            elif not any(one != collection for one in ob.users_collection):
                scene.collection.objects.link(ob)
        bpy.data.collections.remove(collection)
    _undress(scene)
    return bool(found)


@contextlib.contextmanager
def renewed(scene: bpy.types.Scene) -> Iterator[None]:
    """Strike the stage of a scene for another one. Meanwhile its pictures stay, and those that the other one wants too
    need not be drawn again."""
    images = [image for stage in standing(scene) for ob in stage.objects if STAGE in ob for image in _images(ob)]
    for image in images:
        image.use_fake_user = True
    try:
        strike(scene)
        yield
    finally:
        for image in images:
            image.use_fake_user = False
        _remove_unused(images)


def set_shading(scene: bpy.types.Scene) -> None:
    """What Workbench needs in order to show the stage as the other engines do."""
    shading = scene.display.shading
    shading.light, shading.studio_light, shading.color_type = "STUDIO", "paint.sl", "TEXTURE"
    shading.show_shadows, shading.shadow_intensity, shading.show_cavity = True, 0.6, False
    shading.show_specular_highlight = True
    scene.display.light_direction = Vector((0.35, 0.45, 0.82)).normalized()


def set_colours(scene: bpy.types.Scene) -> None:
    """Tones as they are chosen here; a filmic view would grey them."""
    scene.view_settings.view_transform = "Standard"


def _filmed(
    scene: bpy.types.Scene, watched: Watched, armatures: Sequence[bpy.types.Object], aspect: float
) -> tuple[Watched, Shot]:
    """The dance, and how it is filmed: from its front, or else from where the least stands in the way."""
    found = []
    for degrees in TURNS:
        turn = math.radians(degrees)
        (x, y), sine, cosine = watched.front, math.sin(turn), math.cos(turn)
        turned = replace(watched, front=np.array((cosine * x - sine * y, sine * x + cosine * y)))
        filmed = shot(turned, frame_rate(scene), aspect)
        found.append((hidden(scene, turned, filmed, armatures), turned, filmed))
        if found[-1][0] < HIDDEN:
            break
    _, watched, filmed = min(found, key=lambda one: round(one[0], 1))  # of equals the first
    return watched, filmed


def _place(watched: Watched) -> Place:
    path = watched.middle
    middle = (path.min(axis=0) + path.max(axis=0)) / 2
    return Place(np.array((*middle, watched.floor)), watched.front, float(np.abs(path - middle).max()), watched.unit)


def _undress(scene: bpy.types.Scene) -> None:
    """Give back their own materials to those who wear a costume of the stage."""
    worn = {slot: slot.material for ob in scene.objects for slot in ob.material_slots if slot.link == "OBJECT"}
    costumes = {material for material in worn.values() if material and STAGE in material}
    for slot, material in worn.items():
        if material in costumes:
            slot.material = None
            slot.link = "DATA"
    keyed = [_action(material.node_tree) for material in costumes]
    _remove_unused([*costumes, *keyed])


def _remove(ob: bpy.types.Object) -> None:
    """Remove an object of the stage with all that nothing else uses."""
    data = ob.data
    materials, images = _materials(ob), _images(ob)
    actions = [_action(one) for one in (ob, data, *(one.node_tree for one in materials))]
    bpy.data.objects.remove(ob)
    _remove_unused([data, *materials, *images, *actions])


def _materials(ob: bpy.types.Object) -> list[bpy.types.Material]:
    return [one for one in ob.data.materials if one] if isinstance(ob.data, bpy.types.Mesh) else []


def _images(ob: bpy.types.Object) -> list[bpy.types.Image]:
    """The pictures on an object of a stage."""
    nodes = [node for one in _materials(ob) for node in one.node_tree.nodes if node.type == "TEX_IMAGE"]
    return [node.image for node in nodes if node.image]


def _action(owner: bpy.types.ID | None) -> bpy.types.Action | None:
    return owner.animation_data.action if owner and owner.animation_data else None


def _remove_unused(blocks: Sequence[bpy.types.ID | None]) -> None:
    """Remove those that nothing uses any more, in this order."""
    for block in blocks:
        if block is None:
            continue
        if block.id_type == "ACTION":
            block.use_fake_user = False
        if not block.users:
            bpy.data.batch_remove((block,))


def _lamp(place: Place, name: str, angle: float, height: float, energy: float, size: float) -> bpy.types.Object:
    light = bpy.data.lights.new(f"Stage {name.lower()}", "AREA")
    turn, away = math.radians(angle), AWAY * place.unit + place.reach
    light.size = size * place.unit
    light.energy = energy * place.unit**2 * max(1.0, away / (NEAR * place.unit)) ** 2
    lamp = bpy.data.objects.new(light.name, light)
    lamp.location = place.at(away * math.sin(turn), -away * math.cos(turn), height * place.unit)
    target = Vector(place.at(0.0, 0.0, place.unit))
    lamp.rotation_euler = (target - lamp.location).to_track_quat("-Z", "Y").to_euler()
    return lamp


def _floor(place: Place) -> bpy.types.Object:
    """Tiles of two tones with joints between them, lit where the dance is."""
    steps, tiles = _tiles(place)
    away = np.hypot(steps[None, :], steps[:, None])
    light = np.clip((place.side / 2 - away) / place.unit, 0, 1) / (1 + (away / (place.reach + LIT * place.unit)) ** 4)
    return _panel("Stage floor", _on_the_floor(place), _picture("Stage floor", _blend(FAR, tiles, light)))


def bare_floor(place: Place) -> bpy.types.Object:
    """The tiles in the dark tone of a stage floor, for lamps to light."""
    drawn = f"bare, {place.side / place.unit:.6g} wide"
    image = next((one for one in bpy.data.images if one.get(DRAWN) == drawn), None)
    if image is None:
        image = _picture("Stage floor", DARK_FLOOR * _tiles(place)[1])
        image[DRAWN] = drawn
    return _panel("Stage floor", _on_the_floor(place), image)


def _tiles(place: Place) -> tuple[np.ndarray, np.ndarray]:
    """Places along a side of the floor (n,), from its middle, and linear colours (n, n, 3)."""
    side, tile = place.side, TILE * place.unit * max(1, round(place.side / (FLOOR * place.unit)))
    steps = (np.arange(FLOOR_PIXELS) + 0.5) / FLOOR_PIXELS * side - side / 2
    x, y = (steps / tile)[None, :], (steps / tile)[:, None]
    odd = (np.floor(x) + np.floor(y)) % 2 == 1
    joint = np.minimum(np.abs(x - np.round(x)), np.abs(y - np.round(y))) * tile < 0.5 * side / FLOOR_PIXELS
    return steps, np.where(joint[..., None], JOINT_LINE, np.where(odd[..., None], LIGHT_TILE, DARK_TILE))


def _on_the_floor(place: Place) -> list[tuple]:
    half, low = place.side / 2, -BELOW * place.unit
    return [place.at(r * half, b * half, low) for r, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


def _backdrop(place: Place) -> bpy.types.Object:
    """A wall behind the floor, dark where it meets it, with a glow behind the dancer."""
    wide, high = place.side, WALL * place.side / FLOOR
    x = ((np.arange(WALL_PIXELS) + 0.5) / WALL_PIXELS - 0.5) * 2 * wide / place.unit
    z = (np.arange(WALL_PIXELS) + 0.5) / WALL_PIXELS * high / place.unit
    height = np.where(z < GLOW_HEIGHT, (GLOW_HEIGHT - z) / GLOW_HEIGHT * 2, (z - GLOW_HEIGHT) / GLOW)
    light = np.exp(-((x[None, :] / (2 * GLOW)) ** 2) - height[:, None] ** 2)
    picture = _picture("Stage backdrop", _blend(NIGHT, np.array(DUSK), light))
    return _panel("Stage backdrop", _upright(place, place.side / 2), picture, glows=True)


def cloth(place: Place, behind: float) -> bpy.types.Object:
    """A backdrop without a material.

    behind: how far from the middle it hangs.
    """
    return _square("Stage backdrop", _upright(place, behind))


def _upright(place: Place, behind: float) -> list[tuple]:
    wide, high, low = place.side, WALL * place.side / FLOOR, -BELOW * place.unit
    return [place.at(right, behind, up) for right, up in ((-wide, low), (wide, low), (wide, high), (-wide, high))]


def _blend(dark: tuple[float, float, float], bright: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Linear colours (h, w, 3): ``bright`` (3,) or (h, w, 3) where light (h, w) is 1, ``dark`` where it is 0."""
    return np.array(dark) + light[..., None] * (bright - np.array(dark))


def _picture(name: str, colours: np.ndarray) -> bpy.types.Image:
    """A picture of linear colours (h, w, 3), kept inside the .blend."""
    height, width, _ = colours.shape
    image = bpy.data.images.new(name, width, height)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = np.clip(colours, 0, 1) ** (1 / 2.2)  # the picture is kept as sRGB
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    image[MEAN] = colours.reshape(-1, 3).mean(axis=0).tolist()
    return image


def _panel(name: str, corners: list[tuple], image: bpy.types.Image, glows: bool = False) -> bpy.types.Object:
    """A flat square of four corners with a ``_picture`` on it. glows: gives off light."""
    ob = _square(name, corners)
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
    material.diffuse_color = (*image[MEAN], 1.0)  # what the Solid view shows
    ob.data.materials.append(material)
    return ob


def _square(name: str, corners: list[tuple]) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    mesh.uv_layers.new(name="Picture").data.foreach_set("uv", (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0))
    return bpy.data.objects.new(name, mesh)

"""Frames of the bundled dancer on its stage, drawn by numpy. For machines without OpenGL, where Cycles takes minutes.

The dancer's quads go to ``raster``. The floor and the backdrop are textured planes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..errors import UserError
from ..scene.dancer import dancers
from . import paint
from .lights import COSTUME, ROLE, WATTS
from .planes import Plane, read_plane
from .raster import coarse, covered, faces_us, nearest, weights_at
from .spots import EVEN, Spots, light_at
from .weave import PLAIN, Woven

THREADS = min(4, os.cpu_count() or 1)
FINE = 2  # samples of the dancer along each side of a pixel; their mean smooths the outline
LAMPS = ((-0.55, -0.65, 0.75, 0.62), (0.85, -0.45, 0.30, 0.22), (0.40, 0.85, 0.55, 0.30))
"""Where each lamp stands, as a direction, and how bright it is: key, fill and back."""
AMBIENT = 0.20
SUN = 1e4 * np.array((0.40, -0.35, 0.85))
"""Metres: what casts the shadow in the light of ``LAMPS``. It falls beside the dancer, where the camera sees it."""
SHADE = 0.5  # what that shadow takes from the floor
SHADOW_STEP = 2  # pixels along each side of those in which shadows are found
FAINT = 0.03  # of the light under a body: what gives less casts no shadow
UNDER = 0.25  # of a lamp's height: what is not so far below it casts no shadow on the floor
UP = np.array((0.0, 0.0, 1.0))
FLOOR_TONE = 0.72  # the floor takes less of the light of ``LAMPS`` than the dancer
BOUNCED = 0.06  # of the light of spots, on what they do not reach


@dataclass(frozen=True)
class Body:
    """The dancer's mesh.

    quads: (q, 4) vertices.
    surfaces: of its materials, and which (q,) of them each quad has.
    glow: (q,) light of their own.
    places: (v, 3) of vertices on the surfaces, 0-1.
    """

    ob: bpy.types.Object
    quads: np.ndarray
    surfaces: list[Woven]
    which: np.ndarray
    glow: np.ndarray
    places: np.ndarray

    def colours_at(self, quads: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The linear colours (s, 3) of samples on ``quads`` (s,), with weights (s, 4) of their corners."""
        places = np.einsum("scl,sc->sl", self.places[self.quads[quads]], weights)
        colours = np.empty_like(places)
        for number, surface in enumerate(self.surfaces):
            on = self.which[quads] == number
            colours[on] = surface.at(places[on])
        return colours


@dataclass(frozen=True)
class Stage:
    """What is drawn.

    spots: the lamps of a lit stage.
    """

    scene: bpy.types.Scene
    bodies: list[Body]
    floor: Plane
    backdrop: Plane
    spots: list[bpy.types.Object]


@dataclass(frozen=True)
class Moment:
    """What moves.

    view: (4, 4), world to clip space.
    eye: (3,) metres.
    shapes: vertices and normals (v, 3) a body.
    spots: the lamps of a lit stage, None on another.
    """

    view: np.ndarray
    eye: np.ndarray
    shapes: list[tuple[np.ndarray, np.ndarray]]
    spots: Spots | None


def read_stage(scene: bpy.types.Scene) -> Stage:
    """The bundled stage of a scene. Raises UserError when it is not there."""
    bodies = [child for ob in dancers(scene) for child in ob.children if child.type == "MESH"]
    panels = [scene.objects.get(name) for name in ("Stage floor", "Stage backdrop")]
    if not bodies or None in panels or scene.camera is None:
        raise UserError(f"the scene {scene.name!r} has not the bundled dancer, stage and camera; film it with Cycles")
    spots = [ob for ob in scene.objects if ob.type == "LIGHT" and ROLE in ob]
    floor, backdrop = map(read_plane, panels)
    return Stage(scene, [_body(ob) for ob in bodies], floor, backdrop, spots)


def observe(stage: Stage, frame: int, size: tuple[int, int]) -> Moment:
    """Go to a frame and read what moves.

    size: width and height of the picture, in pixels.
    """
    scene, (width, height) = stage.scene, size
    scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    camera = scene.camera.evaluated_get(graph)
    place = np.array(camera.matrix_world)
    view = np.array(camera.calc_matrix_camera(graph, x=width, y=height)) @ np.linalg.inv(place)
    shapes = [_shape(body.ob.evaluated_get(graph)) for body in stage.bodies]
    spots = read_spots([ob.evaluated_get(graph) for ob in stage.spots]) if stage.spots else None
    return Moment(view, place[:3, 3], shapes, spots)


def draw(stage: Stage, moment: Moment, size: tuple[int, int]) -> np.ndarray:
    """The picture of a moment: (h, w, 3), sRGB in 0-1, its first row the lowest. Asks Blender nothing, so that
    threads can share the work."""
    width, height = size
    view = moment.view
    picture = _ground(stage, moment, width, height)
    fine = width * FINE, height * FINE
    for body, (points, normals) in zip(stage.bodies, moment.shapes, strict=True):
        projected = _project(view, points, fine)
        front = np.flatnonzero(faces_us(projected, body.quads))
        found = nearest(projected, body.quads[front], fine)
        seen = found.quad >= 0
        quads = front[found.quad[seen]]
        light = (_lit(normals) if moment.spots is None else _lit_by(moment.spots, points, normals))[body.quads[quads]]
        weights = weights_at(found.u[seen], found.v[seen])
        light = np.einsum("scl,sc->sl", light, weights) + body.glow[quads, None]
        layer = np.zeros((*seen.shape, 4), np.float32)
        layer[seen, :3] = np.clip(body.colours_at(quads, weights) * light, 0, 1) ** EVEN
        layer[seen, 3] = 1.0
        layer = coarse(layer, FINE)
        picture = picture * (1 - layer[..., 3:]) + layer[..., :3]
    return picture


def save(picture: np.ndarray, path: Path) -> None:
    """Write a frame (h, w, 3) as PNG."""
    height, width, _ = picture.shape
    image = bpy.data.images.new(path.stem, width, height)
    try:
        pixels = np.ones((height, width, 4), np.float32)
        pixels[..., :3] = picture
        image.pixels.foreach_set(pixels.ravel())
        image.file_format, image.filepath_raw = "PNG", str(path)
        image.save()
    finally:
        bpy.data.images.remove(image)


def save_frames(
    stage: Stage,
    frames: range,
    size: tuple[int, int],
    folder: Path,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[Path]:
    """Draw frames into a folder.

    on_progress: told how many are done.

    Returns their files, in order.
    """
    paths: list[Path] = []
    drawing: deque[Future] = deque()

    def finish() -> None:
        paths.append(folder / f"{len(paths):06d}.png")
        save(drawing.popleft().result(), paths[-1])
        on_progress(len(paths))

    with ThreadPoolExecutor(THREADS) as pool:
        for frame in frames:
            drawing.append(pool.submit(draw, stage, observe(stage, frame, size), size))
            if len(drawing) > THREADS:
                finish()
        while drawing:
            finish()
    return paths


def add_frames(scene: bpy.types.Scene, paths: list[Path], first: int) -> None:
    """Show pictures in the sequencer instead of the scene, from the frame ``first`` on; its sounds stay."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    channel = max((strip.channel for strip in editor.strips), default=0) + 1
    strip = editor.strips.new_image("Drawn", str(paths[0]), channel, first)
    for path in paths[1:]:
        strip.elements.append(path.name)
    scene.render.use_sequencer = True


def _soft(mask: np.ndarray) -> np.ndarray:
    """A mask (h, w) with an edge two pixels wide."""
    for axis in (0, 1):
        mask = (np.roll(mask, 1, axis) + 2 * mask + np.roll(mask, -1, axis)) / 4
    return mask


def _project(view: np.ndarray, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """World points (v, 3) to samples across and up and depth in -1 to 1, smaller is nearer."""
    flat = points @ view[:, :3].T + view[:, 3]
    flat = flat[:, :3] / flat[:, 3:]
    flat[:, :2] = (flat[:, :2] + 1) / 2 * np.array(size)
    return flat


def _lit(normals: np.ndarray) -> np.ndarray:
    """How much light each normal (v, 3) takes: (v, 1)."""
    light = np.full(len(normals), AMBIENT)
    for *towards, bright in LAMPS:
        light += bright * np.clip(normals @ (np.array(towards) / np.linalg.norm(towards)), 0, None)
    return light[:, None]


def _lit_by(spots: Spots, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """The light (v, 3) of spots on vertices (v, 3), with a little that comes from all around."""
    light = light_at(spots, points, normals)
    return light + BOUNCED * light.max(axis=0)


def _ground(stage: Stage, moment: Moment, width: int, height: int) -> np.ndarray:
    """The floor below the horizon and the backdrop above, (h, w, 3)."""
    view, eye, spots = moment.view, moment.eye, moment.spots
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = (np.arange(height) + 0.5) / height * 2 - 1
    flat = np.stack([*np.meshgrid(x, y), np.ones((height, width)), np.ones((height, width))], axis=-1)
    far = flat @ np.linalg.inv(view).T
    rays = far[..., :3] / far[..., 3:] - eye
    foot = stage.backdrop.corner[1] - eye[1]
    low = rays[:, width // 2, 2] * foot < -eye[2] * rays[:, width // 2, 1]  # the camera is never rolled: whole rows
    picture = np.empty((height, width, 3), np.float32)
    picture[~low] = stage.backdrop.colours(eye, rays[~low])
    picture[low] = (FLOOR_TONE if spots is None else 1.0) * stage.floor.colours(eye, rays[low])
    if spots is None:
        for body, (points, _) in zip(stage.bodies, moment.shapes, strict=True):
            picture *= 1 - SHADE * _shadow(stage, moment, body, points, SUN, (width, height))[..., None]
        return picture
    for plane, rows in ((stage.backdrop, ~low), (stage.floor, low)):
        picture[rows] *= plane.light(spots, eye, rays[rows])
    shadows = _shadows(stage, moment, spots, (width, height))[:, low]
    picture[low] *= _unshaded(stage.floor, spots, eye, rays[low], shadows)
    return np.minimum(picture, 1.0)


def _shadows(stage: Stage, moment: Moment, spots: Spots, size: tuple[int, int]) -> np.ndarray:
    """What part of each spot's light the bodies keep from the floor: (n, h, w), 0-1."""
    width, height = size
    shadows = np.zeros((len(spots.places), height, width), np.float32)
    for body, (points, _) in zip(stage.bodies, moment.shapes, strict=True):
        foot = np.array((*points[:, :2].mean(axis=0), stage.floor.corner[2]))
        there = light_at(spots, np.tile(foot, (len(shadows), 1)), UP, np.eye(len(shadows))).max(axis=1)
        for number in np.flatnonzero(there > FAINT * there.sum()):
            shadow = _shadow(stage, moment, body, points, spots.places[number], size)
            shadows[number] = np.maximum(shadows[number], shadow)
    return shadows


def _shadow(
    stage: Stage, moment: Moment, body: Body, points: np.ndarray, lamp: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """What part of a lamp's light a body keeps from the floor: (h, w), 0-1."""
    below = (lamp[2] - points[:, 2]) / (lamp[2] - stage.floor.corner[2])
    fallen = lamp + (points - lamp) / np.maximum(below, UNDER)[:, None]
    quads = body.quads[(below > UNDER)[body.quads].all(axis=1)]
    width, height = size
    rough = -(-width // SHADOW_STEP), -(-height // SHADOW_STEP)
    fallen = _project(moment.view, fallen, rough)
    dark = covered(fallen, quads[faces_us(fallen, quads)], rough)
    for axis in (0, 1):
        dark = dark.repeat(SHADOW_STEP, axis)
    return _soft(dark[:height, :width].astype(np.float32))


def _unshaded(floor: Plane, spots: Spots, eye: np.ndarray, rays: np.ndarray, shadows: np.ndarray) -> np.ndarray:
    """What shadows (n, h, w) leave of the light of spots where rays (h, w, 3) meet the floor: a factor (h, w, 3) of
    sRGB colours."""
    left = np.ones(rays.shape, np.float32)
    shaded = shadows.any(axis=0)
    points = floor.hits(eye, rays[shaded])
    whole, part = light_at(spots, points, UP), light_at(spots, points, UP, 1 - shadows[:, shaded])
    left[shaded] = (part / np.maximum(whole, 1e-9)) ** EVEN
    return left


def read_spots(lamps: list[bpy.types.Object]) -> Spots:
    """Evaluated spots that give light."""
    places = np.array([lamp.matrix_world for lamp in lamps])
    light = [np.array(lamp.data.color) * lamp.data.energy / WATTS for lamp in lamps]
    ends = np.cos([lamp.data.spot_size / 2 for lamp in lamps])
    soft = ends + (1 - ends) * np.array([max(lamp.data.spot_blend, 1e-3) for lamp in lamps])
    return Spots(places[:, :3, 3], -places[:, :3, 2], np.array(light), np.stack([ends, soft], axis=1)).lit()


def _shape(ob: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and their normals (v, 3) of an evaluated mesh, in the world."""
    mesh, place = ob.data, np.array(ob.matrix_world)
    points, normals = (np.empty(3 * len(mesh.vertices), np.float32) for _ in range(2))
    mesh.vertices.foreach_get("co", points)
    mesh.vertex_normals.foreach_get("vector", normals)
    turn = np.linalg.inv(place[:3, :3])
    normals = normals.reshape(-1, 3) @ turn
    return points.reshape(-1, 3) @ place[:3, :3].T + place[:3, 3], normals / np.linalg.norm(normals, axis=1)[:, None]


def _body(ob: bpy.types.Object) -> Body:
    faces = [tuple(face.vertices) for face in ob.data.polygons]
    if any(len(face) > 4 for face in faces):
        raise UserError(f"{ob.name} has faces of more than four corners; film it with Cycles")
    materials = [slot.material for slot in ob.material_slots]
    surfaces = [paint.woven(material) or _plain(material) for material in materials]
    which = np.array([face.material_index for face in ob.data.polygons])
    glow = np.array([paint.glow(material) for material in materials])[which]
    quads = np.array([face if len(face) == 4 else (*face, face[-1]) for face in faces])
    points = np.array([vertex.co for vertex in ob.data.vertices])
    low, high = points.min(axis=0), points.max(axis=0)
    return Body(ob, quads, surfaces, which, glow, (points - low) / (high - low))


def _plain(material: bpy.types.Material) -> Woven:
    """The surface of a material in the colour that the Solid view shows."""
    colour = np.array(material.diffuse_color)[:3]
    return Woven(COSTUME, colour, colour, PLAIN)

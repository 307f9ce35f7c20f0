"""Frames of the bundled dancer on its stage, drawn by numpy. For machines without OpenGL, where Cycles takes minutes.

The dancer's quads are cut into samples no larger than a pixel, and a depth buffer keeps the nearest ones, as in Cook,
Carpenter and Catmull (1987), "The Reyes Image Rendering Architecture". The floor and the backdrop are textured planes.
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
from .lights import ROLE, WATTS
from .spots import EVEN, Spots, enlarged, light_at

THREADS = min(4, os.cpu_count() or 1)
FINE = 2  # samples of the dancer along each side of a pixel; their mean smooths the outline
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)  # cuts along a side of a quad: the next one to its length
LAMPS = ((-0.55, -0.65, 0.75, 0.62), (0.85, -0.45, 0.30, 0.22), (0.40, 0.85, 0.55, 0.30))
"""Where each lamp stands, as a direction, and how bright it is: key, fill and back."""
AMBIENT = 0.20
SUN = np.array((0.40, -0.35, 0.85))
"""Where the light comes from that casts the shadow: it falls beside the dancer, where the camera sees it."""
SHADE = 0.5  # what the shadow takes from the floor
FLOOR_TONE = 0.72  # the floor takes less light than the dancer
STEP = 8  # pixels between those for which the light of spots is calculated; it is smooth between them
BOUNCED = 0.06  # of the light of spots, on what they do not reach
LEVELS = 6  # of the floor's texture, each half as large as the one before


@dataclass(frozen=True)
class Plane:
    """A textured rectangle. corner: (3,) metres; sides: (2, 3), along u and v; levels: pictures (h, w, 3), sRGB;
    glow: light of its own, radiance of white."""

    corner: np.ndarray
    sides: np.ndarray
    levels: list[np.ndarray]
    glow: float = 0.0


@dataclass(frozen=True)
class Body:
    """The dancer's mesh. quads: (q, 4) vertices; colours: (q, 3), linear; glow: (q,) light of their own."""

    ob: bpy.types.Object
    quads: np.ndarray
    colours: np.ndarray
    glow: np.ndarray


@dataclass(frozen=True)
class Stage:
    """What is drawn. spots: the lamps of a lit stage."""

    scene: bpy.types.Scene
    bodies: list[Body]
    floor: Plane
    backdrop: Plane
    spots: list[bpy.types.Object]


@dataclass(frozen=True)
class Moment:
    """What moves. view: (4, 4), world to clip space; eye: (3,) metres; shapes: vertices and normals (v, 3) a body;
    spots: the lamps of a lit stage, None on another."""

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
    floor, backdrop = map(_plane, panels)
    return Stage(scene, [_body(ob) for ob in bodies], floor, backdrop, spots)


def observe(stage: Stage, frame: int, size: tuple[int, int]) -> Moment:
    """Go to a frame and read what moves. size: width and height of the picture, in pixels."""
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
    for body, (points, _) in zip(stage.bodies, moment.shapes, strict=True):
        fallen = points - points[:, 2:] / SUN[2] * SUN
        fallen = nearest(_project(view, fallen, size), body.quads, size).quad >= 0
        picture *= 1 - SHADE * _soft(fallen.astype(np.float32))[..., None]
    for body, (points, normals) in zip(stage.bodies, moment.shapes, strict=True):
        projected = _project(view, points, fine)
        front = np.flatnonzero(_faces_us(projected, body.quads))
        found = nearest(projected, body.quads[front], fine)
        seen = found.quad >= 0
        quads = front[found.quad[seen]]
        light = (_lit(normals) if moment.spots is None else _lit_by(moment.spots, points, normals))[body.quads[quads]]
        light = np.einsum("scl,sc->sl", light, _weights(found.u[seen], found.v[seen])) + body.glow[quads, None]
        layer = np.zeros((*seen.shape, 4), np.float32)
        layer[seen, :3] = np.clip(body.colours[quads] * light, 0, 1) ** EVEN
        layer[seen, 3] = 1.0
        layer = _coarse(layer)
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
    """Draw frames into a folder. on_progress: told how many are done.  Returns their files, in order."""
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


@dataclass(frozen=True)
class Nearest:
    """What is nearest at each sample of a picture (h, w). quad: its number, -1 for none; u, v: where on it, 0-1."""

    quad: np.ndarray
    u: np.ndarray
    v: np.ndarray


def nearest(points: np.ndarray, quads: np.ndarray, size: tuple[int, int]) -> Nearest:
    """What is nearest at each sample. points: (v, 3), samples across, samples up and depth, of the vertices that
    ``quads`` (q, 4) names.  size: width and height, in samples."""
    width, height = size
    corners = points[quads]
    edges = np.abs(np.roll(corners[..., :2], -1, axis=1) - corners[..., :2]).sum(
        axis=2
    )  # no gap, however a quad is turned
    inside = (np.abs(corners[..., 2]) < 1).all(axis=1)
    cuts = np.searchsorted(SIZES[:-1], np.maximum(edges[:, :2], edges[:, 2:]))  # (q, 2): along u and v
    depth = np.full(width * height, np.inf)
    found: list[tuple[np.ndarray, ...]] = []
    for across, up in np.unique(cuts, axis=0):
        chosen = np.flatnonzero(inside & (cuts == (across, up)).all(axis=1))
        steps = ((np.arange(SIZES[side]) + 0.5) / SIZES[side] for side in (across, up))
        u, v = (axis.ravel() for axis in np.meshgrid(*steps))
        samples = _weights(u, v) @ corners[chosen]
        x, y = samples[..., 0].astype(np.int32), samples[..., 1].astype(np.int32)
        row, sample = np.nonzero((x >= 0) & (x < width) & (y >= 0) & (y < height))
        cell, far = (y * width + x)[row, sample], samples[row, sample, 2]
        np.minimum.at(depth, cell, far)
        found.append((cell, far, chosen[row], u[sample], v[sample]))
    quad, u, v = np.full(width * height, -1), np.zeros(width * height), np.zeros(width * height)
    for cell, far, number, across, up in found:
        won = far <= depth[cell]
        quad[cell[won]], u[cell[won]], v[cell[won]] = number[won], across[won], up[won]
    return Nearest(*(values.reshape(height, width) for values in (quad, u, v)))


def _faces_us(points: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Which quads turn their front to the camera; points as ``nearest`` takes them."""
    one, two, three, four = np.moveaxis(points[quads, :2], 1, 0)
    first, second = three - one, four - two
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] > 0


def _soft(mask: np.ndarray) -> np.ndarray:
    """A mask (h, w) with an edge two pixels wide."""
    for axis in (0, 1):
        mask = (np.roll(mask, 1, axis) + 2 * mask + np.roll(mask, -1, axis)) / 4
    return mask


def _weights(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Bilinear weights (n, 4) of a quad's corners at u and v (n,)."""
    return np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=-1)


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


def _coarse(picture: np.ndarray) -> np.ndarray:
    """The mean of FINE by FINE samples (h, w, c)."""
    height, width, channels = picture.shape
    return picture.reshape(height // FINE, FINE, width // FINE, FINE, channels).mean(axis=(1, 3))


def _ground(stage: Stage, moment: Moment, width: int, height: int) -> np.ndarray:
    """The floor below the horizon and the backdrop above, (h, w, 3)."""
    view, eye = moment.view, moment.eye
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = (np.arange(height) + 0.5) / height * 2 - 1
    flat = np.stack([*np.meshgrid(x, y), np.ones((height, width)), np.ones((height, width))], axis=-1)
    far = flat @ np.linalg.inv(view).T
    rays = far[..., :3] / far[..., 3:] - eye
    foot = stage.backdrop.corner[1] - eye[1]
    low = rays[:, width // 2, 2] * foot < -eye[2] * rays[:, width // 2, 1]  # the camera is never rolled: whole rows
    picture = np.empty((height, width, 3), np.float32)
    picture[~low] = _seen(stage.backdrop, eye, rays[~low])
    picture[low] = FLOOR_TONE * _seen(stage.floor, eye, rays[low])
    if moment.spots is not None:
        for plane, rows in ((stage.backdrop, ~low), (stage.floor, low)):
            picture[rows] *= _light_on(plane, moment.spots, eye, rays[rows])
        np.minimum(picture, 1.0, out=picture)
    return picture


def _light_on(plane: Plane, spots: Spots, eye: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """The light of spots where rays (h, w, 3) meet a plane, as a factor of its sRGB colours."""
    if not len(rays):
        return rays
    rows, columns = (np.unique(np.r_[np.arange(0, count, STEP), count - 1]) for count in rays.shape[:2])
    coarse = rays[np.ix_(rows, columns)]
    normal = np.cross(*plane.sides)
    normal /= np.linalg.norm(normal)
    hits = eye + coarse * (((plane.corner - eye) @ normal) / (coarse @ normal))[..., None]
    facing = normal * np.sign((eye - plane.corner) @ normal)
    light = light_at(spots, hits.reshape(-1, 3), facing).reshape(coarse.shape) + plane.glow
    height, width, _ = rays.shape
    return enlarged((light**EVEN).astype(np.float32), rows, columns, (height, width))


def _seen(plane: Plane, eye: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """The colours of a plane where rays (h, w, 3) from ``eye`` meet it; what lies beyond it has its border's."""
    if not len(rays):
        return rays
    normal = np.cross(*plane.sides)
    hits = eye + rays * (((plane.corner - eye) @ normal) / (rays @ normal))[..., None] - plane.corner
    uv = np.clip(np.stack([hits @ side / (side @ side) for side in plane.sides], axis=-1), 0, 1)
    pixels = np.abs(np.diff(uv[:, rays.shape[1] // 2], axis=0, append=np.nan)).max(axis=1) * len(plane.levels[0])
    level = np.clip(np.log2(np.fmax(pixels, 1)), 0, len(plane.levels) - 1)  # texels a row of the picture
    finer, between = level.astype(int), level % 1
    picture = np.empty(rays.shape, np.float32)
    for number in np.unique(finer):
        rows = finer == number
        picture[rows] = _sampled(plane.levels[number], uv[rows])
        rows &= between > 0
        if rows.any():
            share = between[rows, None, None].astype(np.float32)
            picture[rows] += share * (_sampled(plane.levels[number + 1], uv[rows]) - picture[rows])
    return picture


def _sampled(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear colours of a texture (h, w, 3) at uv (..., 2)."""
    size = np.array(texture.shape[1::-1])
    at = np.clip(uv * size - 0.5, 0, size - 1).astype(np.float32)
    low = np.minimum(at.astype(np.int32), size - 2)
    u, v = np.moveaxis((at - low).astype(np.float32), -1, 0)[..., None]
    first = low[..., 1] * size[0] + low[..., 0]
    texels = texture.reshape(-1, 3)
    below, above = (texels[first + row] * (1 - u) + texels[first + row + 1] * u for row in (0, size[0]))
    return below * (1 - v) + above * v


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
    tones = np.array([tuple(slot.material.diffuse_color)[:3] for slot in ob.material_slots])
    glow = np.array([_glow(slot.material) for slot in ob.material_slots])
    which = [face.material_index for face in ob.data.polygons]
    quads = np.array([face if len(face) == 4 else (*face, face[-1]) for face in faces])
    return Body(ob, quads, tones[which], glow[which])


def _plane(ob: bpy.types.Object) -> Plane:
    corners = np.array([ob.matrix_world @ vertex.co for vertex in ob.data.vertices])
    image = next((node.image for node in ob.active_material.node_tree.nodes if node.type == "TEX_IMAGE"), None)
    sides = np.stack([corners[1] - corners[0], corners[3] - corners[0]])
    if image is None:
        colour = np.array(tuple(ob.active_material.diffuse_color)[:3], np.float32) ** EVEN
        return Plane(corners[0], sides, [np.full((2, 2, 3), colour)], _glow(ob.active_material))
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    levels = [pixels.reshape(height, width, 4)[..., :3]]
    while len(levels) < LEVELS:
        finer = levels[-1]
        levels.append(finer.reshape(len(finer) // 2, 2, finer.shape[1] // 2, 2, 3).mean(axis=(1, 3)))
    return Plane(corners[0], sides, levels)


def _glow(material: bpy.types.Material) -> float:
    """The emission of a material in its own colour."""
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    coloured = shader.inputs["Emission Color"].is_linked and shader.inputs["Base Color"].is_linked
    return shader.inputs["Emission Strength"].default_value if coloured else 0.0

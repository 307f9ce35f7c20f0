"""What is to be seen of a dance: where the bodies are on its frames, how tall, on which floor, facing where."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from ..scene import ground, placing, rigs, staging, standing
from ..scene.mixing import frame_rate
from ..shared import proportions, skeleton

LOOKS = 300
"""At most so many frames are looked at, and at least ten a second where that is fewer."""

HEIGHT = float(np.ptp(proportions.to_blender(skeleton.standing())[:, 2]))
"""From the lowest to the highest joint of the bundled dancer as it stands, metres."""

TURNED = math.cos(math.radians(45.0))
"""Cosine of the angle up to which a dance faces where its rig does."""


@dataclass(frozen=True)
class Watched:
    """Where the bodies are that the camera must show.

    frames: (n,) those that were looked at, whole numbers in order.
    points: (n, p, 3) ends of bones in the world.
    floor: its height.
    front: (2,) the direction that the dance faces, of length 1.
    unit: how long a metre of the bundled dancer is for these bodies.
    """

    frames: np.ndarray
    points: np.ndarray
    floor: float
    front: np.ndarray
    unit: float

    @property
    def middle(self) -> np.ndarray:
        """Where the bodies are: (n, 2)."""
        return (self.points.min(axis=1) + self.points.max(axis=1))[:, :2] / 2


def watch(scene: bpy.types.Scene, armatures: Sequence[bpy.types.Object], frames: tuple[int, int]) -> Watched:
    """See ``armatures``, one or more, on the frames from the first to the last, both included."""
    first, last = frames
    fps = frame_rate(scene)
    count = min(LOOKS, max(2, math.ceil((last - first) / fps * 10) + 1))
    looked = np.unique(np.linspace(first, last, count).round().astype(int))
    seen = [_watch(scene, armature, looked) for armature in armatures]
    front = np.sum([one.front for one in seen], axis=0)
    length = np.linalg.norm(front)
    return Watched(
        looked,
        np.concatenate([one.points for one in seen], axis=1),
        min(one.floor for one in seen),
        front / length if length > 1e-3 else seen[0].front,
        max(one.unit for one in seen),
    )


def nobody(frames: tuple[int, int]) -> Watched:
    """What would be seen of one who stands in the middle of the world, for a stage that nobody is on."""
    points = proportions.to_blender(skeleton.standing())
    return Watched(np.array(frames), np.stack((points, points)), 0.0, np.array((0.0, -1.0)), 1.0)


def in_the_picture(
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    camera: bpy.types.Object,
    without: Collection[bpy.types.Object],
) -> list[str]:
    """The names of objects of a view layer that are rendered and that the camera sees on the current frame, as far as
    their bounding boxes tell.

    without: objects that do not count, nor what follows them.
    """
    found = []
    for ob in layer.objects:
        if ob.type not in placing.SOLID or ob.type == "ARMATURE" or ob.hide_render or belongs(ob, without):
            continue
        corners = [world_to_camera_view(scene, camera, ob.matrix_world @ Vector(corner)) for corner in ob.bound_box]
        if any(0 < x < 1 and 0 < y < 1 and depth > 0 for x, y, depth in corners):
            found.append(ob.name)
    return found


def belongs(ob: bpy.types.Object, others: Collection[bpy.types.Object]) -> bool:
    """Whether an object is one of ``others``, hangs on one or is bent by one."""
    line, above = [ob], ob.parent
    while above is not None:
        line.append(above)
        above = above.parent
    line += [one.object for one in ob.modifiers if one.type == "ARMATURE" and one.object]
    return any(one in others for one in line)


def _watch(scene: bpy.types.Scene, armature: bpy.types.Object, frames: np.ndarray) -> Watched:
    names, rest = _bones(armature), _rest(scene, armature)
    lengths = np.array([armature.data.bones[name].length for name in names])
    with staging.evaluated(scene, armature) as on:
        stances = [staging.stance(on(int(frame)), names) for frame in frames]
    worlds, bones = np.array([world for world, _ in stances]), np.array([bones for _, bones in stances])
    ends = np.concatenate([bones[..., :3, 3], bones[..., :3, 3] + bones[..., :3, 1] * lengths[:, None]], axis=1)
    points = np.einsum("tij,tpj->tpi", worlds[:, :3, :3], ends) + worlds[:, None, :3, 3]
    if rest is None:
        tall = max(float(np.ptp(points[0], axis=0).max()), 1e-6)
        front = _level(worlds[0, :3, :3] @ (0.0, -1.0, 0.0))
        return Watched(frames, points, float(points[..., 2].min()), front, tall / HEIGHT)
    to_world = worlds[0, :3, :3] @ rest.turn.T  # from the upright space of the rig
    scale = float(np.linalg.norm(to_world[:, 2]))
    heads = np.array([bone.head for bone in rest.bones])
    height = ground.of(scene, armature, rest).height
    if height is None:
        height = proportions.floor(rest.bones).height
    floor = float((to_world @ (0.0, 0.0, height))[2] + worlds[0, 2, 3])
    front = _facing(armature, names, points, _level(to_world @ (0.0, -1.0, 0.0)))
    return Watched(frames, points, floor, front, scale * float(np.ptp(heads[:, 2])) / HEIGHT)


def _bones(armature: bpy.types.Object) -> list[str]:
    """The bones of the body; of an armature that is none, those that deform something."""
    if rigs.fits(armature):
        return list(dict.fromkeys(rigs.bones(armature).values()))
    bones = armature.data.bones
    return [bone.name for bone in bones if bone.use_deform] or [bone.name for bone in bones]


def _rest(scene: bpy.types.Scene, armature: bpy.types.Object) -> rigs.Rest | None:
    return standing.rest_of(scene, armature) if rigs.fits(armature) else None


def _facing(armature: bpy.types.Object, names: list[str], points: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The direction (2,) that the body faces on most frames; ``own``, its rig's, unless that is quite another one."""
    mapped = rigs.bones(armature)
    left, right = (points[:, names.index(mapped[joint]), :2] for joint in ("left_hip", "right_hip"))
    across = left - right
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    mean = np.array((across[:, 1].mean(), -across[:, 0].mean()))
    length = np.linalg.norm(mean)
    return own if length < 0.5 or mean @ own > TURNED * length else mean / length


def _level(direction: np.ndarray) -> np.ndarray:
    """A direction (3,) along the floor (2,), of length 1; the one towards the front view where it points up or down."""
    flat = np.asarray(direction, dtype=float)[:2]
    length = np.linalg.norm(flat)
    return flat / length if length > 1e-6 * np.linalg.norm(direction) else np.array((0.0, -1.0))

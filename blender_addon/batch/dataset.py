"""Small pictures of lit stages with what is true of them: random looks, moments and cameras, as training data.

Scenes have the frame rate of shows, so that every picture shows a frame of a show.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..shared import Show, show_file
from ..stage import film, lights

SIZE = (128, 72)
TRUTH = "frames.jsonl"
# How far a camera is from the front at most, to either side, and how far it looks down.
TURN = math.radians(50.0)
RISE = (math.radians(2.0), math.radians(28.0))
# Relative to the distance of the stage's camera, and focal lengths, millimetres.
DISTANCES = (0.55, 1.1)
LENSES = (35.0, 70.0)


def photograph(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    frames: tuple[int, int],
    shows: dict[str, Show],
    count: int,
    seed: int,
    engine: str,
    folder: Path,
    on_progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write ``count`` pictures and ``frames.jsonl``, a line of JSON for each, into a folder.

    frames: of the dance.
    shows: by their looks, one of which is drawn for each picture.
    engine: a key of ``film.ENGINES``.
    on_progress: told how many pictures are done.
    """
    draw = np.random.default_rng(seed)
    drawn = draw.choice(list(shows), count)
    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    for look in np.unique(drawn).tolist():
        show = shows[look]
        front = lights.set_lit_stage(scene, [armature], frames, show, SIZE[0] / SIZE[1])
        film.set_render(scene, engine, SIZE, "")
        last = min(frames[1] - frames[0] + 1, show.frames)
        for moment in draw.integers(last, size=int((drawn == look).sum())).tolist():
            scene.frame_set(frames[0] + moment)
            scene.camera, seen_from = _camera(scene, front, draw)
            name = f"{len(truth):06d}.png"
            film.render_picture(scene, folder / name)
            bpy.data.cameras.remove(scene.camera.data)  # and the camera with it
            about = {"file": name, "look": look, "seconds": moment / show.fps, "camera": seen_from}
            truth.append(json.dumps(about | {"channels": _channels(show, moment)}))
            on_progress(len(truth))
    (folder / TRUTH).write_text("\n".join(truth) + "\n", encoding="utf-8")  # last, so that it says that all is there


def _channels(show: Show, frame: int) -> dict:
    """The channels of one frame, as SHOW.json names them."""
    return json.loads(show_file.encoded(show.with_values(show.values[frame : frame + 1])))["channels"]


def _camera(
    scene: bpy.types.Scene, front: bpy.types.Object, draw: np.random.Generator
) -> tuple[bpy.types.Object, dict[str, float]]:
    """A camera that looks at the dancer from somewhere in front, and where that is.

    front: the camera of the stage.
    """
    aim = scene.objects[lights.AIM].matrix_world.translation
    away = front.matrix_world.translation - aim
    turn, rise = draw.uniform(-TURN, TURN), draw.uniform(*RISE)
    nearer, lens = draw.uniform(*DISTANCES), draw.uniform(*LENSES)
    level = Matrix.Rotation(turn, 3, "Z") @ Vector((away.x, away.y, 0.0)).normalized()
    place = aim + away.length * nearer * (level * math.cos(rise) + Vector((0.0, 0.0, math.sin(rise))))
    camera = bpy.data.objects.new("Dataset camera", bpy.data.cameras.new("Dataset camera"))
    camera.data.lens, camera.data.clip_end = lens, front.data.clip_end
    camera.location = place
    camera.rotation_euler = (aim - place).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(camera)
    seen = {"turn": math.degrees(turn), "rise": math.degrees(rise), "distance": away.length * nearer, "lens": lens}
    return camera, {name: round(value, 4) for name, value in seen.items()}

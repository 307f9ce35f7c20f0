"""The camera: is all of every body in the picture, and is the dancer in it inside Blender?"""

import math

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy module is not installed")

from blender_addon.stage import camera
from blender_addon.stage.watched import Watched

pytestmark = pytest.mark.blender


def walk(towards: float = 0.0, seconds: float = 8.0, turn: float = 0.0) -> Watched:
    """A body of one metre and eighty that stands for half of the time, then goes ``towards`` metres at once to where
    its front points, with its arms out. It looks to -y but for ``turn`` degrees."""
    frames = np.arange(1, int(24 * seconds) + 1, 2)
    front = np.array((math.sin(math.radians(turn)), -math.cos(math.radians(turn))))
    body = np.array([(x, y, z) for x, z in ((-0.8, 1.4), (0.8, 1.4), (0.1, 0.0), (0.0, 1.8)) for y in (-0.1, 0.1)])
    gone = np.where(frames > frames.mean(), towards, 0.0)[:, None] * np.append(front, 0.0)
    return Watched(frames, body + gone[:, None] + (2.0, 5.0, 0.3), 0.3, front, 1.0)


def pictured(watched: Watched, shot: camera.Shot, aspect: float) -> np.ndarray:
    """Where cubes around all points are in the picture (n, 2), which reaches from -1 to 1: by a pinhole."""
    reach = camera.FLESH * watched.unit
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * reach
    axes = np.stack((shot.right, shot.up, shot.ahead))
    places = shot.places[watched.frames - shot.first]
    seen = (watched.points - places[:, None]) @ axes.T
    seen = (seen[:, :, None] + corners).reshape(-1, 3)
    return seen[:, :2] / seen[:, 2:] / np.array((aspect, 1.0)) / math.tan(camera.HALF_VIEW)


@pytest.mark.parametrize("aspect", [16 / 9, 9 / 16])
@pytest.mark.parametrize("towards", [0.0, 4.0, -4.0])
def test_bodies_fill_as_much_of_the_picture_as_they_may(towards, aspect):
    """Also one that steps towards the camera before that has followed."""
    watched = walk(towards, turn=30.0)
    found = np.abs(pictured(watched, camera.shot(watched, 24.0, aspect), aspect))
    assert found.max() == pytest.approx(camera.FULL, abs=1e-6)


def test_the_camera_follows_as_if_through_a_gaussian():
    """A step is followed by half of it at once, and by all but a sixth of the rest ``FOLLOW_SECONDS`` later."""
    watched = walk(3.0)
    path = camera.followed(watched, 24.0)
    gone = (5.0 - path[:, 1]) / 3.0
    step = int(np.argmin(np.abs(gone - 0.5)))
    late = round(camera.FOLLOW_SECONDS * 24)
    normal = 0.5 * (1 + math.erf(late / 24 / camera.FOLLOW_SECONDS / math.sqrt(2)))
    assert gone[step + late] == pytest.approx(normal, abs=0.03) and gone[step - late] == pytest.approx(
        1 - normal, abs=0.03
    )
    assert gone[0] == pytest.approx(0.0, abs=1e-6) and gone[-1] == pytest.approx(1.0, abs=1e-6)
    assert set(path[:, 2]) == {0.3}


@pytest.mark.parametrize("aspect", [16 / 9, 9 / 16])
def test_the_camera_keeps_the_dancer_in_the_picture(look, aspect):
    seen = look("walk.py", aspect)
    assert seen["top"] > 1.8, "the arms were to be raised"
    assert min(seen["low"][:2]) > 0.0 and max(seen["high"][:2]) < 1.0
    assert seen["high"][1] - seen["low"][1] > 0.4, "the dancer is lost in the picture"
    assert seen["turns"] == 0.0

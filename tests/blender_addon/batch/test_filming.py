"""Films without OpenGL: how long they are, how large, what is heard when; and the quality that there is time for."""

import itertools

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="the bpy module is not installed")

from blender_addon.batch.filming import QUALITIES, Count, choose  # noqa: E402
from blender_addon.stage import drawn, film  # noqa: E402

pytestmark = pytest.mark.blender


def test_the_best_quality_that_there_is_time_for():
    qualities, costs = "best", {"b": 1.0, "e": 0.5, "s": 0.1, "t": 0.05}
    assert choose(qualities, 100, 60, costs.get) == ("e", 50.0)
    assert choose(qualities, 100, 200, costs.get) == ("b", 100.0)
    assert choose(qualities, 100, 1, costs.get) == ("t", 5.0)
    for ladder in QUALITIES.values():
        assert ladder[0].scale == 1.0 and all(a.scale >= b.scale for a, b in itertools.pairwise(ladder))


def test_frames_are_counted_and_the_rest_is_estimated(monkeypatch):
    clock = iter([100.0, 101.0, 125.0])
    monkeypatch.setattr("blender_addon.batch.filming.time.monotonic", lambda: next(clock))
    told = []
    count = Count("dance.mp4", 200, told.append)
    count(1)
    count(50)
    assert told == ["dance.mp4: frame 1 of 200", "dance.mp4: frame 50 of 200, about 75 s left"]


def test_a_scene_that_is_rendered_at_half_its_size_is_filmed_so():
    scene = bpy.data.scenes.new("half")
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 1920, 1080, 50
    size = film.size(scene)
    assert size == (960, 540)
    film.set_render(scene, "workbench", size, "//half.mp4")
    assert film.size(scene) == size, "set once more it stays"
    bpy.data.scenes.remove(scene)


@pytest.mark.parametrize("turn", np.linspace(0, np.pi, 9))
@pytest.mark.parametrize("side", [3.0, 11.0, 30.0])
def test_a_quad_is_filled_without_gaps(turn, side):
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * side / 2
    rotated = square @ np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))]) + 32.3
    points = np.concatenate([rotated, np.zeros((4, 1))], axis=1)
    covered = drawn.nearest(points, np.array([[0, 1, 2, 3]]), (64, 64)).quad >= 0
    y, x = np.mgrid[:64, :64] + 0.5
    to = np.stack([x - 32.3, y - 32.3], axis=-1) @ np.array(
        [(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))]
    )
    away = np.abs(to).max(axis=-1)
    assert covered[away < side / 2 - 0.75].all() and not covered[away > side / 2 + 0.75].any()


def test_the_nearer_quad_hides_the_farther():
    square = np.array([(8, 8), (40, 8), (40, 40), (8, 40)], float)
    points = np.concatenate([np.c_[square, np.full(4, 0.2)], np.c_[square + 16, np.full(4, 0.1)]])
    quads = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])
    for order in (quads, quads[::-1]):
        seen = drawn.nearest(points, order, (64, 64)).quad
        both = seen[26:38, 26:38]
        assert (order[both][..., 0] == 4).all() and (order[seen[10:20, 10:20]][..., 0] == 0).all()

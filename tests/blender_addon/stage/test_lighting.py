"""A show as lamps take it: a level and a colour, in few points."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy module is not installed")

from blender_addon.stage.lighting import COLOUR_TOLERANCE, LEVEL_TOLERANCE, lighting_of
from core.show import colour
from tests.blender_addon.stage.shows import CLOCK, show

FPS, FRAMES = 24.0, 60
PLACES = {"front": (0.0,)}


def test_a_lamp_that_is_dark_keeps_the_colour_that_it_had():
    """It turns blue while nobody sees it, and so it needs no key for that."""
    level = np.where(CLOCK < 1.0, 0.7, 0.0)
    degrees = np.where(CLOCK < 1.5, 0.0, 240.0)
    found = lighting_of(show(front_level=level, front_hue=colour.hue_vector(degrees)), FRAMES, FPS, PLACES)
    assert found.colour("front", 0.0).on(FRAMES) == pytest.approx(np.tile((1.0, 0.0, 0.0), (FRAMES, 1)))
    assert found.level("front", 0.0).on(FRAMES)[0, 0] == pytest.approx(0.7, abs=LEVEL_TOLERANCE)


def test_a_lamp_that_comes_on_late_has_its_colour_from_the_start():
    late = show(front_level=np.where(CLOCK < 1.0, 0.0, 0.7), front_hue=colour.hue_vector(np.full(len(CLOCK), 240.0)))
    found = lighting_of(late, FRAMES, FPS, PLACES).colour("front", 0.0).on(FRAMES)
    assert found == pytest.approx(np.tile((0.0, 0.0, 1.0), (FRAMES, 1)), abs=1e-6)


def test_level_and_colour_make_the_light_of_the_show():
    """A lamp that fades while its hue turns, also where it is so faint that its colour hardly matters."""
    level = 0.5 + 0.5 * np.cos(2 * np.pi * CLOCK / 3)
    told = show(front_level=level, front_hue=colour.hue_vector(60.0 * CLOCK))
    found = lighting_of(told, FRAMES, FPS, PLACES)
    made = found.level("front", 0.0).on(FRAMES) * found.colour("front", 0.0).on(FRAMES)
    clock = np.arange(FRAMES) / FPS
    wanted = colour.light_of(colour.hue_vector(60.0 * CLOCK), np.ones(len(CLOCK)), level)
    wanted = np.stack([np.interp(clock, CLOCK, part) for part in wanted.T], axis=1)
    assert np.abs(made - wanted).max() < LEVEL_TOLERANCE + COLOUR_TOLERANCE + 0.005

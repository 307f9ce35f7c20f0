"""Cues on the starts of sections, on shows of a few still scenes."""

import numpy as np
import pytest

from core.show.channels import CHANNELS, ROLES, SHOW_FPS, SLICES
from core.show.colour import hue_degrees, hue_vector
from core.show.cueing import FADE, TURNING, cued
from core.show.show import as_valid

FRAMES = 500
STARTS = (0.0, 10.0, 20.0)
KINDS = (0, 1, 0)
HUES = {"front": 60.0, "side": 0.0, "back": 120.0, "top": 240.0, "follow": 60.0, "backdrop": 300.0}
LEVELS = [SLICES[f"{role}_level"].start for role in ROLES]


def still(saturation: float = 1.0) -> np.ndarray:
    """One scene for all of the show, in which a front light pulses."""
    values = np.zeros((FRAMES, CHANNELS))
    for number, role in enumerate(ROLES):
        values[:, SLICES[f"{role}_hue"]] = hue_vector(HUES[role])
        values[:, SLICES[f"{role}_saturation"]] = saturation
        values[:, SLICES[f"{role}_level"]] = 0.3 + 0.1 * number
        values[:, SLICES[f"{role}_spread"]] = 1.0
    values[::8, SLICES["front_level"]] += 0.2
    return as_valid(values)


def seconds(at: float) -> int:
    return round(at * SHOW_FPS)


def hues(values: np.ndarray, at: float) -> list[float]:
    """The hues of the roles at a second, degrees."""
    return [round(float(hue_degrees(values[seconds(at), SLICES[f"{role}_hue"]]))) % 360 for role in ROLES]


def test_colours_move_on_from_role_to_role_where_a_start_passes_without_a_cue():
    values = still()
    made = cued(values, SHOW_FPS, STARTS, KINDS)
    assert hues(made, 5.0) == list(HUES.values())
    for at in (10.0, 15.0):  # on the start and long after
        assert hues(made, at) != hues(made, 9.0)
        assert sorted(hues(made, at)) == sorted(HUES.values()), "the palette stays"
        assert hues(made, at)[0] == HUES["front"] and hues(made, at)[4] == HUES["follow"], "faces keep their light"
    assert np.array_equal(made[:, LEVELS], values[:, LEVELS])
    assert np.array_equal(made[: seconds(10 - FADE) - 1], values[: seconds(10 - FADE) - 1])


def test_a_part_that_comes_again_has_its_colours_in_the_same_places():
    made = cued(still(), SHOW_FPS, (0.0, 8.0, 16.0, 24.0), (0, 1, 0, 1))
    assert hues(made, 20.0) == hues(made, 4.0) and hues(made, 28.0) == hues(made, 12.0) != hues(made, 4.0)


def test_light_of_one_colour_moves_on_as_a_whole():
    values = still(saturation=0.0)
    made = cued(values, SHOW_FPS, STARTS[:2], KINDS[:2])
    before, after = made[seconds(9), LEVELS], made[seconds(11), LEVELS]
    assert not np.allclose(before, after)
    assert sorted(before.tolist()) == pytest.approx(sorted(after.tolist()))
    totals = made[:, LEVELS].sum(axis=1)
    assert totals == pytest.approx(values[:, LEVELS].sum(axis=1), abs=1e-5), "in the fade too"


@pytest.mark.parametrize("late", [-2.5, -0.5, 0.0, 1.0, 2.5])
def test_a_change_that_lies_near_a_start_is_moved_there(late):
    values = still()
    for role in TURNING:
        values[seconds(10 + late) :, SLICES[f"{role}_hue"]] = hue_vector(HUES[role] + 90)
    made = cued(values, SHOW_FPS, STARTS[:2], KINDS[:2])
    moved = [(hue + 90) % 360 if role in TURNING else hue for role, hue in HUES.items()]
    assert hues(made, 9.9) == list(HUES.values())
    assert hues(made, 10.0) == hues(made, 12.0) == moved
    assert np.array_equal(made[:, LEVELS], values[:, LEVELS])


def test_a_show_with_its_cues_on_the_starts_stays():
    values = still()
    for role in TURNING:
        values[seconds(10) :, SLICES[f"{role}_hue"]] = hue_vector(HUES[role] + 90)
    assert np.array_equal(cued(values, SHOW_FPS, STARTS[:2], KINDS[:2]), values)


def test_sections_of_which_something_is_kept_stay_bit_for_bit():
    values = still() + np.float32(0)
    kept = np.zeros(FRAMES, dtype=bool)
    kept[seconds(14)] = True
    made = cued(values, SHOW_FPS, STARTS, KINDS, kept)
    assert np.array_equal(made[: seconds(20)], values[: seconds(20)])
    assert hues(made, 25.0) != hues(made, 15.0), "the third section is new"


@pytest.mark.parametrize("starts", [(), (0.0,), (0.0, 40.0), (0.0, 31.9, 50.0, 60.0)])
def test_starts_beyond_the_show_change_nothing_before(starts):
    values = still()
    assert np.array_equal(cued(values, SHOW_FPS, starts, range(len(starts)))[:480], values[:480])

"""Parts of one show in another: what stays, what comes, and how the light passes over."""

from dataclasses import replace

import numpy as np
import pytest

from core.show.channels import SHOW_FPS, SLICES
from core.show.flashes import MOST, most_flashes
from core.show.show import Cue
from core.show.splice import EASED, limited_beside, spliced
from tests.core.show.shows import random_show, show_with

FRAMES = 120
EDGE = round(EASED * SHOW_FPS)


def steady(level: float, frames: int = FRAMES, strobe: float = 0.0):
    return show_with(frames, front_level=np.full(frames, level), strobe=np.full(frames, strobe))


def test_parts_come_from_the_new_show_and_the_rest_stays_bit_for_bit():
    old, new = steady(0.2), steady(0.3)
    made = spliced(old, new, [(30, 50), (80, 100)])
    at = np.zeros(FRAMES, dtype=bool)
    at[30:50] = at[80:100] = True
    assert np.array_equal(made.values[~at], old.values[~at])
    level = made.part("front_level")
    for start, end in ((30, 50), (80, 100)):
        assert level[start + EDGE : end - EDGE] == pytest.approx(0.3, abs=1e-6)
        assert np.diff(level[start - 1 : end + 1]).max() < 0.1 / EDGE, "it passes over little by little"
        assert (np.diff(level[start - 1 : start + EDGE]) > 0).all() and (np.diff(level[end - EDGE : end + 1]) < 0).all()


def test_a_part_at_the_ends_of_the_show_has_no_seam_there():
    level = spliced(steady(0.2), steady(0.3), [(0, FRAMES)]).part("front_level")
    assert level == pytest.approx(0.3, abs=1e-6)


def test_shows_of_other_lengths_fit():
    made = spliced(steady(0.2), steady(0.3, 60), [(50, 200)])
    assert made.frames == FRAMES and made.part("front_level")[60:] == pytest.approx(0.2)
    assert spliced(steady(0.2), steady(0.3, 300), [(50, 200)]).part("front_level")[-1] == pytest.approx(0.3, abs=1e-6)


def test_a_strobe_keeps_the_rates_that_were_written():
    made = spliced(steady(0.1), steady(0.1, strobe=2.0), [(30, 90)])
    assert set(made.values[:, SLICES["strobe"]].ravel().tolist()) == {0.0, 2.0}


def test_cues_are_those_that_are_seen():
    cue = [Cue(seconds, f"{seconds}", "") for seconds in (1.0, 3.0, 5.0)]
    old, new = (replace(steady(level), cues=tuple(cue)) for level in (0.2, 0.3))
    new = replace(new, cues=(*cue[:1], Cue(2.5, "new", ""), Cue(3.0, "also new", "")))
    made = spliced(old, new, [(round(2 * SHOW_FPS), round(4 * SHOW_FPS))])
    assert [one.name for one in made.cues] == ["1.0", "new", "also new", "5.0"]


@pytest.mark.parametrize("seed", range(8))
def test_no_second_has_a_fourth_flash(seed):
    assert most_flashes(spliced(random_show(seed), random_show(seed + 100), [(20, 41), (50, 64)])) <= MOST


def test_new_light_gives_way_to_light_that_is_kept_beside_it():
    """Both flash three times a second, safe by themselves; across the seam there would be a fourth."""
    clock = np.arange(FRAMES)
    old, new = (show_with(FRAMES, front_level=np.where(clock % 6 < 3, 1.0, 0.0)) for _ in range(2))
    turned = new.with_values(np.roll(new.values, 3, axis=0))
    kept = (clock < 40) | (clock >= 80)
    made = turned.with_values(np.where(kept[:, None], old.values, turned.values))
    made.values[76:80] = [turned.values[0], turned.values[3], turned.values[0], turned.values[3]]
    assert most_flashes(old) <= MOST < most_flashes(made)
    safe = limited_beside(made, old, kept)
    assert most_flashes(safe) <= MOST and np.array_equal(safe.values[kept], old.values[kept])
    assert not np.array_equal(safe.values[40:60], old.values[40:60]), "the rest of it is new"

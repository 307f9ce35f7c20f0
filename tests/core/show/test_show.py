import numpy as np
import pytest

from core.errors import FootlightError
from core.motion.layouts import layout_named
from core.show.channels import CHANNELS, KINDS, PARTS, SLICES, channels_of
from core.show.show import Show, as_valid, rounded
from tests.core.show.shows import dark, random_show


def test_the_slices_cover_the_channels_once():
    covered = np.zeros(CHANNELS, dtype=int)
    for part in SLICES.values():
        covered[part] += 1
    assert (covered == 1).all() and len(SLICES) == len(PARTS)


def test_the_layout_of_networks_has_the_same_slices():
    layout = layout_named("stage-66")
    assert layout.channels == CHANNELS == 66 and layout.slices == SLICES
    with pytest.raises(FootlightError, match="no rotations"):
        layout.check_moves_a_rig()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("front_level", 1.5, "front_level is 1.5 in frame 3; expected 0 to 1"),
        ("top_across", -2.0, "top_across is -2"),
        ("strobe", 10.0, "expected 0 to 2.5"),
        ("side_hue", 0.5, "expected a unit vector"),
        ("costume_pattern", 0.5, "add up to 1"),
        ("move", np.nan, "move is nan"),
    ],
)
def test_an_invalid_value_is_named(name, value, message):
    values = dark(5)
    values[3, SLICES[name]] = value
    with pytest.raises(FootlightError, match=message):
        Show(values)


@pytest.mark.parametrize("shape", [(5, 3), (0, CHANNELS), (CHANNELS,)])
def test_another_shape_is_no_show(shape):
    with pytest.raises(FootlightError, match="expected \\(frames, 66\\)"):
        Show(np.zeros(shape, dtype=np.float32))


def test_whatever_a_network_gives_becomes_valid():
    values = np.random.default_rng(0).normal(0, 3, (40, CHANNELS))
    values[5] = 0
    made = Show(as_valid(values))
    assert np.allclose(np.hypot(*made.part("front_hue").T), 1, atol=1e-6)
    assert np.array_equal(as_valid(made.values), made.values)  # what is valid stays
    with pytest.raises(FootlightError, match="finite"):
        as_valid(np.full((2, CHANNELS), np.inf))


def test_rounding_twice_is_rounding_once():
    once = rounded(random_show(1).values)
    assert np.array_equal(rounded(once), once)


def test_channels_are_chosen_by_the_names_of_what_they_are_of():
    back = channels_of("back")
    assert back == [i for part in ("hue", "saturation", "level", "across", "spread") for i in _places(f"back_{part}")]
    assert not set(back) & set(channels_of("backdrop"))
    assert set(_places("backdrop_level") + _places("backdrop_glow")) <= set(channels_of("backdrop"))
    assert channels_of("move") == _places("move")
    assert channels_of(", ".join(KINDS)) == list(range(CHANNELS))
    with pytest.raises(FootlightError, match="unknown part of the light 'moon': choose among front, side"):
        channels_of("front,moon")


def _places(part: str) -> list[int]:
    return list(range(SLICES[part].start, SLICES[part].stop))

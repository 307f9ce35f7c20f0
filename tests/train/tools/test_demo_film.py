"""The moving picture of the README counts the beats that are heard."""

import numpy as np
import pytest
from PIL import Image

from core.errors import FootlightError
from train.demo.song import write_demo_song
from train.tools import demo_film
from train.tools.demo_film import Count, DemoFilm, with_dots

SIZE = (640, 360)
COUNT = Count(np.array([1.0, 1.5, 2.0, 2.5, 3.0]), np.array([2, 0, 1, 2, 0]), 3)


def lit(second):
    """The columns of the dot that is lit, or None; and how much redder than green it is."""
    pixels = np.asarray(with_dots(Image.new("RGB", SIZE), COUNT, second)).astype(int)
    bright = pixels[..., 0] > 180
    if not bright.any():
        return None, None
    return np.flatnonzero(bright.any(axis=0)), int((pixels[..., 0] - pixels[..., 1])[bright].mean())


def test_the_dot_of_the_beat_that_was_heard_last_is_lit():
    assert lit(0.99) == (None, None)
    middle, step = SIZE[0] / 2, SIZE[1] / 12
    for second, place in ((1.0, 1), (1.49, 1), (1.5, -1), (2.2, 0), (2.7, 1), (9.0, -1)):
        assert lit(second)[0].mean() == pytest.approx(middle + place * step - 0.5, abs=0.6), second


def test_it_is_larger_when_the_beat_begins_and_another_colour_on_one():
    assert len(lit(1.55)[0]) > 1.3 * len(lit(1.9)[0])
    assert lit(1.6)[1] > 2 * lit(2.2)[1]


def test_beats_are_counted_from_the_bars_first(tmp_path):
    song = write_demo_song(tmp_path / "song.wav", seconds=20.0)
    found = demo_film.count(tmp_path / "song.wav")
    assert found.metre == 4
    for time, number in zip(found.times, found.bar, strict=True):
        nearest = int((song.beats.times - time).abs().argmin())
        assert abs(float(song.beats.times[nearest]) - time) < 0.07 and nearest % 4 == number


def test_there_must_be_a_demo(tmp_path):
    with pytest.raises(FootlightError, match="make demo"):
        demo_film.main(DemoFilm(demo=tmp_path, out=tmp_path))

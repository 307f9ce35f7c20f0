"""What becomes of a screen before it is a picture of the documentation. The tour needs a Blender with a window."""

import numpy as np
import pytest
from PIL import Image

from core.errors import FootlightError
from train.tools import panel_pictures

GREY, BLUE, WHITE = (60, 60, 60), (66, 114, 180), (240, 240, 240)


def screen(width=1400, height=900):
    return Image.new("RGB", (width, height), GREY)


def test_a_small_blue_button_stays_blue(tmp_path):
    noise = np.random.default_rng(0).integers(40, 90, (300, 400, 1)).repeat(3, axis=2)
    picture = Image.fromarray(noise.astype(np.uint8))
    picture.paste(BLUE, (10, 10, 40, 20))
    panel_pictures.small(picture, tmp_path / "a.png")
    kept = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    assert np.abs(kept[12:18, 12:38].astype(int) - BLUE).max() <= 2
    assert np.abs(kept[100:].astype(int) - noise[100:]).max() <= 4


def test_what_cannot_be_made_small_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(panel_pictures, "HEAVIEST", 1000)
    noise = np.random.default_rng(0).integers(0, 255, (90, 140, 3)).astype(np.uint8)
    with pytest.raises(FootlightError, match="smaller part"):
        panel_pictures.small(Image.fromarray(noise), tmp_path / "a.png")


def test_empty_rows_below_a_part_are_cut_off():
    picture = screen()
    picture.paste(WHITE, (1000, 100, 1100, 250))
    part = panel_pictures.cut(picture, [980, 50, 1200, 800])
    assert part.size[0] == 220 and 200 <= part.size[1] < 230
    whole = panel_pictures.cut(picture, None)
    assert whole.size == (panel_pictures.WIDTH, round(900 * panel_pictures.WIDTH / 1400))


def test_the_window_is_cut_out_of_the_screen(tmp_path):
    whole = Image.new("RGB", (1600, 1000))
    whole.paste(BLUE, (50, 80, 1450, 980))  # 20 pixels above the screen's lower edge
    whole.save(tmp_path / "screen.png")
    told = {"file": str(tmp_path / "screen.png"), "window": [50, 20, 1400, 900]}
    window = panel_pictures.whole_window(told)
    assert window.size == (1400, 900) and window.getcolors() == [(1400 * 900, BLUE)]


def test_a_blender_that_does_not_start_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(panel_pictures, "write_demo_song", lambda path, seconds: path.write_bytes(b""))
    monkeypatch.setattr(panel_pictures, "build", lambda folder: folder / "footlight.zip")
    with pytest.raises(FootlightError, match="end of its tour"):
        panel_pictures.tour("echo nothing", tmp_path)

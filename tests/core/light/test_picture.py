"""Pictures of every kind that Pillow writes, against colours that are known because they were painted."""

import contextlib
import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from core.errors import FootlightError
from core.light.choice import look_of
from core.light.look import encoded_look, shipped_looks
from core.light.picture import lab, look_of_picture, nearest_look, palette_of, read_picture, style_of

LOOKS = shipped_looks()


def painted(width: int = 60, height: int = 40, left=(255, 0, 0), right=(0, 0, 255)) -> Image.Image:
    """Left two thirds in one colour, the right third in another."""
    picture = Image.new("RGB", (width, height), left)
    picture.paste(right, (2 * width // 3, 0, width, height))
    return picture


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_the_palette_is_what_was_painted(tmp_path, ending):
    path = tmp_path / f"picture.{ending}"
    painted().save(path, quality=95)
    (first, share), (second, other) = palette_of(read_picture(path))[:2]
    assert first.hue == pytest.approx(0, abs=6) or first.hue == pytest.approx(360, abs=6)
    assert second.hue == pytest.approx(240, abs=6) and min(first.saturation, second.saturation) > 0.9
    assert share == pytest.approx(2 / 3, abs=0.05) and other == pytest.approx(1 / 3, abs=0.05)


def test_lightness_and_colour_are_those_of_the_cie():
    # white, black, and sRGB red as tabulated for D65
    found = lab(np.array([[1.0, 1, 1], [0, 0, 0], [1, 0, 0]]))
    np.testing.assert_allclose(found, [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]], atol=0.02)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 128, [128 / 255] * 3),
        ("1", 1, [1.0] * 3),
        ("P", 0, None),
        ("I;16", 32768, [128 / 255] * 3),
        ("RGBA", (0, 255, 0, 0), [0.0] * 3),
        ("LA", (255, 128), [128 / 255] * 3),
        ("CMYK", (0, 0, 0, 0), [1.0] * 3),
    ],
)
def test_every_mode_is_read(tmp_path, mode, colour, expected):
    path = tmp_path / ("picture.jpg" if mode == "CMYK" else "picture.png")
    Image.new(mode, (9, 5), colour).save(path)
    picture = read_picture(path)
    assert picture.shape == (5, 9, 3)
    if expected:
        np.testing.assert_allclose(picture[2, 4], expected, atol=1.5 / 255)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3000, 2), (5000, 4000)])
def test_every_size_is_read(tmp_path, size):
    path = tmp_path / "picture.png"
    painted(*size).save(path) if min(size) > 2 else Image.new("RGB", size, (200, 30, 30)).save(path)
    picture = read_picture(path)
    assert 1 <= max(picture.shape[:2]) <= 192 and np.isfinite(style_of(picture).vector).all()
    assert look_of_picture(picture, LOOKS).palette


def test_a_turned_photograph_is_read_upright(tmp_path):
    path, exif = tmp_path / "picture.jpg", Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    painted(60, 20).save(path, exif=exif)
    assert read_picture(path).shape[:2] == (60, 20)


@pytest.mark.parametrize("side", [11_000, 100_000])
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, side):
    """A png that says it has so many pixels, but has none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))))
    with pytest.raises(FootlightError, match="pixels; give a picture of at most 100 million"):
        read_picture(path)


def encoded_picture(form: str) -> bytes:
    data = io.BytesIO()
    painted(300, 200).save(data, form)
    return data.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_broken_picture_is_one_clear_error(tmp_path, form):
    whole, random = encoded_picture(form), np.random.default_rng(0)
    path = tmp_path / "broken"
    for length in (0, 1, 20, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:length])
        with pytest.raises(FootlightError, match="broken: is "):
            read_picture(path)
    for _ in range(40):  # flipped bytes: read or refused, but nothing else
        data = bytearray(whole)
        for at in random.integers(0, len(data), 6):
            data[at] = random.integers(256)
        path.write_bytes(bytes(data))
        with contextlib.suppress(FootlightError):
            assert np.isfinite(read_picture(path)).all()


@pytest.mark.parametrize("content", [b"hello", b"RIFF\x00\x00\x00\x00WAVE", b"GIF89a" + bytes(100), b"%PDF-1.4"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "thing.png"
    path.write_bytes(content)
    with pytest.raises(FootlightError, match="give a jpg, png or webp file"):
        read_picture(path)
    with pytest.raises(FootlightError, match="cannot be read"):
        read_picture(tmp_path)


def test_a_grey_picture_gives_white_light():
    grey = np.full((20, 20, 3), 0.5)
    assert all(colour.saturation < 0.1 for colour, _ in palette_of(grey))
    assert style_of(grey).hues.sum() == 0 and nearest_look(grey * 0.4, LOOKS).name == "noir"


def test_the_style_tells_where_the_light_is_and_how_edges_run():
    picture = np.zeros((30, 30, 3))
    picture[:10, 20:] = 1.0  # the right of the top
    style = style_of(picture)
    assert style.places.argmax() == 2 and style.vector.shape == (34,)
    stripes = np.zeros((32, 32, 3))
    stripes[::4] = 1.0  # horizontal
    assert style_of(stripes).edges.argmax() == 0
    assert style_of(stripes.transpose(1, 0, 2)).edges.argmax() == 2


@pytest.mark.parametrize(
    ("colours", "expected"),
    [
        ([(0.85, 0.05, 0.8), (0.0, 0.8, 0.85), (0.03, 0.02, 0.1)], {"neon", "arena"}),
        ([(0.9, 0.65, 0.3), (0.85, 0.5, 0.4), (0.5, 0.3, 0.15)], {"ballad", "musical", "cabaret", "dawn"}),
        ([(0.55, 0.05, 0.08), (0.35, 0.02, 0.05), (0.6, 0.3, 0.1)], {"cabaret"}),
        ([(0.8, 0.75, 0.95), (0.7, 0.85, 0.95), (0.95, 0.8, 0.9)], {"dream"}),
    ],
)
def test_a_picture_finds_a_look_of_its_kind(colours, expected):
    picture = np.concatenate([np.full((20, 20, 3), colour) for colour in colours])
    assert nearest_look(picture, LOOKS).name in expected


def test_a_look_is_chosen_by_name_file_or_picture(tmp_path):
    assert [look_of(name).name for name in ("noir", "Noir", " NOIR ")] == ["noir"] * 3
    mine = tmp_path / "mine.json"
    mine.write_bytes(encoded_look(LOOKS["dream"]))
    assert look_of(str(mine)) == LOOKS["dream"]
    picture = tmp_path / "picture.png"
    painted().save(picture)
    made = look_of(str(picture))
    assert made.palette[0].hue == pytest.approx(0, abs=2) and made.backdrop.base.saturation > 0.9
    with pytest.raises(FootlightError, match="unknown look 'circus': choose one of arena, ballad"):
        look_of("circus")
    for wrong, words in (
        (tmp_path / "gone.png", r"gone.png: there is no such file; give a picture \(jpg"),
        (tmp_path / "gone", "gone: there is no such file"),
        (tmp_path, "is a folder; give a picture"),
        ("", "unknown look ''"),
    ):
        with pytest.raises(FootlightError, match=words):
            look_of(str(wrong))


def test_without_pillow_names_still_work_and_a_picture_says_what_is_missing(tmp_path, monkeypatch):
    painted().save(tmp_path / "picture.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "core.light.picture")
    assert look_of("noir").name == "noir"
    with pytest.raises(FootlightError, match=r"Pillow.*choose a look by its name"):
        look_of(str(tmp_path / "picture.png"))

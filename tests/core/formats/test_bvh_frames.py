"""BVH files whose frames are not as their header says: every whole row is used, and the user is told."""

import json

import numpy as np
import pytest
import torch

from core.cli import main
from core.errors import collected_warnings
from core.formats import bvh
from core.formats.motion import read_motion
from tests.core.formats.test_bvh import FOREIGN, by_scipy
from tests.core.motion.rigs import dance

ROWS = [[float(word) for word in line.split()] for line in FOREIGN.splitlines()[-3:]]
EXACT = FOREIGN.replace("15\n-4", "15.00\n-4").replace("-15\n", "-15.25\n").replace("400\n", "400.50\n")


def read(tmp_path, text, fps=None):
    """The places of the first joint's frames, the rate and the warnings."""
    path = tmp_path / "some.bvh"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with collected_warnings() as said:
        _, motion = bvh.read(path, fps)
    assert all(str(path) in text for text in said)
    return motion, [text.removeprefix(f"{path}: ") for text in said]


KINDS = {
    # what is written: (file, whole rows, what is said)
    "one more than announced": (FOREIGN.replace("Frames: 3", "Frames: 2"), 3, "2 frames announced, 3 found; all 3"),
    "one fewer": (FOREIGN.replace("Frames: 3", "Frames: 4"), 3, "4 frames announced, 3 found; all 3"),
    "many fewer": (FOREIGN.replace("Frames: 3", "Frames: 9000"), 3, "9000 frames announced, 3 found"),
    "none announced": (FOREIGN.replace("Frames: 3", "Frames: 0"), 3, "0 frames announced, 3 found"),
    "a placeholder": (FOREIGN.replace("Frames: 3", "Frames: -1"), 3, "-1 frames announced, 3 found"),
    "an empty number": (FOREIGN.replace("Frames: 3", "Frames:"), 3, "no number of frames announced, 3 found"),
    "no number at all": (FOREIGN.replace("Frames: 3\n", ""), 3, "no number of frames announced"),
    "cut in a row": (FOREIGN[: FOREIGN.index("90 0   400")], 2, "last row of values is cut off"),
    "cut in the last number": (EXACT[: EXACT.rindex("0.50")].replace("s: 3", "s: 9"), 2, "last row of values is cut"),
    "cut at a sign": (FOREIGN.replace("90 0   400\n", "90 0   -"), 2, "last row of values is cut off"),
    "cut at an exponent": (FOREIGN.replace("90 0   400\n", "90 0   4e"), 2, "last row of values is cut off"),
    "cut at a row's end": (EXACT[: EXACT.rindex("0 0 0   0 0 0   0 0 0")], 2, "3 frames announced, 2 found"),
    "cut, and the header unfinished": (
        FOREIGN[: FOREIGN.index("90 0   400")].replace("Frames: 3", "Frames: 0"), 2, "last row of values is cut off",
    ),
    "Ctrl-Z": (FOREIGN + "\x1a", 3, "with a NUL or Ctrl-Z"),
    "Ctrl-Z after the last number": (FOREIGN.rstrip() + "\x1a", 3, "with a NUL or Ctrl-Z"),
    "NUL": (FOREIGN + "\0", 3, "with a NUL or Ctrl-Z"),
    "a block of NULs": (FOREIGN.encode() + bytes(4096) + b"\r\n", 3, "with a NUL or Ctrl-Z"),
    "NULs within a row": (FOREIGN[: FOREIGN.index("90 0   400")].encode() + bytes(512), 2, "last row of values is cut"),
    "Ctrl-Z, and what was in the block before": (FOREIGN + "\x1aJOINT\n9 9 9", 3, "ends in line 37 with a NUL"),
    "decimal commas": (FOREIGN.replace("0.0333333", "0,0333333").replace("1.0 2.0 3.0", "1,0 2,0 3,0"), 3, "commas"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_whole_rows_are_used_and_the_rest_is_said(kind, tmp_path):
    text, count, words = KINDS[kind]
    if kind == "decimal commas":
        text = text.replace("0.5", "0,5")
    motion, said = read(tmp_path, text)
    assert motion.frames == count and motion.fps == 30.0
    assert any(words in text for text in said)
    expected = np.stack([by_scipy(row)[0] for row in ROWS[:count]])
    np.testing.assert_allclose(motion.root, expected, atol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        FOREIGN,
        FOREIGN.rstrip(),
        FOREIGN + "\n \n\t\n",
        FOREIGN.replace("\n", "\r"),
        FOREIGN.replace("\n", "\r\n"),
        FOREIGN.encode("utf-8-sig"),
        FOREIGN.encode("utf-16"),
        FOREIGN.replace("Frames: 3\nFrame Time: 0.0333333", "frame  time :0.0333333\n\nframes\t3"),
        FOREIGN.replace("Frames: 3\nFrame Time:", "Frames 3\nFrameTime"),
    ],
    ids=["as it is", "no last line end", "blank lines", "CR", "CRLF", "BOM", "UTF-16", "header turned", "no colons"],
)
def test_ways_of_writing_the_same_need_no_warning(text, tmp_path):
    motion, said = read(tmp_path, text)
    assert motion.frames == 3 and motion.fps == 30.0 and not said


RATES = {
    ".0333333": (30, None), "0.033333": (30, None), ".03333": (30, None), "0.0333": (30, "rounded to 0.0333"),
    "0.033": (30, "read as 30"), "0.03": (30, "read as 30"), "0.0083": (120, "read as 120"), ".00833": (120, None),
    "0.008333": (120, None), "0.01667": (60, None), "0.0167": (60, "read as 60"), "0.0166": (60, "read as 60"),
    "0.017": (60, "read as 60"), "0.04": (25, None), "0.02": (50, None), "0.01": (100, None), "0.005": (200, None),
    "0.0042": (240, "read as 240"), "0.00417": (240, "read as 240"), "0.0041667": (240, None), "0.004": (250, None),
    "0.0028": (360, "read as 360"), "0.0027778": (360, None), "0.0021": (480, "read as 480"), "0.002": (500, None),
    "0.001": (1000, None), "8.3333e-3": (120, None), "8.3e-3": (120, "read as 120"),
    "0.0417083": (24000 / 1001, None), "0.0333667": (30000 / 1001, None), "0.0166833": (60000 / 1001, None),
    "0.00834167": (120000 / 1001, None), "0.0111111": (90, None), "0.0069444": (144, None), "0.0138889": (72, None),
    "33.3333": (30, "cannot be seconds"), "33": (30, "cannot be seconds"), "8.333": (120, "cannot be seconds"),
    "16.6667": (60, "read as 60"), "16": (60, "read as 60"), "30": (30, "read as 30"), "120": (120, "read as 120"),
    "0.016": (62.5, "write 0.016667 if 60"), "0.008": (125, "write 0.008333 if 120"), "0.025": (40, None),
    "0.03371": (1 / 0.03371, None), "0.1": (10, None), "0.25": (4, None), "0,0333333": (30, "decimal commas"),
}  # fmt: skip


@pytest.mark.parametrize("text", RATES)
def test_a_rounded_frame_time_is_the_rate_that_was_meant(text, tmp_path):
    fps, words = RATES[text]
    motion, said = read(tmp_path, FOREIGN.replace("0.0333333", text))
    assert motion.fps == pytest.approx(fps, rel=1e-6)
    assert (words is None and not said) or words in said[0]


@pytest.mark.parametrize(
    "header",
    ["Frames: 3", *(f"Frames: 3\nFrame Time:{time}" for time in ("", " 0", " nan", " 0.000000", " -0.0333"))],
)
def test_a_frame_time_that_is_not_there(header, tmp_path):
    text = FOREIGN.replace("Frames: 3\nFrame Time: 0.0333333", header)
    motion, said = read(tmp_path, text)
    assert motion.frames == 3 and motion.fps == 30.0 and "read at 30 frames per second, or give fps" in said[0]
    motion, said = read(tmp_path, text, fps=120.0)
    assert motion.fps == 120.0 and not said


@pytest.mark.parametrize("time", ["1", "1.000000", "0.5"])
def test_a_frame_time_too_long_for_a_capture_is_a_placeholder(time, tmp_path):
    text = FOREIGN.replace("0.0333333", time)
    motion, said = read(tmp_path, text)
    assert motion.fps == 30.0 and len(said) == 1 and "too long for a capture; read at 30 frames" in said[0]
    motion, said = read(tmp_path, text, fps=120.0)
    assert motion.fps == 120.0 and "read at 120 frames" in said[0]


@pytest.mark.parametrize("comma", [",", ", ", ",\t"])
def test_numbers_may_be_separated_by_commas(comma, tmp_path):
    head, tail = FOREIGN.split("Frame Time: 0.0333333\n")
    rows = "\n".join(comma.join(line.split()) for line in tail.splitlines())
    text = head.replace("1.0 2.0 3.0", comma.join(("1.0", "2.0", "3.0"))) + "Frame Time: 0.0333333\n" + rows
    motion, said = read(tmp_path, text)
    assert torch.equal(motion.rotations, read(tmp_path, FOREIGN)[0].rotations)
    assert len(said) == 1 and "separated by commas" in said[0]


def test_long_rows_may_be_broken(tmp_path):
    head, tail = FOREIGN.split("Frame Time: 0.0333333\n")
    words = tail.split()
    broken = "\n".join(" ".join(words[at : at + 5]) for at in range(0, len(words), 5))
    motion, said = read(tmp_path, f"{head}Frame Time: 0.0333333\n{broken}\n")
    assert torch.equal(motion.rotations, read(tmp_path, FOREIGN)[0].rotations) and not said


def test_no_header_at_all(tmp_path):
    motion, said = read(tmp_path, FOREIGN.replace("Frames: 3\nFrame Time: 0.0333333\n", ""))
    assert motion.frames == 3 and len(said) == 2


def test_the_user_hears_of_it(tmp_path, capsys):
    """On the command line, as text and as JSON."""
    path = tmp_path / "cut.bvh"
    bvh.write(path, dance(4.0, 30.0), 30.0)
    text = path.read_text()
    path.write_text(text[: text.rindex(" ")])
    assert main(["beats", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "warning: " in err and "last row of values is cut off" in err
    assert "whole frames: 119" in json.loads(out)["warnings"][0]
    path.write_text(text)
    whole = read_motion(path)
    path.write_text(text.replace("Frames: 120", "Frames: 119"))
    assert torch.equal(read_motion(path).positions, whole.positions)

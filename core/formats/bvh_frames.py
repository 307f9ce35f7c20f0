"""Reads the part of a BVH file after MOTION: how many frames there are, how fast they follow, and their values.

Recorders write this part while they run, so it is often not what it should be. The number of frames is announced
before it is known, the last row is cut when a recording is stopped, and the frame time is rounded. What is there is
used, and the user is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from core.errors import warn
from core.formats.lost_frames import MOST, without_numbers

DEFAULT_FPS = 30.0  # of files that do not say theirs
TOO_LARGE = 1e9  # no channel value or offset is this large; NaN and infinity fail the comparison too
_USUAL_RATES = (
    *range(1, 241), 24000 / 1001, 30000 / 1001, 60000 / 1001, 120000 / 1001, 31.25, 62.5, 250, 300, 360, 400, 480, 500,
    600, 1000,
)  # fmt: skip
_ORDINARY = (24, 25, 30, 50, 60, 90, 100, 120, 144, 150, 200, 240, 250, 300, 360, 400, 480, 500, 600, 1000)
"""Rates at which cameras and capture systems run. A rounded frame time is taken for one of these."""
_NEARLY = 5e-4  # relative; a usual rate so near is meant: 0.0333333 is 30 frames per second
SLOWEST_CAPTURE = 2.0  # frames per second; nobody captures so slowly: a frame time of 1 is a placeholder
_LONGEST = 4.0  # seconds from frame to frame; what is longer is given in milliseconds, or is the frame rate itself
_ROUNDED = 0.05  # relative; milliseconds without decimals are so far from a usual rate
_END_MARKS = "\x00\x1a"  # what old programs and broken-off writing leave at the end of a file
_HEADER = re.compile(r"\s*(frames|frame\s*time)\b\s*:?(.*)", re.IGNORECASE)
_NO_NUMBER = re.compile(r"[-+]?1\.#(?:IND|QNAN|SNAN)\w*", re.IGNORECASE)  # NaN, as programs for Windows print it
_NUMBERS = re.compile(r"\s*(offset\b|frame\s*time\b|[-+.,\d])", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(e[-+]?\d+)?", re.IGNORECASE)


class Malformed(Exception):
    """What is wrong with a line of a BVH file."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Frames:
    """What follows MOTION.

    values: (t, c) the channels in the file's order. A few rows may hold NaN.
    fps: frames per second; None where the file does not say it.
    """

    values: np.ndarray
    fps: float | None


def lines_of(data: bytes, name: object) -> list[str]:
    """The lines of a file, with any line ends, in UTF-8 or UTF-16, with decimal points for decimal commas and blanks
    for commas between numbers.

    They end at a NUL or Ctrl-Z. What has to be said about it is said as a warning.

    name: the file, for the warning.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding, errors="replace")
    whole = re.split(f"[{_END_MARKS}]", text, maxsplit=1)[0]
    lines = [*whole.splitlines(), *([""] if whole[-1:] in ("\n", "\r") else [])]  # a line end begins another line
    if len(whole) < len(text):
        warn(f"{name}: ends in line {len(lines)} with a NUL or Ctrl-Z; what follows is no text and was left out")
    return _with_points(lines, name)


def _with_points(lines: list[str], name: object) -> list[str]:
    """Lines of which those with numbers have no commas. A comma is a decimal comma where every word that has one would
    be a number with it, as in ``0,5``; otherwise it separates numbers, as in ``0.5, 1``."""
    made, decimal, between = list(lines), False, False
    for number, line in enumerate(lines):
        if "," not in line or not _NUMBERS.match(line):
            continue
        if all(map(_DECIMAL_COMMA.fullmatch, (word for word in line.split() if "," in word))):
            made[number], decimal = line.replace(",", "."), True
        else:
            made[number], between = line.replace(",", " "), True
    if decimal:
        warn(f"{name}: its numbers have decimal commas; they are read as decimal points")
    if between:
        warn(f"{name}: its numbers are separated by commas; they are read as blanks")
    return made


def read_frames(lines: list[str], at: int, channels: int, name: object) -> Frames:
    """Read what follows line ``at``, which is MOTION.

    All whole rows are used. Another number of rows than announced and a last row that was cut off are warned of.

    channels: numbers in a row.
    name: the file, for warnings.

    Raises Malformed for a file without a whole row, and for a row that is damaged and not the last one.
    """
    said, at = _header(lines, at)
    if channels == 0:
        raise Malformed(at, "no joint has any CHANNELS")
    announced = _announced(said, at)
    rows = [(number, line) for number, line in enumerate(lines[at:], at + 1) if line.strip()]
    rows = _unbroken(rows, channels, announced)
    ended = bool(rows) and rows[-1][0] < len(lines)
    cut = bool(rows) and _is_cut([line for _, line in rows], channels, ended or announced == len(rows))
    whole = rows[:-1] if cut else rows
    if not whole:
        raise Malformed(len(lines) + 1, f"{announced or 'no'} frames announced, none found whole")
    values = _values(whole, channels)
    found = len(values)
    if cut:
        warn(f"{name}: its last row of values is cut off and was left out (whole frames: {found})")
    elif announced != found:
        number = "no number of frames" if announced is None else f"{announced} frames"
        warn(f"{name}: {number} announced, {found} found; all {found} are used")
    return Frames(values, _rate(*said.get("frame time", (at, "")), name))


def _header(lines: list[str], at: int) -> tuple[dict[str, tuple[int, str]], int]:
    """What the header after line ``at`` says, as (line, text) by key, and the number of its last line."""
    said: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines[at:], at + 1):
        found = _HEADER.match(line)
        key = " ".join(found[1].lower().split()).replace("frametime", "frame time") if found else ""
        if found and key not in said:
            said[key] = number, found[2].strip()
            at = number
        elif line.strip():
            if not found and _is_number(line.split()[0]):
                return said, number - 1
            raise Malformed(number, f"{short(line.strip())} where 'Frames:' and 'Frame Time:' should stand")
        if len(said) == 2:
            return said, number
    if not said:
        raise Malformed(len(lines) + 1, "the file ends before 'Frames:' and 'Frame Time:'")
    return said, at


def _announced(said: dict[str, tuple[int, str]], at: int) -> int | None:
    """The number of frames that the header announces. None where a recorder has not filled it in."""
    line, text = said.get("frames", (at, ""))
    if not text:
        return None
    if not _is_number(text):
        raise Malformed(line, f"{short(text)} is not a number")
    number = float(text)
    if number % 1:  # true for NaN too
        raise Malformed(line, f"frames is {text}")
    return int(number)


def _rate(line: int, text: str, name: object) -> float | None:
    """Frames per second by a frame time as it is written; None where a recorder has not filled it in."""
    if text and not _is_number(text):
        raise Malformed(line, f"{short(text)} is not a number")
    seconds = float(text or "0")
    if not 1e-9 < seconds < 1e9:
        return None
    fps = 1 / seconds
    if seconds > _LONGEST:
        fps = seconds if seconds in _ORDINARY else 1000 / seconds
        fps = min(
            (rate for rate in _ORDINARY if abs(rate - fps) < _ROUNDED * fps), key=lambda r: abs(r - fps), default=fps
        )
        warn(f"{name}: its frame time is {text}, which cannot be seconds; read as {fps:g} frames per second")
        return float(fps)
    usual = min(_USUAL_RATES, key=lambda rate: abs(rate - fps))
    near = abs(usual - fps) < _NEARLY * fps
    if near and usual in _ORDINARY:
        return float(usual)
    meant = _before_rounding(text, fps)
    if meant is None or abs(meant - fps) < _NEARLY * fps:
        return float(usual) if near else fps
    if abs(usual * seconds - 1) < 1e-6:
        warn(
            f"{name}: its frame time is {text}, {usual:g} frames per second; write {1 / meant:.6f} if {meant} are meant"
        )
        return float(usual)
    warn(f"{name}: its frame time is rounded to {text}; read as {meant} frames per second")
    return float(meant)


def _before_rounding(text: str, fps: float) -> int | None:
    """The ordinary rate whose frame time, rounded or cut to as many digits, reads like this one."""
    mantissa, _, exponent = text.lower().partition("e")
    last = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    for low, high in ((-0.5, 0.5), (0.0, 1.0)):
        shortest, longest = 1 / fps + low * last, 1 / fps + high * last
        # a frame time that vanishes in its rounding says nothing
        rates = [rate for rate in _ORDINARY if shortest > 0 and shortest * rate <= 1 + 1e-9 <= longest * rate + 2e-9]
        if rates:
            return min(rates, key=lambda rate: abs(rate - fps))
    return None


def _values(rows: list[tuple[int, str]], channels: int) -> np.ndarray:
    """The values (t, c) of rows, given as (line, text). There may be NaN in some rows."""
    try:
        lines = [_NO_NUMBER.sub("nan", line) if "#" in line else line for _, line in rows]
        values = np.loadtxt(lines, dtype=np.float64, comments=None, ndmin=2)
    except ValueError:
        values = None
    whole = values is not None and values.shape[1] == channels and without_numbers(values).mean() <= MOST
    if values is None or not whole or not (np.abs(np.nan_to_num(values)) < TOO_LARGE).all():
        wrong = filter(None, (_wrong(number, line, channels) for number, line in rows))
        raise next(wrong, Malformed(rows[0][0], "the channel values cannot be read"))
    return values


def _is_cut(rows: list[str], channels: int, ended: bool) -> bool:
    """Whether writing broke off within the last row.

    ended: whether a line end or the header says that it is whole.
    """
    words = rows[-1].split()
    if len(words) != channels:
        return len(words) < channels
    if not _is_number(words[-1]):
        return words[-1].lower().lstrip("+-") not in ("nan", "inf", "infinity") and all(map(_is_number, words[:-1]))
    if ended:
        return False
    # the last number may have lost its end: then it has fewer decimals than any other number in its column
    others = [line.split()[-1] for line in rows[-51:-1]]
    return bool(others) and _decimals(words[-1]) < min(map(_decimals, others))


def _unbroken(rows: list[tuple[int, str]], channels: int, announced: int | None) -> list[tuple[int, str]]:
    """Rows, given as (line, text), of one frame each. Some programs break long lines; then the header tells how many
    frames there are."""
    if not announced or announced >= len(rows) or len(rows[0][1].split()) >= channels:
        return rows
    words = [(number, word) for number, line in rows for word in line.split()]
    if len(words) != announced * channels:
        return rows
    frames = (words[at : at + channels] for at in range(0, len(words), channels))
    return [(frame[0][0], " ".join(word for _, word in frame)) for frame in frames]


def _decimals(word: str) -> int:
    """Characters after the point; -1 for a number that ends with it, as nobody writes."""
    return len(word.partition(".")[2]) or -word.endswith(".")


def _wrong(number: int, line: str, channels: int) -> Malformed | None:
    """What is wrong with a line of channel values."""
    words = line.split()
    if len(words) != channels:
        return Malformed(number, f"{channels} channel values expected, {len(words)} found")
    for word in words:
        if not (_is_number(word) and abs(float(word)) < TOO_LARGE):
            return Malformed(number, f"{short(word)} is not a finite number")
    return None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")

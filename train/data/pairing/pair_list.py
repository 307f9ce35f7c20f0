"""A list of which capture was danced to which song, for files that have no names in common.

    take,song,start,genre
    monday/take_01.bvh,music/anthem.mp3,3.2,house
    monday/take_02.bvh,music/anthem.mp3,-12,house

It is a CSV file with a line of column names, as spreadsheets export it: separated by commas, semicolons or tabs. Paths
count from the folder of the list. ``start`` and ``genre`` may be left out.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import FootlightError

SUFFIXES = (".csv", ".tsv", ".txt")
NEEDED = ("take", "song")
MORE = ("start", "genre")
SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Listed:
    """A line of the list.

    line: its number, from 1.
    take, song: the files, which need not exist.
    start: second of the take at which the song begins; negative where the song was playing already.
    genre: as it is written; "" without one.
    """

    line: int
    take: Path
    song: Path
    start: float
    genre: str


def read(path: Path) -> list[Listed]:
    """The lines of a list. Raises FootlightError, with the number of the line, for what is no such list."""
    if path.suffix.lower() not in SUFFIXES:
        raise FootlightError(f"{path}: is no list of pairs; expected a CSV file with the columns {_columns()}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise FootlightError(f"{path}: cannot be read as text; save it as CSV in UTF-8") from None
    header = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=header.count)
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    names = [name.strip().lower() for name in next(rows, [])]
    _check_names(path, names)
    found: dict[tuple, Listed] = {}
    for row in rows:
        fields = [field.strip() for field in row]
        if not any(fields):
            continue
        one = _listed(path, rows.line_num, names, fields, decimal_comma=separator != ",")
        same = found.setdefault((one.take, one.song, one.start), one)
        if same is not one:
            raise FootlightError(f"{path}, line {one.line}: says the same as line {same.line}; remove one of them")
    if not found:
        raise FootlightError(f"{path}: lists nothing; expected a line for each take, below the names of the columns")
    return list(found.values())


def _columns() -> str:
    return f"{' and '.join(NEEDED)}, and {' and '.join(MORE)} if you need them"


def _check_names(path: Path, names: list[str]) -> None:
    wrong = [name for name in names if name not in NEEDED + MORE]
    lacking = [name for name in NEEDED if name not in names]
    twice = [name for name in names if names.count(name) > 1]
    if wrong or lacking or twice:
        given = ", ".join(name or "(no name)" for name in names) or "nothing"
        raise FootlightError(f"{path}, line 1: has the columns {given[:200]}; expected {_columns()}")


def _listed(path: Path, line: int, names: list[str], fields: list[str], decimal_comma: bool) -> Listed:
    def refused(what: str) -> FootlightError:
        return FootlightError(f"{path}, line {line}: {what}")

    while len(fields) > len(names) and not fields[-1]:
        fields = fields[:-1]
    if len(fields) > len(names):
        raise refused(
            f"{len(fields)} fields for {len(names)} columns; put names that hold a separator in quotation marks, and "
            "write decimals with a point"
        )
    given = dict(zip(names, fields, strict=False))
    for name in NEEDED:
        if not given.get(name):
            raise refused(f"no {name}; expected the path of a file")
    start = _seconds(given.get("start", ""), decimal_comma, refused)
    folder = path.parent
    return Listed(line, folder / given["take"], folder / given["song"], start, given.get("genre", ""))


def _seconds(text: str, decimal_comma: bool, refused: Callable[[str], FootlightError]) -> float:
    try:
        seconds = float((text.replace(",", ".") if decimal_comma else text) or 0)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise refused(f"start is {text!r}; expected seconds, such as 3.2")
    return seconds

"""A table of the report, and how the console shows it. The layout of the HTML report is in ``templates``."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table.

    note: how to read it, and which of its numbers to distrust.
    headers: of the columns. The first stands over the names of the rows.
    rows: texts, as many as headers.
    quoted: how many of the last rows are quoted from a paper.
    """

    title: str
    note: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    quoted: int = 0


def as_text(table: Table) -> str:
    """The table for the console: its title, and below it aligned columns."""
    lines = [table.headers, *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.headers))]
    shown = [
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    ]
    return "\n".join([table.title, *shown])


def as_csv(rows: list[dict]) -> bytes:
    """Rows as a CSV file, with a column for everything that any of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()

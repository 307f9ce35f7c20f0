"""A table of the report, and how the console shows it. The layout of the HTML report is in ``templates``."""

from __future__ import annotations

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

"""A table of the report, and how the console shows it. The report's own layout is in ``templates``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """headers: of the columns; the first stands over the names of the rows. rows: texts, as many as headers.

    note: how to read the table, and which of its numbers to distrust. quoted: how many of the last rows are quoted from
        a paper.
    """

    title: str
    note: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    quoted: int = 0


def as_text(table: Table) -> str:
    """For the console: the title, and under it aligned columns."""
    lines = [table.headers, *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.headers))]
    shown = [
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    ]
    return "\n".join([table.title, *shown])

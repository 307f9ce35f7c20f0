"""Tables of footwork: of systems, and of each style beside its capture, with the figures marked that are unlike it."""

from __future__ import annotations

from train.evaluation.dance import notes
from train.evaluation.layout import Table
from train.evaluation.values import number

FOOTWORK_NAMES = {
    "steps": "steps / s",
    "still": "still",
    "travel": "travel m/s",
    "height_range": "height range m",
    "knee_range": "knee range rad",
    "frozen": "frozen",
    "away": "facing away",
    "inside": "hands in trunk",
}
CAPTURE = (("motion capture, val", "val"), ("motion capture, train and val", "all"))  # rows, and the splits they show
# A style's figures are marked outside of these.
ALIKE = ("steps", "travel", "height_range", "knee_range")  # are like the capture's within a ratio
LEAST_RATIO = 0.8
MOST_RATIO = 1.25
MORE_STILL = 0.1  # than the capture
MOST_FROZEN = 0.5  # whatever the capture has: its planted feet were steadied
MOST_SKATING = 1.0  # times the capture's
_SKATING = "foot_skating"
_JUDGED = (*ALIKE, "still", "frozen", _SKATING)


def footwork_tables(report: dict) -> list[Table]:
    """Footwork with multiples of the capture's, overall and by genre."""
    real, headers = report["capture"]["all"]["footwork"], tuple(FOOTWORK_NAMES.values())
    rows = [(name, *feet(row["footwork"], real)) for name, row in report["systems"].items() if "footwork" in row]
    for title, split in CAPTURE:
        if report["capture"][split]:
            rows.append((title, *feet(report["capture"][split]["footwork"], real)))
    found = [Table("Footwork", notes.FOOTWORK, ("system", *headers), tuple(rows))]
    for name, row in report["systems"].items():
        if row.get("genres"):
            found.append(_by_genre(name, row["genres"], report["capture"]["genres"]))
    return found


def feet(values: dict, real: dict | None = None, names: tuple[str, ...] = tuple(FOOTWORK_NAMES)) -> list[str]:
    """Cells of footwork, with multiples of ``real`` if given. Shares that are 0 there have none."""
    cells = []
    for name in names:
        cell = number(values.get(name))
        if real is not None and values.get(name) is not None and real.get(name, 0) > 1e-9:
            cell += f" ({values[name] / real[name]:.2f} x)"
        cells.append(cell)
    return cells


def outside(made: dict[str, float], real: dict[str, float]) -> set[str]:
    """The names of the figures of a style that are not like its capture's. What either side lacks is not judged.

    made, real: footwork and foot skating by name.
    """
    known = {name: (value, real[name]) for name, value in made.items() if name in real}
    judged = {name: LEAST_RATIO * theirs <= ours <= MOST_RATIO * theirs for name, (ours, theirs) in known.items()}
    found = {name for name in ALIKE if not judged.get(name, True)}
    if "still" in known and known["still"][0] > known["still"][1] + MORE_STILL:
        found.add("still")
    if made.get("frozen", 0.0) > MOST_FROZEN:
        found.add("frozen")
    if _SKATING in known and known[_SKATING][0] > MOST_SKATING * known[_SKATING][1]:
        found.add(_SKATING)
    return found


def _by_genre(system: str, made: dict[str, dict], references: dict[str, dict]) -> Table:
    names = (*FOOTWORK_NAMES, _SKATING)
    rows = []
    for style, values in made.items():
        known = references[style]["all"]
        ours, real = _figures(values["footwork"], values), _figures(known["footwork"], known["mean"])
        marked = outside(ours, real)
        cells = [
            f"{cell} !" if name in marked else cell for name, cell in zip(names, feet(ours, real, names), strict=True)
        ]
        rows.append((style, *cells, f"{len(marked)} of {len(_JUDGED)}"))
        rows.append(("    motion capture", *feet(real, names=names), ""))
    headers = ("style", *FOOTWORK_NAMES.values(), "foot skating", "outside")
    note = notes.FOOTWORK_BY_GENRE.format(
        least=LEAST_RATIO, most=MOST_RATIO, still=MORE_STILL, frozen=MOST_FROZEN, skating=MOST_SKATING
    )
    return Table(f"Footwork by genre: {system}", note, headers, tuple(rows))


def _figures(footwork: dict[str, float], physics: dict) -> dict[str, float]:
    """Footwork with the skating among the physics."""
    return footwork | {name: value for name, value in physics.items() if name == _SKATING}

"""The report's tables of dances, laid out like those of the papers. Their notes are in ``notes``."""

from __future__ import annotations

from core.metrics.theatre import TEMPO_ROWS
from train.evaluation.dance import copied, notes, told
from train.evaluation.dance.footwork import CAPTURE, FOOTWORK_NAMES, feet, footwork_tables
from train.evaluation.dance.genres import ratios
from train.evaluation.dance.measures import PHYSICS, look_up
from train.evaluation.dance.momu import aist_tables, momu_tables
from train.evaluation.layout import Table
from train.evaluation.values import (
    NONE,
    calibrated,
    interval,
    mean_with_interval,
    multiple,
    number,
    percentiles,
    share,
)

PHYSICS_NAMES = {
    "foot_skating": "foot skating",
    "pfc": "PFC",
    "jerk": "jerk m/s³",
    "speed": "speed m/s",
    "wrong_bends": "wrong bends",
}
# Published values stand beside ours for orientation. They were measured on other data.
THEATRE_2 = (0.87, 0.92, 0.31)  # BAS, MS, VoA


def main_table(report: dict) -> Table:
    """The overview."""
    real = (report["capture"]["val"] or report["capture"]["all"])["mean"]
    headers = (
        "system",
        "BAS (b)",
        "95 %",
        "BAS hits",
        "F 100 ms",
        "other song",
        "skating",
        "jerk",
        "speed",
        "variety m",
    )
    rows = []
    for name, row in report["systems"].items():
        shares = [multiple(look_up(row, f"physics.{name}"), real[name]) for name in ("foot_skating", "jerk", "speed")]
        rows.append(
            (
                name,
                calibrated(row, "beats.bas_bailando"),
                interval(row, "beats.bas_bailando.calibrated"),
                share(look_up(row, "beats.bas_hits.calibrated")),
                share(look_up(row, "beats.f_hits_100ms.calibrated")),
                share(look_up(row, "other_song.bas_bailando.calibrated")),
                *shares,
                number(look_up(row, "variety.poses"), 3),
            )
        )
    return Table("Overview", notes.OVERVIEW.format(fps=report["settings"]["fps"]), headers, tuple(rows))


def beats_table(report: dict) -> Table:
    """Every calibrated beat score."""
    names = {
        "bas_bailando": "BAS (b), music to motion",
        "bas_aist": "BAS (a), motion to music",
        "bas_hits": "BAS, hits",
        "bas_theatre": "BAS, Theatre",
        "f_hits_70ms": "F hits 70 ms",
        "f_hits_100ms": "F hits 100 ms",
        "f_onsets_70ms": "F onsets 70 ms",
    }
    rows = []
    for name, row in report["systems"].items():
        rows.append((name, *(calibrated(row, f"beats.{key}") for key in names)))
        if "other_song" in row:
            rows.append((f"{name}, other song", *(calibrated(row, f"other_song.{key}") for key in names)))
    return Table("Beats", notes.BEATS, ("system", *names.values()), tuple(rows))


def theatre_2(report: dict) -> Table:
    """The columns of Theatre table 2 about dance, also by tempo."""

    def line(title: str, row: dict) -> tuple[str, ...]:
        paths = ("theatre.ms", "theatre.voa", "theatre.energy_on_beats")
        return (title, calibrated(row, "beats.bas_theatre"), *(number(look_up(row, path)) for path in paths))

    rows = []
    for name, row in report["systems"].items():
        rows.append(line(name, row))
        for band, *_ in TEMPO_ROWS:
            if band in row["tempo"]:
                rows.append(line(f"{name}, {band} tempo ({row['tempo'][band]['clips']} clips)", row["tempo"][band]))
    rows.append(("Theatre (paper, its own data)", *(number(value) for value in THEATRE_2), NONE))
    headers = ("system", "BAS", "MS", "VoA", "energy on beats")
    return Table("As Theatre table 2", notes.THEATRE_2, headers, tuple(rows), 1)


def form(report: dict) -> Table | None:
    """Whether louder sections are danced more: correlation, chance, and what is above it."""
    names = {"correlation": "correlation", "chance": "by chance", "above": "above chance"}
    rows = []
    for name, row in report["systems"].items():
        known, apart = row.get("intervals", {}), row.get("difference", {})
        if "form.correlation" not in known:
            continue
        cells = [mean_with_interval(known.get(f"form.{key}"), "+.2f", "+.2f") for key in names]
        differs = mean_with_interval(apart.get("form.correlation"), "+.2f", "+.2f")
        songs = f"{known['form.correlation']['units']} / {row['form']['sections']:.1f}"
        rows.append((name, songs, *cells, differs))
    headers = ("system", "songs / sections", *names.values(), f"against {report['compared_with']}")
    return Table("Form", notes.FORM, headers, tuple(rows)) if rows else None


def physics_tables(report: dict) -> list[Table]:
    """Physics with multiples of real capture, overall and by genre."""
    real = report["capture"]["val"]
    rows = []
    for name, row in report["systems"].items():
        if "physics" in row:
            rows.append((name, *_with_ratio(row["physics"], real)))
    for title, split in CAPTURE:
        found = report["capture"][split]
        if found:
            rows.append((title, *_with_ratio(found["mean"], real)))
            rows.append((f"{title}: 5–95 % of windows", *(percentiles(found, n) for n in PHYSICS)))
    headers = ("system", *PHYSICS_NAMES.values())
    found = [Table("Physics", notes.PHYSICS, headers, tuple(rows))]
    for name, row in report["systems"].items():
        if row.get("genres"):
            found.append(_by_genre(name, row["genres"], report["capture"]["genres"]))
    return found


def _with_ratio(values: dict, real: dict | None) -> list[str]:
    shares = ratios(values, real)
    return [f"{number(values[n])} ({NONE if shares[n] is None else f'{shares[n]:.2f} x'})" for n in PHYSICS]


def _by_genre(system: str, made: dict[str, dict], references: dict[str, dict]) -> Table:
    rows = []
    for style, values in made.items():
        known = references[style]
        val, whole = ratios(values, known.get("val")), ratios(values, known["all"])
        cells = []
        for name in PHYSICS:
            shares = " / ".join(share(found[name]) for found in (val, whole))
            inside = known["all"]["low"][name] <= values[name] <= known["all"]["high"][name]
            cells.append(f"{number(values[name])} ({shares}){'' if inside else ' !'}")
        held_out = known["val"]["seconds"] if "val" in known else 0.0
        rows.append((f"{style} ({held_out:.0f} / {known['all']['seconds']:.0f} s)", *cells))
        rows.append(("    motion capture, 5–95 %", *(percentiles(known["all"], name) for name in PHYSICS)))
    return Table(f"Physics by genre: {system}", notes.PHYSICS_BY_GENRE, ("style", *PHYSICS_NAMES.values()), tuple(rows))


def differences(report: dict) -> Table | None:
    """Paired differences to the first system."""
    paths = {
        "beats.f_hits_70ms.calibrated": "F 70 ms",
        "beats.f_hits_100ms.calibrated": "F 100 ms",
        "beats.bas_bailando.calibrated": "BAS (b)",
        "beats.bas_theatre.calibrated": "BAS, Theatre",
        "other_song.bas_bailando.calibrated": "other song",
        "frechet.fid_k": "FID k",
        "frechet.fid_g": "FID g",
        "embedding.diversity_inter": "diversity",
        **{f"physics.{name}": PHYSICS_NAMES[name] for name in ("wrong_bends", "foot_skating", "jerk", "speed")},
        **{f"footwork.{name}": FOOTWORK_NAMES[name] for name in ("steps", "still", "frozen")},
    }
    return differences_of(report, paths, f"Against {report['compared_with']}", notes.DIFFERENCES, "+.3g")


def differences_of(found: dict, paths: dict[str, str], title: str, note: str, form: str) -> Table | None:
    """Paired differences of the systems in ``found``.

    paths: of the metrics -> headers.
    form: how numbers are formatted.
    """
    rows = []
    for name, row in found["systems"].items():
        if apart := row.get("difference"):
            rows.append((name, *(mean_with_interval(apart.get(path), form, form) for path in paths)))
    return Table(title, note, ("system", *paths.values()), tuple(rows)) if rows else None


def everything(report: dict) -> list[Table]:
    """All tables of dances in the order of the report. There are none when nobody danced."""
    if not report["systems"]:
        return []
    found = [main_table(report), differences(report), beats_table(report), *momu_tables(report), theatre_2(report)]
    bodies = (form(report), *physics_tables(report), *footwork_tables(report), *told.tables(report))
    more = aist_tables(report["aist"]) if "aist" in report else []
    return [table for table in (*found, *bodies, *copied.tables(report), *more) if table is not None]


def console(report: dict) -> list[Table]:
    """What the command prints."""
    if not report["systems"]:
        return []
    return [main_table(report), *physics_tables(report)[1:2]]


def pair(result: dict) -> list[Table]:
    """The tables of one motion and one song."""
    title = f"{result['motion']} to {result['music']}"
    beats = result["beats"]
    rows = []
    for name, score in beats.items():
        if isinstance(score, dict) and "value" in score:
            rows.append((name, *(number(score[key]) for key in ("value", "chance", "calibrated"))))
        elif isinstance(score, dict):
            rows += [(f"{name} {k}", number(score[k]), number(score[f"{k}_chance"]), NONE) for k in ("bcs", "bhs")]
    note = notes.ONE_PAIR.format(seconds=result["seconds"], fps=result["fps"], beats=beats["beats"], hits=beats["hits"])
    found = [Table(title, note, ("beats", "value", "chance", "calibrated"), tuple(rows))]
    if "physics" not in result:  # a flat body
        return found
    physical = tuple((PHYSICS_NAMES[name], number(value, 3)) for name, value in result["physics"].items())
    stepping = tuple(zip(FOOTWORK_NAMES.values(), feet(result["footwork"]), strict=True))
    return [
        *found,
        Table("Physics", "", ("", "value"), physical),
        Table("Footwork", notes.FOOTWORK_OF_ONE, ("", "value"), stepping),
    ]

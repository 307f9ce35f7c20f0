"""The report's tables of dances, laid out like those of the papers. Their notes are in ``notes``."""

from __future__ import annotations

from core.metrics.theatre import TEMPO_ROWS
from train.evaluation.dance import notes
from train.evaluation.dance.genres import ratios
from train.evaluation.dance.measures import PHYSICS, look_up
from train.evaluation.layout import Table
from train.evaluation.values import (
    NONE,
    calibrated,
    interval,
    mean_with_interval,
    multiple,
    number,
    percent,
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
FOOTWORK_NAMES = {
    "steps": "steps / s",
    "still": "still",
    "travel": "travel m/s",
    "height_range": "height range m",
    "knee_range": "knee range rad",
    "frozen": "frozen",
}
CAPTURE = (("motion capture, val", "val"), ("motion capture, train and val", "all"))  # rows, and the splits they show
# Published values stand beside ours for orientation. They were measured on other data.
MOMU_5 = (
    ("D2M", 23.7, 13.8, 42.8, 23.6, 30.5),
    ("DiffGesture", 28.5, 16.7, 40.4, 25.7, 33.4),
    ("MoMu-Diffusion", 39.2, 10.2, 56.3, 12.0, 46.2),
)  # BCS, CSD, BHS, HSD, F1
MOMU_6 = (
    ("D2M", 17.3, 46.2, 14.5),
    ("DiffGesture", 18.6, 37.1, 12.6),
    ("MoMu-Diffusion", 7.3, 52.7, 4.9),
)  # FID, Diversity, Mean KLD
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


def momu_5(report: dict, entry: str, title: str, note: str, quote: bool) -> Table:
    """MoMu-Diffusion table 5: BCS, CSD, BHS, HSD, F1, in percent."""
    keys = ("bcs", "csd", "bhs", "hsd", "f1")
    rows = []
    for name, row in report["systems"].items():
        score = look_up(row, f"beats.{entry}")
        if score is not None:
            rows.append((name, *(percent(score[key]) for key in keys), percent(score["f1_chance"])))
    quoted = tuple((f"{name} (paper, AIST++)", *(number(v, 1) for v in more), NONE) for name, *more in MOMU_5)
    rows += quoted if quote else ()
    headers = ("system", "BCS", "CSD", "BHS", "HSD", "F1", "F1 by chance")
    return Table(title, note, headers, tuple(rows), len(quoted) if quote else 0)


def momu_tables(report: dict) -> list[Table]:
    """MoMu-Diffusion tables 5 and 6, as far as there are figures for them."""
    found = [
        momu_5(report, "momu_music_onsets", "As MoMu table 5: music to motion", notes.MOMU_5, True),
        momu_5(report, "momu_hits", "As MoMu table 5, hits on beats", notes.MOMU_5_HITS, False),
        momu_5(report, "loris_beats", "LORIS bins", notes.LORIS, False),
        momu_6(report),
    ]
    return [table for table in found if len(table.rows) > table.quoted]


def momu_6(report: dict) -> Table:
    """MoMu-Diffusion table 6, with the features of AIST++ beside it."""
    paths = {
        "embedding.fid": "FID",
        "embedding.diversity_inter": "Diversity",
        "embedding.diversity_inter_share": "x capture's",
        "embedding.mean_kld": "Mean KLD",
        "embedding.diversity_windows": "of windows",
        "embedding.diversity_windows_share": "x capture's",
        "frechet.fid_k": "FID k",
        "frechet.fid_g": "FID g",
        "frechet.dist_k": "Dist k",
        "frechet.dist_g": "Dist g",
        "frechet.windows": "windows",
        "variety.poses": "seeds differ by, m",
    }
    shown = {**report["systems"], "motion capture, val": report["capture"]["sets"]}
    rows = [(name, *_quality(row, paths)) for name, row in shown.items()]
    if training := _training(shown):
        rows.append(("motion capture, train", *_quality(training, paths)))
    for name, fid, diversity, kld in MOMU_6:
        published = {"embedding": {"fid": fid, "diversity_inter": diversity, "mean_kld": kld}}
        rows.append((f"{name} (paper, AIST++)", *_quality(published, paths, 1)))
    note = notes.MOMU_6.format(classifier=_classifier(_embedding(report)))
    return Table("As MoMu table 6: quality and diversity", note, ("system", *paths.values()), tuple(rows), len(MOMU_6))


def _quality(row: dict, paths: dict[str, str], digits: int = 2) -> list[str]:
    """Cells of figures by their paths. A path's ending _share is the figure's multiple of training capture's."""
    cells = []
    for path in paths:
        whole = path.removesuffix("_share")
        value, real = look_up(row, whole), look_up(row, f"{whole}_real")
        shared = whole != path
        cells.append((NONE if real is None else multiple(value, real)) if shared else number(value, digits))
    return cells


def _training(rows: dict[str, dict]) -> dict[str, dict]:
    """The figures of training capture itself, which is the reference of every row and the same in all."""
    found: dict[str, dict] = {}
    for kind in ("embedding", "frechet"):
        known = next((row[kind] for row in rows.values() if row.get(kind)), {})
        own = {name: value for name, value in known.items() if name.endswith("_real") and name != "windows_real"}
        found[kind] = own | {name.removesuffix("_real"): value for name, value in own.items()}
    return {kind: figures for kind, figures in found.items() if figures}


def _embedding(report: dict) -> dict:
    """The classifier's figures for the first system that has any.

    The figures about the classifier and about training capture are the same in every system.
    """
    return next((row["embedding"] for row in report["systems"].values() if row.get("embedding")), {})


def _classifier(known: dict) -> str:
    """How far the classifier can be trusted."""
    if not known:
        return notes.NO_CLASSIFIER
    accuracy, chance = known["accuracy"], known["accuracy_chance"]
    return notes.CLASSIFIER.format(accuracy=accuracy, chance=chance, takes=known["accuracy_takes"])


def copying(report: dict) -> Table | None:
    """How near dances come to the training capture."""
    rows = []
    for name, row in {**report["systems"], "motion capture, val": report["capture"]["sets"]}.items():
        found = row.get("copying")
        if found:
            near = found["nearest"]
            where = f"{near['training']} at {near['training_at']:.1f} s{', mirrored' if near['mirrored'] else ''}"
            shown = (f"{100 * found[key]:.1f}" for key in ("median", "p5"))
            rows.append((name, *shown, f"{100 * near['distance']:.1f}", where))
    return (
        Table("Copying", notes.COPYING, ("system", "median", "5 %", "nearest", "clip"), tuple(rows)) if rows else None
    )


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


def footwork_tables(report: dict) -> list[Table]:
    """Footwork with multiples of the capture's, overall and by genre."""
    real, headers = report["capture"]["all"]["footwork"], tuple(FOOTWORK_NAMES.values())
    rows = [(name, *_feet(row["footwork"], real)) for name, row in report["systems"].items() if "footwork" in row]
    for title, split in CAPTURE:
        if report["capture"][split]:
            rows.append((title, *_feet(report["capture"][split]["footwork"], real)))
    found = [Table("Footwork", notes.FOOTWORK, ("system", *headers), tuple(rows))]
    for name, row in report["systems"].items():
        if row.get("genres"):
            known = {style: ref["all"]["footwork"] for style, ref in report["capture"]["genres"].items()}
            lines = []
            for style, values in row["genres"].items():
                lines.append((style, *_feet(values["footwork"], known[style])))
                lines.append(("    motion capture", *_feet(known[style])))
            found.append(Table(f"Footwork by genre: {name}", notes.FOOTWORK, ("style", *headers), tuple(lines)))
    return found


def _feet(values: dict, real: dict | None = None) -> list[str]:
    """Cells of footwork, with multiples of ``real`` if given. Shares that are 0 there have none."""
    cells = []
    for name in FOOTWORK_NAMES:
        cell = number(values.get(name))
        if real is not None and values.get(name) is not None and real.get(name, 0) > 1e-9:
            cell += f" ({values[name] / real[name]:.2f} x)"
        cells.append(cell)
    return cells


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
    bodies = (form(report), *physics_tables(report), *footwork_tables(report))
    return [table for table in (*found, *bodies, copying(report)) if table is not None]


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
    feet = tuple(zip(FOOTWORK_NAMES.values(), _feet(result["footwork"]), strict=True))
    return [
        *found,
        Table("Physics", "", ("", "value"), physical),
        Table("Footwork", notes.FOOTWORK_OF_ONE, ("", "value"), feet),
    ]

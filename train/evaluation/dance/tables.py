"""The report's tables as values, laid out as the papers', and as text for the console.

A table is a title, a note on which of its numbers to distrust, headers, and rows of text. Numbers that do not exist
(yet) are a dash: a system that adds them to its summary in the report fills the cell.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.metrics.theatre import TEMPO_ROWS
from train.evaluation.dance.genres import ratios
from train.evaluation.dance.measures import PHYSICS, look_up

NONE = "–"
PHYSICS_NAMES = {
    "foot_skating": "foot skating",
    "pfc": "PFC",
    "jerk": "jerk m/s³",
    "speed": "speed m/s",
    "wrong_bends": "wrong bends",
}
# Published values stand beside ours for orientation; they were measured on other data.
MOMU_5 = (("D2M", 23.7, 13.8, 42.8, 23.6, 30.5), ("DiffGesture", 28.5, 16.7, 40.4, 25.7, 33.4))
MOMU_5 += (("MoMu-Diffusion", 39.2, 10.2, 56.3, 12.0, 46.2),)
MOMU_6 = (("D2M", 17.3, 46.2, 14.5), ("DiffGesture", 18.6, 37.1, 12.6), ("MoMu-Diffusion", 7.3, 52.7, 4.9))
THEATRE_2 = (0.87, 0.92, 0.31, 0.84, 35.1, 102, 0.89)


@dataclass(frozen=True)
class Table:
    """headers: of the columns, the first is over the row names.  rows: texts, as long as the headers.

    quoted: how many of the last rows are quoted from a paper.
    """

    title: str
    note: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    quoted: int = 0


def number(value: float | None, digits: int = 2) -> str:
    """A number with fixed decimals; large and tiny ones with three digits that count; a dash for None."""
    if value is None:
        return NONE
    return f"{value:.{digits}f}" if 0.5 * 10**-digits <= abs(value) < 1000 or value == 0 else f"{value:.3g}"


def calibrated(row: dict, path: str) -> str:
    """value (chance) calibrated."""
    score = look_up(row, path)
    if score is None:
        return NONE
    return f"{score['value']:.2f} ({score['chance']:.2f}) {score['calibrated']:.2f}"


def main_table(report: dict) -> Table:
    """What to look at first."""
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
        sure = look_up(row, "intervals")["beats.bas_bailando.calibrated"]
        shares = [_multiple(look_up(row, f"physics.{name}"), real[name]) for name in ("foot_skating", "jerk", "speed")]
        rows.append(
            (
                name,
                calibrated(row, "beats.bas_bailando"),
                NONE if sure["low"] is None else f"{sure['low']:.2f} … {sure['high']:.2f}",
                _share(look_up(row, "beats.bas_hits.calibrated")),
                _share(look_up(row, "beats.f_hits_100ms.calibrated")),
                _share(look_up(row, "other_song.bas_bailando.calibrated")),
                *shares,
                number(look_up(row, "variety.poses"), 3),
            )
        )
    fps = report["settings"]["fps"]
    note = (
        f"At {fps:g} fps. BAS (b): value (chance) calibrated, and the 95 % interval of the calibrated mean over songs; "
        "the next three are calibrated: 0 is chance, 1 perfect. Other song: the same dances against another song's "
        "beats, where nothing should be left. Skating, jerk and speed are multiples of held-out capture before any "
        "warp. Any body that slows on every beat scores well on BAS: read it beside slowing."
    )
    return Table("Overview", note, headers, tuple(rows))


def _multiple(value: float | None, real: float) -> str:
    return NONE if value is None or real < 1e-9 else f"{value / real:.2f} x"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


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
    note = (
        "Value (chance) calibrated; BAS at 60 frames a second, sigma 3 frames. Chance is the same dance against the "
        "same beats shifted at random. The strict F is one to one, so that it cannot be had by moving more often."
    )
    return Table("Beats", note, ("system", *names.values()), tuple(rows))


def momu_5(report: dict, entry: str, title: str, note: str, quote: bool) -> Table:
    """MoMu-Diffusion table 5: BCS, CSD, BHS, HSD, F1, in percent."""
    keys = ("bcs", "csd", "bhs", "hsd", "f1")
    rows = []
    for name, row in report["systems"].items():
        score = look_up(row, f"beats.{entry}")
        if score is not None:
            rows.append((name, *(number(100 * score[k], 1) for k in keys), number(100 * score["f1_chance"], 1)))
    quoted = tuple((f"{name} (paper, AIST++)", *(number(v, 1) for v in more), NONE) for name, *more in MOMU_5)
    rows += quoted if quote else ()
    headers = ("system", "BCS", "CSD", "BHS", "HSD", "F1", "F1 by chance")
    return Table(title, note, headers, tuple(rows), len(quoted) if quote else 0)


def momu_tables(report: dict) -> list[Table]:
    """MoMu-Diffusion tables 5 and 6, as far as they exist."""
    note = (
        "Kinematic onsets (peaks of the directogram's change) against onsets of the sound by librosa, matched one to "
        "one within 100 ms; the paper does not state its tolerance. Compare with the last column. Onsets are where "
        "movement starts: a body that arrives on beats starts between them and scores below chance here, as captured "
        "dance that was warped onto beats does. Real pairs keep no sound, so they have no row."
    )
    ours = "The same score for what a dancer would call the beat: hits, when the body arrives, and tracked beats."
    binned = (
        "One bin a second (LORIS). It saturates: a metronome at a wrong tempo scores 100, and so does chance. For "
        "comparison with older papers alone."
    )
    found = [
        momu_5(report, "momu_music_onsets", "As MoMu table 5: music to motion", note, True),
        momu_5(report, "momu_hits", "As MoMu table 5, hits on beats", ours, False),
        momu_5(report, "loris_beats", "LORIS bins", binned, False),
    ]
    found.append(momu_6(report))
    return [table for table in found if len(table.rows) > table.quoted]


def momu_6(report: dict) -> Table:
    """MoMu-Diffusion table 6, and the features of AIST++ beside it."""
    paths = {
        "embedding.fid": "FID",
        "embedding.diversity_inter": "Diversity",
        "embedding.mean_kld": "Mean KLD",
        "embedding.diversity_windows": "of windows",
        "frechet.fid_k": "FID k",
        "frechet.fid_g": "FID g",
        "frechet.dist_k": "Dist k",
        "frechet.dist_g": "Dist g",
        "frechet.windows": "windows",
        "variety.poses": "seeds differ by, m",
    }
    shown = {**report["systems"], "capture, val": report["capture"]["sets"]}
    rows = [(name, *(number(look_up(row, p)) for p in paths)) for name, row in shown.items()]
    rows += [(f"{n} (paper, AIST++)", *(number(v, 1) for v in more), *[NONE] * 7) for n, *more in MOMU_6]
    variety = number(_embedding(report).get("diversity_windows_real"), 1)
    note = (
        f"FID, diversity and KLD by the embedding of a genre classifier of this data ({_judge(report)}), so that they "
        "only compare rows of this table; FID k and g by AIST++'s kinetic and geometric features. All are measured "
        "against training capture. A Fréchet distance grows as windows get fewer: compare rows of like size, and "
        "with held-out capture, which is as near as unseen dance of that little comes. Diversity is of whole dances "
        f"and falls with their length; that of windows does not, and is {variety} in training capture. Jitter raises "
        "every diversity."
    )
    return Table("As MoMu table 6: quality and diversity", note, ("system", *paths.values()), tuple(rows), len(MOMU_6))


def _judge(report: dict) -> str:
    """How far the classifier may be trusted."""
    known = _embedding(report)
    if not known:
        return "none was given: --classifier"
    right, chance = (f"{known[key]:.2f}" for key in ("accuracy", "accuracy_chance"))
    return f"balanced accuracy {right} on {known['accuracy_takes']} held-out takes, chance {chance}"


def _embedding(report: dict) -> dict:
    """What the classifier says of the first system that it saw; of itself and of training capture it says it of all."""
    return next((row["embedding"] for row in report["systems"].values() if row.get("embedding")), {})


def copying(report: dict) -> Table | None:
    """How near dances come to the training capture."""
    rows = []
    for name, row in {**report["systems"], "capture, val": report["capture"]["sets"]}.items():
        found = row.get("copying")
        if found:
            near = found["nearest"]
            where = f"{near['training']} at {near['training_at']:.1f} s{', mirrored' if near['mirrored'] else ''}"
            shown = (f"{100 * found[key]:.1f}" for key in ("median", "p5"))
            rows.append((name, *shown, f"{100 * near['distance']:.1f}", where))
    note = (
        "Mean joint distance, cm, of each two seconds to the nearest two seconds of training capture: the median, the "
        "5th percentile, and the nearest of all with its clip. A dance nearer than held-out capture is has been copied "
        "rather than learned, as retrieval is by design (its distance is the warp, the joins and the finish)."
    )
    return Table("Copying", note, ("system", "median", "5 %", "nearest", "clip"), tuple(rows)) if rows else None


def theatre_2(report: dict) -> Table:
    """Theatre table 2, and the same by tempo."""
    paths = (
        "theatre.ms",
        "theatre.voa",
        "theatre.energy_on_beats",
        "unified.cmc",
        "frames.fid",
        "frames.fvd",
        "style.sci",
    )
    rows = []

    def line(title: str, row: dict) -> tuple[str, ...]:
        return (title, calibrated(row, "beats.bas_theatre"), *(number(look_up(row, path)) for path in paths))

    for name, row in report["systems"].items():
        rows.append(line(name, row))
        for band, *_ in TEMPO_ROWS:
            if band in row["tempo"]:
                rows.append(line(f"{name}, {band} tempo ({row['tempo'][band]['clips']} clips)", row["tempo"][band]))
    rows.append(
        (
            "Theatre (paper, its own data)",
            *(number(value) for value in THEATRE_2[:3]),
            NONE,
            *(number(value) for value in THEATRE_2[3:]),
        )
    )
    note = (
        "BAS: energy peaks at strong beats, value (chance) calibrated: the opposite of the other BAS, which ask for "
        "the slowest moment there, so that a dance that arrives on the beat is below chance. The paper gives no "
        "formula of MS and VoA; compare ours with the row real and not with the paper. MS rewards standing still. "
        "Energy on beats is 1 where energy knows no beats. The columns of the stage are empty for systems without one."
    )
    headers = ("system", "BAS", "MS", "VoA", "energy on beats", "CMC", "FID", "FVD", "SCI")
    return Table("As Theatre table 2", note, headers, tuple(rows), 1)


def physics_tables(report: dict) -> list[Table]:
    """Physics with multiples of real capture, overall and by genre."""
    real = report["capture"]["val"]
    rows = []
    for name, row in report["systems"].items():
        if "physics" in row:
            rows.append((name, *_with_ratio(row["physics"], real)))
    for title, split in (("capture, val", "val"), ("capture, train and val", "all")):
        found = report["capture"][split]
        if found:
            rows.append((title, *_with_ratio(found["mean"], real)))
            rows.append((f"{title}: 5–95 % of windows", *(_range(found, n) for n in PHYSICS)))
    note = (
        "Means over seconds (x held-out capture, before any warp). Less is not better: a body that stands still has "
        "no jerk and no skating. Wrong bends of zero say only that joint limits work."
    )
    headers = ("system", *PHYSICS_NAMES.values())
    found = [Table("Physics", note, headers, tuple(rows))]
    for name, row in report["systems"].items():
        if row.get("genres"):
            found.append(_by_genre(name, row["genres"], report["capture"]["genres"]))
    return found


def _with_ratio(values: dict, real: dict | None) -> list[str]:
    shares = ratios(values, real)
    return [f"{number(values[n])} ({NONE if shares[n] is None else f'{shares[n]:.2f} x'})" for n in PHYSICS]


def _range(reference: dict, name: str) -> str:
    return f"{number(reference['low'][name])} … {number(reference['high'][name])}"


def _by_genre(system: str, made: dict[str, dict], references: dict[str, dict]) -> Table:
    rows = []
    for style, values in made.items():
        known = references[style]
        val, whole = ratios(values, known.get("val")), ratios(values, known["all"])
        cells = []
        for name in PHYSICS:
            shares = " / ".join(NONE if s[name] is None else f"{s[name]:.2f}" for s in (val, whole))
            inside = known["all"]["low"][name] <= values[name] <= known["all"]["high"][name]
            cells.append(f"{number(values[name])} ({shares}){'' if inside else ' !'}")
        held_out = known["val"]["seconds"] if "val" in known else 0.0
        rows.append((f"{style} ({held_out:.0f} / {known['all']['seconds']:.0f} s)", *cells))
        rows.append(("    capture, 5–95 %", *(_range(known["all"], name) for name in PHYSICS)))
    note = (
        "Value (x val capture / x all capture of the genre); the seconds of both references stand beside the name, and "
        "below are the 5th and 95th percentile of all its ten-second windows. ! is outside of that range. The first "
        "multiple often rests on one clip: trust the second."
    )
    return Table(f"Physics by genre: {system}", note, ("style", *PHYSICS_NAMES.values()), tuple(rows))


def differences(report: dict) -> Table | None:
    """Paired differences to the first system."""
    paths = {
        "beats.bas_bailando.calibrated": "BAS (b)",
        "beats.f_hits_100ms.calibrated": "F 100 ms",
        "beats.bas_theatre.calibrated": "BAS, Theatre",
        "physics.foot_skating": "foot skating",
        "physics.jerk": "jerk m/s³",
        "physics.speed": "speed m/s",
    }
    note = (
        "Mean difference over songs, each song compared with itself, and its 95 % bootstrap interval. An interval "
        "that holds zero says that the songs do not tell the two apart."
    )
    return differences_of(report, paths, f"Against {report['compared_with']}", note, "+.3g")


def differences_of(found: dict, paths: dict[str, str], title: str, note: str, form: str) -> Table | None:
    """Paired differences of the systems in ``found``. paths: of the scores -> headers.  form: of a number."""
    rows = []
    for name, row in found["systems"].items():
        if apart := row.get("difference"):
            rows.append((name, *(_apart(apart.get(path), form) for path in paths)))
    return Table(title, note, ("system", *paths.values()), tuple(rows)) if rows else None


def _apart(known: dict | None, form: str) -> str:
    if known is None:
        return NONE
    wide = "" if known["low"] is None else f" [{known['low']:{form}}, {known['high']:{form}}]"
    return f"{known['mean']:{form}}{wide}"


def everything(report: dict) -> list[Table]:
    """All tables of dances in the order of the report; none where nobody danced."""
    if not report["systems"]:
        return []
    found = [main_table(report), differences(report), beats_table(report), *momu_tables(report), theatre_2(report)]
    return [table for table in (*found, *physics_tables(report), copying(report)) if table is not None]


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
    note = f"{result['seconds']:.1f} s at {result['fps']:g} fps, {beats['beats']} beats, {beats['hits']} hits"
    found = [Table(title, note, ("beats", "value", "chance", "calibrated"), tuple(rows))]
    if "physics" not in result:  # a flat body
        return found
    physical = tuple((PHYSICS_NAMES[name], number(value, 3)) for name, value in result["physics"].items())
    return [*found, Table("Physics", "", ("", "value"), physical)]


def as_text(table: Table) -> str:
    """For the console: aligned columns under the title."""
    lines = [table.headers, *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.headers))]
    shown = [
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    ]
    return "\n".join([table.title, *shown])

"""Tables of a comparison of theatres."""

from __future__ import annotations

from core.metrics.theatre import TEMPO_ROWS
from train.evaluation.dance.measures import look_up
from train.evaluation.layout import Table
from train.evaluation.values import NONE, number

PAPER = (".87", NONE, ".92", ".31", NONE, ".84", NONE, ".89", NONE, "35.1", "102")
KOHL = ("structure", "novelty", "boundary", "loud", "change", "beat_peak", "beat_valley")

TABLE_2 = """\
BAS (c): strong beats against peaks of the dance's energy, value (chance) calibrated, and the interval of the calibrated
value; who arrives on beats is below chance by intent. Energy is that on strong beats over its mean. MS and VoA are good
where they are near capture's; MS rewards standing still, so look at the speed beside it (m/s). CMC has the cosine of
shuffled triples, of different songs, and of other moments of the same performance in brackets. SCI is the cosine of the
show's style and the look that was asked for, with that of the other looks in brackets; right is how often the look
asked for is the nearest, by chance one in as many as there are looks. FID and FVD: Fréchet distances from other shows
that rules wrote for the same songs, in {embedding}. They are no Inception or I3D distances, and are not to be compared
with the paper's. The judge of CMC, SCI, FID and FVD is {judge}. Intervals are 95 % bootstrap intervals over songs."""

TEMPO = """\
As above: BAS (c) calibrated, MS, VoA, CMC, SCI. Low is below 93 beats a minute, high from 117 on. Songs are few."""

LIGHT = """\
Measures of Kohl, Wursthorn and Weiß, 1 or nearer to 1 is more correspondence; shifted is chance for all of them. Dance
is the correlation of the light's level with the dance's energy (by chance). Answer is that of what the levels differ by
for two dances to one song with what the dances' energies differ by (by chance). Pulses are the strict F at 70 ms of
light's strokes against strong beats (by chance), for how many songs there were any; sections the F at 1 s of changes of
scene against the sections that the rules hear (by chance); flashes the most in any second."""

SECTIONS = """\
The demo song, whose sections and beats are known. Sections is F at 1 s of the strongest changes of scene against the
sections' starts, pulses the F of strokes against strong beats; value (chance). One song: no more than an example."""


def everything(report: dict) -> list[Table]:
    """All tables of a report."""
    found = [table_2(report), by_tempo(report), light(report)]
    return [*found, sections(report)] if "sections" in report else found


def table_2(report: dict) -> Table:
    """The paper's table 2."""
    rows = []
    for name, row in report["systems"].items():
        rows.append(
            (
                f"{name} ({row['acts']})",
                _with_chance(row, "bas"),
                _bounds(row, "bas.calibrated"),
                _plain(row, "energy_on_beats"),
                *(_with_bounds(row, path) for path in ("ms", "voa")),
                _plain(row, "speed"),
                _cmc(row),
                _with_chance(row, "sci"),
                _plain(row, "sci.right"),
                *(_frames(row, kind) for kind in ("fid", "fvd")),
            )
        )
    note = TABLE_2.format(embedding=report["embedding"], judge=report["judge"])
    headers = (
        "system (acts)",
        "BAS (c)",
        "interval",
        "energy",
        "MS",
        "VoA",
        "speed",
        "CMC",
        "SCI",
        "right",
        "FID",
        "FVD",
    )
    rows.append(("Theatre (paper, its own data)", *PAPER))
    return Table("As Theatre table 2", note, headers, tuple(rows), 1)


def by_tempo(report: dict) -> Table:
    """The same by tempo density."""
    rows = []
    for name, row in report["systems"].items():
        for band, *_ in TEMPO_ROWS:
            if band in row["bands"]:
                inside = row["bands"][band]
                paths = ("bas.calibrated", "ms", "voa", "cmc.value", "sci.value")
                rows.append((f"{name}, {band} ({inside['songs']})", *(_plain(inside, path) for path in paths)))
    return Table("By tempo", TEMPO, ("system (songs)", "BAS (c)", "MS", "VoA", "CMC", "SCI"), tuple(rows))


def light(report: dict) -> Table:
    """Light against music, and against the dance."""
    rows = []
    for name, row in report["systems"].items():
        known = row["intervals"]
        pulses = known.get("light.pulse_f.value")
        some = "" if pulses is None else f", {pulses['units']}"
        cells = [_plain(row, f"kohl.{measure}") for measure in KOHL]
        dance, answer, pulse, sections = (
            _by_chance(row, f"light.{kind}") for kind in ("energy", "answer", "pulse_f", "section_f")
        )
        cells += [dance, _bounds(row, "light.energy.value"), answer, pulse + some, sections]
        rows.append((name, *cells, _plain(row, "light.flashes")))
    kohl = (name.replace("_", " ") for name in KOHL)
    headers = ("system", *kohl, "dance", "interval", "answer", "pulses, songs", "sections", "flashes")
    return Table("Light against music and dance", LIGHT, headers, tuple(rows))


def sections(report: dict) -> Table:
    """The demo song."""

    def shown(scores: dict, name: str) -> str:
        pair = look_up(scores, name)
        return NONE if pair is None else f"{pair['value']:.2f} ({pair['chance']:.2f})"

    rows = [
        (name, *(shown(scores, kind) for kind in ("section_f", "pulse_f")))
        for name, scores in report["sections"].items()
    ]
    return Table("The demo song", SECTIONS, ("system", "sections", "pulses"), tuple(rows))


def _mean(row: dict, path: str) -> float | None:
    known = row["intervals"].get(path)
    return None if known is None else known["mean"]


def _plain(row: dict, path: str) -> str:
    return number(_mean(row, path))


def _bounds(row: dict, path: str) -> str:
    known = row["intervals"].get(path)
    return NONE if known is None or known["low"] is None else f"{known['low']:.2f} … {known['high']:.2f}"


def _with_bounds(row: dict, path: str) -> str:
    known = row["intervals"].get(path)
    if known is None or known["low"] is None:
        return _plain(row, path)
    return f"{known['mean']:.3f} [{known['low']:.3f}, {known['high']:.3f}]"


def _by_chance(row: dict, metric: str) -> str:
    value, chance = (_mean(row, f"{metric}.{part}") for part in ("value", "chance"))
    return NONE if value is None else f"{value:.2f} ({number(chance)})"


def _with_chance(row: dict, metric: str) -> str:
    text = _by_chance(row, metric)
    return text if text == NONE else f"{text} {_plain(row, f'{metric}.calibrated')}"


def _cmc(row: dict) -> str:
    value, moments = (_mean(row, f"cmc.{part}") for part in ("value", "chance"))
    return NONE if value is None else f"{value:.2f} ({number(row['cmc_shuffled'])}, {number(moments)})"


def _frames(row: dict, kind: str) -> str:
    known = row["frames"].get(kind)
    if known is None:
        return NONE
    bounds = "" if known["low"] is None else f" [{known['low']:.3f}, {known['high']:.3f}]"
    return f"{known['mean']:.3f}{bounds}"

"""Tables laid out like those of MoMu-Diffusion (NeurIPS 2024)."""

from __future__ import annotations

from train.evaluation.dance import notes
from train.evaluation.dance.measures import look_up
from train.evaluation.layout import Table
from train.evaluation.values import NONE, multiple, number, percent

COVERAGE = ("bcs", "csd", "bhs", "hsd", "f1")
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


def momu_5(report: dict, entry: str, title: str, note: str, quote: bool) -> Table:
    """MoMu-Diffusion table 5: BCS, CSD, BHS, HSD, F1, in percent."""
    rows = []
    for name, row in report["systems"].items():
        score = look_up(row, f"beats.{entry}")
        if score is not None:
            rows.append((name, *(percent(score[key]) for key in COVERAGE), percent(score["f1_chance"])))
    quoted = _published_5(1) if quote else []
    headers = ("system", *(key.upper() for key in COVERAGE), "F1 by chance")
    return Table(title, note, headers, (*rows, *quoted), len(quoted))


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
    rows += _published_6(paths)
    note = notes.MOMU_6.format(classifier=_classifier(_embedding(report["systems"])))
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


def _published_5(further: int) -> list[tuple[str, ...]]:
    """Rows of the paper's table 5, and so many further cells, which it does not have."""
    return [
        (f"{name} (paper, AIST++)", *(number(value, 1) for value in more), *[NONE] * further) for name, *more in MOMU_5
    ]


def _published_6(paths: dict[str, str]) -> list[tuple[str, ...]]:
    """Rows of the paper's table 6."""
    rows = []
    for name, fid, diversity, kld in MOMU_6:
        known = {"embedding": {"fid": fid, "diversity_inter": diversity, "mean_kld": kld}}
        rows.append((f"{name} (paper, AIST++)", *_quality(known, paths, 1)))
    return rows


def _training(rows: dict[str, dict]) -> dict[str, dict]:
    """The figures of training capture itself, which is the reference of every row and the same in all."""
    found: dict[str, dict] = {}
    for kind in ("embedding", "frechet"):
        known = next((row[kind] for row in rows.values() if row.get(kind)), {})
        own = {name: value for name, value in known.items() if name.endswith("_real") and name != "windows_real"}
        found[kind] = own | {name.removesuffix("_real"): value for name, value in own.items()}
    return {kind: figures for kind, figures in found.items() if figures}


def _embedding(rows: dict[str, dict]) -> dict:
    """The classifier's figures in the first row that has any.

    The figures about the classifier and about training capture are the same in every row.
    """
    return next((row["embedding"] for row in rows.values() if row.get("embedding")), {})


def _classifier(known: dict) -> str:
    """How far the classifier can be trusted."""
    if not known:
        return notes.NO_CLASSIFIER
    accuracy, chance = known["accuracy"], known["accuracy_chance"]
    return notes.CLASSIFIER.format(accuracy=accuracy, chance=chance, takes=known["accuracy_takes"])


def aist_tables(found: dict) -> list[Table]:
    """Tables 5 and 6 on held-out AIST++, of ``aist.report``. Without a classifier there is no table 6."""
    rows = {name: row for name, row in found["rows"].items() if "embedding" in row}
    return [_aist_5(found), *([_aist_6(rows)] if rows else [])]


def _aist_5(found: dict) -> Table:
    rows = []
    for name, row in found["rows"].items():
        for view, shown in (("flat", "2-D"), ("solid", "3-D")):
            if view in row:
                score, hits = row[view]["onsets"], row[view]["hits"]
                wide = score["f1_interval"]
                bounds = NONE if wide["low"] is None else f"{percent(wide['low'])} … {percent(wide['high'])}"
                cells = (*(percent(score[key]) for key in COVERAGE), bounds, percent(score["f1_chance"]))
                rows.append((f"{name}, {shown}", *cells, percent(hits["f1"]), percent(hits["f1_chance"])))
    quoted = _published_5(4)
    headers = ("system", *(key.upper() for key in COVERAGE), "95 %", "by chance", "F1 of hits", "by chance")
    note = notes.AIST_5.format(takes=found["takes"], seconds=found["seconds"])
    return Table("AIST++ subset: MoMu table 5", note, headers, (*rows, *quoted), len(quoted))


def _aist_6(rows: dict[str, dict]) -> Table:
    paths = {
        "embedding.fid": "FID",
        "embedding.diversity_inter": "Diversity",
        "embedding.diversity_inter_share": "x capture's",
        "embedding.mean_kld": "Mean KLD",
        "embedding.mean_kld_others": "to other takes",
        "embedding.windows": "windows",
    }
    shown = [(name, *_quality(row, paths)) for name, row in rows.items()]
    quoted = _published_6(paths)
    note = notes.AIST_6.format(classifier=_classifier(_embedding(rows)))
    return Table("AIST++ subset: MoMu table 6", note, ("system", *paths.values()), (*shown, *quoted), len(quoted))

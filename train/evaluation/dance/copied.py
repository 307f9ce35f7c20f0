"""How near dances come to the training capture: of all together, and in each style beside its held-out capture.

Some styles are nearer to their training capture than others, because they move less or were captured more. So what is
danced in a style stands beside held-out takes of it, and a mean over styles counts each of them once.
"""

from __future__ import annotations

import torch

from core.errors import FootlightError
from core.metrics import diversity
from core.types import Motion
from train.evaluation.dance import notes
from train.evaluation.layout import Table
from train.evaluation.values import NONE

CAPTURE = "motion capture, val"
_SHOWN = ("median", "p5")


def by_style(motions: dict[str, list[Motion]], training: list[Motion]) -> dict[str, dict[str, float]]:
    """By style, the ``median`` and the 5th percentile ``p5`` of the distances (m) of the windows of its motions to the
    training capture, as ``core.metrics.diversity.closest`` has them, and the number of ``windows``.

    Styles without a motion that lasts a window are left out.
    """
    styles = [style for style, some in motions.items() for _ in some]
    try:
        found = diversity.distances([motion for some in motions.values() for motion in some], training)
    except FootlightError:  # nothing lasts a window
        return {}
    result = {}
    for style in motions:
        known = torch.cat([far for far, whose in zip(found, styles, strict=True) if whose == style] or [torch.empty(0)])
        if len(known):
            median, p5 = float(known.median()), float(known.quantile(0.05))
            result[style] = {"median": median, "p5": p5, "windows": len(known)}
    return result


def tables(report: dict) -> list[Table]:
    """How near systems come to the training capture, and how near they do in each style."""
    real = report["capture"]
    shown = {**report["systems"], CAPTURE: real["sets"]}
    rows = [(name, *_row(row["copying"])) for name, row in shown.items() if row.get("copying")]
    found = (
        [Table("Copying", notes.COPYING, ("system", "median", "5 %", "nearest", "clip"), tuple(rows))] if rows else []
    )
    systems = {name: row["copied"] for name, row in report["systems"].items() if row.get("copied")}
    if systems and real.get("copied"):
        found.append(_by_style({**systems, CAPTURE: real["copied"]}))
    return found


def _row(found: dict) -> list[str]:
    near = found["nearest"]
    where = f"{near['training']} at {near['training_at']:.1f} s{', mirrored' if near['mirrored'] else ''}"
    return [*(_cm(found[key]) for key in _SHOWN), _cm(near["distance"]), where]


def _by_style(shown: dict[str, dict[str, dict]]) -> Table:
    shared = sorted(set.intersection(*(set(styles) for styles in shown.values())))
    rows = [(style, *(_cells(styles[style]) for styles in shown.values())) for style in shared]
    means = ({key: _mean([styles[style][key] for style in shared]) for key in _SHOWN} for styles in shown.values())
    rows.append(("mean", *(_cells(mean) if shared else NONE for mean in means)))
    return Table("Copying by style", notes.COPYING_BY_STYLE, ("style", *shown), tuple(rows))


def _cells(found: dict[str, float]) -> str:
    return f"{_cm(found['median'])} ({_cm(found['p5'])})"


def _cm(metres: float) -> str:
    return f"{100 * metres:.1f}"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0

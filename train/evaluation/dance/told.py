"""Whether a style is told from the others: by the style classifier, in dances of the style and in held-out capture.

Every dance, or captured take, counts once, whatever its length: with the share of its windows that the classifier takes
for the style. A classifier that does not know the capture of a style cannot judge dances of it, so both stand together.
"""

from __future__ import annotations

from dataclasses import asdict

from core.metrics.classifier import Classifier
from core.types import Motion
from train.evaluation import statistics
from train.evaluation.dance import notes
from train.evaluation.dance.material import Capture, motions_by_style
from train.evaluation.layout import Table
from train.evaluation.values import NONE, mean_with_interval, share

CAPTURE = "motion capture, val"
_SHOWN = 3  # classes that a style is taken for most
_SELDOM = 0.05  # shares below are not shown


def told(motions: list[Motion], style: str, classifier: Classifier) -> dict | None:
    """``recall``, the share of the style as an interval over motions, and ``taken_for``, the mean share by class.

    None for a style that the classifier does not know, and without a motion that lasts a window.
    """
    if style not in classifier.classes:
        return None
    shares = classifier.taken_for(motions)
    if not len(shares):
        return None
    recall = statistics.bootstrap(shares[:, classifier.classes.index(style)].numpy())
    means = dict(zip(classifier.classes, shares.mean(dim=0).tolist(), strict=True))
    return {"recall": asdict(recall), "taken_for": {name: value for name, value in means.items() if value > 0}}


def capture(clips: list[Capture], classifier: Classifier | None) -> dict:
    """``told`` of the captured takes of each style, and the number of ``classes``. Nothing without a classifier."""
    if classifier is None:
        return {}
    found = {style: told(motions, style, classifier) for style, motions in motions_by_style(clips).items()}
    return {"told": {style: known for style, known in found.items() if known}, "classes": len(classifier.classes)}


def tables(report: dict) -> list[Table]:
    """Recall by style, and what styles are taken for, of systems beside held-out capture; none without a classifier."""
    real = report["capture"].get("told", {})
    systems = {
        name: {style: values["told"] for style, values in row["genres"].items() if values.get("told")}
        for name, row in report["systems"].items()
        if row.get("genres")
    }
    systems = {name: styles for name, styles in systems.items() if styles}
    if not systems:
        return []
    shown = {**systems, CAPTURE: real}
    styles = sorted({style for found in systems.values() for style in found})
    missing = dict.fromkeys(systems, NONE) | {CAPTURE: "no takes"}
    recalls, taken = [], []
    for style in styles:
        known = {name: found.get(style) for name, found in shown.items()}
        cells = [_recall(value) if value else missing[name] for name, value in known.items()]
        recalls.append((style, *cells, str(real[style]["recall"]["units"]) if style in real else "0"))
        taken.append((style, *(_most(value["taken_for"]) if value else missing[name] for name, value in known.items())))
    recalls.append(("mean", *(_mean(found, styles) for found in shown.values()), ""))
    chance = 1 / report["capture"]["classes"]
    recalls.append(("chance", *[share(chance)] * len(shown), ""))
    return [
        Table("Styles told", notes.TOLD, ("style", *shown, "takes"), tuple(recalls)),
        Table("Styles taken for", notes.TAKEN_FOR, ("style", *shown), tuple(taken)),
    ]


def _recall(found: dict) -> str:
    return mean_with_interval(found["recall"], ".2f")


def _mean(found: dict[str, dict], styles: list[str]) -> str:
    known = [found[style]["recall"]["mean"] for style in styles if style in found]
    return f"{sum(known) / len(known):.2f} of {len(known)}" if known else NONE


def _most(taken_for: dict[str, float]) -> str:
    most = sorted(taken_for.items(), key=lambda item: -item[1])[:_SHOWN]
    return ", ".join(f"{name} {share(value)}" for name, value in most if value >= _SELDOM)

"""The cells of tables: numbers of the report as text, with their chance level, interval or reference.

A number that does not exist is a dash.
"""

from __future__ import annotations

from train.evaluation.dance.measures import look_up

NONE = "–"


def number(value: float | None, digits: int = 2) -> str:
    """A number with fixed decimals; large and tiny ones with three significant digits."""
    if value is None:
        return NONE
    return f"{value:.{digits}f}" if 0.5 * 10**-digits <= abs(value) < 1000 or value == 0 else f"{value:.3g}"


def share(value: float | None) -> str:
    """A number between 0 and 1."""
    return NONE if value is None else f"{value:.2f}"


def percent(value: float | None) -> str:
    """A share as a percentage."""
    return NONE if value is None else number(100 * value, 1)


def multiple(value: float | None, reference: float) -> str:
    """How many times the reference a value is."""
    return NONE if value is None or reference < 1e-9 else f"{value / reference:.2f} x"


def calibrated(row: dict, path: str) -> str:
    """A metric with its chance level: value (chance) calibrated."""
    metric = look_up(row, path)
    if metric is None:
        return NONE
    return f"{metric['value']:.2f} ({metric['chance']:.2f}) {metric['calibrated']:.2f}"


def interval(row: dict, path: str) -> str:
    """The 95 % interval of a metric's mean. It has no width where the mean is of a single unit."""
    known = row.get("intervals", {}).get(path)
    return NONE if known is None or known["low"] is None else f"{known['low']:.2f} … {known['high']:.2f}"


def mean_with_interval(known: dict | None, mean: str = ".3f", bounds: str = ".2f") -> str:
    """A mean and its 95 % interval.

    mean, bounds: how their numbers are formatted.
    """
    if known is None:
        return NONE
    wide = "" if known["low"] is None else f" [{known['low']:{bounds}}, {known['high']:{bounds}}]"
    return f"{known['mean']:{mean}}{wide}"


def percentiles(reference: dict, name: str) -> str:
    """The 5th and the 95th percentile of a reference."""
    return f"{number(reference['low'][name])} … {number(reference['high'][name])}"

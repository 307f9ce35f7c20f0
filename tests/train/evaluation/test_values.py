"""Cells of tables, against text written by hand."""

import pytest

from train.evaluation import values
from train.evaluation.layout import Table, as_text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 2, "–"),
        (0.0, 2, "0.00"),
        (0.125, 3, "0.125"),
        (-1.5, 1, "-1.5"),
        (0.004, 2, "0.004"),
        (0.005, 2, "0.01"),
        (999.4, 0, "999"),
        (12345.0, 1, "1.23e+04"),
    ],
)
def test_numbers_keep_three_digits_where_decimals_would_lose_them(value, digits, text):
    assert values.number(value, digits) == text


def test_a_metric_is_shown_with_its_chance_interval_and_reference():
    row = {
        "beats": {"f": {"value": 0.8, "chance": 0.2, "calibrated": 0.75}},
        "intervals": {"beats.f": {"low": 0.7, "high": 0.8}, "single": {"low": None, "high": None}},
    }
    assert values.calibrated(row, "beats.f") == "0.80 (0.20) 0.75" and values.calibrated(row, "beats.g") == "–"
    assert values.interval(row, "beats.f") == "0.70 … 0.80"
    assert values.interval(row, "single") == values.interval(row, "absent") == values.interval({}, "beats.f") == "–"
    assert values.mean_with_interval({"mean": 1.0, "low": -0.5, "high": 2.5}, "+.3g", "+.3g") == "+1 [-0.5, +2.5]"
    assert values.mean_with_interval({"mean": 1.0, "low": None, "high": None}) == "1.000"
    assert values.multiple(3.0, 2.0) == "1.50 x" and values.multiple(3.0, 0.0) == values.multiple(None, 2.0) == "–"
    assert values.share(0.25) == "0.25" and values.percent(0.25) == "25.0" and values.percent(None) == "–"


def test_the_console_aligns_columns():
    table = Table("Title", "note", ("system", "F"), (("a", "0.50"), ("longer one", "–")))
    assert as_text(table) == "Title\nsystem         F\na           0.50\nlonger one     –"

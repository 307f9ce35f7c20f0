"""Numbers are written as Python's own formatting writes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.formats.fixed_point import rows_of_text


def formatted(number: float, decimals: int) -> str:
    """By Python, but zero has no sign."""
    return f"{number:.{decimals}f}" if round(number, decimals) else f"{0:.{decimals}f}"


@given(
    arrays(np.int64, array_shapes(min_dims=2, max_dims=2, min_side=1), elements=st.integers(-(2**28), 2**28)),
    st.integers(1, 6),
)
def test_numbers_are_those_of_python(table, decimals):
    exact = table / 2**8  # whatever the decimals, such numbers are rounded without an error before
    lines = rows_of_text(exact, decimals).decode().splitlines()
    assert [line.split() for line in lines] == [[formatted(number, decimals) for number in row] for row in exact]


def test_columns_are_aligned_on_the_right():
    text = rows_of_text(np.array([[1.0, -22.25, 0.0], [-333.5, -0.001, 1000.0]]), 2)
    assert text.decode() == "    1.00   -22.25     0.00\n -333.50     0.00  1000.00\n"


@pytest.mark.parametrize("shape", [(0, 3), (1, 1)])
def test_small_tables(shape):
    assert rows_of_text(np.zeros(shape), 1) == b" 0.0\n" * shape[0]

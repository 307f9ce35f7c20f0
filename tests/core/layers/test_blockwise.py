"""Products block by block against whole ones."""

import pytest
import torch

from core.audio.mel import filterbank
from core.layers.blockwise import blocks_of, product


def bank(rows, columns, reach):
    """A matrix (rows, columns) that is zero but around its diagonal."""
    made = torch.rand(rows, columns, generator=torch.Generator().manual_seed(0))
    away = torch.arange(rows)[:, None] / rows - torch.arange(columns) / columns
    return torch.where(away.abs() < reach, made, torch.zeros(()))


@pytest.mark.parametrize(
    ("matrix", "width"),
    [
        (filterbank(16_000, 1024, 80, 8000.0), 16),
        (filterbank(16_000, 1024, 80, 8000.0).T, 64),
        (bank(50, 7, 0.1), 3),
        (torch.ones(5, 4), 3),  # without zeros
        (torch.cat((torch.zeros(6, 4), torch.eye(6)), dim=1), 4),  # the first columns are zero
        (torch.zeros(3, 2), 1),
    ],
)
def test_a_product_is_the_whole_matrixs(matrix, width):
    x = torch.rand(2, 9, len(matrix), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = product(x, matrix.double(), blocks_of(matrix, width))
    torch.testing.assert_close(found, x @ matrix.double(), rtol=1e-12, atol=0)


def test_little_of_a_filterbank_is_multiplied():
    matrix = filterbank(16_000, 1024, 80, 8000.0)
    assert sum(matrix[block].numel() for block in blocks_of(matrix, 16)) < 0.3 * matrix.numel()

"""Products with matrices that are zero outside of a few blocks, as filterbanks are."""

from __future__ import annotations

import torch
from torch import Tensor

Blocks = tuple[tuple[slice, slice], ...]
"""The rows of each range of columns outside of which a matrix is zero. The ranges cover all columns, in order."""


def blocks_of(matrix: Tensor, width: int) -> Blocks:
    """The blocks of a matrix (n, m).

    width: columns of a block; the last one may have fewer. The narrower, the fewer zeros are multiplied, by more calls.
    """
    found = []
    for first in range(0, matrix.shape[1], width):
        columns = slice(first, min(first + width, matrix.shape[1]))
        rows = matrix[:, columns].ne(0).any(dim=1).nonzero()[:, 0].tolist() or [0]
        found.append((slice(rows[0], rows[-1] + 1), columns))
    return tuple(found)


def product(x: Tensor, matrix: Tensor, blocks: Blocks) -> Tensor:
    """``x @ matrix`` (..., m) for x (..., n) and a matrix (n, m) of which only the blocks are multiplied."""
    return torch.cat([x[..., rows] @ matrix[rows, columns] for rows, columns in blocks], dim=-1)

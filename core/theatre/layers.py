"""A Transformer encoder over time slices with relative positions, and attention from one sequence to another."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class RelativeBias(nn.Module):
    """What each head adds to the attention of a slice to another at some distance (Raffel et al. 2020, section 2.1).

    Distances beyond ``reach`` count as ``reach``. All start at zero.
    """

    def __init__(self, heads: int, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.bias = nn.Parameter(torch.zeros(heads, 2 * reach + 1))

    def forward(self, queries: int, keys: int) -> Tensor:
        """The bias (h, queries, keys) of slices that are counted from the same instant."""
        device = self.bias.device
        apart = torch.arange(keys, device=device) - torch.arange(queries, device=device)[:, None]
        return self.bias[:, apart.clamp(-self.reach, self.reach) + self.reach]


class MultiHead(nn.Module):
    """Multi-head attention, softmax(Q K^T / sqrt(d) + bias) V, with a linear layer over the concatenated heads.

    Without a bias it is that of Vaswani et al. (2017) and of the theatre paper's eq. 7.
    """

    def __init__(self, width: int, heads: int, query_width: int | None = None, key_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(query_width or width, width)
        self.key = nn.Linear(key_width or width, width)
        self.value = nn.Linear(key_width or width, width)
        self.out = nn.Linear(width, width)

    def forward(self, query: Tensor, told: Tensor, bias: Tensor | None = None) -> Tensor:
        """The attended values (b, q, c).

        query: (b, q, c') from which is attended.
        told: (b, k, c'') to which is attended.
        bias: (h, q, k) added to the scores.
        """
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.query, query), (self.key, told), (self.value, told))
        )  #                                                           b h n d
        mask = None if bias is None else bias.to(q.dtype)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Self-attention and a feed-forward layer, each with pre-normalisation and a residual connection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = MultiHead(width, heads)
        self.feed_forward = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        normed = self.norm1(x)
        x = x + self.attention(normed, normed, bias)
        return x + self.feed_forward(self.norm2(x))


class SliceEncoder(nn.Module):
    """The Transformer encoder that all modalities share: (b, s, c) -> (b, s, c), with relative positions."""

    def __init__(self, width: int, heads: int, blocks: int, reach: int) -> None:
        super().__init__()
        self.distance = RelativeBias(heads, reach)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        bias = self.distance(x.shape[1], x.shape[1])
        for block in self.blocks:
            x = block(x, bias)
        return self.norm(x)


def by_slice(frames: Tensor, count: int) -> Tensor:
    """The mean and the maximum (b, s, 2c) of frames (b, s * count, c) over each slice of ``count`` frames."""
    cut = frames.unflatten(1, (-1, count))
    return torch.cat([cut.mean(dim=2), cut.amax(dim=2)], dim=-1)

"""The motion encoder: a graph convolution over the skeleton, then self-attention over time slices (section 3.2, eq. 2).

H(l+1) = act(D^-1/2 A D^-1/2 H(l) W(l)), where A is the skeleton's adjacency with self-loops (Kipf & Welling 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import TheatreConfig
from core.motion.dynamics import DYNAMICS
from core.motion.skeleton import SMPL22
from core.theatre.layers import SliceEncoder, by_slice
from core.theatre.slices import Slicing


def normalised_adjacency(parents: tuple[int, ...]) -> Tensor:
    """D^-1/2 A D^-1/2 (j, j) of a skeleton, where A joins each joint with its parent and with itself.

    parents: (j,) the index of each joint's parent; -1 for the root.
    """
    adjacency = torch.eye(len(parents))
    for joint, parent in enumerate(parents):
        if parent >= 0:
            adjacency[joint, parent] = adjacency[parent, joint] = 1
    scale = adjacency.sum(dim=1).rsqrt()
    return scale[:, None] * adjacency * scale


class GraphConv(nn.Module):
    """One propagation (..., j, c) -> (..., j, c') of eq. 2, before its activation."""

    adjacency: Tensor

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Linear(channels, out_channels)
        self.register_buffer("adjacency", normalised_adjacency(SMPL22.parents), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.adjacency.to(x.dtype) @ self.weight(x)


class MotionEncoder(nn.Module):
    """Rows of motion (b, s, c), as ``core.theatre.slices.motion_rows`` makes them -> vectors (b, s, width).

    mean, std: (j, 10) of the joints' channels, from the training data.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: TheatreConfig, slicing: Slicing) -> None:
        super().__init__()
        self.slicing, width = slicing, config.graph_width
        self.register_buffer("mean", torch.zeros(SMPL22.joints, DYNAMICS))
        self.register_buffer("std", torch.ones(SMPL22.joints, DYNAMICS))
        self.joints = nn.Linear(DYNAMICS, width)
        self.graph = nn.ModuleList(GraphConv(width, width) for _ in range(config.graph_layers))
        self.body = nn.Linear(SMPL22.joints * width, config.width)
        self.slice = nn.Linear(2 * config.width, config.width)
        self.encoder = SliceEncoder(config.width, config.encoder_heads, config.blocks, config.reach)

    def forward(self, rows: Tensor) -> Tensor:
        x = (self.slicing.unpack_motion(rows) - self.mean) / self.std  #  b t j 10
        x = self.joints(x)
        for layer in self.graph:
            x = x + functional.silu(layer(x))  #                       deep graphs need the residual path
        frames = functional.silu(self.body(x.flatten(2)))  #           b t c
        return self.encoder(self.slice(by_slice(frames, self.slicing.moves)))

"""The yardstick of ``train.bench``: a network of the size that EDGE published (Tseng et al. 2023).

It has 8 decoder layers of 512 on 150-frame windows. 30 s are 11 half-overlapping windows and 50 guided steps. Weights
are random, since time does not depend on them, and every step takes the same time, so that a few tell what all take.

As a program it denoises once for every line of input, and prints the seconds of all 50 steps as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import torch
from torch import Tensor, nn

STEPS = 50
WINDOWS = 11


class FilmLayer(nn.Module):
    """A decoder layer with feature-wise modulation after each of its three parts, as in EDGE."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.cross = nn.MultiheadAttention(width, heads, batch_first=True)
        self.inner = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.films = nn.ModuleList(nn.Sequential(nn.Mish(), nn.Linear(width, 2 * width)) for _ in range(3))

    def forward(self, x: Tensor, memory: Tensor, step: Tensor) -> Tensor:
        def modulated(index: int, value: Tensor) -> Tensor:
            scale, shift = self.films[index](step)[:, None].chunk(2, dim=-1)
            return value * (1 + scale) + shift

        y = self.norms[0](x)
        x = x + modulated(0, self.attention(y, y, y, need_weights=False)[0])
        x = x + modulated(1, self.cross(self.norms[1](x), memory, memory, need_weights=False)[0])
        return x + modulated(2, self.inner(self.norms[2](x)))


class Reference(nn.Module):
    """A network of EDGE's published size: 151 motion features, 4800 music features a frame, about 49 M parameters."""

    def __init__(self, width: int = 512, layers: int = 8, heads: int = 8, inner: int = 1024) -> None:
        super().__init__()
        self.entry, self.exit = nn.Linear(151, width), nn.Linear(width, 151)
        self.music = nn.Linear(4800, width)
        encoder = nn.TransformerEncoderLayer(width, heads, inner, batch_first=True, norm_first=True, activation="gelu")
        self.music_encoder = nn.TransformerEncoder(encoder, 2, enable_nested_tensor=False)
        self.step = nn.Sequential(nn.Linear(width, 4 * width), nn.Mish(), nn.Linear(4 * width, width))
        self.step_tokens = nn.Linear(width, 2 * width)
        self.layers = nn.ModuleList(FilmLayer(width, heads, inner) for _ in range(layers))

    def forward(self, x: Tensor, music: Tensor, step: Tensor) -> Tensor:
        memory = self.music_encoder(self.music(music))
        step = self.step(step)
        tokens = self.step_tokens(step).unflatten(-1, (2, -1))
        memory = torch.cat([memory, tokens], dim=1)
        x = self.entry(x)
        for layer in self.layers:
            x = layer(x, memory, step + memory.mean(dim=1))
        return self.exit(x)


@torch.inference_mode()
def run_reference(network: Reference, compute: torch.dtype | None, steps: int = STEPS) -> None:
    """Denoise 30 s in so many guided steps, conditional and unconditional in one batch.

    network: the reference.
    compute: precision of its matrix products (autocast); None is that of its weights.
    steps: how many.
    """
    x, music = torch.randn(2 * WINDOWS, 150, 151), torch.randn(2 * WINDOWS, 150, 4800)
    with torch.autocast("cpu", dtype=compute, enabled=compute is not None):
        for _ in range(steps):
            network(x, music, torch.randn(2 * WINDOWS, 512))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, help="of the 50, that are timed")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    network = Reference().eval()
    run_reference(network, None, 1)
    print(json.dumps({"instructions": torch.backends.cpu.get_cpu_capability(), "core": None}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        run_reference(network, None, args.steps)
        print(json.dumps({"": (time.perf_counter() - began) * STEPS / args.steps}), flush=True)


if __name__ == "__main__":
    main()

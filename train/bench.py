"""Speed, as ratios in one run: ``python -m train.bench``.

Every row is the median of several runs on this machine at this hour. Absolute seconds differ between machines and
hours; the ratio to the reference, timed in between, is what to compare. The reference is a network of the size that
EDGE (Tseng et al. 2023) published: 8 decoder layers of 512 on 150-frame windows, 11 windows for 30 s with half
overlap, 50 guided steps, with random weights, since time does not depend on them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from torch import Tensor, nn

from core import pipeline
from core.audio import io
from core.motion import bvh
from train.demo_song import write_demo_song


@dataclass(frozen=True)
class Bench:
    """runs: how often each row is timed.  reference_runs: how often the (slow) reference is."""

    runs: int = 5
    reference_runs: int = 1
    model: Path | None = None
    out: Path | None = None  # also write the table as JSON
    threads: int = 2


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
    """EDGE's published size: 151 motion features, 4800 music features a frame, about 49 M parameters."""

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
def run_reference(network: Reference, windows: int = 11, steps: int = 50) -> None:
    """Denoise 11 windows of 150 frames in 50 guided steps, conditioned and unconditioned in one batch."""
    x, music = torch.randn(2 * windows, 150, 151), torch.randn(2 * windows, 150, 4800)
    for _ in range(steps):
        network(x, music, torch.randn(2 * windows, 512))


def medians_in_turn(functions: list[Callable[[], object]], runs: int) -> list[float]:
    """The median wall-clock time of each function, called in turn so that a drifting machine does not skew ratios."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(runs):
        for function, taken in zip(functions, times, strict=True):
            began = time.perf_counter()
            function()
            taken.append(time.perf_counter() - began)
    return [statistics.median(taken) for taken in times]


def median_seconds(function: Callable[[], object], runs: int) -> float:
    """The median wall-clock time of ``runs`` calls."""
    return medians_in_turn([function], runs)[0]


MEMORY_SCRIPT = """
import resource, sys
from pathlib import Path
from core.cli import main
code = main(sys.argv[1:])
status = Path("/proc/self/status")
if status.is_file():  # what this program used; ru_maxrss would count the parent it was forked from
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    kilobytes = int(line.split()[1])
else:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("kilobytes", kilobytes)
"""


def peak_memory(arguments: list[str]) -> float:
    """Gigabytes (2^30) that ``python -m core`` with these arguments holds at most."""
    command = [sys.executable, "-c", MEMORY_SCRIPT, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.split("kilobytes")[-1]) / 2**20


def write_action_seconds() -> float | None:
    """Seconds to write 180 s at 30 fps on 22 bones into a Blender action; None without the bpy module."""
    script = Path(__file__).with_name("bench_action.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("seconds ")]
    return float(lines[-1].split()[1]) if done.returncode == 0 and lines else None


def main(args: Bench) -> list[dict]:
    """Print the table and return its rows."""
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.wav"
        write_demo_song(song, seconds=180)
        model = pipeline.Model.load(args.model)

        def dance(seconds: float) -> None:
            waveform = io.read(song, seconds=seconds)
            result = pipeline.run(pipeline.dance(model, waveform, pipeline.DanceOptions()))
            bvh.write(Path(folder) / "dance.bvh", result.motion)

        def arguments(seconds: int) -> list[str]:
            given = ["dance", str(song), "--seconds", str(seconds), "--json", "--out", str(Path(folder) / "cold.bvh")]
            return [*given, "--model", str(args.model)] if args.model else given

        def cold() -> None:
            subprocess.run([sys.executable, "-m", "core", *arguments(30)], check=True, capture_output=True)

        dance(30.0)
        warm, long = medians_in_turn([lambda: dance(30.0), lambda: dance(180.0)], args.runs)
        network = Reference().eval()
        size = sum(p.numel() for p in network.parameters()) / 1e6
        reference = median_seconds(lambda: run_reference(network), args.reference_runs)
        start = median_seconds(cold, args.runs)
        memory = peak_memory(arguments(180))
        action = write_action_seconds()
        rows = [
            {"what": "30 s song to BVH, warm", "seconds": warm, "ratio": 1.0},
            {"what": "30 s song to BVH, cold process", "seconds": start, "ratio": start / warm},
            {"what": "180 s song to BVH, warm", "seconds": long, "ratio": long / warm},
            {"what": f"reference of {size:.0f} M, 30 s", "seconds": reference, "ratio": reference / warm},
            {"what": "peak memory with a 180 s song, GB", "seconds": memory, "ratio": None},
        ]
        if action is not None:
            rows.append({"what": "180 s x 30 fps x 22 bones into an action", "seconds": action, "ratio": action / warm})
    print(f"{'what':52s} {'median':>9s} {'x warm 30 s':>12s}")
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:12.2f}"
        print(f"{row['what']:52s} {row['seconds']:9.2f} {ratio}")
    if args.out:
        args.out.write_text(json.dumps(rows, indent=2) + "\n")
    return rows


if __name__ == "__main__":
    main(tyro.cli(Bench, description=__doc__))

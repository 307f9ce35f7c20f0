"""Times a graphics card beside the processor of the same computer: ``python -m train.bench.card [--model FOLDER]``.

The first table has what a user waits for, on both. The second has training steps: how long the loop takes for one, how
much of that the card is busy with the networks (forward, backward, optimiser), and which share of its peak it reaches
then (MFU, model FLOPs utilisation; Chowdhery et al., PaLM, 2022, appendix B). Operations are counted by PyTorch. The
peak is what a product of two large matrices in bfloat16 reaches in the same run, or ``--peak``.

Weights and data of the training steps are random, because time does not depend on them.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch.utils.flop_counter import FlopCounterMode

from core.pipeline.model import find_device
from train import fit, run_folder
from train.bench.results import write_results
from train.bench.speed import COMPOSING, LONG, SAMPLING, SHORT, Work
from train.bench.timing import medians_in_turn
from train.command import run_program
from train.loop import Run, set_up, step_generator, train_step, update
from train.options import Fit
from train.tools.bench_dance import nothing, stages_of

PRODUCT = 8192  # rows and columns of the matrices whose product is the peak


@dataclass(frozen=True)
class Bench:
    """Time a graphics card."""

    model: Path | None = None  # a model folder; the embedded model otherwise
    device: str = "cuda"
    threads: int = 2  # of the processor beside it
    runs: int = 3  # how often each row is timed
    presets: tuple[str, ...] = ("default", "paper")  # whose dancers are trained
    batches: tuple[int, ...] = (32, 256)  # crops in a step
    steps: int = 10  # that are timed of each, after three
    peak: float | None = None  # TFLOP/s of the card in bfloat16, as its vendor says; measured otherwise
    tables: tuple[Literal["waiting", "training"], ...] = ("waiting", "training")  # which are made
    out: Path | None = None  # also write all rows as JSON


def waiting(device: torch.device) -> Callable[[], None]:
    """A function that waits until the device has done what it was given."""
    return partial(torch.cuda.synchronize, device) if device.type == "cuda" else nothing


def inference_rows(card: Work, processor: Work, runs: int) -> list[dict]:
    """Every operation from file to file on both, in turn.

    Returns ``{"what", "card", "processor"}``, both in seconds.
    """
    makes = {"dance": "dance", "music from motion": "score", "dance and music": "duet"}
    if "music" not in card.model.denoisers:
        del makes["music from motion"], makes["dance and music"]
    rows = []
    for seconds in (SHORT, LONG):
        for what, name in makes.items():
            both = [partial(getattr(work, name), seconds) for work in (card, processor)]
            if seconds == SHORT:
                for make in both:
                    make()  # warm
            rows.append({"what": f"{seconds} s: {what}", **_both(medians_in_turn(both, runs))})
    return rows


def sampling_rows(card: Work, processor: Work, runs: int) -> list[dict]:
    """Sampling alone, by the model and its teachers, on both in turn; as ``inference_rows``."""
    waits = waiting(card.model.device)
    stages = {"dance": ("dance", SAMPLING), "music": ("score", COMPOSING)}
    rows = []
    for what, quality in ((what, quality) for what in stages for quality in ("normal", "fine")):
        name, stage = stages[what]
        if {"dance": "motion"}.get(what, what) not in card.model.config.teachers:
            continue
        taken: list[list[float]] = [[], []]
        for _ in range(runs + 1):
            for work, seconds in zip((card, processor), taken, strict=True):
                seconds.append(stages_of(partial(getattr(work, name), SHORT, quality), waits)[stage])
        medians = [sorted(seconds[1:])[runs // 2] for seconds in taken]  # the first is for warmth
        rows.append({"what": f"{SHORT} s: sampling of {what}, {quality}", **_both(medians)})
    return rows


def _both(medians: list[float]) -> dict[str, float]:
    return dict(zip(("card", "processor"), medians, strict=True))


@contextmanager
def dancer_in_training(preset: str, device: str) -> Iterator[Callable[[int], Run]]:
    """Prepares training of a preset's dancer on synthetic data, and yields a run of it by its batch size."""
    with tempfile.TemporaryDirectory() as folder:
        args = Fit("denoiser", Path("synthetic"), Path(folder), preset=preset)
        pairs = fit.load_training_pairs(args)
        config = fit.model_config(args, pairs)
        for autoencoder in run_folder.TASKS[:2]:
            fit.main(_on(dataclasses.replace(args, task=autoencoder, steps=1), device))  # type: ignore[arg-type]
        stages = fit.Stages(args.theatre, args.out, config, pairs)
        loop, fabric = fit.start(_on(args, device), "denoiser")
        task = fit.make_task("denoiser", args, config, pairs, stages, fabric.device)
        yield lambda batch: set_up(task, dataclasses.replace(loop, batch=batch), fabric)


def _on(args: Fit, device: str) -> Fit:
    """The same on a device."""
    name = args.task.replace("-", "_")
    recipe = getattr(args, name)
    loop = dataclasses.replace(recipe.loop, accelerator="cuda" if device.startswith("cuda") else "cpu")
    return dataclasses.replace(args, **{name: dataclasses.replace(recipe, loop=loop)})


def training_row(run: Run, steps: int) -> dict[str, float]:
    """A training step.

    Returns "parameters"; "step", seconds of the loop for one; "busy", those of the networks for a batch that is ready;
    and "operations" of one, by PyTorch's count, where a multiplication and an addition are two.
    """
    size, device = run.config.batch, run.fabric.device
    waits = waiting(device)
    ((name, phase),) = run.phases.items()
    generator = step_generator(run.config.seed, 0)
    ready = run.fabric.to_device(run.task.batch(size, generator))
    rate = run.config.lr
    with FlopCounterMode(display=False) as counter:
        update(run, name, phase, [(ready, generator)], rate)
    whole = _seconds(lambda: train_step(run, rate), steps, waits)
    busy = _seconds(lambda: update(run, name, phase, [(ready, generator)], rate), steps, waits)
    return {
        "parameters": sum(p.numel() for p in phase.parameters() if p.requires_grad),
        "step": whole,
        "busy": busy,
        "operations": counter.get_total_flops(),
    }


def _seconds(make: Callable[[], object], times: int, waits: Callable[[], None]) -> float:
    """The mean seconds of a call, after three."""
    for _ in range(3):
        make()
    waits()
    began = time.perf_counter()
    for _ in range(times):
        make()
    waits()
    return (time.perf_counter() - began) / times


def training_rows(args: Bench, peak: float) -> list[dict]:
    """A row for each preset and batch size, with "mfu", the share of ``peak`` (operations a second)."""
    rows = []
    for preset in args.presets:
        with dancer_in_training(preset, args.device) as run_of:
            for batch in args.batches:
                row = training_row(run_of(batch), args.steps)
                mfu = row["operations"] / row["busy"] / peak
                rows.append({"what": f"{preset}, {batch} crops", **row, "mfu": mfu})
    return rows


def measured_peak(device: torch.device, size: int = PRODUCT) -> float:
    """Operations a second of a product of two bfloat16 matrices of ``size`` x ``size``."""
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * size**3 / _seconds(lambda: left @ right, 20, waiting(device))


def inference_table(rows: list[dict], names: tuple[str, str]) -> str:
    """Seconds on both as text."""
    lines = [f"{'seconds':36s}{names[0]:>24s}{names[1]:>24s}{'ratio':>8s}"]
    for row in rows:
        ratio = row["processor"] / row["card"]
        lines.append(f"{row['what']:36s}{row['card']:24.3f}{row['processor']:24.3f}{ratio:8.1f}")
    return "\n".join(lines)


def training_table(rows: list[dict], peak: float) -> str:
    """Training steps as text."""
    lines = [f"{'training step':24s}{'M weights':>10s}{'loop ms':>10s}{'busy ms':>10s}{'GFLOP':>10s}{'MFU':>8s}"]
    for row in rows:
        weights, operations = row["parameters"] / 1e6, row["operations"] / 1e9
        lines.append(
            f"{row['what']:24s}{weights:10.1f}{1e3 * row['step']:10.1f}{1e3 * row['busy']:10.1f}"
            f"{operations:10.0f}{row['mfu']:8.1%}"
        )
    return "\n".join([*lines, f"MFU is of {peak / 1e12:.1f} TFLOP/s."])


def main(args: Bench) -> dict:
    """Print both tables. Returns their rows. Raises FootlightError where there is no such device."""
    device = find_device(args.device)
    torch.set_num_threads(args.threads)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    rows, steps, peak = [], [], args.peak and 1e12 * args.peak
    if "waiting" in args.tables:
        rows = waiting_rows(args)
        print(inference_table(rows, (name, f"processor, {args.threads} threads")), flush=True)
    if "training" in args.tables:
        peak = peak or measured_peak(device)
        steps = training_rows(args, peak)
        print(training_table(steps, peak))
    found = {"device": name, "seconds": rows, "training": steps, "peak": peak}
    write_results(found, args.out)
    return found


def waiting_rows(args: Bench) -> list[dict]:
    """The rows of what a user waits for."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        card, processor = Work(Path(one), args.model, args.device), Work(Path(other), args.model, "cpu")
        for work in (card, processor):
            work.dance(LONG)  # what is scored
            work.dance(SHORT)
        return inference_rows(card, processor, args.runs) + sampling_rows(card, processor, args.runs)


if __name__ == "__main__":
    run_program("train.bench.card", main, Bench, __doc__)

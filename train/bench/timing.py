"""How the benchmarks time: in turn, by a clock, with as many threads as are asked for."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


def medians_in_turn(
    functions: list[Callable[[], object]], runs: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """The median time of each function.

    They are called in turn, so that a drifting machine does not skew ratios.

    clock: ``time.process_time`` counts the processor's time alone.
    """
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(runs):
        for function, taken in zip(functions, times, strict=True):
            began = clock()
            function()
            taken.append(clock() - began)
    return [statistics.median(taken) for taken in times]


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch computes with one thread inside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)

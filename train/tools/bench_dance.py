"""Dances once for every line of input, and prints the seconds of each stage as JSON.

``train.bench`` runs it in processes of its own: where the processor has to do with older instructions, and with the
code of other commits. It therefore uses only what has long been in ``core``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch

from core import pipeline, progress
from core.audio import io
from core.formats import bvh


def stages_of(make: Callable[[], object]) -> dict[str, float]:
    """The seconds of every stage that ``make`` reports, in their order; what it does outside of one is ""."""
    stages, spent = [("", time.perf_counter())], {}

    def show(stage: str, _: float) -> None:
        if stage != stages[-1][0]:
            stages.append((stage, time.perf_counter()))

    with progress.listen(show):
        make()
    stages.append(("", time.perf_counter()))
    for (stage, began), (_, ended) in pairwise(stages):
        spent[stage] = spent.get(stage, 0.0) + ended - began
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("song")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = pipeline.Model.load(args.model)

    def dance() -> None:
        made = pipeline.generate_dance(model, io.read(args.song, seconds=args.seconds))
        bvh.write(args.out, made.motion)

    dance()
    print(json.dumps({"instructions": torch.backends.cpu.get_cpu_capability(), "core": pipeline.__file__}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(stages_of(dance)), flush=True)


if __name__ == "__main__":
    main()

"""Makes a dance, its music or a duet for every line of input, which says which, and prints its stages' seconds as JSON.

``train.bench`` runs it in processes of its own: where the processor has to do with older instructions, and with the
code of other commits. It therefore knows how ``core`` was called before: operations were generators of progress, and
some had other names. Those only dance.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Generator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from core import pipeline
from core.audio import io

CORE = Path(pipeline.__file__).parents[1]
"""The core that is used. An import of what it lacks may find another one that is installed."""
REPORTS = (CORE / "progress.py").is_file()
"""Whether its operations report their progress. Those before yielded it."""
PIPELINE: Any = pipeline  # for names that it had
Make = Callable[[], Any]


def nothing() -> None:
    """There is nothing to wait for: a processor has done what a function returned from."""


def stages_of(make: Make, waits: Callable[[], None] = nothing) -> dict[str, float]:
    """The seconds of every stage that ``make`` reports, in their order; what it does outside of one is "".

    waits: is called where a stage ends; on a graphics card it waits until what was begun is done.
    """
    stages, spent = [("", time.perf_counter())], {}

    def show(stage: str, _: float) -> None:
        if stage != stages[-1][0]:
            waits()
            stages.append((stage, time.perf_counter()))

    if REPORTS:
        with import_module("core.progress").listen(show):
            make()
    else:
        PIPELINE.run(make(), lambda progress: show(progress.stage, progress.fraction))
    stages.append(("", time.perf_counter()))
    for (stage, began), (_, ended) in pairwise(stages):
        spent[stage] = spent.get(stage, 0.0) + ended - began
    return spent


def operations(args: argparse.Namespace) -> dict[str, Make]:
    """What can be made by name, from file to file. A "score" is for the dance that was made last."""
    model = pipeline.Model.load(args.model)
    bvh = import_module("core.formats.bvh" if (CORE / "formats").is_dir() else "core.motion.bvh")
    generate = getattr(pipeline, "generate_dance", None) or PIPELINE.dance

    def generated() -> Any:
        return generate(model, io.read(args.song, seconds=args.seconds))

    def dance() -> None:
        bvh.write(args.out, generated().motion)

    def dance_before() -> Generator[Any, None, None]:
        made = yield from generated()
        bvh.write(args.out, made.motion)

    def score() -> None:
        motion = import_module("core.formats.motion").read_motion(args.out)
        write_music(pipeline.score_motion(model, motion))

    def duet() -> None:
        made = pipeline.generate_duet(model, pipeline.DuetOptions(seconds=args.seconds))
        bvh.write(args.out.with_suffix(".duet.bvh"), made.dance.motion)
        write_music(made.music)

    def write_music(music: Any) -> None:
        import_module("core.formats.music").write_music(args.out.with_suffix(".wav"), music, model.config.signal)

    return {"dance": dance, "score": score, "duet": duet} if REPORTS else {"dance": dance_before}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("song")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    made = operations(args)
    stages_of(made["dance"])
    print(json.dumps({"instructions": torch.backends.cpu.get_cpu_capability(), "core": pipeline.__file__}), flush=True)
    for line in sys.stdin:
        print(json.dumps(stages_of(made[line.strip()])), flush=True)


if __name__ == "__main__":
    main()

"""Makes shards in a few processes. Each comes from one source, and what is done already is not done again."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from core.errors import FootlightError, collected_warnings
from train.data import shards

Records = list[tuple[dict, dict[str, torch.Tensor]]]


@dataclass(frozen=True)
class Job:
    """One source, and the shard that is made from it.

    source: its name in listings.
    key: a digest of everything that the shard depends on.
    make: takes the shard's file name and returns its records (index line, tensors). It can be pickled. It raises
        FootlightError with the reason when the source cannot be used.
    """

    source: str
    shard: Path
    key: str
    make: Callable[[str], Records]


def done(job: Job) -> bool:
    """Whether the job's shard exists and was made from the same things."""
    header = shards.read_header(job.shard)
    return header is not None and header["key"] == job.key


def run(jobs: list[Job], workers: int, bar: tqdm, again: bool = False) -> None:
    """Make the shards that are not done yet.

    workers: processes.
    bar: moves by one for each job.
    again: make all shards, done or not.

    Raises FootlightError for two sources of which the same shard would be made.
    """
    _check_shards(jobs)
    todo = []
    for job in jobs:
        if done(job) and not again:
            bar.update()
        else:
            todo.append(job)
    if workers <= 1 or len(todo) <= 1:
        for job in todo:
            _make(job)
            bar.update()
        return
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with context.Pool(min(workers, len(todo)), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for _ in pool.imap_unordered(_make, todo):
            bar.update()


def _check_shards(jobs: list[Job]) -> None:
    known: dict[Path, str] = {}
    for job in jobs:
        other = known.setdefault(job.shard, job.source)
        if other != job.source:
            raise FootlightError(f"{other} and {job.source} would both become {job.shard.name}; rename one of them")


def _make(job: Job) -> None:
    with collected_warnings() as said:
        try:
            records, reason = job.make(job.shard.name), ""
        except FootlightError as error:
            records, reason = [], str(error)
    shards.write_shard(job.shard, job.key, records, reason, said)


@dataclass(frozen=True)
class Gathered:
    """What came of some jobs.

    lines: the index lines of their shards.
    dropped: ``{"source", "reason"}`` of every source that gave none.
    warned: ``{"source", "warning"}`` of every source that was used, but not as it stood.
    """

    lines: list[dict]
    dropped: list[dict]
    warned: list[dict]


def gather(jobs: list[Job]) -> Gathered:
    """Read back what the jobs' shards hold."""
    found = Gathered([], [], [])
    for job in jobs:
        header = shards.read_header(job.shard)
        if header is None:
            found.dropped.append({"source": job.source, "reason": f"{job.shard.name} could not be read back"})
        elif header["dropped"]:
            found.dropped.append({"source": job.source, "reason": header["dropped"]})
        else:
            found.lines.extend(header["lines"])
            found.warned.extend({"source": job.source, "warning": text} for text in header["warnings"])
    return found

"""Prepare data for training: ``python -m train.prepare DATA_DIR --out DATA [--pairs DIR] [--report]``.

DATA_DIR holds motion capture, music and an ``index.jsonl`` that names them. Songs come first (log-mels, onsets and
beats of whole songs and of rendered arrangements), then pairs: every motion with a music in each tempo band, warped
onto its beats. A repeated run reuses what is done; every source that cannot be used is listed with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tqdm import tqdm

from core.types import FootlightError
from train.data import jobs, report, shards, synth
from train.data.dataset import PAIRS, SONGS
from train.data.pairs import Settings, pair_jobs
from train.data.songs import arrangement_jobs, song_jobs
from train.data.user_pairs import user_jobs

DROPPED = "dropped.jsonl"
SPLITS = ("train", "val")


@dataclass(frozen=True)
class Prepare:
    """Prepare songs and pairs for training."""

    data: Annotated[Path, tyro.conf.Positional]  # a folder with index.jsonl
    out: Path  # the folder to write
    pairs: Path | None = None  # own capture: NAME.bvh beside NAME.wav, flac, ogg, opus or mp3
    only: Literal["songs", "pairs"] | None = None  # one half alone; pairs need the songs of an earlier run
    report: bool = False  # contact sheets of random pairs in OUT/report
    sheets: int = 12  # how many
    limit: int | None = None  # only the first N motions, and the first N songs, of each split
    rendered: int = 40  # arrangements rendered for the mel autoencoder; an eighth as many for val
    again: bool = False  # make anew what is done
    seed: int = 0
    workers: int = 2  # processes
    settings: Settings = field(default_factory=Settings)


def main(args: Prepare) -> list[dict]:
    """Prepare everything; returns the pairs' index lines. Raises FootlightError for input that is no use at all."""
    entries = shards.read_index(args.data / "index.jsonl")
    args.out.mkdir(parents=True, exist_ok=True)
    motions = _first([entry for entry in entries if entry["kind"] == "motion"], args.limit)
    audio = _first([entry for entry in entries if entry["kind"] == "audio"], args.limit)
    song_work = song_jobs(args.data, args.out, audio)
    for split, count in (("train", args.rendered), ("val", -(-args.rendered // 8))):
        song_work += arrangement_jobs(args.data, args.out, split, count, args.seed)
    if args.rendered or args.settings.rendered_share:
        synth.find_program(), synth.find_soundfont()  # said now, not after ten minutes
    own_work, dropped = user_jobs(args.pairs, args.out) if args.pairs else ([], [])
    with tqdm(desc="songs", unit=" files", mininterval=1.0) as bar:
        bar.total = (len(song_work) if args.only != "pairs" else 0) + (
            len(motions) + len(own_work) if args.only != "songs" else 0
        )
        if args.only != "pairs":
            jobs.run(song_work, args.workers, bar, args.again)
            lines, unusable = jobs.gather(song_work)
            dropped += unusable
            shards.write_index(args.out / SONGS, lines)
        if args.only == "songs":
            return _finish(args, [], dropped)
        bar.set_description("pairs")
        songs_key = shards.key(shards.read_index(args.out / SONGS))
        work = pair_jobs(args.data, args.out, motions, songs_key, args.settings, args.seed) + own_work
        jobs.run(work, args.workers, bar, args.again)
    lines, unusable = jobs.gather(work)
    shards.write_index(args.out / PAIRS, lines)
    return _finish(args, lines, dropped + unusable)


def _first(entries: list[dict], limit: int | None) -> list[dict]:
    return [e for split in SPLITS for e in [e for e in entries if e["split"] == split][:limit]]


def _finish(args: Prepare, lines: list[dict], dropped: list[dict]) -> list[dict]:
    shards.write_index(args.out / DROPPED, dropped)
    if lines:
        print(report.summary(lines))
    for drop in dropped:
        print(f"not used: {drop['source']}: {drop['reason']}")
    if args.report and lines:
        made = report.contact_sheets(args.out, args.out / "report", args.sheets, args.seed)
        print(f"{len(made)} contact sheets in {args.out / 'report'}")
    return lines


if __name__ == "__main__":
    try:
        main(tyro.cli(Prepare, description=__doc__))
    except FootlightError as error:
        raise SystemExit(f"train.prepare: {error}") from None

"""Prepare data for training: ``python -m train.prepare [DATA_DIR] --out DATA [--pairs DIR] [--aist DIR] [--report]``.

DATA_DIR holds motion capture, music and an ``index.jsonl`` that names them. ``--pairs`` takes your own motion
capture with its music. ``--aist`` takes AIST++ as it is published, with the music of the AIST Dance Video Database in
``music``.

Songs come first: log-mels, onsets and beats of whole songs and of rendered arrangements. Then come pairs: every motion
with music in each tempo band, warped onto its beats. What was recorded together stays as it is. ``--beats`` renders
music whose beats are known exactly, for the beat tracker, and nothing else. A second run reuses what is done. Every
source that cannot be used is listed with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tqdm import tqdm

from core.errors import FootlightError
from train.command import run_program
from train.data import jobs, report, shards
from train.data.dataset import BEATS, PAIRS, SONGS
from train.data.music import known_beats, synth
from train.data.music.songs import arrangement_jobs, song_jobs
from train.data.pairing.aist import aist_jobs
from train.data.pairing.pairs import Settings, pair_jobs
from train.data.pairing.user_pairs import Reading, in_our_options, user_jobs

SPLITS = ("train", "val")


@dataclass(frozen=True)
class Prepare:
    """Prepare songs and pairs for training."""

    # a folder with index.jsonl
    data: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="DATA_DIR")] = None
    out: Path = Path("data")  # the folder to write
    aist: Path | None = None  # AIST++: motions/*.pkl, splits/, ignore_list.txt, music/*.wav or mp3
    aist_music: Path | None = None  # its music, if that is elsewhere
    # your own motion capture: a folder of NAME.bvh, npz, npy, pkl beside NAME.wav, mp3, m4a and others, or a CSV file
    # that says which take was danced to which song: take,song,start
    pairs: Path | None = None
    pairs_fps: float | None = None  # frames per second of files there that do not say theirs
    # T-pose of BVH files there: zero, first-frame, motion, or a BVH file that stands in it
    pairs_rest: str | None = None
    only: Literal["songs", "pairs"] | None = None  # one half alone; pairs need the songs of an earlier run
    report: bool = False  # contact sheets of random pairs in OUT/report
    sheets: int = 12  # how many
    limit: int | None = None  # only the first N motions, and the first N songs, of each split
    waveforms: bool = False  # keep the samples of all music too, for models of other frames than mels (0.5 GB)
    rendered: int = 40  # arrangements rendered for the mel autoencoder; an eighth as many for val
    beats: int = 0  # render so many excerpts with known beats, and a twelfth as many for val
    again: bool = False  # redo what is done
    seed: int = 0
    workers: int = 2  # processes
    settings: Settings = field(default_factory=Settings)


def main(args: Prepare) -> list[dict]:
    """Prepare everything and return the index lines of the pairs. Raises FootlightError when the input is of no use."""
    if args.data is None and args.aist is None and args.pairs is None:
        raise FootlightError("no data: give a folder with index.jsonl, --aist DIR, --pairs DIR or --pairs LIST.csv")
    entries = shards.read_index(args.data / "index.jsonl") if args.data else []
    if args.data and (args.rendered or args.settings.rendered_share):
        synth.find_program()  # fails now and not after ten minutes
        synth.find_soundfont()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.beats:
        return prepare_beats(args)
    aist_songs, aist_takes, unusable = [], [], []
    if args.aist:
        aist_songs, aist_takes, unusable = aist_jobs(args.aist, args.out, args.aist_music, args.waveforms)
    if args.only != "pairs":
        prepare_songs(args, _first(entries, "audio", args.limit), aist_songs)
    if args.only == "songs":
        return []
    lines = prepare_pairs(args, _first(entries, "motion", args.limit), aist_takes, unusable)
    print(report.summary(lines))
    if args.report:
        made = report.contact_sheets(args.out, args.out / "report", args.sheets, args.seed)
        print(f"{len(made)} contact sheets in {args.out / 'report'}")
    return lines


def prepare_beats(args: Prepare) -> list[dict]:
    """Render excerpts with known beats. Returns their index lines. Raises FootlightError without a data folder."""
    if args.data is None:
        raise FootlightError("--beats renders MIDI: give a folder with index.jsonl, midi/pop909 and midi/groove")
    work = known_beats.jobs(args.data, args.out, "val", -(-args.beats // 12), args.seed)
    return _made(args, work + known_beats.jobs(args.data, args.out, "train", args.beats, args.seed), BEATS, [])


def prepare_songs(args: Prepare, audio: list[dict], more: Sequence[jobs.Job] = ()) -> list[dict]:
    """Prepare whole songs, arrangements and the songs of ``more`` jobs. Returns their index lines."""
    if args.data is None:
        return _made(args, list(more), SONGS, [])
    work = [*song_jobs(args.data, args.out, audio, args.waveforms), *more]
    for split, count in (("train", args.rendered), ("val", -(-args.rendered // 8))):
        work += arrangement_jobs(args.data, args.out, split, count, args.seed, args.waveforms)
    return _made(args, work, SONGS, [])


def prepare_pairs(
    args: Prepare, motions: list[dict], more: Sequence[jobs.Job] = (), unusable: Sequence[dict] = ()
) -> list[dict]:
    """Prepare pairs with the prepared songs, the user's own capture and the takes of ``more`` jobs.

    unusable: ``{"source", "reason"}`` of takes that are already left out.

    Returns the index lines.
    """
    songs = shards.read_index(args.out / SONGS)
    if args.waveforms and shards.shards_without(args.out, songs, "wave"):
        raise FootlightError(
            f"the songs in {args.out} have no waveforms for the pairs: prepare them too, without --only pairs"
        )
    made_from = shards.key(songs), args.settings, args.seed, args.waveforms
    work = pair_jobs(args.data, args.out, motions, *made_from) if args.data else []
    reading = Reading(args.pairs_fps, args.pairs_rest)
    own, dropped = user_jobs(args.pairs, args.out, args.waveforms, reading) if args.pairs else ([], [])
    return _made(args, [*work, *own, *more], PAIRS, [*unusable, *dropped])


def _made(args: Prepare, work: list[jobs.Job], index: str, unusable: list[dict]) -> list[dict]:
    """Run jobs under a progress bar, then write their index and the list of what was not used.

    Returns the index lines.
    """
    with tqdm(total=len(work), desc=Path(index).stem, unit=" files", mininterval=1.0) as bar:
        jobs.run(work, args.workers, bar, args.again)
    found = jobs.gather(work)
    dropped = unusable + found.dropped
    shards.write_index(args.out / index, found.lines)
    shards.write_index(args.out / f"dropped-{index}", dropped)
    for drop in dropped:
        reason = drop["reason"].removeprefix(drop["source"]).lstrip(":, ")  # a reader's names the file itself
        print(f"not used: {drop['source']}: {_in_our_words(args, drop['source'], reason)}")
    for said in found.warned:
        print(f"used with a warning: {_in_our_words(args, said['source'], said['warning'])}")
    return found.lines


def _in_our_words(args: Prepare, source: str, text: str) -> str:
    """What a reader says of a source, with our options for those of the reader where the source is of --pairs."""
    if args.pairs is None:
        return text
    own = args.pairs.parent if args.pairs.is_file() else args.pairs
    return in_our_options(text) if Path(source).is_relative_to(own) else text


def _first(entries: list[dict], kind: str, limit: int | None) -> list[dict]:
    """The first ``limit`` entries of a kind in each split."""
    some = [entry for entry in entries if entry["kind"] == kind]
    return [entry for split in SPLITS for entry in [e for e in some if e["split"] == split][:limit]]


if __name__ == "__main__":
    run_program("train.prepare", main, Prepare, __doc__)

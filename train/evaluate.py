"""Tables and figures like those of the papers, for models and baselines, beside real dance and chance.

    python -m train.evaluate --data DATA --source DATA_DIR --systems default slowing retrieval MODEL=name --out REPORT
    python -m train.evaluate ... --sweep guidance=1,1.5,2,3 snap=0,0.25,0.5
    python -m train.evaluate ... --classifier CLASSIFIER --aist DATA
    python -m train.evaluate --data DATA --source DATA_DIR --systems --scores default --duets default --out REPORT
    python -m train.evaluate --data DATA --source DATA_DIR --edits default --out REPORT
    python -m train.evaluate --data DATA --source DATA_DIR --theatre MODEL=theatre ABLATION=no-music --out REPORT
    python -m train.evaluate --motion DANCE.bvh --music SONG.wav [--json METRICS.json]

The first writes report.html, report.json and tables as CSV. What systems make is kept in REPORT/cache, so a second run
only measures. The third adds what takes a classifier of styles, and held-out takes of AIST++. The fourth is about music
made from val motions and about duets, in the same report as dances or, as here without --systems, alone. It needs data
prepared with --waveforms. The fifth makes parts of a model's dances anew, beside simpler ways to do so, and writes
edits.json alone. The sixth lets theatre models make dances with their light, beside rules and controls, and writes
theatre.json, theatre.csv and figures. The last measures one motion against one song, without any data.
docs/evaluation.md says what the numbers mean, docs/measured.md what they were so far. A system is
WHAT[=NAME][@OPTION=VALUE,...], see train/evaluation/dance/systems.py.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from core import pipeline
from core.errors import FootlightError, collected_warnings
from core.files import write_atomically
from train.command import run_program
from train.evaluation import page, run
from train.evaluation.cache import Cache
from train.evaluation.dance import edits, single, tables
from train.evaluation.layout import as_text
from train.evaluation.music import tables as music_tables
from train.evaluation.theatre import report as theatre_report
from train.evaluation.theatre import tables as theatre_tables


@dataclass(frozen=True)
class Evaluate(theatre_report.TheatreOptions):
    """A report on systems, or the measures of one motion and song."""

    motion: Path | None = None  # one motion to score: .bvh, .npz, .npy, .pkl, or a folder of OpenPose files
    music: Path | None = None  # and its song
    at: float = 0.0  # seconds of the song at which the motion starts
    json: Path | None = None  # a file for the scores of the pair
    edits: str | None = None  # a model whose dances are edited


def main(args: Evaluate) -> dict:
    """Run, print and write. Returns the report."""
    if args.motion is not None or args.music is not None:
        return one_pair(args)
    if args.edits is not None:
        return edited(args)
    if args.theatre:
        return staged(args)
    results = run.run(args)
    run.write_tables(results, args.out)
    page.write(results, args)
    print()
    for table in (*tables.console(results.report), *music_tables.console(results.report)):
        print(as_text(table), end="\n\n")
    for failure in results.failures:
        print(f"{failure['system']} failed on {failure['song']} (seed {failure['seed']}): {failure['reason']}")
    print(f"{args.out / 'report.html'}, report.json and tables as .csv are written")
    return results.report


def edited(args: Evaluate) -> dict:
    """Edit a model's dances, print the table and write edits.json."""
    if args.data is None or args.source is None:
        raise FootlightError("edits need --data and --source")
    cache = Cache(args.cache or args.out / "cache", quiet=False)
    model = pipeline.Model.load(args.edits)
    found, real = edits.run(model, args.data, args.source, args.songs, args.seconds, args.fps, cache)
    print(as_text(edits.table(found, real)))
    report = {"real_seam": real, "cases": [asdict(case) for case in found]}
    args.out.mkdir(parents=True, exist_ok=True)
    write_atomically(args.out / "edits.json", (json.dumps(report, indent=1) + "\n").encode())
    return report


def staged(args: Evaluate) -> dict:
    """Let theatres stage songs, print the tables and write theatre.json, theatre.csv and figures."""
    if args.data is None or args.source is None:
        raise FootlightError("a theatre needs --data and --source")
    cache = Cache(args.cache or args.out / "cache", quiet=False)
    results = theatre_report.run(args, args.data, args.source, cache)
    for table in theatre_tables.everything(results.report):
        print(as_text(table), end="\n\n")
    for failure in results.report["failures"]:
        print(f"{failure['system']} failed on {failure['song']} (seed {failure['seed']}): {failure['reason']}")
    theatre_report.write(results, args.out)
    print(f"{args.out / 'theatre.json'}, theatre.csv and figures are written")
    return results.report


def one_pair(args: Evaluate) -> dict:
    """Measure one motion against one song."""
    if args.motion is None or args.music is None:
        raise FootlightError("one pair is --motion DANCE.bvh and --music SONG.wav; one of them is missing")
    with collected_warnings() as said:
        result = single.evaluate(args.motion, args.music, args.fps, args.at)
    for text in said:
        print(f"evaluate: warning: {text}", file=sys.stderr)
    for table in tables.pair(result):
        print(as_text(table), end="\n\n")
    if args.json is not None:
        write_atomically(args.json, (json.dumps(result, indent=1) + "\n").encode())
    return result


if __name__ == "__main__":
    run_program("train.evaluate", main, Evaluate, __doc__)

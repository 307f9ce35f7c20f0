"""The pictures of docs/architecture.md, docs/evaluation.md and docs/measured.md.

    python -m train.tools.docs_pictures [--report REPORT/report.json [MORE.json ...]] --out docs/images

The way of a song and the metronome need no report. Every other picture supports one claim of the evaluation. It is
drawn from the first report of ``train.evaluate`` that holds what it shows. If no report does, it stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import FootlightError
from core.files import write_atomically
from train.ablations import ABLATIONS
from train.command import run_program
from train.evaluation import figures
from train.evaluation.dance import pictures as dance_pictures
from train.evaluation.music import pictures
from train.tools import song_to_keys


@dataclass(frozen=True)
class DocsPictures:
    """Draw the pictures of the documentation."""

    report: tuple[Path, ...] = ()  # report.json files of train.evaluate
    out: Path = Path("docs/images")  # the pictures' folder


def slowing(report: dict) -> bytes | None:
    """Beat scores can be gamed by slowing on beats: scores over the amount of slowing, the model's as dashed lines."""
    swept = any(row["option"] == "amount" for row in report["sweeps"])
    return figures.sweep(report, "amount", dance_pictures.SWEPT) if swept else None


def ablations(report: dict) -> bytes | None:
    """Trained baselines and ablations beside the model and what needs no training."""
    plain = dance_pictures.without_sweeps(report)
    panels = {path: dance_pictures.PANELS[path] for path in dance_pictures.COMPARED}
    return figures.bars(plain, panels) if set(ABLATIONS) & set(plain["systems"]) else None


def switch(report: dict) -> bytes | None:
    """When the two halves of a duet begin to condition on each other."""
    found = report.get("music", {}).get("switch")
    return pictures.switch_curve(found) if found else None


PICTURES: dict[str, tuple[Callable[[dict], bytes | None], str]] = {  # name -> how it is drawn, and what that takes
    "evaluation-slowing": (slowing, "--sweep amount=..."),
    "evaluation-ablations": (ablations, f"a system named {', '.join(ABLATIONS)}"),
    "evaluation-switch": (switch, "--duets and --switches"),
    "evaluation-phase": (
        lambda report: figures.beat_phase(dance_pictures.without_sweeps(report)),
        "speed through the beat",
    ),
}


DRAWN = {"song-to-keys": song_to_keys.draw, "evaluation-metronome": figures.metronome}
"""What needs no report."""


def main(args: DocsPictures) -> list[Path]:
    """Draw what the reports hold. Returns the files that were written."""
    reports = [read(path) for path in args.report]
    made = {name: draw() for name, draw in DRAWN.items()}
    for name, (drawn, takes) in PICTURES.items():
        picture = next((found for report in reports if (found := drawn(report)) is not None), None)
        if picture is None:
            print(f"{args.out / name}.png stays as it is: no report has {takes}")
        else:
            made[name] = picture
    args.out.mkdir(parents=True, exist_ok=True)
    for name, picture in made.items():
        write_atomically(args.out / f"{name}.png", picture)
        print(f"{args.out / name}.png is drawn")
    return [args.out / f"{name}.png" for name in made]


def read(path: Path) -> dict:
    """A report of ``train.evaluate``. Raises FootlightError for anything else."""
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FootlightError(f"{path}: cannot be read ({error}); give a report.json of train.evaluate") from None
    if not isinstance(report, dict) or not {"systems", "sweeps", "compared_with"} <= report.keys():
        raise FootlightError(f"{path}: is no report of train.evaluate; give the report.json of its folder")
    return report


if __name__ == "__main__":
    run_program("train.tools.docs_pictures", main, DocsPictures, __doc__)

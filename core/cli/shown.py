"""What all commands share: whether a file can be written, progress, and how a result is printed."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core import progress
from core.errors import FootlightError
from core.grid.beat_grid import told_metre

if TYPE_CHECKING:  # torch takes a second to load
    from core.types import Beats


def show_any_name() -> None:
    """Let standard output show names of files that its encoding does not have, escaped as standard error shows them."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def check_place(out: Path, endings: Iterable[str]) -> None:
    """Raises FootlightError if ``out`` cannot be written."""
    if out.suffix.lower() not in endings:
        raise FootlightError(f"{out}: the ending must be one of {', '.join(endings)}")
    if not out.parent.is_dir():
        raise FootlightError(f"{out}: there is no folder {out.parent}; make it first")
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise FootlightError(f"{out}: cannot be written; choose another place")


def tell(args: argparse.Namespace, said: str, metrics: dict[str, float], **values: object) -> None:
    """Print the result: one line, or with --json the ``values``."""
    if args.json:
        rounded = {name: round(value, 4) for name, value in metrics.items()}
        say(type="done", seed=args.seed, metrics=rounded, **values, warnings=args.warnings)
        return
    shown = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in metrics.items())
    print(f"{said}, seed {args.seed}{'; ' if shown else ''}{shown}")


def song_beats(beats: Beats) -> dict:
    """Beats as JSON values, in seconds, with those that start a bar."""
    downbeats = [] if beats.downbeats is None else beats.times[beats.downbeats]
    return {
        "beats": [round(float(time), 4) for time in beats.times],
        "tempo": round(beats.tempo, 3),
        "downbeats": [round(float(time), 4) for time in downbeats],
        "metre": told_metre(beats.metre, beats.confidence),
        "confidence": None if beats.confidence is None else round(beats.confidence, 3),
    }


def in_bars(beats: Beats) -> str:
    """The metre in words; empty if it is unknown."""
    metre = told_metre(beats.metre, beats.confidence)
    return f" in bars of {metre}" if metre else ""


def say(**event: object) -> None:
    """Print an event as a JSON line."""
    print(json.dumps(event), flush=True)


@contextlib.contextmanager
def progress_shown(as_json: bool) -> Iterator[None]:
    """Show the progress of what runs inside: as JSON lines on standard output, or as a bar on standard error."""
    if as_json:
        with progress.listen(lambda stage, fraction: say(type="progress", stage=stage, fraction=fraction)):
            yield
            say(type="progress", stage="Done", fraction=1.0)
        return
    from tqdm import tqdm

    layout = "{desc:<22}{percentage:3.0f}%|{bar:40}| {elapsed}<{remaining}"
    with tqdm(total=1.0, bar_format=layout, disable=None, leave=False) as bar:

        def show(stage: str, fraction: float) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.update(fraction - bar.n)
            bar.refresh()

        with progress.listen(show):
            yield

"""Measure how well the sections of a song are heard: ``python -m train.bench.sections``.

Songs are composed whose sections are known: of other tempos, keys, forms and lengths, some after a moment of silence.
Beats and bars are heard too. Shown is the F-measure of boundaries that are found within 0.5 and within 3 s, as
``mir_eval.segment.detection`` has it, without the song's two ends, and the pairwise F-measure of the labels
(``mir_eval.segment.pairwise``). Chance has as many boundaries elsewhere, at random. Every other song was used to choose
the constants of ``core.rhythm.sections``, so what counts is *others*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mir_eval
import numpy as np
import torch

from core.audio.io import resample
from core.audio.onsets import RHYTHM_RATE, rhythm_mel
from core.rhythm.features import analyse
from core.rhythm.sections import sections_of
from core.types import Waveform
from train.bench.results import write_results
from train.command import run_program
from train.demo.composer.form import BLOCK_BEATS
from train.demo.song import compose

COLUMNS = ("F at 0.5 s", "F at 3 s", "labels")
SLOWEST, FASTEST = 76.0, 160.0  # beats a minute
LEADS = (0.0, 0.0, 0.7, 2.3)  # seconds of silence before the music
USUAL = 4  # every so many songs have the composer's own form
CHANCES = 20
_SEED = 20


@dataclass(frozen=True)
class Bench:
    """Measure how well sections are heard."""

    songs: int = 28
    out: Path | None = None  # every song's figures as JSON


Spans = list[tuple[float, str]]
"""Where each section begins, seconds, and its label."""


def drawn_form(draw: np.random.Generator) -> list[str]:
    """The names of the blocks of a song: verses and choruses of different lengths, with or without the rest."""
    names = ["intro"] * int(draw.integers(1, 3)) if draw.random() < 0.8 else []
    for _ in range(int(draw.integers(2, 4))):
        names += ["verse"] * int(draw.integers(1, 4))
        names += ["lift"] if draw.random() < 0.5 else []
        names += ["chorus"] * int(draw.integers(1, 4))
    names += ["break"] * int(draw.integers(1, 3)) if draw.random() < 0.7 else []
    names += ["chorus"] * int(draw.integers(1, 4))
    return [*names, "outro"] if draw.random() < 0.8 else names


def composed(number: int) -> tuple[Waveform, Spans]:
    """A song and its sections. The same number gives the same song."""
    draw = np.random.default_rng([_SEED, number])
    bpm, lead = float(np.exp(draw.uniform(np.log(SLOWEST), np.log(FASTEST)))), float(draw.choice(LEADS))
    if number % USUAL == 0:
        song = compose(100 + number, bpm, float(draw.uniform(60, 220)))
    else:
        names = drawn_form(draw)
        song = compose(100 + number, bpm, len(names) * BLOCK_BEATS * 60 / bpm, names)
    samples = torch.cat((torch.zeros(round(lead * song.rate)), song.mono.samples))
    return Waveform(samples, song.rate), [(part.start + lead * (part.start > 0), part.name) for part in song.sections]


def heard(song: Waveform) -> Spans:
    """The sections that are heard of a song."""
    sound = resample(song, RHYTHM_RATE)
    mel = rhythm_mel(sound.samples)
    return [(part.start, str(part.label)) for part in sections_of(sound, analyse(sound, mel).beats, mel)]


def measure(true: Spans, found: Spans, seconds: float) -> dict[str, float]:
    """The ``COLUMNS`` of the sections that were found in a song of so many seconds."""
    (known, names), (spans, labels) = (_intervals(some, seconds) for some in (true, found))
    near, far = (mir_eval.segment.detection(known, spans, window=window, trim=True)[2] for window in (0.5, 3.0))
    alike = mir_eval.segment.pairwise(known, names, spans, labels)[2]
    return dict(zip(COLUMNS, map(float, (near, far, alike)), strict=True))


def _intervals(parts: Spans, seconds: float) -> tuple[np.ndarray, Sequence[str]]:
    """Intervals (n, 2) and labels as mir_eval takes them."""
    edges = np.array([*(start for start, _ in parts), seconds])
    return np.stack((edges[:-1], edges[1:]), axis=1), [label for _, label in parts]


def elsewhere(found: Spans, seconds: float, draw: np.random.Generator) -> Spans:
    """As many sections with the same labels, with boundaries at random."""
    starts = [0.0, *sorted(draw.uniform(0, seconds, len(found) - 1).tolist())]
    return [(start, label) for start, (_, label) in zip(starts, found, strict=True)]


def main(args: Bench) -> list[dict]:
    """Compose, hear, measure, print the table, and return the figures of each song."""
    rows = []
    for number in range(args.songs):
        song, true = composed(number)
        found, draw = heard(song), np.random.default_rng(number)
        chances = [measure(true, elsewhere(found, song.seconds, draw), song.seconds) for _ in range(CHANCES)]
        chance = {name: float(np.mean([one[name] for one in chances])) for name in COLUMNS}
        about = {"number": number, "songs": "others" if number % 2 else "chosen by", "seconds": song.seconds}
        rows.append({**about, **measure(true, found, song.seconds), "chance": chance})
    print(table(rows))
    write_results(rows, args.out)
    return rows


def table(rows: list[dict]) -> str:
    """The means over songs, with those of chance in brackets, as text."""
    lines = [f"{'':12}{'songs':>8}" + "".join(f"{column:>16}" for column in COLUMNS)]
    for kind in dict.fromkeys(row["songs"] for row in rows):
        some = [row for row in rows if row["songs"] == kind]
        means = [
            (np.mean([row[name] for row in some]), np.mean([row["chance"][name] for row in some])) for name in COLUMNS
        ]
        lines.append(
            f"{kind:12}{len(some):8}" + "".join(f"{f'{value:.2f} ({chance:.2f})':>16}" for value, chance in means)
        )
    return "\n".join(lines)


if __name__ == "__main__":
    run_program("train.bench.sections", main, Bench, __doc__)

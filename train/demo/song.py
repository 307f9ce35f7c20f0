"""The demo song, composed and rendered by code alone: ``python -m train.demo.song OUT.wav``.

It has drums, bass, chords and a melody in sections of different energy. It needs no recordings and no system packages.
The same seed gives the same samples.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro

from core.audio.io import WRITTEN, encoded
from core.errors import FootlightError
from core.files import write_atomically
from core.types import Beats, Waveform
from train.demo.composer import arrangement, mix
from train.demo.composer.form import BEATS_PER_BAR, Section
from train.demo.composer.instruments import RATE

BPM = 112.0
SECONDS = 120.0


@dataclass(frozen=True)
class DemoSong:
    """A composed song.

    samples: (s, 2) float32 in [-1, 1] at ``rate``.
    rate: Hz.
    beats: exact, with downbeats.
    sections: their times are in seconds.
    """

    samples: np.ndarray
    rate: int
    beats: Beats
    sections: tuple[Section, ...]

    @property
    def mono(self) -> Waveform:
        return Waveform(torch.from_numpy(self.samples.mean(axis=1)), self.rate)


def compose(seed: int = 0, bpm: float = BPM, seconds: float = SECONDS, names: Sequence[str] | None = None) -> DemoSong:
    """Compose a song of exactly ``seconds``, with its first beat at 0 s.

    names: of its blocks of four bars (``form.ENERGY``), as many as it needs; None takes the usual form.

    Raises FootlightError for what cannot be played.
    """
    if not 40 <= bpm <= 240 or not 4 <= seconds <= 3600:
        raise FootlightError(f"{bpm:g} beats a minute for {seconds:g} s; expected 40-240 and 4-3600 s")
    draw = np.random.default_rng(seed)
    written = arrangement.write(seconds * bpm / 60, draw, names)
    samples = mix.render(written, bpm, draw)
    index = np.arange(int(np.ceil(written.beats - 1e-9)))
    beats = Beats(torch.from_numpy(index * 60 / bpm).float(), float(bpm), torch.from_numpy(index % BEATS_PER_BAR == 0))
    beat = 60 / bpm
    sections = tuple(Section(part.name, part.start * beat, part.end * beat, part.energy) for part in written.sections)
    return DemoSong(samples, RATE, beats, sections)


def write_demo_song(path: str | Path, seconds: float = SECONDS, bpm: float = BPM, seed: int = 0) -> DemoSong:
    """Compose a song and save it. The suffix of the path chooses 16-bit wav, flac or ogg.

    The file appears whole or not at all.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITTEN:
        raise FootlightError(f"{path}: ends in {path.suffix or 'nothing'}; expected .wav, .flac or .ogg")
    song = compose(seed, bpm, seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, encoded(path, Waveform(torch.from_numpy(song.samples.T), song.rate)))
    return song


@dataclass(frozen=True)
class Options:
    """Compose the demo song."""

    out: Annotated[Path, tyro.conf.Positional]  # .wav, .flac or .ogg
    seconds: float = SECONDS
    bpm: float = BPM
    seed: int = 0


def main() -> int:
    options = tyro.cli(Options, prog="python -m train.demo.song", description=__doc__)
    try:
        song = write_demo_song(options.out, options.seconds, options.bpm, options.seed)
    except FootlightError as error:
        print(error, file=sys.stderr)
        return 2
    for section in song.sections:
        print(f"{section.start:7.2f} s  {section.name}")
    print(f"{options.out}: {len(song.samples) / song.rate:.2f} s, {options.bpm:g} beats a minute")
    return 0


if __name__ == "__main__":
    sys.exit(main())

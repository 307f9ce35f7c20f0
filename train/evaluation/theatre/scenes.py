"""What is danced to and lit: songs with a look each, the demo song with its known sections, and captured pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from core.audio.features35 import chroma
from core.audio.io import resample
from core.audio.onsets import LOUDNESS_SPAN_DB, ONSET_FPS, RHYTHM_RATE
from core.light.song import Song, listen
from core.metrics import light, theatre
from core.rhythm.features import Rhythm, analyse
from core.types import Beats, Motion
from train.data.dataset import Pair
from train.data.lighting import song_of
from train.data.pairing.striking import accented
from train.demo.song import compose
from train.evaluation.dance.material import Excerpt, song_excerpts, tempo_of, val_dances

CHROMA_HOP = 512  # samples at RHYTHM_RATE


@dataclass(frozen=True, eq=False)
class Sound:
    """What the metrics of Kohl, Wursthorn and Weiß hear of a song, at ``core.metrics.light.FPS``.

    chroma: (t, 12).
    loudness: (t,) amplitude.
    onset: (t,) onset strength.
    """

    chroma: Tensor
    loudness: Tensor
    onset: Tensor


@dataclass(frozen=True, eq=False)
class Scene:
    """A song and the look that its stage is to have.

    name: of the song, or of the captured clip.
    look: name of the look.
    heard: the music as the rules of light hear it.
    rhythm: its rhythm.
    number: its place among the scenes.
    excerpt: the song itself; None for captured pairs, which have no more than a mel.
    mel: (t, m) of a captured pair's music; None for songs.
    sections: (n,) seconds where sections are known to start, without the song's start; None where they are unknown.
    """

    name: str
    look: str
    heard: Song
    rhythm: Rhythm
    number: int
    excerpt: Excerpt | None = None
    mel: Tensor | None = None
    sections: Tensor | None = None

    @property
    def beats(self) -> Beats:
        return self.rhythm.beats

    @property
    def seconds(self) -> float:
        return self.heard.seconds

    @property
    def turns(self) -> Tensor:
        """Seconds (n,) where sections start, far enough from both ends for a change of scene to be seen: known ones, or
        those that the rules hear.
        """
        heard = torch.tensor([section.start for section in self.heard.sections[1:]], dtype=torch.float64)
        starts = heard if self.sections is None else self.sections
        reach = light.SCENE_SECONDS
        return starts[(starts > reach) & (starts < self.seconds - reach)]

    @property
    def band(self) -> str:
        """low, middle or high, as in the paper's three intervals of tempo; unknown without two beats."""
        tempo = tempo_of(self.beats, self.seconds)
        return theatre.tempo_row(tempo) if tempo > 0 else "unknown"

    @cached_property
    def sound(self) -> Sound:
        """Of a song. Captured pairs have none."""
        assert self.excerpt is not None
        samples = resample(self.excerpt.waveform, RHYTHM_RATE).samples
        tones = chroma(samples, RHYTHM_RATE, CHROMA_HOP)
        amplitude = 10 ** ((self.rhythm.loudness - 1) * LOUDNESS_SPAN_DB / 20)
        loudness, onset = (light.resampled(curve[:, None], ONSET_FPS)[:, 0] for curve in (amplitude, self.rhythm.onset))
        return Sound(light.resampled(tones, RHYTHM_RATE / CHROMA_HOP), loudness, onset)


def song_scenes(source: Path, looks: Sequence[str], start: float, seconds: float, most: int | None) -> list[Scene]:
    """An excerpt of every val song, each with the next of the looks. Raises as ``song_excerpts`` does."""
    return [_scene(excerpt, looks) for excerpt in song_excerpts(source, start, seconds, most=most)]


def demo_scene(looks: Sequence[str], seconds: float, number: int) -> Scene:
    """The demo song, whose beats and sections are known."""
    song = compose(seconds=seconds)
    excerpt = Excerpt("demo song", song.mono, analyse(song.mono, beats=song.beats), number)
    starts = torch.tensor([section.start for section in song.sections[1:]], dtype=torch.float64)
    return _scene(excerpt, looks, starts)


def _scene(excerpt: Excerpt, looks: Sequence[str], sections: Tensor | None = None) -> Scene:
    look = looks[excerpt.number % len(looks)]
    heard = listen(excerpt.waveform, excerpt.beats)
    return Scene(excerpt.name, look, heard, excerpt.heard, excerpt.number, excerpt, sections=sections)


def captured(data: Path, looks: Sequence[str], most: int | None, accent: str) -> list[tuple[Scene, Motion]]:
    """``val_dances``, one of each captured clip, with the motion as it "arrives" or set so that it strikes.

    most: how many at most, from all over the data; None is all.
    """
    pairs: dict[str, Pair] = {}
    for pair in val_dances(data):
        pairs.setdefault(pair.motion_name, pair)
    count = min(len(pairs), most or len(pairs))
    chosen = [list(pairs.values())[i * len(pairs) // count] for i in range(count)]
    return [_captured(pair, number, looks, accent) for number, pair in enumerate(chosen)]


def _captured(pair: Pair, number: int, looks: Sequence[str], accent: str) -> tuple[Scene, Motion]:
    piece = accented(pair, accent)
    rhythm = piece.heard()
    look = looks[number % len(looks)]
    return Scene(pair.motion_name, look, song_of(piece), rhythm, number, mel=piece.mel), piece.motion()

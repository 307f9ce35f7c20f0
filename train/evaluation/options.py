"""What is compared, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from train.evaluation.music import report as music


@dataclass(frozen=True)
class Options(music.MusicOptions):
    """What is compared, and on what. Real pairs are always among the systems.

    ``scores`` and ``duets`` add music to the report. Without ``systems`` it is about music alone.
    """

    data: Path | None = None  # prepared pairs, made by train.prepare
    source: Path | None = None  # the data folder that they were made from
    systems: tuple[str, ...] = ("default", "slowing", "retrieval")  # WHAT[=NAME][@OPTION=VALUE,...] each
    sweep: tuple[str, ...] = ()  # guidance=1,1.5,2 varies the first system that has the option
    out: Path = Path("build/evaluation")  # the report's folder
    seconds: float = 30.0  # of every song
    start: float = 10.0  # where the excerpt begins, if the song is long enough
    seeds: int = 1  # dances of each song, scores of each motion
    songs: int | None = None  # how many at most
    fps: float = 30.0  # of dances and motion capture in every score
    variety: int = 5  # seeds of the first song that are compared with each other
    style_songs: int = 4  # songs that models dance to in every style, the nearest to its tempo; 0 is none
    sheets: int = 3  # contact sheets in the report
    cache: Path | None = None  # the folder of what was made; OUT/cache otherwise
    aist: Path | None = None  # data prepared with --waveforms, to whose val takes of AIST++ systems dance too
    classifier: Path | None = None  # of train.fit classifier, for FID, KLD and diversity in its embedding

    @property
    def dances(self) -> bool:
        """Whether dances are compared."""
        return bool(self.systems) or not self.plays

    @property
    def plays(self) -> bool:
        """Whether anything makes music."""
        return bool(self.scores or self.duets)

"""What the drummer plays: a groove for each section, fills where a section ends and crashes where one begins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from train.demo.composer.form import BEATS_PER_BAR, BLOCK_BARS, BLOCK_BEATS, Block

_FILL = 2  # beats
_VERSE_KICKS = ((0, 2.5), (0, 0.75, 2.5), (0, 1.5, 2.5), (0, 2, 2.75))
_LOOSE = 0.006  # beats that hats stray; kick and snare are on the grid


def write(plan: Sequence[Block], draw: np.random.Generator) -> dict[str, list[tuple[float, float]]]:
    """The strokes as (beat, velocity) by drum."""
    drummer = _Drummer(draw)
    for block in plan:
        drummer.play(block)
    return {name: sorted(hits) for name, hits in drummer.strokes.items()}


class _Drummer:
    """Plays block by block.

    strokes: (beat, velocity) by drum.
    kicks: beats of the bass drum in a bar of the verse.

    A groove plays one bar: ``at`` is its first beat, ``bar`` its number in the block, and ``until`` says after how many
    beats a fill begins.
    """

    def __init__(self, draw: np.random.Generator) -> None:
        self.draw = draw
        self.strokes: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.kicks = _VERSE_KICKS[draw.integers(len(_VERSE_KICKS))]

    def play(self, block: Block) -> None:
        groove = {
            "intro": self.intro,
            "verse": self.verse,
            "lift": self.lift,
            "chorus": self.chorus,
            "break": self.build if block.last and block.turn else self.still,
            "outro": self.outro,
        }[block.name]
        if block.turn == 0 and block.name in ("verse", "chorus", "break"):
            self.hit("crash", block.at, 1.0 if block.name == "chorus" else 0.55)
        fills = block.last and block.name in ("verse", "chorus") and block.follows
        for bar in range(BLOCK_BARS):
            until = BEATS_PER_BAR - _FILL if fills and bar == BLOCK_BARS - 1 else BEATS_PER_BAR
            groove(block.at + BEATS_PER_BAR * bar, bar, until)
        if fills:
            self.fill(block.at + BLOCK_BEATS - _FILL)
        if block.name == "lift" or groove == self.build:
            self.hit("riser", block.at + BLOCK_BEATS - 8, 0.8)

    def hit(self, drum: str, beat: float, velocity: float) -> None:
        self.strokes[drum].append((float(beat), float(velocity)))

    def hats(
        self, at: float, step: float, until: float, accents: Sequence[float], velocity: float, drum: str = "hat"
    ) -> None:
        """Even strokes, loud and soft as ``accents`` say in turn.

        step: beats between them.
        """
        for index in range(round(until / step)):
            place = at + index * step + self.draw.uniform(0, _LOOSE)
            self.hit(drum, place, velocity * accents[index % len(accents)] * self.draw.uniform(0.9, 1.05))

    def intro(self, at: int, bar: int, until: int) -> None:
        self.hats(at, 0.25, until, (0.8, 0.35, 0.6, 0.35), 0.35 + 0.1 * bar, "shaker")
        self.hats(at, 1.0, until, (1.0, 0.8), 0.3, "rim")
        if bar >= 2:
            for beat in range(4):
                self.hit("kick", at + beat, 0.7)
        if bar == 3:
            for index in range(4):
                self.hit("snare", at + 3 + 0.25 * index, 0.35 + 0.12 * index)

    def verse(self, at: int, bar: int, until: int) -> None:
        for beat in self.kicks:
            if beat < until:
                self.hit("kick", at + beat, 0.95 if beat == 0 else 0.85)
        if bar % 2 and until == BEATS_PER_BAR:
            self.hit("kick", at + 3.5, 0.7)
        for beat in (1, 3):
            if beat < until:
                self.hit("snare", at + beat, 0.8)
        self.hats(at, 0.5, until, (0.9, 0.6), 0.6)
        for beat in (0.75, 1.75, 2.25, 3.75):
            if beat < until and self.draw.uniform() < 0.3:
                self.hit("snare" if beat in (1.75, 2.25) else "hat", at + beat, 0.18 if beat in (1.75, 2.25) else 0.3)

    def lift(self, at: int, bar: int, until: int) -> None:
        for beat in range(4):
            self.hit("kick", at + beat, 0.9)
            self.hit("open", at + beat + 0.5, 0.35 + 0.05 * bar)
        self.hats(at, 0.25, until, (0.8, 0.4, 0.6, 0.4), 0.5)
        step = (1.0, 1.0, 0.5, 0.25)[bar]
        for index in range(round(BEATS_PER_BAR / step)):
            if step < 1 or index % 2:
                self.hit("snare", at + index * step, 0.36 + 0.1 * bar + (0.15 * index * step / BEATS_PER_BAR))

    def chorus(self, at: int, bar: int, until: int) -> None:
        for beat in range(until):
            self.hit("kick", at + beat, 1.0)
            self.hit("open", at + beat + 0.5, 0.6)
            if beat % 2:
                self.hit("snare", at + beat, 0.85)
                self.hit("clap", at + beat, 0.85)
        if bar % 2 and until == BEATS_PER_BAR:
            self.hit("kick", at + 3.75, 0.6)
        self.hats(at, 0.25, until, (0.75, 0.4, 0.3, 0.45), 0.6)
        self.hats(at, 0.5, until, (0.5, 0.8), 0.4, "shaker")

    def still(self, at: int, bar: int, until: int) -> None:
        self.hats(at, 0.5, until, (0.7, 1.0), 0.3, "shaker")
        self.hit("rim", at + 1, 0.35)
        self.hit("rim", at + 3, 0.4)
        if bar % 2 == 0:
            self.hit("kick", at, 0.6)

    def build(self, at: int, bar: int, until: int) -> None:
        """From stillness to the chorus in four bars.

        The snare comes twice as often each time, and louder, with a gap at the end.
        """
        for beat in range(4):
            if (bar, beat) != (3, 3):
                self.hit("kick", at + beat, 0.55 + 0.12 * bar)
        step = (1.0, 0.5, 0.5, 0.25)[bar]
        for index in range(round((3.0 if bar == 3 else 4.0) / step)):
            self.hit("snare", at + index * step, 0.25 + 0.15 * bar + 0.12 * index * step / BEATS_PER_BAR)
        self.hats(at, 0.5, until, (0.5, 1.0), 0.3 + 0.08 * bar)
        if bar == 3:
            for index, name in enumerate(("high_tom", "mid_tom", "low_tom")):
                self.hit(name, at + 3.25 + 0.25 * index, 0.9)

    def outro(self, at: int, bar: int, until: int) -> None:
        self.hats(at, 0.5, until, (0.6, 0.9), 0.4 - 0.06 * bar)
        for beat in (0, 2) if bar < 2 else (0,):
            self.hit("kick", at + beat, 0.8)
        if bar < 2:
            self.hit("rim", at + 1, 0.5)
            self.hit("rim", at + 3, 0.5)

    def fill(self, at: int) -> None:
        """The last two beats before the next section."""
        shape = self.draw.integers(3)
        self.hit("kick", at, 0.9)
        if shape == 0:
            names = ("high_tom",) * 3 + ("mid_tom",) * 3 + ("low_tom",) * 2
            for index, name in enumerate(names):
                self.hit(name, at + 0.25 * index, 0.7 + 0.035 * index)
        elif shape == 1:
            for index in range(8):
                self.hit("snare", at + 0.25 * index, (0.45, 0.3, 0.35, 0.6)[index % 4] + 0.035 * index)
            self.hit("kick", at + 1, 0.9)
        else:
            for beat, name in (
                (0, "snare"),
                (0.75, "high_tom"),
                (1, "mid_tom"),
                (1.25, "mid_tom"),
                (1.5, "low_tom"),
                (1.75, "snare"),
            ):
                self.hit(name, at + beat, 0.85)

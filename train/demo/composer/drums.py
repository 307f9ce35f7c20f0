"""What the drummer plays: a groove for each section, fills where a section ends and crashes where one begins."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

_BAR = 4  # beats
_BLOCK = 16
_VERSE_KICKS = ((0, 2.5), (0, 0.75, 2.5), (0, 1.5, 2.5), (0, 2, 2.75))
_LOOSE = 0.006  # beats that hats stray; kick and snare are on the grid


def write(plan, draw: np.random.Generator) -> dict[str, list[tuple[float, float]]]:
    """The strokes as (beat, velocity) by drum.

    plan: blocks with ``name``, ``at``, ``turn``, ``round``, ``last`` and ``follows``.
    """
    strokes: dict[str, list[tuple[float, float]]] = defaultdict(list)
    kicks = _VERSE_KICKS[draw.integers(len(_VERSE_KICKS))]

    def hit(name: str, beat: float, velocity: float) -> None:
        strokes[name].append((float(beat), float(velocity)))

    for block in plan:
        groove = {
            "intro": _intro,
            "verse": _verse,
            "lift": _lift,
            "chorus": _chorus,
            "break": _build if block.last and block.turn else _still,
            "outro": _outro,
        }[block.name]
        if block.turn == 0 and block.name in ("verse", "chorus", "break"):
            hit("crash", block.at, 1.0 if block.name == "chorus" else 0.55)
        fill = block.last and block.name in ("verse", "chorus") and block.follows
        for bar in range(4):
            groove(hit, block.at + _BAR * bar, bar, kicks, draw, _BAR - 2 if fill and bar == 3 else _BAR)
        if fill:
            _fill(hit, block.at + _BLOCK - 2, draw)
        if block.name == "lift" or groove is _build:
            hit("riser", block.at + _BLOCK - 8, 0.8)
    return {name: sorted(hits) for name, hits in strokes.items()}


def _hats(hit, at: float, step: float, until: float, accents, velocity: float, draw, name: str = "hat") -> None:
    for index in range(round(until / step)):
        place = at + index * step + draw.uniform(0, _LOOSE)
        hit(name, place, velocity * accents[index % len(accents)] * draw.uniform(0.9, 1.05))


def _intro(hit, at, bar, kicks, draw, until) -> None:
    _hats(hit, at, 0.25, until, (0.8, 0.35, 0.6, 0.35), 0.35 + 0.1 * bar, draw, "shaker")
    _hats(hit, at, 1.0, until, (1.0, 0.8), 0.3, draw, "rim")
    if bar >= 2:
        for beat in range(4):
            hit("kick", at + beat, 0.7)
    if bar == 3:
        for index in range(4):
            hit("snare", at + 3 + 0.25 * index, 0.35 + 0.12 * index)


def _verse(hit, at, bar, kicks, draw, until) -> None:
    for beat in kicks:
        if beat < until:
            hit("kick", at + beat, 0.95 if beat == 0 else 0.85)
    if bar % 2 and until == _BAR:
        hit("kick", at + 3.5, 0.7)
    for beat in (1, 3):
        if beat < until:
            hit("snare", at + beat, 0.8)
    _hats(hit, at, 0.5, until, (0.9, 0.6), 0.6, draw)
    for beat in (0.75, 1.75, 2.25, 3.75):
        if beat < until and draw.uniform() < 0.3:
            hit("snare" if beat in (1.75, 2.25) else "hat", at + beat, 0.18 if beat in (1.75, 2.25) else 0.3)


def _lift(hit, at, bar, kicks, draw, until) -> None:
    for beat in range(4):
        hit("kick", at + beat, 0.9)
        hit("open", at + beat + 0.5, 0.35 + 0.05 * bar)
    _hats(hit, at, 0.25, until, (0.8, 0.4, 0.6, 0.4), 0.5, draw)
    step = (1.0, 1.0, 0.5, 0.25)[bar]
    for index in range(round(_BAR / step)):
        if step < 1 or index % 2:
            hit("snare", at + index * step, 0.36 + 0.1 * bar + (0.15 * index * step / _BAR))


def _chorus(hit, at, bar, kicks, draw, until) -> None:
    for beat in range(int(until)):
        hit("kick", at + beat, 1.0)
        hit("open", at + beat + 0.5, 0.6)
        if beat % 2:
            hit("snare", at + beat, 0.85)
            hit("clap", at + beat, 0.85)
    if bar % 2 and until == _BAR:
        hit("kick", at + 3.75, 0.6)
    _hats(hit, at, 0.25, until, (0.75, 0.4, 0.3, 0.45), 0.6, draw)
    _hats(hit, at, 0.5, until, (0.5, 0.8), 0.4, draw, "shaker")


def _still(hit, at, bar, kicks, draw, until) -> None:
    _hats(hit, at, 0.5, until, (0.7, 1.0), 0.3, draw, "shaker")
    hit("rim", at + 1, 0.35)
    hit("rim", at + 3, 0.4)
    if bar % 2 == 0:
        hit("kick", at, 0.6)


def _build(hit, at, bar, kicks, draw, until) -> None:
    """Four bars from stillness to the chorus.

    The snare comes twice as often each time, and louder, with a gap at the end.
    """
    for beat in range(4):
        if (bar, beat) != (3, 3):
            hit("kick", at + beat, 0.55 + 0.12 * bar)
    step = (1.0, 0.5, 0.5, 0.25)[bar]
    for index in range(round((3.0 if bar == 3 else 4.0) / step)):
        hit("snare", at + index * step, 0.25 + 0.15 * bar + 0.12 * index * step / _BAR)
    _hats(hit, at, 0.5, until, (0.5, 1.0), 0.3 + 0.08 * bar, draw)
    if bar == 3:
        for index, name in enumerate(("high_tom", "mid_tom", "low_tom")):
            hit(name, at + 3.25 + 0.25 * index, 0.9)


def _outro(hit, at, bar, kicks, draw, until) -> None:
    _hats(hit, at, 0.5, until, (0.6, 0.9), 0.4 - 0.06 * bar, draw)
    for beat in (0, 2) if bar < 2 else (0,):
        hit("kick", at + beat, 0.8)
    if bar < 2:
        hit("rim", at + 1, 0.5)
        hit("rim", at + 3, 0.5)


def _fill(hit, at: float, draw: np.random.Generator) -> None:
    """The last two beats before the next section."""
    shape = draw.integers(3)
    hit("kick", at, 0.9)
    if shape == 0:
        names = ("high_tom",) * 3 + ("mid_tom",) * 3 + ("low_tom",) * 2
        for index, name in enumerate(names):
            hit(name, at + 0.25 * index, 0.7 + 0.035 * index)
    elif shape == 1:
        for index in range(8):
            hit("snare", at + 0.25 * index, (0.45, 0.3, 0.35, 0.6)[index % 4] + 0.035 * index)
        hit("kick", at + 1, 0.9)
    else:
        for beat, name in (
            (0, "snare"),
            (0.75, "high_tom"),
            (1, "mid_tom"),
            (1.25, "mid_tom"),
            (1.5, "low_tom"),
            (1.75, "snare"),
        ):
            hit(name, at + beat, 0.85)

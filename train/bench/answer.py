"""Measure how much stage light answers a dance: ``python -m train.bench.answer --source DATA_DIR [THEATRE ...]``.

The default dancer makes pairs of dances to every song. Rules and theatres light both in the same look with the same
noise, so what differs between the two lights is the answer to what differs between the two dances. See
``core.metrics.light.answer`` and ``level_per_energy``. A THEATRE is a word as of ``train.evaluate --theatre``:
``default@answer=0.3`` is the embedded one, whose light is told of music quieter by 30 % where the dancer rests. With
``--told`` each theatre lights once more, told the style of each dance and that its dancer arrives on beats; otherwise
its seed draws a style, the same for both dances, and the accent is its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro

from core import pipeline
from core.light.look import shipped_looks
from core.metrics import light
from core.results import Dance
from core.show.show import Show
from train.bench.results import write_results
from train.command import run_program
from train.evaluation.dance.measures import positions_of
from train.evaluation.dance.systems import THEATRE, Asked, parse
from train.evaluation.statistics import bootstrap
from train.evaluation.theatre.acts import energy_of
from train.evaluation.theatre.scenes import Scene, song_scenes
from train.evaluation.theatre.stagings import lit, options_of, ruled, theatre_of

RULES = "rules"
FPS = 30.0  # of the dances
ACCENT = "arrive"  # of the default dancer
Lighting = Callable[[Scene, Dance], Show]


@dataclass(frozen=True)
class Bench:
    """Light pairs of dances to every song."""

    theatres: Annotated[tuple[str, ...], tyro.conf.Positional] = ("default",)  # FOLDER[=NAME][@OPTION=VALUE,...] each
    source: Path = tyro.MISSING  # a data folder, whose val songs are danced to
    songs: int | None = None  # how many at most
    start: float = 10.0  # seconds of a song, where its excerpt begins
    seconds: float = 30.0  # of every song
    pairs: int = 1  # of dances to every song
    dancer: str = "default"  # the model that dances
    told: bool = False  # also light by theatres that are told each dance's style and accent
    out: Path | None = None  # every song's figures as JSON


def main(args: Bench) -> list[dict]:
    """Dance, light, measure, print the table, and return the figures of each song."""
    dancer, loaded = pipeline.Model.load(args.dancer), {}
    lightings: dict[str, Lighting] = {RULES: lambda scene, dance: ruled(scene, 0, dance.motion)}
    looks = tuple(shipped_looks())
    for word in args.theatres:
        asked = parse(word, THEATRE)
        model = theatre_of(asked, loaded)
        known = looks_of(model)
        lightings[asked.name] = theatre_lighting(asked, model)
        if args.told:
            lightings[f"{asked.name}, told"] = theatre_lighting(asked, model, told=True)
        looks = tuple(look for look in looks if look in known)
    scenes = song_scenes(args.source, looks, args.start, args.seconds, args.songs)
    rows = [
        {"pair": number, **row}
        for scene in scenes
        for number in range(args.pairs)
        for row in answers(scene, dances(dancer, scene, number), lightings)
    ]
    print(table(rows))
    write_results(rows, args.out)
    return rows


def theatre_lighting(asked: Asked, model: pipeline.Model, told: bool = False) -> Lighting:
    """The light of a theatre, always with the same noise.

    told: whether it is told each dance's style and accent.
    """
    options = replace(options_of(asked, model, FPS), seed=0)

    def light(scene: Scene, dance: Dance) -> Show:
        own = replace(options, style=dance.style, accent=ACCENT) if told else options
        return lit(scene, dance.motion, model, own)

    return light


def looks_of(model: pipeline.Model) -> tuple[str, ...]:
    """The looks that a theatre was trained with."""
    assert model.config.theatre is not None
    return model.config.theatre.looks


def dances(dancer: pipeline.Model, scene: Scene, number: int) -> tuple[Dance, Dance]:
    """A pair of dances to the song of a scene, with seeds of its own."""
    assert scene.excerpt is not None
    song = scene.excerpt.waveform
    first, second = (
        pipeline.generate_dance(dancer, song, pipeline.DanceOptions(fps=FPS, seed=seed), beats=scene.beats)
        for seed in (2 * number + 1, 2 * number + 2)
    )
    return first, second


def answers(scene: Scene, pair: tuple[Dance, Dance], lightings: dict[str, Lighting]) -> list[dict]:
    """How every lighting answers the two dances to a song."""
    rows = []
    for name, lighting in lightings.items():
        shows = lighting(scene, pair[0]), lighting(scene, pair[1])
        motions = [dance.motion for dance in pair]
        first, second = (energy_of(positions_of(motion), motion.fps, shows[0].fps) for motion in motions)
        found = light.answer(shows, (first, second))
        slope = light.level_per_energy(shows, (first, second))
        rows.append({"light": name, "song": scene.name, "look": scene.look, **found, "level_per_energy": slope})
    return rows


def table(rows: list[dict]) -> str:
    """The means of every lighting over songs, each of which is the mean of its pairs, as text."""
    lines = [f"{'light for the default dancer':32}{'answer':>8}{'95 %':>16}{'chance':>8}{'level per energy':>18}"]
    for name in dict.fromkeys(row["light"] for row in rows):
        some = [row for row in rows if row["light"] == name]
        value, chance, slope = (bootstrap(by_song(some, column)) for column in ("value", "chance", "level_per_energy"))
        bounds = "" if value.low is None else f"{value.low:.2f} to {value.high:.2f}"
        lines.append(f"{name:32}{value.mean:8.2f}{bounds:>16}{chance.mean:8.2f}{slope.mean:18.3f}")
    return "\n".join(lines)


def by_song(rows: list[dict], column: str) -> np.ndarray:
    """The mean (n,) of a figure over the pairs of each song."""
    songs = dict.fromkeys(row["song"] for row in rows)
    return np.array([np.mean([row[column] for row in rows if row["song"] == song]) for song in songs])


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    run_program("train.bench.answer", main, Bench, __doc__)

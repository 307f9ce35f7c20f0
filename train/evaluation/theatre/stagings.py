"""Systems that stage a song: a name, a digest, and ``stage(scene, seed)``, which makes a dance and its light.

- a theatre makes both, in the look of the scene;
- *no look*: the same model, which is not told the look;
- *rules*: the default model dances, and the rules of the look write the light, with the dancer in view or without;
- *light for it*: the default model dances, and the theatre makes the light for that dance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from core import pipeline
from core.light.dancer import watch
from core.light.look import shipped_looks
from core.light.rules import write_show
from core.pipeline.choices import check_choices
from core.pipeline.theatre import accent_index, as_dance, as_show, look_vector, perform
from core.show.show import Show
from core.types import Motion
from train.data.shards import key
from train.evaluation.cache import Staged, sources_digest
from train.evaluation.dance.measures import positions_of
from train.evaluation.dance.systems import Asked, System, model_key
from train.evaluation.performance import Performance
from train.evaluation.theatre.scenes import Scene


@dataclass(frozen=True, eq=False)
class Staging:
    """A system that stages songs.

    name: in tables.
    key: a digest of all that shapes what it makes besides scene and seed.
    stage: (scene of a song, seed) -> a dance at the evaluation's fps and its light, as long as the song.
    about: for the report.
    """

    name: str
    key: str
    stage: Callable[[Scene, int], Staged]
    about: str

    def attempt(self, scene: Scene, seed: int, stage: Performance) -> Staged | None:
        """What it makes, or None when it failed."""
        assert scene.excerpt is not None
        kept = key("staged", self.key, scene.excerpt.digest, scene.number, scene.look, scene.beats.times.tolist(), seed)
        return stage.attempt(self.name, scene.name, seed, kept, lambda: self.stage(scene, seed))


def theatre_staging(asked: Asked, model: pipeline.Model, fps: float, looks: bool = True) -> Staging:
    """A theatre model. Raises FootlightError for a model without theatre, and options that it does not have.

    looks: whether it is told the look.
    """
    model.check_lights()
    assert model.config.theatre is not None
    options = asked.chosen({})
    accent = str(options.pop("accent", model.config.theatre.accent))
    accent_index(model.config, accent)
    chosen = replace(pipeline.DanceOptions(fps=fps), **options)
    check_choices(chosen, model.config)

    def stage(scene: Scene, seed: int) -> Staged:
        assert scene.excerpt is not None
        song, own = scene.excerpt.waveform, replace(chosen, seed=seed)
        look = look_vector(model, scene.look) if looks else None
        made = perform(model, song, own, look, accent, beats=scene.beats)
        return staged(as_dance(model, made, song.seconds, own).motion, as_show(made, song.seconds))

    name = asked.name if looks else f"{asked.name}, no look"
    about = f"a theatre whose dancer is to {accent}; it is {'told' if looks else 'not told'} the look"
    return Staging(name, key(model_key(asked, fps), looks), stage, about)


def staged(motion: Motion, show: Show) -> Staged:
    """A dance with a show."""
    return Staged(motion, torch.from_numpy(show.values), show.fps)


def lit_dance(dancer: System, model: pipeline.Model, asked: Asked, fps: float, stage: Performance) -> Staging:
    """A system's dance, for which the theatre makes the light."""

    def light(scene: Scene, seed: int) -> Staged:
        assert scene.excerpt is not None
        dance, look = danced(dancer, scene, seed, stage), look_vector(model, scene.look)
        options = pipeline.DanceOptions(seed=seed)
        made = perform(model, scene.excerpt.waveform, options, look, motion=dance, beats=scene.beats)
        return staged(dance, as_show(made, scene.seconds))

    name = f"{dancer.name} dance, light by {asked.name}"
    about = f"the dance of {dancer.name}; {asked.name} is given it and makes its light"
    return Staging(name, key(dancer.key, model_key(asked, fps)), light, about)


def ruled_dance(dancer: System, stage: Performance, seen: bool, variant: int = 0) -> Staging:
    """A system's dance, lit by the rules of the look.

    seen: whether the rules see the dance.
    variant: of the designer's randomness.
    """

    def light(scene: Scene, seed: int) -> Staged:
        dance = danced(dancer, scene, seed, stage)
        return staged(dance, ruled(scene, seed, dance if seen else None, variant))

    name = f"{dancer.name} dance, rules" + ("" if seen else " alone")
    about = f"the dance of {dancer.name}, and light by the rules, which {'see' if seen else 'do not see'} the dance"
    code = sources_digest("core/light", "core/show")
    return Staging(name, key(dancer.key, code, seen, variant), light, about)


def ruled(scene: Scene, seed: int, dance: Motion | None, variant: int = 0) -> Show:
    """The show that the rules of the scene's look write."""
    dancer = None if dance is None else watch(positions_of(dance), dance.fps)
    draw = np.random.default_rng([variant, scene.number, seed])
    return write_show(scene.heard, shipped_looks()[scene.look], draw, dancer)


def danced(dancer: System, scene: Scene, seed: int, stage: Performance) -> Motion:
    """The dance of a system, made once for all that light it."""
    song = scene.excerpt
    assert song is not None
    made = stage.cache.get(dancer.cache_key(song, seed), lambda: dancer.dance(song, seed))
    assert isinstance(made, Motion), "only bodies can be lit"
    return made

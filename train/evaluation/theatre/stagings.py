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
from core.pipeline.theatre import as_dance, as_show, look_vector, perform
from core.show.show import Show
from core.types import Motion
from train.data.shards import key
from train.evaluation.cache import Staged, sources_digest
from train.evaluation.dance.measures import positions_of
from train.evaluation.dance.systems import Asked, System, model_key, model_of
from train.evaluation.performance import Performance
from train.evaluation.theatre.scenes import Scene

OF_THE_LIGHT = ("answer", "look_guidance")  # of ``core.config.TheatreConfig``


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


def theatre_of(asked: Asked, loaded: dict[str, pipeline.Model]) -> pipeline.Model:
    """The model of a theatre, with the sampler and those of ``OF_THE_LIGHT`` in its configuration that are asked for.

    loaded: see ``train.evaluation.dance.systems.model_of``.

    Raises FootlightError for a model without theatre.
    """
    model, options = model_of(asked, loaded), dict(asked.options)
    model.check_lights()
    theatre = model.config.theatre
    assert theatre is not None
    if "sampler" in options:
        sampler = str(options["sampler"])
        sampling = {name: replace(some, sampler=sampler) for name, some in theatre.sampling.items()}
        theatre = replace(theatre, sampling=sampling)
    theatre = replace(theatre, **{name: asked.number(name, getattr(theatre, name)) for name in OF_THE_LIGHT})
    if theatre == model.config.theatre:
        return model
    return replace(model, config=replace(model.config, theatre=theatre))


def options_of(asked: Asked, model: pipeline.Model, fps: float) -> pipeline.TheatreOptions:
    """How a theatre is asked to perform.

    model: of ``theatre_of``.

    Raises FootlightError for options that it does not have.
    """
    assert model.config.theatre is not None
    named = {"snap": "beat_snap"}
    options = {named.get(name, name): value for name, value in asked.options if name not in ("sampler", *OF_THE_LIGHT)}
    chosen = replace(pipeline.TheatreOptions(fps=fps, accent=model.config.theatre.accent), **options)
    check_choices(chosen, model.config)
    return chosen


def theatre_staging(asked: Asked, model: pipeline.Model, fps: float, looks: bool = True) -> Staging:
    """A theatre model.

    model: of ``theatre_of``.
    looks: whether it is told the look.

    Raises FootlightError for options that it does not have.
    """
    chosen = options_of(asked, model, fps)

    def stage(scene: Scene, seed: int) -> Staged:
        assert scene.excerpt is not None
        song, own = scene.excerpt.waveform, replace(chosen, seed=seed)
        look = look_vector(model, scene.look) if looks else None
        made = perform(model, song, own, look, own.accent, beats=scene.beats)
        return staged(as_dance(model, made, song.seconds, own).motion, as_show(made, song.seconds))

    name = asked.name if looks else f"{asked.name}, no look"
    about = f"a theatre whose dancer is to {chosen.accent}; it is {'told' if looks else 'not told'} the look"
    return Staging(name, key(model_key(asked, fps), looks), stage, about)


def staged(motion: Motion, show: Show) -> Staged:
    """A dance with a show."""
    return Staged(motion, torch.from_numpy(show.values), show.fps)


def lit_dance(dancer: System, model: pipeline.Model, asked: Asked, fps: float, stage: Performance) -> Staging:
    """A system's dance, for which the theatre makes the light.

    model: of ``theatre_of``.
    """
    chosen = options_of(asked, model, fps)

    def light(scene: Scene, seed: int) -> Staged:
        dance = danced(dancer, scene, seed, stage)
        return staged(dance, lit(scene, dance, model, replace(chosen, seed=seed)))

    name = f"{dancer.name} dance, light by {asked.name}"
    about = f"the dance of {dancer.name}; {asked.name} is given it and makes its light"
    return Staging(name, key(dancer.key, model_key(asked, fps)), light, about)


def lit(scene: Scene, dance: Motion, model: pipeline.Model, options: pipeline.TheatreOptions) -> Show:
    """The show that a theatre makes for a dance, in the look of the scene."""
    assert scene.excerpt is not None
    look = look_vector(model, scene.look)
    made = perform(model, scene.excerpt.waveform, options, look, options.accent, motion=dance, beats=scene.beats)
    return as_show(made, scene.seconds)


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

"""Performances and their measures: the dance, its light, and how the three modalities agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from core.light.dancer import watch
from core.metrics import beat, light, theatre
from core.rhythm.accents import mean_speed
from core.rhythm.events import strong_beats
from core.show.channels import SHOW_FPS
from core.show.show import Show
from core.theatre.space import Triple
from core.types import Motion
from train.evaluation.cache import Staged
from train.evaluation.dance.measures import positions_of
from train.evaluation.theatre.judge import Judge, clips_of
from train.evaluation.theatre.scenes import Scene


@dataclass(frozen=True, eq=False)
class Act:
    """A performance of a system.

    scores: see ``measured``.
    vectors: music, motion and light (s, k) in the judge's space.
    frames: (n, d) embedded frames.
    """

    system: str
    scene: Scene
    seed: int
    motion: Motion
    show: Show
    scores: dict = field(default_factory=dict)
    vectors: Triple = (torch.empty(0), torch.empty(0), torch.empty(0))
    frames: Tensor = field(default_factory=lambda: torch.empty(0))

    @property
    def song(self) -> str:
        return self.scene.name

    @property
    def clips(self) -> Tensor:
        """Embedded video clips (m, 2 d)."""
        return clips_of(self.frames)


def act_of(system: str, scene: Scene, seed: int, made: Staged) -> Act:
    """The act of what a staging made."""
    return Act(system, scene, seed, made.motion, Show(made.light.numpy(), made.light_fps, scene.look))


def measured(act: Act, judge: Judge) -> Act:
    """The act with its measures.

    ``bas`` is BAS (c) with chance; ``ms``, ``voa``, ``energy_on_beats`` and ``speed`` (m/s) are the dance's. ``cmc``
    and ``sci`` are the judge's, with chance. ``light`` has ``core.metrics.light.evaluate``, and of songs ``kohl`` its
    correspondence. What is undefined is left out.
    """
    scene = act.scene
    positions = positions_of(act.motion)
    vectors = judge.vectors(scene, act.motion, act.show)
    scores = {
        **dance_scores(positions, act.motion.fps, scene),
        "cmc": theatre.cmc(*vectors),
        "sci": judge.style(act.show, scene.look),
        "light": light_scores(act.show, positions, act.motion.fps, scene),
    }
    if scene.excerpt is not None:
        scores["kohl"] = correspondence(act.show, scene)
    return replace(act, scores=scores, vectors=vectors, frames=judge.frames(act.show))


def dance_scores(positions: Tensor, fps: float, scene: Scene) -> dict:
    """The paper's measures of a dance (t, 22, 3), metres."""
    seconds = len(positions) / fps
    strong = beat.within(strong_beats(scene.beats), seconds)
    peaks = beat.energy_peaks(positions, fps)
    found = theatre.evaluate(positions, fps, scene.beats.between(0, seconds))
    return {
        "bas": beat.with_chance(lambda times: beat.alignment(times, peaks), strong, seconds),
        "ms": found["ms"],
        "voa": found["voa"],
        "energy_on_beats": found["energy_on_beats"],
        "speed": float(mean_speed(positions, fps).mean()),
    }


def light_scores(show: Show, positions: Tensor, fps: float, scene: Scene) -> dict:
    """``core.metrics.light.evaluate`` of a show, with the dance's energy."""
    found = light.evaluate(show, strong_beats(scene.beats), scene.turns, energy_of(positions, fps, show.fps))
    return {name: value for name, value in found.items() if not _undefined(value)}


def energy_of(positions: Tensor, fps: float, wanted: float) -> Tensor:
    """The energy (t',) of a dance (t, 22, 3), as the rules of light see it, at another number of frames a second."""
    energy = torch.from_numpy(watch(positions, fps).energy)
    return light.resampled(energy[:, None], SHOW_FPS, wanted)[:, 0]


def answered(act: Act, show: Show, motion: Motion) -> Act:
    """The act with the measure ``answer``: its show and dance against another show, for another dance to its song."""
    energies = [energy_of(positions_of(one), one.fps, act.show.fps) for one in (act.motion, motion)]
    found = light.answer((act.show, show), (energies[0], energies[1]))
    measured = {} if _undefined(found) else {"answer": found}
    return replace(act, scores={**act.scores, "light": {**act.scores["light"], **measured}})


def correspondence(show: Show, scene: Scene) -> dict[str, float]:
    """The measures of Kohl, Wursthorn and Weiß of a show, where they are defined."""
    channels, brightness = (
        light.resampled(curves, show.fps) for curves in (light.channels_of_light(show), light.roles_brightness(show))
    )
    sound = scene.sound
    found = light.correspondence(
        channels, brightness, sound.chroma, sound.loudness, sound.onset, scene.beats.times.double()
    )
    return {name: value for name, value in found.items() if not math.isnan(value)}


def _undefined(value: float | dict[str, float]) -> bool:
    return any(math.isnan(one) for one in (value.values() if isinstance(value, dict) else (value,)))


# Performances that are made of others: controls


def shifted(act: Act, name: str) -> Act:
    """The same dance with the same show, begun elsewhere: a quarter to three quarters of it later."""
    generator = torch.Generator().manual_seed(act.seed + 1000 * act.scene.number)
    turn = int((0.25 + 0.5 * float(torch.rand((), generator=generator))) * act.show.frames)
    return _lit(act, act.show.with_values(torch.from_numpy(act.show.values).roll(turn, 0).numpy()), name)


def lit_by(act: Act, show: Show, name: str) -> Act:
    """The dance of an act with another show, which begins again if it is too short."""
    frames = torch.arange(max(1, round(act.scene.seconds * show.fps))) % show.frames
    return _lit(act, show.with_values(show.values[frames.numpy()]), name)


def _lit(act: Act, show: Show, name: str) -> Act:
    return replace(act, system=name, show=Show(show.values, show.fps, act.scene.look))

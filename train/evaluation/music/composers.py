"""Systems that make music for a motion, behind one protocol: a name, and ``compose(scene, seed)``.

Beside a model stand its own music through Griffin-Lim, its own music moved in time, and what it plays without any
condition. Training music is the baseline. It is chosen by the tempo found in the motion, with and without regard to the
first beat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from core import pipeline
from core.audio.beat_tracking import track_beats
from core.errors import FootlightError
from core.metrics import audio
from core.pipeline import score
from core.pipeline.choices import check_choices
from core.pipeline.model import Model, draw, frames_for, last_of
from core.rhythm import target
from core.types import Beats, Condition
from core.vocoder import griffin_lim
from train.data.shards import key
from train.evaluation.cache import Music
from train.evaluation.dance.systems import REAL, Asked, model_key, model_of
from train.evaluation.music.scenes import Scene, TrainingMusic
from train.evaluation.performance import Performance

SEEDS_APART = 10_000  # between scenes; with a shared seed an unconditional model would play the same to all
NEAREST = "nearest tempo"
NEAREST_ON_BEAT = "nearest tempo, on the beat"


@dataclass(frozen=True, eq=False)
class Composer:
    """A system that makes music.

    name: in tables.
    about: for the report.
    compose: (scene, seed) -> a score of the scene's length.
    key: a digest of all that shapes its music besides scene and seed. Empty means that nothing is kept in the cache.
    """

    name: str
    about: str
    compose: Callable[[Scene, int], Music]
    key: str = ""


@dataclass(frozen=True, eq=False)
class Piece:
    """One score of one composer.

    song: the captured clip, by which ``train.evaluation.statistics`` resamples.
    heard: the beats tracked in the music.
    """

    system: str
    song: str
    seed: int
    scene: Scene
    music: Music
    heard: Beats
    scores: dict


def seed_of(scene: Scene, seed: int) -> int:
    """The pipeline's seed for the ``seed``-th score of a scene."""
    return seed * SEEDS_APART + scene.number


def played(composer: Composer, scene: Scene, seed: int, stage: Performance) -> Music | None:
    """The music, or None when the composer failed."""

    kept = key("music", composer.key, scene.digest, seed_of(scene, seed)) if composer.key else None
    return stage.attempt(composer.name, scene.name, seed, kept, lambda: composer.compose(scene, seed))


def scored(composer: Composer, scenes: list[Scene], seeds: int, stage: Performance) -> list[Piece]:
    """Music for every scene with every seed, measured."""
    found = []
    for scene, seed in stage.cache.progress([(s, n) for s in scenes for n in range(seeds)], composer.name):
        music = played(composer, scene, seed, stage)
        if music is not None:
            real = composer.name == REAL
            heard = scene.heard if real else track_beats(music.sound)
            found.append(Piece(composer.name, scene.unit, seed, scene, music, heard, scores_of(scene, music, heard)))
    return found


def scores_of(scene: Scene, music: Music, heard: Beats) -> dict:
    """``core.metrics.audio.evaluate`` with all that is known about the scene.

    heard: the beats tracked in the music.
    """
    clip, real = scene.clip, scene.music.sound
    return audio.evaluate(music.sound, clip.positions, clip.fps, heard, real, wanted_tempo=scene.tempo, grid=scene.grid)


def real_composer() -> Composer:
    """The music that the motion was paired with. Against itself it is perfect by definition."""
    return Composer(REAL, "the music that the motion was warped onto", lambda scene, seed: scene.music)


def model_composers(asked: Asked, loaded: dict[str, Model], stage: Performance, controls: bool) -> list[Composer]:
    """A model, and with ``controls`` also the systems that use it for comparison.

    Raises FootlightError for a model that makes no music and for options that it does not take.
    """
    model = model_of(asked, loaded)
    model.check_scores()
    chosen = replace(pipeline.ScoreOptions(), **asked.chosen({}))
    check_choices(chosen, model.config)
    steps = model.config.sampling["music"].steps if chosen.steps is None else chosen.steps
    scale = model.config.sampling["music"].guidance if chosen.guidance is None else chosen.guidance

    def compose(scene: Scene, seed: int) -> Music:
        made = pipeline.score_motion(model, scene.clip, replace(chosen, seed=seed_of(scene, seed)))
        return Music.of(made.sound, made.mel)

    size = sum(p.numel() for p in model.denoisers["music"].parameters())
    decoder = "Griffin-Lim, as it has no vocoder" if model.vocoder is None else "its vocoder"
    about = f"{size / 1e6:.1f} M parameters, {steps} steps, guidance {scale:g}, heard through {decoder}"
    own = Composer(asked.name, about, compose, model_key(asked, 0.0))
    return [own, *model_controls(own, model, steps, stage)] if controls else [own]


def model_controls(own: Composer, model: Model, steps: int, stage: Performance) -> list[Composer]:
    """The model's music through Griffin-Lim, its music moved in time, and its music without a condition."""

    def music_of(scene: Scene, seed: int) -> Music:
        music = played(own, scene, seed, stage)
        if music is None:
            raise FootlightError(f"{own.name} made no music")
        return music

    def shifted(scene: Scene, seed: int) -> Music:
        return moved(music_of(scene, seed), seed_of(scene, seed))

    def hollow(scene: Scene, seed: int) -> Music:
        return through_griffin_lim(music_of(scene, seed), model)

    def deaf(scene: Scene, seed: int) -> Music:
        return unconditional(model, scene, seed_of(scene, seed), steps)

    return [
        Composer(f"{own.name}, Griffin-Lim", "the same log-mels, decoded without weights", hollow, f"{own.key} hollow"),
        Composer(f"{own.name}, shifted", "the same music, moved in time by chance", shifted),
        Composer(f"{own.name}, unconditional", "the model without any condition", deaf, f"{own.key} deaf"),
    ]


def moved(music: Music, seed: int) -> Music:
    """The music from a random instant on, followed by what came before it."""
    generator = torch.Generator().manual_seed(seed)
    by = int(torch.randint(len(music.wave), (1,), generator=generator))
    return replace(music, wave=music.wave.roll(by), mel=None)


def through_griffin_lim(music: Music, model: Model) -> Music:
    """The music's own log-mel, decoded without a vocoder."""
    generator = torch.Generator().manual_seed(0)
    assert music.mel is not None
    sound = griffin_lim.decode(music.mel.float()[None], generator, model.config.signal)[0]
    return Music.of(replace(music.sound, samples=sound[: len(music.wave)]))


@torch.no_grad()
def unconditional(model: Model, scene: Scene, seed: int, steps: int) -> Music:
    """What the model plays when motion, rhythm and style are dropped, as long as the scene lasts."""
    condition = score.encode_motion(model, scene.clip, target.rhythm_target(scene.clip.positions, scene.clip.fps))
    nothing = Condition(condition.context, condition.rhythm, keep=torch.zeros(1, dtype=torch.bool, device=model.device))
    frames = frames_for(model, len(scene.clip.positions) / scene.clip.fps)
    latents = last_of(draw(model, "music", nothing, frames, seed, steps, guidance=1.0), steps)
    mel = model.autoencoders["music"].decode_long(latents)
    samples = score.vocode(model, mel)[: len(scene.music.wave)]
    return Music.of(replace(scene.music.sound, samples=samples), mel[0].cpu())


def tempo_composers(training: TrainingMusic) -> list[Composer]:
    """Training music of the tempo nearest to the motion's, from anywhere or on its first beat."""

    def nearest(scene: Scene, seed: int, on_beat: bool = False) -> Music:
        generator = torch.Generator().manual_seed(seed_of(scene, seed))
        line = training.nearest(scene.pulse.tempo, scene.seconds, seed)
        pulse = scene.pulse
        bars = pulse.times if pulse.downbeats is None or not pulse.downbeats.any() else pulse.times[pulse.downbeats]
        first = float(bars[0]) if on_beat else None
        return training.excerpt(line, float(torch.rand(1, generator=generator)), scene.seconds, first)

    chosen = "training music of the tempo nearest to that found in the motion, never stretched"
    return [
        Composer(NEAREST, f"{chosen}, from any instant on", nearest),
        Composer(
            NEAREST_ON_BEAT,
            f"{chosen}, begun so that its bars fall on those found in the motion",
            lambda scene, seed: nearest(scene, seed, on_beat=True),
        ),
    ]

"""A dance and its music from nothing: both experts step down together (MoMu-Diffusion section 4.3).

What they tell each other is more than latents, because both were trained on rhythm beside them. Their estimates are
decoded at every step, one pulse is tracked in what both do, and both are told that pulse: each with its own accents
and loudness, as in a dance to a song or a music to a motion.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from core.audio import onsets
from core.diffusion.joint import Chain, cross_guided
from core.motion import features, kinematics
from core.motion.layouts import layout_named
from core.pipeline import dance, score
from core.pipeline.dance import Dance
from core.pipeline.model import Model, first_noise, frames_for, guided_denoiser, last_of, schedule_of, style_of
from core.pipeline.options import DuetOptions, noise_seed, style_for
from core.pipeline.score import Score
from core.rhythm.features import rhythm_features
from core.rhythm.target import RhythmTarget, rhythm_target, shared_beats
from core.types import Beats, Condition, Motion, Progress, part


@dataclass(frozen=True)
class Duet:
    """A dance and its music, of one length. dance: its beats are those heard in the music."""

    dance: Dance
    music: Score


@torch.no_grad()
def generate_duet(model: Model, options: DuetOptions | None = None) -> Generator[Progress, None, Duet]:
    """Invent both. Same model and options: the same duet.

    Raises FootlightError for options out of range, and models that cannot do both.
    """
    options = options or DuetOptions()
    options.check(model.config)
    layout_named(model.config.signal.motion_layout).check_moves_a_rig()
    model.check_scores()
    steps = model.config.scoring.steps if options.steps is None else options.steps
    yield Progress("Inventing", 0.0)
    walk = cross_guided(*chains(model, options), schedule_of(model.config), steps, options.switch)
    danced, played = yield from last_of(walk, steps, "Inventing", 0.0, 0.65)

    draft = Draft.of(model, danced, played)
    playing = score.decode_music(model, played, draft.target(), options.seconds)
    music = yield from part(playing, "Playing the music", 0.65, 0.9)
    steps_left = dance.finishing(draft.raw, music.heard, options.seconds, options.fps, options.beat_snap)
    motion = yield from part(steps_left, "Planting the feet", 0.9, 0.97)
    judged = yield from part(dance.judging(motion, music.heard), "Judging the dance", 0.97, 0.99)
    return Duet(Dance(motion, music.heard, judged, dance_style(model, options)), music)


@dataclass(frozen=True, eq=False)
class Draft:
    """What both latents (1, t, z), standardised, come to at one moment. raw: the motion as the autoencoder leaves it.
    positions: (t, 22, 3) of it.  mel: (t, m).  beats: the one pulse of both, with bars."""

    motion: Tensor
    music: Tensor
    raw: Motion
    positions: Tensor
    mel: Tensor
    beats: Beats

    @classmethod
    def of(cls, model: Model, motion: Tensor, music: Tensor) -> Draft:
        signal = model.config.signal
        drawn = model.motion_vae.decode_long(motion)[0].float().cpu()
        raw = features.decode(drawn, signal.motion_layout, signal.motion_fps)
        positions = kinematics.forward(raw.rotations, raw.root)
        mel = model.mel_vae.decode_long(music)[0].float().cpu()
        return cls(motion, music, raw, positions, mel, shared_beats(positions, raw.fps, onsets.onset_strength(mel)))

    def target(self) -> RhythmTarget:
        """What the motion asks of the music, on the beats of both."""
        return rhythm_target(self.positions, self.raw.fps, self.beats)

    def heard(self, frames: int, fps: float) -> Tensor:
        """(frames, r) the rhythm of the music, on the beats of both."""
        return rhythm_features(self.beats, onsets.onset_strength(self.mel), onsets.loudness(self.mel), frames, fps)


def dance_style(model: Model, options: DuetOptions) -> str | None:
    """What the dancer is told; the composer is told what was asked for, as styles are of dances first of all."""
    return style_for(model.config, options.style, noise_seed(options.seed))


def chains(model: Model, options: DuetOptions) -> tuple[Chain, Chain]:
    """The dancer and the composer, for ``cross_guided``. One seed draws the noise of both."""
    config, generator = model.config, torch.Generator().manual_seed(options.seed)
    frames = frames_for(model, options.seconds)
    dancers, composers = (style_of(model, style) for style in (dance_style(model, options), options.style))
    latest: list[Draft] = []

    def together(motion: Tensor, music: Tensor) -> Draft:  # both experts ask for the same moment
        if not latest or latest[0].motion is not motion or latest[0].music is not music:
            latest[:] = [Draft.of(model, motion, music)]
        return latest[0]

    def told(latents: Tensor, features: Tensor, channels: int, style: Tensor | None) -> Condition:
        return Condition(latents, features[None].to(model.device) if channels else None, style)

    def to_dancer(music: Tensor, motion: Tensor) -> Condition:
        heard = together(motion, music).heard(frames, config.latent_fps)
        return told(music, heard, config.denoiser.rhythm_channels, dancers)

    def to_composer(motion: Tensor, music: Tensor) -> Condition:
        target = together(motion, music).target().features(frames, config.latent_fps)
        return told(motion, target, config.scorer.rhythm_channels, composers)

    return (
        Chain(
            guided_denoiser(model, model.denoiser, config.sampling, options.guidance),
            first_noise(model, config.denoiser, frames, generator),
            to_dancer,
        ),
        Chain(
            guided_denoiser(model, model.scorer, config.scoring, options.guidance),
            first_noise(model, config.scorer, frames, generator),
            to_composer,
        ),
    )

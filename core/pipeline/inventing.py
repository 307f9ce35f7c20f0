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

from core.audio import rhythm
from core.diffusion.joint import Expert, cross_guided
from core.motion import features, kinematics, pulse
from core.motion.layouts import layout_named
from core.pipeline import composing, dancing
from core.pipeline.composing import Score
from core.pipeline.dancing import Dance
from core.pipeline.model import Model, expert, first_noise, frames_for, last_of, schedule_of, style_of
from core.pipeline.options import DuetOptions
from core.types import Beats, Condition, Motion, Progress, part


@dataclass(frozen=True)
class Duet:
    """A dance and its music, of one length. dance: its beats are those heard in the music."""

    dance: Dance
    music: Score


@torch.no_grad()
def duet(model: Model, options: DuetOptions | None = None) -> Generator[Progress, None, Duet]:
    """Invent both. Same model and options: the same duet.

    Raises FootlightError for options out of range, and models that cannot do both.
    """
    options = options or DuetOptions()
    options.check(model.config)
    layout_named(model.config.signal.motion_layout).check_moves_a_rig()
    model.check_scores()
    steps = model.config.scoring.steps if options.steps is None else options.steps
    yield Progress("Inventing", 0.0)
    walk = cross_guided(*experts(model, options), schedule_of(model.config), steps, options.switch)
    danced, played = yield from last_of(walk, steps, "Inventing", 0.0, 0.65)

    raw = decoded_motion(model, danced)
    wish = wish_of(raw, agreed(model, raw, model.mel_vae.decode_long(played)[0].cpu()))
    music = yield from part(composing.sounding(model, played, wish, options.seconds), "Playing the music", 0.65, 0.85)
    heard = yield from part(rhythm.analysis(music.sound), "Listening to it", 0.85, 0.9)
    steps_left = dancing.finishing(raw, heard.beats, options.seconds, options.fps, options.beat_snap)
    motion = yield from part(steps_left, "Planting the feet", 0.9, 0.97)
    judged = yield from part(dancing.judging(motion, heard.beats), "Judging the dance", 0.97, 0.99)
    return Duet(Dance(motion, heard.beats, judged), music)


def experts(model: Model, options: DuetOptions) -> tuple[Expert, Expert]:
    """The dancer and the composer, for ``cross_guided``. One seed draws the noise of both."""
    config, generator = model.config, torch.Generator().manual_seed(options.seed)
    frames, style = frames_for(model, options.seconds), style_of(model, options.style)

    def danced(music: Tensor, motion: Tensor) -> Condition:
        mel = model.mel_vae.decode_long(music)[0].float().cpu()
        beats = agreed(model, decoded_motion(model, motion), mel)
        told = rhythm.rhythm_features(
            beats, rhythm.onset_strength(mel), rhythm.loudness(mel), frames, config.latent_fps
        )
        return Condition(latents=music, rhythm=_told(told, config.denoiser.rhythm_channels, model), style=style)

    def played(motion: Tensor, music: Tensor) -> Condition:
        raw = decoded_motion(model, motion)
        wish = wish_of(raw, agreed(model, raw, model.mel_vae.decode_long(music)[0].float().cpu()))
        told = wish.features(frames, config.latent_fps)
        return Condition(latents=motion, rhythm=_told(told, config.scorer.rhythm_channels, model), style=style)

    return (
        Expert(
            expert(model, model.denoiser, config.sampling, options.guidance),
            first_noise(model, config.denoiser, frames, generator),
            danced,
        ),
        Expert(
            expert(model, model.scorer, config.scoring, options.guidance),
            first_noise(model, config.scorer, frames, generator),
            played,
        ),
    )


def _told(features: Tensor, channels: int, model: Model) -> Tensor | None:
    return features[None].to(model.device) if channels else None


def decoded_motion(model: Model, latents: Tensor) -> Motion:
    """The motion of standardised latents (1, t, z), as the autoencoder leaves it."""
    signal = model.config.signal
    drawn = model.motion_vae.decode_long(latents)[0].float().cpu()
    return features.decode(drawn, signal.motion_layout, signal.motion_fps)


def agreed(model: Model, raw: Motion, mel: Tensor) -> Beats:
    """The one pulse of a motion and a log-mel (t, m) that go together, with bars."""
    return pulse.shared(kinematics.forward(raw.rotations, raw.root), raw.fps, rhythm.onset_strength(mel))


def wish_of(raw: Motion, beats: Beats) -> pulse.Wish:
    """What the motion asks of its music, on beats that are already agreed upon."""
    return pulse.wish(kinematics.forward(raw.rotations, raw.root), raw.fps, beats)

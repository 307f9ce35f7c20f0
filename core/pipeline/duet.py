"""Generates a duet, a dance and its music, by two chains that are sampled together (MoMu-Diffusion section 4.3).

The chains exchange more than latents, because both were also trained on rhythm. At every step, their clean estimates
are decoded and common beats are tracked in both. Each chain is conditioned on these beats, with accents and loudness of
the other, as in a dance for a song or a score for a motion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from core import progress
from core.audio.onsets import loudness, onset_strength
from core.diffusion.sampler import Chain, walk
from core.motion import features, kinematics
from core.motion.layouts import layout_named
from core.pipeline import dance, score
from core.pipeline.choices import check_choices, noise_seed, steps_for, style_for
from core.pipeline.model import Model, first_noise, frames_for, guided_denoiser, last_of, schedule_of, style_of
from core.protocol import DuetOptions
from core.results import Dance, Duet
from core.rhythm.accents import kinematic_beats
from core.rhythm.features import rhythm_features
from core.rhythm.target import RhythmTarget, rhythm_target, shared_beats
from core.types import Beats, Condition, Motion


@torch.no_grad()
def generate_duet(model: Model, options: DuetOptions | None = None) -> Duet:
    """Generate a dance and its music. The same model and options give the same duet.

    Both take as many steps as the slower of them needs.

    Raises FootlightError for options that the model does not support, and models that do not generate both.
    """
    options = options or DuetOptions()
    model = model.at(options.quality)
    check_choices(options, model.config)
    layout_named(model.config.modalities["motion"].representation).check_moves_a_rig()
    model.check_scores()
    steps = max(steps_for(model.config, name, options.steps) for name in ("motion", "music"))
    with progress.part(0.0, 0.65, "Inventing"):
        drawn = last_of(walk(chains(model, options), schedule_of(model.config), steps), steps)
    with progress.part(0.65, 0.9, "Playing the music"):
        draft = Draft.of(model, drawn)
        music = score.decode_music(model, drawn["music"], draft.target(), options.seconds)
    with progress.part(0.9, 0.97, "Planting the feet"):
        motion = dance.finish(draft.raw, music.heard, options.seconds, options.fps, options.beat_snap)
    with progress.part(0.97, 0.99, "Judging the dance"):
        judged = dance.judge(motion, music.heard)
    return Duet(Dance(motion, music.heard, judged, dance_style(model, options)), music)


@dataclass(frozen=True)
class Draft:
    """Dance and music decoded from the current latents.

    raw: the decoded motion, without post-processing.
    positions: (t, 22, 3) its joint positions, metres.
    accents: its kinematic beats.
    mel: (t', m) log-mel of the music.
    onset: (t',) its onset strength.
    beats: common beats of both, with bars.
    mel_fps: frames per second of the mel.
    """

    raw: Motion
    positions: Tensor
    accents: Beats
    mel: Tensor
    onset: Tensor
    beats: Beats
    mel_fps: float

    @classmethod
    def of(cls, model: Model, latents: Mapping[str, Tensor]) -> Draft:
        """Decode standardised latents (1, t, z) of "motion" and "music"."""
        body = model.config.modalities["motion"]
        drawn = model.autoencoders["motion"].decode_long(latents["motion"])[0].float().cpu()
        raw = features.decode(drawn, body.representation, body.fps)
        positions = kinematics.forward(raw.rotations, raw.root)
        mel = score.decode_mel(model, latents["music"])[0].cpu()
        accents, onset, mel_fps = kinematic_beats(positions, raw.fps), onset_strength(mel), model.config.signal.mel_fps
        beats = shared_beats(positions, raw.fps, accents, onset, mel_fps)
        return cls(raw, positions, accents, mel, onset, beats, mel_fps)

    def target(self) -> RhythmTarget:
        """The rhythm target of the motion, on the common beats."""
        return rhythm_target(self.positions, self.raw.fps, self.accents, self.beats)

    def heard(self, frames: int, fps: float) -> Tensor:
        """Rhythm features (frames, r) of the music, on the common beats."""
        return rhythm_features(self.beats, self.onset, loudness(self.mel), frames, fps, self.mel_fps)


def dance_style(model: Model, options: DuetOptions) -> str | None:
    """The style of the dance: the requested one, or one drawn by the seed.

    The music has only a requested style, because styles are those of dances.
    """
    return style_for(model.config, options.style, noise_seed(options.seed))


def chains(model: Model, options: DuetOptions) -> dict[str, Chain]:
    """The chains of "motion" and "music" for ``walk``. One seed draws the noise of both."""
    config, generator = model.config, torch.Generator().manual_seed(options.seed)
    frames = frames_for(model, options.seconds)
    latest: list[tuple[Mapping[str, Tensor], Draft]] = []

    def draft(estimates: Mapping[str, Tensor]) -> Draft:  # both chains need that of the same step
        if not latest or latest[0][0] is not estimates:
            latest[:] = [(estimates, Draft.of(model, estimates))]
        return latest[0][1]

    def rhythm(name: str, pulse: Tensor) -> Tensor | None:
        return pulse[None].to(model.device) if config.denoisers[name].rhythm_channels else None

    def tell_motion(estimates: Mapping[str, Tensor]) -> Condition:
        pulse = draft(estimates).heard(frames, config.latent_fps)
        return Condition({"music": estimates["music"]}, rhythm("motion", pulse), styles["motion"])

    def tell_music(estimates: Mapping[str, Tensor]) -> Condition:
        pulse = draft(estimates).target().features(frames, config.latent_fps)
        return Condition({"motion": estimates["motion"]}, rhythm("music", pulse), styles["music"])

    def chain(name: str, tell: Callable[[Mapping[str, Tensor]], Condition]) -> Chain:
        noise = first_noise(model, name, frames, generator)
        denoise = guided_denoiser(model, name, options.guidance)
        return Chain(denoise, noise, untold, tell, options.switch, config.sampling[name].sampler, generator)

    asked = {"motion": dance_style(model, options), "music": options.style}
    styles = {name: style_of(model, style) for name, style in asked.items()}
    untold = Condition(keep=torch.zeros(1, dtype=torch.bool, device=model.device))
    return {"motion": chain("motion", tell_motion), "music": chain("music", tell_music)}

"""Generates a score for a motion.

motion ── target: beat, accents, loudness ─┐
   └───── features ── motion latents ──────┴── sampler ── music latents ── log-mel ── sound
"""

from __future__ import annotations

import torch
from torch import Tensor

from core import progress
from core.audio.beat_tracking import track_beats
from core.audio.onsets import ONSET_LEAD, onset_events, onset_strength
from core.errors import FootlightError
from core.formats.motion import MotionClip
from core.metrics import beat
from core.motion import features
from core.motion.layouts import layout_named
from core.motion.resample import at_times
from core.pipeline.choices import check_choices, steps_for
from core.pipeline.model import Model, draw, frames_for, halved, last_of, native_half, style_of
from core.pipeline.returning import phrases
from core.protocol import SHORTEST_SECONDS, ScoreOptions
from core.results import Score
from core.rhythm.target import RhythmTarget, rhythm_target
from core.types import Beats, Condition, Motion, Waveform
from core.vocoder import griffin_lim
from core.vocoder.model import Vocoder


@torch.no_grad()
def score_motion(
    model: Model, clip: MotionClip, options: ScoreOptions | None = None, beats: Beats | None = None
) -> Score:
    """Generate a score for a whole motion. The same model, motion and options give the same score.

    beats: of the score, in place of those that would be tracked in the motion.

    Raises FootlightError for options that the model does not support, motions that are shorter than a second or stand
    still, and models that do not generate music.
    """
    options = options or ScoreOptions()
    model = model.at(options.quality)
    check_choices(options, model.config)
    model.check_scores()
    seconds = len(clip.positions) / clip.fps
    if seconds < SHORTEST_SECONDS:
        raise FootlightError(f"the motion lasts {seconds:.2f} s; at least {SHORTEST_SECONDS:g} s is needed")
    with progress.part(0.0, 0.05, "Finding the pulse"):
        target = rhythm_target(clip.positions, clip.fps, beats=beats)
    with progress.part(0.05, 0.1, "Watching the movement"):
        condition = encode_motion(model, clip, target, options.style)
    frames = frames_for(model, seconds)
    steps = steps_for(model.config, "music", options.steps)
    again = None if options.free_form else phrases(target.beats, seconds, frames, model.config.latent_fps)
    with progress.part(0.1, 0.6, "Composing"):
        composing = draw(model, "music", condition, frames, options.seed, steps, options.guidance, again=again)
        latents = last_of(composing, steps)
    with progress.part(0.6, 1.0, "Playing the music"):
        return decode_music(model, latents, target, seconds)


def encode_motion(model: Model, clip: MotionClip, target: RhythmTarget, style: str | None = None) -> Condition:
    """The condition of a score (1, t, ...), at the frame rate of the latents.

    A flat motion has no latents, only the rhythm target.

    model: the model.
    clip: the motion.
    target: its rhythm target.
    style: as in ``parse_style``; None is the default style.

    Raises FootlightError for a flat motion if the model has no rhythm conditioning.
    """
    frames = frames_for(model, len(clip.positions) / clip.fps)
    latents = None if clip.motion is None else motion_latents(model, clip.motion, frames)
    rhythm = None
    if model.config.denoisers["music"].rhythm_channels:
        rhythm = target.features(frames, model.config.latent_fps)[None].to(model.device)
    if latents is None and rhythm is None:
        raise FootlightError("this model hears no rhythm and cannot read flat bodies: give it a motion in space")
    styles = style_of(model, style, model.config.sampling["music"])
    return Condition({} if latents is None else {"motion": latents}, rhythm, styles)


def motion_latents(model: Model, motion: Motion, frames: int) -> Tensor | None:
    """Standardised latents (1, frames, z) of a motion at any rate; None if the model's layout is flat."""
    body = model.config.modalities["motion"]
    if layout_named(body.representation).dimensions != 3:
        return None
    times = torch.arange(frames * body.autoencoder.stride, dtype=torch.float64) / body.fps
    steady = at_times(motion, times.clamp_max((motion.frames - 1) / motion.fps), body.fps)
    encoded = features.encode(steady, body.representation)
    with halved(model.device):
        return model.autoencoders["motion"].encode_long(encoded[None].float().to(model.device))[:, :frames].float()


def decode_music(model: Model, latents: Tensor, target: RhythmTarget, seconds: float) -> Score:
    """Decode a score from standardised latents (1, t, z), with its metrics.

    model: the model.
    latents: (1, t, z).
    target: the rhythm target, against which the metrics are measured.
    seconds: length of the score.
    """
    signal = model.config.signal
    mel = decode_mel(model, latents)
    progress.report(0.1)
    with progress.part(0.1, 0.7):
        sound = Waveform(vocode(model, mel)[: round(seconds * signal.audio_rate)], signal.audio_rate)
    with progress.part(0.7, 0.95):
        heard = track_beats(sound)
    mel = mel[0].cpu()
    onsets = onsets_of(mel, signal.mel_fps)
    return Score(sound, target.beats, mel, adherence(target, heard, onsets, seconds), heard)


def decode_mel(model: Model, latents: Tensor) -> Tensor:
    """The log-mel (1, t', m) of standardised latents (1, t, z) of music."""
    with halved(model.device):
        return model.autoencoders["music"].decode_long(latents).float()


def vocode(model: Model, mel: Tensor) -> Tensor:
    """Samples (s,) of a log-mel (1, t, m), by the model's vocoder, or by Griffin-Lim if it has none."""
    if isinstance(model.vocoder, Vocoder):
        return model.vocoder.decode_long(mel, compute=native_half(model.device))[0].float().cpu()
    if model.vocoder is not None:
        return model.vocoder.decode_long(mel)[0].float().cpu()
    return griffin_lim.decode(mel.float().cpu(), torch.Generator().manual_seed(0), model.config.signal)[0]


def onsets_of(mel: Tensor, fps: float) -> Beats:
    """Onsets of a log-mel (t, m) at ``fps`` frames per second, with strengths in [0, 1]."""
    return onset_events(onset_strength(mel), fps).shifted(-ONSET_LEAD)


def adherence(target: RhythmTarget, heard: Beats, onsets: Beats, seconds: float) -> dict[str, float]:
    """The metrics of how well a score meets its rhythm target, as ``core.results.Score`` lists them.

    target: the rhythm target.
    heard: beats tracked in the score.
    onsets: its onsets.
    seconds: its length.
    """

    found, sounding_at = heard.times.double(), onsets.times.double()
    followed = beat.with_chance(lambda times: beat.f_measure(found, times), target.beats.times.double(), seconds)
    accents = beat.with_chance(
        lambda times: beat.tolerant(sounding_at, times, beat.STRICT_TOLERANCE)[0],
        target.accents.times.double(),
        seconds,
    )
    return {
        "beat": followed["calibrated"],
        "beat_f": followed["value"],
        "beat_f_chance": followed["chance"],
        "accents": accents["value"],
        "accents_chance": accents["chance"],
    }

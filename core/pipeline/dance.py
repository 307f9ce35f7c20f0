"""Generates a dance for a song.

song ── rhythm ────────────────────┐
  └──── log-mel ── music latents ──┴── sampler ── motion latents ── motion ── post-processing
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from core import progress
from core.audio.beat_tracking import warn_if_unsure
from core.audio.io import read, resample
from core.audio.onsets import RHYTHM_RATE
from core.audio.representation import music_frames, to_int16
from core.config import Config
from core.diffusion.remembering import Memory
from core.errors import FootlightError
from core.metrics import beat, physics
from core.metrics.theatre import energy_on_beats
from core.motion import features, kinematics, rotation
from core.motion.layouts import layout_named
from core.motion.resample import at_times
from core.pipeline.beginning import Beginning, beginning_of
from core.pipeline.choices import check_choices, moves_for, noise_seed, steps_for, style_for
from core.pipeline.model import Model, draw, frames_for, last_of, style_of
from core.pipeline.returning import divided, first_times, moves
from core.pipeline.sound import Sound, sounding
from core.postprocess import bones, drift, feet, floor, hands, joints, retime, smooth
from core.protocol import SHORTEST_SECONDS, DanceOptions, Part, check
from core.results import Dance
from core.rhythm.features import Rhythm, analyse, rhythm_features, with_contrast
from core.rhythm.sections import Section
from core.types import Beats, Condition, Motion, Waveform


def read_song(path: Path | str, start: float = 0.0, seconds: float | None = None) -> Waveform:
    """Read the song, or the part of it, for which a dance is to be generated.

    path: an audio file.
    start: where the part begins, seconds.
    seconds: its length; None reads to the end.

    Raises FootlightError as ``core.audio.io.read`` does.
    """
    check(Part, start=start, seconds=seconds)
    return read(path, start=start, seconds=seconds)


@dataclass(frozen=True)
class HeardSong:
    """A song as a model hears it, for any number of dances to it.

    pcm: its samples at 16 bits, from which the noise follows.
    seconds: its length.
    rhythm: its rhythm.
    condition: of a dance in the model's default style.
    sections: of the song, with which moves return; none of a short song.
    """

    pcm: bytes
    seconds: float
    rhythm: Rhythm
    condition: Condition
    sections: tuple[Section, ...] = ()

    @property
    def frames(self) -> int:
        """Latent frames of a dance to it."""
        return self.condition.context["music"].shape[1]

    def returning(self, pattern: str, fps: float) -> Tensor:
        """The latent frame (t,) that each one of a dance repeats, see ``moves``. fps: latent frames a second."""
        return moves(pattern, self.sections, self.rhythm.beats, self.seconds, self.frames, fps)

    def parts_returning(self, fps: float) -> Tensor:
        """The same where parts of the song alone come again, see ``first_times``."""
        return first_times(self.sections, self.rhythm.beats, self.seconds, self.frames, fps)


HEARING = 0.153
"""The part of ``generate_dance`` that ``hear_song`` is, for progress."""


def generate_dance(
    model: Model, song: Waveform, options: DanceOptions | None = None, beats: Beats | None = None
) -> Dance:
    """Generate a dance for a whole song. The same model, song and options give the same dance.

    beats: of the song, in place of those that would be tracked.

    Raises FootlightError for options that the model does not support, songs shorter than a second, and models with a
    flat motion layout.
    """
    options = options or DanceOptions()
    model = model.at(options.quality)
    _check(model, options)
    with progress.part(0.0, HEARING):
        heard = hear_song(model, song, beats)
    with progress.part(HEARING, 1.0):
        return dance_to(model, heard, options)


@torch.no_grad()
def hear_song(model: Model, song: Waveform | Sound, beats: Beats | None = None) -> HeardSong:
    """Hear a song, for ``dance_to``. Warns the user when its tracked beats are a guess.

    song: at any rate.
    beats: of the song, in place of those that would be tracked.

    Raises FootlightError for songs shorter than a second.
    """
    sound = sounding(song)
    samples, seconds = sound.song.samples, sound.song.seconds
    if seconds < SHORTEST_SECONDS:
        raise FootlightError(f"the song lasts {seconds:.2f} s; at least {SHORTEST_SECONDS:g} s is needed")
    with progress.part(0.0, 0.67, "Finding the beat"):
        rhythm = hear(sound, beats)
        warn_if_unsure(rhythm.beats)
    with progress.part(0.67, 1.0, "Listening to the music"):
        signal = model.config.signal
        known = encode_song(model, sound.at(signal.audio_rate), rhythm, mel=sound.mel_of(model.config))
        return HeardSong(pcm(samples), seconds, rhythm, known, divided(sound, rhythm.beats))


@dataclass(frozen=True)
class Begun:
    """A dance of which the first seconds are made.

    preview: these seconds, without metrics.
    memory: what is not calculated again for the whole.
    share: of all the work, which is done.
    """

    preview: Dance
    memory: Memory
    share: float


@torch.no_grad()
def begin_dance(model: Model, heard: HeardSong, options: DanceOptions) -> Begun | None:
    """Generate the first seconds of the dance that ``dance_to`` makes; None for a song that is too short for that.

    They are a preview, nearly always the whole's to hundredths of a millimetre. But a foot that stands from there to
    beyond what is decoded is held where it stands on average, and which of the faintest accents are moved onto beats
    depends on the mean speed: both of all of the dance. There they differ by up to some centimetres.
    """
    model = model.at(options.quality)
    _check(model, options)
    beginning = beginning_of(model, heard.frames, options)
    if beginning is None:
        return None
    body, beats, memory = model.config.modalities["motion"], heard.rhythm.beats, Memory()
    share = beginning.sampled / (beginning.sampled + heard.frames)
    with progress.part(0.0, 0.9 * share, "Dancing the beginning"):
        drawn, style = _sample(model, heard, options, memory, beginning)
    with progress.part(0.9 * share, share, "Dancing the beginning"):
        raw = features.decode(drawn, body.representation, body.fps)
        frames = round(beginning.seconds * options.fps)
        motion = finish(raw, beats, heard.seconds, options.fps, options.beat_snap, frames)
    return Begun(Dance(motion, beats, {}, style), memory, share)


@torch.no_grad()
def dance_to(model: Model, heard: HeardSong, options: DanceOptions, memory: Memory | None = None) -> Dance:
    """Generate a dance for a song that was heard, as ``generate_dance`` does. memory: of its beginning."""
    model = model.at(options.quality)
    _check(model, options)
    body, beats = model.config.modalities["motion"], heard.rhythm.beats
    with progress.part(0.0, 0.823):
        drawn, style = _sample(model, heard, options, memory)
    with progress.part(0.823, 0.941, "Planting the feet"):
        raw = features.decode(drawn, body.representation, body.fps)
        motion = finish(raw, beats, heard.seconds, options.fps, options.beat_snap)
    with progress.part(0.941, 0.976, "Judging the dance"):
        return Dance(motion, beats, judge(motion, beats), style)


@torch.no_grad()
def sample_dance(
    model: Model, song: Waveform, options: DanceOptions, beats: Beats | None = None
) -> tuple[Tensor, Rhythm, str | None]:
    """Sample a dance without post-processing.

    Returns the motion features (t, c) at the model's frame rate, the rhythm of the song, and the style. It works for
    every layout; ``joint_positions`` evaluates flat ones.

    beats: of the song, in place of those that would be tracked.

    Raises FootlightError for options that the model does not support, and songs shorter than a second.
    """
    model = model.at(options.quality)
    check_choices(options, model.config)
    with progress.part(0.0, 0.18):
        heard = hear_song(model, song, beats)
    with progress.part(0.18, 1.0):
        drawn, style = _sample(model, heard, options)
        return drawn, heard.rhythm, style


def _check(model: Model, options: DanceOptions) -> None:
    """Raises FootlightError for options that the model does not support, and a model with a flat motion layout."""
    check_choices(options, model.config)
    layout_named(model.config.modalities["motion"].representation).check_moves_a_rig()


def _sample(
    model: Model,
    heard: HeardSong,
    options: DanceOptions,
    memory: Memory | None = None,
    beginning: Beginning | None = None,
) -> tuple[Tensor, str | None]:
    """The motion features (t, c) of a dance or its beginning, at the model's frame rate, and its style."""
    seed = noise_seed(options.seed, heard.pcm)
    style = style_for(model.config, options.style, seed)
    told = style_of(model, style, model.config.sampling["motion"])
    condition = replace(heard.condition, style=told)
    steps = steps_for(model.config, "motion", options.steps)
    only, decoded = (None, heard.frames) if beginning is None else (beginning.sampled, beginning.decoded)
    with progress.part(0.0, 0.927, "Dancing"):
        again = None
        if not options.free_form:
            pattern = moves_for(model.config, style, model.config.sampling["motion"], options.moves)
            again = heard.returning(pattern, model.config.latent_fps)
        drawing = draw(model, "motion", condition, heard.frames, seed, steps, options.guidance, only, memory, again)
        latents = last_of(drawing, steps)[:, :decoded]
    with progress.part(0.927, 1.0, "Building the movement"):
        return model.autoencoders["motion"].decode_long(latents)[0].cpu(), style


def pcm(samples: Tensor) -> bytes:
    """Samples (s,) at 16 bits, because decoders differ in last bits. A long song is converted in pieces."""
    return b"".join(to_int16(piece).cpu().numpy().tobytes() for piece in samples.split(1 << 20))


def hear(sound: Sound, beats: Beats | None = None) -> Rhythm:
    """The rhythm of a song.

    beats: of the song, in place of those that would be tracked.
    """
    with progress.part(0.0, 0.3):
        mel = sound.rhythm_mel
    with progress.part(0.3, 1.0):
        return analyse(sound.at(RHYTHM_RATE), mel, beats)


def joint_positions(model: Model, drawn: Tensor) -> Tensor:
    """Joint positions (t, j, 3) of features from ``sample_dance``, in metres, for metrics.

    A flat layout gives (t, j, 2), in which overlong bones are shortened as in the paper.
    """
    body = model.config.modalities["motion"]
    layout = layout_named(body.representation)
    places = features.positions_from_features(drawn, body.fps, layout=layout)
    return bones.restore(places, layout.parents) if layout.dimensions == 2 else places


def encode_song(model: Model, song: Waveform, heard: Rhythm, mel: Tensor | None = None) -> Condition:
    """The condition of a dance in the default style (1, t, ...), at the frame rate of the latents.

    model: the model.
    song: the song.
    heard: its rhythm.
    mel: the song's log-mel (t, m), if the model uses mels and it is already known.
    """
    config, music = model.config, model.config.modalities["music"]
    frames = frames_for(model, song.seconds)
    length = frames * music.autoencoder.stride
    with progress.part(0.0, 0.5):
        samples = resample(song, config.signal.audio_rate).samples
        sound = music_frames(samples, heard.beats.times, config.signal, music.representation, length, mel)
    latents = model.autoencoders["music"].encode_long(sound[None].to(model.device))[:, :frames]
    pulse = None
    if config.denoisers["motion"].rhythm_channels:
        pulse = told_rhythm(config, heard, frames)[None].to(model.device)
    return Condition({"music": latents}, pulse)


def told_rhythm(config: Config, heard: Rhythm, frames: int) -> Tensor:
    """The rhythm features (frames, r) that the dancer of a model is told of a song, at the frame rate of the latents.

    heard: the rhythm of the whole song.
    """
    power = config.denoisers["motion"].loudness_power
    told = rhythm_features(heard.beats, heard.onset, heard.loudness, frames, config.latent_fps)
    # Only a network that answers loudness has a power (docs/training.md).
    return told if power == 1 else with_contrast(told, config.latent_fps, power)


def finish(
    raw: Motion,
    beats: Beats,
    seconds: float,
    fps: float,
    beat_snap: float,
    frames: int | None = None,
    accent: str = "arrive",
) -> Motion:
    """Post-process a decoded motion: joint limits, smoothing, hands, drift, feet, floor, and beat snap.

    The result has exactly ``round(seconds * fps)`` frames, unless ``frames`` says how many. Feet are corrected before
    the beat snap: the correction changes when movements arrive, while feet that stand still do so under any time warp.
    The motion is resampled only once, for beat snap and frame rate together.

    raw: the decoded motion.
    beats: of the music.
    seconds: length of the music.
    fps: frames per second of the result.
    beat_snap: 0-1, how far the accents are shifted towards musical beats.
    frames: of the result, from its beginning.
    accent: of ``core.protocol.ACCENTS``: what the dancer does on a beat.
    """
    motion = hands.clear(smooth.smooth(joints.limit(raw)))
    progress.report(0.1)
    motion = drift.keep(feet.steady(motion))
    progress.report(0.2)
    motion = floor.above(feet.lock(motion))
    progress.report(0.5)
    clock = retime.beat_clock(motion, beats.between(0, seconds), beat_snap, accent=accent)
    times = torch.arange(frames or max(1, round(seconds * fps)), dtype=torch.float64) / fps
    progress.report(0.6)
    motion = at_times(motion, clock.at(times), fps)
    progress.report(1.0)
    assert motion.contacts is not None
    return replace(motion, rotations=rotation.continuous(motion.rotations), contacts=motion.contacts.round())


def by_accent(dance: Dance, positions: Tensor, accent: str | None = None) -> dict[str, float]:
    """The metrics of a dance with its energy on beats; of one that strikes without those that count arrivals.

    positions: (t, j, 3) of it.
    accent: "strike" or "arrive". None is unknown: then it strikes if it moves more than usual on strong beats.
    """
    energy = energy_on_beats(positions, dance.motion.fps, dance.beats)
    strikes = energy > 1 if accent is None else accent == "strike"
    told = {name: value for name, value in dance.metrics.items() if not (strikes and name.startswith("beat"))}
    return {**told, "energy_on_beats": energy}


def judge(motion: Motion, beats: Beats, positions: Tensor | None = None) -> dict[str, float]:
    """The metrics of a dance, as ``core.results.Dance`` lists them.

    positions: (t, j, 3) of it, if they are known.
    """
    if motion.frames < 4:
        return {}
    if positions is None:
        positions = kinematics.forward(motion.rotations, motion.root)
    music = beats.between(0, motion.seconds).times.double()
    progress.report(0.1)
    found = beat.kinematic_beats(positions, motion.fps).times.double()
    progress.report(0.3)
    danced = beat.bailando_beats(positions, motion.fps)
    progress.report(0.5)
    alignment = beat.with_chance(lambda times: beat.alignment(times, danced), music, motion.seconds)
    progress.report(0.7)
    strict = beat.with_chance(lambda times: beat.f_measure(found, times, beat.MOMU_TOLERANCE), music, motion.seconds)
    progress.report(0.9)
    return {
        "beat": alignment["calibrated"],
        "beat_f": strict["value"],
        "beat_f_chance": strict["chance"],
        "skating": physics.foot_skating(positions, motion.fps),
    }

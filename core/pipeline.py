"""From a song to a dance: composition only. Every step lives in a room above.

    song ── rhythm ────────────────────┐
      └──── log-mel ── music latents ──┴── sampler ── motion latents ── motion ── clean, on the beat, on its feet

Long operations are generators: they yield ``Progress`` and return their result, so whoever runs them may stop between
two steps. ``run`` is for those who want only the result.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from core import checkpoint
from core.audio import rhythm
from core.audio.io import SHORTEST_SECONDS, reading, resample
from core.audio.representation import music_frames_steps
from core.autoencoder.identity import Identity
from core.autoencoder.mel_vae import MelVAE, music_autoencoder
from core.autoencoder.motion_vae import MotionVAE, motion_autoencoder
from core.config import Config
from core.diffusion.conditioning import ConditionedNetwork
from core.diffusion.guidance import guided
from core.diffusion.networks import denoiser_of
from core.diffusion.parameterize import as_denoise
from core.diffusion.sampler import sample
from core.diffusion.schedule import linear_sqrt
from core.diffusion.windows import windowed
from core.metrics import beat, physics
from core.motion import features, kinematics, rotation
from core.motion.layouts import layout_named
from core.motion.resample import at_times
from core.postprocess import bones, feet, joints, retime, smooth, stage
from core.types import Beats, Condition, FootlightError, Motion, Progress, Waveform, part, run

PRETRAINED = Path(__file__).parent / "pretrained"
SLOWEST_FPS, FASTEST_FPS = 1.0, 240.0
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Model:
    """The three networks of one model folder, ready to dance. name: the folder's; card: see ``core.checkpoint``.

    mel_vae: of the music, in whichever representation.  Both autoencoders may be identities.
    """

    config: Config
    mel_vae: MelVAE | Identity
    motion_vae: MotionVAE | Identity
    denoiser: ConditionedNetwork
    device: torch.device
    name: str
    card: dict

    @classmethod
    def load(cls, folder: Path | str | None = None, device: str = "auto") -> Model:
        """Read a model. folder: a model folder, or the name of an embedded one; None is the embedded default.

        Raises FootlightError for an unknown name, a folder of another program, damaged files, an unknown device.
        """
        path, place = find_model(folder), find_device(device)
        saved = checkpoint.load(path)
        config = saved.config

        def network(name: str, module: nn.Module) -> nn.Module:
            return saved.load_into(name, module).eval().requires_grad_(False).to(place)

        return cls(
            config,
            network("mel_vae", music_autoencoder(config.mel_vae)),
            network("motion_vae", motion_autoencoder(config.motion_vae, config.signal.motion_layout)),
            network("denoiser", denoiser_of(config.denoiser)),
            place,
            path.name,
            saved.card,
        )


def find_model(folder: Path | str | None = None) -> Path:
    """The model folder that is meant: see ``Model.load``."""
    if folder is None:
        return PRETRAINED / "default"
    path = Path(folder)
    if path.exists() or path.name != str(folder):
        return path
    embedded = sorted(p.name for p in PRETRAINED.iterdir() if p.is_dir()) if PRETRAINED.is_dir() else []
    if str(folder) not in embedded:
        raise FootlightError(
            f"unknown preset {str(folder)!r}: choose one of {', '.join(embedded) or 'none (none is embedded)'}, "
            "or give a model folder"
        )
    return PRETRAINED / path.name


def find_device(name: str = "auto") -> torch.device:
    """ "auto" is the fastest device there is. Raises FootlightError for one that is not there."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    if not there.get(name.partition(":")[0]):
        here = ", ".join(kind for kind, yes in there.items() if yes)
        raise FootlightError(f"there is no device {name!r} on this computer: choose auto or {here}")
    return torch.device(name)


def read_song(path: Path | str, start: float = 0.0, seconds: float | None = None) -> Waveform:
    """The part of an audio file that is danced to. Raises FootlightError for whatever cannot be."""
    return run(reading_song(path, start, seconds))


def reading_song(
    path: Path | str, start: float = 0.0, seconds: float | None = None
) -> Generator[Progress, None, Waveform]:
    """``read_song`` as a long operation."""
    for name, value in (("start", start), ("seconds", seconds)):
        if value is not None and not 0 <= value < math.inf:
            raise FootlightError(f"{name} is {value:g}; expected a number of seconds, 0 or more")
    return (yield from reading(path, start=start, seconds=seconds))


def native_half(device: torch.device) -> torch.dtype | None:
    """The 16-bit precision that a device multiplies natively and that needs no care with small numbers, or None.

    On CPUs with AVX512-BF16 or AMX the denoiser is three times as fast in it; elsewhere bfloat16 would be emulated.
    """
    if device.type == "cpu":
        return torch.bfloat16 if torch.backends.cpu.get_cpu_capability() == "AVX512" and _multiplies_bf16() else None
    return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None


def _multiplies_bf16() -> bool:
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # private, so it may go: then float32 it is
    return asked is not None and asked()


@dataclass(frozen=True)
class DanceOptions:
    """How to dance. seed: which of all dances.  fps: of the result.

    steps, guidance: of the sampling; None is what the model was tuned for.  beat_snap: 0-1, how far hits are carried
    onto beats afterwards.  style: one of the model's styles, or None for its own choice.
    """

    seed: int = 0
    fps: float = 30.0
    steps: int | None = None
    guidance: float | None = None
    beat_snap: float = 0.25
    style: str | None = None

    def check(self, config: Config) -> None:
        """Raises FootlightError when a value makes no sense for a model of this configuration."""
        if not 0 <= self.seed <= LARGEST_SEED:
            raise FootlightError(f"the seed is {self.seed}; expected a whole number from 0 to 2^63 - 1")
        if not SLOWEST_FPS <= self.fps <= FASTEST_FPS:
            raise FootlightError(f"fps is {self.fps:g}; expected {SLOWEST_FPS:g} to {FASTEST_FPS:g} frames a second")
        if self.steps is not None and not 1 <= self.steps <= config.diffusion.steps:
            raise FootlightError(f"steps is {self.steps}; expected 1 to {config.diffusion.steps}")
        if self.guidance is not None and not 0 <= self.guidance <= 20:
            raise FootlightError(f"guidance is {self.guidance:g}; expected 0 to 20 (1 is none, 2.5 is usual)")
        if not 0 <= self.beat_snap <= 1:
            raise FootlightError(f"beat snap is {self.beat_snap:g}; expected 0 (off) to 1 (onto the beat)")
        if self.style is not None and self.style not in config.styles:
            known = ", ".join(config.styles) or "none: this model has no styles"
            raise FootlightError(f"unknown style {self.style!r}: choose one of {known}")


@dataclass(frozen=True)
class Dance:
    """A finished dance. motion: at the fps that were asked for, as long as the song to one frame.  beats: of the song.

    score: ``beat`` is the calibrated beat alignment (0 chance, 1 perfect), ``beat_f`` the strict beat F-measure at 100
    ms with ``beat_f_chance`` beside it, ``skating`` the share of contact frames in which a toe slides.
    """

    motion: Motion
    beats: Beats
    score: dict[str, float]


@torch.no_grad()
def dance(model: Model, song: Waveform, options: DanceOptions | None = None) -> Generator[Progress, None, Dance]:
    """A dance to the whole of ``song``. Same model, song and options: the same dance.

    Raises FootlightError for options out of range, songs under a second, and models of flat pictures.
    """
    options = options or DanceOptions()
    layout_named(model.config.signal.motion_layout).check_moves_a_rig()
    drawn, heard = yield from imagine(model, song, options)
    yield Progress("Planting the feet", 0.85)
    signal = model.config.signal
    raw = features.decode(drawn, signal.motion_layout, signal.motion_fps)
    steps = finishing(raw, heard.beats, song.seconds, options.fps, options.beat_snap)
    motion = yield from part(steps, "Planting the feet", 0.85, 0.95)
    yield Progress("Judging the dance", 0.95)
    found = yield from part(scoring(motion, heard.beats), "Judging the dance", 0.95, 0.98)
    return Dance(motion, heard.beats, found)


@torch.no_grad()
def imagine(
    model: Model, song: Waveform, options: DanceOptions
) -> Generator[Progress, None, tuple[Tensor, rhythm.Rhythm]]:
    """The dance as the model's own features (t, c) at ``motion_fps``, before anything is corrected, and what was heard.

    It works for every layout, and for a flat one this is all there is: see ``joint_positions``.
    Raises FootlightError for options out of range and songs under a second.
    """
    options.check(model.config)
    if song.seconds < SHORTEST_SECONDS:
        raise FootlightError(f"the song lasts {song.seconds:.2f} s; at least {SHORTEST_SECONDS:g} s is needed")
    yield Progress("Finding the beat", 0.0)
    heard = yield from part(rhythm.analysis(song), "Finding the beat", 0.0, 0.1)
    yield Progress("Listening to the music", 0.1)
    condition = yield from part(listening(model, song, heard, options.style), "Listening to the music", 0.1, 0.15)
    steps = model.config.sampling.steps if options.steps is None else options.steps
    yield Progress("Dancing", 0.15)
    latents = yield from _drawn(draw(model, condition, options.seed, steps, options.guidance), steps)
    yield Progress("Building the movement", 0.8)
    return model.motion_vae.decode_long(latents)[0].cpu(), heard


def joint_positions(model: Model, drawn: Tensor) -> Tensor:
    """Joint positions (t, j, 3), of a flat layout (t, j, 2), in metres, of features that ``imagine`` drew: for metrics.

    Bones of a flat dancer that stretch too far are set back, as the paper does.
    """
    signal, layout = model.config.signal, layout_named(model.config.signal.motion_layout)
    places = features.positions_from_features(drawn, signal.motion_fps, layout=layout)
    return bones.restore(places, layout.parents) if layout.dimensions == 2 else places


def _drawn(samples: Iterator[Tensor], steps: int) -> Generator[Progress, None, Tensor]:
    """The last of the samples, with a step of progress after each."""
    step, latents = 0, None
    while (drawn := next(samples, None)) is not None:
        step, latents = step + 1, drawn
        yield Progress("Dancing", 0.15 + 0.65 * step / steps, {"step": step, "steps": steps})
    return latents


def listen(model: Model, song: Waveform, heard: rhythm.Rhythm, style: str | None = None) -> Condition:
    """What the denoiser is told of a song, (1, t, ...) on the latents' clock."""
    return run(listening(model, song, heard, style))


def listening(
    model: Model, song: Waveform, heard: rhythm.Rhythm, style: str | None = None
) -> Generator[Progress, None, Condition]:
    """``listen`` as a long operation."""
    signal = model.config.signal
    # a last half frame more, so that the end of the song lies between two frames of the motion
    frames = math.ceil(song.seconds * model.config.latent_fps + 0.5)
    samples = resample(song, signal.audio_rate).samples
    length = frames * model.config.mel_vae.stride
    steps = music_frames_steps(samples, heard.beats.times, signal, length)
    music = yield from part(steps, "Listening to the music", 0.0, 0.5)
    yield Progress("Listening to the music", 0.5)
    latents = model.mel_vae.encode_long(music[None].to(model.device))[:, :frames]
    pulse = weights = None
    if model.config.denoiser.rhythm_channels:
        pulse = rhythm.rhythm_features(heard.beats, heard.onset, heard.loudness, frames, model.config.latent_fps)
        pulse = pulse[None].to(model.device)
    if style is not None:
        weights = torch.zeros(1, len(model.config.styles), device=model.device)
        weights[0, model.config.styles.index(style)] = 1
    return Condition(latents=latents, rhythm=pulse, style=weights)


def draw(model: Model, condition: Condition, seed: int, steps: int, guidance: float | None = None) -> Iterator[Tensor]:
    """An iterator over motion latents (1, t, z), noisier ones first; the last is clean."""
    config, sampling = model.config, model.config.sampling
    schedule = linear_sqrt(config.diffusion.steps, config.diffusion.beta_start, config.diffusion.beta_end)
    denoise = as_denoise(model.denoiser, schedule, config.diffusion.prediction, native_half(model.device))
    scale = sampling.guidance if guidance is None else guidance
    denoise = guided(denoise, scale, sampling.guidance_ramp, schedule.steps)
    denoise = windowed(denoise, sampling.window, sampling.overlap)
    generator = torch.Generator().manual_seed(seed)
    frames = condition.latents.shape[1]
    noise = torch.randn(1, frames, config.denoiser.latent_channels, generator=generator).to(model.device)
    return sample(denoise, noise, schedule, steps, sampling.sampler, generator, condition)


def finish(raw: Motion, beats: Beats, seconds: float, fps: float, beat_snap: float) -> Motion:
    """A decoded motion as it is handed on: limbs within their stops, smooth, on stage, feet planted, on the beat, at
    ``fps``, exactly ``round(seconds * fps)`` frames long.

    Feet come before the beat: correcting them changes when the body arrives, while feet that stand still do so at any
    clock. One resampling serves both the beat snap and ``fps``.
    """
    return run(finishing(raw, beats, seconds, fps, beat_snap))


def finishing(
    raw: Motion, beats: Beats, seconds: float, fps: float, beat_snap: float
) -> Generator[Progress, None, Motion]:
    """``finish`` as a long operation."""
    name = "Planting the feet"
    motion = smooth.smooth(joints.limit(raw))
    yield Progress(name, 0.1)
    motion = stage.keep(feet.steady(motion))
    yield Progress(name, 0.2)
    motion = feet.lock(motion)
    yield Progress(name, 0.5)
    clock = retime.beat_clock(motion, beats.between(0, seconds), beat_snap)
    times = torch.arange(max(1, round(seconds * fps)), dtype=torch.float64) / fps
    yield Progress(name, 0.6)
    motion = at_times(motion, clock.at(times), fps)
    yield Progress(name, 1.0)
    return replace(motion, rotations=rotation.continuous(motion.rotations), contacts=motion.contacts.round())


def score(motion: Motion, beats: Beats) -> dict[str, float]:
    """How well a motion keeps the beat, and how its feet stand: see ``Dance``."""
    return run(scoring(motion, beats))


def scoring(motion: Motion, beats: Beats) -> Generator[Progress, None, dict[str, float]]:
    """``score`` as a long operation."""
    name = "Judging the dance"
    if motion.frames < 4:
        return {}
    positions = kinematics.forward(motion.rotations, motion.root)
    music = beats.between(0, motion.seconds).times.double()
    yield Progress(name, 0.1)
    found = beat.hits(positions, motion.fps).times.double()
    yield Progress(name, 0.3)
    danced = beat.bailando_beats(positions, motion.fps)
    yield Progress(name, 0.5)
    alignment = beat.with_chance(lambda times: beat.alignment(times, danced), music, motion.seconds)
    yield Progress(name, 0.7)
    strict = beat.with_chance(lambda times: beat.f_measure(found, times, beat.MOMU_TOLERANCE), music, motion.seconds)
    yield Progress(name, 0.9)
    return {
        "beat": alignment["calibrated"],
        "beat_f": strict["value"],
        "beat_f_chance": strict["chance"],
        "skating": physics.foot_skating(positions, motion.fps),
    }


def motion_arrays(made: Dance) -> dict[str, Tensor]:
    """A dance as named arrays: rotations (t, 22, 4) wxyz with continuous signs, root (t, 3) metres, contacts (t, 4),
    beats (n,) seconds and downbeats (n,)."""
    downbeats = made.beats.downbeats
    return {
        "rotations": made.motion.rotations.float(),
        "root": made.motion.root.float(),
        "contacts": made.motion.contacts.float(),
        "beats": made.beats.times.float(),
        "downbeats": torch.zeros(len(made.beats.times), dtype=torch.bool) if downbeats is None else downbeats,
    }

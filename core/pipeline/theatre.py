"""Makes a dance and its stage light for a song, or one of them for the other.

song ── spectrogram, rhythm events ── music encoder ──┐
look ── style vector ─────────────────────────────────┼── scheduler ── steers ── motion chain ── dance
motion or light, where given ── encoders, space ──────┘                └──────── light chain ─── show
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core import progress
from core.config import Config, on_stage
from core.diffusion.sampler import walk
from core.errors import FootlightError
from core.light.dancer import energy_at
from core.light.look import read_look, shipped_looks
from core.motion import features
from core.motion.kinematics import forward
from core.motion.layouts import layout_named
from core.motion.resample import at_times
from core.pipeline.beginning import Beginning
from core.pipeline.choices import check_choices, moves_for, noise_seed, steps_for, style_for
from core.pipeline.dance import finish, hear_song, judge
from core.pipeline.kept import Kept
from core.pipeline.lit_song import LitSong, hear_lit
from core.pipeline.model import Model, first_noise, halved, last_of, native_half, schedule_of, style_of
from core.pipeline.sound import Sound
from core.protocol import ACCENTS, DanceOptions, named, no_look
from core.results import Dance
from core.rhythm.features import Rhythm
from core.rhythm.sections import Section
from core.show.channels import CHANNELS
from core.show.cueing import cued
from core.show.flashes import limited
from core.show.show import Show, as_valid, rounded
from core.show.splice import limited_beside
from core.show.steady import steadied
from core.theatre.chains import Given, Prompt, chains
from core.theatre.energy import energies
from core.theatre.network import Theatre
from core.theatre.palettes import palette_of_look
from core.theatre.slices import Slicing, motion_rows
from core.types import Beats, Motion, Waveform


@dataclass(frozen=True)
class KnownLight:
    """Light that is given, at the model's latent frames a second.

    values: (t, c) of ``core.show.channels``; missing frames at the end are not given.
    mask: (t, c) bool, true where it is given; None is everywhere.
    """

    values: Tensor
    mask: Tensor | None = None


@dataclass(frozen=True)
class Performance:
    """A dance and its light, before post-processing.

    motion: features (t, c) at the model's frame rate; None if a motion was given.
    light: (t', c') valid values at ``light_fps``.
    light_fps: frames per second of the light.
    rhythm: of the song.
    style: of the dance.
    accent: what the dancer does on beats, "strike" or "arrive".
    sections: of the song.
    """

    motion: Tensor | None
    light: Tensor
    light_fps: float
    rhythm: Rhythm
    style: str | None
    accent: str
    sections: tuple[Section, ...] = ()


@torch.no_grad()
def perform(
    model: Model,
    song: Waveform,
    options: DanceOptions | None = None,
    look: Tensor | None = None,
    accent: str | None = None,
    motion: Motion | None = None,
    light: KnownLight | None = None,
    beats: Beats | None = None,
) -> Performance:
    """Make dance and light for a song. The same arguments give the same performance.

    model: with a theatre.
    song: at any rate.
    beats: of the song, in place of those that would be tracked.

    The others are those of ``perform_to``.

    Raises FootlightError as ``perform_to`` does, and for a song shorter than a second.
    """
    options = options or DanceOptions()
    _checked(model, options, accent)
    sound = Sound(song)
    with progress.part(0.0, 0.16):
        heard = hear_song(model, sound, beats)
    with progress.part(0.16, 0.2):
        lit = hear_lit(model, sound, heard)
    with progress.part(0.2, 1.0):
        return perform_to(model, lit, options, look, accent, motion, light)


@torch.no_grad()
def perform_to(
    model: Model,
    song: LitSong,
    options: DanceOptions,
    look: Tensor | None = None,
    accent: str | None = None,
    motion: Motion | None = None,
    light: KnownLight | None = None,
    *,
    kept: Kept | None = None,
    beginning: Beginning | None = None,
) -> Performance:
    """Make dance and light for a song that was heard. The same arguments give the same performance.

    model: with a theatre.
    song: the song.
    options: seed, steps, guidance and the dance's style.
    look: (style,) the style vector of a look (``look_vector``); None is any.
    accent: "strike" or "arrive"; None is the model's own.
    motion: the dance, if only light is to be made.
    light: what of the light is given. It comes out as it is.
    kept: what is kept of a dance of which the rest is made. It comes out nearly as it is.
    beginning: that is made alone, nearly as it is in the whole.

    Raises FootlightError for a model without theatre, options that it does not support, an unknown accent, and light
    of another number of channels.
    """
    theatre, index = _checked(model, options, accent)
    config, heard = model.config, song.heard
    seed = noise_seed(options.seed, heard.pcm)
    style = style_for(config, options.style, seed)
    told = style_of(model, style, on_stage(config).sampling["motion"])
    total = heard.frames
    frames = total if beginning is None else beginning.sampled
    prompt = Prompt(
        replace(heard.condition, style=told).window(0, frames),
        song.music[:, : -(-frames // Slicing.of(config).latents)],
        torch.tensor([index], device=model.device),
        None if look is None else look[None].to(model.device),
        _given(model, theatre, motion, kept, light, frames),
        None if song.cues is None else song.cues[:, :frames],
        _energy(model, motion, frames),
    )
    with progress.part(0.0, 0.925, "Dancing"):
        again = None
        if not options.free_form:
            pattern = moves_for(config, style, on_stage(config).sampling["motion"], options.moves)
            again = heard.returning(pattern, config.latent_fps)
        noise = {name: drawn[:, :frames] for name, drawn in _noise(model, seed, total, again).items()}
        made = _walked(model, prompt, noise, options)
        danced = None if kept is None else kept.finished(made["motion"])
    with progress.part(0.925, 1.0, "Building the movement"):
        if danced is None and "motion" in made:
            decoded = frames if beginning is None else beginning.decoded
            danced = model.autoencoders["motion"].decode_long(made["motion"][:, :decoded])[0].cpu()
        lit = _finished(model, made, light, song.sections, frames)
        return Performance(danced, lit, config.latent_fps, heard.rhythm, style, ACCENTS[index], song.sections)


def _checked(model: Model, options: DanceOptions, accent: str | None) -> tuple[Theatre, int]:
    """The theatre of a model, and the index of an accent. Raises FootlightError where ``perform_to`` does for these."""
    theatre = model.check_lights()
    check_choices(options, model.config)
    return theatre, accent_index(model.config, accent)


def _given(
    model: Model, theatre: Theatre, motion: Motion | None, kept: Kept | None, light: KnownLight | None, frames: int
) -> dict[str, Given]:
    """What is known of dance and light, by modality, as ``perform_to`` is given it. frames: latent frames."""
    given = {}
    if motion is not None:
        given["motion"] = known_motion(model, theatre, motion, frames)
    elif kept is not None:
        held = partial(kept.held, steps=model.config.diffusion.steps)
        given["motion"] = Given(kept.clean, kept.given.amin(-1, keepdim=True) > 0, held=held)
    if light is not None:
        given["light"] = known_light(model, theatre, light, frames)
    return given


def as_dance(model: Model, performance: Performance, seconds: float, options: DanceOptions | None = None) -> Dance:
    """The finished dance of a performance, as ``core.pipeline.dance`` finishes its own.

    performance: with a motion.
    seconds: length of the song.
    options: frame rate and beat snap.
    """
    options, beats = options or DanceOptions(), performance.rhythm.beats
    with progress.part(0.0, 0.77, "Planting the feet"):
        motion = as_motion(model, performance, seconds, options)
    with progress.part(0.77, 1.0, "Judging the dance"):
        return Dance(motion, beats, judge(motion, beats), performance.style)


def as_motion(
    model: Model, performance: Performance, seconds: float, options: DanceOptions, frames: int | None = None
) -> Motion:
    """The movement of a dance, as ``as_dance`` finishes it.

    frames: so many of its first ones; None is all.
    """
    assert performance.motion is not None, "a motion that was given is finished already"
    body, beats = model.config.modalities["motion"], performance.rhythm.beats
    raw = features.decode(performance.motion, body.representation, body.fps)
    return finish(raw, beats, seconds, options.fps, options.beat_snap, frames, performance.accent)


def as_show(
    performance: Performance, seconds: float, look: str = "", given: tuple[Show, np.ndarray] | None = None
) -> Show:
    """The show of a performance, as long as the song, with at most three flashes in any second.

    Light that was given and is safe stays as it was.

    seconds: length of the song.
    look: its name.
    given: a show of which a part was made anew, and which of its values were, (t, c) bool.
    """
    frames = max(1, round(seconds * performance.light_fps))
    beats = performance.rhythm.beats.times.double()
    starts = tuple(section.start for section in performance.sections if section.start < seconds)
    made = Show(performance.light[:frames].numpy(), performance.light_fps, look, tuple(beats.tolist()), starts)
    if given is None:
        return limited(made)
    old, anew = given
    kept = np.zeros(made.frames, dtype=bool)
    kept[: old.frames] = ~anew[: made.frames].any(axis=1)
    return limited_beside(made, old, kept)


def accent_index(config: Config, accent: str | None) -> int:
    """The index of an accent in ``ACCENTS``; None is the model's own. Raises FootlightError for an unknown one."""
    assert config.theatre is not None
    accent = accent or config.theatre.accent
    if accent not in ACCENTS:
        raise FootlightError(f"unknown accent {accent!r}: choose one of {', '.join(ACCENTS)}")
    return ACCENTS.index(accent)


@torch.no_grad()
def look_vector(model: Model, asked: str) -> Tensor:
    """The style vector (style,) of a look.

    asked: the name of one of the model's looks or of a shipped one, the path of another (LOOK.json), or that of a
        picture.

    Raises FootlightError for an unknown name, and for a file that is neither.
    """
    theatre, config = model.check_lights(), model.config.theatre
    assert config is not None
    if (own := named(asked, config.looks)) is not None:
        return theatre.style.prototypes[config.looks.index(own)]
    path, shipped = Path(asked), shipped_looks()
    name = named(asked, shipped)
    if name is not None or path.suffix.lower() == ".json":
        colours, weights = palette_of_look(read_look(path) if name is None else shipped[name])
        return theatre.style.of_palettes(colours[None].to(model.device), weights[None].to(model.device))[0]
    if not path.is_file():
        raise no_look(asked, f"this model knows {', '.join(config.looks)}")
    from core.light.picture import read_picture  # Pillow takes a moment to import

    picture = torch.from_numpy(read_picture(path)).float().permute(2, 0, 1)
    return theatre.style.of_pictures(picture[None].to(model.device))[0]


def _energy(model: Model, motion: Motion | None, frames: int) -> Callable[[Tensor], Tensor]:
    """The energy (1, frames) of a dance that is given, or of latents."""
    if motion is None:

        @lru_cache(maxsize=1)  # a light of more steps than the dance has asks again for the same one
        def drawn(latents: Tensor) -> Tensor:
            with halved(model.device):
                return energies(latents, model.autoencoders["motion"], model.config.modalities["motion"])

        return drawn
    energy = energy_at(forward(motion.rotations, motion.root), motion.fps, frames, model.config.latent_fps)
    known = energy[None].to(model.device)
    return lambda latents: known


def known_motion(model: Model, theatre: Theatre, motion: Motion, frames: int) -> Given:
    """A given motion as latents and vectors. Beyond its end it stands still."""
    body, slicing = model.config.modalities["motion"], Slicing.of(model.config)
    layout = layout_named(body.representation)
    slices = -(-frames // slicing.latents)
    times = torch.arange(slices * slicing.moves, dtype=torch.float64) / body.fps
    moved = at_times(motion, times.clamp_max(motion.seconds - 1 / motion.fps), body.fps)
    told = features.encode(moved, layout).to(model.device)
    latents = model.autoencoders["motion"].encode_long(told[None])[:, :frames]
    rows = motion_rows(forward(moved.rotations, moved.root).to(model.device), body.fps, slicing)
    return Given(latents, vectors=theatre.space("motion", theatre.encoded("motion", rows[None])))


def known_light(model: Model, theatre: Theatre, light: KnownLight, frames: int) -> Given:
    """Given light as latents, with vectors if all of it is given.

    Raises FootlightError for another number of channels.
    """
    if light.values.ndim != 2 or light.values.shape[1] != CHANNELS:
        raise FootlightError(f"light of shape {tuple(light.values.shape)} was given; expected (frames, {CHANNELS})")
    values, mask = light.values[:frames].to(model.device), light.mask
    missing = frames - len(values)
    mask = torch.ones_like(values, dtype=torch.bool) if mask is None else mask[:frames].to(model.device)
    latents = model.autoencoders["light"].encode_long(values[None].float())
    latents = torch.nn.functional.pad(latents, (0, 0, 0, missing))
    mask = torch.nn.functional.pad(mask, (0, 0, 0, missing))[None]
    if not bool(mask.all()):
        return Given(latents, mask)
    return Given(latents, vectors=theatre.space("light", theatre.encoded("light", latents)))


def _noise(model: Model, seed: int, frames: int, again: Tensor | None) -> dict[str, Tensor]:
    """Noise (1, frames, c) of dance and light, by modality.

    again: (frames,) the frame whose noise each frame of the dance gets; None is its own.
    """
    noise = {}
    for name in ("motion", "light"):
        own = torch.Generator().manual_seed(noise_seed(seed, name.encode()))
        noise[name] = first_noise(model, name, frames, own)
    if again is not None:
        noise["motion"] = noise["motion"][:, again.to(model.device)]
    return noise


def _walked(model: Model, prompt: Prompt, noise: dict[str, Tensor], options: DanceOptions) -> dict[str, Tensor]:
    """Latents (1, t, c) of what is made, by modality.

    noise: (1, t, c) by modality.
    options: steps, and guidance of the dance.
    """
    schedule, config = schedule_of(model.config), on_stage(model.config)
    compute = native_half(model.device)
    made = chains(model.check_lights(), model.config, prompt, noise, schedule, options.guidance, compute)
    if not made:
        return {}
    steps = {name: steps_for(config, name, options.steps) for name in made}
    return last_of(walk(made, schedule, steps), max(steps.values()))


def _finished(
    model: Model, made: dict[str, Tensor], light: KnownLight | None, sections: tuple[Section, ...], frames: int
) -> Tensor:
    """Valid light (t, c): what was made, with its cues on the starts of sections, and what was given as it was."""
    if "light" not in made:
        assert light is not None
        return light.values[:frames].float().cpu()
    drawn = steadied(model.autoencoders["light"].decode_long(made["light"])[0].float().cpu().numpy())
    given, mask = torch.zeros(drawn.shape), torch.zeros(drawn.shape, dtype=torch.bool)
    if light is not None:
        known = min(len(light.values), frames)
        given[:known] = light.values[:known].float().cpu()
        mask[:known] = True if light.mask is None else light.mask[:known].cpu()
    starts, kinds = [section.start for section in sections], [section.label for section in sections]
    cues = cued(as_valid(drawn), model.config.latent_fps, starts, kinds, mask.any(dim=1).numpy())
    return torch.where(mask, given, torch.from_numpy(rounded(as_valid(cues))))

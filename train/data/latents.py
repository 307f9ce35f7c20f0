"""Turns prepared pairs into what the tasks train on: features, rhythm, amplitude and cached latents.

Latents are encoded once for each clip and its mirror image, never in the training step.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from tqdm import tqdm

from core.audio.onsets import ONSET_FPS, ONSET_LEAD, onset_events
from core.audio.representation import music_frames
from core.config import Config
from core.errors import FootlightError
from core.layers.peaks import gaussian_smooth
from core.motion.features import encode, layout_named
from core.motion.kinematics import forward, mirror
from core.motion.skeleton import SMPL22
from core.pipeline.dance import told_rhythm
from core.protocol import ACCENTS, letters
from core.rhythm.accents import amplitude, mean_speed
from core.rhythm.features import LOUDNESS, relative_loudness
from core.types import Motion
from train.data.dataset import Pair, SongRecord
from train.data.encoder import Encoder
from train.data.pairing.aist import GENRES
from train.data.pairing.striking import accented

STYLE_NAMES = (
    ("salsa", "salsa"),
    ("indian", "indian"),
    ("modern", "modern"),
    ("breakdance", "breakdance"),
    ("jackson", "pop"),
    ("g1", "freestyle"),
    ("martial", "martial"),
    ("break", "breakdance"),
    ("middle hip-hop", "hip-hop"),
    ("la-style hip-hop", "LA hip-hop"),
)
ENERGY_SMOOTHING = 0.5  # seconds, standard deviation
_DATA_SETS = ("aist ",)  # names of data sets before those of their genres


def style_of(genre: str) -> str:
    """The name of a genre's style, however it is written ("Hip Hop", "hip_hop"). A genre of the user's own is a style
    of that name."""
    genre = genre.lower()
    for name in _DATA_SETS:
        genre = genre.removeprefix(name)
    return _SPELLINGS.get(letters(genre)) or _named(genre)


def _named(genre: str) -> str:
    return next((style for word, style in STYLE_NAMES if word in genre), genre)


_SPELLINGS = {letters(name): _named(name.lower()) for name in GENRES.values()}
_SPELLINGS |= {letters(style): style for _, style in STYLE_NAMES}
"""The styles of the data sets' genres, by their letters alone."""


def _bodies(pair: Pair) -> list[Motion]:
    """A pair's motion and its mirror image."""
    motion = pair.motion()
    return [motion, mirror(motion)]


def shown_bodies(pair: Pair, split: str) -> list[Motion]:
    """The motions of a pair that a split holds. Only training has mirror images."""
    return _bodies(pair) if split == "train" else [pair.motion()]


def style_index(pair: Pair, config: Config) -> int:
    """The index of a pair's style in the configuration, or -1 when it is none of them."""
    name = style_of(pair.genre)
    return config.styles.index(name) if name in config.styles else -1


def motion_features(pairs: list[Pair], config: Config) -> Iterator[Tensor]:
    """Features (t, c) of every motion and of its mirror image."""
    layout = layout_named(config.modalities["motion"].representation)
    return (encode(body, layout) for pair in pairs for body in _bodies(pair))


def pooled_amplitude(motion: Motion, stride: int) -> Tensor:
    """Kinematic amplitude (t / stride,), the maximum of each latent frame (MoMu-Diffusion, eq. 2)."""
    curve = amplitude(forward(motion.rotations, motion.root, SMPL22), motion.fps)
    usable = len(curve) // stride * stride
    return curve[:usable].reshape(-1, stride).amax(dim=1)


def movement_energy(motion: Motion, frames: int, fps: float) -> Tensor:
    """Mean joint speed (frames,) of a motion in m/s, smoothed over about a second as the loudness of music is."""
    speed = mean_speed(forward(motion.rotations, motion.root), motion.fps)
    clock = torch.arange(frames, dtype=torch.float64) / fps * motion.fps
    smooth = gaussian_smooth(speed, ENERGY_SMOOTHING * motion.fps)
    return smooth[clock.round().long().clamp_max(len(smooth) - 1)]


def as_loud_as_they_move(clips: dict[str, list[dict]]) -> None:
    """Replace the loudness in the rhythm of clips by one that their movement answers.

    Capture and music were recorded apart, so the real loudness says nothing about the movement, and a dancer who was
    trained on it would not hear it. Each frame gets the loudness that has the same rank among the loudness of all
    training music as its energy has among the training capture of its style. Dances then grow where songs do.

    clips: by split, with ``rhythm``, ``style`` and ``energy``, which is taken out.
    """
    if not clips["train"]:
        return  # the task says that there is nothing to train on
    heard = torch.cat([clip["rhythm"][:, LOUDNESS] for clip in clips["train"]]).sort().values
    energies: dict[int, list[Tensor]] = {}
    for clip in clips["train"]:
        energies.setdefault(clip["style"], []).append(clip["energy"])
    known = {style: torch.cat(some).sort().values for style, some in energies.items()}
    everything = torch.cat(list(known.values())).sort().values
    for clip in (clip for some in clips.values() for clip in some):
        others = known.get(clip["style"], everything)
        rank = torch.searchsorted(others, clip.pop("energy")) / max(len(others) - 1, 1)
        place = (rank * (len(heard) - 1)).round().long().clamp(0, len(heard) - 1)
        clip["rhythm"][:, LOUDNESS] = heard[place]


def music_of(pair: Pair | SongRecord, config: Config) -> Tensor:
    """The music of a pair, or a song, (t, c) in the configuration's representation. See ``core.audio.representation``.

    Raises FootlightError when that takes a waveform and there is none.
    """
    representation = config.modalities["music"].representation
    if representation == "mel":
        return pair.mel
    if pair.wave is None:
        raise FootlightError(f"the pair {pair.id} has no waveform: run train.prepare again, with --waveforms")
    return music_frames(pair.wave, pair.beats, config.signal, representation)


def motion_clips(pairs: dict[str, list[Pair]], music_encoder: Encoder, config: Config) -> dict[str, list[dict]]:
    """Clips for the motion autoencoder: ``features`` (t, c), ``music`` (t', z), ``amplitude`` (t',)."""
    layout = layout_named(config.modalities["motion"].representation)
    made: dict[str, list[dict]] = {}
    for split, some in pairs.items():
        made[split] = []
        for pair in tqdm(some, desc=f"encoding {split} music", mininterval=2.0):
            music = music_encoder(music_of(pair, config))
            for body in shown_bodies(pair, split):
                made[split].append(
                    {
                        "features": encode(body, layout),
                        "music": music,
                        "amplitude": pooled_amplitude(body, config.modalities["motion"].autoencoder.stride),
                    }
                )
    return made


def latent_clips(
    pairs: dict[str, list[Pair]],
    music_encoder: Encoder,
    motion_encoder: Encoder,
    config: Config,
) -> dict[str, list[dict]]:
    """Clips for the motion denoiser.

    They have ``latents``, ``context.music`` and ``rhythm`` at the rate of latents, ``features`` at that of motion, and
    ``style``. The loudness in the rhythm is that which the movement answers, see ``as_loud_as_they_move``.
    """
    motion = config.modalities["motion"]
    layout = layout_named(motion.representation)
    made: dict[str, list[dict]] = {}
    for split, some in pairs.items():
        made[split] = []
        for pair in tqdm(some, desc=f"encoding {split} pairs", mininterval=2.0):
            music = music_encoder(music_of(pair, config))
            for body in shown_bodies(pair, split):
                features = encode(body, layout)
                latents = motion_encoder(features)
                frames = min(len(latents), len(music))
                made[split].append(clip_of(pair, body, features, latents, music, frames, config))
    as_loud_as_they_move(made)
    return made


def song_clips(songs: list[SongRecord], music_encoder: Encoder, config: Config) -> list[dict]:
    """``context.music`` and ``rhythm`` of whole songs, as a dance to them hears them
    (``core.pipeline.dance.encode_song``).
    """
    made = []
    for song in tqdm(songs, desc="encoding songs", mininterval=2.0, disable=not songs):
        music = music_encoder(music_of(song, config))
        made.append({"context.music": music, "rhythm": told_rhythm(config, song.heard(), len(music))})
    return made


def accented_clips(
    pairs: dict[str, list[Pair]],
    music_encoder: Encoder,
    motion_encoder: Encoder,
    config: Config,
    accents: tuple[str, ...] = ACCENTS,
) -> dict[str, list[dict]]:
    """Clips as of ``latent_clips`` whose dancer has each accent, with ``accent``, its index in ``ACCENTS``, and without
    ``features``.

    accents: "arrive" is a pair as it is, "strike" is made of it.
    """
    made: dict[str, list[dict]] = {split: [] for split in pairs}
    for accent in accents:
        danced = {split: [accented(pair, accent) for pair in some] for split, some in pairs.items()}
        clips = latent_clips(danced, music_encoder, motion_encoder, config)
        for split, some in clips.items():
            for clip in some:
                del clip["features"]  # which are most of it
                made[split].append({**clip, "accent": ACCENTS.index(accent)})
    return made


def clip_of(
    pair: Pair, body: Motion, features: Tensor, latents: Tensor, music: Tensor, frames: int, config: Config
) -> dict:
    """The beginning of a body of a pair as a clip of ``latent_clips``, with the ``energy`` of its movement.

    features: (t, c) of the body.
    latents: (t', z) of the features.
    music: (t'', z') latents of the pair's music.
    frames: length of the clip, in latent frames.
    """
    return {
        "latents": latents[:frames],
        "context.music": music[:frames],
        "rhythm": pair.rhythm(frames, config.latent_fps),
        "energy": movement_energy(body, frames, config.latent_fps),
        "features": features[: frames * config.modalities["motion"].autoencoder.stride],
        "style": style_index(pair, config),
    }


def score_clips(
    pairs: dict[str, list[Pair]],
    songs: dict[str, list[SongRecord]],
    music_encoder: Encoder,
    motion_encoder: Encoder,
    config: Config,
) -> dict[str, list[dict]]:
    """Clips for the music denoiser: ``latents`` of music and the rhythm target that it meets.

    Clips of pairs also hold ``context.motion``, the latents of the motion, and their ``style``. Songs have the style
    -1. The rhythm target is ``beats``, ``onsets`` and ``loudness``, see ``met_target``.
    """
    layout = layout_named(config.modalities["motion"].representation)
    made: dict[str, list[dict]] = {}
    for split in pairs:
        made[split] = []
        for pair in tqdm(pairs[split], desc=f"encoding {split} pairs", mininterval=2.0):
            music, style = music_encoder(pair.mel), style_index(pair, config)
            for body in shown_bodies(pair, split):
                cond = motion_encoder(encode(body, layout))
                frames = min(len(cond), len(music))
                made[split].append(
                    {"latents": music[:frames], "context.motion": cond[:frames], "style": style, **met_target(pair)}
                )
        for song in tqdm(songs[split], desc=f"encoding {split} songs", mininterval=2.0):
            made[split].append({"latents": music_encoder(song.mel), "style": -1, **met_target(song)})
    return made


def met_target(music: Pair | SongRecord) -> dict:
    """The rhythm target that a piece of music meets: its own beats, all its onsets and its loudness.

    See ``core.rhythm.target.RhythmTarget``.
    """
    return {
        "beats": music.grid(),
        "onsets": onset_events(music.onset.float()).shifted(-ONSET_LEAD),
        "loudness": relative_loudness(music.loudness, len(music.loudness), ONSET_FPS),
    }

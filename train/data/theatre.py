"""Triples of music, motion and stage light for the theatre model, from prepared pairs.

Prepared pairs have no light. Shows are written over them by the rules of looks (``core.light``), with another look and
another seed for each. What the model learns of light is therefore what designers wrote down, and not seen on stages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.config.theatre import ACCENTS
from core.light.cues import CUES
from core.motion.features import encode, layout_named
from core.rhythm.events import beat_strength
from core.theatre.slices import Slicing, music_rows
from core.types import Beats, Motion
from train.data.crops import continued
from train.data.dataset import Pair
from train.data.encoder import Encoder, encoded
from train.data.latents import as_loud_as_they_move, clip_of, music_of, shown_bodies
from train.data.pairing.striking import accented
from train.state import digest, load_state, save_state

Writer = Callable[[Pair, Sequence[int]], list[tuple[np.ndarray, int]]]
"""Writes shows over a pair: (pair, seeds) -> for each seed values (t, c) at the latents' rate, and the index of its
look.
"""


@dataclass(frozen=True)
class Shows:
    """How shows are written over pairs.

    write: writes them.
    each: shows of a training pair. Held-out pairs have one.
    cues: what is told of them: (pair, frames) -> (frames, 7), see ``core.light.cues``; None tells nothing.
    """

    write: Writer
    each: int = 2
    cues: Callable[[Pair, int], Tensor] | None = None


def theatre_clips(
    pairs: dict[str, list[Pair]],
    music_encoder: Encoder,
    motion_vae: Autoencoder,
    config: Config,
    shows: Shows,
    folder: Path,
    accents: tuple[str, ...] = ACCENTS,
) -> dict[str, list[dict]]:
    """Clips by split, as ``train.data.latents.latent_clips`` makes them, with what the theatre needs besides.

    They also have ``rows``, those of music (s, c); ``strength``, that of the beat on each frame of the motion, 0 where
    there is none; ``accent``, its index in ``ACCENTS``; ``shows``, a list of pairs of light (t, c) and the index of its
    look; and ``cues`` (t, 7), see ``Shows``.

    folder: where latents and shows are kept, which take long to make. Other weights and writers need another.
    accents: which of them the dancer is shown to have. "arrive" is a pair as it is, "strike" is made of it.
    """
    layout = layout_named(config.modalities["motion"].representation)
    made: dict[str, list[dict]] = {}
    seed = 0
    for split, some in pairs.items():
        made[split] = []
        count = shows.each if split == "train" else 1
        for pair in tqdm(some, desc=f"lighting {split} pairs", mininterval=2.0):
            music = music_encoder(music_of(pair, config))
            for accent in accents:
                piece = accented(pair, accent)
                bodies = shown_bodies(piece, split)
                features = [encode(body, layout) for body in bodies]
                seeds = range(seed, seed + count)
                seed += count
                path = folder / f"{_name(piece, len(bodies), seeds)}.safetensors"
                if not path.is_file():
                    save_state(path, _costly(piece, features, motion_vae, shows.write, seeds))
                kept = load_state(path)
                cues = _cues(path.with_suffix(".cues"), piece, len(music), shows)
                made[split] += _clips(piece, bodies, features, music, accent, {**kept, "cues": cues}, config)
    as_loud_as_they_move(made)
    return made


def _name(pair: Pair, bodies: int, seeds: Sequence[int]) -> str:
    """A name for what ``_costly`` makes of so many bodies of a pair."""
    return digest(
        (bodies, list(seeds), pair.tempo), (value for value in vars(pair).values() if isinstance(value, Tensor))
    )


def _costly(pair: Pair, features: list[Tensor], motion_vae: Autoencoder, write: Writer, seeds: Sequence[int]) -> dict:
    """What takes long to make of a pair.

    These are, by their number, ``latents`` (t, z) of the features of its bodies and ``lights`` (t, c); and ``looks``,
    the index of each light's.
    """
    written = write(pair, seeds)
    return {
        "latents": {i: encoded(motion_vae, one) for i, one in enumerate(features)},
        "lights": {i: torch.from_numpy(light).half() for i, (light, _) in enumerate(written)},
        "looks": [look for _, look in written],
    }


def _cues(path: Path, pair: Pair, frames: int, shows: Shows) -> Tensor:
    """The cues (frames, 7) of a pair, which are kept in a file, if there are any to tell."""
    if shows.cues is None:
        return torch.zeros(frames, len(CUES))
    if not path.is_file():
        save_state(path, {"cues": shows.cues(pair, frames)})
    return load_state(path)["cues"]


def _clips(
    pair: Pair, bodies: list[Motion], features: list[Tensor], music: Tensor, accent: str, kept: dict, config: Config
) -> list[dict]:
    """The clips of a pair, one for each of its bodies.

    kept: what ``_costly`` made, and the cues.
    """
    motion, slicing = config.modalities["motion"], Slicing.of(config)
    beats = pair.grid()
    rows = music_rows(music_of(pair, config), beats, pair.onset, slicing).half()
    shows = [(kept["lights"][i], look) for i, look in enumerate(kept["looks"])]
    clips = []
    for i, body in enumerate(bodies):
        latents = kept["latents"][i]
        frames = min(len(latents), len(music), len(rows) * slicing.latents, *(len(light) for light, _ in shows))
        frames = frames // slicing.latents * slicing.latents
        strength = strength_on_frames(beats, pair.onset, frames * motion.autoencoder.stride, motion.fps)
        clips.append(
            {
                **clip_of(pair, body, features[i], latents, music, frames, config),
                "rows": rows[: frames // slicing.latents],
                "strength": strength,
                "accent": ACCENTS.index(accent),
                "shows": [(light[:frames], look) for light, look in shows],
                "cues": kept["cues"][:frames],
            }
        )
    return clips


def strength_on_frames(beats: Beats, onset: Tensor, frames: int, fps: float) -> Tensor:
    """The strength (frames,) of the beat on each frame, 0 where there is none."""
    strength = torch.zeros(frames)
    at = (beats.times.double() * fps).round().long()
    inside = at < frames
    strength[at[inside]] = beat_strength(beats, onset)[inside].float()
    return strength


def crop(clip: dict, start: int, frames: int, slicing: Slicing, stride: int, show: int) -> dict[str, Tensor]:
    """What the theatre needs of a clip from latent frame ``start`` on, which begins a slice.

    Beyond the clip's end the last slice and frame are repeated, and there are no beats.

    frames: latent frames, whole slices.
    stride: frames of motion for a latent frame.
    show: which of the clip's shows.
    """
    first, slices = start // slicing.latents, frames // slicing.latents
    light, look = clip["shows"][show % len(clip["shows"])]
    strength = clip["strength"][start * stride : (start + frames) * stride]
    return {
        "rows": continued(clip["rows"][first : first + slices].float(), slices),
        "light": continued(light[start : start + frames].float(), frames),
        "cues": continued(clip["cues"][start : start + frames], frames),
        "strength": functional.pad(strength, (0, frames * stride - len(strength))),
        "accent": torch.tensor(clip["accent"]),
        "look": torch.tensor(look),
    }

"""Motions and music kept on disk under a digest of everything that they were made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from core.audio.representation import to_float, to_int16
from core.files import write_atomically
from core.formats.dance import motion_arrays, motion_of
from core.formats.motion import MotionClip
from core.types import Motion, Waveform

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Music:
    """A score or a song.

    wave: (s,) int16 samples as in a file, so that what is read back is what was made.
    rate: samples a second.
    mel: (t, m) half precision. What it was decoded from, where that is known.
    """

    wave: Tensor
    rate: int
    mel: Tensor | None = None

    @classmethod
    def of(cls, sound: Waveform, mel: Tensor | None = None) -> Music:
        return cls(to_int16(sound.samples), sound.rate, None if mel is None else mel.half())

    @property
    def sound(self) -> Waveform:
        return Waveform(to_float(self.wave), self.rate)

    @property
    def seconds(self) -> float:
        return len(self.wave) / self.rate


@dataclass(frozen=True)
class Together:
    """A dance and the score that was made with it."""

    motion: Motion
    music: Music


@dataclass(frozen=True)
class Staged:
    """A dance and its stage light.

    light: (t, c) channels of ``core.show.channels``.
    light_fps: frames of light a second.
    """

    motion: Motion
    light: Tensor
    light_fps: float


Made = Motion | MotionClip
Kept = Made | Music | Together | Staged
K = TypeVar("K", bound=Kept)


class Cache:
    """A folder of motions and music by key.

    made: how many were computed.
    found: how many were read.
    quiet: without progress bars.
    """

    def __init__(self, folder: Path, quiet: bool = False) -> None:
        self.folder, self.quiet = Path(folder), quiet
        self.made = self.found = 0

    def get(self, key: str, make: Callable[[], K | None]) -> K | None:
        """The value kept under ``key``. If there is none, ``make()`` is called and its value kept.

        None is a value too: it says that there is no dance or music, and is kept as well.
        """
        path = self.folder / f"{key}.npz"
        try:
            with np.load(path, allow_pickle=False) as stored:
                value: Any = _unpacked({name: stored[name] for name in stored.files})
            self.found += 1
        except (OSError, ValueError, KeyError, BadZipFile):  # missing, or cut short by a full disk: made anew
            value = make()
            buffer = BytesIO()
            np.savez_compressed(buffer, **_packed(value))
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, buffer.getvalue())
            self.made += 1
        return value

    def progress(self, items: Iterable, title: str) -> Iterable:
        """The items, with a progress bar."""
        return tqdm(items, desc=title, disable=self.quiet)


def _packed(value: Kept | None) -> dict[str, np.ndarray]:
    if value is None:
        return {"none": np.zeros(0)}
    if isinstance(value, Together):
        return _packed(value.motion) | _packed(value.music)
    if isinstance(value, Staged):
        lit = {"light": value.light.cpu().numpy(), "light_fps": np.array(value.light_fps, np.float64)}
        return _packed(value.motion) | lit
    if isinstance(value, MotionClip):
        return {"positions": value.positions.cpu().numpy(), "fps": np.array(value.fps, np.float64)}
    if isinstance(value, Music):
        parts, numbers = {"wave": value.wave, "mel": value.mel}, {"rate": np.array(value.rate, np.int64)}
    else:
        return motion_arrays(value)
    return {name: part.cpu().numpy() for name, part in parts.items() if part is not None} | numbers


def _unpacked(parts: dict[str, np.ndarray]) -> Kept | None:
    if "none" in parts:
        return None
    numbers = {name: parts.pop(name).item() for name in ("fps", "rate", "light_fps") if name in parts}
    tensors = {name: torch.from_numpy(part) for name, part in parts.items()}
    music = Music(tensors["wave"], numbers["rate"], tensors.get("mel")) if "wave" in tensors else None
    if "positions" in tensors:
        return MotionClip(tensors["positions"], numbers["fps"])
    if music is not None and "rotations" not in tensors:
        return music
    light, light_fps = parts.pop("light", None), numbers.pop("light_fps", None)
    motion = motion_of({**parts, **numbers})
    if light is not None:
        return Staged(motion, tensors["light"], light_fps)
    return motion if music is None else Together(motion, music)


@lru_cache(maxsize=16)
def sources_digest(*places: str, without: tuple[str, ...] = ()) -> str:
    """A digest of the Python sources in the repository's files or folders ``places``, without those in ``without``."""
    digest = hashlib.sha256(torch.__version__.encode())
    for place in places:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = file.relative_to(ROOT).as_posix()
            if not name.startswith(without):
                digest.update(name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()

"""Dances as .npz files. The engine and the command line write them, and Blender sends them to the engine for scoring.

    rotations (t, 22, 4)  unit quaternions, wxyz, each joint local to its parent, with continuous signs
    root (t, 3)           metres, y up
    contacts (t, 4)       in [0, 1]: left ankle, left toe, right ankle, right toe on the floor
    beats (n,)            of the song, seconds
    downbeats (n,)        whether each beat starts a bar
    fps ()                frames per second
    joints (22,)          names
    parents (22,)         indices, -1 for the pelvis
    offsets (22, 3)       metres from the parent
    format, engine, tempo, and if they are known seed, model, style and audio_sha256: strings ()

A dance that Blender sends needs only rotations, root and fps. Nothing is pickled. The same dance gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from core import __version__
from core.errors import FootlightError, reason
from core.files import write_atomically
from core.motion.skeleton import SMPL22
from core.results import Dance
from core.types import Motion

FORMAT = "footlight-dance 2"


def write(path: Path | str, dance: Dance, **metadata: str) -> None:
    """Write a dance as ``encoded`` gives it. The file appears whole or not at all.

    Raises FootlightError where it cannot be written.
    """
    write_atomically(Path(path), encoded(dance, **metadata))


def encoded(dance: Dance, **metadata: str) -> bytes:
    """The bytes of a dance's file, with ``metadata`` as additional strings."""
    beats = dance.beats
    downbeats = torch.zeros(len(beats.times), dtype=torch.bool) if beats.downbeats is None else beats.downbeats
    texts = {
        "format": FORMAT,
        "engine": __version__,
        "tempo": f"{beats.tempo:.3f}",
        **({} if dance.style is None else {"style": dance.style}),
        **metadata,
    }
    data = io.BytesIO()
    np.savez(
        data,
        **motion_arrays(dance.motion),
        beats=beats.times.float().numpy(),
        downbeats=downbeats.numpy(),
        joints=np.array(SMPL22.names),
        parents=np.array(SMPL22.parents),
        offsets=SMPL22.offsets.numpy(),
        **{name: np.array(text) for name, text in texts.items()},
    )
    return data.getvalue()


def motion_arrays(motion: Motion) -> dict[str, np.ndarray]:
    """A motion as arrays: rotations, root, fps and, if they are known, contacts."""
    parts = {"rotations": motion.rotations, "root": motion.root, "contacts": motion.contacts}
    arrays = {name: part.detach().cpu().float().numpy() for name, part in parts.items() if part is not None}
    return {**arrays, "fps": np.array(motion.fps, np.float64)}


def motion_of(arrays: dict[str, np.ndarray]) -> Motion:
    """The motion of arrays: the inverse of ``motion_arrays``."""
    tensors = {name: torch.from_numpy(arrays[name]) for name in ("rotations", "root", "contacts") if name in arrays}
    return Motion(tensors["rotations"], tensors["root"], float(arrays["fps"]), tensors.get("contacts"))


def read_arrays(path: Path | str, names: Iterable[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read the named arrays of an .npz file, as far as they are present; also returns the names of all arrays in it.

    Raises FootlightError for a damaged file, or if an array is pickled, because a pickle may run any code.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names if name in file.files}, file.files
    except Exception as error:  # for a damaged file, zipfile and numpy raise almost anything, even a TokenError
        raise FootlightError(f"{path}: is damaged or no npz file of plain numbers ({reason(error)})") from None

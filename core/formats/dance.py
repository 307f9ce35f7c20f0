"""A dance as a file of arrays, .npz: what the engine and the command line write, and what Blender sends to be scored.

    rotations (t, 22, 4)  unit quaternions wxyz, each joint local to its parent, with continuous signs
    root (t, 3)           metres, y up
    contacts (t, 4)       in [0, 1]: left ankle, left toe, right ankle, right toe on the floor
    beats (n,)            of the song, seconds; downbeats (n,): whether each begins a bar
    fps ()                frames per second
    joints (22,)          names; parents (22,): indices, -1 for the pelvis; offsets (22, 3): metres from the parent
    format, engine, tempo, and where they are known seed, model, style and audio_sha256: texts ()

A dance that is only sent needs rotations, root and fps. Nothing in it is pickled. The same dance is the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from core import __version__
from core.errors import FootlightError
from core.files import write_atomically
from core.motion.skeleton import SMPL22
from core.results import Dance
from core.types import Motion

FORMAT = "footlight-dance 2"


def write(path: Path | str, dance: Dance, **metadata: str) -> None:
    """Write ``encoded``; the file appears whole or not at all. Raises FootlightError where it cannot be written."""
    write_atomically(Path(path), encoded(dance, **metadata))


def encoded(dance: Dance, **metadata: str) -> bytes:
    """The file of a dance. metadata: further texts."""
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
    """Rotations, root, fps and, where they are known, contacts."""
    parts = {"rotations": motion.rotations, "root": motion.root, "contacts": motion.contacts}
    arrays = {name: part.detach().cpu().float().numpy() for name, part in parts.items() if part is not None}
    return {**arrays, "fps": np.array(motion.fps, np.float64)}


def motion_of(arrays: dict[str, np.ndarray]) -> Motion:
    """What ``motion_arrays`` says."""
    tensors = {name: torch.from_numpy(arrays[name]) for name in ("rotations", "root", "contacts") if name in arrays}
    return Motion(tensors["rotations"], tensors["root"], float(arrays["fps"]), tensors.get("contacts"))


def read_arrays(path: Path | str, names: Iterable[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Those arrays of an .npz file that are there, and the names of all that it holds.

    Raises FootlightError where the file is damaged, or where one of them is no plain array (a pickle may run anything).
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names if name in file.files}, file.files
    except Exception as error:  # of a damaged file zipfile and numpy say nearly anything, a TokenError for one
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FootlightError(f"{path}: is damaged or no npz file of plain numbers ({reason})") from None

"""Keeps what hearing a song found in a folder, so that an edit of a dance need not hear its song again.

A file there is named by a digest of all that hearing depends on: the samples, beats that were given, the model's
configuration, the weights of its encoder of music, the sources and the beat network of ``core``, the libraries and the
arithmetic. So what is stale or of another song is not found, and what is found is what would be heard, bit for bit.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
from collections.abc import Mapping
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch

from core.audio.beat_tracking import warn_if_unsure
from core.errors import FootlightError
from core.files import write_atomically
from core.formats.dance import read_arrays
from core.pipeline.dance import HeardSong, hear_song, pcm
from core.pipeline.model import PRETRAINED, Model
from core.pipeline.sound import Sound, sounding
from core.rhythm.features import Rhythm
from core.rhythm.sections import Section
from core.types import Beats, Condition, Waveform

MOST_BYTES = 64 << 20  # of all files together: about 1 MB for a song of three minutes
SUFFIX = ".heard"  # so that nothing else in the folder is taken for one of them
FOLDER_VARIABLE = "FOOTLIGHT_CACHE"
_BEATS = tuple(field.name for field in fields(Beats))
_ALWAYS = ("times", "tempo", "onset", "loudness", "music")


def cache_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path | None:
    """The folder for what can be calculated again, as the system wants it; None if nothing is to be kept.

    environment: ``FOOTLIGHT_CACHE`` names another folder; empty, it says that nothing is to be kept.
    platform: as ``sys.platform``.
    """
    if (asked := environment.get(FOLDER_VARIABLE)) is not None:
        return Path(asked) if asked else None
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home
        return None
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "footlight" / "cache"
    if platform == "darwin":
        return home / "Library" / "Caches" / "footlight"
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "footlight"


def hear_once(
    model: Model, song: Waveform | Sound, beats: Beats | None, folder: Path | None, most_bytes: int = MOST_BYTES
) -> HeardSong:
    """Hear a song as ``hear_song`` does, unless the folder has what was found in it before.

    folder: made if it is missing; None keeps nothing. One that cannot be read or written is left alone.
    most_bytes: of all files together. Those that were used longest ago are deleted.

    Raises FootlightError as ``hear_song`` does.
    """
    if folder is None:
        return hear_song(model, song, beats)
    sound = sounding(song)
    path = folder / f"{_digest(model, sound.song, beats)}{SUFFIX}"
    heard = _read(path, sound.song, model.device)
    if heard is None:
        heard = hear_song(model, sound, beats)
        with contextlib.suppress(FootlightError, OSError):
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, _encoded(heard))
            _trim(folder, most_bytes)
        return heard
    with contextlib.suppress(OSError):
        os.utime(path)
    warn_if_unsure(heard.rhythm.beats)
    return heard


def _digest(model: Model, song: Waveform, beats: Beats | None) -> str:
    """Of everything that what is heard depends on."""
    weights = model.autoencoders["music"].state_dict()
    given = {} if beats is None else _arrays_of_beats(beats)
    described = (
        _digest_of_core(),
        (torch.__version__, np.__version__, soxr.__version__),
        (str(model.device), torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()),
        (model.config, [(name, tensor.shape) for name, tensor in weights.items()]),
        (song.rate, song.samples.shape, [(name, array.tolist()) for name, array in given.items()]),
    )
    digest = hashlib.blake2b(repr(described).encode(), digest_size=20)
    for tensor in (song.samples, *weights.values()):
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()


def _digest_of_core() -> str:
    """Of the sources, and of the networks that belong to no model: many versions of them may have one number."""
    digest = hashlib.blake2b(digest_size=20)
    for path in sorted((*PRETRAINED.parent.rglob("*.py"), *PRETRAINED.glob("*.safetensors"))):
        data = path.read_bytes()
        digest.update(f"{path.name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _encoded(heard: HeardSong) -> bytes:
    """The file of a song that was heard, without its samples."""
    rhythm, condition = heard.rhythm, heard.condition
    tensors = {"onset": rhythm.onset, "loudness": rhythm.loudness, "music": condition.context["music"]}
    if condition.rhythm is not None:
        tensors["rhythm"] = condition.rhythm
    if heard.sections:
        tensors["sections"] = torch.tensor([astuple(section) for section in heard.sections], dtype=torch.float64)
    data = io.BytesIO()
    np.savez(data, **_arrays_of_beats(rhythm.beats), **{name: some.cpu().numpy() for name, some in tensors.items()})
    return data.getvalue()


def _arrays_of_beats(beats: Beats) -> dict[str, np.ndarray]:
    """Beats as arrays, of what is known of them."""
    values = {name: getattr(beats, name) for name in _BEATS}
    return {name: np.asarray(value) for name, value in values.items() if value is not None}


def _read(path: Path, song: Waveform, device: torch.device) -> HeardSong | None:
    """What ``_encoded`` wrote of a song; None for a file that is missing or damaged."""
    try:
        arrays, _ = read_arrays(path, {*_BEATS, *_ALWAYS, "rhythm", "sections"})
    except FootlightError:
        return None
    if any(name not in arrays for name in _ALWAYS):
        return None
    found: dict[str, Any] = {
        name: torch.from_numpy(array) if array.ndim else array.item() for name, array in arrays.items()
    }
    beats = Beats(**{name: found[name] for name in _BEATS if name in found})
    condition = Condition({"music": found["music"]}, found.get("rhythm")).map(lambda tensor: tensor.to(device))
    rhythm = Rhythm(beats, found["onset"], found["loudness"])
    sections = tuple(
        Section(start, end, int(kind), intensity)
        for start, end, kind, intensity in arrays.get("sections", np.zeros((0, 4))).tolist()
    )
    return HeardSong(pcm(song.samples), song.seconds, rhythm, condition, sections)


def _trim(folder: Path, most_bytes: int) -> None:
    """Delete the files that were used longest ago, until the others fit."""
    files = sorted(((path.stat(), path) for path in folder.glob(f"*{SUFFIX}")), key=lambda one: -one[0].st_mtime)
    kept = 0
    for about, path in files:
        kept += about.st_size
        if kept > most_bytes:
            path.unlink(missing_ok=True)

"""What was made, as files: each appears whole or not at all, and of several either all or none."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save

from core import __version__
from core.audio import io
from core.config import SignalConfig
from core.files import write_atomically, write_together
from core.motion.skeleton import SMPL22
from core.pipeline.dance import Dance, motion_arrays
from core.pipeline.midi import score_midi
from core.pipeline.score import Score, mastered

DANCE_FORMAT = "footlight-dance 1"


def write_dance(path: Path | str, made: Dance, **metadata: str) -> None:
    """Write ``dance_file``. Raises FootlightError where it cannot be written."""
    write_atomically(Path(path), dance_file(made, **metadata))


def dance_file(made: Dance, **metadata: str) -> bytes:
    """A dance as safetensors: rotations (t, 22, 4) wxyz, root (t, 3) metres, contacts (t, 4), beats (n,) seconds,
    downbeats (n,); with the skeleton, fps, tempo and ``metadata`` as text."""
    text = {
        "format": DANCE_FORMAT,
        "fps": repr(made.motion.fps),
        "joints": json.dumps(SMPL22.names),
        "parents": json.dumps(SMPL22.parents),
        "offsets": json.dumps(SMPL22.offsets.tolist()),
        "engine": __version__,
        "tempo": f"{made.beats.tempo:.3f}",
        **({} if made.style is None else {"style": made.style}),
        **metadata,
    }
    arrays = {name: value.contiguous() for name, value in motion_arrays(made).items()}
    return _with_sorted_header(save(arrays, text))


def write_music(
    path: Path | str, made: Score, signal: SignalConfig, stereo: bool = True, midi: Path | str | None = None
) -> None:
    """Write ``music_files``. Raises FootlightError where one of them cannot be written."""
    write_together(music_files(path, made, signal, stereo, midi))


def music_files(
    path: Path | str, made: Score, signal: SignalConfig, stereo: bool = True, midi: Path | str | None = None
) -> dict[Path, bytes]:
    """A music, mastered, as wav, flac or ogg; with ``midi`` also its beats and drums, to be edited.

    signal: of the model that made it. Raises FootlightError for a music of fewer than two beats with ``midi``.
    """
    files = {Path(path): io.encoded(Path(path), mastered(made.sound, stereo))}
    if midi is not None:
        files[Path(midi)] = score_midi(made, signal)
    return files


def _with_sorted_header(data: bytes) -> bytes:
    """A safetensors file whose header is in alphabetical order: the library's own order changes from run to run, and
    the same dance shall be the same file."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]

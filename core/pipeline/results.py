"""What was made, as files: each appears whole or not at all, and of several either all or none."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from safetensors.torch import save

from core import __version__
from core.audio import io
from core.checkpoint import write_atomically
from core.config import SignalConfig
from core.motion.skeleton import SMPL22
from core.pipeline.composing import Score, mastered
from core.pipeline.dancing import Dance, motion_arrays
from core.pipeline.midi import write_score_midi

DANCE_FORMAT = "footlight-dance 1"


def write_dance(path: Path | str, made: Dance, **metadata: str) -> None:
    """A dance as safetensors: rotations (t, 22, 4) wxyz, root (t, 3) metres, contacts (t, 4), beats (n,) seconds,
    downbeats (n,); with the skeleton, fps, tempo and ``metadata`` as text.

    Raises FootlightError where it cannot be written.
    """
    text = {
        "format": DANCE_FORMAT,
        "fps": repr(made.motion.fps),
        "joints": json.dumps(SMPL22.names),
        "parents": json.dumps(SMPL22.parents),
        "offsets": json.dumps(SMPL22.offsets.tolist()),
        "engine": __version__,
        "tempo": f"{made.beats.tempo:.3f}",
        **metadata,
    }
    arrays = {name: value.contiguous() for name, value in motion_arrays(made).items()}
    write_atomically(Path(path), _with_sorted_header(save(arrays, text)))


def write_music(
    path: Path | str, made: Score, signal: SignalConfig, stereo: bool = True, midi: Path | str | None = None
) -> None:
    """A music, mastered, as wav, flac or ogg; with ``midi`` also its beats and drums, to be edited.

    signal: of the model that made it. Raises FootlightError where either cannot be written.
    """
    io.write(path, mastered(made.sound, stereo))
    if midi is not None:
        with taking_back(path):
            write_score_midi(midi, made, signal)


@contextlib.contextmanager
def taking_back(*written: Path | str | None) -> Iterator[None]:
    """Take back what was written before, when what follows does not come about."""
    try:
        yield
    except BaseException:
        for path in written:
            if path is not None:
                Path(path).unlink(missing_ok=True)
        raise


def _with_sorted_header(data: bytes) -> bytes:
    """A safetensors file whose header is in alphabetical order: the library's own order changes from run to run, and
    the same dance shall be the same file."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]

"""One motion against one song: its beats with chance, and its physics. No data folder is needed."""

from __future__ import annotations

from pathlib import Path

from core.audio import io
from core.audio.rhythm import analyse
from core.metrics import beat
from core.motion.moving import read_moving
from core.motion.resample import resample
from core.types import FootlightError
from train.data.motion_sources import load as load_source
from train.evaluation import scores
from train.evaluation.cache import Made, Track


def read_motion(path: Path, fps: float) -> Made:
    """Whatever ``core.motion.moving`` reads, or a robot's CSV and a pickle of AIST++, which are cleaned; a body at
    ``fps``, a flat one as it was filmed: ``fps`` is then that of a film which does not say it."""
    if path.suffix.lower() in (".csv", ".pkl"):
        return resample(load_source(path).motion, fps)
    moving = read_moving(path, fps)
    return Track(moving.positions, moving.fps) if moving.motion is None else resample(moving.motion, fps)


def evaluate(motion: Path, music: Path, fps: float = 30.0, start: float = 0.0) -> dict:
    """Every score of the motion at ``fps``, danced to the music from ``start`` seconds on.

    The whole song is listened to; beats outside of the motion do not count. Raises FootlightError for files that cannot
    be read and for a motion that begins after the song's end.
    """
    danced, song = read_motion(motion, fps), io.read(music)
    if not 0 <= start < song.seconds:
        raise FootlightError(f"the motion starts at {start:g} s, and {music} lasts {song.seconds:.1f} s")
    beats = analyse(song).beats.shifted(start)
    result = scores.evaluate(danced, beats, beat.music_onsets(song) - start)
    heard = {"seconds": danced.seconds, "fps": danced.fps, "tempo": beats.tempo}
    return {"motion": str(motion), "music": str(music), **heard, **result}

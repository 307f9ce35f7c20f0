"""One motion against one song: its beats with chance levels, and its physics. No data folder is needed."""

from __future__ import annotations

from pathlib import Path

from core.audio import io
from core.errors import FootlightError
from core.formats.motion import read_motion
from core.metrics import beat
from core.motion.resample import resample
from core.rhythm.features import analyse
from train.data.motion.sources import load as load_source
from train.evaluation.cache import Made
from train.evaluation.dance import measures


def load_motion(path: Path, fps: float) -> Made:
    """Load a motion of any file that ``core.formats.motion`` reads, a robot's CSV, or a pickle of AIST++.

    A body comes at ``fps``. A flat one keeps the rate of its film, and ``fps`` is that rate if neither the file nor its
    kind says it.
    """
    if path.suffix.lower() in (".csv", ".pkl"):
        return resample(load_source(path).motion, fps)
    try:
        clip = read_motion(path)
    except FootlightError:
        clip = read_motion(path, fps)
    return clip if clip.motion is None else resample(clip.motion, fps)


def evaluate(motion: Path, music: Path, fps: float = 30.0, start: float = 0.0) -> dict:
    """All measures of the motion at ``fps``, danced to the music from ``start`` seconds on.

    The whole song is analysed. Beats outside the motion do not count.

    Raises FootlightError for files that cannot be read, and for a motion that begins after the song's end.
    """
    danced, song = load_motion(motion, fps), io.read(music)
    if not 0 <= start < song.seconds:
        raise FootlightError(f"the motion starts at {start:g} s, and {music} lasts {song.seconds:.1f} s")
    beats = analyse(song).beats.shifted(start)
    result = measures.evaluate(danced, beats, beat.music_onsets(song) - start)
    heard = {"seconds": danced.seconds, "fps": danced.fps, "tempo": beats.tempo}
    return {"motion": str(motion), "music": str(music), **heard, **result}

"""From a song to a dance, from a motion to its music, and both from nothing: composition only.

Every step lives in a room above. Long operations are generators: they yield ``Progress`` and return their result, so
whoever runs them may stop between two steps. ``run`` is for those who want only the result.
"""

from core.pipeline.composing import Score, mastered, score
from core.pipeline.dancing import (
    Dance,
    dance,
    finish,
    imagine,
    joint_positions,
    judge,
    listen,
    motion_arrays,
    read_song,
    reading_song,
)
from core.pipeline.inventing import Duet, duet
from core.pipeline.midi import write_score_midi
from core.pipeline.model import Model, find_device, find_model
from core.pipeline.options import DanceOptions, DuetOptions, ScoreOptions
from core.pipeline.results import dance_file, music_files, write_dance, write_music
from core.types import run

__all__ = [
    "Dance",
    "DanceOptions",
    "Duet",
    "DuetOptions",
    "Model",
    "Score",
    "ScoreOptions",
    "dance",
    "dance_file",
    "duet",
    "find_device",
    "find_model",
    "finish",
    "imagine",
    "joint_positions",
    "judge",
    "listen",
    "mastered",
    "motion_arrays",
    "music_files",
    "read_song",
    "reading_song",
    "run",
    "score",
    "write_dance",
    "write_music",
    "write_score_midi",
]

"""From a song to a dance, from a motion to its music, and both from nothing: composition only.

Every step lives in a room above. Long operations report how far they are (``core.progress``); who listens may cancel
them by raising.
"""

from core.pipeline.dance import (
    Dance,
    encode_song,
    finish,
    generate_dance,
    joint_positions,
    judge,
    motion_arrays,
    read_song,
    sample_dance,
)
from core.pipeline.duet import Duet, generate_duet
from core.pipeline.midi import write_score_midi
from core.pipeline.model import Model, find_device, find_model
from core.pipeline.options import DanceOptions, DuetOptions, ScoreOptions
from core.pipeline.results import dance_file, music_files, write_dance, write_music
from core.pipeline.score import Score, mastered, score_motion

__all__ = [
    "Dance",
    "DanceOptions",
    "Duet",
    "DuetOptions",
    "Model",
    "Score",
    "ScoreOptions",
    "dance_file",
    "encode_song",
    "find_device",
    "find_model",
    "finish",
    "generate_dance",
    "generate_duet",
    "joint_positions",
    "judge",
    "mastered",
    "motion_arrays",
    "music_files",
    "read_song",
    "sample_dance",
    "score_motion",
    "write_dance",
    "write_music",
    "write_score_midi",
]

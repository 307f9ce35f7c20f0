"""Generates dances for songs, scores for motions, and duets of both, by composing the steps of the other rooms.

Long operations report their progress (``core.progress``). A listener can cancel them by raising an exception.
"""

from core.pipeline.dance import (
    beats_of,
    encode_song,
    finish,
    generate_dance,
    joint_positions,
    judge,
    read_song,
    sample_dance,
)
from core.pipeline.duet import generate_duet
from core.pipeline.model import Model, find_device, find_model
from core.pipeline.score import score_motion
from core.protocol import DanceOptions, DuetOptions, ScoreOptions
from core.results import Dance, Duet, Score

__all__ = [
    "Dance",
    "DanceOptions",
    "Duet",
    "DuetOptions",
    "Model",
    "Score",
    "ScoreOptions",
    "beats_of",
    "encode_song",
    "find_device",
    "find_model",
    "finish",
    "generate_dance",
    "generate_duet",
    "joint_positions",
    "judge",
    "read_song",
    "sample_dance",
    "score_motion",
]

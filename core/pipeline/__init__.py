"""Makes dances for songs, scores for motions, duets of both, light for songs, and dances with their light.

Long operations report their progress (``core.progress``). A listener can cancel them by raising an exception.
"""

from core.light.choice import look_of
from core.pipeline.asked import Edit
from core.pipeline.beats import beats_given, beats_of, grid_of, read_beats
from core.pipeline.dance import (
    HEARING,
    Begun,
    HeardSong,
    begin_dance,
    dance_to,
    encode_song,
    finish,
    generate_dance,
    hear_song,
    joint_positions,
    judge,
    read_song,
    sample_dance,
)
from core.pipeline.duet import generate_duet
from core.pipeline.edit import edit_dance
from core.pipeline.edit_files import answer, begin, read_dance, read_edit
from core.pipeline.heard_songs import cache_folder, hear_once
from core.pipeline.light import light_song, read_dancer, read_light
from core.pipeline.lit_dance import (
    HEARD_LIT,
    HEARING_LIT,
    Known,
    answer_theatre,
    begin_theatre,
    generate_theatre,
    read_theatre,
)
from core.pipeline.lit_song import LitSong, hear_lit
from core.pipeline.model import Model, find_device, find_model
from core.pipeline.score import score_motion
from core.pipeline.sound import Sound
from core.protocol import DanceOptions, DuetOptions, LightOptions, ScoreOptions, TheatreOptions
from core.results import Dance, Duet, Light, LitDance, Score

__all__ = [
    "HEARD_LIT",
    "HEARING",
    "HEARING_LIT",
    "Begun",
    "Dance",
    "DanceOptions",
    "Duet",
    "DuetOptions",
    "Edit",
    "HeardSong",
    "Known",
    "Light",
    "LightOptions",
    "LitDance",
    "LitSong",
    "Model",
    "Score",
    "ScoreOptions",
    "Sound",
    "TheatreOptions",
    "answer",
    "answer_theatre",
    "beats_given",
    "beats_of",
    "begin",
    "begin_dance",
    "begin_theatre",
    "cache_folder",
    "dance_to",
    "edit_dance",
    "encode_song",
    "find_device",
    "find_model",
    "finish",
    "generate_dance",
    "generate_duet",
    "generate_theatre",
    "grid_of",
    "hear_lit",
    "hear_once",
    "hear_song",
    "joint_positions",
    "judge",
    "light_song",
    "look_of",
    "read_beats",
    "read_dance",
    "read_dancer",
    "read_edit",
    "read_light",
    "read_song",
    "read_theatre",
    "sample_dance",
    "score_motion",
]

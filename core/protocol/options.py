"""The fields of requests, by what they are of: all that has a seed, all that is sampled, dances, songs, edits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..errors import FootlightError
from .rules import check, needed, option

LARGEST_SEED = 2**63 - 1
SLOWEST_FPS = 1.0
FASTEST_FPS = 240.0
FASTEST_CAPTURE_FPS = 2000.0  # of a motion that is read
SHORTEST_SECONDS = 1.0  # of a song or a motion
SONG_FILES = "wav, flac, ogg, opus or mp3"
LOOKS = "one of the looks that `core looks` lists, a LOOK.json, or a picture (jpg, png, webp) to light like"
SWITCH = 0.5
"""Default of Tc / T in MoMu-Diffusion (section 4.3). The paper found 0.3 to 0.7 robust; 0.9 fails."""

QUALITIES = ("normal", "fine")
ACCENTS = ("strike", "arrive")

MOST_MOVES = 16
"""Of a pattern, which is then 32 bars long, as hardly any part of a song is."""

LEAST_VARIATION = 0.05
"""Of an edit; less than that is the same dance."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Values within their bounds. Creating one with other values raises FootlightError."""

    def __post_init__(self) -> None:
        check(type(self), **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})


@dataclass(frozen=True, kw_only=True)
class Seeded(Options):
    """Options of everything that chance decides."""

    seed: int = option(
        0, "the same seed gives the same result, another seed another result", least=0, most=LARGEST_SEED
    )


@dataclass(frozen=True, kw_only=True)
class Sampling(Seeded):
    """Options of everything that a model samples."""

    quality: str = option("normal", "fine: by the slow teacher of a fast model, where it has one", choices=QUALITIES)
    steps: int | None = option(None, "denoising steps", least=1, unset="the model's own")
    guidance: float | None = option(
        None,
        "how closely to follow the music, the motion or each other; 1 is no guidance",
        least=0.0,
        most=20.0,
        unset="the model's own",
    )
    style: str | None = option(
        None,
        "one of the model's styles, or a mixture such as salsa:0.6,pop:0.4",
        unset="drawn by the seed for a dance, none for music",
    )


@dataclass(frozen=True, kw_only=True)
class Dancing(Options):
    """Options of every dance."""

    fps: float = option(30.0, "frame rate of the dance", unit="frames per second", least=SLOWEST_FPS, most=FASTEST_FPS)
    beat_snap: float = option(0.7, "how strongly the dance's accents are moved onto the beats", least=0.0, most=1.0)


@dataclass(frozen=True, kw_only=True)
class DanceOptions(Sampling, Dancing):
    """Options of a dance to a song.

    Raises FootlightError for moves that are repeated in free form.
    """

    free_form: bool = option(
        False, "make new moves all the way; otherwise moves are repeated, and return with their part"
    )
    moves: str | None = option(
        None,
        "how moves of two bars are repeated, a letter for each, such as AABB: the same letter is the same move; after "
        "the last one come other moves by the same pattern",
        letters=MOST_MOVES,
        unset="as dancers of the style do",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.free_form and self.moves is not None:
            raise FootlightError("moves says what is repeated, and in free form nothing is; leave one of them out")


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(Sampling):
    """Options of a score for a motion."""

    free_form: bool = option(False, "make music that goes on anew all the way; otherwise its phrases come again")


@dataclass(frozen=True, kw_only=True)
class DuetOptions(Sampling, Dancing):
    """Options of a duet, a dance and its music generated together.

    Guidance and style apply to both. A style that the seed draws applies only to the dance.
    """

    seconds: float = option(30.0, "length of the dance and its music", unit="seconds", least=5.0, most=240.0)
    switch: float = option(
        SWITCH, "fraction of the steps, the last ones, in which dance and music follow each other", least=0.0, most=1.0
    )


@dataclass(frozen=True, kw_only=True)
class LightOptions(Seeded):
    """Options of the light for a song."""

    look: str = option("musical", LOOKS)


@dataclass(frozen=True, kw_only=True)
class TheatreOptions(DanceOptions):
    """Options of a dance and its stage light, generated together.

    ``beat_snap`` moves what the dancer does on a beat: strikes or arrivals.
    """

    look: str | None = option(None, LOOKS, unset="any that suits the song")
    accent: str | None = option(
        None,
        "what the body does on a beat: strike (moves most there) or arrive (comes to rest there)",
        unset="the model's own",
        choices=ACCENTS,
    )


@dataclass(frozen=True, kw_only=True)
class Part(Options):
    """The part of a song or a motion that is used."""

    start: float = option(0.0, "where to start", unit="seconds", least=0.0)
    seconds: float | None = option(None, "how much to use", unit="seconds", least=0.0, unset="all of it")


@dataclass(frozen=True, kw_only=True)
class Song(Part):
    """The song, or the part of it, that is used."""

    song: str = needed(f"{SONG_FILES}; with ffmpeg on PATH m4a, webm, wma and others too", file="read")


@dataclass(frozen=True, kw_only=True)
class CountedSong(Song):
    """A song whose beats may be given."""

    beats: str | None = option(
        None, "BEATS.json: the beats of the whole song, see docs/beats.md", unset="tracked in the song", file="read"
    )


@dataclass(frozen=True, kw_only=True)
class Sound(Options):
    """Options of the files of every score."""

    mono: bool = option(False, "one channel instead of two")
    midi: str | None = option(None, "OUT.mid: also write the beats and drums, for editing", file="written")
    vocoder: str | None = option(
        None, "griffin-lim, or a BigVGAN checkpoint with its config.json beside it", unset="the model's own"
    )


@dataclass(frozen=True, kw_only=True)
class Editing(Options):
    """What is made anew of a dance that there is; without one, a whole dance is made.

    Raises FootlightError for the other fields without a dance.
    """

    edit: str | None = option(
        None,
        "a dance to edit, BVH of any humanoid or NPZ; all that is not made anew stays as it is, see docs/edits.md",
        unset="a new dance is made",
        file="read",
    )
    range: str | None = option(
        None,
        'what is made anew: "bars 17:20", "the third eight", seconds 12.5:20 or "frames 375:600"',
        unset="all of the dance",
    )
    joints: str | None = option(
        None,
        "the part of the body that is made anew: upper, lower, arms, left arm, right arm, head, torso, legs, or "
        "several, separated by commas",
        unset="all of it",
    )
    keys: str | None = option(None, "KEYS.json: poses inside the range that are hit exactly", unset="none", file="read")
    path: str | None = option(None, "PATH.json: a curve on the floor to be followed", unset="none", file="read")
    variation: float = option(1.0, "from a little different to anew", least=LEAST_VARIATION, most=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [name for name in ("range", "joints", "keys", "path") if getattr(self, name) is not None]
        if self.edit is None and given:
            raise FootlightError(f"{given[0]} says what is made anew of a dance; give the dance with edit")

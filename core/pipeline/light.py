"""Writes the light for a song, by the rules of a look.

song ── beats, sections, stops, drops, harmony ──┐
dance ── energy, place ──────────────────────────┼── rules ── limiter of flashes ── show
look ── colours, levels, behaviours ─────────────┘
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from core import progress
from core.audio.beat_tracking import warn_if_unsure
from core.audio.io import resample
from core.audio.onsets import RHYTHM_RATE
from core.errors import FootlightError, warn
from core.formats.motion import MotionClip, read_motion
from core.light.choice import look_of
from core.light.dancer import Dancer, watch
from core.light.rules import write_show
from core.light.song import listen
from core.metrics import light as metrics
from core.pipeline.choices import noise_seed
from core.pipeline.dance import pcm
from core.protocol import SHORTEST_SECONDS, LightOptions
from core.results import Light
from core.rhythm.events import strong_beats
from core.show.show import Show
from core.types import Beats, Waveform

APART_SECONDS = 0.5  # by which a dance and its song may differ: files of one song do, by its encoder
_FLAT = "a flat picture, without a place on the stage; give a BVH or NPZ in 3-D"


def read_dancer(path: Path | str) -> MotionClip:
    """Read the dance that light is to follow.

    Raises FootlightError as ``core.formats.motion.read_motion`` does, and for a folder, whose pictures are flat.
    """
    if Path(path).is_dir():
        raise FootlightError(f"{path}: is a folder, as OpenPose writes it: {_FLAT}")
    return read_motion(path)


def warn_of_length(dance: float, song: float) -> None:
    """Warn the user if a dance that is lit is longer or shorter than its song. Both in seconds."""
    if abs(dance - song) <= APART_SECONDS:
        return
    rest = "from there on the light has no dancer to follow" if dance < song else "what comes after the song is not lit"
    warn(f"the dance lasts {dance:.2f} s and the song {song:.2f} s; {rest}")


@torch.no_grad()
def light_song(
    song: Waveform, options: LightOptions | None = None, clip: MotionClip | None = None, beats: Beats | None = None
) -> Light:
    """Write the light for a whole song. The same song, dance and options give the same show.

    song: at any rate.
    options: look and seed; None takes the defaults.
    clip: the dance, which begins with the song; None lights an empty stage.
    beats: of the song, in place of those that would be tracked.

    Raises FootlightError for an unknown look, a song shorter than a second, and a flat dance.
    """
    options = options or LightOptions()
    if song.seconds < SHORTEST_SECONDS:
        raise FootlightError(f"the song lasts {song.seconds:.2f} s; at least {SHORTEST_SECONDS:g} s is needed")
    if clip is not None and clip.positions.shape[-1] != 3:
        raise FootlightError(f"the dance is {_FLAT}")
    if clip is not None:
        warn_of_length(clip.seconds, song.seconds)
    look = look_of(options.look)
    with progress.part(0.0, 0.85, "Finding beats and sections"):
        sound = resample(song, RHYTHM_RATE)
        heard = listen(sound, beats)
        warn_if_unsure(heard.beats)
    dancer = None if clip is None else watch(clip.positions, clip.fps)
    with progress.part(0.85, 0.95, "Writing the cues"):
        draw = np.random.default_rng(noise_seed(options.seed, pcm(sound.samples)))
        show = write_show(heard, look, draw, dancer)
    with progress.part(0.95, 1.0, "Judging the light"):
        return Light(show, heard.beats, judge(show, heard.beats, dancer))


def judge(show: Show, beats: Beats, dancer: Dancer | None = None) -> dict[str, float]:
    """The metrics of a show, as ``core.results.Light`` lists them. Undefined ones are left out."""
    if show.frames < metrics.FEWEST_FRAMES:
        return {}
    energy = None if dancer is None else torch.from_numpy(dancer.energy)
    found = metrics.evaluate(show, strong_beats(beats), energy=energy)
    flat = {"flashes": found.pop("flashes")}
    for name, pair in found.items():
        flat |= {name: pair["value"], f"{name}_chance": pair["chance"]}
    return {name: value for name, value in flat.items() if not math.isnan(value)}

"""Writes the light for a song, by the rules of a look.

song ── beats, sections, stops, drops, harmony ──┐
dance ── energy, place ──────────────────────────┼── rules ── limiter of flashes ── show
look ── colours, levels, behaviours ─────────────┘

Parts of a show that there is are written anew in the same way, and put into it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
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
from core.pipeline.beats import spans_of
from core.pipeline.choices import noise_seed
from core.pipeline.dance import pcm
from core.protocol import SHORTEST_SECONDS, LightOptions, LightRequest
from core.results import Light
from core.rhythm.events import strong_beats
from core.show import file as show_file
from core.show.channels import SHOW_FPS
from core.show.show import Show
from core.show.splice import spliced
from core.types import Beats, Waveform

APART_SECONDS = 0.5  # by which a dance and its song may differ: files of one song do, by its encoder
_FLAT = "a flat picture, without a place on the stage; give a BVH or NPZ in 3-D"


@dataclass(frozen=True)
class WrittenLight:
    """Light of which parts are written anew.

    show: as it is.
    range: the parts, in words of ``core.grid.ranges``.
    """

    show: Show
    range: str


def read_light(request: LightRequest) -> WrittenLight | None:
    """The light that a request gives; None where all is written.

    Raises FootlightError for a file that is damaged or no show, and a show that is not on the rules' clock.
    """
    if request.light is None or request.range is None:
        return None
    show = show_file.read(request.light)
    if abs(show.fps - SHOW_FPS) > 1e-6:
        raise FootlightError(f"{request.light}: has {show.fps:g} frames a second; rules write {SHOW_FPS:g}")
    return WrittenLight(show, request.range)


def parts_of(range: str, show: Show, beats: Beats, fps: float) -> list[tuple[int, int]]:
    """The frames [start, end) of a show that a range in words means, for each of its parts, at least one.

    beats: of the song.
    fps: of the dance or the show whose frames the range may name.

    Raises FootlightError for other words, and a range that there is not.
    """
    found = [span.frames(show.fps) for span in spans_of(range, beats, fps)]
    for start, _ in found:
        if start >= show.frames:
            raise FootlightError(
                f"the range begins at {start / show.fps:.2f} s, but the show ends at {show.seconds:.2f} s"
            )
    return [(start, min(max(end, start + 1), show.frames)) for start, end in found]


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
    song: Waveform,
    options: LightOptions | None = None,
    clip: MotionClip | None = None,
    beats: Beats | None = None,
    written: WrittenLight | None = None,
) -> Light:
    """Write the light for a whole song, or parts of it. The same song, dance and options give the same show.

    song: at any rate.
    options: look and seed; None takes the defaults.
    clip: the dance, which begins with the song; None lights an empty stage.
    beats: of the song, in place of those that would be tracked.
    written: light of which only parts are written anew; the rest stays, as ``core.show.splice.spliced`` says. Look and
        seed should be those of the whole.

    Raises FootlightError for an unknown look, a song shorter than a second, a flat dance, and a range that there is
    not.
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
        if written is not None:
            fps = show.fps if clip is None else clip.fps
            show = spliced(written.show, show, parts_of(written.range, written.show, heard.beats, fps))
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

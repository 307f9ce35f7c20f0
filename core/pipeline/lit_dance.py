"""Generates a dance and its stage light for a song, or one of them for the other, finished and judged.

song, look ──────────── perform ── dance ── post-processing ──┐
dance or show, where given ──┘ └── light ── limiter of flashes ── metrics of both
"""

from __future__ import annotations

import torch
from torch import Tensor

from core import progress
from core.errors import FootlightError
from core.light.choice import look_of
from core.light.dancer import watch
from core.motion.kinematics import forward
from core.pipeline.dance import judge
from core.pipeline.edit_files import read_dance
from core.pipeline.light import judge as judge_light
from core.pipeline.model import Model
from core.pipeline.theatre import KnownLight, as_dance, as_show, look_vector, perform
from core.protocol import TheatreOptions, TheatreRequest
from core.results import Dance, Light, LitDance
from core.show import file as show_file
from core.show.show import Show
from core.types import Beats, Motion, Waveform


def answer_theatre(model: Model, song: Waveform, request: TheatreRequest, beats: Beats | None = None) -> LitDance:
    """The dance and its light that a request asks for.

    beats: of the song, in place of those that would be tracked.

    Raises FootlightError as ``generate_theatre``, ``read_dance`` and ``core.show.file.read`` do.
    """
    model.check_lights()
    motion = None if request.motion is None else read_dance(request.motion)[0]
    show = None if request.light is None else show_file.read(request.light)
    return generate_theatre(model, song, request, motion, show, beats)


@torch.no_grad()
def generate_theatre(
    model: Model,
    song: Waveform,
    options: TheatreOptions | None = None,
    motion: Motion | None = None,
    show: Show | None = None,
    beats: Beats | None = None,
) -> LitDance:
    """Generate a dance and its light for a whole song. The same arguments give the same result.

    model: with a theatre.
    song: at any rate.
    options: look, accent, seed, style and frame rate; None takes the defaults.
    motion: the dance, which begins with the song, if only light is to be made.
    show: its light, if only the dance is to be made. Where it ends before the song, its end is made.
    beats: of the song, in place of those that would be tracked.

    Raises FootlightError as ``perform`` and ``look_vector`` do, and for a show of another frame rate than the model's.
    """
    options = options or TheatreOptions()
    look, name = _look(model, options.look)
    known = None if show is None else _known(model, show)
    with progress.part(0.0, 0.84):
        made = perform(model, song, options, look, options.accent, motion, known, beats)
    with progress.part(0.84, 0.96):
        tracked = made.rhythm.beats
        if motion is None:
            dance = as_dance(model, made, song.seconds, options)
        else:
            dance = Dance(motion, tracked, judge(motion, tracked))
    with progress.part(0.96, 1.0, "Judging the light"):
        lit = as_show(made, song.seconds, name if show is None else show.look)
        dancer = watch(forward(dance.motion.rotations, dance.motion.root), dance.motion.fps)
        return LitDance(dance, Light(lit, tracked, judge_light(lit, tracked, dancer)), made.accent)


def _look(model: Model, asked: str | None) -> tuple[Tensor | None, str]:
    """The style vector of a look and its name: of a picture, that of the nearest look. None is any, without a name."""
    if asked is None:
        return None, ""
    vector, config = look_vector(model, asked), model.config.theatre
    assert config is not None
    return vector, asked if asked in config.looks else look_of(asked).name


def _known(model: Model, show: Show) -> KnownLight:
    """A show as the model's light. Raises FootlightError for another frame rate."""
    rate = model.config.latent_fps
    if abs(show.fps - rate) > 1e-6:
        raise FootlightError(f"the show has {show.fps:g} frames a second; this model makes dances for {rate:g}")
    return KnownLight(torch.from_numpy(show.values))

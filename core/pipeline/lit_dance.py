"""Generates a dance and its stage light for a song, or what is missing of them, finished and judged.

song, look ───────────── perform ── dance ── post-processing ──┐
dance and show, where given ──┘ └── light ── limiter of flashes ── metrics of both
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from core import progress
from core.edits.parts import parse_parts
from core.errors import FootlightError
from core.light.choice import look_of
from core.light.dancer import watch
from core.motion.kinematics import forward
from core.pipeline.asked import Edit, check_edit
from core.pipeline.beginning import lit_beginning_of
from core.pipeline.choices import check_choices
from core.pipeline.dance import HeardSong, by_accent, hear_song, judge
from core.pipeline.edit import Stretch, finish_edit, merged, played, targets_of
from core.pipeline.edit_files import frames_of, read_dance, warn_of_song
from core.pipeline.kept import kept_of
from core.pipeline.light import judge as judge_light
from core.pipeline.light import parts_of, warn_of_length
from core.pipeline.lit_song import LitSong, hear_lit
from core.pipeline.model import Model
from core.pipeline.sound import Sound
from core.pipeline.targets import Targets
from core.pipeline.theatre import (
    KnownLight,
    Performance,
    accent_index,
    as_dance,
    as_motion,
    as_show,
    look_vector,
    perform_to,
)
from core.protocol import TheatreOptions, TheatreRequest, named
from core.results import Dance, Light, LitDance
from core.show import file as show_file
from core.show.channels import channels_of
from core.show.show import Show
from core.types import Beats, Motion, Waveform


@dataclass(frozen=True)
class AskedLook:
    """A look that is asked for.

    vector: its style vector (style,); None is any look.
    name: its own; that of a picture is the name of the nearest look, and that of any look is empty.
    """

    vector: Tensor | None
    name: str


@dataclass(frozen=True)
class Known:
    """What is given of a dance and its light. Both begin with the song.

    motion: a dance that stays as it is.
    edit: a dance of which a part is made anew; not with a motion.
    show: light that stays as it is. Where it ends before the song, its end is made.
    anew: (t, c) bool, which of the show's values are made anew; None is none.
    """

    motion: Motion | None = None
    edit: Edit | None = None
    show: Show | None = None
    anew: np.ndarray | None = None


HEARING_LIT = 0.166
"""The part of ``generate_theatre`` that ``hear_song`` and ``hear_lit`` are, for progress."""
HEARD_LIT = 0.84
"""The part of both that ``hear_song`` is."""


@dataclass(frozen=True)
class LitBegun:
    """A dance with its light of which the first seconds are made.

    preview: these seconds of the dance, without metrics.
    show: their light; None where it is given.
    share: of all the work, which is done.
    """

    preview: Dance
    show: Show | None
    share: float


@dataclass(frozen=True)
class LitTask:
    """What a request asks for: its song is heard and its files are read.

    song: as it was heard.
    request: with the style of the dance that it gives, if it asks for none.
    look: that it asks for.
    known: what it gives.
    """

    song: LitSong
    request: TheatreRequest
    look: AskedLook
    known: Known


def read_theatre(model: Model, song: LitSong, request: TheatreRequest) -> LitTask:
    """Read what a request asks for, once for ``begin_theatre`` and ``answer_theatre``.

    song: as it was heard.

    Raises FootlightError for a model without theatre, options that it does not support, files that are missing, damaged
    or of another form, and a range that there is not.
    """
    look = _look(model, request)
    base, style = (None, None) if request.motion is None else read_dance(request.motion)
    if request.motion is not None and request.makes_motion:
        warn_of_song(request.motion, request.song)
    show = None if request.light is None else show_file.read(request.light)
    known = _known(request, base, show, song.heard)
    told = request if request.style is not None else replace(request, style=style)
    return LitTask(song, told, look, known)


@torch.no_grad()
def begin_theatre(model: Model, task: LitTask) -> LitBegun | None:
    """The first seconds of the dance that ``answer_theatre`` makes, nearly as they are in the whole; None where no
    preview is wanted, or the song is too short for one.

    Raises FootlightError as ``answer_theatre`` does.
    """
    request, heard = task.request, task.song.heard
    beginning = lit_beginning_of(model, heard.frames)
    if request.preview is None or beginning is None:
        return None
    light, share = _light(model, task.known), beginning.sampled / (beginning.sampled + heard.frames)
    with progress.part(0.0, 0.9 * share):
        made = perform_to(model, task.song, request, task.look.vector, request.accent, light=light, beginning=beginning)
    with progress.part(0.9 * share, share, "Dancing the beginning"):
        motion = as_motion(model, made, heard.seconds, request, round(beginning.seconds * request.fps))
        show = as_show(made, beginning.seconds, task.look.name) if request.makes_light else None
        return LitBegun(Dance(motion, heard.rhythm.beats, {}, made.style), show, share)


def answer_theatre(model: Model, task: LitTask, begun: LitBegun | None = None) -> LitDance:
    """The dance and its light that a request asks for.

    begun: what ``begin_theatre`` gave for it.

    Raises FootlightError as ``generate_theatre`` does.
    """
    with progress.part(0.0 if begun is None else begun.share, 1.0):
        return _made(model, task.song, task.request, task.look, task.known)


def _known(request: TheatreRequest, base: Motion | None, show: Show | None, heard: HeardSong) -> Known:
    """What a request gives. Raises FootlightError for a range that there is not."""
    edit = anew = None
    if base is not None and request.makes_motion:
        edit = Edit(
            base,
            *frames_of(request.range, base, heard),
            parse_parts("all" if request.joints is None else request.joints),
        )
    if show is not None and request.makes_light:
        anew = _anew(show, request, heard, request.fps if base is None else base.fps)
    return Known(base if edit is None else None, edit, show, anew)


def _anew(show: Show, request: TheatreRequest, heard: HeardSong, fps: float) -> np.ndarray:
    """Which values (t, c) of a show a request wants anew.

    fps: of the dance, whose frames a range may name.
    """
    parts = [(0, show.frames)] if request.range is None else parts_of(request.range, show, heard.rhythm.beats, fps)
    anew = np.zeros(show.values.shape, dtype=bool)
    for start, end in parts:
        anew[start:end, slice(None) if request.roles is None else channels_of(request.roles)] = True
    return anew


@torch.no_grad()
def generate_theatre(
    model: Model,
    song: Waveform,
    options: TheatreOptions | None = None,
    known: Known | None = None,
    beats: Beats | None = None,
) -> LitDance:
    """Generate a dance and its light for a whole song, or what is missing of them.

    The same arguments give the same result. What is given comes out as it is: a dance bit for bit, and light where it
    is safe.

    model: with a theatre.
    song: at any rate.
    options: look, accent, seed, style and frame rate; None takes the defaults.
    known: what is given; None is nothing.
    beats: of the song, in place of those that would be tracked.

    Raises FootlightError as ``perform`` and ``look_vector`` do, for an edit that does not fit, and for a show of
    another frame rate than the model's.
    """
    options = options or TheatreOptions()
    look = _look(model, options)
    sound = Sound(song)
    with progress.part(0.0, HEARD_LIT * HEARING_LIT):
        heard = hear_song(model, sound, beats)
    with progress.part(HEARD_LIT * HEARING_LIT, HEARING_LIT):
        lit = hear_lit(model, sound, heard)
    with progress.part(HEARING_LIT, 1.0):
        return _made(model, lit, options, look, known or Known())


@torch.no_grad()
def _made(model: Model, song: LitSong, options: TheatreOptions, look: AskedLook, known: Known) -> LitDance:
    """A dance and its light for a song that was heard, in the look that is asked for."""
    heard, light = song.heard, _light(model, known)
    if known.motion is not None:
        warn_of_length(known.motion.seconds, heard.seconds)
    edited = None if known.edit is None else _edited(model, known.edit, heard)
    kept = None if edited is None else kept_of(model, edited.targets)
    with progress.part(0.0, 0.8):
        made = perform_to(model, song, options, look.vector, options.accent, known.motion, light, kept=kept)
    tracked = heard.rhythm.beats
    with progress.part(0.8, 0.95):
        if known.motion is not None:
            dance = Dance(known.motion, tracked, judge(known.motion, tracked))
        elif edited is not None:
            dance = edited.finished(model, made, options)
        else:
            dance = as_dance(model, made, heard.seconds, options)
    with progress.part(0.95, 1.0, "Judging the light"):
        positions = forward(dance.motion.rotations, dance.motion.root)
        told = made.accent if known.motion is None else options.accent
        dance = replace(dance, metrics=by_accent(dance, positions, told))
        given = None if known.show is None or known.anew is None else (known.show, known.anew)
        lit = as_show(made, heard.seconds, look.name if known.show is None else known.show.look, given)
        metrics = judge_light(lit, tracked, watch(positions, dance.motion.fps))
        return LitDance(dance, Light(lit, tracked, metrics), made.accent)


def _look(model: Model, options: TheatreOptions) -> AskedLook:
    """The look that is asked for.

    Raises FootlightError for a model without theatre, and options that it does not support.
    """
    model.check_lights()
    check_choices(options, model.config)
    accent_index(model.config, options.accent)
    if options.look is None:
        return AskedLook(None, "")
    vector, config = look_vector(model, options.look), model.config.theatre
    assert config is not None
    own = named(options.look, config.looks)
    return AskedLook(vector, look_of(options.look).name if own is None else own)


def _light(model: Model, known: Known) -> KnownLight | None:
    """The show that is given as the model's light. Raises FootlightError for another frame rate."""
    show, anew, rate = known.show, known.anew, model.config.latent_fps
    if show is None:
        return None
    if abs(show.fps - rate) > 1e-6:
        raise FootlightError(f"the show has {show.fps:g} frames a second; this model makes dances for {rate:g}")
    return KnownLight(torch.from_numpy(show.values), None if anew is None else torch.from_numpy(~anew))


@dataclass(frozen=True)
class _Edited:
    """An edit of a dance whose light is made too.

    edit: what is made anew.
    stretch: the dance, as far as the song goes.
    targets: what is kept of it.
    """

    edit: Edit
    stretch: Stretch
    targets: Targets

    def finished(self, model: Model, made: Performance, options: TheatreOptions) -> Dance:
        """The dance, post-processed, with what is kept bit for bit."""
        assert made.motion is not None
        beats = made.rhythm.beats
        with progress.part(0.0, 0.77, "Planting the feet"):
            drawn = played(model, made.motion, self.stretch, self.targets)
            anew = finish_edit(drawn, self.stretch, self.edit, beats, options.beat_snap, made.accent)
            motion = merged(self.edit.base, anew, self.stretch)
        with progress.part(0.77, 1.0, "Judging the dance"):
            return Dance(motion, beats, judge(motion, beats), made.style)


def _edited(model: Model, edit: Edit, heard: HeardSong) -> _Edited:
    """An edit over all of a song. Raises FootlightError for one that does not fit."""
    check_edit(edit, heard.seconds)
    total = heard.frames
    end = min(edit.base.frames, int(total / model.config.latent_fps * edit.base.fps))
    stretch = Stretch(edit.base.cut(0, end), edit.hold[:end], 0, (0, total))
    return _Edited(edit, stretch, targets_of(model, stretch, edit))

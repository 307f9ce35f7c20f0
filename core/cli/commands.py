"""What the commands do, each with its parsed arguments. Heavy modules are imported when one runs."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core import __version__, arguments, progress
from core.cli.shown import check_place, in_bars, progress_shown, say, song_beats, tell
from core.protocol import (
    DanceOptions,
    DanceRequest,
    DuetRequest,
    LightRequest,
    Part,
    ScoreRequest,
    TheatreRequest,
    check,
)

if TYPE_CHECKING:  # torch takes a second to load
    from core.pipeline import Model
    from core.results import Dance
    from core.types import Beats, Motion, Waveform


def dance(args: argparse.Namespace) -> None:
    """Make a dance to a song, or a part of one anew."""
    request = arguments.request_of(DanceRequest, args)
    danced = _dance_files(Path(request.out))
    previewed = _dance_files(Path(request.preview)) if request.preview else None
    from core import pipeline
    from core.files import file_digest, write_together

    with progress_shown(args.json):
        song, beats, model = _opened(args, request)
        with progress.part(0.05, 0.98 * pipeline.HEARING):
            heard = pipeline.hear_once(model, song, beats, pipeline.cache_folder())
        about = {"seed": str(request.seed), "model": model.name, "audio_sha256": file_digest(request.song)}
        with progress.part(0.98 * pipeline.HEARING, 0.98):
            begun = pipeline.begin(model, heard, request)
            if begun is not None and previewed is not None:
                write_together(previewed(begun.preview, **about))
                _tell_preview(args, request, begun.preview)
            made = pipeline.answer(model, heard, request, begun)
        with progress.part(0.99, 1.0, "Writing"):
            write_together(danced(made, **about))
    motion = made.motion
    tell(
        args,
        f"{request.out}: {_length(motion)}, {made.beats.tempo:.0f} bpm{in_bars(made.beats)}{_in_style(made)}",
        made.metrics,
        out=request.out,
        frames=motion.frames,
        fps=motion.fps,
        style=made.style,
        model=model.name,
        **song_beats(made.beats),
    )


def score(args: argparse.Namespace) -> None:
    """Make music for a motion."""
    request = arguments.request_of(ScoreRequest, args)
    _check_music_places(request.out, request.midi)
    from core import pipeline
    from core.files import write_together
    from core.formats.motion import read_motion
    from core.formats.music import music_files

    with progress_shown(args.json):
        with progress.part(0.0, 0.02, "Reading the motion"):
            clip = read_motion(request.motion, request.fps, request.start, request.seconds, request.rest)
        beats = pipeline.beats_given(request, len(clip.positions) / clip.fps)
        with progress.part(0.02, 0.05, "Loading the model"):
            model = pipeline.Model.load(args.model, args.device).voiced_by(request.vocoder)
        with progress.part(0.05, 0.95):
            made = pipeline.score_motion(model, clip, request, beats)
        with progress.part(0.95, 1.0, "Writing"):
            write_together(music_files(request.out, made, model.config.signal, not request.mono, request.midi))
    tell(
        args,
        f"{request.out}: {made.sound.seconds:.2f} s, {made.beats.tempo:.0f} bpm",
        made.metrics,
        out=request.out,
        seconds=round(made.sound.seconds, 4),
        model=model.name,
        **song_beats(made.beats),
    )


def duet(args: argparse.Namespace) -> None:
    """Make a dance and its music."""
    request = arguments.request_of(DuetRequest, args)
    danced = _dance_files(Path(request.out_motion))
    _check_music_places(request.out_music, request.midi)
    from core import pipeline
    from core.files import write_together
    from core.formats.music import music_files

    with progress_shown(args.json):
        with progress.part(0.0, 0.05, "Loading the model"):
            model = pipeline.Model.load(args.model, args.device).voiced_by(request.vocoder)
        with progress.part(0.05, 0.95):
            made = pipeline.generate_duet(model, request)
        with progress.part(0.95, 1.0, "Writing"):
            played = music_files(request.out_music, made.music, model.config.signal, not request.mono, request.midi)
            write_together(played | danced(made.dance, seed=str(request.seed), model=model.name))
    motion = made.dance.motion
    what = f"{_length(motion)}, {made.dance.beats.tempo:.0f} bpm{_in_style(made.dance)}"
    tell(
        args,
        f"{request.out_motion}, {request.out_music}: {what}",
        made.dance.metrics,
        out_motion=request.out_motion,
        out_music=request.out_music,
        frames=motion.frames,
        fps=motion.fps,
        style=made.dance.style,
        seconds=round(made.music.sound.seconds, 4),
        model=model.name,
        **song_beats(made.dance.beats),
    )


def light(args: argparse.Namespace) -> None:
    """Write the light for a song."""
    request = arguments.request_of(LightRequest, args)
    out = Path(request.out)
    check_place(out, (".json",))
    from core import pipeline
    from core.files import write_atomically
    from core.show import file

    with progress_shown(args.json):
        with progress.part(0.0, 0.1, "Reading the song"):
            song = pipeline.read_song(request.song, request.start, request.seconds)
            clip = None if request.motion is None else pipeline.read_dancer(request.motion)
        beats, written = pipeline.beats_given(request, song.seconds), pipeline.read_light(request)
        with progress.part(0.1, 0.98):
            made = pipeline.light_song(song, request, clip, beats, written)
        with progress.part(0.98, 1.0, "Writing"):
            write_atomically(out, file.encoded(made.show, engine=__version__, seed=str(request.seed)))
    show = made.show
    tell(
        args,
        f"{request.out}: {show.seconds:.2f} s, {len(show.cues)} cues, look {show.look}",
        made.metrics,
        out=request.out,
        frames=show.frames,
        fps=show.fps,
        look=show.look,
        sections=[round(time, 4) for time in show.sections],
        **song_beats(made.beats),
    )


def theatre(args: argparse.Namespace) -> None:
    """Make a dance and its light for a song, or one of them for the other."""
    request = arguments.request_of(TheatreRequest, args)
    danced = None if request.out is None else _dance_files(Path(request.out))
    previewed = _dance_files(Path(request.preview)) if request.preview else None
    for out in filter(None, (request.out_light, request.preview_light)):
        check_place(Path(out), (".json",))
    from core import pipeline
    from core.files import file_digest, write_together
    from core.show import file

    with progress_shown(args.json):
        song, beats, model = _opened(args, request)
        sound, heard_at = pipeline.Sound(song), pipeline.HEARD_LIT * pipeline.HEARING_LIT
        with progress.part(0.05, heard_at):
            heard = pipeline.hear_once(model, sound, beats, pipeline.cache_folder())
        with progress.part(heard_at, pipeline.HEARING_LIT, "Listening to the music"):
            lit = pipeline.hear_lit(model, sound, heard)
        said = {"seed": str(request.seed), "model": model.name}
        with progress.part(pipeline.HEARING_LIT, 0.98):
            task = pipeline.read_theatre(model, lit, request)
            begun = pipeline.begin_theatre(model, task)
            if begun is not None and previewed is not None:
                first = previewed(begun.preview, **said, audio_sha256=file_digest(request.song))
                if request.preview_light is not None and begun.show is not None:
                    first[Path(request.preview_light)] = file.encoded(begun.show, engine=__version__, **said)
                write_together(first)
                _tell_preview(args, request, begun.preview)
            made = pipeline.answer_theatre(model, task, begun)
        with progress.part(0.98, 1.0, "Writing"):
            files = {} if danced is None else danced(made.dance, **said, audio_sha256=file_digest(request.song))
            if request.out_light is not None:
                files[Path(request.out_light)] = file.encoded(made.light.show, engine=__version__, **said)
            write_together(files)
    dance, show = made.dance, made.light.show
    what = f"{_length(dance.motion)}, {dance.beats.tempo:.0f} bpm{in_bars(dance.beats)}{_in_style(dance)}"
    accent = made.accent if request.makes_motion else request.accent  # of a dance that is given
    also = "".join(f", {told}" for told in (accent, show.look and f"look {show.look}") if told)
    tell(
        args,
        f"{', '.join(str(path) for path in files)}: {what}{also}",
        {**dance.metrics, **{f"light_{name}": value for name, value in made.light.metrics.items()}},
        out=request.out,
        out_light=request.out_light,
        frames=dance.motion.frames,
        fps=dance.motion.fps,
        style=dance.style,
        look=show.look,
        accent=made.accent,
        model=model.name,
        **song_beats(dance.beats),
    )


def looks(_args: argparse.Namespace) -> None:
    """Print the looks."""
    from core.light.look import shipped_looks

    for look in shipped_looks().values():
        print(f"{look.name:<10} {look.title}: {look.about}")


def styles(args: argparse.Namespace) -> None:
    """Print a model's styles."""
    from core import checkpoint, pipeline

    for style in checkpoint.load(pipeline.find_model(args.model)).config.styles:
        print(style)


def bench(args: argparse.Namespace) -> None:
    """Print how fast this computer is."""
    check(Part, seconds=args.seconds)
    options, length = DanceOptions(steps=args.steps), args.seconds or 180.0
    from core import bench, pipeline

    with progress_shown(args.json):
        with progress.part(0.0, 0.05):
            if args.song:
                length = pipeline.read_song(args.song, seconds=args.seconds).seconds
            model = pipeline.Model.load(args.model, args.device)
        with progress.part(0.05, 1.0):
            speed = bench.measure(model, options)
    if args.json:
        values = dataclasses.asdict(speed) | {"seconds": speed.seconds, "expected": speed.expected(length)}
        say(type="done", **values, length=length, model=model.name, warnings=args.warnings)
    else:
        print(bench.told(speed, length, args.song or "a song"))


def _opened(args: argparse.Namespace, request: DanceRequest | TheatreRequest) -> tuple[Waveform, Beats | None, Model]:
    """The song of a request, its beats if they are given, and the model: the first twentieth of a command."""
    from core import pipeline

    with progress.part(0.0, 0.02, "Reading the song"):
        song = pipeline.read_song(request.song, request.start, request.seconds)
    beats = pipeline.beats_given(request, song.seconds)
    with progress.part(0.02, 0.05, "Loading the model"):
        return song, beats, pipeline.Model.load(args.model, args.device)


def _tell_preview(args: argparse.Namespace, request: DanceRequest | TheatreRequest, preview: Dance) -> None:
    """Say that the first seconds of a dance are there, to a program that reads along."""
    if args.json:
        say(type="preview", out=request.preview, frames=preview.motion.frames, fps=preview.motion.fps)


def _length(motion: Motion) -> str:
    return f"{motion.frames} frames at {motion.fps:g} fps"


def _in_style(dance: Dance) -> str:
    return "" if dance.style is None else f", {dance.style}"


def _check_music_places(out: str, midi: str | None) -> None:
    """Raises FootlightError if the music cannot be written. It is called before anything is computed."""
    from core.audio import io

    check_place(Path(out), io.WRITTEN)
    if midi is not None:
        check_place(Path(midi), (".mid", ".midi"))


def _dance_files(out: Path) -> Callable[..., dict[Path, bytes]]:
    """A function from a dance to its file, by the ending of ``out``. It is called before anything is computed.

    Raises FootlightError if ``out`` cannot be written.
    """
    forms = {".bvh": _bvh, ".npz": _npz}
    check_place(out, forms)
    return lambda made, **metadata: {out: forms[out.suffix.lower()](made, **metadata)}


def _bvh(made: Dance, **_metadata: str) -> bytes:
    from core.formats import bvh

    return bvh.encoded(made.motion, made.motion.fps)


def _npz(made: Dance, **metadata: str) -> bytes:
    from core.formats import dance

    return dance.encoded(made, **metadata)

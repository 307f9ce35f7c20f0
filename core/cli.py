"""The command line: ``python -m core`` and ``footlight``.

    footlight dance SONG --out OUT.bvh|OUT.npz               a dance to a song
    footlight dance SONG --edit BASE.bvh --range "bars 17:20" --out OUT.bvh   four bars of it made anew
    footlight score MOTION --out OUT.wav|OUT.flac|OUT.ogg    music for a motion
    footlight duet --out-motion OUT.bvh --out-music OUT.wav  a dance and its music together
    footlight light SONG --out SHOW.json                     stage light for a song
    footlight looks                   the looks that --look accepts
    footlight beats FILE              the beats of a song, or the kinematic beats of a motion, as JSON
    footlight styles                  the styles that --style accepts
    footlight bench [SONG]            how fast this computer is, and how long the song will take

The exit code is 0, or 2 for invalid input, with one line on standard error. Warnings about input that was used all the
same are lines there too, and ``warnings`` in JSON. Heavy modules are imported only after the arguments are parsed, so
``--help`` and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from core import __version__, arguments, progress
from core.errors import FootlightError, collected_warnings, one_line
from core.protocol import (
    BeatsRequest,
    DanceOptions,
    DanceRequest,
    DuetRequest,
    LightRequest,
    Part,
    ScoreRequest,
    check,
    rule,
)

BAD_INPUT = 2  # exit code
INTERRUPTED = 130  # exit code
_MOTION_ARRAYS = (".npz", ".npy", ".pkl", ".pickle")  # endings of motions besides BVH
BODY_HEIGHT = 1.7  # metres, to which skeletons of unknown unit are scaled


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = _Parser(prog="footlight", description="Generate dances for music and music for dances.")
    top.add_argument("--version", action="version", version=f"footlight {__version__}")
    commands = top.add_subparsers(
        dest="command", required=True, metavar="dance|score|duet|light|looks|beats|styles|bench", parser_class=_Parser
    )

    def command(name: str, run: Callable[[argparse.Namespace], None], help: str, description: str):
        made = commands.add_parser(name, help=help, description=description)
        made.set_defaults(run=run)
        return made

    made = {
        DanceRequest: ("generate a dance to a song", _dance),
        ScoreRequest: ("generate music for a motion", _score),
        DuetRequest: ("generate a dance and its music together", _duet),
    }
    for kind, (purpose, run) in made.items():
        one = command(kind.op, run, purpose, f"{purpose.capitalize()}.")
        arguments.add_options(one, kind)
        _add_running(one)

    purpose = "write stage light for a song"
    light = command("light", _light, purpose, f"{purpose.capitalize()}, by the rules of a look.")
    arguments.add_options(light, LightRequest)
    _add_json(light)
    command("looks", _looks, "looks that --look accepts", "Print the looks, one per line, and what they are for.")

    beats = command("beats", _beats, "beats of a song or a motion", "Print beats as JSON.")
    motions = rule(ScoreRequest, "motion").help
    beats.add_argument("file", type=Path, help=f"a song ({rule(BeatsRequest, 'song').help}), or a motion ({motions})")
    beats.add_argument("--fps", type=float, help=rule(ScoreRequest, "fps").help)
    beats.add_argument(
        "--out", type=Path, metavar="BEATS.json", help="write the beats of a song to a file, to be corrected"
    )

    styles = command("styles", _styles, "styles that --style accepts", "Print the model's styles, one per line.")
    styles.add_argument("--model", help=_MODEL)

    timed = command("bench", _bench, "how fast this computer is", "Time dances to a song that is made for it.")
    timed.add_argument("song", nargs="?", help="a song of yours: says how long a dance to it will take")
    timed.add_argument("--seconds", type=float, help="the same for a song of this length (default 180)")
    timed.add_argument("--steps", type=int, help=arguments.help_text(DanceRequest, "steps"))
    _add_running(timed)
    return top


def _add_running(one: argparse.ArgumentParser) -> None:
    one.add_argument("--model", help=_MODEL)
    one.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    _add_json(one)


def _add_json(one: argparse.ArgumentParser) -> None:
    one.add_argument("--json", action="store_true", help="progress and result as JSON lines on standard output")


_MODEL = "a model folder, or the name of an embedded model (default: default)"


def main(words: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code."""
    args = parser().parse_args(words)
    try:
        with collected_warnings() as args.warnings:
            args.run(args)
        sys.stdout.flush()
        for warning in args.warnings:
            print(f"footlight {args.command}: warning: {one_line(warning)}", file=sys.stderr)
    except FootlightError as error:
        message = one_line(str(error))
        if getattr(args, "json", False):
            _say(type="error", message=message)
        print(f"footlight {args.command}: {message}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has closed the pipe, as head does
    return 0


def _dance(args: argparse.Namespace) -> None:
    request = arguments.request_of(DanceRequest, args)
    danced = _dance_files(Path(request.out))
    from core import pipeline
    from core.files import write_together

    with _shown(args.json):
        with progress.part(0.0, 0.02, "Reading the song"):
            song = pipeline.read_song(request.song, request.start, request.seconds)
        beats = pipeline.beats_given(request, song.seconds)
        with progress.part(0.02, 0.05, "Loading the model"):
            model = pipeline.Model.load(args.model, args.device)
        with progress.part(0.05, 0.98 * pipeline.HEARING):
            heard = pipeline.hear_song(model, song, beats)
        with progress.part(0.98 * pipeline.HEARING, 0.98):
            made = pipeline.answer(model, heard, request)
        with progress.part(0.99, 1.0, "Writing"):
            with open(request.song, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            write_together(danced(made, seed=str(request.seed), model=model.name, audio_sha256=digest))
    motion = made.motion
    _tell(
        args,
        f"{request.out}: {_length(motion)}, {made.beats.tempo:.0f} bpm{_in_bars(made.beats)}{_in_style(made)}",
        made.metrics,
        out=request.out,
        frames=motion.frames,
        fps=motion.fps,
        style=made.style,
        model=model.name,
        **_song_beats(made.beats),
    )


def _score(args: argparse.Namespace) -> None:
    request = arguments.request_of(ScoreRequest, args)
    _check_music_places(request.out, request.midi)
    from core import pipeline
    from core.files import write_together
    from core.formats.motion import read_motion
    from core.formats.music import music_files

    with _shown(args.json):
        with progress.part(0.0, 0.02, "Reading the motion"):
            clip = read_motion(request.motion, request.fps, request.start, request.seconds, request.rest)
        beats = pipeline.beats_given(request, len(clip.positions) / clip.fps)
        with progress.part(0.02, 0.05, "Loading the model"):
            model = pipeline.Model.load(args.model, args.device).voiced_by(request.vocoder)
        with progress.part(0.05, 0.95):
            made = pipeline.score_motion(model, clip, request, beats)
        with progress.part(0.95, 1.0, "Writing"):
            write_together(music_files(request.out, made, model.config.signal, not request.mono, request.midi))
    _tell(
        args,
        f"{request.out}: {made.sound.seconds:.2f} s, {made.beats.tempo:.0f} bpm",
        made.metrics,
        out=request.out,
        seconds=round(made.sound.seconds, 4),
        model=model.name,
        **_song_beats(made.beats),
    )


def _duet(args: argparse.Namespace) -> None:
    request = arguments.request_of(DuetRequest, args)
    danced = _dance_files(Path(request.out_motion))
    _check_music_places(request.out_music, request.midi)
    from core import pipeline
    from core.files import write_together
    from core.formats.music import music_files

    with _shown(args.json):
        with progress.part(0.0, 0.05, "Loading the model"):
            model = pipeline.Model.load(args.model, args.device).voiced_by(request.vocoder)
        with progress.part(0.05, 0.95):
            made = pipeline.generate_duet(model, request)
        with progress.part(0.95, 1.0, "Writing"):
            played = music_files(request.out_music, made.music, model.config.signal, not request.mono, request.midi)
            write_together(played | danced(made.dance, seed=str(request.seed), model=model.name))
    motion = made.dance.motion
    what = f"{_length(motion)}, {made.dance.beats.tempo:.0f} bpm{_in_style(made.dance)}"
    _tell(
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
        **_song_beats(made.dance.beats),
    )


def _light(args: argparse.Namespace) -> None:
    request = arguments.request_of(LightRequest, args)
    out = Path(request.out)
    _check_place(out, (".json",))
    from core import pipeline
    from core.files import write_atomically
    from core.formats.motion import read_motion
    from core.show import file

    with _shown(args.json):
        with progress.part(0.0, 0.1, "Reading the song"):
            song = pipeline.read_song(request.song, request.start, request.seconds)
            clip = None if request.motion is None else read_motion(request.motion)
        beats = pipeline.beats_given(request, song.seconds)
        with progress.part(0.1, 0.98):
            made = pipeline.light_song(song, request, clip, beats)
        with progress.part(0.98, 1.0, "Writing"):
            write_atomically(out, file.encoded(made.show, engine=__version__, seed=str(request.seed)))
    show = made.show
    _tell(
        args,
        f"{request.out}: {show.seconds:.2f} s, {len(show.cues)} cues, look {show.look}",
        made.metrics,
        out=request.out,
        frames=show.frames,
        fps=show.fps,
        look=show.look,
        sections=[round(time, 4) for time in show.sections],
        **_song_beats(made.beats),
    )


def _looks(_args: argparse.Namespace) -> None:
    from core.light.look import shipped_looks

    for look in shipped_looks().values():
        print(f"{look.name:<10} {look.title}: {look.about}")


def _styles(args: argparse.Namespace) -> None:
    from core import checkpoint, pipeline

    for style in checkpoint.load(pipeline.find_model(args.model)).config.styles:
        print(style)


def _bench(args: argparse.Namespace) -> None:
    check(Part, seconds=args.seconds)
    options, length = DanceOptions(steps=args.steps), args.seconds or 180.0
    from core import bench, pipeline

    with _shown(args.json):
        with progress.part(0.0, 0.05):
            if args.song:
                length = pipeline.read_song(args.song, seconds=args.seconds).seconds
            model = pipeline.Model.load(args.model, args.device)
        with progress.part(0.05, 1.0):
            speed = bench.measure(model, options)
    if args.json:
        values = dataclasses.asdict(speed) | {"seconds": speed.seconds, "expected": speed.expected(length)}
        _say(type="done", **values, length=length, model=model.name, warnings=args.warnings)
    else:
        print(bench.told(speed, length, args.song or "a song"))


def _length(motion) -> str:
    return f"{motion.frames} frames at {motion.fps:g} fps"


def _in_style(dance) -> str:
    return "" if dance.style is None else f", {dance.style}"


def _tell(args: argparse.Namespace, said: str, metrics: dict[str, float], **values) -> None:
    """Print the result: one line, or with --json the ``values``."""
    if args.json:
        rounded = {name: round(value, 4) for name, value in metrics.items()}
        _say(type="done", seed=args.seed, metrics=rounded, **values, warnings=args.warnings)
        return
    shown = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in metrics.items())
    print(f"{said}, seed {args.seed}; {shown}")


def _check_music_places(out: str, midi: str | None) -> None:
    """Raises FootlightError if the music cannot be written. It is called before anything is computed."""
    from core.audio import io

    _check_place(Path(out), io.WRITTEN)
    if midi is not None:
        _check_place(Path(midi), (".mid", ".midi"))


def _check_place(out: Path, endings: Iterable[str]) -> None:
    """Raises FootlightError if ``out`` cannot be written."""
    if out.suffix.lower() not in endings:
        raise FootlightError(f"{out}: the ending must be one of {', '.join(endings)}")
    if not out.parent.is_dir():
        raise FootlightError(f"{out}: there is no folder {out.parent}; make it first")
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise FootlightError(f"{out}: cannot be written; choose another place")


def _dance_files(out: Path) -> Callable[..., dict[Path, bytes]]:
    """A function from a dance to its file, by the ending of ``out``. It is called before anything is computed.

    Raises FootlightError if ``out`` cannot be written.
    """
    forms = {".bvh": _bvh, ".npz": _npz}
    _check_place(out, forms)
    return lambda made, **metadata: {out: forms[out.suffix.lower()](made, **metadata)}


def _bvh(made, **_metadata: str) -> bytes:
    from core.formats import bvh

    return bvh.encoded(made.motion, made.motion.fps)


def _npz(made, **metadata: str) -> bytes:
    from core.formats import dance

    return dance.encoded(made, **metadata)


def _beats(args: argparse.Namespace) -> None:
    check(ScoreRequest, fps=args.fps)
    if args.out is not None:
        _write_beats(args.file, args.out)
        return
    if args.file.suffix.lower() == ".bvh" or _begins_as_bvh(args.file):
        found = bvh_beats(args.file, args.fps)
    elif args.file.suffix.lower() in _MOTION_ARRAYS or args.file.is_dir():
        from core.formats.motion import read_motion

        clip = read_motion(args.file, args.fps)
        found = _kinematic_beats(clip.positions, clip.fps)
    else:
        from core import pipeline

        found = _song_beats(pipeline.beats_of(pipeline.read_song(args.file)))
    print(json.dumps({**found, "warnings": args.warnings}))


def _write_beats(song: Path, out: Path) -> None:
    """Write the beats of a song to BEATS.json, and print one line about them."""
    _check_place(out, (".json",))
    from core import pipeline
    from core.files import write_atomically
    from core.grid import beats_file

    beats = pipeline.beats_of(pipeline.read_song(song))
    write_atomically(out, beats_file.to_json(pipeline.grid_of(beats)).encode())
    print(f"{out}: {len(beats.times)} beats, {beats.tempo:.0f} bpm{_in_bars(beats)}")


def _begins_as_bvh(path: Path) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(32).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"HIERARCHY")
    return False


def _in_bars(beats) -> str:
    return f" in bars of {beats.metre}" if beats.metre else ""


def _song_beats(beats) -> dict:
    """Beats as JSON values, in seconds, with those that start a bar."""
    downbeats = [] if beats.downbeats is None else beats.times[beats.downbeats]
    return {
        "beats": [round(float(time), 4) for time in beats.times],
        "tempo": round(beats.tempo, 3),
        "downbeats": [round(float(time), 4) for time in downbeats],
        "metre": beats.metre,
        "confidence": None if beats.confidence is None else round(beats.confidence, 3),
    }


def bvh_beats(path: Path, fps: float | None = None) -> dict:
    """The kinematic beats and onsets of a BVH file of any skeleton and unit, as JSON values.

    ``beats`` (also as ``hits``) are where movements arrive, ``onsets`` where they start.

    fps: frames per second of a file that does not say it.
    """
    from core.formats import bvh
    from core.formats.capture_rate import slowed
    from core.motion import kinematics

    skeleton, motion = bvh.read(path, fps)
    motion = slowed(motion)
    rest = skeleton.rest_positions()
    extent = float((rest.amax(0) - rest.amin(0)).max())
    positions = kinematics.forward(motion.rotations, motion.root, skeleton, motion.offsets)
    return _kinematic_beats(positions * (BODY_HEIGHT / extent if extent > 0 else 1.0), motion.fps)


def _kinematic_beats(positions, fps: float) -> dict:
    """The kinematic beats and onsets of joint positions (t, j, 2 or 3) in metres."""
    from core.rhythm import accents

    kinematic_beats, onsets = accents.kinematic_beats(positions, fps), accents.kinematic_onsets(positions, fps)
    times = [round(float(time), 4) for time in kinematic_beats.times]
    return {
        "beats": times,
        "tempo": round(kinematic_beats.tempo, 3),
        "hits": times,
        "onsets": [round(float(time), 4) for time in onsets.times],
        "fps": fps,
        "seconds": round(len(positions) / fps, 4),
    }


def _say(**event) -> None:
    print(json.dumps(event), flush=True)


@contextlib.contextmanager
def _shown(as_json: bool) -> Iterator[None]:
    """Show the progress of what runs inside: as JSON lines on standard output, or as a bar on standard error."""
    if as_json:
        with progress.listen(lambda stage, fraction: _say(type="progress", stage=stage, fraction=fraction)):
            yield
            _say(type="progress", stage="Done", fraction=1.0)
        return
    from tqdm import tqdm

    layout = "{desc:<22}{percentage:3.0f}%|{bar:40}| {elapsed}<{remaining}"
    with tqdm(total=1.0, bar_format=layout, disable=None, leave=False) as bar:

        def show(stage: str, fraction: float) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.update(fraction - bar.n)
            bar.refresh()

        with progress.listen(show):
            yield

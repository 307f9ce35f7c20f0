"""The command line: ``python -m core`` and ``footlight``.

    footlight dance SONG --out OUT.bvh|OUT.npz               a dance to a song
    footlight score MOTION --out OUT.wav|OUT.flac|OUT.ogg    the music of a motion
    footlight duet --out-motion OUT.bvh --out-music OUT.wav  both from nothing
    footlight beats FILE              the beats of a song, or the kinematic beats of a BVH file, as JSON
    footlight styles                  what --style can be

Exit codes: 0, or 2 with one line on standard error for input that cannot be used. Heavy imports wait until the
arguments are known to be good, so that ``--help`` and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from core import __version__, progress

BAD_INPUT, INTERRUPTED = 2, 130
T = TypeVar("T")
BODY_HEIGHT = 1.7  # metres: what skeletons of unknown unit are measured by


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = _Parser(prog="footlight", description="Dance from music, music from dance.")
    top.add_argument("--version", action="version", version=f"footlight {__version__}")
    commands = top.add_subparsers(
        dest="command", required=True, metavar="dance|score|duet|beats|styles", parser_class=_Parser
    )

    def command(name: str, run: Callable[[argparse.Namespace], None], help: str, description: str):
        made = commands.add_parser(name, help=help, description=description)
        made.set_defaults(run=run)
        return made

    dance = command("dance", _dance, "make a dance to a song", "Make a dance to a song.")
    dance.add_argument("song", type=Path, help="wav, flac, ogg, opus or mp3")
    dance.add_argument("--out", type=Path, required=True, help="OUT.bvh (y-up, centimetres) or OUT.npz (arrays)")
    _add_part(dance, "the song", "to dance to")
    dance.add_argument("--fps", type=float, default=30.0, help="frames per second (default 30)")
    dance.add_argument("--beat-snap", type=float, default=0.25, help="0-1: carry hits onto beats (default 0.25)")
    _add_drawing(dance, "dance", "the music")

    score = command("score", _score, "make the music of a motion", "Make the music of a motion.")
    score.add_argument(
        "motion", type=Path, help="BVH of any humanoid, NPZ (rotations or positions), or a folder of OpenPose BODY_25"
    )
    score.add_argument("--out", type=Path, required=True, help="OUT.wav, OUT.flac or OUT.ogg")
    _add_part(score, "the motion", "to score")
    score.add_argument("--fps", type=float, help="frames per second, where the motion does not say (OpenPose)")
    _add_sound(score)
    _add_drawing(score, "music", "the motion")

    duet = command("duet", _duet, "make a dance and its music from nothing", "Make a dance and its music from nothing.")
    duet.add_argument("--out-motion", type=Path, required=True, help="OUT.bvh or OUT.npz")
    duet.add_argument("--out-music", type=Path, required=True, help="OUT.wav, OUT.flac or OUT.ogg")
    duet.add_argument("--seconds", type=float, default=30.0, help="how long, 5 to 240 (default 30)")
    duet.add_argument("--fps", type=float, default=30.0, help="frames per second of the dance (default 30)")
    duet.add_argument("--beat-snap", type=float, default=0.25, help="0-1: carry hits onto beats (default 0.25)")
    duet.add_argument(
        "--switch", type=float, default=0.5, help="when the two begin to listen, as a share of the steps (default 0.5)"
    )
    _add_sound(duet)
    _add_drawing(duet, "duet", "each other")

    beats = command("beats", _beats, "beats of a song or BVH file", "Print beats as JSON.")
    beats.add_argument("file", type=Path, help="a song, or a BVH file of any skeleton")

    styles = command("styles", _styles, "what --style can be", "Print the model's styles, one a line.")
    styles.add_argument("--model", help=_MODEL)
    return top


_MODEL = "a model folder, or the name of an embedded model (default: default)"


def _add_part(command: argparse.ArgumentParser, of: str, purpose: str) -> None:
    command.add_argument("--start", type=float, default=0.0, help=f"second of {of} to begin at")
    command.add_argument("--seconds", type=float, help=f"how much of {of} {purpose} (default: all)")


def _add_sound(command: argparse.ArgumentParser) -> None:
    command.add_argument("--midi", type=Path, help="OUT.mid: also the music's beats and drums, to be edited")
    command.add_argument(
        "--vocoder", help="griffin-lim, or a BigVGAN checkpoint with its config.json beside it (default: the model's)"
    )
    command.add_argument("--mono", action="store_true", help="one channel instead of two")


def _add_drawing(command: argparse.ArgumentParser, what: str, told: str) -> None:
    command.add_argument("--seed", type=int, default=0, help=f"same seed, same {what} (default 0)")
    command.add_argument("--steps", type=int, help="denoising steps (default: the model's)")
    command.add_argument("--guidance", type=float, help=f"how closely to follow {told} (default: the model's)")
    command.add_argument(
        "--style",
        help="one of the model's styles, or a mixture as in salsa:0.6,pop:0.4 (default: the seed draws a dance's)",
    )
    command.add_argument("--model", help=_MODEL)
    command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    command.add_argument("--json", action="store_true", help="progress and result as JSON lines on standard output")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    args = parser().parse_args(arguments)
    from core.errors import FootlightError  # which takes torch along

    try:
        args.run(args)
        sys.stdout.flush()
    except FootlightError as error:
        message = " ".join(str(error).split())
        if getattr(args, "json", False):
            _say(type="error", message=message)
        print(f"footlight {args.command}: {message}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on; nothing to complain about
    return 0


def _dance(args: argparse.Namespace) -> None:
    from core import pipeline
    from core.files import write_together

    danced = _dance_files(args.out)
    options = _chosen(pipeline.DanceOptions, args)
    with _shown(args.json):
        with progress.part(0.0, 0.02, "Reading the song"):
            song = pipeline.read_song(args.song, args.start, args.seconds)
        with progress.part(0.02, 0.05, "Loading the model"):
            model = pipeline.Model.load(args.model, args.device)
        with progress.part(0.05, 0.98):
            made = pipeline.generate_dance(model, song, options)
        with progress.part(0.99, 1.0, "Writing"):
            write_together(danced(made))
    motion = made.motion
    _tell(
        args,
        f"{args.out}: {_length(motion)}, {made.beats.tempo:.0f} bpm{_in_style(made)}",
        made.metrics,
        out=str(args.out),
        frames=motion.frames,
        fps=motion.fps,
        style=made.style,
        model=model.name,
        **_song_beats(made.beats),
    )


def _score(args: argparse.Namespace) -> None:
    from core import pipeline
    from core.files import write_together
    from core.formats.motion import read_motion

    played = _music_files(args.out, args.midi, args.mono)
    options = _chosen(pipeline.ScoreOptions, args)
    with _shown(args.json):
        with progress.part(0.0, 0.02, "Reading the motion"):
            clip = read_motion(args.motion, args.fps, args.start, args.seconds)
        with progress.part(0.02, 0.05, "Loading the model"):
            model = pipeline.Model.load(args.model, args.device).voiced_by(args.vocoder)
        with progress.part(0.05, 0.95):
            made = pipeline.score_motion(model, clip, options)
        with progress.part(0.95, 1.0, "Writing"):
            write_together(played(made, model))
    _tell(
        args,
        f"{args.out}: {made.sound.seconds:.2f} s, {made.beats.tempo:.0f} bpm",
        made.metrics,
        out=str(args.out),
        seconds=round(made.sound.seconds, 4),
        model=model.name,
        **_song_beats(made.beats),
    )


def _duet(args: argparse.Namespace) -> None:
    from core import pipeline
    from core.files import write_together

    danced, played = _dance_files(args.out_motion), _music_files(args.out_music, args.midi, args.mono)
    options = _chosen(pipeline.DuetOptions, args)
    with _shown(args.json):
        with progress.part(0.0, 0.05, "Loading the model"):
            model = pipeline.Model.load(args.model, args.device).voiced_by(args.vocoder)
        with progress.part(0.05, 0.95):
            made = pipeline.generate_duet(model, options)
        with progress.part(0.95, 1.0, "Writing"):
            write_together(played(made.music, model) | danced(made.dance))
    motion = made.dance.motion
    what = f"{_length(motion)}, {made.dance.beats.tempo:.0f} bpm{_in_style(made.dance)}"
    _tell(
        args,
        f"{args.out_motion}, {args.out_music}: {what}",
        made.dance.metrics,
        out_motion=str(args.out_motion),
        out_music=str(args.out_music),
        frames=motion.frames,
        fps=motion.fps,
        style=made.dance.style,
        seconds=round(made.music.sound.seconds, 4),
        model=model.name,
        **_song_beats(made.dance.beats),
    )


def _styles(args: argparse.Namespace) -> None:
    from core import checkpoint, pipeline

    for style in checkpoint.load(pipeline.find_model(args.model)).config.styles:
        print(style)


def _chosen(options: type[T], args: argparse.Namespace) -> T:
    """The options of that type, whose fields the command line has by the same names."""
    return options(**{field.name: getattr(args, field.name) for field in dataclasses.fields(options)})


def _length(motion) -> str:
    return f"{motion.frames} frames at {motion.fps:g} fps"


def _in_style(dance) -> str:
    return "" if dance.style is None else f", {dance.style}"


def _tell(args: argparse.Namespace, said: str, metrics: dict[str, float], **values) -> None:
    """What came of it: one line, or with --json the ``values``."""
    if args.json:
        _say(type="done", seed=args.seed, metrics={name: round(value, 4) for name, value in metrics.items()}, **values)
        return
    shown = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in metrics.items())
    print(f"{said}, seed {args.seed}; {shown}")


def _music_files(out: Path, midi: Path | None, mono: bool) -> Callable[..., dict[Path, bytes]]:
    """What a music is as a file ``out`` and its beats and drums as ``midi``; asked before anything is computed."""
    from core import pipeline
    from core.audio import io

    _check_place(out, io.WRITTEN)
    if midi is not None:
        _check_place(midi, (".mid", ".midi"))
    return lambda made, model: pipeline.music_files(out, made, model.config.signal, not mono, midi)


def _check_place(out: Path, endings: Iterable[str]) -> None:
    """Raises FootlightError when nothing can be written to ``out``."""
    from core.errors import FootlightError

    if out.suffix.lower() not in endings:
        raise FootlightError(f"{out}: the ending must be one of {', '.join(endings)}")
    if not out.parent.is_dir():
        raise FootlightError(f"{out}: there is no folder {out.parent}; make it first")
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise FootlightError(f"{out}: cannot be written; choose another place")


def _dance_files(out: Path) -> Callable[..., dict[Path, bytes]]:
    """What a dance is as a file ``out``, by its ending; asked before anything is computed."""
    forms = {".bvh": _bvh, ".npz": _npz}
    _check_place(out, forms)
    return lambda made: {out: forms[out.suffix.lower()](made)}


def _bvh(made) -> bytes:
    from core.formats import bvh

    return bvh.encoded(made.motion, made.motion.fps)


def _npz(made) -> bytes:
    import io

    import numpy as np

    from core.motion.skeleton import SMPL22
    from core.pipeline import motion_arrays

    arrays = {name: value.numpy() for name, value in motion_arrays(made).items()}
    arrays["fps"] = np.float64(made.motion.fps)
    arrays["joints"], arrays["parents"] = np.array(SMPL22.names), np.array(SMPL22.parents)
    arrays["offsets"] = SMPL22.offsets.numpy()
    data = io.BytesIO()
    np.savez(data, **arrays)
    return data.getvalue()


def _beats(args: argparse.Namespace) -> None:
    if args.file.suffix.lower() == ".bvh" or _begins_as_bvh(args.file):
        found = bvh_beats(args.file)
    else:
        from core import pipeline
        from core.audio.beat_tracking import track_beats

        found = _song_beats(track_beats(pipeline.read_song(args.file)))
    print(json.dumps(found))


def _begins_as_bvh(path: Path) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(32).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"HIERARCHY")
    return False


def _song_beats(beats) -> dict:
    """Beats as JSON values: seconds, and which of them begin a bar."""
    downbeats = [] if beats.downbeats is None else beats.times[beats.downbeats]
    return {
        "beats": [round(float(time), 4) for time in beats.times],
        "tempo": round(beats.tempo, 3),
        "downbeats": [round(float(time), 4) for time in downbeats],
    }


def bvh_beats(path: Path) -> dict:
    """The kinematic beats of a BVH file of any skeleton and unit: ``beats`` are the hits, where the body arrives,
    ``onsets`` where it starts."""
    from core.formats import bvh
    from core.motion import kinematics
    from core.rhythm import accents

    skeleton, motion = bvh.read(path)
    rest = skeleton.rest_positions()
    extent = float((rest.amax(0) - rest.amin(0)).max())
    positions = kinematics.forward(motion.rotations, motion.root, skeleton, motion.offsets)
    positions = positions * (BODY_HEIGHT / extent if extent > 0 else 1.0)
    kinematic_beats, onsets = (
        accents.kinematic_beats(positions, motion.fps),
        accents.kinematic_onsets(positions, motion.fps),
    )
    times = [round(float(time), 4) for time in kinematic_beats.times]
    return {
        "beats": times,
        "tempo": round(kinematic_beats.tempo, 3),
        "hits": times,
        "onsets": [round(float(time), 4) for time in onsets.times],
        "fps": motion.fps,
        "seconds": round(motion.seconds, 4),
    }


def _say(**event) -> None:
    print(json.dumps(event), flush=True)


@contextlib.contextmanager
def _shown(as_json: bool) -> Iterator[None]:
    """Shows the progress of what is done inside: JSON lines on standard output, or a bar on standard error."""
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

"""The command line: ``python -m core`` and ``footlight``.

    footlight dance SONG --out OUT.bvh|OUT.npz    a dance to a song
    footlight beats FILE                          the beats of a song, or the kinematic beats of a BVH file, as JSON

Exit codes: 0, or 2 with one line on standard error for input that cannot be used. Heavy imports wait until the
arguments are known to be good, so that ``--help`` and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from core import __version__

BAD_INPUT, INTERRUPTED = 2, 130
BODY_HEIGHT = 1.7  # metres: what skeletons of unknown unit are measured by


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = _Parser(prog="footlight", description="Dance from music.")
    top.add_argument("--version", action="version", version=f"footlight {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="dance|beats", parser_class=_Parser)

    dance = commands.add_parser("dance", help="make a dance to a song", description="Make a dance to a song.")
    dance.set_defaults(run=_dance)
    dance.add_argument("song", type=Path, help="wav, flac, ogg, opus or mp3")
    dance.add_argument("--out", type=Path, required=True, help="OUT.bvh (y-up, centimetres) or OUT.npz (arrays)")
    dance.add_argument("--seed", type=int, default=0, help="same seed, same dance (default 0)")
    dance.add_argument("--start", type=float, default=0.0, help="second of the song to begin at")
    dance.add_argument("--seconds", type=float, help="how much of the song to dance to (default: all)")
    dance.add_argument("--fps", type=float, default=30.0, help="frames per second (default 30)")
    dance.add_argument("--steps", type=int, help="denoising steps (default: the model's)")
    dance.add_argument("--guidance", type=float, help="how closely to follow the music (default: the model's)")
    dance.add_argument("--beat-snap", type=float, default=0.25, help="0-1: carry hits onto beats (default 0.25)")
    dance.add_argument("--style", help="one of the model's styles (default: its own choice)")
    dance.add_argument("--model", help="a model folder, or the name of an embedded model (default: default)")
    dance.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    dance.add_argument("--json", action="store_true", help="progress and result as JSON lines on standard output")

    beats = commands.add_parser("beats", help="beats of a song or BVH file", description="Print beats as JSON.")
    beats.set_defaults(run=_beats)
    beats.add_argument("file", type=Path, help="a song, or a BVH file of any skeleton")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    args = parser().parse_args(arguments)
    from core.types import FootlightError  # which takes torch along

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

    write = _writer(args.out)
    options = pipeline.DanceOptions(args.seed, args.fps, args.steps, args.guidance, args.beat_snap, args.style)
    with _progress(args.json) as show:
        song = pipeline.read_song(args.song, args.start, args.seconds)
        show("Loading the model", 0.0)
        model = pipeline.Model.load(args.model, args.device)
        made = pipeline.run(pipeline.dance(model, song, options), lambda p: show(p.stage, p.fraction))
        show("Writing", 0.99)
        write(made)
        show("Done", 1.0)
    motion, score = made.motion, {name: round(value, 4) for name, value in made.score.items()}
    if args.json:
        _say(
            type="done",
            out=str(args.out),
            frames=motion.frames,
            fps=motion.fps,
            seed=args.seed,
            model=model.name,
            score=score,
            **_song_beats(made.beats),
        )
        return
    told = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in score.items())
    length = f"{motion.frames} frames at {motion.fps:g} fps"
    print(f"{args.out}: {length}, {made.beats.tempo:.0f} bpm, seed {args.seed}; {told}")


def _writer(out: Path) -> Callable[..., None]:
    """How a dance is written to ``out``, by its ending; asked before anything is computed."""
    from core.types import FootlightError

    writers = {".bvh": _write_bvh, ".npz": _write_npz}
    if out.suffix.lower() not in writers:
        raise FootlightError(f"{out}: the ending must be one of {', '.join(writers)}")
    if not out.parent.is_dir():
        raise FootlightError(f"{out}: there is no folder {out.parent}; make it first")
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise FootlightError(f"{out}: cannot be written; choose another place")
    return lambda made: writers[out.suffix.lower()](out, made)


def _write_bvh(out: Path, made) -> None:
    from core.motion import bvh

    bvh.write(out, made.motion, made.motion.fps)


def _write_npz(out: Path, made) -> None:
    import io

    import numpy as np

    from core.checkpoint import write_atomically
    from core.motion.skeleton import SMPL22
    from core.pipeline import motion_arrays

    arrays = {name: value.numpy() for name, value in motion_arrays(made).items()}
    arrays["fps"] = np.float64(made.motion.fps)
    arrays["joints"], arrays["parents"] = np.array(SMPL22.names), np.array(SMPL22.parents)
    arrays["offsets"] = SMPL22.offsets.numpy()
    data = io.BytesIO()
    np.savez(data, **arrays)
    write_atomically(out, data.getvalue())


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
    from core.motion import bvh, directogram, kinematics

    skeleton, motion = bvh.read(path)
    rest = skeleton.rest_positions()
    extent = float((rest.amax(0) - rest.amin(0)).max())
    positions = kinematics.forward(motion.rotations, motion.root, skeleton, motion.offsets)
    positions = positions * (BODY_HEIGHT / extent if extent > 0 else 1.0)
    hits, onsets = directogram.hits(positions, motion.fps), directogram.onsets(positions, motion.fps)
    times = [round(float(time), 4) for time in hits.times]
    return {
        "beats": times,
        "tempo": round(hits.tempo, 3),
        "hits": times,
        "onsets": [round(float(time), 4) for time in onsets.times],
        "fps": motion.fps,
        "seconds": round(motion.seconds, 4),
    }


def _say(**event) -> None:
    print(json.dumps(event), flush=True)


@contextlib.contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[str, float], None]]:
    """A function that shows (stage, fraction): JSON lines on standard output, or a bar on standard error."""
    if as_json:
        yield lambda stage, fraction: _say(type="progress", stage=stage, fraction=round(fraction, 4))
        return
    from tqdm import tqdm

    layout = "{desc:<22}{percentage:3.0f}%|{bar:40}| {elapsed}<{remaining}"
    with tqdm(total=1.0, bar_format=layout, disable=None, leave=False) as bar:

        def show(stage: str, fraction: float) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.update(fraction - bar.n)
            bar.refresh()

        yield show

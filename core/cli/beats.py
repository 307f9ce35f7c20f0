"""The command that prints or writes beats, of songs and of motions."""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.shown import check_place, in_bars, song_beats
from core.protocol import ScoreRequest, check

if TYPE_CHECKING:  # torch takes a second to load
    from torch import Tensor

_MOTION_ARRAYS = (".npz", ".npy", ".pkl", ".pickle")  # endings of motions besides BVH
BODY_HEIGHT = 1.7  # metres, to which skeletons of unknown unit are scaled


def print_beats(args: argparse.Namespace) -> None:
    """Print the beats of a song or a motion as JSON, or write those of a song to a file."""
    check(ScoreRequest, fps=args.fps)
    if args.out is not None:
        _write_beats(args.file, args.out)
        return
    if args.file.suffix.lower() == ".bvh" or _begins_as_bvh(args.file):
        found = _bvh_beats(args.file, args.fps)
    elif args.file.suffix.lower() in _MOTION_ARRAYS or args.file.is_dir():
        from core.formats.motion import read_motion

        clip = read_motion(args.file, args.fps)
        found = _kinematic_beats(clip.positions, clip.fps)
    else:
        from core import pipeline
        from core.audio.decoding import begins

        found = song_beats(pipeline.beats_of(pipeline.read_song(args.file)))
        found |= {"sound_begins": late} if (late := begins(args.file)) else {}
    print(json.dumps({**found, "warnings": args.warnings}))


def _write_beats(song: Path, out: Path) -> None:
    """Write the beats of a song to BEATS.json, and print one line about them."""
    check_place(out, (".json",))
    from core import pipeline
    from core.audio.decoding import begins
    from core.files import write_atomically
    from core.grid import beats_file

    beats = pipeline.beats_of(pipeline.read_song(song))
    written = beats_file.to_json(pipeline.grid_of(beats), begins(song) or None)
    write_atomically(out, written.encode())
    print(f"{out}: {len(beats.times)} beats, {beats.tempo:.0f} bpm{in_bars(beats)}")


def _begins_as_bvh(path: Path) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(32).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"HIERARCHY")
    return False


def _bvh_beats(path: Path, fps: float | None = None) -> dict:
    """The kinematic beats and onsets of a BVH file of any skeleton and unit, as JSON values.

    ``beats`` (also as ``hits``) are where movements arrive, ``onsets`` where they start. A dance of ours has its own
    size. Another body is taken to be ``BODY_HEIGHT`` tall, because its unit is not known.

    fps: frames per second of a file that does not say it.
    """
    from core.formats import bvh
    from core.formats.capture_rate import slowed
    from core.motion import kinematics

    skeleton, motion = bvh.read(path, fps)
    motion = slowed(motion)
    if (own := bvh.own_motion(skeleton, motion)) is not None:
        return _kinematic_beats(kinematics.forward(own.rotations, own.root), own.fps)
    rest = skeleton.rest_positions()
    extent = float((rest.amax(0) - rest.amin(0)).max())
    positions = kinematics.forward(motion.rotations, motion.root, skeleton, motion.offsets)
    return _kinematic_beats(positions * (BODY_HEIGHT / extent if extent > 0 else 1.0), motion.fps)


def _kinematic_beats(positions: Tensor, fps: float) -> dict:
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

"""What an edit makes anew, and whether that fits its dance: the range, keys and path, and the way between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.edits.keys_file import Key
from core.edits.parts import BODY_PARTS, joints_of
from core.edits.path_file import FloorPath
from core.errors import FootlightError
from core.motion.skeleton import SMPL22
from core.pipeline.walks import approach
from core.types import Motion

QUICKEST = 6.0  # metres per second, from one place where the dancer has to be to the next: faster than any dancer
HIGHEST = 2.0  # metres that the pelvis of a key may be above or below that of the dance


@dataclass(frozen=True)
class Edit:
    """What is made anew of a dance.

    base: the dance, whose second 0 is that of the song.
    start, end: its frames [start, end) that are made anew.
    parts: names of ``core.edits.parts.BODY_PARTS`` that are made anew; the others are kept.
    keys: poses inside the range that are hit.
    path: a curve on the floor that is followed, or None.
    variation: in (0, 1]; 1 makes it anew, less keeps nearer to the base.
    """

    base: Motion
    start: int
    end: int
    parts: tuple[str, ...] = tuple(BODY_PARTS)
    keys: tuple[Key, ...] = ()
    path: FloorPath | None = None
    variation: float = 1.0

    @property
    def seconds(self) -> tuple[float, float]:
        """Between which it is made anew."""
        return self.start / self.base.fps, self.end / self.base.fps

    @property
    def hold(self) -> Tensor:
        """What is kept of the base without the keys, (t, j) bool."""
        hold = torch.ones(self.base.frames, SMPL22.joints, dtype=torch.bool)
        hold[self.start : self.end, torch.tensor(joints_of(self.parts))] = False
        return hold


def check_edit(edit: Edit, seconds: float) -> None:
    """Raises FootlightError for an edit that does not fit its dance, or a song of so many seconds."""
    base, (_, last) = edit.base, edit.seconds
    if not 0 <= edit.start < edit.end <= base.frames:
        raise FootlightError(
            f"frames {edit.start} to {edit.end} were to be made anew; the dance has frames 0 to {base.frames}"
        )
    if last > seconds + 1 / base.fps:
        raise FootlightError(
            f"the range ends at {last:.2f} s, but the song at {seconds:.2f} s; give a range that ends before"
        )
    for key in edit.keys:
        _check_key(edit, key)
    _check_keys_agree(edit)
    if edit.path is not None:
        _check_path(edit)
    if "legs" in edit.parts:
        _check_pace(edit)


def frame_of(key: Key, fps: float) -> int:
    """The frame of a dance at which a key is."""
    return key.frame if key.frame is not None else round((key.seconds or 0.0) * fps)


def _check_key(edit: Edit, key: Key) -> None:
    frame = frame_of(key, edit.base.fps)
    if not edit.start <= frame < edit.end:
        raise FootlightError(
            f"the key at frame {frame} is outside of the range that is made anew, {edit.start} to {edit.end}"
        )
    anew = {SMPL22.names[joint] for joint in joints_of(edit.parts)}
    if kept := [joint for joint in key.rotations if joint not in anew]:
        raise FootlightError(
            f"the key at frame {frame} poses {kept[0]}, which stays as it is; make that part of the body anew too "
            f"({_part_of(kept[0])}), or leave the joint out"
        )
    if key.root is None:
        return
    if "legs" not in edit.parts:
        raise FootlightError(
            f"the key at frame {frame} places the root, which goes with the legs, and they stay as they are; make them "
            "anew too, or leave the root out"
        )
    there = float(edit.base.root[frame, 1])
    if not abs(key.root[1] - there) <= HIGHEST:
        raise FootlightError(
            f"the key at frame {frame} has the pelvis at a height of {key.root[1]:g} m, and the dance has it at "
            f"{there:.2f} m; expected metres, y up"
        )


def _part_of(joint: str) -> str:
    return next(part for part, joints in BODY_PARTS.items() if joint in joints)


def _check_keys_agree(edit: Edit) -> None:
    """Raises FootlightError if two keys of one frame have two poses of a joint."""
    poses: dict[tuple[int, str], tuple[float, ...]] = {}
    for key in edit.keys:
        frame = frame_of(key, edit.base.fps)
        for joint, pose in {**key.rotations, **({} if key.root is None else {"root": key.root})}.items():
            if poses.setdefault((frame, joint), pose) != pose:
                raise FootlightError(f"two keys at frame {frame} have two poses of {joint}; leave one of them out")


def _check_path(edit: Edit) -> None:
    assert edit.path is not None
    if "legs" not in edit.parts:
        raise FootlightError("a path is walked by the legs: make them anew too, or leave the path out")
    start, end = edit.seconds
    times = edit.path.seconds
    if times is not None and not (times[0] < end and times[-1] > start):
        raise FootlightError(
            f"the path is walked from {times[0]:g} to {times[-1]:g} s, but {start:.2f} to {end:.2f} s are made anew; "
            "give seconds of the dance that are among them"
        )


class _Stop(NamedTuple):
    """Where the dancer has to be.

    seconds: when.
    place: (2,) x and z, metres.
    what: it is, for messages.
    given: whether the edit says so, and not the dance.
    """

    seconds: float
    place: np.ndarray
    what: str
    given: bool


def _check_pace(edit: Edit) -> None:
    """Raises FootlightError if keys or the path are farther from one another, or from the dance, than anybody runs."""
    for one, other in _ways(edit):
        apart, spent = float(np.linalg.norm(other.place - one.place)), other.seconds - one.seconds
        if (one.given or other.given) and apart > QUICKEST * spent:
            raise FootlightError(
                f"from {one.what} to {other.what} the dancer has to go {apart:.2f} m in {spent:.2f} s; bring the two "
                "nearer together (places are in metres), or make a longer part anew"
            )


def _ways(edit: Edit) -> list[tuple[_Stop, _Stop]]:
    """From where to where the dancer has to go: between the dance and keys, and onto the path and off it."""
    base, (start, end) = edit.base, edit.seconds
    places = base.root[:, [0, 2]].double().numpy()
    edges = (edit.start - 1, "the dance before the range"), (edit.end, "the dance after the range")
    dance = [_Stop(frame / base.fps, places[frame], what, False) for frame, what in edges if 0 <= frame < base.frames]
    keys = [
        _Stop(frame / base.fps, np.array((key.root[0], key.root[2])), f"the key at frame {frame}", True)
        for frame, key in ((frame_of(key, base.fps), key) for key in edit.keys)
        if key.root is not None
    ]
    ways = list(pairwise(sorted(dance + keys, key=lambda stop: stop.seconds)))
    if edit.path is not None:
        reach = approach(start, end)
        on, off = (
            _Stop(time, edit.path.at(np.array([time]), start, end)[0], "the path", True)
            for time in (start + reach, end - reach)
        )
        ways += [(stop, on) if stop.seconds < start else (off, stop) for stop in dance]
    return ways

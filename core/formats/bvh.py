"""Reads and writes BVH files.

A BVH file contains a tree of joints with offsets, followed by one line of channel values per frame: positions in the
file's own unit, and intrinsic Euler angles in degrees, in the order that each joint declares. Position channels replace
the joint's offset, as in Blender.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError, warn
from core.files import write_atomically
from core.formats import lost_frames
from core.formats.bvh_frames import DEFAULT_FPS, SLOWEST_CAPTURE, TOO_LARGE, Malformed, lines_of, read_frames, short
from core.formats.fixed_point import rows_of_text
from core.motion import rotation
from core.motion.resample import resample
from core.motion.skeleton import SMPL22, Skeleton
from core.types import Motion

_CHANNELS = {f"{axis}{kind}".lower(): (axis, kind[0]) for axis in "XYZ" for kind in ("position", "rotation")}
_RADIANS = (1.0, 6.3)  # the largest angle of a whole file that may be meant as radians
_ORDER = "ZXY"  # order of the Euler angles that we write


@dataclass(frozen=True)
class BvhMotion(Motion):
    """The frames of a BVH file, for the skeleton of that file, in its unit.

    offsets: (t, j, 3) for ``kinematics.forward``, if joints besides the root move relative to their parents, else None.
        Position channels that never change are part of the skeleton instead. Resampling drops the offsets.
    """

    offsets: Tensor | None = None

    def cut(self, start: int, end: int) -> BvhMotion:
        """Frames ``[start, end)``."""
        offsets = None if self.offsets is None else self.offsets[start:end]
        plain = super().cut(start, end)
        return BvhMotion(plain.rotations, plain.root, plain.fps, plain.contacts, offsets)


def read(path: str | Path, fps: float | None = None) -> tuple[Skeleton, BvhMotion]:
    """Read the skeleton and the motion of any BVH file, in the file's own unit and axes.

    Joint names are kept; a repeated name gets a number. Warns of what ``core.formats.bvh_frames`` puts right.

    fps: frames per second of a file that does not say it, or says a placeholder; None takes ``DEFAULT_FPS`` and warns.

    Raises FootlightError, with the number of the line, for a malformed file.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FootlightError(f"{path}: there is no such file; expected a BVH file") from None
    except OSError as error:
        raise FootlightError(f"{path}: cannot be read ({error.strerror}); expected a BVH file") from None
    lines = lines_of(data, path)
    try:
        tree, at = _read_hierarchy(lines)
        frames = read_frames(lines, at, sum(len(channels) for channels in tree.channels), path)
    except Malformed as error:
        where = f"line {error.line}" if error.line <= len(lines) else "end of file"
        raise FootlightError(f"{path}, {where}: {error}; expected a BVH file (HIERARCHY, then MOTION)") from None
    if frames.fps is None and fps is None:
        warn(f"{path}: does not say its frame time; read at {DEFAULT_FPS:g} frames per second, or give fps")
    lost = lost_frames.without_numbers(frames.values) | lost_frames.of_one_number(frames.values)
    skeleton, motion = _assemble(tree, _rows_without(frames.values, lost), frames.fps or fps or DEFAULT_FPS)
    if frames.fps is not None and frames.fps <= SLOWEST_CAPTURE and own_motion(skeleton, motion) is None:
        motion = replace(motion, fps=fps or DEFAULT_FPS)
        warn(
            f"{path}: its frame time is {1 / frames.fps:g} s, too long for a capture; read at {motion.fps:g} frames "
            "per second, or give fps"
        )
    if motion.seconds >= 1:
        _warn_of_radians(path, tree, frames.values)
    return skeleton, _bridged(path, motion, lost) if lost.any() else motion


def _warn_of_radians(path: Path, tree: _Tree, values: np.ndarray) -> None:
    """Warn of angles among channel values (t, c) that are all so small as if they were radians. Nobody dances so."""
    kinds = [kind for channels in tree.channels for _, kind in channels]
    angles = np.abs(values[:, [kind == "r" for kind in kinds]])
    largest = float(np.nanmax(angles, initial=0.0))
    if len(tree.names) > 2 and _RADIANS[0] < largest <= _RADIANS[1]:
        warn(
            f"{path}: none of its joints turns by more than {largest:.1f} degrees; if its angles are radians, write "
            "degrees, as BVH files have them"
        )


def _rows_without(values: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Channel values (t, c) in which lost frames (t,) are interpolated, so that no joint seems to move in them."""
    return lost_frames.bridged(torch.from_numpy(values), lost).numpy() if lost.any() else values


def _bridged(path: Path, motion: BvhMotion, lost: np.ndarray) -> BvhMotion:
    """A motion whose joints turn by the shorter way in its lost frames (t,), with a warning.

    Raises FootlightError for more of them than can be bridged.
    """
    where = f"{path}: holds no body in frames {lost_frames.named(lost)}, only NaN or one number throughout"
    if not lost_frames.can_be_bridged(lost, motion.fps):
        raise FootlightError(
            f"{where}; {lost_frames.BOUNDS}: fill the gap in the program that recorded it, or cut the capture there"
        )
    warn(f"{where}; they are interpolated")
    return replace(motion, rotations=lost_frames.bridged_turns(motion.rotations, lost))


class _Tree:
    """The hierarchy while the file is read."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[tuple[float, float, float] | None] = []
        self.channels: list[tuple[tuple[str, str], ...]] = []
        self.tips: dict[str, Tensor] = {}

    def add(self, name: str, parent: int) -> int:
        unique, number = name, 2
        while unique in self.names:
            unique, number = f"{name}_{number}", number + 1
        self.names.append(unique)
        self.parents.append(parent)
        self.offsets.append(None)
        self.channels.append(())
        return len(self.names) - 1


_END = -1  # on the stack of open braces: an End Site


def _read_hierarchy(lines: list[str]) -> tuple[_Tree, int]:
    """Read the tree of joints; returns it and the number of the line with MOTION."""
    tree, stack, opening, started = _Tree(), [], None, False
    for number, line in enumerate(lines, 1):
        # a brace may be on the same line as anything else
        words = line.replace("{", " { ").replace("}", " } ").split()
        while words:
            word, key = words[0], words[0].lower()
            if opening is not None and word != "{":
                raise Malformed(number, f"{word!r} where '{{' should open a joint")
            if not started:
                if key != "hierarchy":
                    raise Malformed(number, f"{short(word)} where the file should begin with HIERARCHY")
                started, words = True, words[1:]
            elif word == "{":
                if opening is None:
                    raise Malformed(number, "'{' without a joint before it")
                stack.append(opening)
                opening, words = None, words[1:]
            elif word == "}":
                if not stack:
                    raise Malformed(number, "'}' closes nothing")
                closed = stack.pop()
                if closed != _END and tree.offsets[closed] is None:
                    raise Malformed(number, f"joint {tree.names[closed]!r} has no OFFSET")
                words = words[1:]
            elif key in ("root", "joint", "end"):
                name, words = _until_brace(words[1:])
                opening = _open(tree, stack, key, name, number)
            elif key == "offset":
                _take_offset(tree, stack, words[1:4], number)
                words = words[4:]
            elif key == "channels":
                count = _take_channels(tree, stack, words[1:], number)
                words = words[2 + count :]
            elif key == "motion":
                if stack:
                    raise Malformed(number, f"MOTION before joint {_label(tree, stack[-1])} is closed with '}}'")
                if not tree.names:
                    raise Malformed(number, "MOTION before any ROOT joint")
                return tree, number
            else:
                raise Malformed(number, f"{short(word)} is not a BVH keyword")
    raise Malformed(len(lines) + 1, "the file ends before MOTION" if started else "there is no text in the file")


def _until_brace(words: list[str]) -> tuple[str, list[str]]:
    end = words.index("{") if "{" in words else len(words)
    return " ".join(words[:end]), words[end:]


def _open(tree: _Tree, stack: list[int], key: str, name: str, number: int) -> int:
    inside = stack[-1] if stack else None
    if inside == _END:
        raise Malformed(number, f"{key.upper()} inside an End Site")
    if key == "end":
        if inside is None:
            raise Malformed(number, "an End Site outside any joint")
        return _END
    if not name:
        raise Malformed(number, f"{key.upper()} without a name")
    if key == "root" and tree.names:
        raise Malformed(number, f"a second ROOT {name!r}; only files with one figure can be read")
    if key == "joint" and inside is None:
        raise Malformed(number, f"JOINT {name!r} outside the ROOT joint")
    if key == "root" and inside is not None:
        raise Malformed(number, f"ROOT {name!r} inside another joint")
    return tree.add(name, -1 if inside is None else inside)


def _take_offset(tree: _Tree, stack: list[int], words: list[str], number: int) -> None:
    if not stack:
        raise Malformed(number, "OFFSET outside any joint")
    try:
        offset = tuple(float(word) for word in words)
    except ValueError:
        raise Malformed(number, f"OFFSET {short(' '.join(words))} is not three numbers") from None
    if len(offset) != 3 or not all(abs(value) < TOO_LARGE for value in offset):
        raise Malformed(number, f"OFFSET {short(' '.join(words))} is not three finite numbers")
    if stack[-1] != _END:
        tree.offsets[stack[-1]] = offset
    elif len(stack) > 1:
        tree.tips[tree.names[stack[-2]]] = torch.tensor(offset)


def _take_channels(tree: _Tree, stack: list[int], words: list[str], number: int) -> int:
    if not stack or stack[-1] == _END:
        raise Malformed(number, "CHANNELS outside any joint")
    if not words or not words[0].isdigit():
        raise Malformed(number, f"CHANNELS {short(words[0]) if words else ''} without their number")
    count, names = int(words[0]), words[1 : 1 + int(words[0])]
    if len(names) < count:
        raise Malformed(number, f"{count} CHANNELS announced, {len(names)} named")
    for name in names:
        if name.lower() not in _CHANNELS:
            raise Malformed(number, f"unknown channel {short(name)}; known are Xposition, Zrotation and their like")
    if len({name.lower() for name in names}) < count:
        raise Malformed(number, f"a channel of joint {tree.names[stack[-1]]!r} is named twice")
    if tree.channels[stack[-1]]:
        raise Malformed(number, f"CHANNELS of joint {tree.names[stack[-1]]!r} are given twice")
    tree.channels[stack[-1]] = tuple(_CHANNELS[name.lower()] for name in names)
    return count


def _label(tree: _Tree, joint: int) -> str:
    return "End Site" if joint == _END else repr(tree.names[joint])


def _assemble(tree: _Tree, values: np.ndarray, fps: float) -> tuple[Skeleton, BvhMotion]:
    table = torch.from_numpy(values)
    frames, joints = table.shape[0], len(tree.names)
    rest = torch.tensor(tree.offsets, dtype=torch.float64)
    offsets = rest.expand(frames, joints, 3).clone()
    columns: dict[str, list[tuple[int, list[int]]]] = {}  # by Euler order: joint and its columns
    start = 0
    for joint, channels in enumerate(tree.channels):
        places = {axis: start + i for i, (axis, kind) in enumerate(channels) if kind == "p"}
        for axis, column in places.items():
            offsets[:, joint, "XYZ".index(axis)] = table[:, column]
        turns = [(axis, start + i) for i, (axis, kind) in enumerate(channels) if kind == "r"]
        if turns:
            order = "".join(axis for axis, _ in turns)
            columns.setdefault(order, []).append((joint, [column for _, column in turns]))
        start += len(channels)
    rotations = rotation.identity(frames, joints, like=table)
    for order, found in columns.items():
        angles = table[:, [column for _, column in found]].deg2rad()
        rotations[:, [joint for joint, _ in found]] = rotation.from_euler(angles, order)
    root, limbs = offsets[:, 0].float(), offsets[:, 1:]
    moving = joints > 1 and bool((limbs - limbs[:1]).abs().amax() > 1e-4 * limbs.abs().amax())
    if not moving:
        rest[1:] = limbs[0]
    skeleton = Skeleton(tuple(tree.names), tuple(tree.parents), rest.float(), tree.tips)
    return skeleton, BvhMotion(rotations.float(), root, fps, offsets=offsets.float() if moving else None)


def read_motion(path: str | Path) -> Motion:
    """Read the motion of a BVH file that ``write`` wrote; see ``own_motion``.

    Raises FootlightError for a malformed file or another skeleton.
    """
    skeleton, motion = read(path)
    own = own_motion(skeleton, motion)
    if own is None:
        raise FootlightError(
            f"{path}: its skeleton has {skeleton.joints} joints beginning with {skeleton.names[0]!r} and is not our "
            f"dancer's; expected a dance that Footlight wrote (22 joints with SMPL's names)"
        )
    return own


def own_motion(skeleton: Skeleton, motion: BvhMotion) -> Motion | None:
    """The motion of ``SMPL22``, in metres, of a file that ``write`` wrote; None for any other skeleton.

    The unit of the file is inferred from its bone lengths.

    skeleton: as ``read`` returns it.
    motion: as ``read`` returns it.
    """
    if set(skeleton.names) != set(SMPL22.names) or motion.offsets is not None:
        return None
    order = [skeleton.names.index(name) for name in SMPL22.names]
    offsets = skeleton.offsets[order[1:]]
    parents = [skeleton.names[max(skeleton.parents[joint], 0)] for joint in order[1:]]
    unit = offsets.norm() / SMPL22.offsets[1:].norm()
    ours = [SMPL22.names[parent] for parent in SMPL22.parents[1:]]
    if parents != ours or not torch.allclose(offsets / unit, SMPL22.offsets[1:], atol=1e-3):
        return None
    return Motion(motion.rotations[:, order], motion.root / unit, motion.fps)


DECIMALS = 6
"""Of centimetres or metres, and of degrees."""


def write(path: str | Path, motion: Motion, fps: float = 30.0, centimetres: bool = True) -> None:
    """Write a motion of ``SMPL22`` as a BVH file in which zero rotations are the T-pose.

    Angles are unwrapped, so animation curves are smooth. The file appears whole or not at all.

    path: the file.
    motion: a motion of ``SMPL22``.
    fps: frame rate of the file, frames per second.
    centimetres: whether the unit is the centimetre; otherwise it is the metre.

    Raises FootlightError for values that are not finite, and where the file cannot be written.
    """
    write_atomically(Path(path), encoded(motion, fps, centimetres))


def encoded(motion: Motion, fps: float = 30.0, centimetres: bool = True) -> bytes:
    """The bytes of the file that ``write`` writes."""
    motion = resample(motion, fps)
    scale = 100.0 if centimetres else 1.0
    order = SMPL22.depth_first()
    angles = rotation.to_euler(motion.rotations[:, order].double(), _ORDER)
    angles = rotation.unwrap_euler(angles).rad2deg()
    table = torch.cat((motion.root.double() * scale, angles.flatten(1)), 1).numpy() + 0.0
    if not np.isfinite(table).all():
        raise FootlightError("the motion holds values that are not finite; nothing was written")
    if not (np.abs(table) < TOO_LARGE).all():
        raise FootlightError("the motion goes thousands of kilometres away, which no reader takes; nothing was written")
    lines = ["HIERARCHY", *_hierarchy_lines(SMPL22, scale), "MOTION"]
    lines += [f"Frames: {motion.frames}", f"Frame Time: {1 / fps:.10g}", ""]
    return "\n".join(lines).encode() + rows_of_text(table, DECIMALS)


def _hierarchy_lines(skeleton: Skeleton, scale: float) -> list[str]:
    def numbers(offset: Tensor) -> str:
        return " ".join(f"{value * scale + 0.0:.5f}" for value in offset.tolist())

    turns = " ".join(f"{axis}rotation" for axis in _ORDER)
    lines: list[str] = []

    def joint(index: int, indent: str) -> None:
        name, inner = skeleton.names[index], indent + "\t"
        lines.append(f"{indent}{'JOINT' if indent else 'ROOT'} {name}")
        lines.extend((f"{indent}{{", f"{inner}OFFSET {numbers(skeleton.offsets[index])}"))
        positions = "" if indent else "Xposition Yposition Zposition "
        lines.append(f"{inner}CHANNELS {3 if indent else 6} {positions}{turns}")
        for child in skeleton.children(index):
            joint(child, inner)
        if name in skeleton.tips:
            tip = numbers(skeleton.tips[name])
            lines.extend((f"{inner}End Site", f"{inner}{{", f"{inner}\tOFFSET {tip}", f"{inner}}}"))
        lines.append(f"{indent}}}")

    joint(0, "")
    return lines

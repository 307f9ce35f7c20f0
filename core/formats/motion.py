"""Reads the motion for which a score is to be generated.

    DANCE.bvh  any humanoid skeleton, unit and up axis; a file that Footlight wrote is read exactly
    DANCE.npz  a dance of ``core.formats.dance`` (rotations, root, fps), or positions (t, 22, 3) or (t, 14, 2) and fps
    DANCE.npz, .pkl, .npy  SMPL poses or joints, as data sets and models publish them (``core.formats.published``)
    FOLDER     OpenPose files, one per frame

Positions are in metres, y up; of bodies in space the up axis and the unit are found, and short gaps are bridged
(``core.formats.lost_frames``). 22 joints are in the order of ``SMPL22``, 14 in that of ``layouts.OPENPOSE14``. Other
bodies are fitted to ours and stand on the floor, y = 0. Four minutes take about a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError
from core.formats import array_files, bvh, dance, foreign, lost_frames, openpose, published, smpl
from core.formats.capture_rate import slowed, slowed_positions
from core.motion import fit, kinematics, plausible, rotation
from core.motion.contact import fix_floor
from core.motion.layouts import OPENPOSE14
from core.motion.skeleton import SMPL22
from core.protocol import FASTEST_CAPTURE_FPS, SHORTEST_SECONDS, SLOWEST_FPS, Part, check
from core.rhythm.accents import mean_speed
from core.rhythm.target import STANDING_STILL
from core.types import Motion

FARTHEST = 1e4  # metres from the origin
_UNIT = 0.01  # largest difference of a quaternion's length from 1
_SHORTEST_BODY = 0.4  # metres from neck to ankles; outside of these two, positions are probably pixels
_TALLEST_BODY = 4.0
_JOINTS = SMPL22.joints
_ADVICE = {
    ".pt .pth": "save its tensors as arrays with numpy.savez",
    ".json": "give the folder of its frames",
    ".fbx .glb .gltf .blend .usd .usda .usdc .dae .vrma .vmd .abc": "open it in Blender and score the motion there, or "
    "export it as BVH",
    ".c3d .trc .asf .amc": "convert it to BVH",
}
"""What to do with files that are not read, by their endings."""
_DANCE = ("rotations", "root", "contacts")
_EXPECTED = f"rotations (t, {_JOINTS}, 4) and root (t, 3), or positions (t, {_JOINTS}, 3) or (t, {len(OPENPOSE14)}, 2)"


@dataclass(frozen=True)
class MotionClip:
    """Joint positions of a motion and, where they are known, its rotations.

    positions: (t, 22, 3) of ``SMPL22``, or (t, 14, 2) of ``layouts.OPENPOSE14``, metres, y up. A model without a
        skeleton may give them in units of the body's height; beat metrics only ask when joints slow down.
    fps: frames per second.
    motion: the same motion as rotations of ``SMPL22``; None for a flat one, and for positions alone.
    """

    positions: Tensor
    fps: float
    motion: Motion | None = None

    @property
    def frames(self) -> int:
        return self.positions.shape[0]

    @property
    def seconds(self) -> float:
        return self.frames / self.fps


def read_motion(
    path: Path | str,
    fps: float | None = None,
    start: float = 0.0,
    seconds: float | None = None,
    rest: str | None = None,
) -> MotionClip:
    """Read a motion, or a part of it, from a file or from a folder of OpenPose files.

    path: the file or folder.
    fps: frames per second of files that do not contain it, such as OpenPose's. Above 240, fewer are used; see
        ``core.formats.capture_rate``.
    start: where the part begins, seconds.
    seconds: its length; None reads to the end. A part stops there in any case.
    rest: the T-pose of a BVH file of another body; see ``foreign.body_of``.

    Raises FootlightError when the file is missing or damaged, when the motion is not of a body, shorter than a second
    or standing still, for frame rates outside of 1 to 2000, and for times that are negative or beyond the end.
    """
    path = Path(path)
    check(Part, start=start, seconds=seconds)
    foreign.check_rest(rest)
    if fps is not None:
        check_fps(fps)
    clip = _part(path, _reader(path, rest)(path, fps), start, seconds)
    _check_numbers(path, "positions", clip.positions)
    if float(mean_speed(clip.positions, clip.fps).mean()) < STANDING_STILL:
        raise FootlightError(f"{path}: the body stands still; expected a movement, not a pose: choose another part")
    return clip


def _reader(path: Path, rest: str | None) -> Callable[[Path, float | None], MotionClip]:
    if path.is_dir():
        return _read_openpose
    readers = {".bvh": partial(_read_bvh, rest=rest), ".npz": _read_npz}
    readers |= dict.fromkeys((".npy", ".pkl", ".pickle"), _read_published)
    if path.suffix.lower() not in readers:
        known = ", ".join(readers)
        todo = advice(path)
        raise FootlightError(
            f"{path}: a movement is read from {known} files and from folders of OpenPose files{todo and f'; {todo}'}"
        )
    if not path.is_file():
        raise FootlightError(f"{path}: there is no such file; give the path of a movement")
    return readers[path.suffix.lower()]


def advice(path: Path) -> str:
    """What to do with a file of movement that is not read; nothing for other files."""
    ending = path.suffix.lower()
    return next((text for endings, text in _ADVICE.items() if ending and ending in endings.split()), "")


def _part(path: Path, whole: MotionClip, start: float, seconds: float | None) -> MotionClip:
    """The part of a clip. Raises FootlightError if it is too short."""
    if start >= whole.seconds:
        raise FootlightError(f"{path}: starts at {start:g} s, but the movement ends at {whole.seconds:.2f} s")
    first = round(start * whole.fps)
    length = whole.seconds if seconds is None else min(seconds, whole.seconds)
    last = min(whole.frames, first + round(length * whole.fps))
    _check_length(path, last - first, whole.fps)
    motion = None if whole.motion is None else whole.motion.cut(first, last)
    return MotionClip(whole.positions[first:last], whole.fps, motion)


def _check_length(path: Path, frames: int, fps: float) -> None:
    if frames < 2 or frames < SHORTEST_SECONDS * fps * (1 - 1e-6):
        raise FootlightError(
            f"{path}: only {frames / fps:.2f} s of movement ({frames} frames at {fps:g} per second); at least "
            f"{SHORTEST_SECONDS:g} s is needed"
        )


def check_fps(fps: float, name: str = "fps") -> None:
    """Raises FootlightError for a frame rate at which nothing is captured."""
    if not SLOWEST_FPS <= fps <= FASTEST_CAPTURE_FPS:
        expected = f"{SLOWEST_FPS:g} to {FASTEST_CAPTURE_FPS:g} frames per second"
        raise FootlightError(f"{name} is {fps:g}; expected {expected}")


def _check_numbers(path: Path, name: str, values: Tensor) -> None:
    if not bool((values.abs() < FARTHEST).all()):  # written so that NaN is refused too
        raise FootlightError(f"{path}: {name} with NaN, infinite or far too large numbers; export it again")


def clip_of(motion: Motion) -> MotionClip:
    """A clip of a motion of ``SMPL22``."""
    return MotionClip(kinematics.forward(motion.rotations, motion.root), motion.fps, motion)


def _fitted(path: Path, capture: Callable[[], fit.Capture]) -> MotionClip:
    try:
        motion, _ = fit.fit(capture())
    except FootlightError as error:
        raise FootlightError(f"{path}: {error}") from None
    return clip_of(fix_floor(motion))


def _read_bvh(path: Path, fps: float | None, rest: str | None = None) -> MotionClip:
    skeleton, motion = bvh.read(path, fps)
    check_fps(motion.fps, f"{path}: the frame rate")
    _check_length(path, motion.frames, motion.fps)
    motion = slowed(motion)
    own = bvh.own_motion(skeleton, motion)
    if own is not None:
        return clip_of(own)
    body = foreign.body_of(path, skeleton, motion, rest)
    return _fitted(path, lambda: foreign.capture(body))


def _read_openpose(path: Path, fps: float | None) -> MotionClip:
    if fps is None:
        raise FootlightError(f"{path}: OpenPose files do not say how fast they were filmed; give fps")
    return MotionClip(*slowed_positions(openpose.read_folder(path, fps), float(fps)))


def _read_published(path: Path, fps: float | None) -> MotionClip:
    found = published.read(path, fps)
    check_fps(found.fps, f"{path}: its fps")
    if isinstance(found, published.Places):
        _check_length(path, len(found.positions), found.fps)
        return _of_positions(path, found.positions, found.fps)
    _check_length(path, found.frames, found.fps)
    _check_numbers(path, "the path", found.root)
    motion = slowed(found)
    return _fitted(path, lambda: smpl.capture(motion))


def is_own(path: Path) -> bool:
    """Whether an .npz file has the arrays of ours and not those that data sets and models publish."""
    held = array_files.names_in(path)
    return "rotations" in held or ("positions" in held and not _holds_joints(path))


def _holds_joints(path: Path) -> bool:
    positions = dance.read_arrays(path, ("positions",))[0]["positions"]
    return positions.ndim == 3 and positions.shape[1] > _JOINTS and positions.shape[2] == 3


def _read_npz(path: Path, fps: float | None) -> MotionClip:
    return _read_own(path, fps) if is_own(path) else _read_published(path, fps)


def _read_own(path: Path, fps: float | None) -> MotionClip:
    own, held = dance.read_arrays(path, (*_DANCE, "positions", "fps"))
    tensors = {}
    for name in _DANCE if "rotations" in held else ("positions",):
        if name not in held:
            continue
        if own[name].dtype.kind not in "fiu":
            raise FootlightError(f"{path}: {name} holds {own[name].dtype}; expected numbers")
        tensors[name] = torch.from_numpy(own[name].astype(np.float64))
    if "fps" in held:
        fps = _number(path, "fps", own["fps"])
    return _of_arrays(path, tensors, fps, held)


def _number(path: Path, name: str, array: np.ndarray) -> float:
    if array.size != 1 or array.dtype.kind not in "fiu":
        raise FootlightError(f"{path}: its {name} is {array.dtype} {array.shape}; expected one number")
    return float(array.reshape(()))


def _of_arrays(path: Path, arrays: dict[str, Tensor], fps: float | None, held: list[str]) -> MotionClip:
    """The clip of the arrays of an .npz file. ``held`` are the names of all its arrays, for a message."""
    if fps is None:
        raise FootlightError(f"{path}: does not say its frame rate; store fps with it, or give fps")
    check_fps(fps, f"{path}: its fps")
    if not ({"rotations", "root"} <= arrays.keys() or "positions" in arrays):
        raise FootlightError(f"{path}: holds {published.listed(held)}; expected {_EXPECTED}")
    _check_shapes(path, arrays)
    _check_length(path, len(next(iter(arrays.values()))), fps)
    if "positions" in arrays:
        arrays = {"positions": lost_frames.bridged_places(path, arrays["positions"], fps)}
    for name, values in arrays.items():
        _check_numbers(path, name, values)
    if "positions" in arrays:
        return _of_positions(path, arrays["positions"], fps)
    contacts = arrays["contacts"].float() if "contacts" in arrays else None
    turns = _unit_turns(path, arrays["rotations"])
    clip = clip_of(slowed(Motion(turns.float(), arrays["root"].float(), fps, contacts)))
    try:
        plausible.check_body(dict(zip(SMPL22.names, clip.positions.unbind(1), strict=True)))
    except FootlightError as error:
        raise FootlightError(f"{path}: {error}") from None
    return clip


def _check_shapes(path: Path, arrays: dict[str, Tensor]) -> None:
    """Raises FootlightError unless all arrays have the shape of a body and the same number of frames."""
    frames = len(next(iter(arrays.values()))) if all(values.dim() for values in arrays.values()) else 0
    fitting = {
        "rotations": [(frames, _JOINTS, 4)],
        "root": [(frames, 3)],
        "contacts": [(frames, 4)],
        "positions": [(frames, _JOINTS, 3), (frames, len(OPENPOSE14), 2)],
    }
    if not all(tuple(values.shape) in fitting[name] for name, values in arrays.items()):
        found = ", ".join(f"{name} {tuple(values.shape)}" for name, values in arrays.items())
        raise FootlightError(f"{path}: holds {found}; expected {_EXPECTED}")


def _unit_turns(path: Path, rotations: Tensor) -> Tensor:
    length = rotations.norm(dim=-1)
    wrong = (length - 1).abs() > _UNIT
    if bool(wrong.any()):
        frame, joint = wrong.nonzero()[0].tolist()
        raise FootlightError(
            f"{path}: the rotation of {SMPL22.names[joint]} in frame {frame} has length "
            f"{float(length[frame, joint]):g}; expected unit quaternions, wxyz"
        )
    return rotation.normalise(rotations)


def _of_positions(path: Path, positions: Tensor, fps: float) -> MotionClip:
    if positions.shape[-1] == 2:
        tall = _check_up(path, positions)
        positions, fps = slowed_positions(positions, fps)
        if not _SHORTEST_BODY < tall < _TALLEST_BODY:
            raise FootlightError(f"{path}: the body measures {tall:g} from neck to ankles; expected metres")
        return MotionClip(positions.float(), fps, None)
    positions, fps = slowed_positions(smpl.standing_along_y(path, positions), fps)
    return _fitted(path, lambda: foreign.capture_of_positions(positions, fps))


def _check_up(path: Path, positions: Tensor) -> float:
    """The length of the stretched body of flat positions (t, 14, 2) from neck to ankles.

    Raises FootlightError if the body stands along another axis than y most of the time.
    """
    neck, left, right = (positions[:, OPENPOSE14.index(name)] for name in ("neck", "left_ankle", "right_ankle"))
    standing = neck - (left + right) / 2
    tall = float(standing.norm(dim=-1).quantile(0.95))
    mean = standing.mean(0)
    axis = int(mean.abs().argmax())
    if float(mean[axis].abs()) > tall / 2 and (axis != 1 or float(mean[1]) < 0):
        along = ("-" if float(mean[axis]) < 0 else "") + "xy"[axis]
        raise FootlightError(f"{path}: the body stands along {along}; expected positions with y up")
    return tall

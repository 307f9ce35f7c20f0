"""Reads motion as data sets and models publish it: SMPL poses, or the places of SMPL's joints.

    AMASS            .npz  poses (t, 156 or 165) or root_orient and pose_body, trans, mocap_framerate; z up
    AIST++           .pkl  smpl_poses (t, 72), smpl_trans in units of smpl_scaling to a metre, 60 frames per second
    EDGE             .pkl  smpl_poses and smpl_trans, 30 frames per second, z up; its slices q and pos, 60, y up
    Bailando, DanceRevolution and others  .npy, .pkl  joints (t, 24, 3)
    FineDance, EDGE's samples  .npy  rows (t, 315), (t, 319) or (t, 151) of contacts, path and 6-D rotations
    WHAM, GVHMR, HMR and others  .pkl, .npz  pose or global_orient and body_pose, with trans or transl

A .npy file may hold a dict, as ``numpy.save`` writes it. Which way is up is found from the body (``smpl.levelled``),
and so is the unit of a path that cannot be in metres. What is not as usual in files of the kind is said as a warning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError, warn
from core.formats import array_files, smpl
from core.motion import rotation
from core.motion.skeleton import SMPL22
from core.rig.skeleton import SIDES
from core.types import Motion


@dataclass(frozen=True)
class _Kind:
    """A kind of files.

    rotations: the array of all rotations; or that of the root's and that of the body's.
    path: the array of the pelvis' path, as the first that is there.
    up: the axis that is up in files of this kind.
    fps: their frame rate, which they do not say; None where they say it or nobody knows.
    """

    rotations: tuple[str, ...]
    path: tuple[str, ...]
    up: str = "y"
    fps: float | None = None


_AIST = _Kind(("smpl_poses",), ("smpl_trans",), "y", 60.0)
_EDGE = _Kind(("smpl_poses",), ("smpl_trans",), "z", 30.0)
_KINDS = (
    _Kind(("poses",), ("trans",), "z"),
    _Kind(("root_orient", "pose_body"), ("trans",), "z"),
    _Kind(("fullpose",), ("trans",), "z"),
    _Kind(("q",), ("pos",), "y", 60.0),
    _Kind(("pose_world",), ("trans_world", "trans")),
    _Kind(("global_orient", "body_pose"), ("transl", "trans")),
    _Kind(("pose",), ("trans", "transl")),
    _Kind(("array",), ()),  # that a .npy file holds alone
    _Kind(("rotations_6d",), ("path",), "y", 30.0),
)
_JOINTS = ("joints", "joints3d", "joints_3d", "positions", "pred_position", "full_pose")
"""Names of the places of joints."""
_FPS = ("mocap_framerate", "mocap_frame_rate", "fps", "framerate", "frame_rate")
_SCALING = "smpl_scaling"
_NAMES = {*_JOINTS, *_FPS, _SCALING, "betas", "arr_0", *_AIST.rotations, *_AIST.path}
_NAMES |= {name for kind in _KINDS for name in (*kind.rotations, *kind.path)}
_POSED = {22, 24, 52, 55}
"""Joints whose rotations a file may hold: SMPL's without and with hands, SMPL-H's and SMPL-X's."""
_PLACED = {22, 24, 45, 52, 55, 73, 127, 144}
"""Joints whose places a file may hold, of which the first 22 are SMPL's."""
_AIST_KEYPOINTS = "keypoints3d"
_EXPECTED = (
    "SMPL poses with their path (smpl_poses and smpl_trans, poses and trans, q and pos, root_orient, pose_body and "
    "trans, global_orient, body_pose and transl), or joints (t, 22, 3) or (t, 24, 3)"
)
_PLACED_FPS = {"pred_position": 60.0, "full_pose": 30.0}  # of Bailando and EDGE
_MOST_LOOKED_AT = 10_000  # dicts and lists in which a body is looked for
_ORTHOGONAL = 0.02  # by which the products of a rotation matrix' rows may be off
_RIGID = 0.15  # relative; bones change their length by less, even those that a network made
_ALIKE = 0.7  # a bone of the left limb to that of the right one, and a thigh to a shin, are no more different
_TRUNK = (0.4, 1.0)  # from hips to neck, in lengths of a leg
_UNUSUAL_SHAPE = 3.0  # standard deviations of SMPL's shapes


@dataclass(frozen=True)
class Places:
    """Places of joints, y up.

    positions: (t, 22, 3) in the order of ``SMPL22``, in any unit.
    fps: frames per second.
    """

    positions: Tensor
    fps: float


def read(path: Path, fps: float | None = None) -> Motion | Places:
    """Read a file: a motion of ``smpl.MEAN_BODY`` in metres, or the places of its joints. Both have y up.

    fps: frames per second of a file that does not say it.

    Raises FootlightError for a file that cannot be read, is damaged, asks to run code, holds no such motion, or does
    not say its frame rate.
    """
    contents = array_files.read(path, _NAMES)
    found = _bodies(contents)
    if not found:
        more = "; of AIST++, take the motions and not the keypoints" if _AIST_KEYPOINTS in _held(path, contents) else ""
        raise FootlightError(f"{path}: holds {_held(path, contents)}; expected {_EXPECTED}{more}")
    body = max(found, key=_frames)
    if len(found) > 1:
        warn(f"{path}: holds {len(found)} motions; the longest one is used ({_frames(body)} frames)")
    kind = _kind_of(body)
    return _placed(path, body, fps) if kind is None else _posed(path, body, kind, fps)


def _bodies(contents: object) -> list[Mapping]:
    """Every dict in a file's contents that holds a motion. A bare array counts as one of joints, or else of poses."""
    if isinstance(contents, dict) and list(contents) == ["arr_0"]:
        contents = contents["arr_0"]
    if isinstance(contents, np.ndarray):
        if not _is_numbers(contents):
            return []
        return [_split(contents) or {"array" if _as_places(contents) is None else "joints": contents}]
    found, seen, queue = [], set(), [contents]
    while queue and len(seen) < _MOST_LOOKED_AT:
        one = queue.pop(0)
        if not isinstance(one, dict | list | tuple) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict) and (_kind_of(one) or any(_is_numbers(one.get(name)) for name in _JOINTS)):
            found.append(one)
        else:
            queue += one.values() if isinstance(one, dict) else one[:_MOST_LOOKED_AT]
    return found


def _split(rows: np.ndarray) -> dict[str, np.ndarray] | None:
    """The path and the 6-D rotations of rows (t, c), after contacts in some files; None where they are something else.

    The six numbers of a rotation are two unit vectors at right angles.
    """
    for before in (3, 7):
        joints, more = divmod(rows.shape[1] - before, 6) if rows.ndim == 2 else (0, 0)
        if joints in _POSED and not more and len(rows):
            six = rows[:, before:].reshape(len(rows), joints, 2, 3).astype(np.float64)
            if np.abs(six @ six.swapaxes(2, 3) - np.eye(2)).max() < _ORTHOGONAL:
                return {"rotations_6d": six.reshape(len(rows), joints, 6), "path": rows[:, before - 3 : before]}
    return None


def _kind_of(body: Mapping) -> _Kind | None:
    """What kind of poses a dict holds; None for one without."""
    if _is_numbers(body.get("smpl_poses")):
        return _AIST if _is_numbers(body.get(_SCALING)) else _EDGE
    return next((kind for kind in _KINDS if all(_is_numbers(body.get(name)) for name in kind.rotations)), None)


def _is_numbers(value: object) -> bool:
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "iuf"


def _frames(body: Mapping) -> int:
    kind = _kind_of(body)
    names = _JOINTS if kind is None else kind.rotations
    return max(len(body[name]) if np.ndim(body[name]) else 0 for name in names if _is_numbers(body.get(name)))


def _held(path: Path, contents: object) -> str:
    """What a file holds, in a few words."""
    if path.suffix.lower() == ".npz":
        return listed(array_files.names_in(path))
    return listed(list(contents)) if isinstance(contents, dict) else f"a {type(contents).__name__}"


def listed(names: list) -> str:
    """The first names of a file's arrays, for a message."""
    return ", ".join(repr(name)[:40] for name in names[:8]) or "nothing"


def _posed(path: Path, body: Mapping, kind: _Kind, fps: float | None) -> Motion:
    """The motion of poses."""
    rotations = _rotations(path, body, kind)
    fps = _fps(path, body, fps, kind.fps)
    trans = next((_finite(path, name, body[name]) for name in kind.path if _is_numbers(body.get(name))), None)
    if trans is None:
        warn(f"{path}: holds no path of the body, only its pose; it moves in place")
        trans = torch.zeros(len(rotations), 3, dtype=torch.float64)
    trans = trans.reshape(-1, 3) if trans.shape[-1:] == (3,) and trans.dim() <= 3 else trans
    if trans.shape != (len(rotations), 3):
        raise FootlightError(
            f"{path}: poses of {len(rotations)} frames and a path {tuple(trans.shape)}; expected ({len(rotations)}, 3)"
        )
    root = trans * _unit(path, body, trans, fps)
    if _is_numbers(body.get("betas")) and _strange(body["betas"]):
        warn(f"{path}: its betas are those of an unusual body, which needs SMPL's model; a mean body is used")
    motion, up = smpl.levelled(Motion(rotations, root, fps), kind.up)
    if up != kind.up:
        warn(f"{path}: the body stands along {up} and not along {kind.up} as in files of its kind; {up} is taken as up")
    return motion


def _rotations(path: Path, body: Mapping, kind: _Kind) -> Tensor:
    """Local rotations (t, 22, 4) of poses, given as axis-angles or as matrices."""
    parts = [_turns(path, name, body[name]) for name in kind.rotations]
    frames = {len(part) for part in parts}
    turns = torch.cat(parts, 1) if len(frames) == 1 else parts[0][:0]
    if turns.shape[1] not in _POSED or len(turns) < 2:
        shapes = ", ".join(f"{name} {np.shape(body[name])}" for name in kind.rotations)
        raise FootlightError(
            f"{path}: holds {shapes}; expected axis-angles (t, 72), (t, 156) or (t, 165) of SMPL, two frames or more"
        )
    return rotation.continuous(rotation.normalise(turns[:, : SMPL22.joints]))


def _turns(path: Path, name: str, values: np.ndarray) -> Tensor:
    """Rotations (t, n, 4) of an array; no joint at all for an array of another shape."""
    array = _finite(path, name, values)
    if name == "rotations_6d" and array.dim() == 3 and array.shape[2] == 6 and array.shape[1] in _POSED:
        return smpl.of_6d(array)
    if name == "rotations_6d" or not array.numel():
        return torch.zeros(0, 0, 4, dtype=torch.float64)
    if array.dim() > 2 and array.shape[0] == 1 and array.shape[-2:] != (3, 3):
        array = array[0]  # one body of a batch
    if array.dim() >= 3 and array.shape[-2:] == (3, 3) and (array.dim() == 4 or _is_orthogonal(array)):
        return rotation.from_matrix(array.reshape(len(array), -1, 3, 3))
    if array.dim() in (2, 3) and array[0].numel() % 3 == 0 and (array.dim() == 2 or array.shape[-1] == 3):
        return rotation.from_axis_angle(array.reshape(len(array), -1, 3))
    return torch.zeros(0, 0, 4, dtype=torch.float64)


def _is_orthogonal(matrices: Tensor) -> bool:
    eye = torch.eye(3, dtype=matrices.dtype)
    return bool((matrices @ matrices.mT - eye).abs().amax() < _ORTHOGONAL)


def _unit(path: Path, body: Mapping, trans: Tensor, fps: float) -> float:
    """Metres to a unit of a path (t, 3), from what the file says and from how fast a body can be."""
    unit = 1.0
    if _is_numbers(body.get(_SCALING)):
        scaling = np.asarray(body[_SCALING], dtype=np.float64)
        if scaling.size != 1 or not (float(scaling.reshape(())) > 0 and math.isfinite(float(scaling.reshape(())))):
            raise FootlightError(f"{path}: its {_SCALING} is not positive, or not one number")
        unit = 1 / float(scaling.reshape(()))
    more = smpl.unit_of(trans * unit, fps)
    if more != 1:
        warn(f"{path}: its path is too fast for metres; read as {'centimetres' if more == 0.01 else 'millimetres'}")
    return unit * more


def _strange(betas: np.ndarray) -> bool:
    return not float(np.abs(np.asarray(betas, dtype=np.float64)).max(initial=0.0)) <= _UNUSUAL_SHAPE


def _placed(path: Path, body: Mapping, fps: float | None) -> Places:
    """The places of joints."""
    name = next(name for name in _JOINTS if _is_numbers(body.get(name)))
    _finite(path, name, body[name])
    places = _as_places(body[name])
    if places is None:
        raise FootlightError(
            f"{path}: {name} {np.shape(body[name])} are not the joints of a body in SMPL's order; expected {_EXPECTED}"
        )
    fps = _fps(path, body, fps, _PLACED_FPS.get(name))
    return Places(smpl.standing_along_y(path, places), fps)


def _as_places(values: np.ndarray) -> Tensor | None:
    """Places (t, 22, 3) of an array (t, j, 3) or (t, 3 j), if its numbers are places of SMPL's joints and not angles.

    Bones keep their length, those of one side are as long as those of the other, and the trunk is as long as it should.
    """
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] % 3 == 0:
        array = array.reshape(len(array), array.shape[1] // 3, 3)
    if array.ndim != 3 or array.shape[2] != 3 or array.shape[1] not in _PLACED or len(array) < 2:
        return None
    places = torch.from_numpy(np.array(array[:, : SMPL22.joints], dtype=np.float64))
    lengths = {}
    for side in SIDES:
        for part, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
            bone = places[:, SMPL22.index(f"{side}_{end}")] - places[:, SMPL22.index(f"{side}_{part}")]
            length = bone.norm(dim=-1)
            lengths[f"{side}_{end}"] = float(length.median())
            if not float((length - length.median()).abs().median()) < _RIGID * float(length.median()):
                return None
    pairs = [(f"left_{end}", f"right_{end}") for end in ("knee", "ankle", "elbow", "wrist")]
    pairs += [(f"{side}_knee", f"{side}_ankle") for side in SIDES]
    alike = all(min(lengths[a], lengths[b]) > _ALIKE * max(lengths[a], lengths[b]) for a, b in pairs)
    hips = places[:, [SMPL22.index("left_hip"), SMPL22.index("right_hip")]].mean(1)
    trunk = float((places[:, SMPL22.index("neck")] - hips).norm(dim=-1).median())
    leg = lengths["left_knee"] + lengths["left_ankle"]
    return places if alike and _TRUNK[0] * leg < trunk < _TRUNK[1] * leg else None


def _finite(path: Path, name: str, values: np.ndarray) -> Tensor:
    found = torch.from_numpy(np.array(values, dtype=np.float64))
    if not bool(found.isfinite().all()):
        raise FootlightError(f"{path}: {name} holds values that are not finite; interpolate frames that are lost")
    return found


def _fps(path: Path, body: Mapping, given: float | None, usual: float | None) -> float:
    """The frame rate: what the file says, what is given, or what is usual for files of the kind."""
    for name in _FPS:
        said = body.get(name)
        if isinstance(said, int | float | np.generic | np.ndarray) and np.size(said) == 1:
            fps = float(np.asarray(said, dtype=np.float64).reshape(()))
            if fps > 0 and math.isfinite(fps):
                return fps
    if given is not None:
        return given
    if usual is None:
        raise FootlightError(f"{path}: does not say its frame rate; store fps with it, or give fps")
    if not _is_numbers(body.get(_SCALING)):  # AIST++ has always 60
        warn(f"{path}: does not say its frame rate; read at {usual:g} frames per second, as files of its kind have")
    return usual

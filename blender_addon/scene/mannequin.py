"""The bundled dancer's mesh: an artist's mannequin, lofted from a few numbers around the joints.

Coordinates are Blender's (z-up, facing -y, left at +x), metres. Every part belongs to one bone, so the skin is rigid,
and to one of two tones: ``SHELL`` for the limbs and the trunk, ``JOINT`` for the balls between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..shared import proportions, skeleton

JOINTS, to_blender = skeleton.JOINTS, proportions.to_blender

BONES = (
    "pelvis", "thigh.L", "thigh.R", "spine1", "shin.L", "shin.R", "spine2", "foot.L", "foot.R", "spine3", "toe.L",
    "toe.R", "neck", "collar.L", "collar.R", "head", "upper_arm.L", "upper_arm.R", "forearm.L", "forearm.R", "hand.L",
    "hand.R",
)  # fmt: skip
"""The bundled dancer's bones, in the order of our joints."""

SHELL = 0
JOINT = 1
AROUND = 28
ALONG = 14
CAP = 6


@dataclass(frozen=True)
class Mesh:
    """A body of closed shapes.

    vertices: (v, 3).
    faces: lists of vertex indices.
    tones: one a face.
    bones: bone name -> vertex indices.
    """

    vertices: np.ndarray
    faces: list[tuple[int, ...]]
    tones: list[int]
    bones: dict[str, np.ndarray]


@dataclass(frozen=True)
class Part:
    """One closed shape.

    bone: that moves it.
    tone: ``SHELL`` or ``JOINT``.
    vertices: (v, 3).
    faces: lists of vertex indices, which count from 0.
    """

    bone: str
    tone: int
    vertices: np.ndarray
    faces: list[tuple[int, ...]]


def build() -> Mesh:
    """The whole mannequin in its T-pose."""
    vertices, faces, tones, bones = [], [], [], {}
    count = 0
    for part in _parts():
        vertices.append(part.vertices)
        faces += [tuple(count + index for index in face) for face in part.faces]
        tones += [part.tone] * len(part.faces)
        bones.setdefault(part.bone, []).append(np.arange(count, count + len(part.vertices)))
        count += len(part.vertices)
    return Mesh(np.concatenate(vertices), faces, tones, {bone: np.concatenate(v) for bone, v in bones.items()})


def _parts() -> list[Part]:
    joints: dict[str, np.ndarray] = dict(zip(JOINTS, to_blender(skeleton.standing()), strict=True))
    tips = {name: joints[name] + to_blender(np.array(tip)) for name, tip in skeleton.TIPS.items()}
    parts = _trunk(joints)
    for side in ("left", "right"):
        parts += _arm(side, joints, tips) + _leg(side, joints, tips)
    return parts


def _trunk(joints: dict) -> list[Part]:
    hips = (joints["left_hip"] + joints["right_hip"]) / 2
    chest, shoulders, neck, head = joints["spine3"], joints["left_shoulder"], joints["neck"], joints["head"]
    waist = (joints["spine1"] + joints["spine2"]) / 2
    up = np.array([0.0, 0.0, 1.0])
    face = np.array([0.0, -0.012, 0.0])  # the skull sits a little in front of the neck
    return [
        loft("pelvis", hips - 0.035 * up, joints["spine1"] - 0.015 * up,
             [(0.0, 0.085, 0.075), (0.35, 0.146, 0.105), (0.7, 0.146, 0.098), (1.0, 0.118, 0.080)], cap=0.03),
        ball("spine1", waist, (0.112, 0.084, 0.085)),
        loft("spine2", joints["spine2"] - 0.01 * up, chest + 0.02 * up,
             [(0.0, 0.118, 0.086), (1.0, 0.140, 0.100)], cap=0.025),
        loft("spine3", chest - 0.015 * up, (*neck[:2], shoulders[2] + 0.014),
             [(0.0, 0.142, 0.102), (0.35, 0.170, 0.116), (0.7, 0.166, 0.100), (1.0, 0.092, 0.060)], cap=0.03),
        loft("neck", neck - 0.06 * up, head + 0.02 * up,
             [(0.0, 0.060, 0.058), (0.5, 0.050, 0.050), (1.0, 0.050, 0.050)], tone=JOINT, cap=0.01),
        loft("head", head + face - 0.042 * up, head + face + 0.095 * up,
             [(0.0, 0.043, 0.052), (0.5, 0.071, 0.086), (1.0, 0.076, 0.093)], cap=0.065),
    ]  # fmt: skip


def _arm(side: str, joints: dict, tips: dict) -> list[Part]:
    def bone(name: str) -> str:
        return BONES[JOINTS.index(f"{side}_{name}")]

    collar, shoulder, elbow, wrist = (joints[f"{side}_{name}"] for name in ("collar", "shoulder", "elbow", "wrist"))
    tip = tips[f"{side}_wrist"]
    out = (tip - wrist) / np.linalg.norm(tip - wrist)
    front = np.array([0.0, -1.0, 0.0])
    return [
        loft(bone("collar"), collar + 0.2 * (shoulder - collar), shoulder - 0.01 * out,
             [(0.0, 0.045, 0.040), (1.0, 0.058, 0.052)], cap=0.02),
        ball(bone("shoulder"), shoulder, (0.058, 0.058, 0.058)),
        loft(bone("shoulder"), shoulder + 0.030 * out, elbow - 0.022 * out,
             [(0.0, 0.047, 0.047), (0.35, 0.050, 0.049), (1.0, 0.036, 0.036)], cap=0.016),
        ball(bone("elbow"), elbow, (0.037, 0.037, 0.037)),
        loft(bone("elbow"), elbow + 0.022 * out, wrist - 0.018 * out,
             [(0.0, 0.037, 0.037), (0.25, 0.041, 0.039), (1.0, 0.025, 0.027)], cap=0.012),
        ball(bone("wrist"), wrist, (0.026, 0.026, 0.026)),
        loft(bone("wrist"), wrist + 0.018 * out, wrist + 0.145 * out,
             [(0.0, 0.018, 0.026), (0.4, 0.021, 0.042), (0.75, 0.016, 0.038), (1.0, 0.011, 0.026)], cap=0.016),
        loft(bone("wrist"), wrist + 0.040 * out + 0.028 * front, wrist + 0.088 * out + 0.062 * front,
             [(0.0, 0.014, 0.015), (0.6, 0.013, 0.013), (1.0, 0.010, 0.010)], cap=0.010),
    ]  # fmt: skip


def _leg(side: str, joints: dict, tips: dict) -> list[Part]:
    def bone(name: str) -> str:
        return BONES[JOINTS.index(f"{side}_{name}")]

    hip, knee, ankle, toe = (joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "foot"))
    tip = tips[f"{side}_foot"]
    down = np.array([0.0, 0.0, -1.0])
    heel = np.array([ankle[0], ankle[1] + 0.045, 0.034])
    arch = np.array([toe[0], toe[1] + 0.012, 0.028])
    return [
        ball(bone("hip"), hip, (0.080, 0.080, 0.080)),
        loft(bone("hip"), hip + 0.045 * down, knee - 0.030 * down,
             [(0.0, 0.076, 0.080), (0.3, 0.078, 0.084), (0.7, 0.062, 0.066), (1.0, 0.050, 0.053)], cap=0.024),
        ball(bone("knee"), knee, (0.052, 0.052, 0.052)),
        loft(bone("knee"), knee + 0.030 * down, ankle - 0.028 * down,
             [(0.0, 0.047, 0.051), (0.3, 0.054, 0.061), (0.7, 0.039, 0.042), (1.0, 0.031, 0.034)], cap=0.018),
        ball(bone("ankle"), ankle, (0.036, 0.038, 0.036)),
        loft(bone("ankle"), heel, arch,
             [(0.0, 0.033, 0.032), (0.4, 0.036, 0.036), (1.0, 0.044, 0.026)], cap=0.026, floor=0.0),
        loft(bone("foot"), (toe[0], toe[1], arch[2]), (tip[0], tip[1] + 0.02, 0.022),
             [(0.0, 0.044, 0.025), (1.0, 0.036, 0.019)], cap=0.022, floor=0.0),
    ]  # fmt: skip


def loft(
    bone: str,
    start: Sequence[float] | np.ndarray,
    end: Sequence[float] | np.ndarray,
    profile: list[tuple[float, float, float]],
    tone: int = SHELL,
    cap: float = 0.02,
    floor: float | None = None,
) -> Part:
    """A rounded tube from ``start`` to ``end``.

    profile: (place 0-1 along it, half width, half depth), metres, smoothly interpolated; the width runs along x, or
        along z where the tube itself runs along x.
    cap: how far the rounded ends stand out.
    floor: nothing of it lies below this height.
    """
    start, end, rows = np.asarray(start, dtype=float), np.asarray(end, dtype=float), np.array(profile)
    length = np.linalg.norm(end - start)
    axis = (end - start) / length
    guide = np.array((0.0, 0.0, 1.0) if abs(axis[0]) > 0.7 else (1.0, 0.0, 0.0))
    wide = guide - (guide @ axis) * axis
    wide /= np.linalg.norm(wide)
    deep = np.cross(axis, wide)

    place = np.linspace(0.0, 1.0, ALONG)
    radii = np.stack([_smooth(place, rows[:, 0], rows[:, column]) for column in (1, 2)], axis=1)
    turn = np.linspace(0.0, np.pi / 2, CAP, endpoint=False)[1:]
    first, last = radii[:1] * np.sin(turn)[:, None], radii[-1:] * np.cos(turn)[:, None]
    along = np.concatenate((-cap * np.cos(turn), place * length, length + cap * np.sin(turn)))
    rings = _rings(start, axis, wide, deep, along, np.concatenate((first, radii, last)))
    poles = start - cap * axis, end + cap * axis
    vertices, faces = _skin(rings, *poles)
    if floor is not None:
        vertices[:, 2] = np.maximum(vertices[:, 2], floor)
    return Part(bone, tone, vertices, faces)


def ball(bone: str, centre: np.ndarray, radii: tuple[float, float, float]) -> Part:
    """An ellipsoid in the second tone; radii along x, y, z."""
    turn = np.linspace(0.0, np.pi, ALONG + 2)[1:-1]
    x, y, z = np.eye(3)
    across = np.sin(turn)[:, None] * np.array(radii[:2])
    rings = _rings(centre, z, x, y, -radii[2] * np.cos(turn), across)
    return Part(bone, JOINT, *_skin(rings, centre - radii[2] * z, centre + radii[2] * z))


def _smooth(x: np.ndarray, places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Cubic Hermite through the profile with finite-difference slopes: no corners between its rows."""
    slopes = np.gradient(values, places)
    row = np.clip(np.searchsorted(places, x, side="right") - 1, 0, len(places) - 2)
    step = places[row + 1] - places[row]
    u = (x - places[row]) / step
    return (
        (2 * u**3 - 3 * u**2 + 1) * values[row]
        + (u**3 - 2 * u**2 + u) * step * slopes[row]
        + (3 * u**2 - 2 * u**3) * values[row + 1]
        + (u**3 - u**2) * step * slopes[row + 1]
    )


def _rings(
    origin: np.ndarray,
    axis: np.ndarray,
    wide: np.ndarray,
    deep: np.ndarray,
    along: np.ndarray,
    radii: np.ndarray,
) -> np.ndarray:
    """(rings, AROUND, 3): ellipses across ``axis`` with half axes ``radii`` (rings, 2) at the distances ``along``."""
    angle = np.linspace(0.0, 2 * np.pi, AROUND, endpoint=False)
    ellipse = np.cos(angle)[:, None] * wide, np.sin(angle)[:, None] * deep
    centres = origin + along[:, None] * axis
    return centres[:, None] + radii[:, :1, None] * ellipse[0] + radii[:, 1:, None] * ellipse[1]


def _skin(rings: np.ndarray, bottom: np.ndarray, top: np.ndarray) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Vertices and outward faces of a closed surface through ``rings`` from one pole to the other."""
    count, around = rings.shape[:2]
    vertices = np.concatenate((rings.reshape(-1, 3), [bottom, top]))
    low, high = len(vertices) - 2, len(vertices) - 1
    faces: list[tuple[int, ...]] = []
    for i in range(around):
        j = (i + 1) % around
        faces.append((low, j, i))
        faces += [(k + i, k + j, k + around + j, k + around + i) for k in range(0, (count - 1) * around, around)]
        faces.append((high, (count - 1) * around + i, (count - 1) * around + j))
    return vertices, faces

"""The Unitree G1 robot: its kinematic tree from MuJoCo XML, and the poses of a motion file."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError
from core.motion import rotation

FPS = 60.0
HINGES = 29

# Where a person's joints would be, in the frame of one of the robot's bodies. The elbow's axis lies in front of the
# arm. The robot has no toes: its sole reaches 13 cm ahead of the ankle, 3.5 cm below it.
POINTS = {
    "left_elbow": ("left_shoulder_yaw_link", (0.0, 0.0, -0.080518)),
    "right_elbow": ("right_shoulder_yaw_link", (0.0, 0.0, -0.080518)),
    "left_foot": ("left_ankle_roll_link", (0.1, 0.0, -0.02)),
    "right_foot": ("right_ankle_roll_link", (0.1, 0.0, -0.02)),
}
LEAN = 0.1
"""Forward bend added to the waist, in radians. In this set the robot's trunk leans back by 3 degrees where people in
the same dances stand upright."""
T_POSE = {
    "left_shoulder_roll_joint": math.pi / 2,
    "right_shoulder_roll_joint": -math.pi / 2,
    "left_elbow_joint": math.pi / 2,
    "right_elbow_joint": math.pi / 2,
}
"""Hinge angles (radians) that spread the arms; all others are zero."""


@dataclass(frozen=True)
class Robot:
    """The robot's bodies in the XML's order, parents before children, followed by ``POINTS``.

    names: (k,).
    parents: (k,) indices, -1 for the base.
    places: (k, 3) metres in the parent's frame.
    turns: (k, 4) wxyz in the parent's frame.
    hinges: (k,) index of the body's hinge, or -1.
    axes: (k, 3) of the hinges, in the body's own frame.
    hinge_names: (29,).
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    places: Tensor
    turns: Tensor
    hinges: tuple[int, ...]
    axes: Tensor
    hinge_names: tuple[str, ...]


def read_robot(path: str | Path) -> Robot:
    """The tree of a MuJoCo XML file with one free base and 29 hinges. Raises FootlightError for other files."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise FootlightError(f"{path}: cannot be read ({error}); expected the robot's MuJoCo XML") from None
    axes = _class_axes(root)
    names, parents, places, turns, hinges, hinge_axes, hinge_names = [], [], [], [], [], [], []

    def visit(body: ElementTree.Element, parent: int) -> None:
        own = len(names)
        names.append(body.get("name", ""))
        parents.append(parent)
        places.append(_numbers(body.get("pos", "0 0 0")) if parent >= 0 else [0.0, 0.0, 0.0])
        turns.append(_numbers(body.get("quat", "1 0 0 0")) if parent >= 0 else [1.0, 0.0, 0.0, 0.0])
        joint = body.find("joint")
        hinges.append(-1 if joint is None else len(hinge_names))
        hinge_axes.append([0.0, 0.0, 1.0] if joint is None else _numbers(joint.get("axis") or axes[joint.get("class")]))
        if joint is not None:
            hinge_names.append(joint.get("name", ""))
        for child in body.findall("body"):
            visit(child, own)

    for body in root.findall("worldbody/body"):
        visit(body, -1)
    if len(hinge_names) != HINGES:
        raise FootlightError(f"{path}: {len(hinge_names)} hinges; expected the Unitree G1 with {HINGES}")
    for name, (body, place) in POINTS.items():
        names.append(name)
        parents.append(names.index(body))
        places.append(list(place))
        turns.append([1.0, 0.0, 0.0, 0.0])
        hinges.append(-1)
        hinge_axes.append([0.0, 0.0, 1.0])
    return Robot(
        tuple(names),
        tuple(parents),
        torch.tensor(places, dtype=torch.float64),
        rotation.normalise(torch.tensor(turns, dtype=torch.float64)),
        tuple(hinges),
        torch.tensor(hinge_axes, dtype=torch.float64),
        tuple(hinge_names),
    )


def read_motion(path: str | Path) -> tuple[Tensor, Tensor, Tensor]:
    """Base positions, base rotations and hinge angles of a CSV file, z up.

    The columns are x y z, a quaternion x y z w, and 29 angles.

    Returns (t, 3) metres, (t, 4) wxyz and (t, 29) radians.

    Raises FootlightError for other files.
    """
    try:
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise FootlightError(f"{path}: cannot be read ({error}); expected comma-separated robot poses") from None
    if table.shape[1] != 7 + HINGES:
        raise FootlightError(f"{path}: {table.shape[1]} columns; expected {7 + HINGES}: place, quaternion, angles")
    values = torch.from_numpy(table)
    return values[:, :3], rotation.normalise(values[:, (6, 3, 4, 5)]), values[:, 7:]


def forward(robot: Robot, base: Tensor, base_turns: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    """World rotations (t, k, 4) and positions (t, k, 3) of all bodies, z up.

    base: (t, 3).
    base_turns: (t, 4).
    angles: (t, 29).
    """
    turns: list[Tensor] = []
    places: list[Tensor] = []
    for body, parent in enumerate(robot.parents):
        if parent < 0:
            turn, place = base_turns, base
        else:
            turn = rotation.mul(turns[parent], robot.turns[body])
            place = places[parent] + rotation.rotate(turns[parent], robot.places[body])
        if robot.hinges[body] >= 0:
            spin = angles[:, robot.hinges[body], None] * robot.axes[body]
            turn = rotation.mul(turn, rotation.from_axis_angle(spin))
        turns.append(turn)
        places.append(place)
    return torch.stack(turns, 1), torch.stack(places, 1)


def upright(robot: Robot, angles: Tensor) -> Tensor:
    """Hinge angles (t, 29) with the waist bent by ``LEAN``."""
    waist = [LEAN if name == "waist_pitch_joint" else 0.0 for name in robot.hinge_names]
    return angles + angles.new_tensor(waist)


def t_pose(robot: Robot) -> tuple[Tensor, Tensor]:
    """World rotations (k, 4) and positions (k, 3) with the arms spread, facing +x, z up."""
    angles = torch.tensor([[T_POSE.get(name, 0.0) for name in robot.hinge_names]], dtype=torch.float64)
    turns, places = forward(robot, torch.zeros(1, 3).double(), rotation.identity(1).double(), angles)
    return turns[0], places[0]


def joints(robot: Robot) -> tuple[dict[str, int], dict[str, int], tuple[int, ...]]:
    """Which of the robot's bodies stand for the joints of SMPL22.

    Returns three values. The first says by joint name which body's origin is the joint's place. The second says which
    body turns with the bone below the joint. The third is the spine, pelvis first.
    """
    places, turns = {"pelvis": "pelvis", "spine3": "torso_link"}, {"pelvis": "pelvis", "spine3": "torso_link"}
    for side in ("left", "right"):
        places |= {
            f"{side}_hip": f"{side}_hip_roll_link",
            f"{side}_knee": f"{side}_knee_link",
            f"{side}_ankle": f"{side}_ankle_roll_link",
            f"{side}_foot": f"{side}_foot",
            f"{side}_shoulder": f"{side}_shoulder_roll_link",
            f"{side}_elbow": f"{side}_elbow",
            f"{side}_wrist": f"{side}_wrist_yaw_link",
        }
        turns |= {
            f"{side}_hip": f"{side}_hip_yaw_link",
            f"{side}_knee": f"{side}_knee_link",
            f"{side}_ankle": f"{side}_ankle_roll_link",
            f"{side}_shoulder": f"{side}_shoulder_yaw_link",
            f"{side}_elbow": f"{side}_elbow_link",
            f"{side}_wrist": f"{side}_wrist_yaw_link",
        }
    at = robot.names.index
    spine = ("pelvis", "waist_yaw_link", "torso_link")
    return {j: at(b) for j, b in places.items()}, {j: at(b) for j, b in turns.items()}, tuple(at(b) for b in spine)


def _class_axes(root: ElementTree.Element) -> dict[str | None, str]:
    """The hinge axis of every default class. A class without one has its parent's."""
    axes: dict[str | None, str] = {}

    def visit(node: ElementTree.Element, axis: str) -> None:
        joint = node.find("joint")
        axis = axis if joint is None else joint.get("axis", axis)
        axes[node.get("class")] = axis
        for child in node.findall("default"):
            visit(child, axis)

    for node in root.findall("default"):
        visit(node, "0 0 1")
    return axes


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]

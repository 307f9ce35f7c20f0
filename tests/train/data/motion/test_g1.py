"""The robot's forward kinematics against matrices multiplied with scipy; its XML is written here."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from core.errors import FootlightError
from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from train.data.motion import g1, sources


def _tree() -> list[tuple[str, str | None, tuple, tuple | None, str | None]]:
    """(body, parent, place, tilt wxyz or None, axis class or None): a small robot of the G1's build."""
    rows = [("pelvis", None, (0, 0, 0.8), None, None)]
    for side, y in (("left", 1), ("right", -1)):
        chain = [
            ("hip_pitch", (0, 0.06 * y, -0.1), None, "pitch"),
            ("hip_roll", (0, 0.05 * y, -0.03), (0.996, 0, -0.087, 0), "roll"),
            ("hip_yaw", (0.025, 0, -0.124), None, "yaw"),
            ("knee", (-0.078, 0.002 * y, -0.177), (0.996, 0, 0.087, 0), "pitch"),
            ("ankle_pitch", (0, 0, -0.3), None, "pitch"),
            ("ankle_roll", (0, 0, -0.018), None, "roll"),
        ]
        rows += _chain("pelvis", side, chain)
    rows += [
        ("waist_yaw_link", "pelvis", (0, 0, 0), None, "yaw"),
        ("waist_roll_link", "waist_yaw_link", (-0.004, 0, 0.044), None, "roll"),
        ("torso_link", "waist_roll_link", (0, 0, 0), None, "waist_pitch"),
    ]
    for side, y in (("left", 1), ("right", -1)):
        chain = [
            ("shoulder_pitch", (0.004, 0.1 * y, 0.248), (0.99, 0.139 * y, 0, 0), "pitch"),
            ("shoulder_roll", (0, 0.038 * y, -0.0138), (0.99, -0.139 * y, 0, 0), "roll"),
            ("shoulder_yaw", (0, 0.006 * y, -0.103), None, "yaw"),
            ("elbow", (0.0158, 0, -0.0805), None, "pitch"),
            ("wrist_roll", (0.1, 0.002 * y, -0.01), None, "roll"),
            ("wrist_pitch", (0.038, 0, 0), None, "pitch"),
            ("wrist_yaw", (0.046, 0, 0), None, "yaw"),
        ]
        rows += _chain("torso_link", side, chain)
    return rows


def _chain(parent: str, side: str, links) -> list:
    rows = []
    for name, place, tilt, axis in links:
        rows.append((f"{side}_{name}_link", parent, place, tilt, axis))
        parent = f"{side}_{name}_link"
    return rows


AXES = {"pitch": (0, 1, 0), "roll": (1, 0, 0), "yaw": (0, 0, 1), "waist_pitch": (0, 1, 0)}


def _xml() -> str:
    rows = _tree()

    def body(name: str) -> str:
        _, _, place, tilt, axis = next(row for row in rows if row[0] == name)
        quat = "" if tilt is None else f' quat="{" ".join(map(str, tilt))}"'
        joint = "<freejoint/>" if axis is None else f'<joint name="{name.replace("_link", "_joint")}" class="{axis}"/>'
        inner = "".join(body(row[0]) for row in rows if row[1] == name)
        return f'<body name="{name}" pos="{" ".join(map(str, place))}"{quat}>{joint}{inner}</body>'

    # the yaw class states no axis of its own: its parent's holds
    classes = "".join(
        f'<default class="{name}"><joint axis="{" ".join(map(str, axis))}"/></default>'
        for name, axis in AXES.items()
        if name != "yaw"
    )
    classes += '<default class="yaw"><joint range="-1 1"/></default>'
    return (
        f'<mujoco><default><default class="g1"><joint axis="0 0 1"/>{classes}</default></default>'
        f"<worldbody>{body('pelvis')}</worldbody></mujoco>"
    )


@pytest.fixture
def robot_file(tmp_path):
    path = tmp_path / "g1.xml"
    path.write_text(_xml())
    return path


def test_forward_kinematics(robot_file):
    robot = g1.read_robot(robot_file)
    draw = np.random.default_rng(0)
    angles, base = draw.uniform(-1.5, 1.5, (3, g1.HINGES)), draw.normal(size=(3, 3))
    turn = Rotation.random(3, random_state=1)
    quaternions = torch.from_numpy(turn.as_quat()[:, [3, 0, 1, 2]])
    turns, places = g1.forward(robot, torch.from_numpy(base), quaternions, torch.from_numpy(angles))
    rows = _tree()
    hinge = {row[0]: number for number, row in enumerate(row for row in rows if row[4])}
    for frame in range(3):
        known = {}
        for name, parent, place, tilt, axis in rows:
            if parent is None:
                matrix = np.eye(4)
                matrix[:3, :3], matrix[:3, 3] = turn[frame].as_matrix(), base[frame]
            else:
                step = np.eye(4)
                w, x, y, z = tilt or (1, 0, 0, 0)
                spin = Rotation.from_rotvec(np.array(AXES[axis]) * angles[frame, hinge[name]])
                step[:3, :3], step[:3, 3] = (Rotation.from_quat((x, y, z, w)) * spin).as_matrix(), place
                matrix = known[parent] @ step
            known[name] = matrix
        for name, matrix in known.items():
            body = robot.names.index(name)
            np.testing.assert_allclose(places[frame, body], matrix[:3, 3], atol=1e-9)
            np.testing.assert_allclose(rotation.to_matrix(turns[frame, body]), matrix[:3, :3], atol=1e-9)


def test_the_t_pose_spreads_straight_arms(robot_file):
    robot = g1.read_robot(robot_file)
    _, places = g1.t_pose(robot)
    shoulder, elbow, wrist = (
        places[robot.names.index(name)] for name in ("left_shoulder_roll_link", "left_elbow", "left_wrist_yaw_link")
    )
    for bone in (elbow - shoulder, wrist - elbow):
        assert bone[1] / bone.norm() > 0.99


def test_a_standing_robot_with_a_raised_arm_is_a_standing_person(robot_file):
    """Facing +x with z up, left arm raised aside, right knee lifted: y up, facing +z, metres of a person."""
    robot = g1.read_robot(robot_file)
    frames = 120
    angles = np.zeros((frames, g1.HINGES))
    for name, value in (
        ("left_shoulder_roll_joint", 1.5),
        ("left_elbow_joint", 1.5),
        ("right_hip_pitch_joint", -1.2),
        ("right_knee_joint", 1.4),
    ):
        angles[:, robot.hinge_names.index(name)] = value
    table = np.concatenate((np.tile([1.0, 2.0, 0.79, 0, 0, 0, 1.0], (frames, 1)), angles), 1)
    path = robot_file.with_name("clip.csv")
    np.savetxt(path, table, delimiter=",")
    motion = sources.load(path).motion
    places = dict(zip(SMPL22.names, kinematics.forward(motion.rotations, motion.root)[30], strict=True))
    # x of the robot is ahead: with y up that stays x, so a person's left is -z
    ahead, left = torch.tensor((1.0, 0.0, 0.0)), torch.tensor((0.0, 0.0, -1.0))
    assert abs(places["left_foot"][1] - 0.02) < 0.01 and 1.3 < places["head"][1] < 1.6
    assert (places["left_foot"] - places["left_ankle"]) @ ahead > 0.12
    assert (places["left_wrist"] - places["left_shoulder"]) @ left > 0.5
    assert (places["right_knee"] - places["right_hip"]) @ ahead > 0.3
    assert places["right_knee"][1] > places["left_knee"][1] + 0.15
    assert (places["left_hip"] - places["right_hip"]) @ left > 0.15


def test_wrong_files_are_refused(robot_file, tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("1,2,3\n4,5,6\n")
    with pytest.raises(FootlightError, match="3 columns"):
        sources.load(path)
    robot_file.write_text("<mujoco><worldbody><body name='a'/></worldbody></mujoco>")
    with pytest.raises(FootlightError, match="0 hinges"):
        g1.read_robot(robot_file)
    with pytest.raises(FootlightError, match="cannot be read"):
        g1.read_robot(tmp_path / "missing.xml")

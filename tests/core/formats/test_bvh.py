import math
import random
import re

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from core.errors import FootlightError, collected_warnings
from core.formats import bvh
from core.motion import kinematics, rotation
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion
from tests.core.motion.rigs import dance

FOREIGN = """HIERARCHY
ROOT Hips
{
  OFFSET 1.0 2.0 3.0
  CHANNELS 6 Zposition Yposition Xposition Yrotation Xrotation Zrotation
  JOINT spine low
  {
    OFFSET 0 10 0
    CHANNELS 3 Xrotation Zrotation Yrotation
    JOINT Arm {
      OFFSET 5 4 0
      CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
      JOINT Hand
      {
        OFFSET 7 0 0
        CHANNELS 1 Yrotation
        End Site
        {
          OFFSET 2 0 0
        }
      }
    }
    JOINT Fixed
    {
      OFFSET -5 4 0
      CHANNELS 0
      End Site { OFFSET 0 -3 0 }
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.0333333
1 2 3   10 20 30   40 50 60   5 4 0   70 -80 90   15
-4 5 6   100 -170 300   -40 95 0.5   6 5 1   0 0 0   -15
0 0 0   0 0 0   0 0 0   5 4 0   0 90 0   400
"""


STIFF = "HIERARCHY ROOT a { OFFSET 0 0 0 } MOTION\nFrames: 1\nFrame Time: 1"


def write_text(folder, text: str, name: str = "some.bvh"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def by_scipy(values: list[float]) -> np.ndarray:
    """The joints' world positions of FOREIGN from one line of its channel values."""
    z, y, x = values[:3]
    hips = Rotation.from_euler("YXZ", values[3:6], degrees=True)
    spine = hips * Rotation.from_euler("XZY", values[6:9], degrees=True)
    arm = spine * Rotation.from_euler("ZYX", values[12:15], degrees=True)
    at_hips = np.array([x, y, z])
    at_spine = at_hips + hips.apply([0, 10, 0])
    at_arm = at_spine + spine.apply(values[9:12])
    return np.stack([at_hips, at_spine, at_arm, at_arm + arm.apply([7, 0, 0]), at_spine + spine.apply([-5, 4, 0])])


def test_a_foreign_file_with_every_oddity_is_read(tmp_path):
    text = "\ufeff" + FOREIGN.replace("\n", "\r\n").replace("Frames:", "FRAMES :")
    skeleton, motion = bvh.read(write_text(tmp_path, text))
    assert skeleton.names == ("Hips", "spine low", "Arm", "Hand", "Fixed")
    assert skeleton.parents == (-1, 0, 1, 2, 1)
    assert {name: tip.tolist() for name, tip in skeleton.tips.items()} == {"Hand": [2, 0, 0], "Fixed": [0, -3, 0]}
    assert motion.frames == 3 and motion.fps == 30.0
    places = kinematics.forward(motion.rotations, motion.root, skeleton, motion.offsets)
    rows = [[float(word) for word in line.split()] for line in FOREIGN.splitlines()[-3:]]
    np.testing.assert_allclose(places, np.stack([by_scipy(row) for row in rows]), atol=1e-4)


def test_repeated_names_are_numbered_and_a_missing_position_is_the_offset(tmp_path):
    text = FOREIGN.replace("JOINT Fixed", "JOINT Arm").replace("CHANNELS 6 Zposition Yposition Xposition", "CHANNELS 3")
    lines = text.splitlines()
    lines[-3:] = [" ".join(line.split()[3:]) for line in lines[-3:]]
    skeleton, motion = bvh.read(write_text(tmp_path, "\n".join(lines)))
    assert skeleton.names[2:] == ("Arm", "Hand", "Arm_2")
    np.testing.assert_allclose(motion.root, [[1, 2, 3]] * 3)


def test_position_channels_that_never_change_become_the_skeleton(tmp_path):
    text = FOREIGN.replace("   6 5 1   0 0 0   -15", "   5 4 0   0 0 0   -15").replace("OFFSET 5 4 0", "OFFSET 1 1 1")
    skeleton, motion = bvh.read(write_text(tmp_path, text))
    assert motion.offsets is None and skeleton.offsets[2].tolist() == [5, 4, 0]
    _, moving = bvh.read(write_text(tmp_path, FOREIGN))
    assert moving.cut(1, 3).offsets.shape == (2, 5, 3)


@pytest.mark.parametrize("centimetres", (True, False))
@pytest.mark.parametrize("fps", (24.0, 30000 / 1001, 31.25, 60.0))
def test_what_is_written_is_read_again(tmp_path, swaying, fps, centimetres):
    motion = swaying(90, fps)
    path = tmp_path / "dance.bvh"
    bvh.write(path, motion, fps, centimetres)
    back = bvh.read_motion(path)
    assert back.fps == pytest.approx(fps, rel=1e-12) and back.frames == 90
    assert rotation.angle(back.rotations.double(), motion.rotations.double()).max() < 1e-6
    torch.testing.assert_close(back.root, motion.root, atol=2e-6, rtol=0)
    assert [entry.name for entry in tmp_path.iterdir()] == ["dance.bvh"]


def test_zero_rotations_are_the_t_pose_in_the_asked_unit_and_rate(tmp_path):
    frames = 50
    rest = Motion(rotation.identity(frames, 22), torch.tensor([[0.0, REST_HEIGHT, 0.0]] * frames), 31.25)
    bvh.write(tmp_path / "rest.bvh", rest)
    text = (tmp_path / "rest.bvh").read_text()
    skeleton, motion = bvh.read(tmp_path / "rest.bvh")
    assert motion.fps == 30.0 and motion.frames == 48
    assert set(text.splitlines()[-1].split()[3:]) == {"0.000000"}
    order = [SMPL22.index(name) for name in skeleton.names]
    np.testing.assert_allclose(skeleton.offsets, 100 * SMPL22.offsets[order], atol=1e-5)
    assert {name: tip.tolist() for name, tip in skeleton.tips.items()}["left_foot"] == [0, 0, 7]


def test_written_angles_have_no_jumps(tmp_path):
    time = torch.linspace(0, 4, 240)
    rotations = rotation.identity(240, 22)
    rotations[:, 0] = rotation.about("y", 2 * math.pi * time)  # four turns
    rotations[:, 1] = rotation.about("x", -2.5 * torch.sin(time))  # a kick over the head, past the pole of ZXY
    bvh.write(tmp_path / "turns.bvh", Motion(rotations, torch.zeros(240, 3), 60.0), 60.0)
    table = np.loadtxt((tmp_path / "turns.bvh").read_text().splitlines()[-240:])
    assert np.abs(np.diff(table[:, 3:], axis=0)).max() < 7
    assert np.ptp(table[:, 5]) == pytest.approx(1440, abs=0.01)


MALFORMED = {
    "empty": (lambda t: "", "end of file", "no text"),
    "another file": (lambda t: "RIFF....WAVE\n" + t, "line 1", "HIERARCHY"),
    "cut in the tree": (lambda t: t[: t.index("JOINT Fixed")], "end of file", "ends before MOTION"),
    "no motion": (lambda t: t[: t.index("MOTION")], "end of file", "MOTION"),
    "no frames": (lambda t: t[: t.index("Frames")], "end of file", "Frames"),
    "brace missing": (lambda t: t.replace("}\nMOTION", "MOTION"), "line 30", "closed"),
    "brace too many": (lambda t: t.replace("}\nMOTION", "}\n}\nMOTION"), "line 31", "closes nothing"),
    "no brace": (lambda t: t.replace("ROOT Hips\n{", "ROOT Hips"), "line 3", "'{'"),
    "no name": (lambda t: t.replace("JOINT Fixed", "JOINT"), "line 23", "name"),
    "no offset": (lambda t: t.replace("      OFFSET -5 4 0\n", ""), "line 27", "no OFFSET"),
    "offset of two": (lambda t: t.replace("OFFSET -5 4 0", "OFFSET -5 4"), "line 25", "three"),
    "offset nan": (lambda t: t.replace("OFFSET -5 4 0", "OFFSET -5 nan 0"), "line 25", "finite"),
    "offset word": (lambda t: t.replace("OFFSET -5 4 0", "OFFSET -5 up 0"), "line 25", "three numbers"),
    "channel unknown": (lambda t: t.replace("1 Yrotation", "1 Wrotation"), "line 16", "Wrotation"),
    "channel count": (lambda t: t.replace("1 Yrotation", "2 Yrotation"), "line 16", "announced"),
    "channel twice": (lambda t: t.replace("1 Yrotation", "2 Yrotation Yrotation"), "line 16", "twice"),
    "keyword": (lambda t: t.replace("JOINT Fixed", "BONE Fixed"), "line 23", "BONE"),
    "second root": (lambda t: t.replace("MOTION", "ROOT Other { OFFSET 0 0 0 }\nMOTION"), "line 31", "second ROOT"),
    "frames word": (lambda t: t.replace("Frames: 3", "Frames: three"), "line 32", "three"),
    "value missing": (lambda t: t.replace("-40 95 0.5", "-40 95"), "line 35", "16 channel values expected, 15"),
    "column missing": (lambda t: re.sub(r" +(15|-15|400)\n", "\n", t), "line 34", "16 channel values expected, 15"),
    "value word": (lambda t: t.replace("-40 95 0.5", "-40 95 x"), "line 35", "'x'"),
    "value nan": (lambda t: t.replace("-40 95 0.5", "-40 95 nan"), "line 35", "'nan'"),
    "value inf": (lambda t: t.replace("-40 95 0.5", "-40 95 1e999"), "line 35", "'1e999'"),
    "value huge": (lambda t: t.replace("-40 95 0.5", "-40 95 1e38"), "line 35", "'1e38'"),
    "value odd": (lambda t: t.replace("-40 95 0.5", "-40 95 1_0"), "line 34", "cannot be read"),
    "no rows": (lambda t: t[: t.index("1 2 3 ")], "end of file", "3 frames announced, none"),
    "cut in the first row": (lambda t: t[: t.index("15\n-4")], "end of file", "3 frames announced, none"),
    "row too long": (lambda t: t.rstrip() + " 5\n", "line 36", "16 channel values expected, 17"),
    "last value nan": (lambda t: t.replace("90 0   400", "90 0   nan"), "line 36", "'nan'"),
    "no channels": (lambda _: STIFF, "line 3", "CHANNELS"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_file_is_refused_with_its_line(tmp_path, kind):
    spoil, where, what = MALFORMED[kind]
    path = write_text(tmp_path, spoil(FOREIGN))
    with pytest.raises(FootlightError) as caught:
        bvh.read(path)
    message = str(caught.value)
    assert str(path) in message and f"{where}:" in message and what in message


def test_damaged_files_are_read_or_refused_but_never_crash(tmp_path):
    dice = random.Random(0)
    data = FOREIGN.encode()
    path = tmp_path / "damaged.bvh"
    refused = 0
    for _ in range(300):
        spoiled = bytearray(data[: dice.choice((len(data), dice.randrange(len(data))))])
        for _ in range(dice.randrange(1, 4)):
            if spoiled:
                spoiled[dice.randrange(len(spoiled))] = dice.choice(b"{}\n 9-.eX\x00\xff")
        path.write_bytes(bytes(spoiled))
        try:
            _, motion = bvh.read(path)
            assert torch.isfinite(motion.rotations).all() and torch.isfinite(motion.root).all()
        except FootlightError:
            refused += 1
    assert refused > 150


def test_refusals_name_the_file_and_leave_nothing_behind(tmp_path, swaying):
    with pytest.raises(FootlightError, match="no such file"):
        bvh.read(tmp_path / "absent.bvh")
    with pytest.raises(FootlightError, match="cannot be read"):
        bvh.read(tmp_path)
    with pytest.raises(FootlightError, match="Hips"):
        bvh.read_motion(write_text(tmp_path, FOREIGN))
    with pytest.raises(FootlightError, match="cannot be written"):
        bvh.write(tmp_path / "absent" / "dance.bvh", swaying(5))
    broken = swaying(5)
    broken.root[2] = math.nan
    with pytest.raises(FootlightError, match="not finite"):
        bvh.write(tmp_path / "dance.bvh", broken)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["some.bvh"]


@pytest.fixture(scope="module")
def blender_reads():
    """Joint positions (t, j, 3) and names as Blender's own importer sees a BVH file, turned back to its y-up axes."""
    bpy = pytest.importorskip("bpy")
    import addon_utils

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    addon_utils.enable("io_anim_bvh")

    def load(path):
        bpy.ops.import_anim.bvh(filepath=str(path), axis_forward="-Z", axis_up="Y", frame_start=1, use_fps_scale=False)
        rig = bpy.context.object
        frames = []
        for frame in range(1, 1 + int(rig.animation_data.action.frame_range[1])):
            bpy.context.scene.frame_set(frame)
            frames.append([rig.matrix_world @ bone.head for bone in rig.pose.bones])
        places = np.array(frames)
        return [bone.name for bone in rig.pose.bones], np.stack((places[..., 0], places[..., 2], -places[..., 1]), -1)

    yield load
    addon_utils.disable("io_anim_bvh")


@pytest.mark.blender
def test_blender_reads_the_same_positions(tmp_path, swaying, blender_reads):
    path = tmp_path / "dance.bvh"
    motion = swaying(20, 30.0)
    bvh.write(path, motion, 30.0, centimetres=False)
    names, places = blender_reads(path)
    order = [SMPL22.index(name) for name in names]
    np.testing.assert_allclose(places, kinematics.forward(motion.rotations, motion.root)[:, order], atol=1e-4)

    # Blender wants braces on lines of their own, and three rotations or none
    text = FOREIGN.replace("Arm {", "Arm\n{").replace("{ OFFSET 0 -3 0 }", "\n{\nOFFSET 0 -3 0\n}")
    text = re.sub(r"(15|-15|400)\n", r"\1 20 -30\n", text.replace("1 Yrotation", "3 Yrotation Xrotation Zrotation"))
    path = write_text(tmp_path, text, "foreign.bvh")
    names, places = blender_reads(path)
    skeleton, motion = bvh.read(path)
    ours = kinematics.forward(motion.rotations, motion.root, skeleton, motion.offsets)
    order = [skeleton.names.index(name.replace("_", " ")) for name in names]
    np.testing.assert_allclose(places, ours[:, order], atol=1e-3)


@pytest.mark.parametrize(("unit", "warned"), [(1.0, True), (180 / math.pi, False)], ids=["radians", "degrees"])
def test_angles_in_radians_are_said(unit, warned, tmp_path):
    motion = dance(2.0, 30.0)
    bvh.write(tmp_path / "a.bvh", motion)
    head, rows = (tmp_path / "a.bvh").read_text().split("Frame Time:")
    first, *rows = rows.splitlines()
    numbers = np.loadtxt(rows)
    numbers[:, 3:] *= unit * math.pi / 180
    lines = [" ".join(f"{value:.6f}" for value in row) for row in numbers]
    (tmp_path / "a.bvh").write_text(f"{head}Frame Time:{first}\n" + "\n".join(lines) + "\n")
    with collected_warnings() as said:
        bvh.read(tmp_path / "a.bvh")
    assert any("if its angles are radians" in line for line in said) == warned

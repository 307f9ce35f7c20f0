"""Motion as data sets publish it, made from a dance whose joints scipy's rotations put into place."""

from __future__ import annotations

import contextlib
import json
import pickle

import joblib
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from core.cli import main
from core.errors import FootlightError, collected_warnings
from core.formats.motion import read_motion
from core.motion import kinematics
from core.motion.skeleton import SMPL22
from tests.core.motion.rigs import dance
from train.data.motion import sources
from train.data.rates import MOTION_FPS

SECONDS = 3.0
Z_UP, CAMERA = Rotation.from_euler("x", 90, degrees=True), Rotation.from_euler("x", 180, degrees=True)
BONES = (("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"), ("shoulder", "elbow"), ("elbow", "wrist"))
LIMBS = [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in BONES]
TRUNK = [("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"), ("pelvis", "spine3")]
PELVIS = np.array((0.0, -0.22, 0.03))  # of SMPL's rest pose, about which the root turns


def body(seed: int = 0) -> np.ndarray:
    """Offsets (22, 3) of somebody of SMPL's family: bones are up to 6 % longer or shorter, and lean a little."""
    left = {"left_hip": (60, -86, -16), "left_knee": (43, -386, 5), "left_ankle": (-16, -424, -36)}
    left |= {"left_foot": (38, -61, 126), "left_collar": (77, 113, -21), "left_shoulder": (118, 46, -14)}
    left |= {"left_elbow": (258, -15, -27), "left_wrist": (267, 10, -7), "spine1": (2, 124, -38)}
    left |= {"spine2": (4, 138, 27), "spine3": (-2, 56, 3), "neck": (-5, 212, -33), "head": (8, 89, 50)}
    draw, made = np.random.default_rng(seed), np.zeros((22, 3))
    for k, name in enumerate(SMPL22.names[1:], 1):
        right = name.startswith("right_")
        offset = np.array(left["left_" + name[6:] if right else name]) / 1000
        made[k] = offset * (-1 if right else 1, 1, 1) * draw.uniform(0.94, 1.06) + draw.normal(0, 0.003, 3)
    return made


def placed(poses: np.ndarray, trans: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """World positions (t, 22, 3) of axis-angles (t, 22, 3) and a path (t, 3): forward kinematics by scipy."""
    turns, places = [], []
    for k, parent in enumerate(SMPL22.parents):
        local = Rotation.from_rotvec(poses[:, k])
        if parent < 0:
            turns.append(local)
            places.append(trans + PELVIS)
        else:
            turns.append(turns[parent] * local)
            places.append(places[parent] + turns[parent].apply(offsets[k]))
    return np.stack(places, 1)


def take(fps: float, up: Rotation | None = None, seconds: float = SECONDS) -> tuple[np.ndarray, np.ndarray]:
    """Axis-angles (t, 22, 3) and path (t, 3) of a dance. up: the turn of its world from y up."""
    motion = dance(seconds, fps)
    quaternions = motion.rotations.numpy()[..., [1, 2, 3, 0]]
    poses = Rotation.from_quat(quaternions.reshape(-1, 4)).as_rotvec().reshape(-1, 22, 3)
    trans = motion.root.double().numpy()
    if up is not None:
        poses[:, 0] = (up * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
        trans = up.apply(trans)
    return poses, trans


def with_more(poses: np.ndarray, joints: int) -> np.ndarray:
    """Axis-angles (t, 3 joints) with fingers and face that are left out."""
    more = np.full((len(poses), joints - 22, 3), 0.4)
    return np.concatenate((poses, more), 1).reshape(len(poses), -1)


def dumped(path, value):
    path.write_bytes(pickle.dumps(value))
    return path


def saved(path, **values):
    np.savez(path, **values)
    return path


def with_hands(places: np.ndarray) -> np.ndarray:
    return np.concatenate((places, places[:, 20:22] + 0.05), 1)


def matrices(poses: np.ndarray) -> np.ndarray:
    return Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(len(poses), -1, 3, 3)


def amass(folder, poses, trans):
    return saved(folder / "take_poses.npz", poses=with_more(poses, 52), trans=trans, gender=np.array("female"),
                 mocap_framerate=np.array(120.0), betas=np.full(16, 0.5), dmpls=np.zeros((len(poses), 8)))  # fmt: skip


def stageii(folder, poses, trans):
    return saved(folder / "take_stageii.npz", root_orient=poses[:, 0], pose_body=poses[:, 1:].reshape(len(poses), 63),
                 trans=trans, mocap_frame_rate=np.array(120.0), surface_model_type="smplx", gender="neutral",
                 markers_latent=np.array([{"x": 1}], dtype=object))  # fmt: skip


def smplx(folder, poses, trans):
    return saved(folder / "a.npz", poses=with_more(poses, 55), trans=trans, mocap_frame_rate=120)


def aist(folder, poses, trans):
    value = {"smpl_loss": 1.0, "smpl_poses": with_more(poses, 24).astype(np.float32), "smpl_trans": 93.7 * trans}
    return dumped(folder / "gBR.pkl", {**value, "smpl_scaling": np.array([93.7])})


def edge(folder, poses, trans):
    full = with_hands(placed(poses, trans, body()))
    return dumped(folder / "edge.pkl", {"smpl_poses": with_more(poses, 24), "smpl_trans": trans, "full_pose": full})


def edge_slice(folder, poses, trans):
    return dumped(folder / "slice.pkl", {"pos": trans, "q": with_more(poses, 24)})


def wham(folder, poses, trans):
    person = {"pose": with_more(poses * 0.5, 24), "trans": 0.1 * trans, "pose_world": with_more(poses, 24)}
    joblib.dump({0: {**person, "trans_world": trans, "frame_ids": np.arange(len(poses))}}, folder / "wham.pkl")
    return folder / "wham.pkl"


def hmr(folder, poses, trans):
    turns = matrices(poses)
    return saved(folder / "hmr.npz", global_orient=turns[:, :1], body_pose=turns[:, 1:], transl=trans, fps=30.0)


def smplx_parts(folder, poses, trans):
    value = {"global_orient": poses[None, :, 0], "body_pose": poses[:, 1:].reshape(1, len(poses), 63)}
    return dumped(folder / "gvhmr.pickle", {"smpl_params_global": {**value, "transl": trans[None]}, "K": np.eye(3)})


def dict_in_npy(folder, poses, trans):
    np.save(folder / "a.npy", {"smpl_poses": with_more(poses, 24), "smpl_trans": trans, "smpl_scaling": np.ones(1)})
    return folder / "a.npy"


def finedance(folder, poses, trans, rows=True, contacts=False):
    """Rows of path and 6-D rotations, of matrices' rows as PyTorch3D has them, or of their columns."""
    turns = matrices(with_more(poses, 52).reshape(len(poses), 52, 3))
    six = (turns if rows else turns.swapaxes(2, 3))[:, :, :2].reshape(len(poses), 312)
    parts = [np.ones((len(poses), 4))] * contacts + [trans, six]
    np.save(folder / "001.npy", np.concatenate(parts, 1))
    return folder / "001.npy"


def finedance_columns(folder, poses, trans):
    return finedance(folder, poses, trans, rows=False, contacts=True)


def bare_poses(folder, poses, trans):
    np.save(folder / "poses.npy", with_more(poses, 24))
    return folder / "poses.npy"


def bailando(folder, poses, trans):
    places = with_hands(placed(poses, trans, body()))
    np.save(folder / "a.npy", {"pred_position": places.reshape(len(places), 72)})
    return folder / "a.npy"


def joints_npy(folder, poses, trans):
    np.save(folder / "a.npy", with_hands(placed(poses, trans, body())).astype(np.float32))
    return folder / "a.npy"


def joints_flat(folder, poses, trans):
    np.save(folder / "a.npy", 100 * placed(poses, trans, body()).reshape(len(poses), 66))
    return folder / "a.npy"


def joints_npz(folder, poses, trans):
    return saved(folder / "a.npz", positions=with_hands(placed(poses, trans, body())), fps=30.0)


def joints_pkl(folder, poses, trans):
    return dumped(folder / "a.pkl", {"joints": with_hands(placed(poses, trans, body())), "fps": 30})


# how it is written: (writer, rate, rate that is given, turn of the world, what is said)
KINDS = {
    "AMASS, SMPL-H": (amass, 120.0, None, Z_UP, None),
    "AMASS, y up": (amass, 120.0, None, None, "stands along y and not along z"),
    "AMASS, SMPL-X in parts": (stageii, 120.0, None, Z_UP, None),
    "SMPL-X": (smplx, 120.0, None, Z_UP, None),
    "AIST++": (aist, 60.0, None, None, None),
    "AIST++, z up": (aist, 60.0, None, Z_UP, "stands along z and not along y"),
    "EDGE": (edge, 30.0, None, Z_UP, "read at 30 frames per second"),
    "EDGE, another rate": (edge, 60.0, 60.0, Z_UP, None),
    "EDGE's slices": (edge_slice, 60.0, None, None, "read at 60"),
    "WHAM by joblib": (wham, 30.0, 30.0, None, None),
    "matrices": (hmr, 30.0, None, None, None),
    "a batch of one, in a camera's axes": (smplx_parts, 25.0, 25.0, CAMERA, "stands along -y"),
    "a dict in .npy": (dict_in_npy, 60.0, None, None, None),
    "FineDance": (finedance, 30.0, None, None, "read at 30"),
    "6-D rotations of columns, with contacts": (finedance_columns, 30.0, 30.0, Z_UP, "stands along z"),
    "poses alone": (bare_poses, 50.0, 50.0, None, "holds no path"),
    "Bailando": (bailando, 60.0, None, None, "read at 60"),
    "joints in .npy": (joints_npy, 60.0, 60.0, None, None),
    "joints in .npy, z up": (joints_npy, 60.0, 60.0, Z_UP, "stands along z"),
    "joints in rows, centimetres": (joints_flat, 20.0, 20.0, None, None),
    "joints in .npz": (joints_npz, 30.0, None, None, None),
    "joints in .npz, z up": (joints_npz, 30.0, None, Z_UP, "stands along z"),
    "joints in .pkl": (joints_pkl, 30.0, None, None, None),
}


def angles(one: np.ndarray, other: np.ndarray, bones) -> np.ndarray:
    """Degrees (t, n) between the bones of two bodies."""
    at = [(SMPL22.index(a), SMPL22.index(b)) for a, b in bones]
    first, second = (np.stack([places[:, b] - places[:, a] for a, b in at], 1) for places in (one, other))
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(cosine.clip(-1, 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_limbs_point_where_they_did(kind, tmp_path):
    make, fps, given, up, words = KINDS[kind]
    path = make(tmp_path, *take(fps, up))
    with collected_warnings() as said:
        found = read_motion(path, given)
    assert found.fps == fps and found.frames == round(SECONDS * fps)
    known = placed(*take(fps), body())
    positions = found.positions.double().numpy()
    assert angles(positions, known, LIMBS).max() < 5
    assert angles(positions, known, TRUNK).max() < 6
    assert (words is None and not said) or (len(said) == 1 and words in said[0] and path.name in said[0])
    if kind != "poses alone":  # their feet do not stand
        assert np.abs(positions[:, [10, 11], 1].min(0) - 0.02).max() < 0.03, "the feet stand on the floor"
        leg = sum(np.linalg.norm(body()[[4, 5, 7, 8]], axis=-1)) / 2
        path_known = (known - known[:1])[:, 0] * 0.80 / leg
        assert np.abs((positions - positions[:1])[:, 0] - path_known).max() < 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_training_reads_them_too(kind, tmp_path):
    make, fps, given, up, _ = KINDS[kind]
    path = make(tmp_path, *take(fps, up))
    with collected_warnings():
        source = sources.load(path, {} if given is None else {"fps": given})
    assert source.report["dropped"] is None and source.motion.fps == MOTION_FPS
    assert source.motion.seconds == pytest.approx(SECONDS, abs=0.05)
    known = placed(*take(MOTION_FPS), body())
    positions = kinematics.forward(source.motion.rotations, source.motion.root).double().numpy()
    shared = min(len(known), len(positions))
    gap = angles(positions[:shared], known[:shared], LIMBS)[3:-3]
    assert gap.mean() < 4 and gap.max() < 13  # smoothed to 10 Hz


@pytest.mark.parametrize("fps", [59.94, 100.0, 119.88, 150.0, 240.0, 250.0, 480.0])
def test_captures_at_any_rate(fps, tmp_path):
    poses, trans = take(fps, Z_UP)
    path = saved(tmp_path / "a.npz", poses=with_more(poses, 52), trans=trans, mocap_framerate=fps)
    found = read_motion(path)
    assert found.fps == pytest.approx({250.0: 125.0, 480.0: 120.0}.get(fps, fps))
    assert found.seconds == pytest.approx(len(poses) / fps, abs=1 / found.fps)
    known = placed(*take(found.fps), body())[: found.frames]
    assert angles(found.positions.double().numpy()[: len(known)], known, LIMBS)[5:-5].max() < 5


def tumbling(fps: float, up: Rotation | None) -> tuple[np.ndarray, np.ndarray]:
    """A body that rolls on the floor: it lies, and its head points once in every direction."""
    poses, trans = take(fps)
    turn = Rotation.from_euler("y", np.linspace(0, 2 * np.pi, len(poses))[:, None]) * Rotation.from_euler(
        "x", 90, degrees=True
    )
    poses[:, 0] = turn.as_rotvec()
    trans = np.stack((0.3 * np.sin(np.arange(len(poses)) / 20), np.full(len(poses), 0.2), 0 * trans[:, 0]), -1)
    low = placed(poses, trans, body())[..., 1].min(1)
    trans[:, 1] -= low
    if up is not None:
        poses[:, 0] = (up * turn).as_rotvec()
        trans = up.apply(trans)
    return poses, trans


@pytest.mark.parametrize("up", [None, Z_UP, Rotation.from_euler("z", 90, degrees=True), CAMERA])
@pytest.mark.parametrize("make", [amass, aist, joints_npz])
def test_a_body_on_the_floor_tells_which_way_is_up_too(make, up, tmp_path):
    """Whatever axis is usual in files of the kind."""
    with collected_warnings():
        found = read_motion(make(tmp_path, *tumbling(60.0, up)))
    known = placed(*tumbling(60.0, None), body())
    heights = found.positions.double().numpy()[..., 1]
    assert heights.max() < 0.9, "it lies"
    assert np.corrcoef(heights.ravel(), known[..., 1].ravel())[0, 1] > 0.95


def test_joints_that_a_network_made(tmp_path):
    """Their bones are not rigid."""
    poses, trans = take(60.0)
    known = placed(poses, trans, body())
    draw = np.random.default_rng(0)
    wobble = np.stack([np.convolve(draw.normal(0, 0.06, len(known)), np.ones(9) / 3, "same") for _ in range(66)], 1)
    made = known + wobble.reshape(-1, 22, 3) * 0.3
    np.save(tmp_path / "a.npy", {"pred_position": with_hands(made).reshape(len(made), 72)})
    with collected_warnings():
        found = read_motion(tmp_path / "a.npy")
    assert angles(found.positions.double().numpy(), known, LIMBS).mean() < 8


def test_angles_are_not_taken_for_places(tmp_path):
    """Also those of somebody who hardly moves: a .npy file does not say what it holds."""
    for seed in range(30):
        draw = np.random.default_rng(seed)
        pose = draw.normal(0, draw.choice([0.1, 0.3, 0.6]), (1, 24, 3))
        moved = 0.02 * np.sin(np.arange(90)[:, None, None] / 9 + draw.uniform(0, 6, (1, 24, 3)))
        np.save(tmp_path / "a.npy", pose + moved)
        with collected_warnings() as said, contextlib.suppress(FootlightError):
            read_motion(tmp_path / "a.npy", 30.0)
        assert any("no path of the body" in text for text in said)


@pytest.mark.parametrize(("unit", "word"), [(100.0, "centimetres"), (1000.0, "millimetres")])
def test_a_path_that_no_body_can_walk_in_metres(unit, word, tmp_path):
    poses, trans = take(60.0, Z_UP)
    trans[:, 0] += 0.5 * np.arange(len(trans)) / 60
    with collected_warnings() as said:
        found = read_motion(amass(tmp_path, poses, unit * trans))
    assert word in said[0]
    moved = float(found.positions[-1, 0, 0] - found.positions[0, 0, 0])
    assert moved == pytest.approx(float(trans[-1, 0] - trans[0, 0]), rel=0.08)


def test_what_is_said_about_bodies(tmp_path):
    poses, trans = take(60.0, Z_UP)
    values = {"poses": with_more(poses, 52), "trans": trans, "mocap_framerate": 60.0}
    with collected_warnings() as said:
        read_motion(saved(tmp_path / "a.npz", **values, betas=np.array([0.3, -4.5])))
    assert len(said) == 1 and "betas are those of an unusual body" in said[0]
    with collected_warnings() as said:
        short = {name: values[name][:70] for name in ("poses", "trans")}
        found = read_motion(dumped(tmp_path / "a.pkl", {"one": short, "two": {"deeper": [values]}}), 60.0)
    assert found.frames == len(poses) and "holds 2 motions; the longest" in said[0]


POSES, TRANS = take(60.0)
TAKE = {"smpl_poses": with_more(POSES, 24), "smpl_trans": TRANS, "smpl_scaling": np.ones(1)}
BAD = {
    "other arrays": ({"keypoints3d": np.zeros((60, 17, 3))}, "holds 'keypoints3d'; expected SMPL.*take the motions"),
    "nothing": ({}, "holds nothing; expected"),
    "a list": ([1, 2], "holds a list; expected"),
    "a number": (3, "holds a int; expected"),
    "text for poses": ({**TAKE, "smpl_poses": "text"}, "expected SMPL poses"),
    "too few joints": ({**TAKE, "smpl_poses": np.zeros((180, 63))}, r"smpl_poses \(180, 63\); expected"),
    "rows of another length": ({**TAKE, "smpl_poses": np.zeros((180, 71))}, r"smpl_poses \(180, 71\)"),
    "no frames": ({**TAKE, "smpl_poses": np.zeros((0, 72))}, r"smpl_poses \(0, 72\)"),
    "one number": ({**TAKE, "smpl_poses": np.float64(1)}, r"smpl_poses \(\)"),
    "another length": ({**TAKE, "smpl_trans": TRANS[:-1]}, r"poses of 180 frames and a path \(179, 3\)"),
    "a flat path": ({**TAKE, "smpl_trans": TRANS[:, :2]}, r"a path \(180, 2\)"),
    "NaN": ({**TAKE, "smpl_trans": np.full((180, 3), np.nan)}, "smpl_trans holds values that are not finite"),
    "infinite poses": ({**TAKE, "smpl_poses": np.full((180, 72), np.inf)}, "smpl_poses holds values"),
    "no scaling": ({**TAKE, "smpl_scaling": np.zeros(1)}, "smpl_scaling is not positive"),
    "scalings": ({**TAKE, "smpl_scaling": np.ones(3)}, "or not one number"),
    "half a second": ({**TAKE, "smpl_poses": TAKE["smpl_poses"][:30], "smpl_trans": TRANS[:30]}, r"only 0\.50 s"),
    "no rate": ({"poses": TAKE["smpl_poses"], "trans": TRANS}, "does not say its frame rate.*give fps"),
    "a wild rate": ({"poses": TAKE["smpl_poses"], "trans": TRANS, "fps": 1e6}, "fps is 1e[+]06; expected 1 to 2000"),
    "joints of no body": ({"joints": np.random.default_rng(0).normal(size=(60, 24, 3))}, "are not the joints"),
    "joints of another body": ({"joints": np.zeros((60, 17, 3))}, r"joints \(60, 17, 3\) are not"),
    "stands still": ({**TAKE, "smpl_poses": np.zeros((180, 72)), "smpl_trans": np.zeros((180, 3))}, "stands still"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_motion_is_refused_in_one_line(kind, tmp_path):
    value, message = BAD[kind]
    path = dumped(tmp_path / "a.pkl", value)
    with pytest.raises(FootlightError, match=message) as error:
        read_motion(path)
    assert "a.pkl" in str(error.value) and "\n" not in str(error.value)


def test_files_of_numpy_that_are_no_motion(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((100, 99)))
    with pytest.raises(FootlightError, match=r"a\.npy: holds array \(100, 99\); expected"):
        read_motion(tmp_path / "a.npy", 30.0)
    np.save(tmp_path / "b.npy", np.array("text"))
    with pytest.raises(FootlightError, match=r"b\.npy: holds a NoneType; expected"):
        read_motion(tmp_path / "b.npy", 30.0)
    with pytest.raises(FootlightError, match="there is no such file"):
        read_motion(tmp_path / "c.pkl")


@pytest.mark.parametrize("ending", ["npz", "pkl", "npy"])
def test_damage_anywhere_is_refused_or_harmless(ending, tmp_path):
    make = {"npz": amass, "pkl": aist, "npy": dict_in_npy}[ending]
    path = make(tmp_path, *(values[:90] for values in take(30.0, Z_UP)))
    whole, draw = path.read_bytes(), np.random.default_rng(1)
    for _ in range(40):
        data = bytearray(whole[: draw.integers(1, len(whole) + 1)])
        for _ in range(4):
            data[draw.integers(min(len(data), 2000))] = draw.integers(256)
        path.write_bytes(bytes(data))
        try:
            with collected_warnings():
                assert torch.isfinite(read_motion(path, 30.0).positions).all()
        except FootlightError:
            continue


def test_the_command_line_finds_their_beats(tmp_path, capsys):
    path = edge(tmp_path, *take(30.0, Z_UP))
    assert main(["beats", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["seconds"] == SECONDS and len(found["beats"]) > 1 and "30 frames" in found["warnings"][0]
    assert main(["beats", str(path), "--fps", "60"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["seconds"] == SECONDS / 2 and "warning" not in err
    assert main(["beats", str(path), "--fps", "0.5"]) == 2
    assert "fps is 0.5; expected 1 to 2000" in capsys.readouterr().err


def test_arrays_of_any_shape_are_read_or_refused(tmp_path):
    draw = np.random.default_rng(0)
    names = ["smpl_poses", "poses", "trans", "smpl_trans", "root_orient", "pose_body", "q", "pos", "joints", "array"]
    names += ["rotations_6d", "path", "betas", "fps", "smpl_scaling", "mocap_framerate", "global_orient", "body_pose"]
    sizes = (0, 1, 3, 6, 22, 24, 40, 40, 63, 72, 156)

    def array():
        shape = (40, *draw.choice(sizes, draw.integers(0, 3))) if draw.random() < 0.8 else ()
        return draw.normal(size=shape).astype(draw.choice(["f8", "f4", "i4", "u1", "?"]))

    for number in range(300):
        value = {str(name): array() for name in draw.choice(names, draw.integers(1, 7))}
        path = tmp_path / f"a.{('pkl', 'npz', 'npy')[number % 3]}"
        if number % 3 == 0:
            dumped(path, value)
        elif number % 3 == 1:
            np.savez(path, **value)
        else:
            np.save(path, array())
        with contextlib.suppress(FootlightError), collected_warnings():
            assert read_motion(path, 30.0).positions.isfinite().all()

"""AIST++ in the layout in which it is published: real pickles, real lists, songs; and pickles that are traps."""

import json
import os
import pickle
import pickletools
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from core.audio import io
from core.errors import FootlightError
from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from core.types import Waveform
from train.data import shards, synthetic
from train.data.dataset import load_pairs, load_song_records
from train.data.motion import plain_pickle, smpl, sources
from train.data.pairing import aist, user_pairs
from train.data.rates import AUDIO_RATE, MEL_FPS
from train.prepare import Prepare, main

SCALING = 93.7
TAKES = {
    "train": ["gBR_sBM_cAll_d04_mBR0_ch01", "gHO_sFM_cAll_d20_mHO2_ch07"],
    "val": ["gBR_sBM_cAll_d05_mBR3_ch02"],
    "test": ["gKR_sBM_cAll_d28_mKR4_ch03"],
}


def swing(frames, bpm):
    """An SMPL take (poses, trans) whose arms and spine swing on the beat, a pelvis' height above the floor."""
    wave = np.cos(np.pi * bpm / 60 * np.arange(frames) / smpl.FPS)
    poses = np.zeros((frames, 24, 3))
    poses[:, 16, 2], poses[:, 17, 2], poses[:, 3, 1] = 0.6 * wave, 0.6 * wave, 0.3 * wave
    poses[:, 22:] = 0.4  # hands, which are left out
    trans = np.tile(np.array([12.0, 1.17 * SCALING, -30.0]), (frames, 1))
    trans[:, 0] += 4 * wave
    return poses.reshape(frames, 72), trans


def write(path, frames=360, bpm=100, protocol=4, **change):
    poses, trans = swing(frames, bpm)
    value = {"smpl_loss": 0.5, "smpl_poses": poses, "smpl_scaling": np.array([SCALING]), "smpl_trans": trans, **change}
    path.write_bytes(pickle.dumps(value, protocol=protocol))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aist")
    for part in ("motions", "splits", "music"):
        (folder / part).mkdir()
    lists = {split: list(names) for split, names in TAKES.items()}
    for name in (name for names in TAKES.values() for name in names):
        write(folder / "motions" / f"{name}.pkl", bpm=aist.tempo_of(aist.genre_and_music(name)[1]))
    spoilt = {
        "gBR_sBM_cAll_d04_mBR0_ch02": "ignore",
        "gBR_sBM_cAll_d04_mBR0_ch03": "in two",
        "gBR_sBM_cAll_d04_mBR0_ch04": "in none",
        "gBR_sBM_cAll_d04_mBR5_ch05": "without music",
        "gBR_sBM_cAll_d04_mBR0_ch06": "nan",
        "gBR_sBM_cAll_d04_mBR0_ch07": "trap",
        "breaking": "other name",
    }
    for name, fault in spoilt.items():
        path = folder / "motions" / f"{name}.pkl"
        write(path, **({"smpl_trans": np.full((360, 3), np.nan)} if fault == "nan" else {}))
        if fault == "trap":
            path.write_bytes(pickle.dumps(Trap(os.system, "touch trapped")))
        if fault != "in none":
            lists["train"].append(name)
        if fault == "in two":
            lists["test"].append(name)
    lists["train"].append("gBR_sBM_cAll_d04_mBR0_ch08")  # listed, but there is no such file
    for split, names in lists.items():
        (folder / "splits" / f"crossmodal_{split}.txt").write_text("\n".join(names) + "\n")
    (folder / "ignore_list.txt").write_text("gBR_sBM_cAll_d04_mBR0_ch02\ngXX_not_here\n")
    for code in ("mBR0", "mHO2", "mBR3", "mKR4"):
        clicks = synthetic.clicks(aist.tempo_of(code), 8.0, torch.Generator().manual_seed(0))
        io.write(folder / "music" / f"{code}.wav", Waveform(clicks, AUDIO_RATE))
    return folder


@pytest.fixture(scope="module")
def prepared(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared")
    return out, main(Prepare(out=out, aist=data, workers=1))


def test_takes_keep_their_music_and_their_split(prepared):
    out, lines = prepared
    assert {line["motion"]: line["split"] for line in lines} == {
        name: split for split, names in TAKES.items() for name in names
    }
    assert {line["genre"] for line in lines} == {"break", "house", "krump"}
    for split in TAKES:
        for pair in load_pairs(out, split):
            assert pair.music_name == pair.motion_name.split("_")[4] + ".wav"
            assert pair.tempo == pytest.approx(aist.tempo_of(pair.music_name[:4]), rel=0.02)
            assert pair.motion().seconds == pytest.approx(6.0, abs=0.05)
            assert pair.mel.shape == (2 * len(pair.root), 80)
            at = (pair.beats[1:-1] * MEL_FPS).round().long()
            near = torch.stack([pair.onset[at + shift] for shift in range(-3, 4)]).amax(dim=0)
            assert near.median() > 5 * pair.onset.median().clamp(min=0.01)
    songs = {split: {song.id for song in load_song_records(out, split)} for split in ("train", "val")}
    assert songs == {"train": {"mBR0", "mHO2"}, "val": {"mBR3", "mKR4"}}


def test_what_is_not_used_is_named_with_the_reason(prepared):
    out, _ = prepared
    dropped = {Path(line["source"]).stem: line["reason"] for line in shards.read_index(out / "dropped-pairs.jsonl")}
    words = {
        "gBR_sBM_cAll_d04_mBR0_ch02": "to ignore",
        "gBR_sBM_cAll_d04_mBR0_ch03": "more than one split list: train and test",
        "gBR_sBM_cAll_d04_mBR0_ch04": "none of the three",
        "gBR_sBM_cAll_d04_mBR5_ch05": "no music mBR5",
        "gBR_sBM_cAll_d04_mBR0_ch06": "not finite",
        "gBR_sBM_cAll_d04_mBR0_ch07": "system, which is not run",
        "gBR_sBM_cAll_d04_mBR0_ch08": "no such file",
        "breaking": "rename the file",
    }
    assert dropped.keys() == words.keys()
    assert all(word in dropped[name] for name, word in words.items()), dropped


@pytest.mark.parametrize("missing", ["splits/crossmodal_val.txt", "ignore_list.txt", "motions", "music"])
def test_a_folder_of_another_layout_is_refused(data, tmp_path, missing):
    for path in data.rglob("*"):
        wanted = path.relative_to(data)
        if path.is_file() and not wanted.is_relative_to(missing):
            (tmp_path / wanted).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / wanted).write_bytes(path.read_bytes())
    with pytest.raises(FootlightError, match=missing):
        aist.aist_jobs(tmp_path, tmp_path / "out")
    if missing == "music":  # it may be elsewhere
        songs, takes, _ = aist.aist_jobs(tmp_path, tmp_path / "out", data / "music")
        assert len(songs) == 4 and len(takes) == 6


def test_rotations_are_smpls_and_the_feet_point_where_smpls_do(tmp_path):
    draw = np.random.default_rng(0)
    poses, trans = swing(40, 100)
    poses = poses + np.repeat(draw.normal(0, 0.3, (1, 72)), 40, 0)
    poses[:, :3] = (0.1, 0.4, -0.1)
    write(tmp_path / "take.pkl", smpl_poses=poses, smpl_trans=trans)
    motion = smpl.read(tmp_path / "take.pkl")
    wanted = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(40, 24, 3, 3)
    found = rotation.to_matrix(motion.rotations).numpy()
    same = [i for i, name in enumerate(SMPL22.names) if not name.endswith(("ankle", "foot"))]
    assert np.allclose(found[:, same], wanted[:, same], atol=1e-9)
    turns, _ = kinematics.forward_global(motion.rotations, motion.root)
    for side, out in (("left", 1), ("right", -1)):
        chain = [SMPL22.index(f"{side}_{part}") for part in ("hip", "knee", "ankle", "foot")]
        theirs = np.einsum("tij,tjk,tkl,tlm->tim", *(wanted[:, i] for i in [0, *chain[:3]]))
        ahead = theirs @ np.array([out * np.sin(smpl.FEET_OUT), 0, np.cos(smpl.FEET_OUT)])
        ours = rotation.rotate(turns[:, chain[2]], torch.tensor((0.0, 0.0, 1.0)).double().expand(40, 3))
        assert np.allclose(ours.numpy(), ahead, atol=1e-9)
        toes = theirs @ wanted[:, chain[3]] @ np.array([out * np.sin(smpl.FEET_OUT), 0, np.cos(smpl.FEET_OUT)])
        ours = rotation.rotate(turns[:, chain[3]], torch.tensor((0.0, 0.0, 1.0)).double().expand(40, 3))
        assert np.allclose(ours.numpy(), toes, atol=1e-9)


def test_the_path_is_in_metres_and_the_dancer_stands_on_the_floor(tmp_path):
    poses, trans = swing(240, 100)
    trans[:, 0] = np.linspace(0, 2 * SCALING, 240)  # a glide of two metres of theirs
    write(tmp_path / "take.pkl", smpl_poses=poses, smpl_trans=trans)
    source = sources.load(tmp_path / "take.pkl")
    assert source.report["dropped"] is None
    moved = float(source.motion.root[-1, 0] - source.motion.root[0, 0])
    assert moved == pytest.approx(2 * 0.80 / 0.82, rel=0.02)
    places = kinematics.forward(source.motion.rotations, source.motion.root)
    assert places[:, SMPL22.index("left_foot"), 1].median() == pytest.approx(0.02, abs=0.01)
    assert places[:, SMPL22.index("head"), 1].median() > 1.3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"smpl_poses": np.zeros((360, 63))}, "(360, 63)"),
        ({"smpl_trans": np.zeros((359, 3))}, "(359, 3)"),
        ({"smpl_scaling": np.array([0.0])}, "not positive"),
        ({"smpl_scaling": None}, "expected a pickled dict"),
        ({"smpl_poses": np.tile(np.eye(1, 72) * np.pi / 2, (360, 1))}, "stands along z"),
    ],
)
def test_other_contents_are_refused(tmp_path, change, words):
    write(tmp_path / "take.pkl", **change)
    with pytest.raises(FootlightError) as error:
        smpl.read(tmp_path / "take.pkl")
    assert words in str(error.value) and "take.pkl" in str(error.value)


def test_beats_are_even_at_the_composers_tempo_where_tracking_finds_another():
    onset = torch.zeros(round(20 * MEL_FPS))
    beats = torch.arange(0.37, 20, 60 / 130)
    onset[(beats * MEL_FPS).round().long()] = 1
    found = user_pairs.steady_beats(onset, 130.0)
    assert len(found) == len(beats) and (found - beats).abs().max() < 0.02


def test_tempi_of_the_pieces():
    assert [aist.tempo_of(code) for code in ("mBR0", "mJB5", "mHO0", "mHO5", "mBR9")] == [80, 130, 110, 135, 0]


# Pickles


class Trap:
    """Pickles as a call of whatever is named."""

    def __init__(self, function, *arguments):
        self.called = function, arguments

    def __reduce__(self):
        return self.called


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "motion.pkl"


TRAPS = [
    ("os", "system", ("touch trapped",)),
    ("subprocess", "Popen", (["touch", "trapped"],)),
    ("builtins", "eval", ("open('trapped', 'w')",)),
    ("builtins", "exec", ("open('trapped', 'w')",)),
    ("builtins", "open", ("trapped", "w")),
    ("builtins", "getattr", (1, "real")),
    ("builtins", "__import__", ("this",)),
    ("importlib", "import_module", ("antigravity",)),
    ("pathlib", "Path", ("trapped",)),
    ("functools", "partial", ()),
    ("operator", "attrgetter", ("real",)),
    ("pickle", "loads", (b"N.",)),
    ("numpy", "load", ("trapped.npy",)),
    ("numpy", "fromfile", ("trapped",)),
    ("numpy", "memmap", ("trapped", "uint8", "w+", 0, (4,))),
    ("torch", "load", ("trapped",)),
    ("collections", "OrderedDict", ()),
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(("module", "name", "arguments"), TRAPS)
def test_nothing_that_a_pickle_names_is_run(file, protocol, module, name, arguments):
    file.write_bytes(by_hand(protocol, module, name, arguments))
    with pytest.raises(FootlightError, match=r"motion\.pkl: is not plain data: it asks for") as error:
        plain_pickle.load(file)
    assert f"{module}.{name}" in str(error.value)
    assert [path.name for path in file.parent.iterdir()] == ["motion.pkl"]


def by_hand(protocol, module, name, arguments):
    """A pickle that calls ``module.name``: by opcodes, because pickling it would write another module's name."""
    head = b"" if protocol < 2 else b"\x80" + bytes([protocol])
    body = pickle.dumps(arguments, protocol=protocol)
    body = body[:-1]  # without STOP
    for _ in range(2):  # and without PROTO and FRAME
        if body[:1] == b"\x80":
            body = body[2:]
        if body[:1] == b"\x95":
            body = body[9:]
    if protocol < 4:
        call = b"c" + module.encode() + b"\n" + name.encode() + b"\n"
    else:
        call = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)) + b"\x93"
    made = head + call + body + b"R."
    assert any(opcode.name == "REDUCE" for opcode, _, _ in pickletools.genops(made))
    return made


def test_the_trap_is_one(file):
    """Python's own reader runs what ours refuses."""
    file.write_bytes(by_hand(4, "os", "system", ("touch trapped",)))
    pickle.loads(file.read_bytes())
    assert (file.parent / "trapped").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n.",  # named, not called
        b"(S'touch trapped'\nios\nsystem\n.",  # INST
        b"\x80\x02c__builtin__\neval\n(U\x011tR.",  # Python 2's names
        b"\x80\x02P1\n.",  # something outside of the file
        b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93}b.",  # state for a class
        b"\x80\x04\x8c\x05numpy\x8c\x05dtype\x93(\x8c\x01OtR.",  # a dtype alone, of objects
        b"\x80\x04\x8c\x05numpy\x8c\x0cdtype.__call__\x93.",
        b"\x80\x04\x8c\x0bnumpy.dtype\x8c\x04type\x93.",
        b"\x82\x01.",  # an extension of the registry
        b"]\x94h\x00a.",  # a list in itself
        b"\x80\x04j\xff\xff\xff\xff.",
        b"",
        b"no pickle",
        b"\x80\x63.",
        pickle.dumps(np.array([print], dtype=object)),
        pickle.dumps(np.array(["text"])),
        pickle.dumps(np.zeros(2, dtype=[("x", "f8")])),
        pickle.dumps(np.zeros(1000))[:500],
        pickle.dumps(np.zeros(4)).replace(b"f8", b"O8"),
        pickle.dumps(np.zeros(4)).replace(struct.pack("<B", 4), struct.pack("<B", 5)),  # another shape, or nonsense
    ],
)
def test_damaged_and_crafted_pickles_are_answered_with_the_files_name(file, data):
    file.write_bytes(data)
    with pytest.raises(FootlightError, match=r"motion\.pkl: is"):
        plain_pickle.load(file)
    assert [path.name for path in file.parent.iterdir()] == ["motion.pkl"]


VALUE = {
    "doubles": np.arange(12.0).reshape(3, 4),
    "columns": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    "big": np.arange(5, dtype=">i4"),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3)),
    "scalar": np.float64(1.5),
    "none": None,
    "nested": [("text", 3, 2.5, True), {"bytes": b"\x00\xff"}],
    "set": {1, 2},
}


def same(found, wanted):
    if isinstance(wanted, np.ndarray):
        return found.dtype == wanted.dtype and found.shape == wanted.shape and (found == wanted).all()
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list | tuple):
        return type(found) is type(wanted) and all(same(a, b) for a, b in zip(found, wanted, strict=True))
    return type(found) is type(wanted) and found == wanted


@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
@pytest.mark.parametrize("protocol", range(6))
def test_numbers_come_through_from_every_protocol_and_both_numpys(file, protocol, core):
    data = pickle.dumps(VALUE, protocol=protocol)
    file.write_bytes(renamed(data, core))
    assert core.encode() in file.read_bytes()
    assert same(plain_pickle.load(file), VALUE)


def renamed(data, core):
    """The pickle as the numpy whose modules lie under ``core`` would have written it."""
    other = "numpy._core" if core == "numpy.core" else "numpy.core"
    for module in ("multiarray", "numeric"):
        before, after = f"{other}.{module}".encode(), f"{core}.{module}".encode()
        data = data.replace(b"\x8c" + bytes([len(before)]) + before, b"\x8c" + bytes([len(after)]) + after)
        data = data.replace(b"c" + before + b"\n", b"c" + after + b"\n")
    framed = data.find(b"\x95")
    if framed == 2:  # a frame's length covers what follows it
        data = data[:2] + data[11:]
    return data


def test_python_2s_pickles(file):
    """As Python 2.7 with numpy 1 writes ``{"x": np.arange(3.)}``, protocol 2: arrays' bytes are text there."""
    raw = np.arange(3.0).tobytes()
    file.write_bytes(
        b"\x80\x02}q\x00U\x01xq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04"
        b"U\x01bq\x05\x87q\x06Rq\x07(K\x01K\x03\x85q\x08cnumpy\ndtype\nq\tU\x02f8q\nK\x00K\x01\x87q\x0bRq\x0c(K\x03"
        b"U\x01<q\rNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0eb\x89U" + bytes([len(raw)]) + raw + b"q\x0ftq\x10bs."
    )
    assert same(plain_pickle.load(file), {"x": np.arange(3.0)})


def test_reading_leaves_numpys_own_types_alone(file):
    file.write_bytes(pickle.dumps(np.arange(3, dtype=">f8")))
    plain_pickle.load(file)
    assert np.dtype("f8").byteorder == "=" and json.dumps(np.arange(2.0).tolist()) == "[0.0, 1.0]"

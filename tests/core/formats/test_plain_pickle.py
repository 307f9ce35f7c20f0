"""Pickles of numbers come through, and pickles that are traps or bombs are refused without being run."""

import json
import pickle
import pickletools
import struct
import tracemalloc
from collections import OrderedDict, defaultdict

import joblib
import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.formats import array_files, plain_pickle


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
    ("collections", "Counter", ("trapped",)),
    ("numpy", "core.multiarray.fromfile", ("trapped",)),
    ("numpy.core._internal", "_reconstruct", ()),
    ("joblib", "load", ("trapped",)),
    ("joblib.numpy_pickle", "NDArrayWrapper", ("trapped", "x", False)),
    ("copyreg", "_reconstructor", ()),
    ("builtins", "getattr", ("", "__class__")),
    ("builtins", "bytearray", (1 << 40,)),
    ("numpy", "zeros", (1 << 40,)),
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


# bombs: a few bytes that ask for much. Each must be answered at once and in little memory.

NUMPY = b"\x80\x04\x8c\x16numpy._core.multiarray\x8c\x0c_reconstruct\x93\x8c\x05numpy\x8c\x07ndarray\x93K\x00\x85C\x01b"
FLOATS = (
    b"\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02f8\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)
OLD = b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\ndtype\n(U\x02u1tRq\x02" + 20_000 * (
    b"h\x01)R(K\x01J\xa0\x86\x01\x00\x85h\x02\x89h\x00tb"
)
TUPLES = b"\x80\x04)\x94" + b"".join(b"h" + bytes([n, 104, n]) + b"\x86\x94" for n in range(100))
LISTS = b"\x80\x04]\x94" + b"".join(b"]\x94(h" + bytes([n, 104, n]) + b"e" for n in range(100))
BOMBS = {
    "tuples of tuples as a key": TUPLES + b"}h\x64K\x01s.",
    "tuples of tuples as keys": TUPLES + b"}(h\x64K\x01u.",
    "tuples of tuples in a set": TUPLES + b"\x8f(h\x64\x90.",
    "tuples of tuples in a frozen set": TUPLES + b"(h\x64\x91.",
    "tuples of tuples in an old set": TUPLES + b"c__builtin__\nset\n(h\x64lp200\n\x85R.",
    "a memo of a huge number": b"]p99999999999999\n0g99999999999999\n0.",
    "a byte array of a terabyte": b"\x80\x05\x96\x00\x00\x00\x00\x00\x01\x00\x00.",
    "bytes of a terabyte": b"\x80\x04\x8e\x00\x00\x00\x00\x00\x01\x00\x00.",
    "text of a terabyte": b"\x80\x04\x8d\x00\x00\x00\x00\x00\x01\x00\x00.",
    "a frame of a terabyte": b"\x80\x04\x95\x00\x00\x00\x00\x00\x01\x00\x00.",
    "a number of a gigabyte": b"\x80\x02\x8b\xff\xff\xff\x3f.",
    "a number of many digits": b"I" + b"9" * 200_000 + b"\n.",
    "one text copied many times": b"\x80\x02c_codecs\nencode\nq\x00X\xa0\x86\x01\x00" + b"x" * 100_000 + b"q\x01"
    + b"h\x00h\x01X\x06\x00\x00\x00latin1\x86R" * 20_000 + b".",
    "one text as the bytes of many arrays": b"\x80\x02X\xa0\x86\x01\x00" + b"x" * 100_000 + b"q\x00" + OLD + b"].",
    "an array of a terabyte": NUMPY + b"\x87R(K\x01J\x00\x00\x00\x40\x85" + FLOATS + b"\x89C\x08xxxxxxxxtb.",
    "lists in lists": b"]" * 100_000 + b"a" * 99_999 + b".",
}  # fmt: skip


def test_a_memo_of_four_billion_places_is_not_made(file):
    """It is an array in Python's reader in C."""
    file.write_bytes(b"\x80\x04]r\xfe\xff\xff\xff.")
    assert plain_pickle.load(file) == []


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(file, name):
    file.write_bytes(BOMBS[name])
    tracemalloc.start()
    try:
        with pytest.raises(FootlightError, match=r"motion\.pkl: is"):
            plain_pickle.load(file)
        assert tracemalloc.get_traced_memory()[1] < 1e8
    finally:
        tracemalloc.stop()


def test_what_is_held_often_is_read_once(file):
    """A hundred lists that each hold the one before twice: 2^100 items for who walks through all."""
    file.write_bytes(LISTS + b".")
    found = plain_pickle.load(file)
    assert found[0] is found[1]


def test_any_bytes_are_answered(file):
    draw = np.random.default_rng(0)
    whole = pickle.dumps(VALUE)
    for _ in range(400):
        data = bytearray(whole[: draw.integers(1, len(whole) + 1)])
        for _ in range(draw.integers(1, 6)):
            data[draw.integers(len(data))] = draw.integers(256)
        file.write_bytes(bytes(data))
        try:
            plain_pickle.load(file)
        except FootlightError:
            continue


def test_dicts_of_other_names_and_arrays_of_objects(file):
    value = {"ordered": OrderedDict(a=np.arange(3)), "of lists": defaultdict(list, b=[1.5])}
    value["dict in an array"] = np.array({"poses": np.zeros((2, 3))}, dtype=object)
    value["people"] = np.array([{"x": 1}, {"x": 2}], dtype=object)
    file.write_bytes(pickle.dumps(value))
    found = plain_pickle.load(file)
    assert same(found["ordered"], {"a": np.arange(3)}) and found["of lists"] == {"b": [1.5]}
    assert same(found["dict in an array"], {"poses": np.zeros((2, 3))}) and found["people"] == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize("order", ["C", "F"])
def test_joblibs_files(file, order):
    """Uncompressed, with the bytes of arrays between the instructions."""
    value = {0: {"pose": np.asarray(np.random.rand(7, 72), order=order), "ids": np.arange(7)}, "text": "x"}
    joblib.dump(value, file)
    assert b"NumpyArrayWrapper" in file.read_bytes()
    assert same(plain_pickle.load(file), value)


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_compressed_files_are_refused_with_what_to_do(file, method):
    joblib.dump({"pose": np.zeros(9)}, file, compress=(method, 3))
    with pytest.raises(FootlightError, match=r"motion\.pkl: is compressed .*joblib\.load"):
        plain_pickle.load(file)


def test_tensors_are_refused_with_what_to_do(file):
    file.write_bytes(pickle.dumps({"pose": torch.zeros(3)}))
    with pytest.raises(FootlightError, match=r"holds tensors of PyTorch.*numpy\(\)"):
        plain_pickle.load(file)


def test_traps_inside_of_numpys_files(tmp_path, monkeypatch):
    class Trap:
        def __reduce__(self):
            return (open, ("trapped", "w"))

    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.array({"poses": Trap()}, dtype=object))
    np.savez("b.npz", poses=np.array([Trap()], dtype=object))
    (tmp_path / "trapped").unlink(missing_ok=True)
    for name in ("a.npy", "b.npz"):
        with pytest.raises(FootlightError, match=r"io\.open, which is not run here|builtins\.open"):
            array_files.read(tmp_path / name, {"poses"})
        assert not (tmp_path / "trapped").exists()
    (tmp_path / "c.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:40])
    with pytest.raises(FootlightError, match="damaged"):
        array_files.read(tmp_path / "c.npy", ())


@pytest.mark.parametrize("shape", ["(99999999999999, 72)", "(-1, 72)", "(3,", "(4, 4, 'x')", "0" * 9000])
def test_headers_that_lie(tmp_path, shape):
    """An .npy file that announces more than it has."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(72 * 8 - 3))
    with pytest.raises(FootlightError, match=r"a\.npy: is damaged"):
        array_files.read(path, ())

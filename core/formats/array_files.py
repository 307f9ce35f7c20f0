"""Reads the arrays of .npz, .npy and .pkl files, and runs nothing that they ask for.

numpy saves dicts and lists as pickles inside .npy and .npz files, which it opens only with ``allow_pickle``. Here
``plain_pickle`` reads these too.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from core.errors import FootlightError, reason
from core.formats import plain_pickle

LARGEST = 2**31  # bytes of an array after decompression
SUFFIXES = (".npz", ".npy", ".pkl", ".pickle")


def read(path: Path, names: Collection[str]) -> object:
    """The contents of a file as plain containers and numpy arrays of numbers.

    names: the arrays of an .npz file that are of interest; the others stay unread. Other files are read whole.

    Raises FootlightError with the file's name when it cannot be read, is damaged or holds anything but plain data.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".npz":
            return _npz(path, names)
        if suffix == ".npy":
            return _npy(path.read_bytes(), path)
    except FootlightError:
        raise
    except OSError as error:
        raise FootlightError(f"{path}: cannot be read ({error.strerror or error}); check the file") from None
    except Exception as error:  # for a damaged file, zipfile and numpy raise almost anything
        raise FootlightError(f"{path}: is damaged or no {suffix[1:]} file of plain data ({reason(error)})") from None
    return plain_pickle.load(path)


def names_in(path: Path) -> list[str]:
    """The names of the arrays in an .npz file; nothing for a damaged one."""
    try:
        with zipfile.ZipFile(path) as file:
            return [name.removesuffix(".npy") for name in file.namelist()]
    except Exception:
        return []


def _npz(path: Path, names: Collection[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    with zipfile.ZipFile(path) as file:
        for member in file.infolist():
            name = member.filename.removesuffix(".npy")
            if name not in names:
                continue
            if member.file_size > LARGEST:
                raise FootlightError(f"{path}: {name} takes {member.file_size / 1e9:.1f} GB; expected a motion")
            with file.open(member) as stream:
                found[name] = _npy(stream.read(LARGEST), path)
    return found


def _npy(data: bytes, path: Path) -> object:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"version {version}")
    rest = data[stream.tell() :]
    if dtype.hasobject:
        return plain_pickle.loads(rest, path)
    if dtype.kind in "US":  # a name such as AMASS's gender
        return None
    if dtype.kind not in "biuf":
        raise ValueError(f"an array of {dtype}")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")

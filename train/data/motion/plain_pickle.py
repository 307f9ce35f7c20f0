"""Pickles that hold numbers and plain containers, read without running anything they ask for.

A pickle is a program that may call whatever it names. Here it can name numpy's array, dtype and scalar alone, under
numpy 1's and numpy 2's paths, and gets stand-ins for them: numpy's own ``dtype.__setstate__`` trusts the flags it is
given, so not even that is called. Everything else a pickle names is refused before it is looked up.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np

from core.errors import FootlightError

_CORES = ("numpy.core", "numpy._core")  # numpy 1 and numpy 2
_NUMBERS = "biuf"  # kinds of dtype: booleans, integers, floats


def load(path: Path) -> object:
    """What a pickle of any protocol holds: None, booleans, numbers, text, bytes, lists, tuples, sets, dicts and numpy
    arrays (read-only) of numbers; text and arrays of Python 2 too.

    Raises FootlightError, with the file's name, for anything else: files that cannot be read, are damaged, or name
    something that is not on this list (which is not imported, let alone called).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FootlightError(f"{path}: cannot be read ({error.strerror}); check the file") from None
    try:
        return _plain(_Unpickler(io.BytesIO(data), encoding="latin1").load())
    except _Refused as error:
        raise FootlightError(
            f"{path}: is not plain data: it asks for {error}, which is not run here; expected a pickle of numpy "
            "arrays and plain containers. Do not open this file with other programs either, unless you made it"
        ) from None
    except Exception as error:  # a damaged pickle fails in as many ways as there are instructions in it
        raise FootlightError(f"{path}: is damaged or no pickle ({error}); download it again") from None


class _Refused(Exception):
    """Names what a pickle asked for."""


class _Dtype:
    """Stands for a dtype. Only its kind and its byte order are taken from the pickle."""

    def __init__(self, kind: str | bytes, *_copy_flags) -> None:
        self.kind, self.order = _text(kind), "="

    def __setstate__(self, state: tuple) -> None:
        self.order = _text(state[1])

    def value(self) -> np.dtype:
        made = np.dtype(self.kind)
        if made.kind not in _NUMBERS:
            raise _Refused(f"an array of {made}")
        return made.newbyteorder(self.order) if self.order in ("<", ">") else made


class _Array:
    """Stands for an array that is yet to be filled."""

    def __init__(self, *_reconstruct_arguments) -> None:
        self.array: np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        _version, shape, dtype, fortran, data = state
        self.array = _filled(data, dtype, shape, "F" if fortran else "C")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        # new functions for every file: what a pickle does to them ends with it
        if module == "numpy" and name in ("ndarray", "dtype"):
            return _Array if name == "ndarray" else lambda *given: _Dtype(*given)
        for core in _CORES:
            if (module, name) == (f"{core}.multiarray", "_reconstruct"):
                return lambda *given: _Array(*given)
            if (module, name) == (f"{core}.multiarray", "scalar"):
                return lambda dtype, data: _filled(data, dtype, (1,), "C")[0]
            if (module, name) == (f"{core}.numeric", "_frombuffer"):
                return lambda data, dtype, shape, order: _filled(data, dtype, shape, order)
        if (module, name) == ("_codecs", "encode"):  # how protocol 2 writes bytes
            return lambda text, _encoding: text.encode("latin1")
        if module in ("builtins", "__builtin__") and name in ("set", "frozenset"):
            return set if name == "set" else frozenset
        if module in ("builtins", "__builtin__") and name == "bytes":
            return lambda: b""  # how protocols up to 2 write no bytes
        raise _Refused(f"{module}.{name}")

    def persistent_load(self, _number: object) -> object:
        raise _Refused("an object outside of the file")


def _filled(data: bytes | bytearray | str, dtype: _Dtype, shape: tuple, order: str) -> np.ndarray:
    raw = data.encode("latin1") if isinstance(data, str) else data  # Python 2 wrote text
    return np.frombuffer(raw, dtype.value()).reshape(shape, order=order)


def _text(value: str | bytes) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _plain(value: object) -> object:
    """The value with arrays in the place of their stand-ins. A container that holds itself is refused."""
    if isinstance(value, _Array):
        if value.array is None:
            raise _Refused("an array without content")
        return value.array
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(_plain(item) for item in value)
    if value is None or isinstance(value, bool | int | float | str | bytes | bytearray | np.generic):
        return value
    if isinstance(value, np.ndarray):
        return value
    raise _Refused(type(value).__name__)

"""Reads pickles of numbers and plain containers without running anything that they ask for.

A pickle is a program that may call whatever it names. Here it reaches only the names on a short list, and no others are
looked up. numpy's classes are replaced by stand-ins, because numpy's own ``dtype.__setstate__`` trusts the flags that
it is given.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Literal

import numpy as np

from core.errors import FootlightError


def load(path: Path) -> object:
    """The contents of a pickle of any protocol, Python 2's included.

    They may be None, booleans, numbers, text, bytes, lists, tuples, sets, dicts and read-only numpy arrays of numbers.

    Raises FootlightError with the file's name when it cannot be read, is damaged or holds anything else.
    """
    try:
        return _plain(_Unpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load())
    except OSError as error:
        raise FootlightError(f"{path}: cannot be read ({error.strerror}); check the file") from None
    except _Refused as error:
        raise FootlightError(
            f"{path}: is not plain data: it asks for {error}, which is not run here; expected a pickle of numpy "
            "arrays and plain containers. Do not open this file with other programs either, unless you made it"
        ) from None
    except Exception as error:  # a damaged pickle can fail in any of its instructions
        raise FootlightError(f"{path}: is damaged or no pickle ({error}); download it again") from None


class _Refused(Exception):
    """Names what a pickle asked for."""


class _Dtype:
    def __init__(self, code: str, *_flags) -> None:
        self.code = str(code)

    def __setstate__(self, state: tuple) -> None:
        self.code = f"{state[1]}{self.code}"  # the byte order; nothing else of the state is used


class _Array:
    def __init__(self, *_arguments) -> None:
        self.filled: object = self  # until its state comes

    def __setstate__(self, state: tuple) -> None:
        _version, shape, dtype, fortran, data = state
        self.filled = _array(data, dtype, shape, "F" if fortran else "C")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        found = {  # made anew each time, because a pickle can write to functions
            "numpy.ndarray": _Array,
            "numpy.dtype": _Dtype,
            "numpy._core.multiarray._reconstruct": lambda *_: _Array(),
            "numpy._core.multiarray.scalar": lambda dtype, data: _array(data, dtype, (1,), "C")[0],
            "numpy._core.numeric._frombuffer": lambda data, dtype, shape, order: _array(data, dtype, shape, order),
            "_codecs.encode": lambda text, _encoding: text.encode("latin1"),  # protocol 2 writes bytes so
            "builtins.bytes": lambda: b"",  # protocols up to 2 write no bytes so
            "builtins.set": set,
            "builtins.frozenset": frozenset,
        }.get(f"{module.replace('numpy.core', 'numpy._core').replace('__builtin__', 'builtins')}.{name}")
        if found is None:
            raise _Refused(f"{module}.{name}")
        return found


def _array(data: bytes | bytearray | str, dtype: _Dtype, shape: tuple, order: Literal["C", "F"]) -> np.ndarray:
    kind = np.dtype(dtype.code)
    if kind.kind not in "biuf":  # booleans, integers, floats
        raise _Refused(f"an array of {kind}")
    raw = data.encode("latin1") if isinstance(data, str) else data  # Python 2 wrote text
    return np.frombuffer(raw, kind).reshape(shape, order=order)


def _plain(value: object) -> object:
    """The value with its arrays. A container that holds itself fails."""
    value = value.filled if isinstance(value, _Array) else value
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(_plain(item) for item in value)
    if value is None or isinstance(value, bool | int | float | str | bytes | bytearray | np.generic | np.ndarray):
        return value
    raise _Refused(type(value).__name__.strip("_"))

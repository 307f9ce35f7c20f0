"""Reads pickles of numbers and plain containers without running anything that they ask for.

A pickle is a program that may call whatever it names. Here it reaches only the names on a short list, and no others are
looked up. numpy's classes are replaced by stand-ins, because numpy's own ``dtype.__setstate__`` trusts the flags that
it is given. What a few bytes can blow up is bounded by the size of the file: the reader is Python's own and not the one
in C, whose memo is an array as long as a file says.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from core.errors import FootlightError, reason

_COMPRESSED = {b"\x78\x01": "zlib", b"\x78\x5e": "zlib", b"\x78\x9c": "zlib", b"\x78\xda": "zlib", b"\x1f\x8b": "gzip"}
_COMPRESSED |= {b"BZ": "bzip2", b"\xfd7": "xz", b"\x5d\x00": "lzma", b"\x04\x22": "lz4"}
"""How joblib and others compress, by the first two bytes of a file. No pickle begins so."""

_PLAIN_DTYPE = re.compile(r"[<>|=]?(?:[?bBhHiIlLqQefdO]|b1|[iu][1248]|f[248]|O8)")
_SCALARS = (str, bytes, bool, int, float, type(None), np.generic)


def load(path: Path) -> object:
    """The contents of a pickle of any protocol, Python 2's and joblib's included.

    They may be None, booleans, numbers, text, bytes, lists, tuples, sets, dicts and read-only numpy arrays of numbers.
    Arrays of objects become lists.

    Raises FootlightError with the file's name when it cannot be read, is compressed, is damaged or holds anything else.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FootlightError(f"{path}: cannot be read ({error.strerror}); check the file") from None
    return loads(data, path)


def loads(data: bytes, path: Path) -> object:
    """The contents of a pickle's bytes, as ``load`` gives those of a file. ``path`` is named in messages."""
    if (kind := _COMPRESSED.get(data[:2])) is not None:
        raise FootlightError(
            f"{path}: is compressed ({kind}), as joblib writes it; save it again without compression: "
            "pickle.dump(joblib.load(OLD), open(NEW, 'wb'))"
        )
    try:
        return _Plain().of(_Unpickler(data).load())
    except _Refused as error:
        if str(error).startswith("torch."):
            raise FootlightError(
                f"{path}: holds tensors of PyTorch, which are not read here; save them as arrays: tensor.cpu().numpy()"
            ) from None
        raise FootlightError(
            f"{path}: is not plain data: it asks for {error}, which is not run here; expected a pickle of numpy "
            "arrays and plain containers. Do not open this file with other programs either, unless you made it"
        ) from None
    except Exception as error:  # a damaged pickle can fail in any of its instructions
        raise FootlightError(f"{path}: is damaged or no pickle ({reason(error)}); download it again") from None


class _Refused(Exception):
    """Names what a pickle asked for."""


class _Dtype:
    def __init__(self, code: str, *_flags: object) -> None:
        self.code = str(code)

    def __setstate__(self, state: tuple) -> None:
        self.code = f"{state[1]}{self.code}"  # the byte order; nothing else of the state is used


class _Array:
    def __init__(self, bytes_of: Callable[[object], object] | None = None, *_arguments: object) -> None:
        self.bytes_of = bytes_of
        self.filled: object = self  # until its state comes

    def __setstate__(self, state: tuple) -> None:
        _version, shape, dtype, fortran, data = state
        assert self.bytes_of is not None
        self.filled = _array(self.bytes_of(data), dtype, shape, "F" if fortran else "C")


class _JoblibArray:
    """joblib's mark in the pickle for an array whose bytes follow it."""

    def __setstate__(self, state: dict) -> None:
        self.shape, self.dtype, self.order = state["shape"], state["dtype"], state["order"]
        self.aligned = state.get("numpy_array_alignment_bytes") is not None


class _Unpickler(pickle._Unpickler):  # the reader in Python; the public one is in C
    dispatch: ClassVar[dict] = dict(pickle._Unpickler.dispatch)

    if TYPE_CHECKING:  # what the standard library's reader has besides
        stack: list
        read: Callable[[int], bytes]
        append: Callable[[object], None]

    def __init__(self, data: bytes) -> None:
        self._data, self._left = io.BytesIO(data), len(data)
        super().__init__(self._data, encoding="latin1")

    def find_class(self, module: str, name: str) -> object:
        found = {  # made anew each time, because a pickle can write to functions
            "numpy.ndarray": _Array,
            "numpy.dtype": _Dtype,
            "numpy._core.multiarray._reconstruct": lambda *_: _Array(self._bytes_of),
            "numpy._core.multiarray.scalar": lambda dtype, data: _numbers(self._bytes_of(data), dtype, (1,), "C")[0],
            "numpy._core.numeric._frombuffer": lambda data, dtype, shape, order: _numbers(data, dtype, shape, order),
            "_codecs.encode": lambda text, _encoding: self._bytes_of(text),  # protocol 2 writes bytes so
            "builtins.bytes": lambda: b"",  # protocols up to 2 write no bytes so
            "builtins.set": lambda items=(): set(_keys(self._once(items))),
            "builtins.frozenset": lambda items=(): frozenset(_keys(self._once(items))),
            "builtins.dict": lambda: {},
            "builtins.list": lambda: [],
            "collections.OrderedDict": lambda: {},
            "collections.defaultdict": lambda *_: {},
            "joblib.numpy_pickle.NumpyArrayWrapper": _JoblibArray,
        }.get(f"{module.replace('numpy.core', 'numpy._core').replace('__builtin__', 'builtins')}.{name}")
        if found is None:
            raise _Refused(f"{module}.{name}"[:200])
        return found

    def _once(self, copied: Any) -> Any:
        """What a call copies. All that are copied are no longer than the file, or one text is copied many times."""
        self._left -= len(copied)
        if self._left < 0:
            raise _Refused("more copies than it holds")
        return copied

    def _bytes_of(self, data: Any) -> Any:
        """Text as the bytes that it stands for; Python 2 wrote text."""
        return self._once(data).encode("latin1") if isinstance(data, str) else data

    def load_build(self) -> None:
        super().load_build()  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(self.stack[-1], _JoblibArray):
            self.stack[-1] = self._joblib_array(self.stack[-1])

    def _joblib_array(self, mark: _JoblibArray) -> object:
        if mark.aligned:
            self.read(self.read(1)[0])
        wide = np.dtype(_code(mark.dtype, "biuf")).itemsize
        count = 1
        for length in mark.shape:
            count *= length
        return _numbers(self.read(count * wide), mark.dtype, mark.shape, "F" if mark.order == "F" else "C")

    def load_bytearray8(self) -> None:
        # Python's own makes room for as many bytes as the file says
        size = int.from_bytes(self.read(8), "little")
        self.append(bytearray(self.read(min(size, len(self._data.getbuffer())))))

    def load_setitem(self) -> None:
        _keys(self.stack[-2:-1])
        super().load_setitem()  # pyright: ignore[reportAttributeAccessIssue]

    def load_setitems(self) -> None:
        _keys(self.stack[::2])
        super().load_setitems()  # pyright: ignore[reportAttributeAccessIssue]

    def load_dict(self) -> None:
        _keys(self.stack[::2])
        super().load_dict()  # pyright: ignore[reportAttributeAccessIssue]

    def load_additems(self) -> None:
        _keys(self.stack)
        super().load_additems()  # pyright: ignore[reportAttributeAccessIssue]

    def load_frozenset(self) -> None:
        _keys(self.stack)
        super().load_frozenset()  # pyright: ignore[reportAttributeAccessIssue]

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.DICT[0]] = load_dict
    dispatch[pickle.ADDITEMS[0]] = load_additems
    dispatch[pickle.FROZENSET[0]] = load_frozenset


def _keys(items: Any) -> Any:
    """The items, which become keys. A tuple of tuples of tuples could take longer to hash than the sun will shine."""
    for item in items:
        for part in item if isinstance(item, tuple) else (item,):
            if not isinstance(part, _SCALARS):
                raise _Refused(f"a key of {type(part).__name__.strip('_')}")
    return items


def _code(dtype: _Dtype, kinds: str) -> str:
    """The code of a dtype. Refuses those of other kinds: b(ool), i(nteger), u(nsigned), f(loat), O(bject)."""
    if not _PLAIN_DTYPE.fullmatch(dtype.code) or np.dtype(dtype.code).kind not in kinds:
        raise _Refused(f"an array of {dtype.code[:40]}")
    return dtype.code


def _array(data: object, dtype: _Dtype, shape: tuple, order: Literal["C", "F"]) -> object:
    if np.dtype(_code(dtype, "biufO")).kind == "O":
        return _objects(data, shape)
    return _numbers(data, dtype, shape, order)


def _numbers(data: Any, dtype: _Dtype, shape: tuple, order: Literal["C", "F"]) -> np.ndarray:
    return np.frombuffer(data, np.dtype(_code(dtype, "biuf"))).reshape(shape, order=order)


def _objects(data: object, shape: tuple) -> object:
    """The one object of an array without dimensions, in which numpy saves a dict, or a list of all."""
    if not isinstance(data, list) or len(shape) > 1 or len(data) != (shape[0] if shape else 1):
        raise _Refused(f"an array of objects {str(shape)[:40]}")
    return data if shape else data[0]


class _Plain:
    """Containers with their arrays. Each is made once, however often it is held."""

    def __init__(self) -> None:
        self._made: dict[int, object] = {}

    def of(self, value: object) -> object:
        """The value with its arrays. Fails for a container that holds itself."""
        if isinstance(value, _Array):
            if value.filled is value:
                raise _Refused("an array without contents")
            return self.of(value.filled)
        if isinstance(value, dict | list | tuple):
            if id(value) not in self._made:
                self._made[id(value)] = _Refused
                self._made[id(value)] = self._contents(value)
            made = self._made[id(value)]
            if made is _Refused:
                raise ValueError("it holds itself")
            return made
        if isinstance(value, (*_SCALARS, set, frozenset, bytearray, np.ndarray)):
            return value
        raise _Refused(type(value).__name__.strip("_"))

    def _contents(self, value: dict | list | tuple) -> object:
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        return type(value)(self.of(item) for item in value)

"""Read the arrays that the engine leaves in a safetensors file, with numpy alone.

The format: eight bytes (little-endian length n), n bytes of JSON that name every array with its type, shape and
byte range, then the bytes. https://github.com/huggingface/safetensors describes it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..errors import UserError

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the metadata of a safetensors file. Raises UserError when the file is cut short or foreign."""
    data = Path(path).read_bytes()
    try:
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        metadata = header.pop("__metadata__", {})
        arrays = {}
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            values = np.frombuffer(data[8 + size + start : 8 + size + end], TYPES[entry["dtype"]])
            arrays[name] = values.reshape(entry["shape"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"The engine's result {path} cannot be read ({error}). Generate the dance again.") from None
    return arrays, metadata

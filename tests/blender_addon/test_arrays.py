"""The add-on's reader against the safetensors library."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from blender_addon.engine import arrays
from blender_addon.errors import UserError


def test_reads_what_the_library_writes(tmp_path):
    generator = np.random.default_rng(0)
    written = {
        "rotations": generator.normal(size=(7, 22, 4)).astype(np.float32),
        "contacts": generator.normal(size=(7, 4)).astype(np.float16),
        "downbeats": np.array([1, 0, 255], dtype=np.uint8),
        "counts": np.array([[-5, 2**40]], dtype=np.int64),
        "known": np.array([True, False]),
        "empty": np.zeros((0, 3), dtype=np.float32),
    }
    save_file(written, tmp_path / "a.safetensors", metadata={"fps": "30", "model": "läuft"})
    found, metadata = arrays.read(tmp_path / "a.safetensors")
    assert metadata == {"fps": "30", "model": "läuft"}
    assert found.keys() == written.keys()
    for name, values in written.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-4], lambda data: data[:20], lambda data: b"", lambda data: b"x" * 99]
)
def test_a_damaged_file_is_a_clear_error(tmp_path, damage):
    path = tmp_path / "a.safetensors"
    save_file({"rotations": np.ones((2, 22, 4), dtype=np.float32)}, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match="cannot be read"):
        arrays.read(path)

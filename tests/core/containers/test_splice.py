"""Pieces of a file read as one: against the same bytes in memory."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.containers.splice import Spliced

DATA = bytes(range(256))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("splice") / "file"
    path.write_bytes(DATA)
    return path


pieces = st.lists(
    st.one_of(
        st.binary(max_size=20), st.integers(0, 255).flatmap(lambda at: st.tuples(st.just(at), st.integers(0, 256 - at)))
    ),
    max_size=6,
)
moves = st.lists(st.tuples(st.integers(0, 300), st.sampled_from([0, 1, 2]), st.integers(0, 300)), max_size=8)


@given(pieces=pieces, moves=moves)
def test_it_reads_as_the_bytes_do(path, pieces, moves):
    whole = b"".join(piece if isinstance(piece, bytes) else DATA[piece[0] :][: piece[1]] for piece in pieces)
    memory = io.BytesIO(whole)
    with Spliced(path, pieces) as spliced:
        for offset, whence, count in moves:
            assert spliced.seek(offset, whence) == memory.seek(offset, whence)
            assert spliced.read(count) == memory.read(count)
            assert spliced.tell() == memory.tell()

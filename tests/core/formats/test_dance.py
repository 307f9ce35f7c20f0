"""Dances as files of arrays: whole, readable without Footlight, and the same bytes for the same dance."""

import hashlib
import zipfile

import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.formats import dance
from core.formats.motion import read_motion
from core.motion.skeleton import SMPL22
from core.results import Dance
from core.types import Beats
from tests.core.motion.rigs import dance as dancing


@pytest.fixture(scope="module")
def made() -> Dance:
    beats = Beats(torch.tensor([0.5, 1.0, 1.5]), 120.0, torch.tensor([True, False, False]))
    return Dance(dancing(2.0, 24.0), beats, {}, "salsa")


def test_it_holds_the_dance_and_where_it_comes_from(made, tmp_path):
    dance.write(tmp_path / "a.npz", made, seed="7", model="default")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        held = dict(file)
    np.testing.assert_array_equal(held["rotations"], made.motion.rotations.float())
    np.testing.assert_array_equal(held["root"], made.motion.root.float())
    assert held["rotations"].dtype == held["root"].dtype == np.float32
    assert (held["fps"], held["beats"].tolist(), held["downbeats"].tolist()) == (24.0, [0.5, 1.0, 1.5], [1, 0, 0])
    assert tuple(held["joints"]) == SMPL22.names and tuple(held["parents"]) == SMPL22.parents
    np.testing.assert_array_equal(held["offsets"], SMPL22.offsets)
    texts = {name: str(held[name]) for name in ("seed", "model", "style", "tempo")}
    assert texts == {"seed": "7", "model": "default", "style": "salsa", "tempo": "120.000"}
    with zipfile.ZipFile(tmp_path / "a.npz") as file:
        assert file.testzip() is None


def test_the_same_dance_is_the_same_bytes(made):
    first, again, other = (dance.encoded(made, seed=seed) for seed in ("1", "1", "2"))
    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest() and first != other


def test_it_is_read_back_as_it_was(made, tmp_path):
    dance.write(tmp_path / "a.npz", made)
    found = read_motion(tmp_path / "a.npz").motion
    torch.testing.assert_close(found.rotations, made.motion.rotations.float(), atol=1e-6, rtol=0)
    assert torch.equal(found.root, made.motion.root.float()) and found.fps == 24.0


def test_arrays_of_a_motion_come_back(made):
    found = dance.motion_of(dance.motion_arrays(made.motion))
    assert torch.equal(found.rotations, made.motion.rotations.float()) and found.contacts is None
    contacts = torch.rand(made.motion.frames, 4)
    moving = type(made.motion)(made.motion.rotations, made.motion.root, 24.0, contacts)
    assert torch.equal(dance.motion_of(dance.motion_arrays(moving)).contacts, contacts)


def test_a_place_that_is_not_there_is_said(made, tmp_path):
    with pytest.raises(FootlightError, match="cannot be written"):
        dance.write(tmp_path / "none" / "a.npz", made)

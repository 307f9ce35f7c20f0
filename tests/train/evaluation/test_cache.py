"""Dances are made once, and found again by what made them."""

from dataclasses import replace

import torch

from core.formats.motion import MotionClip
from core.types import Motion
from tests.train.evaluation.material import excerpt, swaying
from train.evaluation.cache import Cache
from train.evaluation.dance import systems


def test_the_cache_gives_back_what_was_made(tmp_path):
    cache = Cache(tmp_path, quiet=True)
    motion = swaying(100, 3.0)
    track = MotionClip(torch.rand(20, 14, 2), 25.0)
    for name, value in (("motion", motion), ("track", track), ("none", None)):
        made = [cache.get(name, lambda value=value: value) for _ in range(2)]
        assert type(made[1]) is type(value)
        if isinstance(value, Motion):
            assert torch.equal(made[1].rotations, value.rotations) and torch.equal(made[1].contacts, value.contacts)
            assert made[1].fps == value.fps
        if isinstance(value, MotionClip):
            assert torch.equal(made[1].positions, value.positions)
    assert (cache.made, cache.found) == (3, 3)
    path = tmp_path / "motion.npz"
    path.write_bytes(path.read_bytes()[:50])
    assert torch.equal(cache.get("motion", lambda: motion).root, motion.root) and cache.made == 4


def test_another_sound_seed_or_system_is_another_dance():
    a, b = excerpt(100), excerpt(101)
    one = systems.System("one", "key", lambda song, seed: None, "")
    other = replace(one, key="other")
    keys = [one.cache_key(a, 0), one.cache_key(b, 0), one.cache_key(a, 1), other.cache_key(a, 0)]
    assert len(set(keys)) == 4 and keys[0] == replace(one, name="renamed").cache_key(excerpt(100), 0)

"""The theatre paper's split of a data set: 7 : 1 : 2 for training, validation and tests (section 5.1)."""

from __future__ import annotations

import hashlib

from train.data.dataset import Pair

TENTHS = {"train": 7, "val": 1, "test": 2}


def seven_one_two(pairs: dict[str, list[Pair]]) -> dict[str, list[Pair]]:
    """All pairs in new splits, whatever their splits were. What was recorded together stays together.

    Where a group belongs is decided by a digest of its name, so it is the same in every run, and of any other data.
    """
    bounds = [name for name, count in TENTHS.items() for _ in range(count)]
    made: dict[str, list[Pair]] = {name: [] for name in TENTHS}
    for pair in (pair for some in pairs.values() for pair in some):
        digest = hashlib.blake2b((pair.group or pair.motion_name).encode(), digest_size=8).digest()
        made[bounds[int.from_bytes(digest, "little") % len(bounds)]].append(pair)
    return made

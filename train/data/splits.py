"""Splits of a data set: the theatre paper's, 7 : 1 : 2 for training, validation and tests (section 5.1); and what
serves where nothing is held out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

from core.errors import FootlightError
from train.data.dataset import Pair

T = TypeVar("T")

LONGEST = 8  # of what is trained on, where nothing is held out
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


def trained_on(splits: dict[str, list[T]]) -> dict[str, list[T]]:
    """The splits. Where all is held out, as one capture in ten is that comes alone, it is trained on instead."""
    return splits if splits["train"] else splits | {"train": splits["val"], "val": []}


def validated_on(splits: dict[str, list[T]], what: str, length: Callable[[T], int]) -> dict[str, list[T]]:
    """The splits. Where nothing is held out, as of a few captures of one's own, the longest of what is trained on is
    validated on too, and that is printed.

    what: they hold, for people.
    length: of one of them.
    """
    if splits["val"] or not splits["train"]:
        return splits
    print(f"no {what} are held out: validation is on what is trained on, and says nothing of what was never seen")
    return splits | {"val": sorted(splits["train"], key=length, reverse=True)[:LONGEST]}


def croppable(
    splits: dict[str, list[T]], what: str, length: Callable[[T], int], frames: int, fps: float
) -> dict[str, list[T]]:
    """The splits without what is shorter than a crop of it, validated as ``validated_on`` says.

    what, length: as of ``validated_on``.
    frames: of a crop.
    fps: frames per second.

    Raises FootlightError if nothing to train on is left.
    """
    long = {split: [one for one in some if length(one) >= frames] for split, some in splits.items()}
    if not long["train"]:
        longest = max((length(one) for one in splits["train"]), default=0) / fps
        raise FootlightError(
            f"the {what} to train on last {longest:.1f} s at most, and {frames / fps:.1f} s are needed; "
            "prepare longer ones"
        )
    return validated_on(long, what, length)

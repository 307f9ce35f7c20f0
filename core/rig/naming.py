"""What the names of joints say: on which side a joint is, and which part of a body."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from .families import FAMILIES, PREFIXES
from .skeleton import Skeleton

_SIDES = {
    "left": "left",
    "l": "left",
    "lt": "left",
    "right": "right",
    "r": "right",
    "rt": "right",
    "左": "left",
    "右": "right",
}
_PARTS = {part for family in FAMILIES.values() for names in family for part in names}

COMMON = 0.6
"""Share of all names: a word at which more begin or end tells nothing about the joint."""

MOST_AFFIXES = 3
"""So many words are taken off each end of a name at most."""

NUMBERED = 0.8
"""Share of all names: where more end with a number that no other has, numbers tell nothing about the joint."""

_NUMBERED = re.compile(r"(.+)_(\d+)$")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[左右]|[^\W\d_A-Za-z左右]+")


@lru_cache(maxsize=8192)
def side_and_part(name: str) -> tuple[str, str]:
    """Split a joint's name into its side ("left", "right" or "") and the rest.

    The rest is in lower case, without separators and known prefixes.
    """
    return parsed(name)[1:]


@lru_cache(maxsize=8192)
def parsed(name: str) -> tuple[str, str, str]:
    """Split a joint's name into (known prefixes, side, part)."""
    words = [word.lower() for word in _WORD.findall(name.rsplit(":", 1)[-1].rsplit("|", 1)[-1])]
    prefix = ""
    while len(words) > 1 and (words[0] in PREFIXES or words[0].isdigit()):
        prefix, words = prefix + words[0], words[1:]
    for at, word in enumerate(words):
        if word in _SIDES and len(words) > 1:
            return prefix, _SIDES[word], "".join(words[:at] + words[at + 1 :])
    joined = "".join(words)
    for letter, side in (("l", "left"), ("r", "right")):  # lfemur, rtibia
        if joined.startswith(letter) and any(joined[1:] in part for part in FAMILIES["acclaim"]):
            return prefix, side, joined[1:]
    for start, side in (("left", "left"), ("right", "right"), ("l", "left"), ("r", "right")):  # leftupleg, lthigh
        if joined not in _PARTS and joined.startswith(start) and joined.removeprefix(start) in _PARTS:
            return prefix, side, joined.removeprefix(start)
    return prefix, "", joined


@lru_cache(maxsize=8)
def plain_names(skeleton: Skeleton) -> tuple[str, ...]:
    """The names without the words that most of them begin or end with: a character's name, ``jnt``, ``001``, and
    without the numbers that Sketchfab gives to the nodes of a file."""
    bare = _without_numbers(skeleton.names)
    words = [_WORD.findall(name) for name in bare]
    for end in (0, -1):
        for _ in range(MOST_AFFIXES):
            found = Counter(line[end].lower() for line in words if len(line) > 1)
            word, count = found.most_common(1)[0] if found else ("", 0)
            if count < COMMON * len(words) or word in _SIDES:
                break
            words = [_without(line, end) if line[end].lower() == word else line for line in words]
    plain = ("_".join(line) for line in words)
    return tuple(n if _WORD.findall(n) == line else p for n, p, line in zip(bare, plain, words, strict=True))


def _without_numbers(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names as they were before each got a number of its own at its end; the same names where most have none."""
    numbered = [found for name in names if (found := _NUMBERED.match(name))]
    if len(numbered) < NUMBERED * len(names) or len({found[2] for found in numbered}) < NUMBERED * len(names):
        return names
    return tuple(found[1] if (found := _NUMBERED.match(name)) else name for name in names)


def _without(words: list[str], end: int) -> list[str]:
    if len(words) < 2:
        return words
    return words[1:] if end == 0 else words[:-1]

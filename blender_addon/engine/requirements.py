"""Requirements such as "torch>=2.6", and the versions that meet them. Standard library alone, for the installer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


def unmet(versions: Mapping[str, str], requirements: Iterable[str]) -> list[str]:
    """The requirements, such as "torch>=2.6", that installed versions do not meet."""
    return [requirement for requirement in requirements if not _met(requirement, versions)]


def name_of(requirement: str) -> str:
    """The package that a requirement names: "mido>=1.3" is mido."""
    return re.split(r"[^\w-]", requirement)[0].replace("-", "_")


def _met(requirement: str, versions: Mapping[str, str]) -> bool:
    found = versions.get(name_of(requirement))
    if not found:
        return False
    least = re.search(r">=\s*([\d.]+)", requirement)
    return least is None or numbers(found) >= numbers(least[1])


def numbers(version: str) -> tuple[int, ...]:
    """The release of a version as numbers: "2.13.0+cpu" is 2, 13."""
    release = re.match(r"[\d.]*", version)
    parts = [int(part) for part in (release[0] if release else "").split(".") if part]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)

"""Lets systems perform, from the cache where possible. A system that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import FootlightError
from train.evaluation.cache import Cache, K, Made
from train.evaluation.dance.material import Excerpt
from train.evaluation.dance.systems import System


class Performance:
    """Lets systems dance and play, and keeps a list of failures."""

    def __init__(self, cache: Cache) -> None:
        self.cache, self.failures = cache, []

    def dance(self, system: System, song: Excerpt, seed: int) -> Made | None:
        """The dance, or None when the system failed."""
        return self.attempt(
            system.name, song.name, seed, system.cache_key(song, seed), lambda: system.dance(song, seed)
        )

    def attempt(self, system: str, piece: str, seed: int, key: str | None, make: Callable[[], K]) -> K | None:
        """The value kept under ``key``, or made now. None when that failed, for whatever reason.

        key: None keeps nothing.
        """
        try:
            return make() if key is None else self.cache.get(key, make)
        except Exception as error:
            reason = str(error) if isinstance(error, FootlightError) else f"{type(error).__name__}: {error}"
            self.failures.append({"system": system, "song": piece, "seed": seed, "reason": reason})
            return None

"""Where systems perform: from the cache where they can, and nobody's failure costs the others."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import FootlightError
from train.evaluation.cache import Cache, Kept, Made
from train.evaluation.dance.material import Excerpt
from train.evaluation.dance.systems import System


class Performance:
    """Lets systems dance and play, and remembers who failed at what."""

    def __init__(self, cache: Cache):
        self.cache, self.failures = cache, []

    def dance(self, system: System, song: Excerpt, seed: int) -> Made | None:
        """The dance, or None where the system failed."""
        return self.attempt(
            system.name, song.name, seed, system.cache_key(song, seed), lambda: system.dance(song, seed)
        )

    def attempt(self, system: str, piece: str, seed: int, key: str | None, make: Callable[[], Kept]) -> Kept | None:
        """What is kept under ``key`` or made now, None where that failed, whatever the reason. No key keeps nothing."""
        try:
            return make() if key is None else self.cache.get(key, make)
        except Exception as error:
            reason = str(error) if isinstance(error, FootlightError) else f"{type(error).__name__}: {error}"
            self.failures.append({"system": system, "song": piece, "seed": seed, "reason": reason})
            return None

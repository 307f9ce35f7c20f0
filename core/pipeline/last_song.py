"""The song that was heard last, which is not heard again for other takes to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core import progress
from core.errors import collected_warnings, warn
from core.files import file_digest
from core.pipeline.beats import beats_given
from core.pipeline.dance import HeardSong, hear_song
from core.pipeline.lit_dance import HEARD_LIT
from core.pipeline.lit_song import LitSong, hear_lit
from core.pipeline.model import Model
from core.pipeline.sound import Sound
from core.protocol import DanceRequest, Song, TheatreRequest
from core.types import Waveform

READ = 0.02  # of a request at which its song or motion is read
LOADED = 0.05  # and at which the model is there


@dataclass(frozen=True)
class _Heard:
    """A song as it was heard.

    key: of what it was made.
    warnings: what the user was told of it.
    lit: the same song with what light needs of it, once that was wanted.
    """

    key: tuple
    song: HeardSong
    warnings: tuple[str, ...]
    lit: LitSong | None = None


class LastSong:
    """Hears the songs of requests, and keeps the last one.

    loaded: the model, of which loading reports progress from one fraction of the request to another.
    read: the song of a request, of which reading reports progress up to a fraction of the request.
    """

    def __init__(self, loaded: Callable[[float, float], Model], read: Callable[[Song, float], Waveform]) -> None:
        self._loaded, self._read_song = loaded, read
        self._heard: _Heard | None = None

    def forget(self) -> None:
        """Keep no song."""
        self._heard = None

    def song(self, request: DanceRequest, digest: str, end: float) -> HeardSong:
        """The song as the model hears it.

        digest: of its file.
        end: the fraction of the request at which it is heard.
        """
        if (kept := self._recall(request, digest)) is not None:
            return kept.song
        sound, said = self._read(request)
        return self._hear(request, digest, sound, said, end).song

    def lit(self, request: TheatreRequest, digest: str, end: float) -> LitSong:
        """As ``song``, with what light needs of the song."""
        kept = self._recall(request, digest)
        if kept is not None and kept.lit is not None:
            return kept.lit
        sound, said = self._read(request)
        heard_at = LOADED + HEARD_LIT * (end - LOADED)
        kept = kept or self._hear(request, digest, sound, said, heard_at)
        model = self._loaded(READ, LOADED)
        with progress.part(heard_at, end, "Listening to the music"):
            lit = hear_lit(model, sound, kept.song)
        self._heard = replace(kept, lit=lit)
        return lit

    def _read(self, request: Song) -> tuple[Sound, list[str]]:
        """The song of a request, and what reading it warned of."""
        with collected_warnings() as said:
            return Sound(self._read_song(request, READ)), said

    def _recall(self, request: DanceRequest | TheatreRequest, digest: str) -> _Heard | None:
        """What is kept of the song of a request, if it was heard last, with the warnings of then."""
        if self._heard is None or self._heard.key != _key(request, digest):
            return None
        for text in self._heard.warnings:
            warn(text)
        return self._heard

    def _hear(
        self, request: DanceRequest | TheatreRequest, digest: str, sound: Sound, said: list[str], end: float
    ) -> _Heard:
        """Hear the song of a request, and keep what was heard.

        said: what reading it warned of.
        digest, end: as of ``song``.
        """
        self._heard = None
        with collected_warnings() as more:
            beats = beats_given(request, sound.song.seconds)
            model = self._loaded(READ, LOADED)
            with progress.part(LOADED, end):
                song = hear_song(model, sound, beats)
        self._heard = _Heard(_key(request, digest), song, (*said, *more))
        for text in self._heard.warnings:
            warn(text)
        return self._heard


def _key(request: DanceRequest | TheatreRequest, digest: str) -> tuple:
    """What tells apart how songs are heard.

    digest: of the song's file.
    """
    return digest, request.start, request.seconds, request.beats and digest_of(request.beats)


def digest_of(path: str) -> str:
    """The SHA-256 of a file; empty where it cannot be read, which whoever reads it for its content will say."""
    try:
        return file_digest(path)
    except OSError:
        return ""

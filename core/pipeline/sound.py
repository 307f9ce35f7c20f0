"""A song as models take it: at their rates and as a log-mel."""

from __future__ import annotations

from functools import cached_property

from torch import Tensor

from core.audio.io import resample
from core.audio.onsets import RHYTHM_RATE, rhythm_mel, rhythm_signal
from core.config import Config
from core.types import Waveform


class Sound:
    """A song, of which what is calculated is calculated once, when it is first wanted.

    song: at its own rate.
    """

    def __init__(self, song: Waveform) -> None:
        self.song = song
        self._at: dict[int, Waveform] = {song.rate: song}

    def at(self, rate: int) -> Waveform:
        """The song at so many Hz."""
        if rate not in self._at:
            self._at[rate] = resample(self.song, rate)
        return self._at[rate]

    @cached_property
    def rhythm_mel(self) -> Tensor:
        """The log-mel (t, m) from which its rhythm is heard (``core.audio.onsets``)."""
        return rhythm_mel(self.at(RHYTHM_RATE).samples)

    def mel_of(self, config: Config) -> Tensor | None:
        """The log-mel (t, m) of a model, if its rhythm is heard from the same one; else None."""
        signal, music = config.signal, config.modalities["music"]
        same = signal.audio_rate == RHYTHM_RATE and signal.spectrogram == rhythm_signal().spectrogram
        return self.rhythm_mel if same and music.representation == "mel" else None


def sounding(song: Waveform | Sound) -> Sound:
    """The song, if need be as a new ``Sound``."""
    return song if isinstance(song, Sound) else Sound(song)

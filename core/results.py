"""The results of generation: a dance, a score, a duet of both, light for a song, or a dance with its light."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.show.show import Show
from core.types import Beats, Motion, Waveform


@dataclass(frozen=True)
class Dance:
    """A finished dance.

    motion: at the requested frame rate, as long as the song to within one frame.
    beats: of the song.
    metrics: ``beat``, the calibrated beat alignment (0 is chance, 1 is perfect); ``beat_f``, the strict beat F-measure
        at 100 ms, and ``beat_f_chance``, its chance level; ``skating``, the fraction of contact frames in which a toe
        slides.
    style: the requested style or the one drawn, as in ``core.protocol.DanceOptions``; None for a model without styles.
    """

    motion: Motion
    beats: Beats
    metrics: dict[str, float]
    style: str | None = None


@dataclass(frozen=True)
class Score:
    """A finished score.

    sound: mono at the model's rate, exactly as long as the motion, before ``core.formats.music.mastered``.
    beats: of the rhythm target.
    mel: (t, m) log-mel.
    metrics: ``beat_f``, the F-measure at 70 ms of the beats tracked in the sound against those of the target, and
        ``beat_f_chance``, its chance level; ``beat``, its calibrated value (0 is chance, 1 is perfect); ``accents``,
        the fraction of the motion's kinematic beats with an onset within 70 ms, and ``accents_chance``.
    heard: the beats tracked in the sound.
    """

    sound: Waveform
    beats: Beats
    mel: Tensor
    metrics: dict[str, float]
    heard: Beats


@dataclass(frozen=True)
class Duet:
    """A dance and its music, of equal length.

    dance: its beats are those tracked in the music.
    music: the score.
    """

    dance: Dance
    music: Score


@dataclass(frozen=True)
class Light:
    """The light for a song.

    show: as long as the song to within one frame.
    beats: of the song.
    metrics: ``flashes``, the most flashes in any second (at most 3); ``pulse_f``, the strict F-measure of strokes of
        light against strong beats, and ``pulse_f_chance``, its chance level, where the look strikes; ``energy``, the
        correlation of the level with the dance's energy, and ``energy_chance``, where there is a dance.
    """

    show: Show
    beats: Beats
    metrics: dict[str, float]


@dataclass(frozen=True)
class LitDance:
    """A dance and its light, generated together or one for the other.

    dance: as it was given, if it was. Its metrics have ``energy_on_beats`` too, the kinetic energy on strong beats
        relative to its mean: above 1 it strikes, below 1 it arrives. If it is to strike, ``beat`` and its like, which
        count arrivals, are left out.
    light: as it was given, if it was; its metrics are told of this dance.
    accent: what the body does on a beat, "strike" or "arrive".
    """

    dance: Dance
    light: Light
    accent: str

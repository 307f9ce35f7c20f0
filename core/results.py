"""What Footlight makes: a dance, a score, or both."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.types import Beats, Motion, Waveform


@dataclass(frozen=True)
class Dance:
    """A finished dance. motion: at the fps that were asked for, as long as the song to one frame.  beats: of the song.

    style: that was asked for or drawn, as in ``core.protocol.DanceOptions``; None for a model without styles.

    metrics: ``beat`` is the calibrated beat alignment (0 chance, 1 perfect), ``beat_f`` the strict beat F-measure at
    100 ms with ``beat_f_chance`` beside it, ``skating`` the share of contact frames in which a toe slides.
    """

    motion: Motion
    beats: Beats
    metrics: dict[str, float]
    style: str | None = None


@dataclass(frozen=True)
class Score:
    """A finished score. sound: mono at the model's rate, exactly as long as the motion, as the decoder left it; see
    ``core.formats.music.mastered``.  beats: that the motion asked for.  mel: (t, m) natural log.  heard: the beats
    tracked in the sound.

    metrics: ``beat_f``, the F-measure at 70 ms of the beats that are heard in it against those that the motion asked
    for, with ``beat_f_chance`` beside it, and ``beat``, the same calibrated (0 chance, 1 perfect); ``accents``, the
    share of the motion's kinematic beats that an onset answers within 70 ms, with ``accents_chance``.
    """

    sound: Waveform
    beats: Beats
    mel: Tensor
    metrics: dict[str, float]
    heard: Beats


@dataclass(frozen=True)
class Duet:
    """A dance and its music, of one length. dance: its beats are those heard in the music."""

    dance: Dance
    music: Score

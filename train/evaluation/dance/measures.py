"""The measures of one dance, and the mean of many.

Every beat metric stands beside its chance level, which is the same dance against the same beats shifted at random
(``core.metrics.beat.with_chance``). Results are nested dictionaries. ``flat`` makes one row of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.formats.motion import MotionClip
from core.metrics import beat, footwork, form, physics, theatre
from core.motion import kinematics
from core.rhythm.accents import kinematic_onsets
from core.types import Beats, Motion
from train.evaluation.cache import Made
from train.evaluation.dance.material import tempo_of

PHYSICS = ("foot_skating", "pfc", "jerk", "speed", "wrong_bends")
FORM = ("sections", "correlation", "chance", "above")
FOOTWORK = ("steps", "still", "travel", "height_range", "knee_range", "frozen", "away", "inside")


@dataclass(frozen=True, eq=False)
class Clip:
    """One dance of one system, what it was danced to, and its measures.

    song: clips of one song share it. They are resampled and compared by it.
    """

    system: str
    song: str
    seed: int
    beats: Beats
    made: Made
    scores: dict = field(default_factory=dict)
    genre: str = ""

    @property
    def tempo(self) -> float:
        return tempo_of(self.beats, self.made.seconds)

    @property
    def band(self) -> str:
        """low, middle or high, as in the rows of Theatre's table; unknown when fewer than two beats were found."""
        return theatre.tempo_row(self.tempo) if self.tempo > 0 else "unknown"


def positions_of(made: Made) -> Tensor:
    """Joint positions (t, j, 2 or 3): of a motion in metres, of a track as they are."""
    return made.positions if isinstance(made, MotionClip) else kinematics.forward(made.rotations, made.root)


def beat_measures(made: Made, music: Beats, heard: Tensor | None = None) -> dict:
    """``core.metrics.beat.evaluate`` of a dance.

    Flat positions (t, j, 2) get a third coordinate of zero, which changes no speed. Their directions of movement are
    taken in the plane.

    heard: (n,) seconds, the onsets of the music as ``beat.evaluate`` finds them in a waveform. A song is then analysed
        once, and not once for each dance.
    """
    positions, seconds = positions_of(made), made.seconds
    result = beat.evaluate(_solid(positions), made.fps, music)
    onset = beat.within(kinematic_onsets(positions, made.fps).times.double(), seconds)
    if positions.shape[-1] == 2:
        beats = beat.within(beat.validate(music.times), seconds)
        result["onsets"] = len(onset)
        result["f_onsets_70ms"] = beat.with_chance(lambda times: beat.f_measure(onset, times), beats, seconds)
        result["momu_onsets"] = beat.coverage(lambda times: beat.tolerant(onset, times), beats, seconds)
    if heard is not None:
        heard = beat.within(heard.double(), seconds)
        loris = beat.coverage(lambda times: beat.per_second(onset, times, seconds), heard, seconds)
        result["loris_music_onsets"] = {**loris, "saturated": True}
        result["momu_music_onsets"] = beat.coverage(lambda times: beat.tolerant(onset, times), heard, seconds)
        result["f_music_onsets_70ms"] = beat.with_chance(lambda t: beat.f_measure(onset, t), heard, seconds)
    return result


def evaluate(made: Made, music: Beats, heard: Tensor | None = None, other: Beats | None = None) -> dict:
    """All measures of one dance.

    Returns ``beats``, ``other_song`` (against another song's beats, where nothing should be left), and ``physics``,
    ``footwork`` and ``theatre`` when there is a body.
    """
    result = {"beats": beat_measures(made, music, heard)}
    if other is not None:
        result["other_song"] = beat.evaluate(_solid(positions_of(made)), made.fps, other)
    if isinstance(made, Motion):
        found = physics.evaluate(made)
        result["physics"] = {name: found[name] for name in PHYSICS}
        result["footwork"] = footwork_of(made)
        result["theatre"] = theatre.evaluate(positions_of(made), made.fps, music.between(0, made.seconds))
    return result


def footwork_of(motion: Motion) -> dict[str, float]:
    """``core.metrics.footwork.evaluate``, without what the motion does not have: feet in the air are never frozen."""
    found = footwork.evaluate(motion)
    return {name: found[name] for name in FOOTWORK if math.isfinite(found[name])}


def form_of(made: Made, music: Beats, loudness: Tensor, others: Sequence[Tensor] = ()) -> dict[str, dict]:
    """``form``: ``core.metrics.form.evaluate`` of a dance where it is defined. Chance takes other songs."""
    found = form.evaluate(positions_of(made), made.fps, music, loudness, others)
    if not math.isfinite(found["correlation"]):
        return {}
    return {"form": {name: value for name, value in found.items() if math.isfinite(value)}}


def _solid(positions: Tensor) -> Tensor:
    flat = positions.shape[-1] == 2
    return torch.cat((positions, torch.zeros_like(positions[..., :1])), -1) if flat else positions


def average(clips: list[dict]) -> dict:
    """``core.metrics.beat.average`` of results of ``beat_measures``. What some of them lack is left out."""
    shared = set.intersection(*(set(clip) for clip in clips)) if clips else set()
    return beat.average([{name: value for name, value in clip.items() if name in shared} for clip in clips])


def mean_physics(rows: list[tuple[float, dict]]) -> dict[str, float]:
    """The mean of (seconds, physics) rows, weighted by the seconds."""
    return _weighted(rows, PHYSICS)


def mean_footwork(rows: list[tuple[float, dict]]) -> dict[str, float]:
    """The mean of (seconds, footwork) rows, weighted by the seconds of those that have it."""
    return _weighted(rows, FOOTWORK)


def _weighted(rows: list[tuple[float, dict]], names: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for name in names:
        known = [(seconds, row[name]) for seconds, row in rows if name in row]
        if known:
            found[name] = sum(seconds * value for seconds, value in known) / sum(seconds for seconds, _ in known)
    return found


def summary(clips: list[Clip]) -> dict:
    """The means of many dances of one system: beats, other_song, physics, footwork, theatre and form, as far as clips
    have them.
    """
    result: dict = {"clips": len(clips), "seconds": sum(clip.made.seconds for clip in clips)}
    result["beats"] = average([clip.scores["beats"] for clip in clips])
    rows = [clip.scores["other_song"] for clip in clips if "other_song" in clip.scores]
    if rows:
        result["other_song"] = average(rows)
    rows = [(clip.made.seconds, clip.scores["physics"]) for clip in clips if "physics" in clip.scores]
    if rows:
        result["physics"] = mean_physics(rows)
    rows = [(clip.made.seconds, clip.scores["footwork"]) for clip in clips if "footwork" in clip.scores]
    if rows:
        result["footwork"] = mean_footwork(rows)
    rows = [clip.scores["theatre"] for clip in clips if "theatre" in clip.scores]
    if rows:
        result["theatre"] = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
    rows = [(1.0, clip.scores["form"]) for clip in clips if "form" in clip.scores]
    if rows:
        result["form"] = _weighted(rows, FORM)
    return result


def phase(clips: list[Clip], bins: int = 40) -> list[float] | None:
    """Joint speed over its mean at ``bins`` phases from -1/2 to 1/2 of the beat, averaged over clips.

    Clips of fewer than four beats do not count. None when no clip is left.
    """
    curves = [curve for curve in (_phase(clip, bins) for clip in clips) if curve is not None]
    return np.mean(curves, axis=0).tolist() if curves else None


def _phase(clip: Clip, bins: int) -> np.ndarray | None:
    times = clip.beats.between(0, clip.made.seconds).times.double().numpy()
    if len(times) < 4:
        return None
    speed = positions_of(clip.made).double().diff(dim=0).norm(dim=-1).mean(dim=1).numpy()
    clock = (np.arange(len(speed)) + 0.5) / clip.made.fps
    place = np.arange(1, len(times) - 1)[:, None] + np.arange(bins) / bins - 0.5  # in beats, (beats, bins)
    at = np.interp(place, np.arange(len(times)), times)
    return np.interp(at, clock, speed).mean(axis=0) / max(speed.mean(), 1e-9)


def flat(scores: dict, above: str = "") -> dict[str, float]:
    """Nested measures as one row: ``{"beats": {"bas": {"value": 1}}}`` -> ``{"beats.bas.value": 1}``."""
    row: dict[str, float] = {}
    for name, value in scores.items():
        at = f"{above}.{name}" if above else name
        row |= flat(value, at) if isinstance(value, dict) else {at: value}
    return row


def look_up(scores: dict, path: str) -> Any:
    """A number by its dotted path, or None."""
    for name in path.split("."):
        if not isinstance(scores, dict) or name not in scores:
            return None
        scores = scores[name]
    return scores

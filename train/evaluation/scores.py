"""One dance's numbers, and many dances' as one.

Every beat score stands beside its chance level: the same dance against the same beats shifted at random
(``core.metrics.beat.with_chance``). Scores are dictionaries of dictionaries; ``flat`` makes one row of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.metrics import beat, physics
from core.motion import kinematics
from core.motion.directogram import hits, onsets
from core.types import Beats, Motion
from train.evaluation.cache import Made, Track
from train.evaluation.material import tempo_band, tempo_of

PHYSICS = ("foot_skating", "pfc", "jerk", "speed", "wrong_bends")
CALIBRATED = ("bas_bailando", "bas_aist", "bas_hits", "bas_theatre", "f_hits_70ms", "f_hits_100ms", "f_onsets_70ms")
COVERAGE = ("momu_onsets", "momu_hits", "momu_music_onsets", "loris_beats", "loris_music_onsets")


@dataclass(frozen=True, eq=False)
class Clip:
    """One dance of one system, with what it was danced to and its scores.

    song: what clips of one song share, by which they are resampled and compared.  made: None once it is not needed.
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
        return tempo_band(self.tempo)


def positions_of(made: Made) -> Tensor:
    """(t, j, 2 or 3): of a motion in metres, of a track as it is."""
    return made.positions if isinstance(made, Track) else kinematics.forward(made.rotations, made.root)


def beat_scores(made: Made, music: Beats, heard: Tensor | None = None) -> dict:
    """``core.metrics.beat.evaluate`` of a dance, with chance beside BCS and BHS too.

    heard: (n,) seconds, the onsets of the music, for the scores on them.  Flat positions (t, j, 2) get a third
    coordinate of zero, which changes no speed; the directions of their movement are taken in their one plane.
    """
    positions, seconds = positions_of(made), made.seconds
    flat = positions.shape[-1] == 2
    solid = torch.cat((positions, torch.zeros_like(positions[..., :1])), -1) if flat else positions
    result = beat.evaluate(solid, made.fps, music)
    onset = _within(onsets(positions, made.fps).times, seconds)
    hit = _within(hits(positions, made.fps).times, seconds)
    if flat:
        beats = _within(music.times, seconds)
        strict = beat.with_chance(lambda times: beat.f_measure(onset, times), beats, seconds)
        result |= {"onsets": len(onset), "f_onsets_70ms": strict}
    beats = _within(music.times, seconds)
    compared = {
        "momu_onsets": (beat.tolerant, onset, beats),
        "momu_hits": (beat.tolerant, hit, beats),
        "loris_beats": (lambda found, times: beat.per_second(found, times, seconds), hit, beats),
    }
    if heard is not None:
        heard = _within(heard, seconds)
        compared["momu_music_onsets"] = (beat.tolerant, onset, heard)
        compared["loris_music_onsets"] = (lambda found, times: beat.per_second(found, times, seconds), onset, heard)
    for name, (score, found, times) in compared.items():
        result[name] = _coverage(score, found, times, seconds)
    return result


def _coverage(score, found: Tensor, times: Tensor, seconds: float) -> dict[str, float]:
    both = [beat.with_chance(lambda t, i=i: score(found, t)[i], times, seconds) for i in range(2)]
    values = {name: one["value"] for name, one in zip(("bcs", "bhs"), both, strict=True)}
    return values | {f"{name}_chance": one["chance"] for name, one in zip(("bcs", "bhs"), both, strict=True)}


def evaluate(made: Made, music: Beats, heard: Tensor | None = None, other: Beats | None = None) -> dict:
    """Every score of one dance: ``beats``; ``other_song`` against another song's beats, where nothing should be left;
    ``physics`` where there is a body."""
    result = {"beats": beat_scores(made, music, heard)}
    if other is not None:
        result["other_song"] = beat.evaluate(_solid(made), made.fps, other)
    if isinstance(made, Motion):
        result["physics"] = {name: physics.evaluate(made)[name] for name in PHYSICS}
    return result


def _solid(made: Made) -> Tensor:
    positions = positions_of(made)
    return torch.cat((positions, torch.zeros_like(positions[..., :1])), -1) if positions.shape[-1] == 2 else positions


def average(clips: list[dict]) -> dict:
    """Many results of ``beat_scores`` as one: ``core.metrics.beat.average``, and the chance of BCS, BHS and F1.

    Onset scores are left out unless all have them.
    """
    shared = set.intersection(*(set(clip) for clip in clips)) if clips else set()
    clips = [{name: value for name, value in clip.items() if name in shared} for clip in clips]
    result = beat.average(clips)
    for name in shared.intersection(COVERAGE):
        pairs = [(clip[name]["bcs_chance"], clip[name]["bhs_chance"]) for clip in clips if "bcs_chance" in clip[name]]
        if pairs:
            chance = beat.coverage_and_hit(pairs)
            result[name] |= {f"{key}_chance": chance[key] for key in ("bcs", "bhs", "f1")}
    return result


def mean_physics(rows: list[tuple[float, dict]]) -> dict[str, float]:
    """Physics averaged over (seconds, scores), weighted by the seconds."""
    whole = sum(seconds for seconds, _ in rows)
    return {name: sum(seconds * row[name] for seconds, row in rows) / whole for name in PHYSICS}


def summary(clips: list[Clip]) -> dict:
    """Many dances of one system as one: beats, other_song, physics, theatre, as far as the clips have them."""
    result: dict = {"clips": len(clips), "seconds": sum(clip.made.seconds for clip in clips)}
    result["beats"] = average([clip.scores["beats"] for clip in clips])
    for name in ("other_song",):
        rows = [clip.scores[name] for clip in clips if name in clip.scores]
        if rows:
            result[name] = average(rows)
    rows = [(clip.made.seconds, clip.scores["physics"]) for clip in clips if "physics" in clip.scores]
    if rows:
        result["physics"] = mean_physics(rows)
    rows = [clip.scores["theatre"] for clip in clips if "theatre" in clip.scores]
    if rows:
        result["theatre"] = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
    return result


def flat(scores: dict, above: str = "") -> dict[str, float]:
    """Nested scores as one row: ``{"beats": {"bas": {"value": 1}}}`` -> ``{"beats.bas.value": 1}``."""
    row: dict[str, float] = {}
    for name, value in scores.items():
        at = f"{above}.{name}" if above else name
        row |= flat(value, at) if isinstance(value, dict) else {at: value}
    return row


def look_up(scores: dict, path: str) -> float | None:
    """A number by its dotted path, or None."""
    for name in path.split("."):
        if not isinstance(scores, dict) or name not in scores:
            return None
        scores = scores[name]
    return scores


def _within(times: Tensor, seconds: float) -> Tensor:
    times = times.double()
    return times[(times >= 0) & (times < seconds)]

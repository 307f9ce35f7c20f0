"""The report on dances: a summary of every system, what capture has to compare, and what was varied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.types import Motion
from train.evaluation import statistics
from train.evaluation.dance import copied, distances, genres, measures, sets, told
from train.evaluation.dance.material import Material, motions_by_style
from train.evaluation.dance.measures import Clip
from train.evaluation.dance.systems import REAL, System
from train.evaluation.options import Options
from train.evaluation.performance import Performance

VERSION = 2
# The metrics that get intervals and differences.
HEADLINE = (
    "beats.bas_bailando.calibrated",
    "beats.bas_aist.calibrated",
    "beats.bas_hits.calibrated",
    "beats.bas_theatre.calibrated",
    "beats.f_hits_70ms.calibrated",
    "beats.f_hits_100ms.calibrated",
    "beats.f_onsets_70ms.calibrated",
    "other_song.bas_bailando.calibrated",
    *(f"physics.{name}" for name in measures.PHYSICS),
    *(f"footwork.{name}" for name in measures.FOOTWORK),
    "theatre.ms",
    "theatre.voa",
    "theatre.energy_on_beats",
    *(f"form.{name}" for name in measures.FORM[1:]),
)

ABOUT_REAL = "val pairs: captured dance, warped onto its music's beats"


@dataclass(frozen=True, eq=False)
class Reporter:
    """Who makes the report.

    reference: the capture that sets of dances are compared with.
    stage: where the dances are made that only the report needs.
    """

    options: Options
    material: Material
    reference: sets.Reference
    stage: Performance

    def report(self, asked: list[System], clips: Mapping[str, list[Clip]]) -> dict:
        """Settings, songs, a row for every system with dances, references, sweeps and failures.

        clips: by system. Differences are those from the first system that danced.
        """
        first = next((system.name for system in asked if clips[system.name]), None)
        by_name = {system.name: system for system in asked}
        rows = {}
        for name, ours in clips.items():
            if ours:
                others = [] if first is None or name in (first, REAL) else clips[first]
                rows[name] = self.row(by_name.get(name), ours, others)
        danced = {name: ours for name, ours in clips.items() if name in rows and name != REAL}
        for name, more in distances.compared(danced, self.reference, first).items():
            for kind, figures in more.items():
                if figures:
                    rows[name][kind] = rows[name].get(kind, {}) | figures
        songs = self.material.songs
        return {
            "version": VERSION,
            "settings": {k: str(v) if isinstance(v, Path) else v for k, v in vars(self.options).items()},
            "compared_with": first,
            "songs": [{"name": song.name, "seconds": song.seconds, "tempo": song.beats.tempo} for song in songs],
            "systems": rows,
            "capture": self.capture(),
            "sweeps": [{"system": s.name, "option": s.swept[0], "value": s.swept[1]} for s in asked if s.swept],
            "failures": self.stage.failures,
        }

    def row(self, system: System | None, ours: list[Clip], others: list[Clip]) -> dict:
        """What the report says of the dances of one system.

        system: None for the val pairs.
        others: the dances that it is compared with; none leave the differences out.
        """
        row = {"about": ABOUT_REAL if system is None else system.about, **measures.summary(ours)}
        row["phase"] = measures.phase(ours)
        bands = sorted({clip.band for clip in ours})
        row["tempo"] = {band: measures.summary([clip for clip in ours if clip.band == band]) for band in bands}
        row["intervals"] = statistics.intervals(ours, HEADLINE)
        if others:
            row["difference"] = statistics.differences(ours, others, HEADLINE)
        seeds: list[Motion] = []
        if system is not None and system.swept is None:
            seeds = self.seeds_of_one_song(system)
            row["variety"] = sets.variety(seeds)
            row |= self.in_styles(system)
        motions = [clip.made for clip in ours if isinstance(clip.made, Motion)]
        return row | self.reference.against(motions, seeds) if motions else row

    def capture(self) -> dict:
        """What capture has to compare: of val, of each genre and of all."""
        captures, val = self.material.captures, self.material.held_out
        held_out = [clip.motion for clip in val]
        return {
            "val": genres.reference(val) if val else None,
            "all": genres.reference(captures),
            "genres": genres.references(captures),
            "variety": sets.variety(held_out[: self.options.variety]),
            "sets": self.reference.against(held_out) if held_out else {},
            "copied": self.copied(motions_by_style(val)),
            **told.capture(val, self.reference.classifier),
        }

    def seeds_of_one_song(self, system: System) -> list[Motion]:
        """As many dances to the first song as the options ask for variety."""
        seeds = self.stage.cache.progress(range(self.options.variety), f"{system.name}, variety")
        made = [self.stage.dance(system, self.material.songs[0], seed) for seed in seeds]
        return [motion for motion in made if isinstance(motion, Motion)]

    def copied(self, motions: dict[str, list[Motion]]) -> dict[str, dict[str, float]]:
        """How near motions come to the training capture, by their style."""
        return copied.by_style(motions, [clip.motion for clip in self.reference.training])

    def in_styles(self, system: System) -> dict[str, dict[str, dict]]:
        """Of the system's dances by style, for the styles that the capture has: ``genres``, their mean physics and
        whether they are told; and how near to capture they are, ``copied``.
        """
        if system.in_style is None or not self.options.style_songs:
            return {}
        found, danced, material, classifier = {}, {}, self.material, self.reference.classifier
        known = {clip.style for clip in material.captures}
        styles = [style for style in system.styles if style in known]
        for style in self.stage.cache.progress(styles, f"{system.name}, styles"):
            songs = genres.songs_of(style, material.songs, material.captures, self.options.style_songs)
            made = [self.stage.dance(system.in_style(style), song, 0) for song in songs]
            motions = [motion for motion in made if isinstance(motion, Motion)]
            if motions:
                danced[style] = motions
                found[style] = genres.of_motions(motions)
                if classifier is not None:
                    found[style]["told"] = told.told(motions, style, classifier)
        return {"genres": found, "copied": self.copied(danced)}

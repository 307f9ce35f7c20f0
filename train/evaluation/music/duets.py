"""Dances and scores that were made together: of one length, of many lengths, and at every step of the switch.

A control sets every dance against the music of another duet. Any dance and any music of the model have that much in
common.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from core import pipeline
from core.audio.beat_tracking import track_beats
from core.metrics import audio, beat
from core.motion import kinematics
from core.pipeline.choices import check_choices
from core.pipeline.model import Model
from core.types import Beats, Motion
from train.data.shards import key
from train.evaluation import statistics
from train.evaluation.cache import Music, Together
from train.evaluation.dance import measures, sets
from train.evaluation.dance.measures import Clip
from train.evaluation.dance.systems import REAL, Asked, model_key, model_of
from train.evaluation.music.judge import Judge
from train.evaluation.music.scenes import Scene
from train.evaluation.performance import Performance

FIXED = 25.0  # seconds, as the papers' excerpts
SHORTEST = 10.0
LONGEST = 30.0
# How a dance and a score agree. The first metric chooses the switch.
AGREEMENT = (
    "beats.f_hits_70ms.calibrated",
    "music.f_hits.calibrated",
    "beats.bas_bailando.calibrated",
    "beats.f_music_onsets_70ms.calibrated",
    "other_song.f_hits_70ms.calibrated",
)


@dataclass(frozen=True, eq=False)
class Inventor:
    """A model that makes duets.

    key: a digest of all that shapes its duets besides the options.
    """

    name: str
    model: Model
    options: pipeline.DuetOptions
    key: str

    def duet(self, seed: int, stage: Performance, **change: Any) -> Together | None:
        """The ``seed``-th duet, or None when it failed.

        change: options that differ from the usual ones.
        """
        options = replace(self.options, seed=seed, **change)

        def make() -> Together:
            made = pipeline.generate_duet(self.model, options)
            return Together(made.dance.motion, Music.of(made.music.sound))

        title = f"duet of {options.seconds:g} s"
        return stage.attempt(self.name, title, seed, key("duet", self.key, asdict(options)), make)


def inventor(asked: Asked, fps: float, loaded: dict[str, Model]) -> Inventor:
    """The model that was asked for. Raises FootlightError when it makes no music."""
    model = model_of(asked, loaded)
    model.check_scores()
    options = replace(pipeline.DuetOptions(seconds=FIXED, fps=fps), **asked.chosen({"snap": "beat_snap"}))
    check_choices(options, model.config)
    return Inventor(asked.name, model, options, model_key(asked, fps))


def lengths(count: int) -> list[float]:
    """Random lengths from 10 to 30 s. They are the same in every run."""
    drawn = torch.rand(count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return [round(SHORTEST + (LONGEST - SHORTEST) * float(share), 1) for share in drawn]


@dataclass(frozen=True, eq=False)
class Heard:
    """A duet, with the beats of its music.

    name: by which it is resampled.
    beats: tracked in the music.
    """

    name: str
    motion: Motion
    music: Music
    beats: Beats

    @classmethod
    def of(cls, name: str, made: Together) -> Heard:
        return cls(name, made.motion, made.music, track_beats(made.music.sound))


def performed(found: Inventor, seconds: list[float], stage: Performance, title: str, **change: Any) -> list[Heard]:
    """A duet of each length. The n-th has seed n."""
    made = []
    for seed, length in enumerate(stage.cache.progress(seconds, title)):
        duet = found.duet(seed, stage, seconds=length, **change)
        if duet is not None:
            made.append(Heard.of(f"duet {seed}", duet))
    return made


def clips_of(system: str, duets: list[Heard]) -> list[Clip]:
    """Every dance against its own music. The music of the next duet is the other song."""
    pairs = zip(duets, duets[1:] + duets[:1], strict=True)
    return [clip_of(system, one, one, other if other is not one else None, n) for n, (one, other) in enumerate(pairs)]


def swapped(system: str, duets: list[Heard]) -> list[Clip]:
    """The control: every dance against the music of the next duet, as long as both last."""
    if len(duets) < 2:
        return []
    pairs = zip(duets, duets[1:] + duets[:1], strict=True)
    return [clip_of(system, one, other, None, n) for n, (one, other) in enumerate(pairs)]


def clip_of(system: str, danced: Heard, played: Heard, other: Heard | None, seed: int) -> Clip:
    """A dance and a score as a clip, with the metrics of dances, and those of music as ``music``."""
    motion = danced.motion
    motion = motion.cut(0, min(motion.frames, round(played.music.seconds * motion.fps)))
    sound, beats = played.music.sound, played.beats
    result = measures.evaluate(motion, beats, beat.music_onsets(sound), None if other is None else other.beats)
    positions = kinematics.forward(motion.rotations, motion.root)
    result["music"] = audio.evaluate(sound, positions, motion.fps, beats)
    return Clip(system, danced.name, seed, beats, motion, result)


def real_duets(scenes: list[Scene]) -> list[Heard]:
    """The held-out pairs as if they were duets."""
    return [Heard(scene.unit, scene.motion, scene.music, scene.heard) for scene in scenes]


def summary(clips: list[Clip], duets: list[Heard], reference: sets.Reference, judge: Judge, about: str) -> dict:
    """The row of one kind of duets in the report.

    duets: empty for the control, which makes nothing of its own.
    """
    row = {"about": about, **measures.summary(clips)}
    row["music"] = beat.average([clip.scores["music"] for clip in clips])
    row["intervals"] = statistics.intervals(clips, AGREEMENT)
    if duets:
        motions = [one.motion for one in duets]
        row |= reference.against(motions)
        row["variety"] = sets.variety(motions)
        row["fad"] = judge.of_sets([[one.music for one in duets]])
    return row


def compared(
    found: Inventor, scenes: list[Scene], count: int, stage: Performance, reference: sets.Reference, judge: Judge
) -> tuple[dict[str, dict], dict[str, list[Clip]]]:
    """Rows and clips of duets of one length, duets of random lengths, the control, and real pairs."""
    kinds = {
        f"{found.name}, {FIXED:g} s": ([FIXED] * count, f"duets of {FIXED:g} s"),
        f"{found.name}, {SHORTEST:g}–{LONGEST:g} s": (lengths(count), f"duets of {SHORTEST:g} to {LONGEST:g} s"),
    }
    rows, clips = {}, {}
    for name, (seconds, about) in kinds.items():
        duets = performed(found, seconds, stage, name)
        if duets:
            clips[name] = clips_of(name, duets)
            rows[name] = summary(clips[name], duets, reference, judge, f"{about}, switch {found.options.switch:g}")
            other = f"{name}, swapped"
            clips[other] = swapped(other, duets)
            if clips[other]:
                rows[other] = summary(clips[other], [], reference, judge, "the same dances, each to the next's music")
    real = real_duets(scenes)
    clips[REAL] = clips_of(REAL, real)
    about = "held-out motion capture and the music it was warped onto"
    rows[REAL] = summary(clips[REAL], real, reference, judge, about)
    return rows, clips


def switch_sweep(
    found: Inventor,
    switches: tuple[float, ...],
    count: int,
    stage: Performance,
    reference: sets.Reference,
    judge: Judge,
) -> dict:
    """Duets at every value of the switch, and at 0, where neither half conditions on the other.

    There is no beat snap, because it would move the dance onto the music afterwards.

    Returns ``rows``; ``best``, the switch with the highest mean of the first of ``AGREEMENT``; and ``tied``, those
    whose paired difference to it holds zero.
    """
    rows, clips = [], {}
    for switch in (*sorted(set(switches), reverse=True), 0.0):
        name = f"{found.name} switch {switch:g}"
        duets = performed(found, [FIXED] * count, stage, name, switch=switch, beat_snap=0.0)
        if duets:
            clips[switch] = clips_of(name, duets)
            row = summary(clips[switch], duets, reference, judge, f"duets of {FIXED:g} s without beat snap")
            rows.append({"switch": switch, "system": name, **row})
    joint = [row for row in rows if row["switch"] > 0]
    if not joint:
        return {"rows": rows, "best": None, "tied": []}
    best = max(joint, key=lambda row: row["intervals"][AGREEMENT[0]]["mean"])["switch"]
    tied = []
    for row in joint:
        apart = statistics.difference(clips[row["switch"]], clips[best], AGREEMENT[0])
        if row["switch"] == best or apart is None or apart.low is None or apart.high is None:
            continue
        if apart.low <= 0 <= apart.high:
            tied.append(row["switch"])
    return {"rows": rows, "best": best, "tied": tied}

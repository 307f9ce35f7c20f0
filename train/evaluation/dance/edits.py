"""Edits of a model's dances: are joints kept, seams smooth, and is the rest of the dance no worse for them?

Of every song, a dance is made, and four seconds in its middle are made anew: all of the body, the arms, the upper or
the lower body. Three simple ways to do the same stand beside it:

- hard cut: the range or the part of another dance of the model to the song, put where it belongs;
- cross-fade: the same, blended over half a second at either end;
- imputation: sampled with what is kept put into the estimates, and copied, without a fit to it.

What is kept is the same bit for bit with all. A seam has the greatest mean jerk within 0.1 s, of the joints that
the edit moves and over frames of which one was made anew: what is kept jolts as it did, whatever the edit. Beside it
stand the 95th percentile of real capture, of the same joints, and the dance itself at the same places: a lively one has
as much anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core import pipeline
from core.edits.parts import joints_of, parse_parts
from core.metrics import physics
from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from core.pipeline.edit import Edit, Fit, finish_edit, merged, played, sample_edit, stretch_of, targets_of
from core.postprocess.hold import fade
from core.postprocess.join import copied
from core.types import Motion
from train.evaluation import statistics
from train.evaluation.cache import Cache
from train.evaluation.dance.material import Excerpt, real_pairs, song_excerpts
from train.evaluation.layout import Table

SECONDS = 4.0  # that are made anew
FADE = 0.5  # seconds of a cross-fade
NEAR = 0.1  # seconds around a seam
KINDS = ("all", "arms", "upper", "lower")
WAYS = ("edit", "imputation", "cross-fade", "hard cut")
NOTHING = "no edit"  # the dance itself, at the same places
PERCENTILE = 0.95


@dataclass(frozen=True)
class Case:
    """An edit and how it came out.

    song, kind, way: what was edited, one of ``KINDS``, and how, one of ``WAYS`` or ``NOTHING``.
    scores: kept (centimetres, before the copy), seam (mean jerk of the joints, m/s^3), beat (calibrated, less that of
        the base), skating (share, less that of the base), apart (centimetres between edited joints and the base's).
    """

    song: str
    kind: str
    way: str
    scores: dict[str, float]


def run(
    model: pipeline.Model, data: Path, source: Path, songs: int | None, seconds: float, fps: float, cache: Cache
) -> tuple[list[Case], dict[str, float]]:
    """All cases, and by the kind of edit the jerk that real capture stays below in 95 of 100 places.

    Raises FootlightError as ``song_excerpts`` does.
    """
    excerpts = song_excerpts(source, 10.0, seconds, most=songs)
    pairs, real = list(real_pairs(data, fps)), {}
    for kind in KINDS:
        joints = moved_by(parse_parts(kind))
        places = torch.cat([around(jerk(pair.motion, joints), pair.motion.fps) for pair in pairs])
        real[kind] = float(places.quantile(PERCENTILE))
    found = [case for excerpt in cache.progress(excerpts, "edits") for case in cases(model, excerpt, fps)]
    return found, real


def cases(model: pipeline.Model, excerpt: Excerpt, fps: float) -> list[Case]:
    """All edits of a dance to a song."""
    heard = pipeline.hear_song(model, excerpt.waveform)
    base, other = (pipeline.dance_to(model, heard, pipeline.DanceOptions(seed=seed, fps=fps)) for seed in (0, 1))
    start = round((excerpt.seconds - SECONDS) / 2 * fps)
    span, found = slice(start, start + round(SECONDS * fps)), []
    for kind in KINDS:
        edit = Edit(base.motion, span.start, span.stop, parse_parts(kind))
        for way in (*WAYS, NOTHING):
            motion, kept = _WAYS[way](model, heard, edit, other.motion, base.style)
            found.append(Case(excerpt.name, kind, way, scores(motion, base, edit, kept)))
    return found


def scores(motion: Motion, base: pipeline.Dance, edit: Edit, kept: float) -> dict[str, float]:
    """The scores of an edited motion.

    kept: metres.
    """
    joints = list(joints_of(edit.parts))
    places, before = (kinematics.forward(one.rotations, one.root) for one in (motion, base.motion))
    inside = slice(edit.start, edit.end)
    slides = [physics.foot_skating(some[inside], motion.fps) for some in (places, before)]
    return {
        "kept": 100 * kept,
        "seam": seam(motion, edit),
        "beat": pipeline.judge(motion, base.beats)["beat"] - base.metrics["beat"],
        "skating": slides[0] - slides[1],
        "apart": 100 * float((places - before)[inside][:, joints].norm(dim=-1).mean()),
    }


def moved_by(parts: tuple[str, ...]) -> list[int]:
    """The joints that are elsewhere where parts of the body are made anew: what hangs on them, and all of it on the
    pelvis."""
    made, moved = joints_of(parts), set()
    for joint, parent in enumerate(SMPL22.parents):
        if parent in made or parent in moved or 0 in made:
            moved.add(joint)
    return sorted(moved)


def seam(motion: Motion, edit: Edit) -> float:
    """The greatest jerk at the ends of an edit, m/s^3."""
    made = torch.zeros(motion.frames, dtype=torch.bool)
    made[edit.start : edit.end] = True
    of_made = functional.pad(made.unfold(0, 4, 1).any(1), (2, 1))  # a third difference spans four frames
    found = around(jerk(motion, moved_by(edit.parts)) * of_made, motion.fps)
    return float(found[[edit.start, edit.end]].max())


def jerk(motion: Motion, joints: list[int]) -> Tensor:
    """The mean jerk (t,) of joints, m/s^3, centred."""
    places = kinematics.forward(motion.rotations, motion.root)[:, joints]
    thrown = (places.diff(n=3, dim=0).norm(dim=-1).mean(-1)) * motion.fps**3
    return functional.pad(thrown, (2, 1))


def around(values: Tensor, fps: float) -> Tensor:
    """The greatest of values (t,) within ``NEAR`` seconds of each frame."""
    reach = round(NEAR * fps)
    return functional.max_pool1d(values[None, None], 2 * reach + 1, stride=1, padding=reach)[0, 0]


@torch.no_grad()
def _sampled(
    fit: Fit, model: pipeline.Model, heard: pipeline.HeardSong, edit: Edit, _other: Motion, style: str | None
) -> tuple[Motion, float]:
    stretch, options = stretch_of(model, edit, heard), pipeline.DanceOptions(seed=2)
    targets = targets_of(model, stretch, edit)
    drawn = sample_edit(model, heard, stretch, edit, targets, options, style, fit)
    made = finish_edit(played(model, drawn, stretch, targets), stretch, edit, heard.rhythm.beats, options.beat_snap)
    return merged(edit.base, made, stretch), float(targets.kept_error(drawn))


def _cut(
    _model: pipeline.Model, _heard: pipeline.HeardSong, edit: Edit, other: Motion, _style: str | None
) -> tuple[Motion, float]:
    return copied(other, edit.base, edit.hold), 0.0


def _faded(
    _model: pipeline.Model, _heard: pipeline.HeardSong, edit: Edit, other: Motion, _style: str | None
) -> tuple[Motion, float]:
    base = edit.base
    outside = torch.ones(base.frames, dtype=torch.bool)
    outside[edit.start : edit.end] = False
    share = fade(outside, base.fps, FADE).to(base.root)[:, None]
    rotations = rotation.slerp(base.rotations, other.rotations, share)
    mixed = replace(base, rotations=rotations, root=torch.lerp(base.root, other.root, share))
    return copied(mixed, base, edit.hold), 0.0


Way = Callable[..., tuple[Motion, float]]
_WAYS: dict[str, Way] = {
    "edit": lambda *known: _sampled(Fit(), *known),
    "imputation": lambda *known: _sampled(Fit(0.0, 0), *known),
    "cross-fade": _faded,
    "hard cut": _cut,
    NOTHING: lambda model, heard, edit, other, style: (edit.base, 0.0),
}


def table(found: list[Case], real: dict[str, float]) -> Table:
    """The means of all cases, with intervals over songs.

    real: as ``run`` gives it.
    """
    rows = []
    for kind in KINDS:
        for way in (*WAYS, NOTHING):
            some = [case for case in found if (case.kind, case.way) == (kind, way)]
            shown = [_shown([case.scores[name] for case in some], places) for name, places in _COLUMNS.items()]
            if way not in ("edit", "imputation"):
                shown[0] = "–"
            below = sum(case.scores["seam"] <= real[kind] for case in some)
            rows.append((f"{kind}: {way}", *shown, f"{real[kind]:.0f}", f"{below} of {len(some)}"))
    return Table(
        f"Edits of {SECONDS:g} s",
        "Kept is the mean distance of kept joints from where they were, before they are copied, in the dancer's "
        f"heading. Seam is the greatest mean jerk within {NEAR:g} s of the ends, of the joints that the edit moves "
        "and over frames of which one was made anew. Real capture stays below the jerk beside it in 95 of 100 places. "
        "Beat and skating are less the base's. Apart is how far the joints that were made anew are from the base's. "
        "Means over songs with their 95 % bootstrap intervals.",
        ("edit", "kept cm", "seam m/s³", "beat", "skating", "apart cm", "real 95 %", "seam below"),
        tuple(rows),
    )


_COLUMNS = {"kept": 2, "seam": 0, "beat": 3, "skating": 3, "apart": 1}


def _shown(values: list[float], places: int) -> str:
    found = statistics.bootstrap(np.array(values))
    if found.low is None or found.high is None:
        return f"{found.mean:.{places}f}"
    return f"{found.mean:.{places}f} [{found.low:.{places}f}, {found.high:.{places}f}]"

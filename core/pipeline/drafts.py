"""Drafts of an edit: sampled side by side from several noises, of which the one that is most on the beat is finished.

The network takes few steps, so another draft costs little beside hearing the song and the finish. Drafts differ in how
many of their arrivals are on beats, most of all beside what is kept, where a body has to come from one dance into
another. How far the joins jolt and feet slide is decided by the finish: a draft does not tell it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.metrics.beat import alignment
from core.motion import features, kinematics
from core.pipeline.targets import Targets
from core.rhythm.accents import kinematic_beats
from core.types import Beats, Condition

DRAFTS = 2  # where the path is made anew: each takes a tenth of the time of an edit


def drafts_for(targets: Targets) -> int:
    """How many drafts are made of a motion that has to meet ``targets``."""
    return 1 if targets.keeps_path else DRAFTS


def side_by_side(condition: Condition, drafts: int) -> Condition:
    """The condition of one sample (1, t, ...) for several, which share its memory."""
    return condition.map(lambda part: part.expand(drafts, *part.shape[1:]))


def most_on_beat(drafts: Tensor, targets: Targets, beats: Beats) -> int:
    """Which of several drafts (k, t, c) of a motion arrives nearest to beats; the first of equals.

    drafts: features, into which what is kept is put.
    targets: what is kept.
    beats: of the music where the motion is made anew, from the first frame of the drafts.
    """
    met = torch.where(targets.kept, targets.features, drafts)
    rotations, root, _ = features.decode_arrays(met, targets.fps, layout=targets.layout)
    places = kinematics.forward(rotations.flatten(0, 1), root.flatten(0, 1)).unflatten(0, met.shape[:2])
    times = beats.times.double()
    scores = [alignment(times, kinematic_beats(one, targets.fps).times.double()) for one in places]
    return scores.index(max(scores))

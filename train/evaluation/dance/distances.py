"""Fréchet distances of dances from training capture, with intervals over songs and paired differences.

A Fréchet distance belongs to a set of dances and not to one of them, so whole sets are resampled: the features of every
dance are computed once, songs are drawn with replacement, and each draw's distance is that of all its windows. All
systems get the same draws. See ``statistics.around`` for what the interval is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError
from core.metrics import frechet
from core.types import Motion
from train.evaluation import statistics
from train.evaluation.dance.measures import Clip
from train.evaluation.dance.sets import Reference, placed

DRAWS = 400
FEATURES = {"k": 0, "g": 1}  # places in what ``frechet.features`` returns


def windows_by_song(clips: Sequence[Clip]) -> dict[str, tuple[Tensor, Tensor]]:
    """Kinetic and geometric features (n, d) of the dances to each song, without songs that have fewer than two windows.

    Flat dances have none.
    """
    found = {}
    for song in dict.fromkeys(clip.song for clip in clips):
        motions = [clip.made for clip in clips if clip.song == song and isinstance(clip.made, Motion)]
        try:
            found[song] = frechet.features([placed(motion) for motion in motions])
        except FootlightError:  # too short
            continue
    return found


def compared(danced: Mapping[str, Sequence[Clip]], reference: Reference, first: str | None) -> dict[str, dict]:
    """``intervals`` and, against the system ``first``, ``difference`` of FID k and g, by system and dotted path.

    danced: dances by system. Distances are those of the songs that every system with a body has danced to.
    """
    windows = {name: found for name, clips in danced.items() if (found := windows_by_song(clips))}
    shared = [song for song in next(iter(windows.values()), {}) if all(song in found for found in windows.values())]
    if not shared:
        return {}
    draws = [list(range(len(shared))), *statistics.draws(len(shared), DRAWS).tolist()]
    result: dict[str, dict] = {name: {"intervals": {}, "difference": {}} for name in windows}
    for feature, place in FEATURES.items():
        real = reference.features[place]
        target = frechet.fitted(frechet.z_scored(real, real))
        path = f"frechet.fid_{feature}"
        values = {}
        for name, found in windows.items():
            rows = [frechet.z_scored(found[song][place], real) for song in shared]
            values[name] = np.array([_distance(rows, draw, target) for draw in draws])
            result[name]["intervals"][path] = asdict(statistics.around(values[name], len(shared)))
        if first not in values:
            continue
        for name in windows.keys() - {first}:
            apart = statistics.around(values[name] - values[first], len(shared))
            result[name]["difference"][path] = asdict(apart)
    return result


def _distance(rows: list[Tensor], draw: list[int], target: frechet.Gaussian) -> float:
    return frechet.between(frechet.fitted(torch.cat([rows[song] for song in draw])), target)

"""What only whole sets of dances have, with intervals over songs and paired differences: FID k and g, and diversity.

A Fréchet distance belongs to a set of dances and not to one of them, so whole sets are resampled: the features of every
dance are computed once, songs are drawn with replacement, and each draw's distance is that of all its windows. All
systems get the same draws. See ``statistics.around`` for what the interval is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError
from core.metrics import diversity, frechet
from core.metrics.classifier import Classifier, cut
from core.types import Motion
from train.evaluation import statistics
from train.evaluation.dance.measures import Clip
from train.evaluation.dance.sets import Reference, placed

DRAWS = 400

Rows = dict[str, dict[str, Tensor]]
"""By a figure's dotted path and by song: features (n, d)."""


def rows_of(clips: Sequence[Clip], reference: Reference) -> Rows:
    """The features of the dances to each song that the figures are computed from.

    They are z-scored kinetic and geometric ones of all windows, and with a classifier the mean embeddings of dances.
    Songs with fewer than two windows are left out. Flat dances have none.
    """
    found: Rows = {}
    for song in dict.fromkeys(clip.song for clip in clips):
        motions = [clip.made for clip in clips if clip.song == song and isinstance(clip.made, Motion)]
        try:
            windows = frechet.features([placed(motion) for motion in motions])
        except FootlightError:  # too short
            continue
        for name, made, real in zip("kg", windows, reference.features, strict=True):
            found.setdefault(f"frechet.fid_{name}", {})[song] = frechet.z_scored(made, real)
        if reference.classifier is not None and len(means := _embedded(motions, reference.classifier)):
            found.setdefault("embedding.diversity_inter", {})[song] = means
    return found


def compared(danced: Mapping[str, Sequence[Clip]], reference: Reference, first: str | None) -> dict[str, dict]:
    """``intervals`` and, against the system ``first``, ``difference`` of the figures, by system and dotted path.

    danced: dances by system. The figures are those of the songs that every system with a body has danced to.
    """
    known = {name: rows for name, clips in danced.items() if (rows := rows_of(clips, reference))}
    result: dict[str, dict] = {name: {"intervals": {}, "difference": {}} for name in known}
    for path, figure in _figures(reference).items():
        rows = {name: found[path] for name, found in known.items() if path in found}
        shared = [song for song in next(iter(rows.values()), {}) if all(song in found for found in rows.values())]
        if not shared:
            continue
        draws = statistics.sets(len(shared), DRAWS)
        values = {}
        for name, found in rows.items():
            sets = (torch.cat([found[shared[song]] for song in draw]) for draw in draws)
            values[name] = np.array([figure(drawn) for drawn in sets])
            result[name]["intervals"][path] = asdict(statistics.around(values[name], len(shared)))
        for name in values.keys() - {first} if first in values else ():
            apart = statistics.around(values[name] - values[first], len(shared))
            result[name]["difference"][path] = asdict(apart)
    return result


def _figures(reference: Reference) -> dict[str, Callable[[Tensor], float]]:
    """What is computed of the rows (n, d) of a set, by path."""
    fitted = [frechet.fitted(frechet.z_scored(real, real)) for real in reference.features]
    return {
        "frechet.fid_k": lambda rows: frechet.between(frechet.fitted(rows), fitted[0]),
        "frechet.fid_g": lambda rows: frechet.between(frechet.fitted(rows), fitted[1]),
        "embedding.diversity_inter": lambda rows: diversity.mean_pairwise(rows) if len(rows) > 1 else 0.0,
    }


def _embedded(motions: list[Motion], classifier: Classifier) -> Tensor:
    """The mean embedding (n, d) of each motion that lasts a window."""
    pieces = [found for motion in motions if len(found := cut(motion))]
    means = [classifier.embed(found).mean(dim=0) for found in pieces]
    return torch.stack(means) if means else torch.zeros(0, 1)

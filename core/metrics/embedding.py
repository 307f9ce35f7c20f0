"""What a motion classifier makes of sets of dances: FID, diversity and mean KLD after MoMu-Diffusion (2024).

Conventions
    Dances are ``Motion`` on ``SMPL22``, cut into windows of four seconds that overlap by half; what is shorter is left
    out. A window's features are the embedding (32) of a ``core.metrics.classifier.Classifier``; a dance's are their
    mean. The classifier's accuracy on held-out takes stands in every result: figures of a classifier that tells
    recordings apart, or nothing apart, are distances between recordings, or noise (see that module for what it may
    cheat on), and those of two classifiers do not compare.

Scores
    fid             Fréchet distance between the windows' features, made and real.
    diversity       *inter*: mean feature distance over 200 random pairs of at most 50 dances to different inputs;
                    *intra*: over all pairs of the dances (five in the paper) to one input. The real set's beside.
                    Means lie closer together the longer the dances are that they are taken of, so these compare sets of
                    dances of like length only. *windows*: over all pairs of single windows of different dances, which
                    compares any sets.
    mean_kld        mean KL(real || made), nats, between the class probabilities of dances: of those that belong
                    together when ``paired``, otherwise of every real with every made one. Beside it the mean between
                    different real dances, which is what variety alone costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.errors import FootlightError
from core.metrics.classifier import FPS, WINDOW_SECONDS, Classifier, cut
from core.metrics.frechet import frechet_distance
from core.types import Motion

OUTPUTS, PAIRS = 50, 200
LEAST = 1e-6  # probability below which no class is taken to be: a KL of at most 13.8 nats


def diversity(features: Tensor, seed: int = 0, outputs: int = OUTPUTS, pairs: int = PAIRS) -> float:
    """Mean distance over ``pairs`` random pairs of different rows among ``outputs`` random ones of (n >= 2, d).

    When so few rows have no more than ``pairs`` pairs, all of them count once.
    """
    if features.ndim != 2 or len(features) < 2:
        raise FootlightError(f"diversity compares two dances or more, got {len(features)}; generate further ones")
    generator = torch.Generator().manual_seed(seed)
    rows = features.double()[torch.randperm(len(features), generator=generator)[:outputs]]
    distances = torch.pdist(rows)
    if len(distances) > pairs:
        distances = distances[torch.randint(len(distances), (pairs,), generator=generator)]
    return float(distances.mean())


def between_dances(dances: list[Tensor]) -> float:
    """Mean distance over all pairs of rows of different dances, each (n, d), n >= 1; two dances or more."""
    everything = torch.cat(dances).double()
    within = [torch.cdist(dance.double(), dance.double()).sum() for dance in dances]
    pairs = len(everything) ** 2 - sum(len(dance) ** 2 for dance in dances)
    return float((torch.cdist(everything, everything).sum() - sum(within)) / pairs)


def kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) in nats over the last axis, of probabilities floored at 1e-6 and brought back to sum 1."""
    p, q = (x.double().clamp_min(LEAST) for x in (p, q))
    p, q = p / p.sum(dim=-1, keepdim=True), q / q.sum(dim=-1, keepdim=True)
    return (p * (p / q).log()).sum(dim=-1)


def evaluate(
    made: list[Motion],
    real: list[Motion],
    classifier: Classifier,
    seeds: list[Motion] | None = None,
    paired: bool = False,
    seed: int = 0,
) -> dict:
    """Every score of made dances, each to another input, against real ones, with the classifier's accuracy.

    seeds: dances to one and the same input, for the intra diversity.  paired: made[i] and real[i] belong together.
    Raises FootlightError when fewer than two dances of either set last four seconds, or paired sets differ in number.
    """
    if paired and len(made) != len(real):
        raise FootlightError(
            f"{len(made)} made dances cannot be paired with {len(real)} real ones; give as many of each"
        )
    all_made, all_real = _described(made, classifier, "made"), _described(real, classifier, "real")
    ours, theirs = ([dance for dance in dances if dance] for dances in (all_made, all_real))
    windows, windows_real = (torch.cat([dance.windows for dance in dances]) for dances in (ours, theirs))
    clips, clips_real = (torch.stack([dance.windows.mean(dim=0) for dance in dances]) for dances in (ours, theirs))
    classes, classes_real = (torch.stack([dance.classes for dance in dances]) for dances in (ours, theirs))
    between = kl(classes_real[:, None], classes_real)
    if paired:
        pairs = [(r.classes, m.classes) for r, m in zip(all_real, all_made, strict=True) if r and m]
        if not pairs:
            raise FootlightError("no pair has both a made and a real dance that last four seconds; give longer ones")
        divergence = torch.stack([kl(r, m) for r, m in pairs])
    else:
        divergence = kl(classes_real[:, None], classes)
    result = {
        **classifier.about(),
        "fps": FPS,
        "seconds": WINDOW_SECONDS,
        "windows": len(windows),
        "windows_real": len(windows_real),
        "fid": frechet_distance(windows, windows_real),
        "diversity_inter": diversity(clips, seed),
        "diversity_inter_real": diversity(clips_real, seed),
        "diversity_windows": between_dances([dance.windows for dance in ours]),
        "diversity_windows_real": between_dances([dance.windows for dance in theirs]),
        "mean_kld": float(divergence.mean()),
        "mean_kld_real": float(between.sum() / (len(between) * (len(between) - 1))),
        "paired": paired,
    }
    if seeds is not None:
        same = [dance.windows.mean(dim=0) for dance in _described(seeds, classifier, "seeds") if dance]
        result["diversity_intra"] = float(torch.pdist(torch.stack(same)).mean())
    return result


@dataclass(frozen=True)
class _Dance:
    """windows: (n, d) features.  classes: (k,) probabilities, the mean over the windows."""

    windows: Tensor
    classes: Tensor


def _described(motions: list[Motion], classifier: Classifier, name: str) -> list[_Dance | None]:
    """One for each motion, None where it is shorter than a window."""
    found: list[_Dance | None] = []
    for motion in motions:
        pieces = cut(motion)
        whole = len(pieces) > 0
        found.append(_Dance(classifier.embed(pieces), classifier.probabilities(pieces).mean(dim=0)) if whole else None)
    if sum(dance is not None for dance in found) < 2:
        raise FootlightError(
            f"of {len(motions)} {name} dances fewer than two last {WINDOW_SECONDS:g} s; evaluate more or longer ones"
        )
    return found

"""Metrics of sets of dances by a motion classifier: FID, diversity and mean KLD as in MoMu-Diffusion (2024).

Conventions
    Dances are ``Motion`` on ``SMPL22``, cut into windows of four seconds that overlap by half; shorter dances are left
    out. The features of a window are the embedding (32) of a ``core.metrics.classifier.Classifier``; those of a dance
    are their mean. Every result contains the classifier's accuracy on held-out takes. With a classifier that recognises
    recordings, or nothing, the metrics are distances between recordings, or noise; its module says which shortcuts are
    possible. Results of different classifiers are not comparable.

Metrics
    fid             Fréchet distance between the features of generated and real windows.
    diversity       *inter*: mean feature distance over 200 random pairs of at most 50 dances to different inputs.
                    *intra*: the same over all pairs of dances to one input (five in the paper). The values of the real
                    set come with them. The longer dances are, the closer are their means, so only sets of dances of
                    similar length can be compared. *windows*: the same over all pairs of windows of different dances,
                    which compares any sets.
    mean_kld        mean KL(real || generated), in nats, between the class probabilities of dances: over matching pairs
                    if ``paired``, else over all pairs. The mean between different real dances comes with it: that is
                    the share of variety alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.errors import FootlightError
from core.metrics.classifier import FPS, WINDOW_SECONDS, Classifier, cut
from core.metrics.frechet import frechet_distance
from core.types import Motion

OUTPUTS = 50  # dances that the inter diversity uses at most
PAIRS = 200  # pairs of them that it uses at most
LEAST = 1e-6  # floor of class probabilities, so that KL is at most 13.8 nats


def diversity(features: Tensor, seed: int = 0) -> float:
    """Mean distance over random pairs of dances.

    Pairs are drawn among ``OUTPUTS`` dances at most. If there are no more than ``PAIRS``, each counts once.

    features: (n >= 2, d) of dances.
    seed: of the random choice.

    Raises FootlightError for fewer than two dances.
    """
    if features.ndim != 2 or len(features) < 2:
        raise FootlightError(f"diversity compares two dances or more, got {len(features)}; generate further ones")
    generator = torch.Generator().manual_seed(seed)
    rows = features.double()[torch.randperm(len(features), generator=generator)[:OUTPUTS]]
    distances = torch.pdist(rows)
    if len(distances) > PAIRS:
        distances = distances[torch.randint(len(distances), (PAIRS,), generator=generator)]
    return float(distances.mean())


def between_dances(dances: list[Tensor]) -> float:
    """Mean distance over all pairs of windows of different dances: two or more dances, each (n >= 1, d)."""
    everything = torch.cat(dances).double()
    within = [torch.cdist(dance.double(), dance.double()).sum() for dance in dances]
    pairs = len(everything) ** 2 - sum(len(dance) ** 2 for dance in dances)
    return float((torch.cdist(everything, everything).sum() - sum(within)) / pairs)


def kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) in nats over the last axis, of probabilities with a floor of 1e-6, renormalised."""
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
    """All metrics of generated dances against real ones, with the classifier's accuracy.

    made: generated dances, each to another input.
    real: real dances.
    classifier: the embedding.
    seeds: dances to one and the same input, for the intra diversity.
    paired: whether made[i] and real[i] belong together.
    seed: of random choices.

    Raises FootlightError when fewer than two dances of a set last four seconds, or paired sets differ in number.
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
    """What the classifier says of a dance.

    windows: (n, d) features.
    classes: (k,) probabilities, the mean over the windows.
    """

    windows: Tensor
    classes: Tensor


def _described(motions: list[Motion], classifier: Classifier, name: str) -> list[_Dance | None]:
    """Embed motions; None for a motion that is shorter than a window. Raises FootlightError unless two are longer."""
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

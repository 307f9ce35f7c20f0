"""Metrics of the musical-theatre paper, as far as its text defines them.

The paper is "Multimodal Fusion Generative Model for Pop Music Elements in Musical Theater Performances".

Conventions
    Positions are (t, j, 3) in metres at ``fps``. MS and VoA depend on the frame rate and use 30 frames per second;
    other rates are resampled by a spline. Vectors are rows (n, d), one for each time slice or clip.

Metrics
    MS          motion smoothness. The paper calls it "mean of second-order trajectory differences", higher is better
                (0.92), and gives no formula, unit or rate. Here it is
                1 - sum |p(t+1) - 2 p(t) + p(t-1)| / sum (|p(t+1) - p(t)| + |p(t) - p(t-1)|) over joints and frames: the
                differences relative to the largest that such steps allow. It is in [0, 1] and has no unit. Even motion
                is 1, steps that turn back every frame are 0, standing still is 1. It rewards freezing, so it says
                little alone.
    VoA         variance of acceleration. The paper calls it "acceleration variance", lower is better (0.31), and gives
                no formula or unit. Here it is Var(|a|) / mean(|a|^2) over joints and frames, in [0, 1): 0 if all
                acceleration is even, near 1 if it consists of rare jolts. Captured dance has accents, so the best value
                is the one closest to the real set and not 0.
                MS and VoA are not comparable with the paper's numbers. Report the real set's values with them.
                ``ms_raw`` (m/s^2) and ``voa_raw`` ((m/s^2)^2) are the plain mean and variance of |a|.
    energy      how much kinetic energy is on the strong beats: its mean within 70 ms of them, relative to its mean in
                the clip (figure 4 as a number). Energy that ignores the beats has 1. The paper wants peaks there. In
                captures whose *kinematic beats* are on the musical beats, as in this program's pairs, movements arrive
                there and the value is far below 1.
    CMC         mean cosine of the vectors of three modalities in a common space, over the three pairs.
    SCI         mean cosine of generated style vectors and their targets.
    CMC and SCI come with their chance level, which pairs vectors of different slices or clips, and with the calibrated
    value. Vectors that all point the same way have cosines near 1, which means nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from core.errors import FootlightError
from core.metrics import beat
from core.metrics.frames import at_rate, checked
from core.rhythm.events import strong_beats
from core.types import Beats

MOTION_FPS = 30.0
TEMPO_ROWS = (("low", 0.0, 93.0), ("middle", 93.0, 117.0), ("high", 117.0, float("inf")))
"""(name, from, below) in beats per minute: thirds of the octave 74-148 in which tempo is tracked here."""


def smoothness(positions: Tensor) -> float:
    """MS in [0, 1] of positions (t >= 3, j, 3), at their own rate."""
    steps = positions.diff(dim=0)
    size = steps.norm(dim=-1)
    most = float((size[1:] + size[:-1]).sum())
    return 1 - float(steps.diff(dim=0).norm(dim=-1).sum()) / most if most > 1e-9 else 1.0


def acceleration_variance(positions: Tensor) -> float:
    """VoA in [0, 1) of positions (t >= 3, j, 3), at their own rate."""
    size = positions.diff(n=2, dim=0).norm(dim=-1)
    square = float(size.square().mean())
    return float(size.var(correction=0)) / square if square > 1e-18 else 0.0


def energy_on_beats(positions: Tensor, fps: float, beats: Beats) -> float:
    """Mean kinetic energy within 70 ms of the strong beats, relative to the mean of the clip.

    The energy is the sum of squared joint speeds. Without beats or movement the value is 1.

    positions: (t, j, 3) metres.
    fps: frames per second.
    beats: of the music.
    """
    energy = positions.diff(dim=0).square().sum(dim=(1, 2))
    times = (torch.arange(len(energy), dtype=torch.float64) + 0.5) / fps
    strong = strong_beats(beats)
    if len(strong) == 0 or float(energy.mean()) < 1e-12:
        return 1.0
    near = (times[:, None] - strong).abs().amin(dim=1) <= beat.STRICT_TOLERANCE
    return float(energy[near].mean() / energy.mean()) if bool(near.any()) else 1.0


def evaluate(positions: Tensor, fps: float, beats: Beats | None = None) -> dict[str, float]:
    """MS and VoA of one clip, with their frame rate.

    positions: (t, j, 3) metres.
    fps: frames per second.
    beats: of the music; adds the energy on the strong ones.

    Raises FootlightError for fewer than three frames at 30 fps.
    """
    path = at_rate(checked(positions, fps), fps, MOTION_FPS)
    if len(path) < 3:
        raise FootlightError(f"{len(path)} frames at 30 fps are too few for second differences; give a longer motion")
    size = path.diff(n=2, dim=0).norm(dim=-1) * MOTION_FPS**2
    result = {
        "fps": MOTION_FPS,
        "ms": smoothness(path),
        "voa": acceleration_variance(path),
        "ms_raw": float(size.mean()),
        "voa_raw": float(size.var(correction=0)),
    }
    if beats is not None:
        result["energy_on_beats"] = energy_on_beats(path, MOTION_FPS, beats)
    return result


def cmc(music: Tensor, motion: Tensor, visual: Tensor) -> dict[str, float]:
    """CMC: {"value", "chance", "calibrated"}, and the mean cosine of each pair of modalities.

    ``similarities`` returns the whole matrix of a pair.

    music: (n >= 2, d) vectors of n time slices.
    motion: (n, d) of the same slices.
    visual: (n, d) of the same slices.
    """
    named = {"music": music, "motion": motion, "visual": visual}
    pairs = {}
    for a, b in (("music", "motion"), ("music", "visual"), ("motion", "visual")):
        pairs[f"{a}_{b}"] = similarities(named[a], named[b])
    return {**_calibrated(list(pairs.values())), **{name: float(s.diagonal().mean()) for name, s in pairs.items()}}


def sci(generated: Tensor, target: Tensor) -> dict[str, float]:
    """SCI of generated style vectors (n >= 2, d) and their targets (n, d): {"value", "chance", "calibrated"}."""
    return _calibrated([similarities(generated, target)])


def sci_among(generated: Tensor, prototypes: Tensor, target: int) -> dict[str, float]:
    """SCI of one style vector (d,): {"value", "chance", "calibrated", "right"}.

    Chance is its mean cosine with the looks that were not wanted. ``right`` is 1 if the wanted one is the nearest, else
    0; by chance one in n.

    prototypes: (n >= 2, d) the vectors of all looks.
    target: index of the one that is wanted.

    Raises FootlightError for fewer than two looks.
    """
    if len(prototypes) < 2:
        raise FootlightError("a style has no chance level among fewer than two looks; give all of them")
    cosines = similarities(generated[None], prototypes)[0]
    value, chance = float(cosines[target]), float((cosines.sum() - cosines[target]) / (len(cosines) - 1))
    return {**_against(value, chance), "right": float(int(cosines.argmax()) == target)}


def similarities(a: Tensor, b: Tensor) -> Tensor:
    """Cosines (n, m) between all rows of (n, d) and (m, d), as in figure 5. Those of a zero row are 0."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise FootlightError(f"expected vectors of one width, got {tuple(a.shape)} and {tuple(b.shape)}")
    return functional.normalize(a.double(), dim=1) @ functional.normalize(b.double(), dim=1).T


def tempo_row(bpm: float) -> str:
    """The row of the paper's table to which a tempo belongs: "low", "middle" or "high". See ``TEMPO_ROWS``."""
    if not bpm > 0:
        raise FootlightError(f"a tempo of {bpm} beats per minute was given; expected a positive number")
    return next(name for name, low, high in TEMPO_ROWS if low <= bpm < high)


def _calibrated(tables: list[Tensor]) -> dict[str, float]:
    """Calibrate square tables of cosines: the value is the mean of the diagonals, chance that of the other entries."""
    count = len(tables[0])
    if any(table.shape != (count, count) for table in tables) or count < 2:
        raise FootlightError(
            f"expected as many vectors of each kind, two or more, got cosines {[tuple(t.shape) for t in tables]}; a "
            f"single pair has no chance level"
        )
    value = sum(float(table.diagonal().mean()) for table in tables) / len(tables)
    others = sum(float(table.sum() - table.diagonal().sum()) for table in tables) / len(tables)
    return _against(value, others / (count * (count - 1)))


def _against(value: float, chance: float) -> dict[str, float]:
    calibrated = (value - chance) / (1 - chance) if chance < 1 - 1e-12 else 0.0
    return {"value": value, "chance": chance, "calibrated": calibrated}

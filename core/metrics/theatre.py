"""The figures of the musical-theatre paper ("Multimodal Fusion Generative Model for Pop Music Elements in Musical
Theater Performances"), as far as its text defines them.

Conventions
    Positions (t, j, 3) in metres at ``fps``; MS and VoA work at 30 frames a second, to which a spline brings other
    rates, because both depend on the rate. Vectors are rows (n, d), one for each time slice or clip.

Scores
    MS          motion smoothness. The paper: "mean of second-order trajectory differences", higher is better (.92), no
                formula, unit or rate. Here 1 - sum |p(t+1) - 2 p(t) + p(t-1)| / sum (|p(t+1) - p(t)| + |p(t) - p(t-1)|)
                over joints and frames: the differences as a share of the greatest that such steps allow. In [0, 1]
                without a unit: even motion is 1, steps that turn back every frame are 0, standing still is 1. It
                rewards freezing, so it says little alone.
    VoA         variance of acceleration. The paper: "acceleration variance", lower is better (.31), no formula or unit.
                Here Var(|a|) / mean(|a|^2) over a clip's joints and frames, in [0, 1): 0 when all accelerate evenly,
                near 1 when rare jolts hold it all. Captured dance has accents; closest to the real set is best, not 0.
                Neither compares with the paper's numbers: print the real set's value beside. ``ms_raw`` (m/s^2) and
                ``voa_raw`` ((m/s^2)^2) are the plain mean and variance of |a|.
    energy      how much of the kinetic energy falls on the strong beats: its mean within 70 ms of them over its mean in
                the clip (figure 4 as a number); 1 is what energy that knows no beats has. The paper wants peaks there;
                capture whose *hits* lie on the beats, as in this program's pairs, arrives there and is far below 1.
    CMC         mean cosine of the vectors of three modalities in one space, over the three pairs.
    SCI         mean cosine of the style vectors generated and aimed at.
    FID, FVD    Fréchet distance of embeddings of rendered frames, or of stretches of film, with the embedding's name.
    CMC and SCI come with chance, the same vectors paired with those of other slices or clips, and with the calibrated
    value: vectors that all point one way have cosines near 1 and say nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from core.errors import FootlightError
from core.metrics import beat
from core.metrics.frames import at_rate, checked
from core.metrics.frechet import frechet_distance
from core.types import Beats

MOTION_FPS = 30.0
TEMPO_ROWS = (("low", 0.0, 93.0), ("middle", 93.0, 117.0), ("high", 117.0, float("inf")))
"""Name, from and below which tempo (beats a minute): thirds of the octave 74-148 in which tempo is tracked here."""


def smoothness(positions: Tensor) -> float:
    """MS of positions (t >= 3, j, 3), in [0, 1], at whatever rate they have."""
    steps = positions.diff(dim=0)
    size = steps.norm(dim=-1)
    most = float((size[1:] + size[:-1]).sum())
    return 1 - float(steps.diff(dim=0).norm(dim=-1).sum()) / most if most > 1e-9 else 1.0


def acceleration_variance(positions: Tensor) -> float:
    """VoA of positions (t >= 3, j, 3), in [0, 1), at whatever rate they have."""
    size = positions.diff(n=2, dim=0).norm(dim=-1)
    square = float(size.square().mean())
    return float(size.var(correction=0)) / square if square > 1e-18 else 0.0


def energy_on_beats(positions: Tensor, fps: float, beats: Beats) -> float:
    """Mean kinetic energy (squared joint speeds) within 70 ms of the strong beats over the mean of the clip; 1 without
    beats or movement."""
    energy = positions.diff(dim=0).square().sum(dim=(1, 2))
    times = (torch.arange(len(energy), dtype=torch.float64) + 0.5) / fps
    strong = beat.strong_beats(beats)
    if len(strong) == 0 or float(energy.mean()) < 1e-12:
        return 1.0
    near = (times[:, None] - strong).abs().amin(dim=1) <= beat.STRICT_TOLERANCE
    return float(energy[near].mean() / energy.mean()) if bool(near.any()) else 1.0


def evaluate(positions: Tensor, fps: float, beats: Beats | None = None) -> dict[str, float]:
    """MS and VoA of one clip with their rate, and with ``beats`` its energy on the strong ones."""
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
    """CMC of three modalities' vectors (n >= 2, d) of the same n slices: {"value", "chance", "calibrated"}, and the
    mean cosine of each pair. ``similarities`` has the whole matrix."""
    named = {"music": music, "motion": motion, "visual": visual}
    pairs = {}
    for a, b in (("music", "motion"), ("music", "visual"), ("motion", "visual")):
        pairs[f"{a}_{b}"] = similarities(named[a], named[b])
    return {**_calibrated(list(pairs.values())), **{name: float(s.diagonal().mean()) for name, s in pairs.items()}}


def sci(generated: Tensor, target: Tensor) -> dict[str, float]:
    """SCI of style vectors generated and aimed at, (n >= 2, d) each: {"value", "chance", "calibrated"}."""
    return _calibrated([similarities(generated, target)])


def similarities(a: Tensor, b: Tensor) -> Tensor:
    """Cosines (n, m) between all rows of (n, d) and (m, d): figure 5. A row of zeros has cosine 0 with everything."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise FootlightError(f"expected vectors of one width, got {tuple(a.shape)} and {tuple(b.shape)}")
    return functional.normalize(a.double(), dim=1) @ functional.normalize(b.double(), dim=1).T


def frames_fid(made: Tensor, real: Tensor, embedding: str) -> dict:
    """FID of rendered frames by their embeddings (n, d) and (m, d); ``embedding`` names the network they come from."""
    return _named("fid", made, real, embedding)


def fvd(made: Tensor, real: Tensor, embedding: str) -> dict:
    """FVD of stretches of film by their embeddings (n, d) and (m, d); ``embedding`` names the network."""
    return _named("fvd", made, real, embedding)


def tempo_row(bpm: float) -> str:
    """The row of the paper's table, "low", "middle" or "high", that a tempo belongs to: see ``TEMPO_ROWS``."""
    if not bpm > 0:
        raise FootlightError(f"a tempo of {bpm} beats a minute belongs to no row; expected a positive number")
    return next(name for name, low, high in TEMPO_ROWS if low <= bpm < high)


def _calibrated(tables: list[Tensor]) -> dict[str, float]:
    """Of square tables of cosines: the mean of the diagonals, and of what stands beside them as chance."""
    count = len(tables[0])
    if any(table.shape != (count, count) for table in tables) or count < 2:
        raise FootlightError(
            f"expected as many vectors of each kind, two or more, got cosines {[tuple(t.shape) for t in tables]}; a "
            f"single pair has no chance level"
        )
    value = sum(float(table.diagonal().mean()) for table in tables) / len(tables)
    others = sum(float(table.sum() - table.diagonal().sum()) for table in tables) / len(tables)
    chance = others / (count * (count - 1))
    return {
        "value": value,
        "chance": chance,
        "calibrated": (value - chance) / (1 - chance) if chance < 1 - 1e-12 else 0.0,
    }


def _named(name: str, made: Tensor, real: Tensor, embedding: str) -> dict:
    if not embedding.strip():
        raise FootlightError(f"a {name.upper()} without the name of its embedding says nothing; give it")
    return {name: frechet_distance(made, real), "embedding": embedding, "rows": len(made), "rows_real": len(real)}

"""Learn which count of a song people would count: ``python -m train.metrical_level DATA --out FILE``.

``DATA`` was prepared with ``--beats``. Each of its excerpts is a choice between the true beats and their counterparts,
and the true ones should score the most (``core.audio.metrical_level``). ``FILE`` becomes
``core/pretrained/metrical_level.safetensors``. Every fifth excerpt is held back first, to say how often the truth wins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from safetensors.torch import save
from torch import Tensor
from tqdm import tqdm

from core.audio.beat_network import FPS, activations
from core.audio.beat_tracking import FASTEST, SLOWEST, onset_envelope, sounding
from core.audio.linear_score import LinearScore
from core.audio.metrical_level import counts, figures, heard
from core.files import write_atomically
from train.command import run_program
from train.tasks.beats import Clip, load_clips

HELD_BACK = 5  # every so many excerpts, one


@dataclass(frozen=True)
class Learn:
    """Learn the score of metrical levels."""

    data: Annotated[Path, tyro.conf.Positional]  # prepared with --beats
    out: Path = Path("metrical_level.safetensors")
    ridge: float = 0.01  # penalty on the square of the weights
    every: int = 1  # use every so many excerpts


def choice(clip: Clip) -> np.ndarray | None:
    """The figures (h, f) of an excerpt's beats and of their counterparts; None where they say nothing.

    Beats that are too slow or too fast to be tracked, or too few, say nothing.
    """
    if len(clip.beats) == 0:
        return None
    mel = clip.level.float().exp()
    beat, downbeat = (some.double().numpy() for some in activations(mel))
    around, sounds = heard(mel, beat, downbeat, onset_envelope(torch.log1p(20 * mel))), sounding(mel)
    times = clip.beats.numpy() / FPS
    some = counts(times, len(mel) / FPS, (SLOWEST, FASTEST))
    if not some or some[0] is not times:
        return None
    found = [figures(count, around, sounds) for count in some]
    if found[0] is None:
        return None
    return np.stack([row for row in found if row is not None])


def fitted(choices: list[np.ndarray], ridge: float) -> LinearScore:
    """The score by which the first of the figures (h, f) of each choice is the most likely one to be chosen.

    It is a conditional logit (McFadden 1974) with ``ridge`` times the square of the weights as a penalty.
    """
    everything = np.concatenate(choices)
    unfitted = LinearScore(np.zeros(everything.shape[1]), everything.mean(axis=0), everything.std(axis=0) + 1e-6)
    rows = torch.from_numpy(unfitted.usual(everything))
    sizes = torch.tensor([len(some) for some in choices])
    most = int(sizes.max())
    padded = torch.full((len(choices), most), -torch.inf, dtype=torch.double)
    present = torch.arange(most) < sizes[:, None]
    weight = torch.zeros(rows.shape[1], dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = padded.masked_scatter(present, rows @ weight)
        total = (value.logsumexp(dim=1) - value[:, 0]).mean() + ridge * (weight**2).sum()
        total.backward()
        return total

    optimiser.step(loss)
    return LinearScore(weight.detach().numpy(), unfitted.mean, unfitted.scale)


def won(score: LinearScore, choices: list[np.ndarray]) -> float:
    """The share of the choices in which the first figures (h, f) score the most."""
    return float(np.mean([int((score.usual(some) @ score.weight).argmax()) == 0 for some in choices]))


def main(args: Learn) -> LinearScore:
    """Learn, print how often the truth wins in excerpts that were held back from a first try, and write the file."""
    return learned(args, choice)


def learned(args: Learn, choice_of: Callable[[Clip], np.ndarray | None]) -> LinearScore:
    """The score of what ``choice_of`` finds in each excerpt, learned and written as ``main`` says."""
    clips = load_clips(args.data)["train"][:: args.every]
    found = [choice_of(clip) for clip in tqdm(clips, disable=None)]
    choices = [some for some in found if some is not None]
    back = choices[::HELD_BACK]
    kept = [some for i, some in enumerate(choices) if i % HELD_BACK]
    print(f"{len(choices)} excerpts; of those held back the truth wins in {won(fitted(kept, args.ridge), back):.3f}")
    score = fitted(choices, args.ridge)
    write(score, args.out)
    return score


def write(score: LinearScore, path: Path) -> None:
    """Write a score as a safetensors file."""
    write_atomically(path, save({name: torch.from_numpy(value).float() for name, value in asdict(score).items()}))


if __name__ == "__main__":
    run_program("train.metrical_level", main, Learn, __doc__)

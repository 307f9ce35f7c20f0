"""Learn what songs return after in bars of two or four, three, five and seven.

    python -m train.metre DATA --out FILE

``DATA`` was prepared with ``--beats``. Each of its excerpts is a choice among ``core.audio.metre.PERIODS``, and that of
its bars should score the most. ``FILE`` becomes ``core/pretrained/metre.safetensors``. Every fifth excerpt is held back
first, to say how often the truth wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from tqdm import tqdm

from core.audio import metre
from core.audio.beat_network import FPS, activations
from core.audio.beat_tracking import onset_envelope, sounding
from core.audio.linear_score import LinearScore
from core.audio.metrical_level import heard
from train.metrical_level import HELD_BACK, fitted, won, write
from train.tasks.beats import Clip, load_clips


@dataclass(frozen=True)
class Learn:
    """Learn the score of metres."""

    data: Annotated[Path, tyro.conf.Positional]  # prepared with --beats
    out: Path = Path("metre.safetensors")
    ridge: float = 0.002  # penalty on the square of the weights
    every: int = 1  # use every so many excerpts


def choice(clip: Clip) -> np.ndarray | None:
    """The figures (p, f) of an excerpt's periods, that of its bars first; None where they say nothing.

    Excerpts of few beats say nothing, nor do those without whole bars.
    """
    bars = np.diff(np.searchsorted(clip.beats.numpy(), clip.downbeats.numpy() - 0.5))
    if len(bars) == 0:
        return None
    mel = clip.level.float().exp()
    beat, downbeat = (some.double().numpy() for some in activations(mel))
    around = heard(mel, beat, downbeat, onset_envelope(torch.log1p(20 * mel)))
    found = metre.figures(clip.beats.numpy() / FPS, mel, around, sounding(mel))
    if found is None:
        return None
    true = metre.PERIODS.index(metre.period(int(np.median(bars))))
    return np.concatenate([found[[true]], np.delete(found, true, axis=0)])


def main(args: Learn) -> LinearScore:
    """Learn, print how often the truth wins in excerpts that were held back from a first try, and write the file."""
    clips = load_clips(args.data)["train"][:: args.every]
    found = [choice(clip) for clip in tqdm(clips, disable=None)]
    choices = [some for some in found if some is not None]
    back = choices[::HELD_BACK]
    kept = [some for i, some in enumerate(choices) if i % HELD_BACK]
    print(f"{len(choices)} excerpts; of those held back the truth wins in {won(fitted(kept, args.ridge), back):.3f}")
    score = fitted(choices, args.ridge)
    write(score, args.out)
    return score


if __name__ == "__main__":
    main(tyro.cli(Learn, description=__doc__))

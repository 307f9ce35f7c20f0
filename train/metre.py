"""Learn what songs return after in bars of two or four, three, five and seven.

    python -m train.metre DATA --out FILE

``DATA`` was prepared with ``--beats``. Each of its excerpts is a choice among ``core.audio.metre.PERIODS``, and that of
its bars should score the most. ``FILE`` becomes ``core/pretrained/metre.safetensors``. Every fifth excerpt is held back
first, to say how often the truth wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.audio import metre
from core.audio.beat_network import FPS, activations
from core.audio.beat_tracking import onset_envelope, sounding
from core.audio.linear_score import LinearScore
from core.audio.metrical_level import heard
from train import metrical_level
from train.command import run_program
from train.tasks.beats import Clip


@dataclass(frozen=True)
class Learn(metrical_level.Learn):
    """Learn the score of metres."""

    out: Path = Path("metre.safetensors")
    ridge: float = 0.002  # penalty on the square of the weights


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
    return metrical_level.learned(args, choice)


if __name__ == "__main__":
    run_program("train.metre", main, Learn, __doc__)

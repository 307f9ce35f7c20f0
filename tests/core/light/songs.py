"""Songs for tests, as the rules hear them."""

import numpy as np
import torch

from core.light.dancer import Dancer
from core.light.song import Song
from core.rhythm.sections import Section
from core.show.channels import SHOW_FPS
from core.types import Beats


def made_song(seconds: float = 48.0, bpm: float = 120.0, **changes) -> Song:
    """A song of quiet, loud, quiet and loud thirds of a minute, with bars of four from 0 on."""
    frames = round(seconds * SHOW_FPS)
    times = torch.arange(0, seconds, 60 / bpm)
    beats = Beats(times, bpm, torch.arange(len(times)) % 4 == 0)
    quarter = seconds / 4
    sections = tuple(Section(i * quarter, (i + 1) * quarter, i % 2, float(i % 2)) for i in range(4))
    values = {"level": np.ones(frames), "tension": np.zeros(frames), "stops": (), "drops": ()}
    return Song(**{"seconds": seconds, "beats": beats, "sections": sections, **values, **changes})


def made_dancer(frames: int) -> Dancer:
    """Somebody who moves more and more from the left to the right."""
    return Dancer(np.linspace(0, 1, frames), np.linspace(-1, 1, frames))

import numpy as np
import torch

from core.rhythm.bars import bar_edges
from core.types import Beats


def test_bars_cover_the_song_with_and_without_beats():
    with_bars = bar_edges(Beats(torch.arange(0.5, 20, 0.5), 120.0, torch.arange(39) % 4 == 2), 20.0)
    assert with_bars[0] == 0 and with_bars[-1] == 20 and np.diff(with_bars).min() >= 1.0
    assert bar_edges(Beats(torch.zeros(0)), 9.0).tolist() == [0, 2, 4, 6, 9.0]

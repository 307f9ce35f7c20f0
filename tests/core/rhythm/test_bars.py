import numpy as np
import pytest
import torch

from core.rhythm.bars import bar_edges, means_between
from core.types import Beats


def test_bars_cover_the_song_with_and_without_beats():
    with_bars = bar_edges(Beats(torch.arange(0.5, 20, 0.5), 120.0, torch.arange(39) % 4 == 2), 20.0)
    assert with_bars[0] == 0 and with_bars[-1] == 20 and np.diff(with_bars).min() >= 1.0
    assert bar_edges(Beats(torch.zeros(0)), 9.0).tolist() == [0, 2, 4, 6, 9.0]


def test_means_are_those_of_the_frames_between_the_edges():
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    edges = np.array([0.0, 1.0, 1.04, 1.08, 3.5, 9.0])
    found = means_between(values, 10.0, edges)
    spans = [values[:10], values[10:11], values[10:11], values[11:35], values[35:]]
    assert found == pytest.approx(np.array([span.astype(float).mean(axis=0) for span in spans]), abs=1e-6)
    assert means_between(values[:0], 10.0, edges).shape == (5, 3)

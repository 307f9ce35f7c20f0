"""Form: rank correlation against scipy's, sections and dances that can be worked out by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from core.audio.onsets import ONSET_FPS
from core.errors import FootlightError
from core.metrics import form
from core.types import Beats

FPS = 30.0


def beats(period: float, seconds: float, first: float = 0.0, downbeat: int | None = None) -> Beats:
    times = torch.arange(first, seconds, period)
    bars = None if downbeat is None else torch.arange(len(times)) % 4 == downbeat
    return Beats(times, downbeats=bars)


def heard(levels: list[float], seconds: float) -> torch.Tensor:
    """Loudness that has each level for ``seconds``."""
    return torch.tensor(levels).repeat_interleave(round(seconds * ONSET_FPS))


def moving(speeds: list[float], seconds: float) -> torch.Tensor:
    """Two joints that move along x with each speed for ``seconds``, one of them twice as fast as the other."""
    speed = torch.tensor(speeds).repeat_interleave(round(seconds * FPS))
    x = torch.stack((speed, 2 * speed), dim=1).cumsum(0) / FPS
    return torch.stack((x, torch.zeros_like(x), torch.zeros_like(x)), dim=-1)


@pytest.mark.parametrize("levels", [1000, 4], ids=["no ties", "ties"])
def test_the_rank_correlation_is_scipys(levels):
    draw = np.random.default_rng(0)
    for count in (3, 5, 40):
        a, b = draw.integers(0, levels, count), draw.integers(0, levels, count)
        if len(set(a)) > 1 and len(set(b)) > 1:
            ours = form.rank_correlation(torch.from_numpy(a), torch.from_numpy(b))
            assert ours == pytest.approx(stats.spearmanr(a, b).statistic)


def test_it_is_undefined_for_few_or_equal_values():
    assert math.isnan(form.rank_correlation(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0])))
    assert math.isnan(form.rank_correlation(torch.ones(4), torch.arange(4.0)))
    with pytest.raises(FootlightError, match="both sides"):
        form.rank_correlation(torch.ones(4), torch.ones(3))


def test_sections_are_two_bars_from_the_first_downbeat():
    assert form.sections(beats(0.5, 13.0, 0.25, downbeat=1), 13.0).tolist() == [0.75, 4.75, 8.75, 12.75]
    assert form.sections(beats(0.5, 13.0, 0.25), 13.0).tolist() == [0.25, 4.25, 8.25, 12.25]


def test_a_section_may_end_with_the_clip_and_not_after_it():
    assert form.sections(beats(0.5, 12.0), 12.0).tolist() == [0, 4, 8, 12]
    assert form.sections(beats(0.5, 12.0), 11.8).tolist() == [0, 4, 8]
    assert len(form.sections(beats(0.5, 3.0), 3.0)) == 0


def test_without_beats_sections_have_a_fixed_length():
    assert form.sections(Beats(torch.zeros(0)), 13.0).tolist() == [0, 4, 8, 12]
    assert len(form.sections(Beats(torch.zeros(0)), 3.0)) == 0


@pytest.mark.parametrize(("speeds", "expected"), [([0.1, 0.5, 0.3, 0.9], 1.0), ([0.9, 0.3, 0.5, 0.1], -1.0)])
def test_only_the_order_of_sections_counts(speeds, expected):
    """Loudness and speed have other units and other steps. Flat and solid bodies are the same here."""
    found = form.evaluate(moving(speeds, 4.0), FPS, beats(0.5, 16.0), heard([0.5, 0.9, 0.89, 1.0], 4.0))
    assert found["correlation"] == pytest.approx(expected) and found["sections"] == 4
    flat = form.evaluate(moving(speeds, 4.0)[..., :2], FPS, beats(0.5, 16.0), heard([0.5, 0.9, 0.89, 1.0], 4.0))
    assert flat["correlation"] == found["correlation"] and math.isnan(found["chance"])


def test_chance_is_the_mean_over_other_songs_that_are_long_enough():
    music, speeds = beats(0.5, 16.0), [0.1, 0.2, 0.3, 0.4]
    others = [heard([0.4, 0.3, 0.2, 0.1], 4.0), heard([0.1, 0.2, 0.3], 4.0), heard([0.1, 0.9], 4.0), heard([0.5], 16.0)]
    found = form.evaluate(moving(speeds, 4.0), FPS, music, heard([0.1, 0.2, 0.4, 0.3], 4.0), others)
    assert found["correlation"] == pytest.approx(0.8)
    assert found["chance"] == pytest.approx((-1 + 1) / 2)
    assert found["above"] == pytest.approx(0.8)

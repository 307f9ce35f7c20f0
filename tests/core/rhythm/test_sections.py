from itertools import combinations

import numpy as np
import pytest
import torch

from core.rhythm.sections import (
    CUT_COST,
    FARTHEST,
    SHORTEST,
    bar_features,
    boundaries,
    decibels_of,
    described_sections,
    find_sections,
    labels,
    self_similarity,
    unit_chroma,
)


def bars_of(parts: list[tuple[int, int]], noise: float = 0.3, seed: int = 0) -> np.ndarray:
    """Features of bars: (kind, how many bars) of each part, with noise."""
    random = np.random.default_rng(seed)
    centres = 2 * np.eye(6)
    return np.concatenate([centres[kind] + noise * random.normal(size=(count, 6)) for kind, count in parts])


FORM = [(0, 4), (1, 8), (2, 8), (1, 8), (2, 8), (3, 4), (2, 16)]


@pytest.mark.parametrize("seed", range(5))
def test_parts_are_cut_where_they_meet_and_named_alike(seed):
    features = bars_of(FORM, seed=seed)
    starts = boundaries(features)
    assert starts == [0, 4, 12, 20, 28, 36, 40]
    assert labels(self_similarity(features), starts) == [0, 1, 2, 1, 2, 3, 2]


@pytest.mark.parametrize("seed", range(3))
def test_no_other_cuts_cost_less(seed):
    """Of every way to cut eleven bars, with costs written out."""
    features = np.random.default_rng(seed).normal(size=(11, 3)) + np.repeat([0.0, 3.0], (5, 6))[:, None]

    def cost(starts):
        ends, total = [*starts[1:], 11], 0.0
        for start, end in zip(starts, ends, strict=True):
            part, inside = features[start:end], start > 0 and end < 11
            if inside and end - start < SHORTEST:
                return np.inf
            unusual = {0: 0.0, 2: 2.5}.get((end - start) % 4, 5.0) if inside else 0.0
            total += ((part - part.mean(axis=0)) ** 2).sum() + CUT_COST + unusual
        return total

    ways = [[0, *cuts] for count in range(11) for cuts in combinations(range(1, 11), count)]
    assert cost(boundaries(features)) == pytest.approx(min(map(cost, ways)))


def test_one_strange_bar_is_no_section():
    features = bars_of([(0, 24)], noise=0.4)  # six channels of 0.4 have a deviation of 1 together
    features[10] += 0.6
    assert boundaries(features) == [0]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_bars_are_sections_too(count):
    found = find_sections(np.arange(count + 1.0), np.zeros((count, 4)), np.zeros(count))
    assert found[0].start == 0 and found[-1].end == count and all(s.intensity == 1 for s in found)


def test_the_loudest_section_has_intensity_1_and_the_quietest_0():
    level = np.repeat([0.0, 10.0, 5.0], 8)
    found = find_sections(np.arange(25.0), level[:, None], level)
    assert [s.start for s in found] == [0, 8, 16]
    assert [s.intensity for s in found] == pytest.approx([0, 1, 0.5])


def described(parts: list[tuple[float, int]], silent: int = 0) -> list[float]:
    """Where sections of a mel are heard that has bars of two seconds: (level of the upper bands, bars) of each part,
    after silent bars."""
    upper = np.repeat([level for level, _ in parts], [125 * bars for _, bars in parts])
    mel = np.full((len(upper), 80), -2.0) + 0.1 * np.random.default_rng(0).normal(size=(len(upper), 80))
    mel[:, 40:] += upper[:, None]
    mel = np.concatenate((np.full((125 * silent, 80), -11.5), mel))
    edges, tones = 2.0 * np.arange(len(mel) // 125 + 1), torch.ones(len(mel) // 4, 12)
    mel = torch.from_numpy(mel).float()
    return [section.start for section in described_sections(edges, mel, unit_chroma(tones), decibels_of(mel))]


def test_a_silent_bar_does_not_hide_the_others():
    """Silence is 40 times as far from the verse as the chorus is."""
    form = [(0.0, 8), (0.25, 8), (0.0, 8), (0.25, 8)]
    assert described(form) == [0, 16, 32, 48]
    assert described(form, silent=1) == [0, 2, 18, 34, 50]


def test_drums_that_come_in_are_heard_where_loudness_and_timbre_stay():
    """Sixteen bars whose level moves, after sixteen that are still with the same mean."""
    mel = torch.full((4000, 80), -2.0) + 0.05 * torch.randn(4000, 80, generator=torch.Generator().manual_seed(0))
    mel[2000:] += 0.4 * torch.where(torch.arange(2000) % 8 < 4, 1.0, -1.0)[:, None]
    edges, level = 2.0 * np.arange(33), np.zeros(4000)
    found = described_sections(edges, mel, unit_chroma(torch.ones(1000, 12)), level)
    assert [section.start for section in found] == [0, 32]


def test_no_bar_is_farther_than_its_limit():
    draw = np.random.default_rng(1)
    timbre, movement = draw.normal(size=(30, 8)), draw.normal(size=(30, 8))
    timbre[4], movement[4] = 100 * timbre[4], 100 * movement[4]
    features = bar_features(timbre, movement, draw.random((30, 12)), draw.normal(size=30))
    away = np.linalg.norm(features - np.median(features, axis=0), axis=1)
    assert away.max() < 1.05 * FARTHEST, "the median moves a little as others are brought in"
    assert away[4] > 0.95 * FARTHEST

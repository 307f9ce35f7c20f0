from itertools import combinations

import numpy as np
import pytest

from core.rhythm.sections import CUT_COST, SHORTEST, boundaries, find_sections, labels, self_similarity


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
            unusual = {0: 0.0, 2: 1.2}.get((end - start) % 4, 2.0) if inside else 0.0
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
    found = find_sections(np.arange(count + 1.0), np.zeros((count, 4)), np.zeros((count, 12)), np.zeros(count))
    assert found[0].start == 0 and found[-1].end == count and all(s.intensity == 1 for s in found)


def test_the_loudest_section_has_intensity_1_and_the_quietest_0():
    level = np.repeat([0.0, 10.0, 5.0], 8)
    found = find_sections(np.arange(25.0), np.zeros((24, 4)), np.zeros((24, 12)), level)
    assert [s.start for s in found] == [0, 8, 16]
    assert [s.intensity for s in found] == pytest.approx([0, 1, 0.5])

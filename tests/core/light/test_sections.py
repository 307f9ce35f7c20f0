from itertools import combinations

import numpy as np
import pytest
import torch

from core.light import song as songs
from core.light.sections import CUT_COST, SHORTEST, boundaries, find_sections, labels, self_similarity
from core.rhythm.features import Rhythm
from core.show.channels import SHOW_FPS
from core.types import Beats


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


def test_a_stop_is_heard_and_the_end_is_not_one():
    decibels = np.full(1000, -10.0)
    decibels[400:450] = -60  # 0.8 s
    decibels[600:606] = -60  # a tenth of a second
    decibels[950:] = -60
    ((start, end),) = songs.stops(decibels)
    assert start == pytest.approx(6.4, abs=0.02) and end == pytest.approx(7.2, abs=0.02)


def test_a_drop_is_a_downbeat_at_which_the_music_opens_up():
    times = torch.arange(0, 30, 0.5)
    beats = Beats(times, 120.0, torch.arange(60) % 4 == 0)
    loud = np.where(np.arange(30 * 125 // 2) / 62.5 < 16, -20.0, -8.0)
    assert songs.drops(beats, loud, loud) == (16.0,)
    assert songs.drops(beats, loud, np.full_like(loud, -20.0)) == (), "the bass must open too"
    assert songs.drops(beats, np.full_like(loud, -8.0), loud) == ()


def test_tension_is_the_way_around_the_circle_of_fifths():
    """Three bars of C major, one of F sharp major: the triads lie opposite each other."""
    chroma = np.zeros((64, 12))
    chroma[:48, [0, 4, 7]] = 1
    chroma[48:, [6, 10, 1]] = 1
    edges = np.arange(5) * 16 / SHOW_FPS
    found = songs.tension(chroma, edges)
    assert found[:48].max() < 0.01 and found[48:].min() > 0.99


def test_bars_cover_the_song_with_and_without_beats():
    with_bars = songs.bar_edges(Beats(torch.arange(0.5, 20, 0.5), 120.0, torch.arange(39) % 4 == 2), 20.0)
    assert with_bars[0] == 0 and with_bars[-1] == 20 and np.diff(with_bars).min() >= 1.0
    assert songs.bar_edges(Beats(torch.zeros(0)), 9.0).tolist() == [0, 2, 4, 6, 9.0]


def test_a_song_is_described_from_its_mel_and_chroma():
    beats = Beats(torch.arange(0, 32, 0.5), 120.0, torch.arange(64) % 4 == 0)
    mel = torch.full((2000, 80), -8.0)
    mel[1000:] = -2.0
    rhythm = Rhythm(beats, torch.zeros(2000), torch.cat((torch.full((1000,), 0.2), torch.full((1000,), 0.9))))
    heard = songs.describe(32.0, rhythm, mel, torch.ones(500, 12))
    assert heard.frames == 500 and [s.start for s in heard.sections] == [0, 16]
    assert [s.intensity for s in heard.sections] == [0, 1] and heard.drops == (16.0,)
    assert heard.level[:200].max() < 0.1 and heard.level[300:].min() > 0.9

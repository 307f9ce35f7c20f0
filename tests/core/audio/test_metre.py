"""What bars are made of, heard from tunes that everybody can count and from music that returns as it was made to."""

import numpy as np
import pytest
import torch

from core.audio import bars, metre
from core.audio.beat_network import FPS
from core.audio.beat_tracking import track_beats
from tests.core.audio import tunes
from train.data.music import plain_synth


@pytest.mark.parametrize(
    ("tune", "bpm", "times", "metres"),
    [
        (tunes.AUGUSTIN, 126, 2, {3}),
        (tunes.AUGUSTIN, 160, 2, {3}),
        (tunes.ANTHEM, 110, 2, {3}),
        (tunes.JACQUES, 100, 2, {2, 4}),
        (tunes.JOY, 108, 1, {2, 4}),
        (tunes.JOY, 126, 1, {2, 4}),
    ],
)
def test_a_tune_alone_tells_its_bars(tune, bpm, times, metres):
    part, seconds = tunes.sung(tune, bpm, times)
    found = track_beats(plain_synth.render([part], seconds, np.random.default_rng(0)))
    assert found.tempo == pytest.approx(bpm, rel=0.02)
    assert found.metre in metres


def music(length, beats=96, bpm=120, seed=0):
    """Mel magnitudes (t, m) of music whose every beat is as the one ``length`` beats earlier, but for noise; the beats
    (n,), seconds; and what is heard of it, (t, 8), without any odds for a downbeat."""
    draw = np.random.default_rng(seed)
    frames = round(60 / bpm * FPS)
    kinds = draw.uniform(0, 1, (length, 64)), draw.uniform(0, 2, (length, 8))
    which = np.arange(beats) % length
    mel, heard = (some[which] + draw.uniform(0, 0.7, (beats, some.shape[1])) for some in kinds)
    heard[:, :4] = 0
    times = np.arange(beats) * 60 / bpm
    return torch.from_numpy(mel.repeat(frames, axis=0)), times, heard.repeat(frames, axis=0)


@pytest.mark.parametrize("length", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("seed", range(3))
def test_music_that_returns_after_so_many_beats_has_bars_of_them(length, seed):
    mel, times, heard = music(length, seed=seed)
    found = metre.costs(times, mel, heard, np.ones(len(mel), bool))
    free = [beats for beats, cost in found.items() if cost == 0]
    assert free == [beats for beats in bars.METRES if metre.period(beats) == metre.period(length)]
    assert all(cost == metre.CERTAIN_COST for beats, cost in found.items() if beats not in free)


def test_where_nothing_says_downbeat_the_costs_decide():
    likely = np.full(84, 0.2)
    for beats in (3, 4, 5, 7):
        costs = {other: 0.0 if other == beats else metre.CERTAIN_COST for other in bars.METRES}
        assert (np.diff(np.flatnonzero(bars.downbeats(likely, costs))) == beats).all()


def test_what_surely_has_bars_of_four_keeps_them_whatever_returns():
    likely = np.where(np.arange(96) % 4 == 0, 0.8, 0.05)
    costs = {beats: 0.0 if beats in (3, 6) else metre.CERTAIN_COST for beats in bars.METRES}
    assert (bars.downbeats(likely, costs) == (np.arange(96) % 4 == 0)).all()


def test_recurrences_are_correlations():
    draw = np.random.default_rng(2)
    noise = draw.normal(size=(20_000, 1))
    smooth = noise[1:] + 0.5 * noise[:-1]  # a moving average, whose autocorrelation is 0.5 / 1.25 after one and then 0
    np.testing.assert_allclose(metre.recurrences(smooth)[:4], [0.4, 0, 0, 0], atol=0.03)
    waltz = np.tile(np.eye(3), (40, 1))
    np.testing.assert_allclose(metre.recurrences(waltz)[:6], [-0.5, -0.5, 1, -0.5, -0.5, 1], atol=0.02)


def test_few_beats_and_silence_say_nothing():
    mel, times, heard = music(3)
    sounds = np.ones(len(mel), bool)
    assert metre.costs(times[: metre.FEWEST - 1], mel, heard, sounds) == {}
    assert metre.costs(times, mel, heard, ~sounds) == {}
    assert np.isfinite(metre.figures(times[: metre.FEWEST], mel, heard, sounds)).all()
    assert set(metre.costs(times, torch.ones_like(mel), np.ones_like(heard), sounds)) == set(bars.METRES)

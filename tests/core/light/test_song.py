import numpy as np
import pytest
import torch

from core.light import song as songs
from core.rhythm.features import Rhythm
from core.show.channels import SHOW_FPS
from core.types import Beats


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


def test_a_song_is_described_from_its_mel_and_chroma():
    beats = Beats(torch.arange(0, 32, 0.5), 120.0, torch.arange(64) % 4 == 0)
    mel = torch.full((2000, 80), -8.0)
    mel[1000:] = -2.0
    rhythm = Rhythm(beats, torch.zeros(2000), torch.cat((torch.full((1000,), 0.2), torch.full((1000,), 0.9))))
    heard = songs.describe(32.0, rhythm, mel, torch.ones(500, 12))
    assert heard.frames == 500 and [s.start for s in heard.sections] == [0, 16]
    assert [s.intensity for s in heard.sections] == [0, 1] and heard.drops == (16.0,)
    assert heard.level[:200].max() < 0.1 and heard.level[300:].min() > 0.9

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.audio.mel import log_mel
from core.config import SignalConfig
from core.light.look import shipped_looks
from core.show.show import check_values
from train.data import synthetic
from train.data.lighting import at_rate, rules, song_of, tones
from train.data.rates import AUDIO_RATE


@pytest.fixture(scope="module")
def pair():
    return synthetic.pairs()["train"][3]


def test_the_rules_write_valid_shows_over_a_pair(pair):
    write = rules(15.625)
    ((values, look),) = write(pair, [3])
    check_values(values)
    assert len(values) == round(len(pair.mel) / 62.5 * 15.625) and 0 <= look < len(shipped_looks())
    *_, (again, same) = write(pair, [8, 3])
    assert np.array_equal(again, values) and same == look
    assert len({index for _, index in write(pair, range(12))}) > 3


def test_the_dancer_is_seen(pair):
    write = rules(15.625)
    frames = torch.zeros(len(pair.root), dtype=torch.long)
    still = replace(pair, rotations=pair.rotations[frames], root=pair.root[frames])
    both = zip(write(pair, range(6)), write(still, range(6)), strict=True)
    assert any(not np.array_equal(one[0], other[0]) for one, other in both)


def test_shows_come_at_any_rate(pair):
    slow, fast = (rules(fps)(pair, [5])[0][0] for fps in (15.625, 31.25))
    check_values(fast)
    assert abs(len(fast) - 2 * len(slow)) <= 1
    np.testing.assert_allclose(fast[:-1:2], slow[: len(fast[:-1:2])], atol=1e-5)
    assert at_rate(slow, 15.625, 15.625) is slow


def test_a_pair_is_heard_as_a_song(pair):
    song = song_of(pair)
    assert song.seconds == pytest.approx(8.0, abs=0.1) and torch.equal(song.beats.times, pair.beats)
    assert song.sections[0].start == 0


@pytest.mark.parametrize(("hertz", "tone"), [(440.0, 9), (523.25, 0), (784.0, 7)])
def test_tones_are_where_they_sound(hertz, tone):
    clock = torch.arange(2 * AUDIO_RATE) / AUDIO_RATE
    folded = tones(log_mel(0.5 * torch.sin(2 * math.pi * hertz * clock), SignalConfig()))
    assert folded.shape == (31, 12)
    apart = abs(int(folded.mean(dim=0).argmax()) - tone) % 12
    assert min(apart, 12 - apart) <= 1


def test_tones_are_no_semitone_off_on_average():
    """By MIDI's numbers, over an octave in which bands are narrower than elsewhere."""
    off = []
    for note in range(80, 92):
        clock = torch.arange(AUDIO_RATE) / AUDIO_RATE
        tone = 0.5 * torch.sin(2 * math.pi * 440 * 2 ** ((note - 69) / 12) * clock)
        found = int(tones(log_mel(tone, SignalConfig())).mean(dim=0).argmax())
        off.append((found - note + 6) % 12 - 6)
    assert abs(np.mean(off)) < 0.4, off

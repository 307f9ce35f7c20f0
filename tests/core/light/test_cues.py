"""What a model's light is told of sections and of the dancer."""

import numpy as np
import pytest
import torch

from core.config import preset, with_theatre
from core.light.cues import CUES, DANCER, SECTIONS, section_cues, told_of, with_energy
from core.light.dancer import energy_at, watch
from core.rhythm.sections import Section
from core.show.channels import SHOW_FPS

FPS = 10.0
SONG = (Section(0.0, 2.0, 0, 0.25), Section(2.0, 5.0, 1, 1.0), Section(5.0, 8.0, 0, 0.5))


def channel(cues: torch.Tensor, name: str) -> torch.Tensor:
    return cues[..., CUES.index(name)]


def test_networks_take_as_many_cues_as_there_are():
    theatre = with_theatre(preset("tiny"), ("noir",), "tiny").theatre
    assert theatre is not None
    assert [theatre.denoisers[name].cue_channels for name in ("motion", "light")] == [0, len(CUES)]
    assert (DANCER.stop, SECTIONS.start, SECTIONS.stop) == (2, 2, len(CUES))


def test_sections_are_told_where_they_are():
    cues = section_cues(SONG, 80, FPS)
    assert torch.equal(channel(cues, "intensity"), torch.tensor([0.25] * 20 + [1.0] * 30 + [0.5] * 30))
    assert torch.equal(channel(cues, "home"), torch.tensor([1.0] * 20 + [0.0] * 30 + [1.0] * 30))
    assert bool((channel(cues, "divided") == 1).all()) and not cues[:, DANCER].any()
    since, until = channel(cues, "since"), channel(cues, "until")
    assert (since == 1).nonzero()[:, 0].tolist() == [20, 50]  # a song begins without a change
    assert not since[:20].any() and not until[50:].any()  # and ends without one
    assert float(since[30]) == pytest.approx(np.exp(-1.0)) and float(until[40]) == pytest.approx(np.exp(-1.0))
    assert not section_cues((), 80, FPS).any()


def test_a_dance_that_ends_before_the_song_has_no_energy_then():
    cues = with_energy(section_cues(SONG, 80, FPS), torch.full((60,), 0.5))
    assert torch.equal(channel(cues, "energy"), torch.tensor([0.5] * 60 + [0.0] * 20))
    assert bool((channel(cues, "danced") == 1).all())


def test_samples_are_told_what_they_are_to_know():
    cues = with_energy(section_cues(SONG, 80, FPS), torch.full((80,), 0.5)).expand(3, -1, -1)
    told = told_of(cues, torch.tensor([True, False, False]), torch.tensor([False, True, False]))
    assert torch.equal(told[0, :, DANCER], cues[0, :, DANCER]) and not told[0, :, SECTIONS].any()
    assert torch.equal(told[1, :, SECTIONS], cues[1, :, SECTIONS]) and not told[1, :, DANCER].any()
    assert not told[2].any()


def test_energy_is_what_the_rules_see_at_another_rate():
    turn = torch.arange(120) / 30 * torch.linspace(0, 6, 120)
    places = torch.zeros(120, 2, 3)
    places[:, 1, 0], places[:, 1, 1] = turn.cos(), turn.sin()
    seen = watch(places, 30.0).energy
    told = energy_at(places, 30.0, 70, 15.0)
    np.testing.assert_allclose(
        told[:60].numpy(), np.interp(np.arange(60) / 15, np.arange(len(seen)) / SHOW_FPS, seen), atol=1e-6
    )
    assert bool((told[60:] == told[-1]).all())

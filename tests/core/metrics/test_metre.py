"""The metre of dances whose bars are known, because they are made of them."""

import math

import pytest
import torch

from core.errors import FootlightError
from core.metrics import metre
from core.motion import kinematics, rotation
from core.motion.skeleton import REST_HEIGHT
from core.types import Motion

FPS = 30.0
BEATS = torch.arange(0.2, 20, 0.5)


def steady(seconds):
    """The beat (t,) that each of ``seconds`` (t,) is at."""
    return (seconds - BEATS[0]) / 0.5


def dancing(period, at=steady, frames=600, seed=0):
    """A body whose every joint swings by a curve of its own, which comes again after ``period`` beats."""
    generator = torch.Generator().manual_seed(seed)
    orders = torch.arange(1.0, 4.0)
    size, phase, axis = (torch.randn(shape, generator=generator) for shape in ((22, 3), (22, 3), (22, 3)))
    turn = 2 * math.pi * at(torch.arange(frames) / FPS)[:, None, None] * orders / period + 6 * phase
    bend = 0.15 * (size * torch.sin(turn)).sum(dim=-1, keepdim=True) * axis
    root = torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(frames, 1)
    return Motion(rotation.from_axis_angle(bend), root, FPS)


def answered(motion, period):
    """The motion with every second stretch of ``period`` beats mirrored."""
    other = kinematics.mirror(motion)
    second = (steady(torch.arange(motion.frames) / FPS) / period).floor() % 2 == 1
    rotations = torch.where(second[:, None, None], other.rotations, motion.rotations)
    return Motion(rotations, torch.where(second[:, None], other.root, motion.root), FPS)


@pytest.mark.parametrize(("period", "name"), [(2, "twos"), (3, "threes"), (4, "fours")])
def test_bars_that_come_again_are_found_at_their_length(period, name):
    found = metre.evaluate(dancing(period), BEATS)
    others = [found[other] for other in ("twos", "threes", "fours") if other != name]
    assert found[name] > 0.7
    assert found[f"after_{period}"] == pytest.approx(1, abs=0.01)
    assert max(others) < 0.6


def test_one_dance_is_in_threes_or_in_fours_by_how_its_beats_are_grouped():
    dance, four_to_three = dancing(4), torch.arange(0.2, 20, 2 / 3)
    for beats, name, other in ((BEATS, "fours", "threes"), (four_to_three, "threes", "fours")):
        found = metre.evaluate(dance, beats)
        assert found[name] > 0.7 > 0.1 > found[other]


def test_a_bar_to_the_left_answers_one_to_the_right():
    found = metre.evaluate(answered(dancing(3), 3), BEATS)
    assert found["after_3"] > 0.95
    assert found["threes"] > 0.5 > found["fours"]


def test_a_march_has_no_bars():
    """Every beat mirrors the one before, so nothing tells one number of beats from another."""
    found = metre.evaluate(answered(dancing(1), 1), BEATS)
    assert found["after_1"] > 0.9
    for name in ("twos", "threes", "fours"):
        assert abs(found[name]) < 0.05


def test_movement_without_bars_has_none():
    for name in ("twos", "threes", "fours"):
        values = [metre.evaluate(dancing(17.3, seed=seed), BEATS)[name] for seed in range(6)]
        assert abs(sum(values) / len(values)) < 0.12
    statue = Motion(rotation.identity(600, 22), torch.zeros(600, 3), FPS)
    assert set(metre.evaluate(statue, BEATS).values()) == {0.0}


def test_a_tempo_that_changes_changes_nothing():
    times = 0.2 + torch.cumsum(torch.linspace(0.65, 0.35, 40), 0) - 0.65

    def at(seconds):
        index = torch.searchsorted(times, seconds).clamp(1, len(times) - 1)
        return index - 1 + (seconds - times[index - 1]) / (times[index] - times[index - 1])

    assert metre.evaluate(dancing(3, at), times)["threes"] > 0.7


def test_too_few_beats_are_refused():
    with pytest.raises(FootlightError, match="only 10 beats"):
        metre.evaluate(dancing(3), BEATS[:10])
    with pytest.raises(FootlightError, match="increasing"):
        metre.evaluate(dancing(3), BEATS.flip(0))


def test_repetition_is_found_without_beats_and_at_any_lag():
    """Moves of 4 s, the same ones answered by mirrored ones, and swings that become ever faster."""
    assert metre.repetition(dancing(8)) == pytest.approx(1, abs=0.01)
    assert metre.repetition(answered(dancing(8), 8)) > 0.9
    assert metre.repetition(dancing(8, at=lambda seconds: steady(seconds) ** 2 / 4)) < 0.4


def test_repetition_is_the_mean_over_stretches_of_ten_seconds():
    regular, irregular = dancing(8, frames=300), dancing(8, at=lambda s: steady(s) ** 2 / 4, frames=300)
    both = Motion(*(torch.cat(parts) for parts in zip(
        (regular.rotations, regular.root), (irregular.rotations, irregular.root), strict=True
    )), FPS)  # fmt: skip
    expected = (metre.repetition(regular) + metre.repetition(irregular)) / 2
    assert metre.repetition(both) == pytest.approx(expected, abs=0.02)
    with pytest.raises(FootlightError, match="8 s or more"):
        metre.repetition(dancing(8, frames=230))

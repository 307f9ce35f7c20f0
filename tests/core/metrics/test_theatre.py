"""The theatre paper's figures on motions and vectors whose values can be worked out."""

import math

import pytest
import torch

from core.errors import FootlightError
from core.metrics import theatre
from core.types import Beats


def path(times):
    """Three joints along x."""
    return torch.stack((times, times * 0, times * 0), dim=-1)[:, None].repeat(1, 3, 1).double()


def test_even_motion_is_smooth_and_turning_back_each_frame_is_not():
    steady = path(torch.arange(90) / 30)
    jerking = path((torch.arange(90) % 2) * 0.1)
    assert theatre.evaluate(steady, 30.0)["ms"] == pytest.approx(1)
    assert theatre.evaluate(jerking, 30.0)["ms"] == pytest.approx(0)
    assert theatre.evaluate(steady * 0, 30.0) == {"fps": 30, "ms": 1, "voa": 0, "ms_raw": 0, "voa_raw": 0}


def test_circling_has_the_smoothness_of_its_angle():
    """Steps that turn by an angle a have differences of 2 sin(a / 2) steps each: MS = 1 - sin(a / 2); VoA is 0."""
    turn = 0.3
    angle = torch.arange(200, dtype=torch.float64) * turn
    circle = torch.stack((angle.cos(), angle * 0, angle.sin()), dim=-1)[:, None]
    scores = theatre.evaluate(circle, 30.0)
    assert scores["ms"] == pytest.approx(1 - math.sin(turn / 2))
    assert scores["voa"] == pytest.approx(0, abs=1e-9)
    assert scores["ms_raw"] == pytest.approx(4 * math.sin(turn / 2) ** 2 * 900)
    assert theatre.evaluate(5 * circle, 30.0)["ms"] == pytest.approx(scores["ms"])  # no unit


def test_one_jolt_in_n_frames_has_the_variance_of_its_share():
    """|a| is 1 in one frame of n, else 0: Var / mean square = 1 - 1 / n."""
    n = 50
    speed = torch.cat((torch.zeros(26), torch.ones(25)))
    positions = path(torch.cat((torch.zeros(1), speed.cumsum(0))))
    assert theatre.acceleration_variance(positions) == pytest.approx(1 - 1 / n)
    assert theatre.evaluate(positions, 30.0)["voa_raw"] == pytest.approx(900**2 * (1 / n - 1 / n**2))


def test_the_frame_rate_of_the_input_hardly_matters():
    def swing(fps):
        return path(torch.sin(3 * torch.arange(round(10 * fps)) / fps))

    one, other = (theatre.evaluate(swing(fps), fps) for fps in (30.0, 62.5))
    for name in ("ms", "voa", "ms_raw"):
        assert one[name] == pytest.approx(other[name], rel=2e-2)


def test_energy_on_the_strong_beats():
    """Energy of cos^2 with a peak on every beat: the mean within 70 ms of them over the mean of all."""
    times = torch.arange(0, 20, 1 / 30, dtype=torch.float64)
    beats = Beats(torch.arange(0, 20, 0.5, dtype=torch.float64))  # the speed |cos(2 pi t)| peaks every half second
    moving = path(torch.sin(2 * math.pi * times) / (2 * math.pi))
    w = 4 * math.pi * 0.07
    expected = 1 + math.sin(w) / w  # of 2 cos^2 = 1 + cos, over +-70 ms
    assert theatre.evaluate(moving, 30.0, beats)["energy_on_beats"] == pytest.approx(expected, rel=0.03)
    between = Beats(beats.times + 0.25)
    assert theatre.evaluate(moving, 30.0, between)["energy_on_beats"] == pytest.approx(1 - math.sin(w) / w, abs=0.05)
    assert theatre.evaluate(moving, 30.0, Beats(torch.zeros(0)))["energy_on_beats"] == 1


def test_coherence_is_the_mean_cosine_above_that_of_strangers():
    a = torch.eye(4)
    same = theatre.cmc(a, a, a)
    assert same["value"] == pytest.approx(1) and same["chance"] == pytest.approx(0)
    assert same["calibrated"] == pytest.approx(1)
    crooked = theatre.cmc(a, a, a.roll(1, 0))
    assert crooked["music_motion"] == pytest.approx(1) and crooked["music_visual"] == pytest.approx(0)
    assert crooked["value"] == pytest.approx(1 / 3)
    alike = theatre.cmc(*[a + 100 for _ in range(3)])  # one direction: cosines near 1 that say nothing
    assert alike["value"] > 0.999 and alike["chance"] > 0.999
    generator = torch.Generator().manual_seed(0)
    blind = theatre.cmc(*[torch.randn(200, 8, generator=generator) + 3 for _ in range(3)])
    assert blind["value"] > 0.8 and abs(blind["calibrated"]) < 0.05


def test_style_consistency_is_a_cosine():
    generated = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    target = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    found = theatre.sci(generated, target)
    assert found["value"] == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert found["chance"] == pytest.approx((0 + math.sqrt(0.5)) / 2)
    assert theatre.similarities(generated, target * 0).abs().max() == 0


def test_tempo_rows():
    assert [theatre.tempo_row(bpm) for bpm in (80, 93, 116.9, 150)] == ["low", "middle", "middle", "high"]
    with pytest.raises(FootlightError, match="tempo"):
        theatre.tempo_row(0)


def test_bad_input_is_refused_in_words():
    with pytest.raises(FootlightError, match="too few"):
        theatre.evaluate(torch.zeros(2, 22, 3), 30.0)
    with pytest.raises(FootlightError, match="positions"):
        theatre.evaluate(torch.zeros(10, 22, 2), 30.0)
    with pytest.raises(FootlightError, match="two or more"):
        theatre.sci(torch.ones(1, 3), torch.ones(1, 3))
    with pytest.raises(FootlightError, match="one width"):
        theatre.sci(torch.ones(2, 3), torch.ones(2, 4))


def test_a_style_is_held_against_the_looks_that_were_not_wanted():
    looks = torch.eye(4)
    exact = theatre.sci_among(looks[2], looks, 2)
    assert exact == {"value": 1, "chance": 0, "calibrated": 1, "right": 1}
    other = theatre.sci_among(looks[1], looks, 2)
    assert other["value"] == 0 and other["chance"] == pytest.approx(1 / 3) and other["right"] == 0
    alike = theatre.sci_among(looks[2] + 100, looks + 100, 2)  # styles that differ little: near 1, and as near to all
    assert alike["value"] > 0.999 and alike["chance"] > 0.999
    with pytest.raises(FootlightError, match="two looks"):
        theatre.sci_among(looks[0], looks[:1], 0)

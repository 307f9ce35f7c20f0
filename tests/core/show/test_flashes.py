"""The flash rule on signals whose flashes can be counted by hand, and the limiter on adversarial shows."""

import numpy as np
import pytest

from core.show.channels import FASTEST_STROBE, ROLES, SHOW_FPS, SLICES
from core.show.colour import LUMINANCE
from core.show.flashes import MOST, limited, most_flashes, role_light, strobe_gate
from core.show.show import Show, rounded
from tests.core.show.shows import random_show, show_with

FRAMES = 60


def flickering(period: int, low: float = 0.0, high: float = 1.0, role: str = "front") -> Show:
    level = np.where(np.arange(FRAMES) % period < period / 2, high, low)
    return show_with(FRAMES, **{f"{role}_level": level})


def most_changes(signal: list[float], step: float = 0.1 - 1e-9) -> int:
    """The most rises, or falls, that any choice of frames shows, found by trying all last changes."""
    after_rise, after_fall = [(0, 0)] * len(signal), [(0, 0)] * len(signal)  # (rises, falls) that end with that frame
    for j, now in enumerate(signal):
        for i, before in enumerate(signal[:j]):
            if now - before >= step and before < 0.8:
                rises, falls = after_fall[i]
                after_rise[j] = max(after_rise[j], (rises + 1, falls))
            if before - now >= step and now < 0.8:
                rises, falls = after_rise[i]
                after_fall[j] = max(after_fall[j], (rises, falls + 1), key=lambda counts: counts[1])
    return max(max(counts) for counts in after_rise + after_fall)


def counted_by_trying_all(show: Show) -> int:
    """The most flashes of the middle's luminance in any second."""
    gate = strobe_gate(show.part("strobe"), show.fps)
    luminance = (role_light(show.values) @ LUMINANCE)[:, :, 1] * gate[:, None]
    span = int(show.fps) + 2
    return max(
        most_changes(signal[start : start + span].tolist())
        for signal in (*luminance.T[:2], luminance.mean(axis=1))
        for start in range(0, max(1, len(signal) - span + 1))
    )


@pytest.mark.parametrize(("period", "unsafe"), [(2, True), (4, True), (5, True), (6, False), (8, False)])
def test_light_that_flickers_is_counted(period, unsafe):
    # a period of 6 frames is 2.6 Hz; 5 frames are 3.1 Hz
    assert (most_flashes(flickering(period)) > MOST) == unsafe
    assert (counted_by_trying_all(flickering(period)) > MOST) == unsafe


def test_small_and_bright_changes_are_no_flashes():
    assert most_flashes(flickering(2, 0.5, 0.59)) == 0
    assert most_flashes(flickering(2, 0.82, 1.0)) == 0
    assert most_flashes(flickering(2, 0.5, 0.61)) > MOST


def test_a_slow_rise_in_many_steps_is_one_change():
    assert most_flashes(show_with(FRAMES, back_level=np.linspace(0, 1, FRAMES))) == 1


def test_roles_that_flash_in_turn_flash_together():
    """Each of four roles flashes once in a second, which is four flashes of the stage."""
    levels = {f"{role}_level": np.zeros(FRAMES) for role in ROLES}
    for turn in range(4):
        levels[f"{ROLES[turn]}_level"][10 + 3 * turn] = 1
    assert most_flashes(show_with(FRAMES, **levels)) > MOST


def test_red_that_flashes_is_counted_at_equal_luminance():
    """Saturated red and a grey of its luminance take turns."""
    saturation = np.where(np.arange(FRAMES) % 4 < 2, 1.0, 0.0)
    level = np.where(np.arange(FRAMES) % 4 < 2, 1.0, 0.2126)
    assert most_flashes(show_with(FRAMES, top_saturation=saturation, top_level=level)) > MOST
    green = np.tile([[np.cos(2 * np.pi / 3), np.sin(2 * np.pi / 3)]], (FRAMES, 1))
    level = np.where(np.arange(FRAMES) % 4 < 2, 1.0, 0.7152)
    assert most_flashes(show_with(FRAMES, top_saturation=saturation, top_level=level, top_hue=green)) == 0


def test_a_light_that_moves_flashes_where_it_passes():
    across = np.where(np.arange(FRAMES) % 4 < 2, -1.0, 1.0)
    assert most_flashes(show_with(FRAMES, back_level=np.ones(FRAMES), back_across=across, back_spread=across * 0)) > 3


def test_a_strobe_of_the_fastest_rate_is_safe_and_adds_to_other_flashes():
    strobe = np.full(FRAMES, FASTEST_STROBE)
    steady = show_with(FRAMES, strobe=strobe, top_level=np.ones(FRAMES))
    assert most_flashes(steady) <= MOST and np.array_equal(limited(steady).values, steady.values)
    both = show_with(FRAMES, strobe=strobe, top_level=np.where(np.arange(FRAMES) % 7 < 3, 1.0, 0.0))
    assert most_flashes(limited(both)) <= MOST


def test_the_strobe_begins_with_light():
    gate = strobe_gate(np.array([0, 2.0, 2, 2, 2, 0, 2, 2]), 4.0)
    assert gate.tolist() == [1, 1, 0, 1, 0, 1, 1, 0]


@pytest.mark.parametrize("seed", range(12))
def test_no_show_flashes_more_often_than_allowed_after_the_limiter(seed):
    wild = Show(rounded(random_show(seed).values))
    assert most_flashes(wild) >= MOST
    safe = limited(wild)
    assert most_flashes(safe) <= MOST and counted_by_trying_all(safe) <= MOST
    assert np.array_equal(limited(safe).values, safe.values)


def test_wild_shows_need_the_limiter():
    assert sum(most_flashes(random_show(seed)) > MOST for seed in range(12)) > 9


@pytest.mark.parametrize("seed", range(6))
def test_flicker_is_limited_at_any_rate(seed):
    random = np.random.default_rng(seed)
    fps = float([SHOW_FPS, 8, 12, 20, 24, 30][seed])
    levels = {f"{role}_level": (random.uniform(size=100) < 0.5) * 1.0 for role in ROLES}
    wild = show_with(100, fps, **levels, strobe=(random.uniform(size=100) < 0.3) * FASTEST_STROBE)
    safe = limited(wild)
    assert most_flashes(safe) <= MOST and counted_by_trying_all(safe) <= MOST
    assert np.ptp(safe.part("front_level")) == 1, "it still moves"


def test_a_safe_show_stays_as_it_is():
    safe = flickering(16)
    assert np.array_equal(limited(safe).values, safe.values)


def test_what_is_no_light_is_never_touched():
    wild = random_show(99)
    safe = limited(wild)
    for name in ("costume_base_value", "backdrop_roughness", "move"):
        assert np.array_equal(safe.values[:, SLICES[name]], wild.values[:, SLICES[name]])

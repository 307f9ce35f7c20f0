"""Beat scores against mir_eval, scipy and cases worked out by hand."""

import json
import math
from pathlib import Path

import mir_eval
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.signal import argrelextrema

from core.errors import FootlightError
from core.metrics import beat
from core.types import Beats

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "beat_metrics.json").read_text())


def seconds(*times):
    return torch.tensor(times, dtype=torch.float64)


def pulse(period, length=20.0, fps=60.0, joints=22, phase=0.0):
    """Joints that swing along x and rest, all at once, every ``period`` seconds, from ``phase`` on."""
    times = torch.arange(round(length * fps), dtype=torch.float64) / fps
    path = (times - phase) - period / (2 * math.pi) * torch.sin(2 * math.pi * (times - phase) / period)
    return torch.stack([path, torch.zeros_like(path), torch.zeros_like(path)], dim=-1)[:, None].repeat(1, joints, 1)


@pytest.mark.parametrize("case", GOLDEN["tolerant"] + GOLDEN["strict"] + GOLDEN["per_second"], ids=lambda c: c["why"])
def test_hand_made_cases(case):
    a, b = seconds(*case["estimated"]), seconds(*case["reference"])
    if "f" in case:
        assert beat.f_measure(a, b) == pytest.approx(case["f"])
    elif "seconds" in case:
        assert beat.per_second(a, b, case["seconds"]) == pytest.approx((case["bcs"], case["bhs"]))
    else:
        assert beat.tolerant(a, b) == pytest.approx((case["bcs"], case["bhs"]))


def test_matched_times_are_those_of_the_largest_one_to_one_match():
    found = seconds(0.95, 1.04, 2.0, 3.5, 4.02, 4.1)
    assert beat.matched(found, seconds(1.0, 1.1, 2.06, 4.0), 0.07) == [0.95, 1.04, 2.0, 4.02]
    assert beat.matched(found, seconds(), 0.07) == [] == beat.matched(seconds(), found, 0.07)


def test_f_measure_is_mir_evals():
    rng = np.random.default_rng(0)
    for density in (1, 4, 12):  # beats closer together than the tolerance make matching ambiguous
        for _ in range(20):
            estimated, reference = (np.unique(rng.uniform(0, 20, rng.integers(1, 20 * density))) for _ in range(2))
            expected = mir_eval.beat.f_measure(reference, estimated)
            found = beat.f_measure(torch.from_numpy(estimated), torch.from_numpy(reference))
            assert found == pytest.approx(expected, abs=1e-12)


def test_motion_beats_are_scipys_extrema():
    generator = torch.Generator().manual_seed(0)
    positions = torch.randn(600, 22, 3, generator=generator, dtype=torch.float64).cumsum(0) * 0.01
    speed = positions.diff(dim=0).norm(dim=-1).numpy()
    expected = argrelextrema(speed.sum(1), np.less, order=10)[0]
    assert torch.equal((beat.aist_beats(positions, 60) * 60).round().long(), torch.from_numpy(expected))
    smooth = gaussian_filter1d(speed.mean(1), 5)
    expected = argrelextrema(smooth, np.less)[0]
    assert torch.equal((beat.bailando_beats(positions, 60) * 60).round().long(), torch.from_numpy(expected))


@pytest.mark.parametrize("fps", [24.0, 31.25, 60.0])
def test_kinematic_beats_fall_where_the_body_rests_at_any_rate(fps):
    shift = 0.004  # off the frames: a rest midway between two equal speeds is no strict minimum
    rests = seconds(*(k * 0.8 + shift for k in range(1, 24)))
    positions = pulse(0.8, 19.9, fps, phase=shift)
    for found in (beat.aist_beats(positions, fps), beat.bailando_beats(positions, fps)):
        assert beat.f_measure(found, rests, 0.02) > 0.95
    assert beat.f_measure(beat.energy_peaks(positions, fps), rests - 0.4, 0.02) > 0.95


def test_alignment_is_a_gaussian_of_the_distance():
    assert beat.alignment(seconds(1, 2), seconds(1, 2.05)) == pytest.approx((1 + math.exp(-0.5)) / 2)
    assert beat.alignment(seconds(), seconds(1)) == 0 == beat.alignment(seconds(1), seconds())


def test_chance_level_of_a_metronome_is_the_mean_over_all_phases():
    targets, length = seconds(*np.arange(0, 60, 0.5)), 60.0
    result = beat.with_chance(lambda times: beat.alignment(times, targets), targets, length, shifts=2000)
    expected = math.sqrt(2 * math.pi) * 0.05 * math.erf(0.25 / 0.05 / math.sqrt(2)) / 0.5
    assert result["value"] == pytest.approx(1) and result["calibrated"] == pytest.approx(1)
    assert result["chance"] == pytest.approx(expected, abs=0.02)


def test_calibration_separates_dancing_from_moving():
    music = Beats(seconds(*np.arange(0.8, 19.9, 0.8)), 75.0, torch.arange(24) % 4 == 0)
    on = beat.evaluate(pulse(0.8, fps=31.25), 31.25, music)
    off = beat.evaluate(pulse(0.8, fps=31.25, phase=0.405), 31.25, music)  # at 0.4 two frames share every peak
    other = beat.evaluate(pulse(0.67, fps=31.25), 31.25, music)
    for name in ("bas_aist", "bas_bailando", "bas_hits", "f_hits_70ms"):
        assert on[name]["calibrated"] > 0.9
        assert off[name]["calibrated"] < 0
        assert abs(other[name]["calibrated"]) < 0.12
    assert off["bas_theatre"]["calibrated"] > 0.9 > 0 > on["bas_theatre"]["calibrated"]
    assert on["momu_hits"]["bcs"] > 0.95 and off["momu_hits"]["bcs"] == 0
    assert on == beat.evaluate(pulse(0.8, fps=31.25), 31.25, music)


def test_per_second_bins_saturate_and_the_strict_score_does_not():
    """A metronome at 120 beats a minute against one at 100: perfect for LORIS, no better than chance for strict F."""
    fast, slow = seconds(*np.arange(0, 30, 0.5)), seconds(*np.arange(0, 30, 0.6))
    assert beat.per_second(fast, slow, 30) == (1, 1)
    bins = beat.coverage(lambda times: beat.per_second(fast, times, 30), slow, 30)
    assert bins["bcs_chance"] > 0.98 and bins["bhs_chance"] > 0.98  # whatever the phase
    assert beat.f_measure(fast, slow) < 0.5
    assert abs(beat.with_chance(lambda times: beat.f_measure(fast, times), slow, 30)["calibrated"]) < 0.15


def test_every_bcs_and_bhs_has_its_chance_level_and_the_saturated_ones_say_so(make_song):
    music = Beats(seconds(*np.arange(0.8, 19.9, 0.8)), 75.0)
    clip = beat.evaluate(pulse(0.8), 60.0, music, make_song(20.0, 75.0))
    mean = beat.average([clip, clip])
    for result in (clip, mean):
        pairs = {name: entry for name, entry in result.items() if isinstance(entry, dict) and "bcs" in entry}
        assert len(pairs) == 5
        for name, entry in pairs.items():
            assert {"bcs_chance", "bhs_chance", "bcs_calibrated", "bhs_calibrated"} <= entry.keys()
            assert entry.get("saturated", False) is name.startswith("loris")
        rest = [entry for entry in result.values() if isinstance(entry, dict) and "bcs" not in entry]
        assert all({"value", "chance", "calibrated"} == entry.keys() for entry in rest)
        assert result["fps"] == 60 and result["bas_fps"] == 60
    assert clip["loris_beats"]["bcs"] == 1 and clip["loris_beats"]["bcs_chance"] > 0.9
    assert clip["momu_hits"]["bcs_calibrated"] > 0.9 > 0.5 > clip["momu_hits"]["bcs_chance"]
    assert mean["momu_hits"]["f1"] == pytest.approx(clip["momu_hits"]["bcs"], abs=0.05)
    assert 0 < mean["momu_hits"]["f1_chance"] < mean["momu_hits"]["f1"]


def test_momu_onsets_are_librosas_with_its_parameters(make_song):
    song = make_song(6.0, 120.0)
    found = beat.music_onsets(song)
    assert beat.f_measure(found, seconds(*np.arange(0.5, 6, 0.5)), 0.05) > 0.9


def test_average_takes_deviations_over_clips():
    clips = [(0.5, 1.0), (1.0, 1.0), (0.6, 0.4)]
    result = beat.coverage_and_hit(clips)
    assert result["bcs"] == pytest.approx(0.7) and result["csd"] == pytest.approx(np.std([0.5, 1, 0.6], ddof=1))
    assert result["bhs"] == pytest.approx(0.8) and result["hsd"] == pytest.approx(np.std([1, 1, 0.4], ddof=1))
    assert result["f1"] == pytest.approx(2 * 0.7 * 0.8 / 1.5)
    music = Beats(seconds(*np.arange(0.8, 19.9, 0.8)))
    one = beat.evaluate(pulse(0.8), 60.0, music)
    both = beat.average([one, beat.evaluate(pulse(0.7), 60.0, music)])
    assert both["clips"] == 2 and both["bas_fps"] == 60 and both["momu_hits"]["csd"] > 0


def test_bad_input_is_refused_in_words():
    with pytest.raises(FootlightError, match="increasing"):
        beat.evaluate(pulse(0.8), 60.0, Beats(seconds(2, 1)))
    with pytest.raises(FootlightError, match="positions"):
        beat.evaluate(torch.zeros(5, 22, 2), 60.0, Beats(seconds(1, 2)))
    with pytest.raises(FootlightError, match="frame rates"):
        beat.average([{"fps": 30}, {"fps": 60}])


def test_motion_without_movement_or_beats_scores_zero():
    result = beat.evaluate(torch.zeros(100, 22, 3), 31.25, Beats(seconds()))
    assert result["bas_bailando"] == {"value": 0, "chance": 0, "calibrated": 0}
    assert all(value == 0 for value in result["momu_hits"].values())

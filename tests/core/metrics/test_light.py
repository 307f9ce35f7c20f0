"""Metrics of light on shows whose values can be worked out, and against scipy and mir_eval."""

import math

import mir_eval
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks
from scipy.stats import pearsonr

from core.errors import FootlightError
from core.metrics import light
from core.show.channels import ROLES, SHOW_FPS
from tests.core.show.shows import show_with

FRAMES = 600


def striking(times: np.ndarray, frames: int = FRAMES, low: float = 0.1, high: float = 0.9) -> np.ndarray:
    """A level that strikes at some times and decays within a fifth of a second."""
    clock, level = np.arange(frames) / SHOW_FPS, np.full(frames, low)
    for time in times:
        since = clock - round(time * SHOW_FPS) / SHOW_FPS
        level = np.maximum(level, np.where(since >= 0, low + (high - low) * np.exp(-since.clip(0) / 0.2), 0))
    return level


def test_strokes_on_every_strong_beat_score_1_and_shifted_ones_by_chance():
    beats = np.arange(1, 38)
    show = show_with(FRAMES, top_level=striking(beats))
    found = light.evaluate(show, torch.from_numpy(beats).double())
    assert found["pulse_f"]["value"] == 1.0 and found["flashes"] <= 3
    # of random shifts, those by less than 70 ms (and half a frame) hit: about a seventh
    assert found["pulse_f"]["chance"] < 0.35


def test_late_strokes_and_half_of_them():
    beats = torch.arange(1, 38).double()
    late = show_with(FRAMES, top_level=striking(beats.numpy() + 0.3))
    assert light.evaluate(late, beats)["pulse_f"]["value"] == 0.0
    half = show_with(FRAMES, top_level=striking(beats.numpy()[::2]))
    # 19 of 19 are right, of 37 wanted
    assert light.evaluate(half, beats)["pulse_f"]["value"] == pytest.approx(2 * 19 / (19 + 37))


def test_two_roles_that_strike_together_are_one_stroke_and_a_cue_is_none():
    beats = np.arange(1, 38)
    both = show_with(FRAMES, top_level=striking(beats), back_level=striking(beats))
    assert len(light.strokes_of_light(light.roles_brightness(both), SHOW_FPS)) == 37
    cue = show_with(FRAMES, top_level=np.where(np.arange(FRAMES) < 300, 0.2, 0.9))
    assert "pulse_f" not in light.evaluate(cue, torch.from_numpy(beats).double())


def test_a_stroke_is_a_peak_that_rises_and_falls_enough():
    """Frame by frame, as the definition says, also at both ends of a show."""
    brightness = torch.rand(400, 3, generator=torch.Generator().manual_seed(0)) ** 3
    fps, near, found = 15.625, round(light.STROKE_SECONDS * 15.625), set()
    for role in brightness.T.tolist():
        for frame in range(1, 399):
            rise = role[frame] - min(role[max(0, frame - 2) : frame])
            fall = role[frame] - min(role[frame : frame + near + 1])
            top = role[frame] > role[frame - 1] and role[frame] >= role[frame + 1]
            if top and rise >= light.STROKE and fall >= light.STROKE_FALL * rise:
                found.add(frame)
    wanted = [frame / fps for frame in sorted(found) if frame - 1 not in found]  # two within 70 ms are one
    strokes = light.strokes_of_light(brightness, fps).tolist()
    assert len(found) > 50 and set(strokes) <= {frame / fps for frame in found} and set(strokes) >= set(wanted)


def test_cues_at_the_sections_are_found():
    frames = 1200
    level = np.repeat([0.2, 0.8, 0.4, 0.9], frames // 4)
    hue = np.repeat([[[1.0, 0.0]], [[0.0, 1.0]], [[-1.0, 0.0]], [[0.0, -1.0]]], frames // 4, axis=1).reshape(-1, 2)
    show = show_with(frames, back_level=level, back_hue=hue, back_saturation=np.ones(frames))
    sections = torch.tensor([1, 2, 3]) * (frames / 4 / SHOW_FPS)
    found = light.evaluate(show, torch.zeros(0), sections)["section_f"]
    assert found["value"] == 1.0 and found["chance"] < 0.4
    none = light.evaluate(show_with(frames, back_level=np.ones(frames)), torch.zeros(0), sections)
    assert none["section_f"]["value"] == 0.0


def test_light_that_follows_the_dance_correlates_with_it():
    energy = gaussian_filter1d(np.random.default_rng(0).uniform(size=FRAMES), 12)
    energy = (energy - energy.min()) / np.ptp(energy)
    show = show_with(FRAMES, side_level=energy)
    found = light.evaluate(show, torch.zeros(0), energy=torch.from_numpy(energy))["energy"]
    expected = pearsonr(gaussian_filter1d(energy, 0.5 * SHOW_FPS), energy).statistic
    assert found["value"] == pytest.approx(expected, abs=0.01) and abs(found["chance"]) < 0.3


def test_shows_answer_dances_as_far_as_they_differ_with_them():
    """Nine tenths of the light are the song's, and the follow spot leaves the middle of the stage."""
    random = np.random.default_rng(0)
    song, *energies = (gaussian_filter1d(random.uniform(size=FRAMES), 12) for _ in range(3))
    across = np.linspace(-1, 1, FRAMES)

    def lit(energy: np.ndarray, share: float):
        level = 0.9 * song + share * energy
        return show_with(FRAMES, follow_level=level, follow_across=across, follow_spread=np.full(FRAMES, 0.15))

    told = torch.from_numpy(energies[0]), torch.from_numpy(energies[1])
    found = {share: light.answer((lit(energies[0], share), lit(energies[1], share)), told) for share in (0.1, -0.1)}
    apart = energies[0] - energies[1]
    expected = np.corrcoef(gaussian_filter1d(apart, 0.5 * SHOW_FPS), apart)[0, 1]
    assert found[0.1]["value"] == pytest.approx(expected, abs=0.02)
    assert found[-0.1]["value"] == pytest.approx(-expected, abs=0.02)
    assert abs(found[0.1]["chance"]) < 0.3
    same = lit(energies[0], 0.1)
    assert math.isnan(light.answer((same, same), told)["value"])


def test_the_level_per_energy_is_what_a_dance_adds_to_the_light():
    """Smoothing leaves steady energies as they are, so the slope is the ratio of the differences."""
    steady = torch.full((FRAMES,), 0.8), torch.full((FRAMES + 5,), 0.2)
    shows = tuple(show_with(FRAMES, front_level=np.full(FRAMES, 0.3 + 0.4 * float(one[0]))) for one in steady)
    assert light.level_per_energy(shows, steady) == pytest.approx(0.4 / len(ROLES), rel=1e-3)
    assert math.isnan(light.level_per_energy(shows, (steady[0], steady[0])))


def test_novelty_is_the_plain_sum_with_a_checkerboard():
    """Foote's kernel, written out: like quadrants minus unlike ones, tapered by a Gaussian."""
    similar = torch.rand(80, 80, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found, frame, total, size = light.novelty(similar), 40, 0.0, 0.0
    for i in range(-31, 32):
        for j in range(-31, 32):
            weight = math.exp(-(i**2 + j**2) / (2 * (31 * 0.5) ** 2)) * np.sign(i) * np.sign(j)
            total, size = total + weight * float(similar[frame + i, frame + j]), size + abs(weight)
    assert float(found[frame]) == pytest.approx(total / size) and not found[:31].any() and not found[-31:].any()


def material(seed: int = 0, frames: int = 3600):
    """A song of eight parts at 30 Hz with its light: (light, brightness, chroma, loudness, onset, beats)."""
    random = np.random.default_rng(seed)
    part = np.repeat(np.arange(8), frames // 8)
    chroma = random.uniform(size=(8, 12))[part] + 0.02 * random.uniform(size=(frames, 12))
    light_ = random.uniform(size=(8, 9))[part]
    loud = random.uniform(0.2, 1, size=8)[part]
    beats = np.arange(0.5, frames / 30, 0.5)
    brightness = np.zeros((frames, 2))
    brightness[(beats * 30).astype(int)] = 1.0
    onset = 0.1 * random.uniform(size=frames)
    return [torch.from_numpy(np.asarray(x, dtype=float)) for x in (light_, brightness, chroma, loud, onset, beats)]


def test_correspondence_of_parts_that_change_together():
    found = light.correspondence(*material())
    assert found["structure"] > 0.4 and found["novelty"] > 0.5 and found["boundary"] > 0.9
    assert found["beat_peak"] == pytest.approx(1.0)
    shifted = material()
    shifted[0] = shifted[0].roll(225, 0)  # half a part
    apart = light.correspondence(*shifted)
    assert apart["novelty"] < 0.2 and apart["boundary"] < 0.5 and apart["structure"] < found["structure"]


def test_a_peak_a_frame_off_the_beat_counts_as_the_formula_says():
    values = material()
    values[1] = values[1].roll(1, 0)
    assert light.correspondence(*values)["beat_peak"] == pytest.approx(math.exp(-1 / 0.5), abs=0.01)


def test_loudness_and_change_are_correlated_over_pieces_of_four_seconds():
    light_, brightness, chroma, loud, onset, beats = material()
    brightness = loud[:, None].expand(-1, 3)
    onset = torch.cat((torch.zeros(1), light_.diff(dim=0).abs().sum(dim=1)))
    found = light.correspondence(light_, brightness, chroma, loud, onset, beats)
    assert found["loud"] == pytest.approx(1.0) and found["change"] == pytest.approx(1.0)


def test_boundaries_are_scored_as_mir_eval_scores_them():
    light_, _, chroma, *_ = material()
    chroma = torch.cat((chroma[:1800], chroma[:1800]))
    curves = [light.novelty(light.light_similarity(light_)), light.novelty(light.music_similarity(chroma))]
    segments = []
    for curve in curves:
        found, _ = find_peaks(curve.numpy(), distance=15, prominence=0.04)
        bounds = np.concatenate(([0], found / 3, [len(curve) / 3]))
        segments.append(np.stack((bounds[:-1], bounds[1:]), axis=1))
    expected = mir_eval.segment.detection(segments[1], segments[0], window=2.0)[2]
    assert light._boundary_f(*curves) == pytest.approx(expected)


def test_a_short_show_is_refused_and_a_short_song_has_no_novelty():
    with pytest.raises(FootlightError, match="19 frames is too short"):
        light.evaluate(show_with(19), torch.zeros(0))
    assert math.isnan(light.correspondence(*(x[:300] for x in material()))["novelty"])

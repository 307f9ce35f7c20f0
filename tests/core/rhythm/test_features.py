"""Rhythm features, whose phases are worked out by hand."""

import math

import librosa
import mir_eval
import numpy as np
import pytest
import torch

from core.audio.mel import log_mel
from core.audio.onsets import ONSET_FPS, loudness, onset_strength
from core.config import SignalConfig
from core.rhythm.features import (
    RHYTHM_CHANNELS,
    analyse,
    beats_of,
    known_bars,
    rhythm_features,
    with_contrast,
    with_spread_loudness,
)
from core.types import Beats, Waveform

FPS = 31.25
NOTHING = torch.zeros(0)


def channel(features, name):
    return features[:, RHYTHM_CHANNELS.index(name)]


def phase(features, name):
    """In turns, 0-1."""
    angle = torch.atan2(channel(features, f"{name}_sin"), channel(features, f"{name}_cos"))
    return (angle / (2 * math.pi)) % 1


def turns_apart(a, b):
    return ((a - b + 0.5) % 1 - 0.5).abs().max().item()


@pytest.mark.parametrize("fps", [15.625, FPS])
def test_features_say_where_the_beats_are(fps):
    """To a few milliseconds, also where the tempo changes within a frame, and from the first frame on."""
    steady, faster = 0.5 * torch.arange(8), 3.5 + 0.37 * torch.arange(1, 12)
    times = torch.cat((steady, faster))
    features = rhythm_features(Beats(times), NOTHING, NOTHING, round(times[-1].item() * fps), fps)
    np.testing.assert_allclose(beats_of(features, fps), times[:-1], atol=0.02)
    assert abs(float((beats_of(features, fps) - times[:-1]).mean())) < 0.002
    unknown = rhythm_features(Beats(NOTHING), NOTHING, NOTHING, 50, fps)
    assert len(beats_of(unknown, fps)) == 0 and len(beats_of(features[:0], fps)) == 0


def test_phases_of_a_steady_beat_are_linear_from_the_first_to_the_last_frame():
    times = 1.3 + 0.5 * torch.arange(10)  # the song lasts from 0 to 8 s, its beats from 1.3 to 5.8 s
    beats = Beats(times, 120.0, torch.arange(10) % 4 == 1)  # the first downbeat is at 1.8 s
    features = rhythm_features(beats, NOTHING, NOTHING, 250, FPS)
    clock = torch.arange(250) / FPS
    assert features.shape == (250, len(RHYTHM_CHANNELS))
    for name, period, start in (("beat", 0.5, 1.3), ("half", 1.0, 1.8), ("bar", 2.0, 1.8)):
        assert turns_apart(phase(features, name), (clock - start) / period) < 1e-4
        length = channel(features, f"{name}_cos") ** 2 + channel(features, f"{name}_sin") ** 2
        torch.testing.assert_close(length, torch.ones(250))
    torch.testing.assert_close(channel(features, "tempo"), torch.zeros(250), atol=1e-5, rtol=0)
    assert torch.all(channel(features, "known") == 1)


def test_phase_follows_each_interval_of_an_uneven_beat():
    beats = Beats(torch.tensor([0.0, 0.4, 1.2, 1.6, 2.0]))
    features = rhythm_features(beats, NOTHING, NOTHING, 8, 5.0)  # frames at 0, 0.2, 0.4 ... 1.4 s
    expected = torch.tensor([0, 0.5, 0, 0.25, 0.5, 0.75, 0, 0.5])
    assert turns_apart(phase(features, "beat"), expected) < 1e-5


def test_before_and_after_the_beats_their_own_spacing_goes_on():
    times = torch.cat([2 + 0.5 * torch.arange(6), 4.9 + 0.4 * torch.arange(6)])  # 120, then 150 beats a minute
    features = rhythm_features(Beats(times), NOTHING, NOTHING, 1000, 100.0)
    clock = torch.arange(1000) / 100
    assert turns_apart(phase(features, "beat")[:200], (clock[:200] - 2) / 0.5) < 1e-4
    assert turns_apart(phase(features, "beat")[700:], (clock[700:] - 6.9) / 0.4) < 1e-4
    assert channel(features, "tempo")[0] == pytest.approx(0, abs=1e-5)
    assert channel(features, "tempo")[-1] == pytest.approx(math.log2(150 / 120), abs=1e-5)


def test_a_bar_of_other_length_stretches_its_own_phase_only():
    downbeats = torch.tensor([1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1]).bool()  # the second bar has three beats
    features = rhythm_features(Beats(torch.arange(12.0), 60.0, downbeats), NOTHING, NOTHING, 12, 1.0)
    expected = torch.tensor([0, 0.25, 0.5, 0.75, 0, 1 / 3, 2 / 3, 0, 0.25, 0.5, 0.75, 0])
    assert turns_apart(phase(features, "bar"), expected) < 1e-5


@pytest.mark.parametrize(("metre", "known"), [(2, 4), (3, 3), (4, 4), (5, 5), (6, 3), (8, 4), (10, 5), (12, 3)])
def test_bars_come_to_the_models_as_they_know_them(metre, known):
    count = 24 if metre % 5 else 30
    beats = Beats(torch.arange(float(count)), 60.0, torch.arange(count) % metre == 0)
    starts = torch.nonzero(known_bars(beats.downbeats))[:, 0]
    assert starts.tolist()[: 16 // known] == list(range(0, count, known))[: 16 // known]
    features = rhythm_features(beats, NOTHING, NOTHING, 16, 1.0)
    assert turns_apart(phase(features, "bar"), torch.arange(16) / known % 1) < 1e-5
    assert beats.metre == metre


def test_what_is_not_known_is_zero_and_says_so():
    features = rhythm_features(Beats(torch.zeros(0)), NOTHING, NOTHING, 50, FPS)
    assert torch.all(features == 0)
    features = rhythm_features(Beats(torch.arange(10) * 0.5), NOTHING, NOTHING, 50, FPS)
    assert torch.all(channel(features, "known") == 1)
    assert torch.all(features[:, 2:6] == 0)  # no downbeats: neither half bar nor bar


@pytest.mark.parametrize("fps", [15.625, 30.0, 31.25, 60.0, 62.5])
def test_no_onset_is_lost_at_any_rate(fps):
    onset = torch.zeros(500)
    onset[[40, 41, 200, 333, 480]] = torch.tensor([0.9, 0.3, 1.0, 0.5, 0.7])
    frames = round(8 * fps)
    pooled = channel(rhythm_features(Beats(torch.zeros(0)), onset, NOTHING, frames, fps), "onset")
    for at, value in ((40, 0.9), (200, 1.0), (333, 0.5), (480, 0.7)):
        nearest = pooled[max(0, round(at / ONSET_FPS * fps) - 1) : round(at / ONSET_FPS * fps) + 2]
        assert nearest.max() == pytest.approx(value)
    assert pooled[: int(39 / ONSET_FPS * fps) - 1].max() == 0


def test_loudness_is_relative_to_the_song():
    level = torch.cat([torch.full((1000,), 0.8), torch.full((1000,), 0.55), torch.zeros(1000)])  # 0, -15, -48 dB
    for gain in (0.0, -0.2):  # the same song, 12 dB softer
        values = (level + gain).clamp(min=0)
        features = rhythm_features(Beats(torch.zeros(0)), NOTHING, values, 1500, FPS)
        found = channel(features, "loudness")
        assert found[250] == pytest.approx(1, abs=1e-4)
        assert found[750] == pytest.approx(0.5, abs=1e-4)
        assert found[1250] == pytest.approx(0, abs=1e-4)
        assert 0.6 < found[500] < 0.9  # within the second around the step


LOUDNESS = RHYTHM_CHANNELS.index("loudness")


def features_of(loudness: torch.Tensor) -> torch.Tensor:
    features = torch.rand(len(loudness), len(RHYTHM_CHANNELS), generator=torch.Generator().manual_seed(0))
    features[:, LOUDNESS] = loudness
    return features


def test_spread_loudness_changes_loudness_alone():
    features = features_of(torch.linspace(0, 1, 50))
    spread = with_spread_loudness(features, 11.0)
    torch.testing.assert_close(spread[:, LOUDNESS], torch.linspace(0, 1, 50) ** 11)
    others = [index for index in range(len(RHYTHM_CHANNELS)) if index != LOUDNESS]
    assert torch.equal(spread[:, others], features[:, others])


def test_contrast_sets_a_song_s_sections_apart_however_it_was_mastered():
    """Four minutes of three levels within a decibel and a half: their ranks are 1/6, 1/2 and 5/6."""
    fps, levels = 15.0, (0.95, 1.0, 0.967)
    song = torch.cat([torch.full((1200,), level) for level in levels])
    heard = with_spread_loudness(with_contrast(features_of(song), fps, 11.0), 11.0)[:, LOUDNESS]
    for place, level, rank in zip((600, 1800, 3000), levels, (1 / 6, 5 / 6, 1 / 2), strict=True):
        assert float(heard[place]) == pytest.approx((level**11 + rank) / 2, abs=0.03)


@pytest.mark.parametrize("level", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("frames", [1, 40])
def test_a_song_of_one_level_has_no_contrast(level, frames):
    heard = with_contrast(features_of(torch.full((frames,), level)), 15.0, 11.0)[:, LOUDNESS]
    torch.testing.assert_close(heard, torch.full((frames,), ((level**11 + 0.5) / 2) ** (1 / 11)), atol=1e-4, rtol=0)


def test_loudness_of_a_mel_follows_decibels():
    tone = 0.5 * torch.sin(2 * math.pi * 440 * torch.arange(32_000) / 16_000)
    loud, soft = (loudness(log_mel(tone * gain, SignalConfig())).median() for gain in (1.0, 0.1))
    assert loud - soft == pytest.approx(20 / 60, abs=0.01)


def test_onsets_are_found_at_least_as_well_as_with_librosas_envelope():
    rng = np.random.default_rng(0)
    samples = 0.001 * rng.standard_normal(16_000 * 8)
    times = np.sort(rng.uniform(0.5, 7.5, 12))
    for time in times:
        first, length = int(time * 16_000), 4000
        burst = np.sin(2 * np.pi * rng.uniform(100, 2000) * np.arange(length) / 16_000)
        samples[first : first + length] += 0.3 * burst * np.exp(-np.arange(length) / 800)
    samples = torch.from_numpy(samples).float()
    ours = onset_strength(log_mel(samples, SignalConfig())).numpy()
    theirs = librosa.onset.onset_strength(y=samples.numpy(), sr=16_000, hop_length=256, n_fft=1024)[: len(ours)]
    assert ours.min() >= 0 and ours.max() == 1
    scores = []
    for envelope in (ours, theirs):
        peaks = librosa.util.peak_pick(
            envelope / envelope.max(), pre_max=3, post_max=3, pre_avg=9, post_avg=9, delta=0.1, wait=3
        )
        scores.append(mir_eval.onset.f_measure(times, peaks / ONSET_FPS, window=0.05)[0])
    assert scores[0] > 0.8 and scores[0] >= scores[1]


def test_analysis_gives_everything_on_the_mels_clock():
    samples = torch.randn(16_000 * 6 + 77, generator=torch.Generator().manual_seed(0)) * 0.1
    rhythm = analyse(Waveform(samples, 16_000))
    assert rhythm.onset.shape == rhythm.loudness.shape == (len(samples) // 256,)
    features = rhythm_features(rhythm.beats, rhythm.onset, rhythm.loudness, 188, FPS)
    assert features.isfinite().all() and features.abs().max() < 2

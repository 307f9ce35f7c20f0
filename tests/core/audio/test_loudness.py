"""Loudness against the standard's own tones and filters; peaks below the ceiling; stereo that sums to mono."""

import math

import numpy as np
import pyloudnorm
import pytest
import scipy.signal
import torch

from core.audio.loudness import between, k_weighted, limit, loudness, normalise, true_peak, widen
from core.errors import FootlightError

RATE = 48_000


def sine(seconds, level_db=0.0, hz=1000.0, rate=RATE, phase=0.0):
    clock = torch.arange(round(seconds * rate), dtype=torch.float64) / rate
    return (10 ** (level_db / 20) * torch.sin(2 * math.pi * hz * clock + phase)).float()


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_full_sine_in_one_channel(rate):
    """BS.1770-4: 997 Hz, 0 dBFS, in the left or right channel reads -3.01 LUFS."""
    tolerance = 0.05 if rate == 16_000 else 0.01  # the shelf bends near half the rate
    assert loudness(sine(5, hz=997, rate=rate), rate) == pytest.approx(-3.01, abs=tolerance)
    quiet = torch.stack([torch.zeros(5 * rate), sine(5, hz=997, rate=rate)])
    assert loudness(quiet, rate) == pytest.approx(-3.01, abs=tolerance)


@pytest.mark.parametrize(
    "levels",
    [
        [(-23, 20)],
        [(-36, 10), (-23, 60), (-36, 10)],
        [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
        [(-26, 20), (-20, 20.1), (-26, 20)],
    ],
)
def test_the_ebus_stereo_tones(levels):
    """EBU Tech 3341, cases 1 and 3 to 5: -23.0 +- 0.1 LUFS, the second and third by the gates."""
    tone = torch.cat([sine(seconds, level) for level, seconds in levels])
    assert loudness(torch.stack([tone, tone]), RATE) == pytest.approx(-23.0, abs=0.1)


def test_the_filters_are_the_standards():
    """Tables 1 and 2 of BS.1770-4, coefficients for 48 kHz."""
    noise = torch.randn(2, RATE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585]
    high_pass = [1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]
    expected = scipy.signal.lfilter(*high_pass, scipy.signal.lfilter(*shelf, noise.numpy()))
    np.testing.assert_allclose(k_weighted(noise, RATE), expected, atol=1e-6)


def test_silence_has_no_loudness():
    assert loudness(torch.zeros(RATE), RATE) == -math.inf
    assert torch.equal(normalise(torch.zeros(RATE), RATE), torch.zeros(RATE))
    assert loudness(sine(2, -80), RATE) == -math.inf


@pytest.mark.parametrize(("hz_share", "phase"), [(1 / 4, math.pi / 4), (1 / 6, math.pi / 6), (1 / 8, math.pi / 8)])
def test_peaks_between_samples_are_seen(hz_share, phase):
    """EBU Tech 3341, cases 15 to 19: sines whose samples miss the peak; +0.2, -0.4 dB."""
    tone = sine(1, hz=hz_share * RATE, phase=phase) * 0.5
    assert -0.4 < 20 * math.log10(true_peak(tone) / 0.5) < 0.2


@pytest.mark.parametrize("channels", [1, 2])
def test_a_peak_is_as_high_wherever_it_lies(channels):
    between = torch.sinc(0.5 * (torch.arange(-40, 40) - 0.5))  # a pulse of height 1, whose top is between two samples
    for start in (*range(60, 102), 220):  # the last one ends with the sound
        sound = torch.zeros(channels, 300)
        sound[-1, start : start + len(between)] = between
        assert true_peak(sound) == pytest.approx(1, abs=0.02), start


def drums(rate=16_000, seconds=6):
    """Loud clicks over a quiet tone: what cannot be brought to a level by gain alone."""
    clock = torch.arange(seconds * rate) / rate
    clicks = torch.randn(clock.shape, generator=torch.Generator().manual_seed(0))
    return 0.9 * clicks.clamp(-1, 1) * torch.exp(-torch.remainder(clock, 0.5) / 0.004) + 0.02 * torch.sin(1500 * clock)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", [0.01, 0.3, 1.0])
def test_music_comes_to_the_level_without_clipping(music, channels, level):
    sound = music * level if channels == 1 else torch.stack([music, 0.5 * music.flip(0)]) * level
    result = normalise(sound, 16_000)
    assert result.shape == sound.shape
    assert loudness(result, 16_000) == pytest.approx(-14, abs=0.2)
    assert true_peak(result) <= 10 ** (-1 / 20) + 1e-6


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_the_limiter_holds_the_ceiling_and_leaves_the_rest_alone(rate):
    sound = drums(rate)
    result = normalise(sound, rate)
    assert true_peak(result) <= 10 ** (-1 / 20) + 1e-6 and loudness(result, rate) < -13.9
    assert loudness(result, rate) > loudness(sound * (0.89 / true_peak(sound)), rate) + 1  # more than by gain alone
    limited = limit(torch.cat([sound * 0.1, sound * 3, sound * 0.1]), rate)
    quiet = slice(0, len(sound) - rate // 16)
    assert torch.equal(limited[quiet], (sound * 0.1)[quiet])
    assert true_peak(limited) <= 10 ** (-1 / 20) + 1e-6


def test_the_limiter_turns_the_gain_smoothly():
    tone = sine(1, -6, 200, 16_000)
    tone[8000:8008] += 2.0
    gain = limit(tone, 16_000)[7600:8400] / tone[7600:8400]
    steady = gain[(tone[7600:8400].abs() > 0.1)]
    assert steady.diff().abs().max() < 0.05 and steady.min() < 0.5


@pytest.mark.parametrize("each", [1, 2, 11, 16, 44])
def test_a_gain_is_linear_between_its_points(each):
    points = torch.rand(50, generator=torch.Generator().manual_seed(each), dtype=torch.float64)
    wanted = torch.nn.functional.interpolate(points[None, None], scale_factor=each, mode="linear")[0, 0]
    torch.testing.assert_close(between(points, each), wanted)


@pytest.mark.parametrize("seconds", [0.7, 4.0, 40.0])  # less than a piece, a few, and more than are worked on at once
def test_a_long_sound_is_filtered_as_a_short_one(seconds):
    rate = 16_000
    noise = torch.randn(1, round(seconds * rate), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    impulse = torch.zeros(1, rate, dtype=torch.float64)
    impulse[0, 0] = 1
    expected = scipy.signal.fftconvolve(noise[0].numpy(), k_weighted(impulse, rate)[0].numpy())[: noise.shape[1]]
    np.testing.assert_allclose(k_weighted(noise, rate)[0], expected, atol=1e-9)


def test_stereo_sums_to_the_same_mono(music):
    stereo = widen(music, 16_000, width=0.7)
    assert stereo.shape == (2, len(music))
    torch.testing.assert_close(stereo.mean(dim=0), music, atol=1e-6, rtol=0)
    side = (stereo[0] - stereo[1]) / 2
    spectrum = torch.fft.rfft(side).abs().square(), torch.fft.rfft(0.7 * music).abs().square()
    hz = torch.fft.rfftfreq(len(music), 1 / 16_000)
    high, low = hz > 500, hz < 60
    assert 0.8 < spectrum[0][high].sum() / spectrum[1][high].sum() < 1.25  # an all-pass
    assert spectrum[0][low].sum() < 0.01 * spectrum[1][low].sum()  # no bass in the side
    assert abs(torch.corrcoef(torch.stack([side, music]))[0, 1]) < 0.5
    assert torch.equal(widen(music, 16_000, 0.0)[0], music)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: loudness(torch.zeros(100), RATE), "0.4 s"),
        (lambda: loudness(torch.zeros(3, RATE), RATE), "1 or 2 channels"),
        (lambda: loudness(torch.full((RATE,), math.nan), RATE), "not numbers"),
        (lambda: widen(torch.zeros(2, RATE), RATE), "mono"),
        (lambda: widen(torch.zeros(RATE), RATE, 2.0), "between 0 and 1"),
    ],
)
def test_bad_input_is_refused(call, word):
    with pytest.raises(FootlightError, match=word):
        call()


@pytest.mark.parametrize("rate", (16_000, 44_100, 48_000))
@pytest.mark.parametrize("channels", (1, 2))
def test_loudness_is_pyloudnorms(rate, channels):
    """Of noise that swells over whole blocks; with the filters that De Man derived, as ours are."""
    noise = torch.randn(channels, 8 * rate, generator=torch.Generator().manual_seed(channels))
    swelling = 0.1 * noise * torch.linspace(0.01, 1.0, 8 * rate) ** 2
    theirs = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(swelling.T.double().numpy())
    assert loudness(swelling, rate) == pytest.approx(theirs, abs=0.01)

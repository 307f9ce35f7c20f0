"""The 35 features part by part against librosa, whose defaults the dance models that use them take."""

import math

import librosa
import numpy as np
import pytest
import torch

from core.audio import features35 as features
from core.audio.features35 import CHANNELS, NAMES, features35

RATE = 16_000


@pytest.fixture(scope="module")
def samples():
    """Plucked tones of changing pitch every half second, over a little noise."""
    clock = torch.arange(12 * RATE) / RATE
    pitch = 200 + 60 * (torch.floor(2 * clock) * 5 % 7)
    pluck = 0.3 * torch.sin(2 * math.pi * pitch * clock) * torch.exp(-6 * (clock % 0.5))
    return pluck + 0.003 * torch.randn(len(clock), generator=torch.Generator().manual_seed(0))


def librosas_decibels(samples, hop):
    power = librosa.feature.melspectrogram(y=samples.numpy(), sr=RATE, n_fft=2048, hop_length=hop, pad_mode="reflect")
    return librosa.power_to_db(power[:, : len(samples) // hop])


@pytest.mark.parametrize("hop", [256, 512, 1024])
def test_onset_mfcc_and_peaks_are_librosas(samples, hop):
    level = features.mel_decibels(samples, RATE, hop)
    expected = librosas_decibels(samples, hop)
    np.testing.assert_allclose(level.T, expected, atol=2e-3)
    np.testing.assert_allclose(features.mfcc(level).T, librosa.feature.mfcc(S=expected, n_mfcc=20), atol=2e-3)
    onset = librosa.onset.onset_strength(S=expected, sr=RATE, hop_length=hop)
    np.testing.assert_allclose(features.onset_envelope(level, hop), onset, atol=1e-3)
    peaks = librosa.onset.onset_detect(onset_envelope=onset, sr=RATE, hop_length=hop)
    found = torch.nonzero(features.onset_peaks(torch.from_numpy(onset), RATE, hop))[:, 0]
    assert found.tolist() == peaks.tolist() and 15 < len(peaks) < 60


def test_peaks_of_a_finer_clock_keep_their_distance():
    envelope = torch.rand(3000, generator=torch.Generator().manual_seed(1))
    for rate, hop in ((16_000, 64), (22_050, 512), (16_000, 128)):
        expected = librosa.onset.onset_detect(onset_envelope=envelope.numpy(), sr=rate, hop_length=hop)
        assert torch.nonzero(features.onset_peaks(envelope, rate, hop))[:, 0].tolist() == expected.tolist()


@pytest.mark.parametrize(("rate", "n_fft"), [(16_000, 4096), (22_050, 2048)])
def test_the_chroma_bank_is_librosas(rate, n_fft):
    expected = librosa.filters.chroma(sr=rate, n_fft=n_fft, tuning=0)
    np.testing.assert_allclose(features.chroma_bank(rate, n_fft).T, expected, atol=1e-6)


@pytest.mark.parametrize(("hop", "smoothed"), [(512, 41), (1024, 21)])
def test_cens_is_librosas(samples, hop, smoothed):
    raw = features.chroma(samples, RATE, hop)
    as_if_octave = raw.T.numpy()  # a constant-Q transform of one octave is the chroma itself
    expected = librosa.feature.chroma_cens(C=as_if_octave, bins_per_octave=12, n_octaves=1, win_len_smooth=smoothed)
    np.testing.assert_allclose(features.chroma_cens(raw, RATE / hop).T, expected, atol=1e-5)


@pytest.mark.parametrize("midi", [48, 57, 64, 71])
def test_a_chord_tone_is_its_pitch_class(midi):
    clock = torch.arange(3 * RATE) / RATE
    tone = 0.3 * torch.sin(2 * math.pi * 440 * 2 ** ((midi - 69) / 12) * clock)
    made = features35(tone, torch.zeros(0), RATE, 512)
    place = NAMES.index("chromaC")
    assert set(made[20:70, place : place + 12].argmax(dim=1).tolist()) == {midi % 12}


def test_every_channel_is_in_its_place(samples):
    beats = torch.tensor([0.0, 0.5, 1.01, 11.99, 30.0])
    made = features35(samples, beats, RATE, 512)
    assert made.shape == (len(samples) // 512, CHANNELS) and CHANNELS == 35
    assert torch.nonzero(made[:, NAMES.index("beat")])[:, 0].tolist() == [0, 16, 32]  # 11.99 s rounds beyond the end
    level = features.mel_decibels(samples, RATE, 512)
    assert torch.equal(made[:, NAMES.index("onset")], features.onset_envelope(level, 512))
    assert torch.equal(made[:, 1:21], features.mfcc(level))
    assert torch.equal(made[:, NAMES.index("peak")].bool(), features.onset_peaks(made[:, 0], RATE, 512))


def test_silence_and_very_short_sounds_are_finite():
    for count in (512, 2000, 20_000):
        made = features35(torch.zeros(count), torch.zeros(0), RATE, 512)
        assert made.shape == (count // 512, 35) and bool(made.isfinite().all())
        assert not made[:, 21:].any()

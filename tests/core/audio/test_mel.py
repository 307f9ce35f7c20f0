"""The log-mel spectrogram against librosa's."""

import librosa
import numpy as np
import pytest
import torch

from core.audio.mel import FLOOR, filterbank, log_mel
from core.config import SignalConfig


def noise(count, seed=0):
    return torch.randn(count, generator=torch.Generator().manual_seed(seed)) * 0.1


@pytest.mark.parametrize("count", [16_000, 16_255, 25_600, 50_001])
def test_log_mel_is_librosas(count):
    samples = noise(count)
    expected = librosa.feature.melspectrogram(
        y=samples.numpy(), sr=16_000, n_fft=1024, hop_length=256, n_mels=80, fmax=8000, power=1, pad_mode="reflect"
    )
    found = log_mel(samples)
    assert found.shape == (count // 256, 80)
    np.testing.assert_allclose(found, np.log(np.maximum(expected, FLOOR)).T[: count // 256], atol=1e-4)


def test_filterbank_is_librosas_for_other_signals():
    for rate, n_fft, bands, low, high in ((16_000, 1024, 64, 27.5, 8000), (22_050, 2048, 128, 0, 11_025)):
        expected = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=bands, fmin=low, fmax=high)
        np.testing.assert_allclose(filterbank(rate, n_fft, bands, high, low), expected.T, atol=1e-6)


def test_frame_i_shows_the_instant_i_hops_in():
    samples = torch.zeros(16_000)
    samples[40 * 256] = 1
    assert int(log_mel(samples).mean(dim=1).argmax()) == 40


def test_batches_and_silence():
    batch = torch.stack([noise(16_000), torch.zeros(16_000)])
    both = log_mel(batch, SignalConfig())
    torch.testing.assert_close(both[0], log_mel(batch[0]))
    assert torch.all(both[1] == torch.tensor(FLOOR).log())

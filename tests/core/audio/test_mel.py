"""The log-mel spectrogram against librosa's."""

import librosa
import numpy as np
import pytest
import scipy.signal
import torch

from core.audio.beat_tracking import track_beats
from core.audio.mel import FLOOR, filterbank, log_mel, spectrum
from core.config import SignalConfig
from core.types import Waveform


def noise(count, seed=0):
    return torch.randn(count, generator=torch.Generator().manual_seed(seed)) * 0.1


@pytest.mark.parametrize("count", [16_000, 16_255, 25_600, 50_001])
def test_log_mel_is_librosas(count):
    samples = noise(count)
    expected = librosa.feature.melspectrogram(
        y=samples.numpy(), sr=16_000, n_fft=1024, hop_length=256, n_mels=80, fmax=8000, power=1, pad_mode="reflect"
    )
    found = log_mel(samples, SignalConfig())
    assert found.shape == (count // 256, 80)
    np.testing.assert_allclose(found, np.log(np.maximum(expected, FLOOR)).T[: count // 256], atol=1e-4)


def test_filterbank_is_librosas_for_other_signals():
    for rate, n_fft, bands, low, high in ((16_000, 1024, 64, 27.5, 8000), (22_050, 2048, 128, 0, 11_025)):
        expected = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=bands, fmin=low, fmax=high)
        np.testing.assert_allclose(filterbank(rate, n_fft, bands, high, low), expected.T, atol=1e-6)


def test_frame_i_shows_the_instant_i_hops_in():
    samples = torch.zeros(16_000)
    samples[40 * 256] = 1
    assert int(log_mel(samples, SignalConfig()).mean(dim=1).argmax()) == 40


def test_magnitudes_are_those_of_numpys_transform_and_have_gradients_in_silence():
    samples = torch.cat([noise(2000), torch.zeros(3000), 1e-6 * noise(2000)]).requires_grad_()
    found = spectrum(samples, 512, 100)
    padded = np.pad(samples.detach().double().numpy(), 256, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 512)[: 70 * 100 : 100]
    wanted = np.abs(np.fft.rfft(frames * scipy.signal.get_window("hann", 512)))
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-3, atol=1e-5 * wanted.max())
    found.sum().backward()
    assert samples.grad is not None and bool(samples.grad.isfinite().all())


@pytest.mark.parametrize("hop", [100, 160, 600])
@pytest.mark.parametrize("count", [0, 99, 256, 257, 300, 650, 1300, 51_200, 51_300, 120_000])
def test_blocks_are_cut_from_the_whole_song(count, hop):
    """Mirrored at the ends if it is longer than half a frame; in 512 samples a frame, 512 frames are a block."""
    samples = noise(count)
    padded = np.pad(samples.numpy(), 256, mode="reflect" if count > 256 else "constant")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 512)[::hop][: count // hop]
    wanted = np.abs(np.fft.rfft(frames * scipy.signal.get_window("hann", 512)))
    np.testing.assert_allclose(spectrum(samples, 512, hop), wanted, atol=1e-5)


def test_batches_and_silence():
    batch = torch.stack([noise(16_000), torch.zeros(16_000)])
    both = log_mel(batch, SignalConfig())
    torch.testing.assert_close(both[0], log_mel(batch[0], SignalConfig()))
    assert torch.all(both[1] == torch.tensor(FLOOR).log())


@pytest.mark.parametrize(
    "work",
    [
        lambda samples: log_mel(samples, SignalConfig()),
        lambda samples: track_beats(Waveform(samples, 16_000)),
    ],
)
def test_of_a_long_song_nothing_larger_than_its_samples_is_held(work, largest):
    samples = noise(160 * 16_000)
    with largest:
        work(samples)
    assert samples.nbytes <= largest.bytes < 1.1 * samples.nbytes

"""Short-time spectra against librosa's."""

import librosa
import numpy as np
import pytest
import torch

from core.audio.mel import spectrum
from core.audio.stft import analyse, consistent, size, synthesise, turned

N_FFT, HOP = 1024, 256


def noise(samples, seed=0):
    return torch.randn(2, samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("frames", [3, 4, 5, 60])
def test_a_signal_comes_back_sample_for_sample(frames):
    samples = noise(frames * HOP)
    back = synthesise(analyse(samples, N_FFT, HOP), HOP)
    assert back.shape == samples.shape
    torch.testing.assert_close(back, samples, atol=2e-5, rtol=0)


def test_frames_are_those_of_the_mel_and_of_librosa():
    samples = noise(20 * HOP + 100)
    ours = analyse(samples, N_FFT, HOP)
    torch.testing.assert_close(ours.abs(), spectrum(samples, N_FFT, HOP), atol=1e-4, rtol=0)
    theirs = librosa.stft(samples.numpy(), n_fft=N_FFT, hop_length=HOP, pad_mode="reflect")[..., :20]
    turned = theirs * (-1.0) ** np.arange(N_FFT // 2 + 1)[:, None]  # phases at the frame's middle, not its beginning
    np.testing.assert_allclose(ours.transpose(1, 2), turned, atol=2e-4)


def test_what_is_no_spectrum_of_a_signal_is_inverted_in_least_squares():
    wild = torch.complex(*torch.randn(2, 1, 30, N_FFT // 2 + 1, generator=torch.Generator().manual_seed(1)))
    turned = (wild * (-1.0) ** torch.arange(N_FFT // 2 + 1)).transpose(1, 2)
    theirs = librosa.istft(turned.numpy(), hop_length=HOP, n_fft=N_FFT, length=29 * HOP)
    ours = synthesise(wild, HOP)[:, : 27 * HOP]  # librosa's own last frames have other neighbours
    np.testing.assert_allclose(ours, theirs[:, : 27 * HOP], atol=1e-5)


def test_a_sinusoid_has_one_phase_over_its_bins():
    clock = torch.arange(40 * HOP) / 16_000
    phases = analyse(torch.cos(2 * torch.pi * 1003.0 * clock)[None], N_FFT, HOP)[0, 20, 63:66].angle()
    expected = 2 * torch.pi * 1003.0 * 20 * HOP / 16_000
    assert torch.remainder(phases - expected + torch.pi, 2 * torch.pi).sub(torch.pi).abs().max() < 0.01


@pytest.mark.parametrize("frames", [1, 2, 3, 60])  # of one and two, the frames reach beyond what can be mirrored
def test_a_consistent_spectrum_is_that_of_its_sound(frames):
    wild = torch.complex(*torch.randn(2, 2, frames, N_FFT // 2 + 1, generator=torch.Generator().manual_seed(2)))
    found = turned(consistent(turned(wild), HOP))
    torch.testing.assert_close(found, analyse(synthesise(wild, HOP), N_FFT, HOP), atol=2e-5, rtol=0)
    again = turned(consistent(turned(found), HOP))
    torch.testing.assert_close(again, found, atol=5e-5, rtol=0)  # a projection


def test_the_size_of_complex_numbers_has_gradients_where_they_vanish():
    parts = torch.randn(7, 5, 2, generator=torch.Generator().manual_seed(3)) * 10.0 ** torch.arange(-8, 6)[:5, None]
    parts[0] = 0
    wanted = parts.double().square().sum(dim=-1).sqrt().float()
    torch.testing.assert_close(size(torch.view_as_complex(parts)), wanted, atol=0, rtol=1e-6)
    learned = parts.requires_grad_()
    found = size(torch.view_as_complex(learned))
    torch.testing.assert_close(found.detach(), wanted, atol=1e-14, rtol=1e-6)
    found.sum().backward()
    assert learned.grad is not None
    torch.testing.assert_close(learned.grad[1:].norm(dim=-1), torch.ones(6, 5))
    assert not learned.grad[0].any()

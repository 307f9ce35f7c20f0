"""Griffin-Lim against librosa's and scipy's: as consistent, as close, and without joins."""

import librosa
import numpy as np
import pytest
import scipy.optimize
import torch

from core.audio.mel import filterbank, log_mel, spectrum
from core.audio.stft import analyse
from core.config import SignalConfig
from core.errors import FootlightError
from core.vocoder.griffin_lim import OVERLAP, decode, fast_griffin_lim, linear_magnitude, random_phase

HOP = 256


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("iterations", "momentum"), [(8, 0.99), (32, 0.99), (32, 0.0)])
def test_it_converges_as_librosa_does(music, iterations, momentum):
    magnitude = spectrum(music[None], 1024, HOP)
    ours = fast_griffin_lim(magnitude, random_phase(magnitude, seeded()), HOP, iterations, momentum)
    theirs = librosa.griffinlim(
        magnitude[0].T.numpy(), n_iter=iterations, hop_length=HOP, momentum=momentum, pad_mode="reflect", random_state=0
    )
    assert convergence(ours, magnitude) < 1.1 * convergence(torch.from_numpy(theirs).float()[None], magnitude)


def convergence(samples, magnitude):
    """Spectral convergence away from the ends (librosa's result is a hop shorter)."""
    frames = min(samples.shape[-1] // HOP, magnitude.shape[1])
    made = analyse(samples, 1024, HOP).abs()[:, 4 : frames - 4]
    true = magnitude[:, 4 : frames - 4]
    return float((made - true).norm() / true.norm())


def test_momentum_helps(music):
    magnitude = spectrum(music[None], 1024, HOP)
    phase = random_phase(magnitude, seeded())
    errors = [convergence(fast_griffin_lim(magnitude, phase, HOP, 32, momentum), magnitude) for momentum in (0.0, 0.99)]
    assert errors[1] < 0.8 * errors[0]


def test_true_phases_are_left_alone(music):
    spectra = analyse(music[None], 1024, HOP)
    back = fast_griffin_lim(spectra.abs(), spectra, HOP, iterations=5)
    torch.testing.assert_close(back[0], music, atol=1e-3, rtol=0)


def test_magnitudes_are_least_squares(music):
    mel = log_mel(music, SignalConfig())[::40]
    ours = linear_magnitude(mel, SignalConfig(), steps=300)
    assert (ours >= 0).all()
    bank = filterbank(16_000, 1024, 80, 8000.0)
    weight = 1 / bank.norm(dim=0)
    for frame, x in zip(mel, ours, strict=True):
        target = (frame.exp() - 1e-5).clamp_min(0) * weight
        _, least = scipy.optimize.nnls((bank * weight).T.double().numpy(), target.double().numpy())
        residual = float((x @ (bank * weight) - target).norm())
        assert residual < least + 0.01 * float(target.norm())


def test_they_are_nearer_to_the_truth_than_librosas(music):
    mel, true = log_mel(music, SignalConfig()), spectrum(music, 1024, HOP)
    bank = filterbank(16_000, 1024, 80, 8000.0)
    theirs = torch.from_numpy(librosa.util.nnls(bank.T.numpy(), mel.exp().T.numpy()).T.copy())
    assert (linear_magnitude(mel, SignalConfig()) - true).norm() < 1.02 * (theirs - true).norm()


def test_the_sound_has_the_mel_it_was_made_from(music):
    mel = log_mel(music, SignalConfig())
    sound = decode(mel[None], seeded(), SignalConfig())
    assert sound.shape == (1, len(music))
    assert (log_mel(sound[0], SignalConfig()) - mel).abs().mean() < 0.15
    assert torch.equal(sound, decode(mel[None], seeded(), SignalConfig()))
    assert not torch.equal(sound, decode(mel[None], seeded(1), SignalConfig()))


@pytest.mark.parametrize("frames", [0, 1, 2, 5, 70, 128, 129])
def test_every_length_is_exact(frames):
    mel = torch.full((2, frames, 80), -4.0)
    sound = decode(mel, seeded(), SignalConfig(), iterations=2, chunk=64)
    assert sound.shape == (2, frames * HOP) and torch.isfinite(sound).all()


def test_a_sine_has_no_joins():
    clock = torch.arange(300 * HOP) / 16_000
    mel = log_mel(0.5 * torch.sin(2 * torch.pi * 440 * clock), SignalConfig())[None]

    def roughest(sound):
        """The largest step that is no part of a smooth wave, away from the ends."""
        return float(sound[0, 2048:-2048].diff(n=2).abs().max())

    whole = decode(mel, seeded(), SignalConfig(), iterations=32)
    pieces = decode(mel, seeded(), SignalConfig(), iterations=32, chunk=100)
    assert roughest(pieces) < 1.5 * roughest(whole)
    level = pieces[0].unfold(0, 1024, 256).square().mean(dim=1).sqrt()[8:-8]
    assert level.min() > 0.6 * level.max()  # cross-fades between unlike phases would leave holes
    assert OVERLAP < 100


def test_bad_input_is_refused():
    for mel in (torch.zeros(5, 80), torch.zeros(1, 5, 79)):
        with pytest.raises(FootlightError, match="log-mels of shape"):
            decode(mel, seeded(), SignalConfig())
    with pytest.raises(FootlightError, match="not numbers"):
        decode(torch.full((1, 5, 80), float("nan")), seeded(), SignalConfig())
    with pytest.raises(FootlightError, match="momentum"):
        fast_griffin_lim(torch.ones(1, 5, 513), torch.ones(1, 5, 513, dtype=torch.complex64), HOP, momentum=1.0)


def test_silence_stays_silent():
    sound = decode(torch.full((1, 40, 80), float(np.log(1e-5))), seeded(), SignalConfig())
    assert sound.abs().max() < 1e-4

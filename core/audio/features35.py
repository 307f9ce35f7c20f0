"""Only for an ablation: music as the 35 hand-made features per frame that came before learned music encoders.

The set is that of AIST++ (Li et al., "AI Choreographer", ICCV 2021), which EDGE (Tseng, Castellon & Liu, CVPR 2023)
compares its learned features against: onset envelope 1, MFCC 20, chroma 12, onset peaks 1, beats 1, in this order. EDGE
has 30 frames a second at 15 360 Hz, that is a hop of 512 samples; so have ours at 16 kHz and 31.25 frames a second.
Windows, mel bands, decibels and thresholds are the defaults of librosa, which those works call. No shipped model uses
this representation (``train.fit --music features35``). It is here and not in train because a model that was trained on
it must dance in the engine, which does without librosa; the tests hold every part against librosa.

Two things differ. The chroma comes from a short-time Fourier transform instead of a constant-Q one, and becomes CENS
from there on as theirs does. Beats are given, so that all models of one comparison hear the same ones.

Frame i shows the instant ``i * hop / rate``; there are ``floor(s / hop)`` frames.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from core.audio.mel import filterbank, spectrum
from core.layers.peaks import peaks

NAMES = (
    "onset",
    *(f"mfcc{i}" for i in range(20)),
    *(f"chroma{note}" for note in ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")),
    "peak",
    "beat",
)
CHANNELS = len(NAMES)
N_FFT, BANDS, MFCCS = 2048, 128, 20
CHROMA_FFT = 4096  # notes an octave lower keep apart than with N_FFT; CENS smooths over five such windows anyway
POWER_FLOOR, SPAN_DB = 1e-10, 80.0  # quiet ends: absolutely, and below the loudest band of the song
CENS_STEPS = (0.4, 0.2, 0.1, 0.05)  # shares of a frame's energy (Müller & Ewert, ISMIR 2011)
CENS_SECONDS = 41 / 31.25  # smoothed over as long as 41 of the frames that EDGE has
PEAK_DELTA = 0.07  # of the range of the envelope, above the mean around


def features35(samples: Tensor, beats: Tensor, rate: int, hop: int) -> Tensor:
    """(s,) mono samples at ``rate`` Hz and beats (n,) in seconds -> (floor(s / hop), 35), see ``NAMES``.

    Onset envelope in decibels a frame, MFCC of decibels, chroma of unit length (zero in silence), peaks and beats 0/1.
    """
    level = mel_decibels(samples, rate, hop)
    onset = onset_envelope(level, hop)
    struck = onset_peaks(onset, rate, hop)
    marks = torch.zeros(len(level))
    at = (beats.double() * rate / hop).round().long()
    marks[at[(at >= 0) & (at < len(marks))]] = 1
    parts = (onset[:, None], mfcc(level), chroma_cens(chroma(samples, rate, hop), rate / hop))
    return torch.cat((*parts, struck[:, None].float(), marks[:, None]), dim=1)


def mel_decibels(samples: Tensor, rate: int, hop: int) -> Tensor:
    """(s,) -> (t, 128) power of mel bands in dB, at most ``SPAN_DB`` below the loudest."""
    power = spectrum(samples, N_FFT, hop).square() @ filterbank(rate, N_FFT, BANDS, rate / 2)
    level = 10 * power.clamp(min=POWER_FLOOR).log10()
    return level.clamp(min=float(level.max()) - SPAN_DB) if len(level) else level


def mfcc(level: Tensor) -> Tensor:
    """(t, m) decibels -> (t, 20): the first coefficients of the orthonormal DCT-II over the bands."""
    bands = level.shape[1]
    angle = math.pi / bands * (torch.arange(bands, dtype=torch.float64)[:, None] + 0.5) * torch.arange(MFCCS)
    basis = angle.cos() * math.sqrt(2 / bands)
    basis[:, 0] *= math.sqrt(0.5)
    return level @ basis.float()


def onset_envelope(level: Tensor, hop: int) -> Tensor:
    """(t, m) decibels -> (t,) mean rise of the bands from frame to frame.

    Moved later by half a window, because a window shows an attack before its centre reaches it.
    """
    rise = functional.relu(level[1:] - level[:-1]).mean(dim=1)
    return functional.pad(rise, (1 + N_FFT // (2 * hop), 0))[: len(level)]


def onset_peaks(envelope: Tensor, rate: int, hop: int) -> Tensor:
    """(t,) -> (t,) bool: maxima over 30 ms, ``PEAK_DELTA`` of the range above the mean over 100 ms to both sides.

    The peak picking of Böck, Krebs & Schedl (ISMIR 2012) in the form of librosa's ``onset_detect``.
    """
    found = torch.zeros(len(envelope), dtype=torch.bool)
    if not len(envelope) or float(envelope.max() - envelope.min()) <= 0:
        return found
    around, wait = int(0.10 * rate / hop), int(0.03 * rate / hop)
    x = (envelope - envelope.min()) / (envelope.max() - envelope.min())
    sums = functional.pad(x.double(), (around, around)).unfold(0, 2 * around + 1, 1).sum(dim=1)
    counts = functional.pad(torch.ones_like(x), (around, around)).unfold(0, 2 * around + 1, 1).sum(dim=1)
    last = -wait - 1
    candidates = peaks(x, wait, 0)
    for frame in candidates[x[candidates] >= (sums / counts + PEAK_DELTA)[candidates]].tolist():
        if frame - last > wait:
            found[frame], last = True, frame
    return found


def chroma(samples: Tensor, rate: int, hop: int) -> Tensor:
    """(s,) -> (t, 12) magnitude of each pitch class, C first, for music tuned to 440 Hz."""
    return spectrum(samples, CHROMA_FFT, hop) @ chroma_bank(rate, CHROMA_FFT)


@lru_cache(maxsize=4)
def chroma_bank(rate: int, n_fft: int) -> Tensor:
    """(n_fft / 2 + 1, 12) weights of each frequency for each pitch class.

    A Gaussian bump of the width of a bin or a semitone, whichever is wider, each bin's weights of unit length, tapered
    two octaves around C4 (Ellis, "Chroma feature analysis and synthesis", 2007).
    """
    hz = torch.arange(1, n_fft, dtype=torch.float64) * rate / n_fft
    tone = 12 * torch.log2(hz / (440 / 16))  #                          semitones above A0
    tone = torch.cat((tone[:1] - 18, tone))  #                          0 Hz is no tone: it lies wide and low
    width = functional.pad(tone.diff().clamp(min=1), (0, 1), value=1.0)[:, None]
    apart = torch.remainder(tone[:, None] - torch.arange(12) + 6, 12) - 6
    weights = functional.normalize(torch.exp(-0.5 * (2 * apart / width) ** 2), dim=1)
    weights = weights * torch.exp(-0.5 * ((tone / 12 - 5) / 2) ** 2)[:, None]
    return weights.roll(-3, dims=1)[: n_fft // 2 + 1].float()  #        from A first to C first


def chroma_cens(raw: Tensor, fps: float) -> Tensor:
    """(t, 12) magnitudes -> (t, 12) chroma energy normalised statistics (Müller & Ewert, ISMIR 2011).

    Shares of each frame, in four steps, smoothed over ``CENS_SECONDS``, of unit length; silence stays zero.
    """
    share = functional.normalize(raw, p=1, dim=1)
    steps = torch.stack([(share > step).float() for step in CENS_STEPS]).mean(dim=0)
    reach = max(1, round((CENS_SECONDS * fps - 1) / 2))
    window = torch.hann_window(2 * reach + 3, periodic=False)
    smooth = functional.conv1d(steps.T[:, None], (window / window.sum())[None, None], padding=reach + 1)[:, 0].T
    return functional.normalize(smooth, dim=1)

"""Music as 35 hand-made features per frame, for an ablation. They preceded learned music encoders.

The set is that of AIST++ (Li et al., "AI Choreographer", ICCV 2021), with which EDGE (Tseng, Castellon & Liu, CVPR
2023) compares its learned features. In this order: onset envelope 1, MFCC 20, chroma 12, onset peaks 1, beats 1. EDGE
has 30 frames per second at 15 360 Hz, i.e. a hop of 512 samples. The hop is the same here, at 16 kHz and 31.25 frames
per second. Windows, mel bands, decibels and thresholds are the defaults of librosa, which those works use.

No shipped model uses this representation (``train.fit --music features35``). It is in core and not in train because a
model that was trained on it must run in the engine, which does without librosa. The tests compare every part with
librosa.

Two things differ from the originals. The chroma comes from a short-time Fourier transform instead of a constant-Q
transform; it is turned into CENS as theirs is. Beats are given, so that all models of a comparison use the same ones.

Frame i represents the instant ``i * hop / rate``. There are ``floor(s / hop)`` frames.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from core.audio.mel import filterbank, spectra, spectrum
from core.layers.peaks import peaks

NAMES = (
    "onset",
    *(f"mfcc{i}" for i in range(20)),
    *(f"chroma{note}" for note in ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")),
    "peak",
    "beat",
)
CHANNELS = len(NAMES)
N_FFT = 2048
BANDS = 128
MFCCS = 20
CHROMA_FFT = 4096  # resolves notes an octave lower than N_FFT; CENS smooths over five such windows anyway
POWER_FLOOR = 1e-10  # lower power is clamped
SPAN_DB = 80.0  # below the loudest band of the song, levels are clamped
CENS_STEPS = (0.4, 0.2, 0.1, 0.05)  # fractions of a frame's energy (Müller & Ewert, ISMIR 2011)
CENS_SECONDS = 41 / 31.25  # length of the smoothing window: 41 frames of EDGE's
PEAK_DELTA = 0.07  # height of a peak above the local mean, as a fraction of the envelope's range


def features35(samples: Tensor, beats: Tensor, rate: int, hop: int) -> Tensor:
    """The 35 features (floor(s / hop), 35) of a song; ``NAMES`` lists them.

    The onset envelope is in decibels per frame and the MFCCs are of decibels. The chroma has unit length, or is zero in
    silence. Peaks and beats are 0 or 1.

    samples: (s,) mono.
    beats: (n,) seconds.
    rate: samples per second.
    hop: samples per frame.
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
    """Power (t, 128) of the mel bands of samples (s,), in dB, clamped at ``SPAN_DB`` below the loudest."""
    power = spectrum(samples, N_FFT, hop).square() @ filterbank(rate, N_FFT, BANDS, rate / 2)
    level = 10 * power.clamp(min=POWER_FLOOR).log10()
    return level.clamp(min=float(level.max()) - SPAN_DB) if len(level) else level


def mfcc(level: Tensor) -> Tensor:
    """MFCCs (t, 20) of mel levels (t, m) in dB: the first coefficients of the orthonormal DCT-II over the bands."""
    bands = level.shape[1]
    angle = math.pi / bands * (torch.arange(bands, dtype=torch.float64)[:, None] + 0.5) * torch.arange(MFCCS)
    basis = angle.cos() * math.sqrt(2 / bands)
    basis[:, 0] *= math.sqrt(0.5)
    return level @ basis.float()


def onset_envelope(level: Tensor, hop: int) -> Tensor:
    """Onset envelope (t,) of mel levels (t, m) in dB: the mean rise of the bands from frame to frame.

    It is delayed by half a window, because a window contains an attack before its centre reaches it.
    """
    rise = functional.relu(level[1:] - level[:-1]).mean(dim=1)
    return functional.pad(rise, (1 + N_FFT // (2 * hop), 0))[: len(level)]


def onset_peaks(envelope: Tensor, rate: int, hop: int) -> Tensor:
    """Onset peaks (t,) bool of an onset envelope (t,).

    A peak is a maximum over 30 ms, and exceeds the mean over 100 ms to either side by ``PEAK_DELTA`` of the envelope's
    range. This is the peak picking of Böck, Krebs & Schedl (ISMIR 2012) as in librosa's ``onset_detect``.
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
    """Magnitude (t, 12) of each pitch class in samples (s,), C first, for music tuned to 440 Hz."""
    bank = chroma_bank(rate, CHROMA_FFT)
    return torch.cat([block @ bank for block in spectra(samples, CHROMA_FFT, hop)])


@lru_cache(maxsize=4)
def chroma_bank(rate: int, n_fft: int) -> Tensor:
    """Weights (n_fft / 2 + 1, 12) of each frequency for each pitch class.

    Each is a Gaussian as wide as a bin or a semitone, whichever is wider. The weights of a bin have unit length and are
    tapered two octaves around C4 (Ellis, "Chroma feature analysis and synthesis", 2007).
    """
    hz = torch.arange(1, n_fft, dtype=torch.float64) * rate / n_fft
    tone = 12 * torch.log2(hz / (440 / 16))  #                          semitones above A0
    tone = torch.cat((tone[:1] - 18, tone))  #                          0 Hz has no pitch: it is placed far below
    width = functional.pad(tone.diff().clamp(min=1), (0, 1), value=1.0)[:, None]
    apart = torch.remainder(tone[:, None] - torch.arange(12) + 6, 12) - 6
    weights = functional.normalize(torch.exp(-0.5 * (2 * apart / width) ** 2), dim=1)
    weights = weights * torch.exp(-0.5 * ((tone / 12 - 5) / 2) ** 2)[:, None]
    return weights.roll(-3, dims=1)[: n_fft // 2 + 1].float()  #        from A first to C first


def chroma_cens(raw: Tensor, fps: float) -> Tensor:
    """Chroma energy normalised statistics (t, 12) of chroma magnitudes (t, 12) (Müller & Ewert, ISMIR 2011).

    The shares of each frame are quantised in four steps, smoothed over ``CENS_SECONDS`` and scaled to unit length.
    Silence stays zero.
    """
    share = functional.normalize(raw, p=1, dim=1)
    steps = torch.stack([(share > step).float() for step in CENS_STEPS]).mean(dim=0)
    reach = max(1, round((CENS_SECONDS * fps - 1) / 2))
    window = torch.hann_window(2 * reach + 3, periodic=False)
    smooth = functional.conv1d(steps.T[:, None], (window / window.sum())[None, None], padding=reach + 1)[:, 0].T
    return functional.normalize(smooth, dim=1)

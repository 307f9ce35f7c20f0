"""A vocoder without weights: linear magnitudes by least squares, phases by fast Griffin-Lim.

It is slow and sounds a little hollow, but works for every mel. It is the baseline for other vocoders.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from core import progress
from core.audio.mel import FLOOR, filterbank
from core.audio.stft import analyse, check_mel, consistent, size, synthesise, turned
from core.config import SignalConfig
from core.errors import FootlightError
from core.layers.chunked import raised_cosine, starts

CHUNK = 1024  # frames of a long song that are solved at a time
OVERLAP = 32  # frames that neighbouring chunks share
ITERATIONS = 32
MOMENTUM = 0.99  # recommended by Perraudin et al. 2013; also librosa's default


def decode(
    mel: Tensor,
    generator: torch.Generator,
    signal: SignalConfig,
    iterations: int = ITERATIONS,
    momentum: float = MOMENTUM,
    chunk: int = CHUNK,
) -> Tensor:
    """Samples (b, t * hop) of a log-mel of any length, in constant memory.

    A chunk of a long song starts from the phases of the chunk before where they overlap, and is cross-faded there. The
    same state of the generator gives the same sound.

    mel: (b, t, m) of ``core.audio.mel``.
    generator: draws the initial phases.
    signal: rates and bands of the mel.
    iterations: of Griffin-Lim.
    momentum: in [0, 1); see ``fast_griffin_lim``.
    chunk: frames that are solved at a time.

    Raises FootlightError for a mel of another shape or with values that are not finite.
    """
    check_mel(mel, signal)
    b, total, _ = mel.shape
    hop = signal.hop_samples
    sound = mel.new_zeros(b, total * hop)
    if not total:
        return sound
    end = 0  # samples that are done
    for start in starts(total, chunk, OVERLAP):
        magnitude = linear_magnitude(mel[:, start : start + chunk], signal)
        place = slice(start * hop, start * hop + magnitude.shape[1] * hop)
        shared = max(0, end - place.start)
        phase = random_phase(magnitude, generator)
        if shared:
            known = analyse(sound[:, place.start : end], signal.n_fft, hop)
            phase[:, : known.shape[1]] = known
        piece = fast_griffin_lim(magnitude, phase, hop, iterations, momentum)
        if shared:
            rise = raised_cosine(shared, shared, left=True, right=False).to(piece)
            piece[:, :shared] = rise * piece[:, :shared] + (1 - rise) * sound[:, place.start : end]
        sound[:, place] = piece
        end = place.stop
    return sound


def fast_griffin_lim(
    magnitude: Tensor, phase: Tensor, hop: int, iterations: int = ITERATIONS, momentum: float = MOMENTUM
) -> Tensor:
    """Samples (b, t * hop) whose spectra have approximately the given magnitudes.

    magnitude: (b, t, f).
    phase: (b, t, f) complex; its directions are the initial phases.
    hop: samples per frame.
    iterations: number of iterations.
    momentum: in [0, 1). 0 is plain Griffin-Lim (1984). Above 0, each step continues in the direction of the last
        (Perraudin, Balazs & Soendergaard 2013, algorithm 2).

    Raises FootlightError for a momentum or a number of iterations out of range.
    """
    if not 0 <= momentum < 1 or iterations < 0:
        raise FootlightError(
            f"Griffin-Lim needs a momentum in [0, 1) and 0 or more iterations, got {momentum:g} and {iterations}"
        )
    phase, before = turned(phase), None
    for _ in range(iterations):
        progress.report()
        now = consistent(scaled(phase, magnitude), hop)
        phase, before = now if before is None else ahead(before, now, momentum), now
    return synthesise(turned(scaled(phase, magnitude)), hop)


def ahead(before: Tensor, now: Tensor, momentum: float) -> Tensor:
    """Beyond ``now``, seen from ``before``, by a share of the way between them; all (...) and complex."""
    start, end = torch.view_as_real(before), torch.view_as_real(now)  # ``lerp`` of complex numbers is ten times as slow
    return torch.view_as_complex(start.lerp(end, 1 + momentum))


def random_phase(magnitude: Tensor, generator: torch.Generator) -> Tensor:
    """Phasors (b, t, f) of random direction, in the shape of ``magnitude``."""
    angle = torch.rand(magnitude.shape, generator=generator, device=generator.device).to(magnitude.device)
    return torch.polar(torch.ones_like(magnitude), 2 * torch.pi * angle)


def scaled(z: Tensor, magnitude: Tensor) -> Tensor:
    """Scale complex numbers (...) to magnitudes (...). Zero stays zero, and what is shorter than 2^-50 short."""
    return z * (magnitude / size(z).clamp_min(2.0**-50))


def linear_magnitude(mel: Tensor, signal: SignalConfig, steps: int = 50) -> Tensor:
    """Magnitudes x >= 0 (..., t, n_fft / 2 + 1) that minimise |x B - exp(mel)|, with B the mel filterbank.

    80 bands do not determine 513 bins, so the result depends on where the search starts. It starts at the clamped
    pseudo-inverse and follows the accelerated projected gradient (Beck & Teboulle 2009). Bands are scaled to equal
    size, so that quiet treble counts as much as loud bass.

    mel: (..., t, m) log-mel.
    signal: its rates and bands.
    steps: of the gradient descent.

    On 20 s of held-out music, followed by 32 iterations of Griffin-Lim:

        start, steps               mel error   magnitude error |x - true| / |true|   log-mel error of the sound
        pseudo-inverse, clamped    .043        .383                                  .107
        least squares from it      .003        .362                                  .077
        least squares from flat    .003        .411                                  .077
    """
    bank, inverse, scale, step = (part.to(mel.device) for part in _problem(signal))
    target = (mel.float().exp() - FLOOR).clamp_min(0)  #              ... t m
    x = ahead = (target @ inverse).clamp_min(0)  #                    ... t f
    weighted = bank * scale
    size = 1.0
    for _ in range(steps):
        gradient = ((ahead @ weighted) - target * scale) @ weighted.T
        moved = (ahead - step * gradient).clamp_min(0)
        larger = 0.5 * (1 + (1 + 4 * size**2) ** 0.5)
        ahead = moved + (size - 1) / larger * (moved - x)
        x, size = moved, larger
    return x


@lru_cache(maxsize=4)
def _problem(signal: SignalConfig) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The parts of the least-squares problem that depend only on the signal.

    The filterbank (f, m), its pseudo-inverse (m, f), the factors (m,) that scale its bands to length one, and a step
    size that descends ().
    """
    bank = filterbank(signal.audio_rate, signal.n_fft, signal.mel_bands, signal.mel_fmax)
    scale = 1 / bank.norm(dim=0)
    return bank, torch.linalg.pinv(bank), scale, 1 / torch.linalg.matrix_norm(bank * scale, 2) ** 2

"""How loud music is to people, and how to bring it to a level without clipping; and a stereo picture of mono sound.

Integrated loudness after ITU-R BS.1770-4 (K-weighting, 400 ms blocks, two gates), true peaks after its annex 2. Sound
is (s,) or (c, s) with one or two channels, full scale 1. Filters are finite: the weighting's response dies away within
0.1 s, and is convolved block by block.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from core.errors import FootlightError

TARGET_LUFS = -14.0  # what streaming services play music at
CEILING_DB = -1.0  # true peak: room for lossy codecs to overshoot
BLOCK_SECONDS, STEP_SECONDS = 0.4, 0.1
ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0  # LUFS, and LU below the mean of what passes the first gate
_OFFSET = -0.691  # so that a 997 Hz sine at full scale in one channel is -3.01 LUFS
LOOK_SECONDS = 0.01  # the limiter begins to turn down this long before a peak, and needs as long to come back
_OVERSAMPLING, _TAPS = 4, 24  # of the true peak: a polyphase interpolator, taps a phase


def loudness(samples: Tensor, rate: int) -> float:
    """Integrated loudness (LUFS) of (s,) or (c, s) at ``rate`` Hz; -inf where nothing passes the gates.

    Raises FootlightError for less than a block of sound (0.4 s), more than two channels, or values that are no numbers.
    """
    channels = _channels(samples)
    block, step = round(BLOCK_SECONDS * rate), round(STEP_SECONDS * rate)
    if channels.shape[-1] < block:
        raise FootlightError(
            f"loudness is measured over blocks of {BLOCK_SECONDS} s, got {channels.shape[-1] / rate:.2f} s of sound"
        )
    squared = k_weighted(channels, rate).square()
    total = functional.pad(squared.cumsum(dim=-1), (1, 0))
    first = torch.arange(0, channels.shape[-1] - block + 1, step)
    power = ((total[:, first + block] - total[:, first]) / block).clamp_min(0).sum(dim=0)  # left and right weigh one
    gated = power[_lufs(power) >= ABSOLUTE_GATE]
    if len(gated):
        gated = gated[_lufs(gated) >= _lufs(gated.mean()) + RELATIVE_GATE]
    return float(_lufs(gated.mean())) if len(gated) else -math.inf


def k_weighted(channels: Tensor, rate: int) -> Tensor:
    """(c, s) -> (c, s) float64 through the two filters of BS.1770: the head's shelf and the ear's high-pass."""
    return _filtered(channels.double(), _k_response(rate))


def true_peak(samples: Tensor) -> float:
    """The largest magnitude of (s,) or (c, s) between samples as well as on them (fourfold oversampling)."""
    channels = _channels(samples)
    return float(_peaks(channels).max()) if channels.shape[-1] else 0.0


def normalise(samples: Tensor, rate: int, target: float = TARGET_LUFS, ceiling_db: float = CEILING_DB) -> Tensor:
    """The sound at ``target`` LUFS with no true peak above ``ceiling_db`` dBFS; same shape.

    Where peaks stand in the way they are limited, and the gain is raised again for what that cost, three times; very
    dynamic sound may stay below the target, never above. Silence comes back as it is. Raises as ``loudness`` does.
    """
    level = loudness(samples, rate)
    if not math.isfinite(level):
        return samples
    gain, result = 10 ** ((target - level) / 20), samples
    for _ in range(4):
        result = limit(samples * gain, rate, ceiling_db)
        missing = target - loudness(result, rate)
        if missing < 0.05:
            break
        gain *= 10 ** (missing / 20)
    return result


def limit(samples: Tensor, rate: int, ceiling_db: float = CEILING_DB) -> Tensor:
    """Turn down around peaks, so that no true peak exceeds ``ceiling_db`` dBFS; all channels alike, same shape.

    The gain that each sample asks for is held for ``LOOK_SECONDS`` to both sides and then averaged over as much, so it
    moves smoothly and has come down by the time of the peak. What is below the ceiling is left untouched.
    """
    channels, ceiling = _channels(samples), 10 ** (ceiling_db / 20)
    reach = max(1, round(LOOK_SECONDS * rate))
    for _ in range(4):  # a gain that moves can lift what lies between samples a little
        peaks = _peaks(channels).amax(dim=0)
        if float(peaks.max()) <= ceiling:
            return channels.reshape(samples.shape)
        wanted = (0.999 * ceiling / peaks.clamp_min(1e-12)).clamp(max=1)[None, None]
        held = -functional.max_pool1d(functional.pad(-wanted, (reach, reach), value=-1.0), 2 * reach + 1, stride=1)
        kernel = torch.hann_window(2 * reach + 3, periodic=False)[1:-1].to(channels)
        smooth = functional.pad(held, (reach, reach), mode="replicate")
        gain = _convolved(smooth[0].double(), (kernel / kernel.sum()).double())[0]
        channels = channels * gain.clamp(0, 1).to(channels)
    return (channels * (ceiling / max(float(_peaks(channels).max()), ceiling))).reshape(samples.shape)


def widen(samples: Tensor, rate: int, width: float = 0.5) -> Tensor:
    """Mono (s,) -> stereo (2, s) that sums to the same mono: a decorrelated copy is added left, subtracted right.

    width: level of that copy, 0 (both channels alike) to 1. It passes an all-pass whose delay wanders by up to
    15 ms over frequency (Schroeder's pseudo-stereophony, 1961); below about 200 Hz, where direction is not heard and
    vinyl and subwoofers want mono, there is none.
    """
    if samples.ndim != 1:
        raise FootlightError(f"only mono sound (s,) can be widened, got shape {tuple(samples.shape)}")
    if not 0 <= width <= 1:
        raise FootlightError(f"the width of stereo must be between 0 and 1, got {width:g}")
    side = width * _filtered(samples[None].double(), _side_response(rate))[0].to(samples)
    return torch.stack([samples + side, samples - side])


def _channels(samples: Tensor) -> Tensor:
    """(s,) or (c, s) -> (c, s)"""
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[0] not in (1, 2)):
        raise FootlightError(f"expected samples (s,) or (1 or 2 channels, s), got shape {tuple(samples.shape)}")
    if not bool(torch.isfinite(samples).all()):
        raise FootlightError("the sound holds values that are not numbers")
    return samples if samples.ndim == 2 else samples[None]


def _lufs(power: Tensor) -> Tensor:
    return _OFFSET + 10 * torch.log10(power)


def _peaks(channels: Tensor) -> Tensor:
    """(c, s) -> (c, s) the largest magnitude from each sample up to the next."""
    kernel = _interpolator().to(channels)  #                          phases 1 taps
    padded = functional.pad(channels[:, None], (_TAPS // 2 - 1, _TAPS // 2))
    between = functional.conv1d(padded, kernel).abs().amax(dim=1)
    return torch.maximum(between, channels.abs())


@lru_cache(maxsize=1)
def _interpolator() -> Tensor:
    """(3, 1, taps): windowed sines cardinal for the three points between two samples."""
    at = torch.arange(_TAPS, dtype=torch.float64) - (_TAPS // 2 - 1)
    phases = torch.arange(1, _OVERSAMPLING, dtype=torch.float64)[:, None] / _OVERSAMPLING
    offset = at - phases
    window = torch.special.i0(8.0 * (1 - (offset / (_TAPS / 2)).square()).clamp_min(0).sqrt())  # Kaiser
    kernel = torch.sinc(offset) * window
    return (kernel / kernel.sum(dim=1, keepdim=True))[:, None]


def _filtered(channels: Tensor, kernel: Tensor) -> Tensor:
    """(c, s) through a causal finite response (n,): the output is as long as the input."""
    return _convolved(functional.pad(channels, (len(kernel) - 1, 0)), kernel)


def _convolved(channels: Tensor, kernel: Tensor) -> Tensor:
    """(c, s + n - 1), (n,) -> (c, s): the valid part of the convolution, by overlap-save with flat memory."""
    n = len(kernel)
    size = 1 << max(15, (4 * n - 1).bit_length())
    response = torch.fft.rfft(kernel, size)
    total, advance = channels.shape[-1] - n + 1, size - n + 1
    result = channels.new_empty(channels.shape[0], total)
    for start in range(0, total, advance):
        piece = channels[:, start : start + size]
        made = torch.fft.irfft(torch.fft.rfft(piece, size) * response, size)
        count = min(advance, total - start)
        result[:, start : start + count] = made[:, n - 1 : n - 1 + count]
    return result


@lru_cache(maxsize=4)
def _k_response(rate: int) -> Tensor:
    """(n,) impulse response of K-weighting at any rate.

    BS.1770 gives coefficients for 48 kHz only; these are the analogue filters behind them through the bilinear
    transform: a shelf of +4 dB above 1.68 kHz and a high-pass at 38 Hz (De Man 2014).
    """
    n = 1 << math.ceil(math.log2(0.1 * rate))
    turns = 2 * math.pi * torch.arange(n // 2 + 1, dtype=torch.float64) / n
    z = torch.polar(torch.ones_like(turns), -turns)  #                z^-1 on the circle

    k, q = math.tan(math.pi * 1681.974450955533 / rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    shelf = ((high + band * k / q + k * k) + 2 * (k * k - high) * z + (high - band * k / q + k * k) * z * z) / (
        (1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z * z
    )
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    a0 = 1 + k / q + k * k
    # The standard's numerator is 1, -2, 1 as it stands, so the pass band is a little off unity, and meant to be.
    high_pass = (1 - 2 * z + z * z) / (1 + 2 * (k * k - 1) / a0 * z + (1 - k / q + k * k) / a0 * z * z)
    return torch.fft.irfft(shelf * high_pass, n)


@lru_cache(maxsize=4)
def _side_response(rate: int) -> Tensor:
    """(n,) an all-pass above 200 Hz, whose delay swings over frequency with two periods that never meet."""
    n = 1 << math.ceil(math.log2(0.06 * rate))
    hz = torch.arange(n // 2 + 1, dtype=torch.float64) * rate / n
    delay = 0.00375 * (2 - torch.cos(2 * math.pi * hz / 1700) - torch.cos(2 * math.pi * hz / 710))  # s
    phase = -2 * math.pi * torch.cumsum(delay, dim=0) * rate / n
    phase = phase - phase[-1] * torch.arange(n // 2 + 1) / (n // 2)  # real at the Nyquist frequency
    level = hz.pow(4) / (hz.pow(4) + 200.0**4)
    response = torch.fft.irfft(torch.polar(level, phase), n).roll(n // 4)
    ends = torch.hann_window(n // 4, periodic=False, dtype=torch.float64)
    response[: n // 8] *= ends[: n // 8]
    response[-n // 8 :] *= ends[-n // 8 :]
    return response

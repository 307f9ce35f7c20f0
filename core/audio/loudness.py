"""Loudness: measures it, brings music to a target level without clipping, and widens mono sound to stereo.

Integrated loudness is that of ITU-R BS.1770-4 (K-weighting, 400 ms blocks, two gates); true peaks are those of its
annex 2. Samples are (s,) or (c, s) with one or two channels, with full scale at 1. Filters are finite: the response of
the K-weighting decays within 0.1 s and is convolved block by block.
"""

from __future__ import annotations

import math
from functools import lru_cache, reduce

import torch
from torch import Tensor
from torch.nn import functional

from core.errors import FootlightError

TARGET_LUFS = -14.0  # the level at which streaming services play music
CEILING_DB = -1.0  # true peak; leaves room for the overshoot of lossy codecs
BLOCK_SECONDS = 0.4
STEP_SECONDS = 0.1
ABSOLUTE_GATE = -70.0  # LUFS
RELATIVE_GATE = -10.0  # LU, relative to the mean of the blocks that pass the absolute gate
_OFFSET = -0.691  # dB, so that a 997 Hz sine at full scale in one channel is -3.01 LUFS
LOOK_SECONDS = 0.01  # the limiter starts to reduce the gain this long before a peak, and recovers in the same time
CURVE_HZ = 1000  # points a second of the limiter's gain, between which it is interpolated
GAINS = 4  # tried at most on the way to the target
CLOSE = 0.05  # LU to the target that are not worth another gain
_OVERSAMPLING = 4  # of the true peak
_TAPS = 24  # of its polyphase interpolator, per phase
_FRAME = 32  # samples between which it interpolates at once
_FRAMES = 1024  # of such frames, whose products stay in a core's cache
_PIECES = 32  # of sound that are convolved at once, because every call for a transform is prepared for anew


def loudness(samples: Tensor, rate: int) -> float:
    """Integrated loudness in LUFS; -inf where nothing passes the gates.

    samples: (s,) or (c, s), one or two channels.
    rate: samples per second.

    Raises FootlightError for less than one block of sound (0.4 s), more than two channels, or samples that are not
    finite.
    """
    return _integrated(_heard_power(_channels(samples), rate), rate)


def _heard_power(channels: Tensor, rate: int) -> Tensor:
    """The power (s,), float64, of K-weighted channels (c, s), which all weigh 1."""
    return k_weighted(channels, rate).square().sum(dim=0).double()


def _integrated(power: Tensor, rate: int) -> float:
    """Integrated loudness of K-weighted sound from its power (s,), as ``loudness``."""
    block, step = round(BLOCK_SECONDS * rate), round(STEP_SECONDS * rate)
    if len(power) < block:
        raise FootlightError(
            f"loudness is measured over blocks of {BLOCK_SECONDS} s, got {len(power) / rate:.2f} s of sound"
        )
    total = functional.pad(power.cumsum(dim=0), (1, 0))
    first = torch.arange(0, len(power) - block + 1, step)
    blocks = ((total[first + block] - total[first]) / block).clamp_min(0)
    gated = blocks[_lufs(blocks) >= ABSOLUTE_GATE]
    if len(gated):
        gated = gated[_lufs(gated) >= _lufs(gated.mean()) + RELATIVE_GATE]
    return float(_lufs(gated.mean())) if len(gated) else -math.inf


def k_weighted(channels: Tensor, rate: int) -> Tensor:
    """K-weighted channels (c, s): the two filters of BS.1770, a high shelf for the head and a high-pass."""
    return _filtered(channels, _k_response(rate).to(channels))


def true_peak(samples: Tensor) -> float:
    """The largest magnitude of samples (s,) or (c, s), including between the samples (fourfold oversampling)."""
    channels = _channels(samples)
    return float(_peaks(channels).max()) if channels.shape[-1] else 0.0


def normalise(samples: Tensor, rate: int, target: float = TARGET_LUFS, ceiling_db: float = CEILING_DB) -> Tensor:
    """Bring samples to a loudness without clipping; returns the same shape.

    Peaks above the ceiling are limited. The gain then makes up for the lost loudness, up to three times. Very dynamic
    sound may stay below the target. Silence is returned unchanged.

    Sound is filtered and its peaks are found once. The limiter's gain changes so slowly that it hardly matters whether
    it comes before or after the K-weighting.

    samples: (s,) or (c, s).
    rate: samples per second.
    target: LUFS.
    ceiling_db: the highest true peak, dBFS.

    Raises FootlightError as ``loudness`` does.
    """
    channels, ceiling = _channels(samples), 10 ** (ceiling_db / 20)
    power = _heard_power(channels, rate)
    level = _integrated(power, rate)
    if not math.isfinite(level):
        return samples
    gain, peaks = 10 ** ((target - level) / 20), _peaks(channels).amax(dim=0)
    for _ in range(GAINS - 1):
        limited = gain * _reduction(gain * peaks, rate, ceiling)
        missing = target - _integrated(power * limited.square(), rate)
        if missing < CLOSE:
            break
        gain *= 10 ** (missing / 20)
    return _limited(gain * channels, gain * peaks, rate, ceiling).reshape(samples.shape)


def limit(samples: Tensor, rate: int, ceiling_db: float = CEILING_DB) -> Tensor:
    """Limit true peaks to ``ceiling_db`` dBFS, with the same gain for all channels; returns the same shape.

    The gain that each sample needs is held for ``LOOK_SECONDS`` to either side and then averaged over the same time. It
    changes smoothly and is low enough by the time of the peak. Sound below the ceiling is unchanged.

    samples: (s,) or (c, s).
    rate: samples per second.
    ceiling_db: the highest true peak, dBFS.

    Raises FootlightError for more than two channels or samples that are not finite.
    """
    channels = _channels(samples)
    return _limited(channels, _peaks(channels).amax(dim=0), rate, 10 ** (ceiling_db / 20)).reshape(samples.shape)


def _limited(channels: Tensor, peaks: Tensor, rate: int, ceiling: float) -> Tensor:
    """Channels (c, s) with peaks (s,), limited to a true peak of ``ceiling``."""
    for _ in range(4):  # a changing gain can raise peaks between samples a little
        if float(peaks.max()) <= ceiling:
            return channels
        channels = channels * _reduction(peaks, rate, ceiling).to(channels)
        peaks = _peaks(channels).amax(dim=0)
    return channels * (ceiling / max(float(peaks.max()), ceiling))


def _reduction(peaks: Tensor, rate: int, ceiling: float) -> Tensor:
    """The limiter's gain (s,), float64 in [0, 1], for peaks (s,).

    It is found at ``CURVE_HZ``. Each point holds for the samples around it and reaches over its neighbours, so a gain
    between two points is low enough for the peaks of both.
    """
    samples, each = len(peaks), max(1, round(rate / CURVE_HZ))
    reach = max(1, round(LOOK_SECONDS * rate / each))
    loudest = functional.pad(peaks, (0, -samples % each)).view(-1, each).amax(dim=1).double()
    wanted = (0.999 * ceiling / loudest.clamp_min(1e-12)).clamp(max=1)[None, None]
    held = -functional.max_pool1d(functional.pad(-wanted, (reach, reach), value=-1.0), 2 * reach + 1, stride=1)
    kernel = torch.hann_window(2 * reach + 1, periodic=False, dtype=torch.float64)[1:-1]
    smooth = functional.pad(held, (reach - 1, reach - 1), mode="replicate")
    points = functional.conv1d(smooth, (kernel / kernel.sum())[None, None]).clamp(0, 1)
    return between(points[0, 0], each)[:samples]


def between(points: Tensor, each: int) -> Tensor:
    """Samples (n * each,) of the lines between points (n,), which stand in the middle of ``each`` of them.

    It is ``interpolate(mode="linear")`` as a matrix product, in a fifth of its time.
    """
    longer = torch.cat((points[:1], points, points[-1:]))
    share = (torch.arange(each, dtype=points.dtype) + (each + 1) % 2 / 2) / each
    lines = torch.stack((longer[:-1], longer[1:]), dim=1) @ torch.stack((1 - share, share))
    return lines.flatten()[(each + 1) // 2 :][: len(points) * each]


def widen(samples: Tensor, rate: int, width: float = 0.5) -> Tensor:
    """Turn mono into stereo (2, s) whose channels sum to the same mono.

    A decorrelated copy is added on the left and subtracted on the right. It comes from an all-pass filter whose delay
    varies by up to 15 ms over frequency (Schroeder's pseudo-stereophony, 1961). Below about 200 Hz there is no copy:
    direction is inaudible there, and vinyl and subwoofers need mono.

    samples: (s,) mono.
    rate: samples per second.
    width: level of the copy, from 0 (both channels alike) to 1.

    Raises FootlightError for sound that is not mono, or a width outside of 0 to 1.
    """
    if samples.ndim != 1:
        raise FootlightError(f"only mono sound (s,) can be widened, got shape {tuple(samples.shape)}")
    if not 0 <= width <= 1:
        raise FootlightError(f"the width of stereo must be between 0 and 1, got {width:g}")
    side = width * _filtered(samples[None], _side_response(rate).to(samples))[0]
    return torch.stack([samples + side, samples - side])


def _channels(samples: Tensor) -> Tensor:
    """Samples (s,) or (c, s) as (c, s). Raises FootlightError for other shapes and for values that are not finite."""
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[0] not in (1, 2)):
        raise FootlightError(f"expected samples (s,) or (1 or 2 channels, s), got shape {tuple(samples.shape)}")
    if samples.numel() and not all(math.isfinite(extreme) for extreme in samples.aminmax()):
        raise FootlightError("the sound contains values that are not numbers")
    return samples if samples.ndim == 2 else samples[None]


def _lufs(power: Tensor) -> Tensor:
    return _OFFSET + 10 * torch.log10(power)


def _peaks(channels: Tensor) -> Tensor:
    """The largest magnitude (c, s) between each sample of (c, s) and the next."""
    samples, bank = channels.shape[-1], _interpolator().to(channels)
    padded = functional.pad(channels, (_TAPS // 2 - 1, _TAPS // 2 + -samples % _FRAME))
    frames = padded.unfold(-1, _FRAME + _TAPS - 1, _FRAME)  #                          c n w
    found = channels.new_empty(*frames.shape[:2], _FRAME)
    for into, some in zip(found.split(_FRAMES, dim=1), frames.split(_FRAMES, dim=1), strict=True):
        between = (some @ bank).abs_().unflatten(-1, (-1, _FRAME)).unbind(2)  #        c n _FRAME each
        into.copy_(reduce(torch.maximum, between))  # ``amax`` over three takes seven times as long
    return torch.maximum(found.flatten(1)[:, :samples], channels.abs())


@lru_cache(maxsize=1)
def _interpolator() -> Tensor:
    """The matrix (w, 3 * n) from a frame of samples to the three points after each of n of them.

    They come from windowed sinc filters. A matrix product is three times as fast as three convolutions.
    """
    at = torch.arange(_TAPS, dtype=torch.float64) - (_TAPS // 2 - 1)
    phases = torch.arange(1, _OVERSAMPLING, dtype=torch.float64)[:, None] / _OVERSAMPLING
    offset = at - phases
    window = torch.special.i0(8.0 * (1 - (offset / (_TAPS / 2)).square()).clamp_min(0).sqrt())  # Kaiser
    kernel = torch.sinc(offset) * window
    kernel = kernel / kernel.sum(dim=1, keepdim=True)  #              phases taps
    matrix = kernel.new_zeros(_FRAME + _TAPS - 1, len(kernel), _FRAME)
    for place in range(_FRAME):
        matrix[place : place + _TAPS, :, place] = kernel.T
    return matrix.flatten(1)


def _filtered(channels: Tensor, kernel: Tensor) -> Tensor:
    """Filter channels (c, s) with a causal finite response (n,); returns (c, s)."""
    return _convolved(functional.pad(channels, (len(kernel) - 1, 0)), kernel)


def _convolved(channels: Tensor, kernel: Tensor) -> Tensor:
    """The valid part (c, s) of the convolution of (c, s + n - 1) with (n,), by overlap-save in constant memory."""
    n = len(kernel)
    size = 1 << max(13, (4 * n - 1).bit_length())
    response = torch.fft.rfft(kernel, size)
    total, advance = channels.shape[-1] - n + 1, size - n + 1
    padded = functional.pad(channels, (0, -total % advance))
    result, done = channels.new_empty(channels.shape[0], total), 0
    for pieces in padded.unfold(-1, size, advance).split(_PIECES, dim=1):  #               c pieces size
        made = torch.fft.irfft(torch.fft.rfft(pieces).mul_(response), size)[..., n - 1 :].flatten(1)
        count = min(made.shape[1], total - done)
        result[:, done : done + count] = made[:, :count]
        done += count
    return result


@lru_cache(maxsize=4)
def _k_response(rate: int) -> Tensor:
    """Impulse response (n,) of the K-weighting at any rate.

    BS.1770 gives coefficients for 48 kHz only. This is the bilinear transform of the analogue filters behind them: a
    shelf of +4 dB above 1.68 kHz and a high-pass at 38 Hz (De Man 2014).
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
    # The standard has the numerator 1, -2, 1 without normalisation, so the gain of the pass band is not exactly 1.
    high_pass = (1 - 2 * z + z * z) / (1 + 2 * (k * k - 1) / a0 * z + (1 - k / q + k * k) / a0 * z * z)
    return torch.fft.irfft(shelf * high_pass, n)


@lru_cache(maxsize=4)
def _side_response(rate: int) -> Tensor:
    """Response (n,) of an all-pass above 200 Hz. Its delay oscillates over frequency with two unrelated periods."""
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

"""Reads audio files as mono samples, and writes wav, flac and ogg.

It reads every format that libsndfile decodes: wav, flac, ogg, opus, mp3 and others. With ffmpeg installed it reads the
others too: m4a, webm, wma and many more. What a file is shows in its first bytes, not in its name.

A file without usable sound is refused with one line: it is missing, empty, not audio, damaged, shorter than a second,
or silent. A file that was cut or is damaged in part is read as far as it goes, with a warning.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from core import progress
from core.audio import decoding, libsndfile
from core.errors import FootlightError
from core.files import write_atomically
from core.protocol import SHORTEST_SECONDS, SONG_FILES
from core.types import Waveform

WILDEST = 2.0**31  # times full scale: floats may hold whole numbers of up to 32 bits; beyond, the file is damaged
SILENCE_PEAK = 10 ** (-70 / 20)  # of full scale: below the resolution of 16 bits with dither
WRITTEN = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}  # by suffix
LOWEST_RATE = 8_000  # Hz; outside of these two, the Vorbis encoder crashes the program
HIGHEST_RATE = 192_000  # Hz
SLOWEST_RATE = 1_000  # Hz; at a lower one there is no music, and the header of the file is wrong


def read(path: str | Path, rate: int | None = None, start: float = 0.0, seconds: float | None = None) -> Waveform:
    """Read an audio file, or a part of it, as mono samples.

    Channels are averaged. If that cancels them, because one channel is the other one inverted, the loudest channel is
    taken. Samples beyond full scale, which float files may hold, are scaled down to it.

    path: the file.
    rate: Hz to resample to (soxr, high quality); None keeps the file's rate.
    start: where the part begins, seconds.
    seconds: its length; None reads to the end of the file. A part stops there in any case.

    Raises FootlightError when the file or part is missing, empty, not audio, damaged, shorter than a second, or silent.
    """
    path = Path(path)
    _check_file(path)
    if start < 0 or (seconds is not None and seconds <= 0):
        raise FootlightError(
            f"{path}: cannot read {seconds} s from {start:g} s: start must be 0 or more, seconds above 0"
        )
    frames, file_rate = decoding.decode(path, libsndfile.Part(start, seconds))
    if len(frames) and not _peak(frames) < WILDEST:  # written so that NaN is refused too
        raise FootlightError(f"{path}: is damaged: holds samples far beyond full scale or not numbers; export it again")
    if file_rate < SLOWEST_RATE:
        raise FootlightError(f"{path}: is damaged: its header says {file_rate} samples a second; export it again")
    progress.report()
    samples = libsndfile.mono(frames)
    del frames  # of an hour in stereo, a gigabyte
    progress.report()
    length = len(samples) / file_rate
    if length < SHORTEST_SECONDS:
        part = "" if start == 0 and seconds is None else f" from {start:g} s on"
        there = math.floor(length * 100) / 100  # rounded up it might be enough
        raise FootlightError(f"{path}: only {there:.2f} s of sound{part}; at least {SHORTEST_SECONDS:g} s is needed")
    low, high = float(samples.min()), float(samples.max())
    if (high - low) / 2 < SILENCE_PEAK:  # their peak, if what is constant in them is taken away
        raise FootlightError(f"{path}: is silent (peak below -70 dB); choose a file or a part with sound")
    peak = max(high, -low)
    if rate is not None and rate != file_rate:
        samples, file_rate = _resampled(samples, file_rate, rate), rate
        peak = _peak(samples)
    if peak > 1:
        samples = samples / peak
    return Waveform(torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32)), file_rate)


def _check_file(path: Path) -> None:
    """Raises FootlightError for what is no file, or an empty one."""
    if not path.exists():
        raise FootlightError(f"{path}: no such file; give the path of a song ({SONG_FILES})")
    if path.is_dir():
        raise FootlightError(f"{path}: is a folder; give the path of one song ({SONG_FILES})")
    if not path.is_file():
        raise FootlightError(f"{path}: is a pipe or a device; save the song as a file, and give its path")
    if path.stat().st_size == 0:
        raise FootlightError(f"{path}: the file is empty; export or download the song again")


def resample(waveform: Waveform, rate: int) -> Waveform:
    """Resample a waveform to ``rate`` Hz. Its length is rounded to the nearest sample."""
    if rate == waveform.rate:
        return waveform
    return Waveform(torch.from_numpy(_resampled(waveform.samples.numpy(), waveform.rate, rate)), rate)


def _resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples (s,) at ``wanted`` Hz in place of ``rate``."""
    return _fit(soxr.resample(samples, rate, wanted, quality="HQ"), round(len(samples) * wanted / rate))


def write(path: str | Path, waveform: Waveform) -> None:
    """Write a wav or flac file (16 bits) or an ogg file (Vorbis), by the suffix. Samples are clipped to full scale.

    The file appears whole or not at all. An existing file stays until the new one is complete.

    path: the file, with one of these suffixes.
    waveform: (s,) mono or (2, s) stereo samples.

    Raises FootlightError for another suffix or shape, samples that are not finite, a rate outside of 8 to 192 kHz, and
    a folder that is missing, full or cannot be written to.
    """
    path = Path(path)
    data = encoded(path, waveform)
    if not path.parent.is_dir():
        raise FootlightError(f"{path}: there is no folder {path.parent}; make it, or choose another folder")
    write_atomically(path, data)


def encoded(path: Path, waveform: Waveform) -> bytes:
    """The bytes of the file that ``write`` writes.

    Raises FootlightError as ``write`` does, except for the folder, which it does not touch.
    """
    if path.suffix.lower() not in WRITTEN:
        raise FootlightError(
            f"{path}: sound is written as {', '.join(WRITTEN)}, not as {path.suffix or 'a file without a suffix'!r}; "
            f"choose one of these endings; nothing was written"
        )
    samples = waveform.samples.detach().cpu().float().numpy()
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[0] != 2) or not np.isfinite(samples).all():
        raise FootlightError(
            f"{path}: expected finite samples, mono (s,) or stereo (2, s), got shape {samples.shape}; "
            f"nothing was written"
        )
    if not LOWEST_RATE <= waveform.rate <= HIGHEST_RATE:
        raise FootlightError(
            f"{path}: sound is written at {LOWEST_RATE} to {HIGHEST_RATE} Hz, got {waveform.rate}; resample it; "
            f"nothing was written"
        )
    return _encode(path, samples.clip(-1, 1), waveform.rate)


def _encode(path: Path, samples: np.ndarray, rate: int) -> bytes:
    """Encode in memory: an encoder that writes to a full disk itself would fail unnoticed."""
    form, subtype = WRITTEN[path.suffix.lower()]
    frames = samples.reshape(-1, 1) if samples.ndim == 1 else samples.T
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, frames.shape[1], subtype, format=form) as file:
        for start in range(0, len(frames), libsndfile.BLOCK_FRAMES):  # Vorbis overflows its stack on long blocks
            file.write(frames[start : start + libsndfile.BLOCK_FRAMES])
    return buffer.getvalue()


def _peak(samples: np.ndarray) -> float:
    """The largest magnitude of samples; NaN if one of them is. It makes no copy of a long song."""
    return float(np.maximum(samples.max(), -samples.min()))


def _fit(samples: np.ndarray, length: int) -> np.ndarray:
    """Cut or pad to exactly ``length`` samples: resamplers may return one more or less."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))

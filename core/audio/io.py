"""Audio files: anything libsndfile decodes (wav, flac, ogg, opus, mp3 ...) to mono samples, and back to
wav, flac or ogg.

Every file that cannot be danced to is refused here with one line: missing, empty, not audio, damaged, shorter than
a second, or silent.
"""

from __future__ import annotations

import io
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from core import progress
from core.audio.containers import missing_bytes
from core.errors import FootlightError
from core.files import write_atomically
from core.protocol import SHORTEST_SECONDS
from core.types import Waveform

WILDEST = 1000.0  # times full scale: no mix is that hot
SILENCE_PEAK = 10 ** (-70 / 20)  # of full scale: below what 16 bits with dither hold
FORMATS = "wav, flac, ogg, opus or mp3"
WRITTEN = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}  # by suffix
LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000  # beyond, the Vorbis encoder takes the program down with it
_BLOCK_FRAMES = 1 << 18  # some decoders do not know their length, so files are read until they end


def read(path, rate: int | None = None, start: float = 0.0, seconds: float | None = None) -> Waveform:
    """The mono samples of an audio file.

    rate: resample to this many Hz (soxr, high quality); None keeps the file's.  start, seconds: the part to read;
    a part that runs over the end stops there.  Channels are averaged; where that cancels them (one channel is the
    other inverted) the loudest channel is taken.  Samples beyond full scale (float files) are scaled down to it.
    Raises FootlightError for a file or part that is missing, empty, not audio, damaged, under a second or silent.
    """
    path = Path(path)
    if not path.exists():
        raise FootlightError(f"{path}: no such file; give the path of a song ({FORMATS})")
    if path.is_dir():
        raise FootlightError(f"{path}: is a folder; give the path of one song ({FORMATS})")
    if path.stat().st_size == 0:
        raise FootlightError(f"{path}: the file is empty; export or download the song again")
    if start < 0 or (seconds is not None and seconds <= 0):
        raise FootlightError(
            f"{path}: cannot read {seconds} s from {start:g} s: start must be 0 or more, seconds above 0"
        )
    frames, file_rate = _decode(path, start, seconds)
    if len(frames) and not np.abs(frames).max() < WILDEST:  # so written that NaN counts as wild
        raise FootlightError(f"{path}: is damaged: holds samples far beyond full scale or not numbers; export it again")
    progress.report()
    samples = _mono(frames)
    progress.report()
    length = len(samples) / file_rate
    if length < SHORTEST_SECONDS:
        part = "" if start == 0 and seconds is None else f" from {start:g} s on"
        raise FootlightError(f"{path}: only {length:.2f} s of sound{part}; at least {SHORTEST_SECONDS:g} s is needed")
    peak = float(np.abs(samples).max())
    if peak < SILENCE_PEAK:
        raise FootlightError(f"{path}: is silent (peak below -70 dB); choose a file or a part with sound")
    if rate is not None and rate != file_rate:
        wanted = round(len(samples) * rate / file_rate)
        samples = _fit(soxr.resample(samples, file_rate, rate, quality="HQ"), wanted)
        file_rate = rate
        peak = float(np.abs(samples).max())
    if peak > 1:
        samples = samples / peak
    return Waveform(torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32)), file_rate)


def resample(waveform: Waveform, rate: int) -> Waveform:
    """The waveform at ``rate`` Hz; its length rounds to the nearest sample."""
    if rate == waveform.rate:
        return waveform
    samples = soxr.resample(waveform.samples.numpy(), waveform.rate, rate, quality="HQ")
    return Waveform(torch.from_numpy(_fit(samples, round(len(waveform.samples) * rate / waveform.rate))), rate)


def write(path, waveform: Waveform) -> None:
    """Save as wav or flac (16 bits) or ogg (Vorbis), as the suffix says, clipped to full scale.

    waveform.samples: (s,) mono, or (2, s) stereo.  The file appears whole or not at all; one that was there stays until
    the new one is complete. Raises FootlightError for another suffix or shape, values that are not numbers, a rate
    outside of 8 to 192 kHz, and a place that cannot be written to or is full.
    """
    path = Path(path)
    data = encoded(path, waveform)
    if not path.parent.is_dir():
        raise FootlightError(f"{path}: there is no folder {path.parent}; make it, or choose another folder")
    write_atomically(path, data)


def encoded(path: Path, waveform: Waveform) -> bytes:
    """The file that ``write`` writes. Raises FootlightError for what it refuses, the place aside."""
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
    """The bytes of a file: in memory first, since an encoder's own writing to a full disk would go unnoticed."""
    form, subtype = WRITTEN[path.suffix.lower()]
    frames = samples.reshape(-1, 1) if samples.ndim == 1 else samples.T
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, frames.shape[1], subtype, format=form) as file:
        for start in range(0, len(frames), _BLOCK_FRAMES):  # libsndfile's Vorbis overflows its stack on long ones
            file.write(frames[start : start + _BLOCK_FRAMES])
    return buffer.getvalue()


def _decode(path: Path, start: float, seconds: float | None) -> tuple[np.ndarray, int]:
    """The file's frames (s, channels) float32 from ``start`` on, and its rate."""
    try:
        if missing_bytes(path):
            raise FootlightError(f"{path}: is damaged: the file ends too early; export or download it again")
        with _quiet(), soundfile.SoundFile(path) as file:
            rate = file.samplerate
            if start > 0:
                first = round(start * rate)
                if first >= file.frames:
                    raise FootlightError(
                        f"{path}: starts at {start:g} s, but the song ends at {file.frames / rate:.2f} s; choose less"
                    )
                file.seek(first)
            wanted = None if seconds is None else round(seconds * rate)
            expected = file.frames - file.tell()
            blocks, got = [], 0
            while wanted is None or got < wanted:
                count = _BLOCK_FRAMES if wanted is None else min(_BLOCK_FRAMES, wanted - got)
                block = file.read(count, dtype="float32", always_2d=True)
                if not len(block):
                    break
                blocks.append(block)
                got += len(block)
                progress.report(min(1.0, got / max(wanted or expected, got)))
    except soundfile.LibsndfileError as error:
        reason = error.error_string.strip().removeprefix("Error : ").rstrip(".")
        why = "" if "not exist" in reason else f" ({reason})"  # libsndfile's words for any mp3 it cannot make out
        raise FootlightError(f"{path}: is not audio or is damaged{why}; expected {FORMATS}") from None
    except OSError as error:
        raise FootlightError(
            f"{path}: cannot be opened ({error.strerror}); check the file and its permissions"
        ) from None
    # An estimate of a few frames' length is normal for mp3; a tenth of the song missing is a broken file.
    expected = expected if wanted is None else min(expected, wanted)
    if got < 0.9 * expected < 2**62:
        raise FootlightError(
            f"{path}: is damaged: {got / rate:.1f} of {expected / rate:.1f} s could be read; export it again"
        )
    return (np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)), rate


@contextmanager
def _quiet():
    """The mp3 decoder prints its complaints straight to standard error; ours is the one line that the user gets."""
    try:
        kept = os.dup(2)
    except OSError:  # a program without a standard error has nothing to keep quiet
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def _mono(frames: np.ndarray) -> np.ndarray:
    """(s, channels) -> (s,)"""
    if frames.shape[1] == 1 or not len(frames):
        return frames[:, 0]
    channels = frames.shape[1]
    mixed = frames @ np.full(channels, 1 / channels, np.float32)  # numpy's own means take ten times as long
    energy = (frames.T @ frames).diagonal()
    if mixed @ mixed < 1e-4 * energy.mean():
        return frames[:, energy.argmax()]
    return mixed


def _fit(samples: np.ndarray, length: int) -> np.ndarray:
    """Exactly ``length`` samples: resamplers may give one more or less."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))

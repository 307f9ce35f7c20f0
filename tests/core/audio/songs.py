"""Songs that show at every place where they are, and files of them."""

import io

import numpy as np
import soundfile

RATE = 44_100
LAME_DELAY = 1105  # samples before the sound where no header names them: 576 of LAME, 529 of the decoder


def song(seconds, rate=RATE, seed=0):
    """A glide with noise bursts, loud at first: no stretch is like another one, and the first frames of an mp3 with
    a variable bit rate are the largest."""
    times = np.arange(round(seconds * rate)) / rate
    glide = 0.2 * np.sin(2 * np.pi * (200 + 20 * times) * times)
    generator = np.random.default_rng(seed)
    bursts = np.zeros(len(times))
    for start in generator.uniform(0, max(0.1, seconds - 0.1), round(3 * seconds)):
        burst = generator.standard_normal(rate // 20) * np.linspace(0.3, 0, rate // 20)
        place = round(start * rate)
        bursts[place : place + len(burst)] += burst[: len(bursts) - place]
    soft = np.hanning(max(3, rate // 3000))  # codecs leave the highest frequencies out
    bursts += generator.standard_normal(len(times)) * 0.5 * (times < 0.3)
    return np.clip(glide + np.convolve(bursts, soft / soft.sum(), mode="same"), -0.7, 0.7)


def encode(samples, rate=RATE, form="MP3", **options):
    """The bytes of a file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, **options)
    return file.getvalue()


def mp3(samples, rate=RATE, mode="VARIABLE", level=0.5):
    return encode(samples, rate, bitrate_mode=mode, compression_level=level)


def without_header(data):
    """An mp3 without its first frame, in which the number of the others stands."""
    assert any(mark in data[:200] for mark in (b"Xing", b"Info"))
    second = data.find(data[:2], 40)
    while data[second + 1] != data[1] or data[second + 3] & 0xF0 != data[3] & 0xF0:
        second = data.find(data[:2], second + 1)
    return data[second:]


def id3(size):
    """A tag with a picture in which there is what looks like the beginning of a frame."""
    body = b"APIC" + b"\xff\xfb\x90\x64" * (size // 4)
    length = len(body)
    synchsafe = bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + synchsafe + body


def ape(size):
    return (
        b"APETAGEX"
        + (2000).to_bytes(4, "little")
        + (size + 32).to_bytes(4, "little")
        + b"\1\0\0\0"
        + bytes([0, 0, 0, 0xA0])
        + bytes(8)
        + b"\xff\xfb" * (size // 2)
        + b"APETAGEX"
        + (2000).to_bytes(4, "little")
        + (size + 32).to_bytes(4, "little")
        + b"\1\0\0\0"
        + bytes([0, 0, 0, 0x80])
        + bytes(8)
    )


ID3V1 = b"TAG" + b"Title".ljust(125, b"\0")
LYRICS = b"LYRICSBEGIN" + b"IND00002" + b"11" + b"000029LYRICS200"


def place(heard, wanted):
    """Where ``wanted`` begins in ``heard``, samples, and how alike the two are there."""
    size = 1 << int(np.ceil(np.log2(len(heard) + len(wanted))))
    found = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)))
    at = int(np.argmax(found[: len(heard)]))
    part = heard[at : at + len(wanted)]
    return at, float(np.corrcoef(part, wanted[: len(part)])[0, 1])


def worst_second(heard, wanted, rate):
    """How alike two sounds are in the second in which they are least so."""
    assert len(heard) >= len(wanted) - rate // 100, f"{len(wanted) / rate:.2f} s became {len(heard) / rate:.2f} s"
    wanted = wanted[: len(heard)]
    parts = range(0, len(wanted) - rate + 1, rate)
    return min(float(np.corrcoef(heard[a : a + rate], wanted[a : a + rate])[0, 1]) for a in parts)

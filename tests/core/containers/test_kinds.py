"""What a file is shows in its first bytes, whatever it is called."""

import struct

import numpy as np
import pytest

from core.containers import kinds
from core.containers.kinds import recognise
from tests.core.audio.songs import encode, id3, mp3, song


def adts(frames, length=300):
    """AAC frames by their headers (ISO 13818-7, 6.2.1): 44.1 kHz, mono."""
    head = bytes([0xFF, 0xF1, 0x50, 0x40 | length >> 11, length >> 3 & 255, (length & 7) << 5 | 0x1F, 0xFC])
    return (head + bytes(length - 7)) * frames


def ogg(packet):
    return struct.pack("<4sBBqIIIB", b"OggS", 0, 2, 0, 7, 0, 0, 1) + bytes([len(packet)]) + packet


def wav(codec):
    return b"RIFF\xff\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", codec, 1, 44_100, 0, 1, 0) + b"data\4\0\0\0abcd"


OWN = {
    "wav": (lambda: encode(song(1.0), form="WAV"), kinds.WAV),
    "a-law": (lambda: wav(6), kinds.WAV),
    "flac": (lambda: encode(song(1.0), form="FLAC"), kinds.FLAC),
    "vorbis": (lambda: encode(song(1.0), form="OGG"), kinds.OGG),
    "opus": (lambda: encode(song(1.0, 48_000), 48_000, form="OGG", subtype="OPUS"), kinds.OGG),
    "mp3": (lambda: mp3(song(1.0)), kinds.MPEG),
    "aiff": (lambda: encode(song(1.0), form="AIFF"), kinds.AIFF),
    "caf": (lambda: encode(song(1.0), form="CAF"), kinds.CAF),
    "au": (lambda: encode(song(1.0), form="AU"), kinds.AU),
    "w64": (lambda: encode(song(1.0), form="W64"), kinds.W64),
}
OTHERS = {
    "MPEG-4": b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(20),
    "QuickTime": b"\0\0\x10\0moov" + bytes(20),
    "WebM": b"\x1a\x45\xdf\xa3" + bytes(20),
    "Windows Media": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(20),
    "AAC": adts(40),
    "a WAV file with a codec": wav(0x2000),
    "an Ogg file with Speex": ogg(b"Speex   1.2"),
    "an Ogg file with an unknown codec": ogg(b"something"),
    "Monkey": b"MAC \x96\x0f" + bytes(20),
    "transport stream": (b"G" + bytes(187)) * 10,
    "MXF": b"\x06\x0e\x2b\x34\x02\x05\x01\x01" + bytes(30),
    "NUT": b"nut/multimedia container\0" + bytes(30),
    "SoX": b".SoX" + bytes(30),
}
SILENT = {
    "MIDI": b"MThd\0\0\0\6\0\0\0\1\0\x60",
    "web page": b"\xef\xbb\xbf\n <!DOCTYPE html><html>",
    "zip": b"PK\x03\x04" + bytes(30),
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(30),
    "playlist": b"#EXTM3U\nsong.mp3\n",
    "BVH": b"HIERARCHY\nROOT Hips\n",
}


@pytest.fixture
def known(tmp_path):
    def known(data, name="song.mp3"):
        (tmp_path / name).write_bytes(data)
        return recognise(tmp_path / name)

    return known


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("file", ["song.mp3", "song.wav", "song.m4a", "song"])
def test_what_footlight_decodes(known, name, file):
    make, kind = OWN[name]
    assert known(make(), file) == kind and kind.own and kind.sound


@pytest.mark.parametrize("name", OTHERS)
def test_what_other_programs_decode(known, name):
    for data in (OTHERS[name], OTHERS[name] + bytes(10_000)):
        kind = known(data)
        assert kind is not None and name in kind.name and kind.sound and not kind.own


def test_a_voice_file(known):
    """libsndfile decodes some of them, and ffmpeg the others."""
    assert known(b"Creative Voice File\x1a" + bytes(30)) == kinds.VOC and kinds.VOC.own


@pytest.mark.parametrize("name", SILENT)
def test_what_holds_no_sound(known, name):
    kind = known(SILENT[name])
    assert kind is not None and name in kind.name and not kind.sound


def test_tags_before_any_sound(known):
    for data, kind in ((OWN["flac"][0](), kinds.FLAC), (adts(40), kinds.AAC), (OWN["mp3"][0](), kinds.MPEG)):
        assert known(id3(100_000) + id3(80) + data) == kind


def test_what_is_nothing(known):
    for data in (b"", b"R", b"these are words\n" * 50, bytes(5000), np.random.default_rng(0).bytes(300_000), id3(1000)):
        assert known(data) is None

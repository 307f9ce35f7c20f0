"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import adts, mpeg_frames, ogg, riff

HEAD = 4096  # bytes that are looked at, after tags


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    name: with its article, for messages.
    sound: whether it may hold sound.
    own: whether Footlight decodes it by itself; otherwise ffmpeg or Blender does.
    """

    name: str
    sound: bool = True
    own: bool = False


WAV = Kind("a WAV file", own=True)
FLAC = Kind("a FLAC file", own=True)
OGG = Kind("an Ogg file", own=True)
MPEG = Kind("MPEG audio (mp3)", own=True)
AIFF = Kind("an AIFF file", own=True)
CAF = Kind("a CAF file", own=True)
AU = Kind("an AU file", own=True)
W64 = Kind("a Wave64 file", own=True)
VOC = Kind("a Creative Voice file (voc)", own=True)
AAC = Kind("AAC sound (aac)")
WINDOWS_MEDIA = Kind("a Windows Media file (wma)")

OWN_ENDINGS = (
    ".wav", ".wave", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".aif", ".aiff", ".aifc",
    ".caf", ".au", ".snd", ".voc",
)  # fmt: skip
"""What files are called that Footlight decodes by itself."""

WAV_CODECS = {
    1: "PCM", 2: "MS ADPCM", 3: "float", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x31: "GSM", 0x38: "NMS ADPCM",
    0x40: "G.721", 0x50: "MPEG", 0x55: "MPEG",
}  # fmt: skip
"""Codecs inside WAV that libsndfile decodes."""

OGG_CODECS = ("Vorbis", "Opus", "FLAC")
"""Codecs inside Ogg that libsndfile decodes, FLAC after it was taken out."""

BEGINNINGS = {
    b"fLaC": FLAC,
    b".snd": AU,
    b"caff": CAF,
    b"riff\x2e\x91\xcf\x11": W64,
    b"Creative Voice File": VOC,
    b"\x1a\x45\xdf\xa3": Kind("a Matroska or WebM file (webm, mka, mkv)"),
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": WINDOWS_MEDIA,
    b"MAC ": Kind("a Monkey's Audio file (ape)"),
    b"wvpk": Kind("a WavPack file (wv)"),
    b"TTA1": Kind("a True Audio file (tta)"),
    b"TTA2": Kind("a True Audio file (tta)"),
    b"tBaK": Kind("a TAK file"),
    b"OFR ": Kind("an OptimFROG file (ofr)"),
    b"MPCK": Kind("a Musepack file (mpc)"),
    b"MP+": Kind("a Musepack file (mpc)"),
    b"DSD ": Kind("a DSD file (dsf)"),
    b"FRM8": Kind("a DSD file (dff)"),
    b"#!AMR": Kind("an AMR recording (amr)"),
    b".ra\xfd": Kind("a RealAudio file (ra)"),
    b".RMF": Kind("a RealMedia file (rm)"),
    b"FLV\x01": Kind("a Flash video (flv)"),
    b"\x0b\x77": Kind("Dolby Digital sound (ac3)"),
    b"\x7f\xfe\x80\x01": Kind("DTS sound (dts)"),
    b"ADIF": AAC,
    b".SoX": Kind("a SoX file (sox)"),
    b"\x06\x0e\x2b\x34": Kind("an MXF video (mxf)"),
    b"nut/multimedia container": Kind("a NUT file (nut)"),
    b"\x00\x00\x01\xba": Kind("an MPEG video (mpg)"),
    b"MThd": Kind("a MIDI file, which has notes and no sound", sound=False),
    b"%PDF": Kind("a PDF document", sound=False),
    b"PK\x03\x04": Kind("a zip archive", sound=False),
    b"Rar!": Kind("a rar archive", sound=False),
    b"7z\xbc\xaf\x27\x1c": Kind("a 7z archive", sound=False),
    b"\x1f\x8b": Kind("a gzip archive", sound=False),
    b"\x89PNG": Kind("a picture (png)", sound=False),
    b"\xff\xd8\xff": Kind("a picture (jpg)", sound=False),
    b"GIF8": Kind("a picture (gif)", sound=False),
    b"BLENDER": Kind("a .blend file", sound=False),
    b"#EXTM3U": Kind("a playlist, which names songs and holds none", sound=False),
    b"[playlist]": Kind("a playlist, which names songs and holds none", sound=False),
    b"HIERARCHY": Kind("a BVH file, which has motion and no sound", sound=False),
}
"""By how a file begins."""

WORDS = {
    b"<!doctype html": Kind("a web page", sound=False),
    b"<html": Kind("a web page", sound=False),
    b"<?xml": Kind("an XML document", sound=False),
}
"""As ``BEGINNINGS``, but in any case and after blanks."""


def recognise(path: Path | str) -> Kind | None:
    """What kind of file it is; None if that cannot be told. Raises OSError if it cannot be read."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        at = 0
        while True:  # tags may lie before any kind of sound, with pictures of many megabytes in them
            file.seek(at)
            head = file.read(HEAD)
            length = mpeg_frames.tag_length(head, 0, size - at) if head[:3] == b"ID3" else 0
            if not length:
                break
            at += length
        if head[:4] in riff.FORMS and head[8:12] == b"WAVE":
            codec = riff.codec(file, size)
            known = codec is None or codec in WAV_CODECS
            return WAV if known else Kind(f"a WAV file with a codec of its own (number {codec:#06x})")
        if head[:4] == ogg.MARK:
            codec = ogg.codec(head)
            return OGG if codec in OGG_CODECS else Kind(f"an Ogg file with {codec or 'an unknown codec'}")
        if found := _by_beginning(head):
            return found
        if _adts(head):
            return AAC
        file.seek(at)
        searched = file.read(mpeg_frames.SEARCHED + HEAD)
    return MPEG if mpeg_frames.starts(searched, end=mpeg_frames.SEARCHED) >= 0 else None


def _by_beginning(head: bytes) -> Kind | None:
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return Kind("an AVI video")
    if head[:4] == b"RIFF" and head[8:12] == b"RMID":
        return BEGINNINGS[b"MThd"]
    if head[4:8] == b"ftyp":
        return Kind("an MPEG-4 file (m4a, mp4)")
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return Kind("a QuickTime file (mov, m4a)")
    if head[:1] == b"G" == head[188:189] == head[376:377]:
        return Kind("an MPEG transport stream (ts)")
    words = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((kind for mark, kind in BEGINNINGS.items() if head.startswith(mark)), None) or next(
        (kind for mark, kind in WORDS.items() if words.startswith(mark)), None
    )


def _adts(head: bytes) -> bool:
    """Whether there are frames of AAC, in ADTS (ISO 13818-7, 6.2) or LOAS (ISO 14496-3, 1.7.2)."""
    for length_of in (lambda head, at: adts.frame(head, at)[0], _loas_length):
        at = frames = 0
        while at + 8 < len(head) and (length := length_of(head, at)):
            at, frames = at + length, frames + 1
        if frames and at + 8 >= len(head) and (frames > 1 or at > len(head)):
            return True
    return False


def _loas_length(head: bytes, at: int) -> int:
    return ((head[at + 1] & 0x1F) << 8 | head[at + 2]) + 3 if head[at] == 0x56 and head[at + 1] >> 5 == 7 else 0

"""WAV and its kin from pipes and recorders that were cut off: read to the end of what is there."""

import re
import struct

import numpy as np
import pytest

from core.audio.io import read
from core.containers import riff
from core.errors import FootlightError, collected_warnings
from tests.core.audio.songs import RATE, encode, song

PLACEHOLDERS = [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFFFFF - 44, 0xFFFFF000]
LIST = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf59.27.100\0"


@pytest.fixture
def heard(tmp_path):
    """Read the bytes of a file; returns its samples and the warnings."""

    def heard(data, name="song.wav", **part):
        (tmp_path / name).write_bytes(data)
        with collected_warnings() as warnings:
            return read(tmp_path / name, **part).samples.numpy(), warnings

    return heard


def wav(samples, size=None, form=b"RIFF", subtype="PCM_16", before=b"", after=b"", channels=1, total=None):
    """A WAV by hand. size: of the sound and, less the header, of the file; what there is unless given."""
    order = ">" if form == b"RIFX" else "<"
    tag, width, kind = {
        "PCM_16": (1, 2, "i2"),
        "PCM_24": (1, 3, None),
        "FLOAT": (3, 4, "f4"),
        "PCM_U8": (1, 1, "u1"),
    }[subtype]
    frames = np.repeat(np.asarray(samples)[:, None], channels, 1)
    if subtype == "PCM_24":
        data = (frames * 2**23).astype(order + "i4")
        data = data.astype("<i4").tobytes()
        data = b"".join(data[i : i + 3] for i in range(0, len(data), 4))
    else:
        scale, offset = {"i2": (2**15, 0), "u1": (127, 128)}.get(kind, (1, 0))
        data = (frames * scale + offset).astype(order + kind).tobytes()
    fmt = struct.pack(order + "HHIIHH", tag, channels, RATE, RATE * width * channels, width * channels, width * 8)
    size = len(data) if size is None else size
    chunks = b"fmt " + struct.pack(order + "I", len(fmt)) + fmt + before
    whole = total if total is not None else min(0xFFFFFFFF, size + len(chunks) + 12 if size else 0)
    return (
        form
        + struct.pack(order + "I", whole)
        + b"WAVE"
        + chunks
        + b"data"
        + struct.pack(order + "I", size)
        + data
        + after
    )


@pytest.mark.parametrize("size", PLACEHOLDERS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"before": LIST},
        {"subtype": "FLOAT", "channels": 2},
        {"subtype": "PCM_24"},
        {"subtype": "PCM_U8"},
        {"form": b"RIFX"},
    ],
)
def test_sizes_that_were_never_filled_in(heard, size, options):
    samples, warnings = heard(wav(song(2.5), size, **options))
    np.testing.assert_allclose(samples, song(2.5), atol=2e-2 if options.get("subtype") == "PCM_U8" else 1e-4)
    assert warnings == []


@pytest.mark.parametrize("size", [0, 2**63 - 1, 2**64 - 1])
@pytest.mark.parametrize("form", [b"RF64", b"BW64"])
def test_64_bit_sizes_that_were_never_filled_in(heard, size, form):
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, size, size, 0, 0)
    plain = wav(song(2.5), 0xFFFFFFFF, form)
    samples, warnings = heard(plain[:12] + ds64 + plain[12:])
    np.testing.assert_allclose(samples, song(2.5), atol=1e-4)
    assert warnings == []


def test_a_part_of_a_pipes_wav(heard):
    samples, _ = heard(wav(song(6.0), 0xFFFFFFFF), start=2.5, seconds=2.0)
    np.testing.assert_allclose(samples, song(6.0)[round(2.5 * RATE) :][: 2 * RATE], atol=1e-4)


@pytest.mark.parametrize("missing", [5000, 100_000])
def test_a_wav_that_was_cut(heard, missing):
    data = wav(song(4.0))[:-missing]
    samples, warnings = heard(data)
    np.testing.assert_allclose(samples, song(4.0)[: len(samples)], atol=1e-4)
    assert len(samples) == 4 * RATE - missing // 2
    seconds = len(samples) / RATE
    assert len(warnings) == 1 and f"ends after {seconds:.1f} of the 4.0 s" in warnings[0]


@pytest.mark.parametrize(
    "chunks",
    [
        {"before": b"note" + struct.pack("<I", 3) + b"odd"},  # without the byte that makes it even
        {"before": b"note" + struct.pack("<I", 3) + b"odd\0"},
        {"before": b"JUNK" + struct.pack("<I", 4000) + bytes(4000)},
        {"after": LIST},
        {"after": b"ID3\x03\0\0\0\0\0\x0a" + bytes(10)},
        {"after": bytes(333)},
        {"after": b"LIST" + struct.pack("<I", 5000) + b"INFO"},  # itself cut
        {"subtype": "PCM_U8", "after": LIST},
    ],
)  # fmt: skip
def test_odd_chunks(heard, chunks):
    samples, warnings = heard(wav(song(1.5)[:-1], **chunks))
    np.testing.assert_allclose(samples, song(1.5)[:-1], atol=2e-2 if "subtype" in chunks else 1e-4)
    assert warnings == []


def test_a_recorder_that_never_came_back(heard):
    """It wrote the size of its first buffer."""
    samples, warnings = heard(wav(song(3.0), 8192))
    assert len(samples) == 3 * RATE and warnings == []


def test_what_lies_behind_the_sound_is_said(heard):
    samples, warnings = heard(wav(song(3.0), after=bytes(range(256)) * 1000))
    assert len(samples) == 3 * RATE and len(warnings) == 1 and "256000 bytes behind the 3.0 s" in warnings[0]


def test_joined_wavs(heard):
    samples, warnings = heard(wav(song(2.0), after=LIST) + wav(song(3.0, seed=1)))
    assert len(samples) == 5 * RATE and len(warnings) == 1
    samples, warnings = heard(wav(song(2.0)) + wav(song(3.0, seed=1), 0x7FFFF000))
    np.testing.assert_allclose(samples, np.concatenate((song(2.0), song(3.0, seed=1))), atol=1e-4)
    assert len(warnings) == 1 and "another WAV" in warnings[0] and "2.0 s" in warnings[0]


def test_no_sound_at_all_is_refused(heard):
    for data in (wav(song(1.0))[:44], wav([], 0), b"RIFF\0\0\0\0WAVE", b"RIFF" * 20, wav([], 0, after=LIST)):
        with pytest.raises(FootlightError) as caught:
            heard(data)
        assert "\n" not in str(caught.value) and "song.wav" in str(caught.value)


def test_more_than_four_gigabytes_from_a_pipe(tmp_path):
    """Only its header is looked at: the file has holes."""
    path = tmp_path / "long.wav"
    path.write_bytes(wav(song(1.0), 0xFFFFFFFF))
    with open(path, "r+b") as file:
        file.truncate(5_000_000_000)
        found = riff.survey(file, 5_000_000_000)
    assert found.seconds == pytest.approx((5_000_000_000 - 44) / 2 / RATE)
    np.testing.assert_allclose(read(path, seconds=1.0).samples.numpy(), song(1.0), atol=1e-4)


def with_size(data, mark, offset, form, value):
    at = data.find(mark) + offset
    return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]


@pytest.mark.parametrize(
    ("form", "mark", "offset", "packed", "values"),
    [
        ("AIFF", b"SSND", 4, ">I", (0, 0x7FFFFFFF)),
        ("AU", b".snd", 8, ">I", (0xFFFFFFFF,)),
        ("CAF", b"data", 4, ">Q", (2**64 - 1,)),
        ("W64", b"data\xf3", 16, "<Q", (2**63 - 1, 2**64 - 1)),
    ],
)
def test_pipes_of_other_forms(heard, form, mark, offset, packed, values):
    whole = encode(song(2.0), form=form, subtype="PCM_16")
    expected, warnings = heard(whole, "a.sound")
    np.testing.assert_allclose(expected, song(2.0), atol=1e-3)
    assert warnings == []
    for value in values:
        data = with_size(whole, mark, offset, packed, value)
        if form == "AIFF" and not value:  # such a writer does not know the number of frames either
            data = with_size(with_size(data, b"FORM", 4, ">I", 0), b"COMM", 10, ">I", 0)
        samples, warnings = heard(data, "a.sound")
        np.testing.assert_allclose(samples[: 2 * RATE], expected, atol=1e-3)
        assert len(samples) - 2 * RATE < 100 and warnings == []
    samples, warnings = heard(whole[: len(whole) * 3 // 4], "a.sound")
    assert len(warnings) == 1 and "1.5 of the 2.0 s" in warnings[0]
    assert len(samples) == pytest.approx(1.5 * RATE, abs=1000)


def test_flac_from_a_pipe(heard):
    """The header has 0 for the number of samples, which libsndfile does not bear."""
    whole = bytearray(encode(song(3.0), form="FLAC"))
    whole[21] &= 0xF0
    whole[22:26] = bytes(4)
    samples, warnings = heard(bytes(whole), "a.flac")
    np.testing.assert_allclose(samples, song(3.0), atol=1e-4)
    assert warnings == []
    samples, _ = heard(bytes(whole)[: len(whole) * 3 // 4], "a.flac")
    assert 1.5 * RATE < len(samples) < 2.5 * RATE
    np.testing.assert_allclose(samples, song(3.0)[: len(samples)], atol=1e-4)


def test_damage_in_a_flac_is_silence_and_the_rest_stays_where_it_was(heard, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    data, noise = encode(song(8.0), form="FLAC"), np.random.default_rng(0).bytes(2000)
    places = [len(data) // 5, len(data) * 3 // 5]
    flipped = bytearray(data)
    for place in places:
        flipped[place] ^= 0x40
    inserted = data[: places[0]] + noise + data[places[0] : places[1]] + data[places[1] + 700 :]
    for broken in (bytes(flipped), inserted):
        for start in (0.0, 2.5):
            samples, warnings = heard(broken, "a.flac", start=start)
            expected = song(8.0)[round(start * RATE) :]
            assert len(samples) == len(expected) and len(warnings) == 1 and "of silence stand" in warnings[0]
            wrong = np.abs(samples - expected) > 1e-3
            assert 0 < wrong.sum() < 0.4 * RATE and (samples[wrong] == 0).all()


def test_a_flac_that_was_cut_loses_no_whole_block(heard):
    data = encode(song(20.0), form="FLAC")
    samples, warnings = heard(data[: len(data) // 2], "a.flac")
    assert len(samples) > 8 * RATE and f"only {len(samples) / RATE:.1f} of 20.0 s" in warnings[0]
    np.testing.assert_allclose(samples, song(20.0)[: len(samples)], atol=1e-4)


@pytest.mark.parametrize(
    "options", [{"form": "FLAC"}, {"form": "OGG", "subtype": "VORBIS"}, {"form": "OGG", "subtype": "OPUS"}]
)
def test_joined_flacs_and_oggs(heard, options):
    rate = 48_000 if options.get("subtype") == "OPUS" else RATE
    first, second = song(3.0, rate), song(4.0, rate, seed=1)
    for parts in ((first, second), (first, second, first)):
        samples, warnings = heard(b"".join(encode(part, rate, **options) for part in parts), "a.ogg")
        expected = np.concatenate(parts)
        assert len(samples) == pytest.approx(len(expected), abs=0.02 * rate)
        assert len(warnings) == 1 and f"{len(parts)} " in warnings[0]
        for at in (0, 2 * rate, 4 * rate, len(expected) - rate - 2000):
            assert np.corrcoef(samples[at : at + rate], expected[at : at + rate])[0, 1] > 0.95
    part, _ = heard(
        b"".join(encode(part, rate, **options) for part in (first, second)), "a.ogg", start=2.5, seconds=2.0
    )
    expected = np.concatenate((first, second))[round(2.5 * rate) :][: 2 * rate]
    assert len(part) == 2 * rate and np.corrcoef(part, expected)[0, 1] > 0.95


def test_a_joined_ogg_of_which_one_part_is_damaged(heard, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    first, second = (encode(song(3.0, seed=seed), form="OGG") for seed in (0, 1))
    headless, cut = second[:1] + b"?" + second[2:], second[: len(second) // 20]
    for data in (first + headless, first + cut, cut + first):
        samples, warnings = heard(data, "a.ogg")
        assert warnings and len(samples) == pytest.approx(3 * RATE, abs=RATE // 5)
        assert np.corrcoef(samples[RATE : 2 * RATE], song(3.0)[RATE : 2 * RATE])[0, 1] > 0.95


def pages(packets, serial=7):
    """An Ogg stream. Their checksums are right, as readers ask for them."""
    found = []
    for number, packet in enumerate(packets):
        lacing = [255] * (len(packet) // 255) + [len(packet) % 255]
        for start in range(0, len(lacing), 255):
            part = lacing[start : start + 255]
            flags = (1 if start else 0) | (2 if not number and not start else 0)
            flags |= 4 if number == len(packets) - 1 and start + 255 >= len(lacing) else 0
            body = packet[start * 255 : start * 255 + sum(part)]
            head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, 4096 * number, serial, len(found), 0, len(part))
            found.append(head + bytes(part) + body)
    return b"".join(found)


def flac_packets(data):
    """The packets of FLAC in Ogg, by the mapping of RFC 9639, section 10.1, of a FLAC file; a frame a packet."""
    at, blocks, last = 4, [], False
    while not last:
        last, length = bool(data[at] & 0x80), int.from_bytes(data[at + 1 : at + 4], "big")
        blocks.append(data[at : at + 4 + length])
        at += 4 + length
    starts = [at]
    while (following := data.find(data[at : at + 2], starts[-1] + 5)) >= 0:
        while data[following + 4] != len(starts) and following >= 0:
            following = data.find(data[at : at + 2], following + 1)
        if following < 0:
            break
        starts.append(following)
    frames = [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
    return [b"\x7fFLAC\1\0" + struct.pack(">H", len(blocks) - 1) + b"fLaC" + blocks[0], *blocks[1:], *frames]


def test_flac_inside_ogg(heard):
    data = encode(song(3.0), form="FLAC")
    inside = pages(flac_packets(data))
    for name in ("a.ogg", "a.oga", "a.mp3"):
        samples, warnings = heard(inside, name)
        np.testing.assert_allclose(samples, song(3.0), atol=1e-4)
        assert warnings == []


@pytest.mark.parametrize("subtype", ["MS_ADPCM", "IMA_ADPCM"])
def test_a_packed_wav_that_was_cut_says_true_seconds(heard, subtype):
    data = bytearray(encode(song(9.0), form="WAV", subtype=subtype))
    fmt = data.index(b"fmt ") + 8
    data[fmt + 8 : fmt + 12] = struct.pack("<I", RATE // 7)  # some writers state another rate than theirs
    whole = len(heard(bytes(data))[0]) / RATE
    samples, (warning,) = heard(bytes(data[: len(data) * 2 // 3]))
    assert whole == pytest.approx(9.0, abs=0.3) and len(samples) / RATE == pytest.approx(whole * 2 / 3, abs=0.1)
    there, announced = map(float, re.findall(r"([\d.]+) of the ([\d.]+) s", warning)[0])
    assert there == pytest.approx(len(samples) / RATE, abs=0.1) and announced == pytest.approx(whole, abs=0.1)


def test_another_codec_in_a_container_that_is_ours_is_no_damage(tmp_path, monkeypatch):
    """As Apple's lossless codec in CAF, which libsndfile does not decode everywhere."""
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    data = bytearray(encode(song(3.0), form="CAF"))
    at = data.index(b"lpcm")
    data[at : at + 4] = b"qclp"
    (tmp_path / "song.caf").write_bytes(data)
    with pytest.raises(FootlightError, match=r"CAF.*needs the program ffmpeg") as caught:
        read(tmp_path / "song.caf")
    assert "damaged" not in str(caught.value)

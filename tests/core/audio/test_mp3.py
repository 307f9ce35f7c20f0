"""Every second of an mp3 is heard, however it was made, joined, cut and tagged."""

import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from core.audio.io import read
from core.errors import FootlightError, collected_warnings
from tests.core.audio.songs import (
    ID3V1,
    LAME_DELAY,
    LYRICS,
    RATE,
    ape,
    encode,
    id3,
    mp3,
    place,
    song,
    without_header,
    worst_second,
)

SECONDS = 10.0
LONG_TAG = b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(400)  # it would end far behind the file


@pytest.fixture(scope="module")
def variable():
    return mp3(song(SECONDS))


@pytest.fixture(scope="module")
def bare(variable):
    return without_header(variable)


@pytest.fixture(scope="module")
def constant():
    return mp3(song(6.0, seed=1), mode="CONSTANT")


@pytest.fixture
def heard(tmp_path):
    """Read the bytes of a file; returns its samples and the warnings."""

    def heard(data, name="song.mp3", **part):
        (tmp_path / name).write_bytes(data)
        with collected_warnings() as warnings:
            return read(tmp_path / name, **part).samples.numpy(), warnings

    return heard


def test_libsndfile_alone_stops_too_early(bare, variable, tmp_path):
    """What is mended here. Where this does not hold any more, it need not be."""
    (tmp_path / "a.mp3").write_bytes(bare)
    (tmp_path / "b.mp3").write_bytes(variable + variable)
    assert soundfile.info(tmp_path / "a.mp3").duration < 0.6 * SECONDS
    assert soundfile.info(tmp_path / "b.mp3").duration < 1.1 * SECONDS


def test_a_variable_bit_rate_without_a_header(bare, heard):
    samples, warnings = heard(bare)
    assert worst_second(samples[LAME_DELAY:], song(SECONDS), RATE) > 0.95 and warnings == []
    assert len(samples) / RATE < SECONDS + 0.1


@pytest.mark.parametrize(("start", "seconds"), [(0.0, 2.0), (3.21, 1.5), (6.0, None), (8.4, 100.0)])
def test_a_part_is_the_same_part_of_the_whole(bare, variable, heard, start, seconds):
    for data in (bare, variable, variable + variable):
        whole, _ = heard(data)
        part, _ = heard(data, start=start, seconds=seconds)
        first = round(start * RATE)
        expected = whole[first:] if seconds is None else whole[first : first + round(seconds * RATE)]
        assert len(part) == len(expected)
        np.testing.assert_allclose(part, expected, atol=1e-5)


def test_a_healthy_file_is_what_its_decoder_gives_in_one_go(variable, constant, heard, tmp_path):
    for data in (variable, constant):
        samples, warnings = heard(data)
        expected, _ = soundfile.read(tmp_path / "song.mp3", dtype="float32")
        np.testing.assert_allclose(samples, expected, atol=1e-6)
        assert warnings == []


@pytest.mark.parametrize("between", [b"", id3(20_000), ID3V1, ape(3000) + ID3V1, LYRICS + ID3V1 + id3(60), bytes(500)])
def test_joined_files(variable, constant, heard, between):
    bare_constant = without_header(constant)
    parts = [(variable, 0, SECONDS), (constant, 1, 6.0), (bare_constant, 1, 6.0), (variable, 0, SECONDS)]
    samples, warnings = heard(id3(5000) + between.join(data for data, _, _ in parts) + between)
    assert warnings == []
    end = 0
    for _, seed, seconds in parts:
        at, alike = place(samples[end : end + round((seconds + 0.5) * RATE)], song(seconds, seed=seed))
        assert alike > 0.98 and at < 0.12 * RATE, "a header, a delay and a padding lie between the parts at most"
        end += at + round(seconds * RATE)
    assert len(samples) - end < 0.06 * RATE


@pytest.mark.parametrize("rates", [(44_100, 22_050), (22_050, 48_000), (16_000, 44_100), (48_000, 8_000)])
def test_parts_with_other_rates_and_channels(heard, rates):
    first, second = song(4.0, rates[0]), song(5.0, rates[1], seed=1)
    stereo = np.stack((second, second), 1)
    samples, warnings = heard(mp3(first, rates[0]) + mp3(stereo, rates[1]))
    assert len(samples) / rates[0] == pytest.approx(9.0, abs=0.35)
    assert place(samples, first)[1] > 0.95
    resampled = np.interp(np.arange(5 * rates[0]) / rates[0], np.arange(len(second)) / rates[1], second)
    assert place(samples, resampled)[1] > (0.8 if rates[1] > 8_000 else 0.6)
    assert len(warnings) == 1 and f"{rates[1]} Hz stereo" in warnings[0] and "Blender" in warnings[0]


def test_a_file_that_was_cut(variable, bare, heard):
    samples, warnings = heard(variable[: len(variable) // 2])
    seconds = len(samples) / RATE
    assert 1.0 < seconds < 9.0 and place(samples, song(SECONDS)[: len(samples) - 2000])[1] > 0.98
    assert len(warnings) == 1 and f"{seconds:.1f} of the 10.0 s" in warnings[0]
    for less in (0, 60, 100):  # one of the cuts may lie between two frames
        texts = heard(bare[: len(bare) // 2 - less])[1]
        assert [text for text in texts if "in the middle of a frame" not in text] == []
        warnings += texts
    assert len(warnings) > 2


def test_a_part_of_a_joined_file_was_cut(variable, constant, heard):
    _, warnings = heard(variable[: len(variable) // 2] + constant)
    assert len(warnings) == 1 and "announces" in warnings[0]


def test_damage_in_the_middle(bare, heard):
    middle = len(bare) // 2
    noise = np.random.default_rng(0).bytes(6000)
    samples, warnings = heard(bare[:middle] + noise + bare[middle:])
    assert len(samples) / RATE == pytest.approx(SECONDS, abs=0.3)
    assert len(warnings) == 1 and "damaged at" in warnings[0]
    assert place(samples, song(SECONDS)[-3 * RATE :])[1] > 0.95


@pytest.mark.parametrize(("count", "word"), [(5, None), (100_000, "announces"), (0, "announces")])
def test_a_header_with_a_wrong_number_of_frames(variable, heard, count, word):
    mark = max(variable.find(b"Xing"), variable.find(b"Info"))
    wrong = variable[: mark + 8] + count.to_bytes(4, "big") + variable[mark + 12 :]
    samples, warnings = heard(wrong)
    assert worst_second(samples, song(SECONDS), RATE) > 0.95
    assert [word in text for text in warnings] == ([True] if word and count else [])


def test_fraunhofers_header(bare, heard):
    """VBRI stands 36 bytes behind the start of a frame, and libsndfile does not know it."""
    length = 417  # of a frame with 128 kbit/s
    made = bytearray(b"\xff\xfb\x90\xc4" + bytes(length - 4))
    made[36:54] = b"VBRI\0\1\0\0\0\0" + len(bare).to_bytes(4, "big") + (390).to_bytes(4, "big")
    samples, warnings = heard(bytes(made) + bare)
    assert worst_second(samples[LAME_DELAY:], song(SECONDS), RATE) > 0.95 and warnings == []


@pytest.mark.parametrize(
    "before", [bytes(3000), b"\x12\x34" * 700, id3(300_000) + bytes(2000), b"\xff\xfb\x90", LONG_TAG]
)
def test_what_lies_before_the_first_frame(bare, heard, before):
    samples, _ = heard(before + bare)
    assert worst_second(samples[LAME_DELAY:], song(SECONDS), RATE) > 0.95


def test_a_header_is_heeded_wherever_it_lies(variable, heard):
    whole, _ = heard(variable)
    for data in (b"I3" + id3(400)[3:] + variable, b"\x55" * 999 + variable, variable + b"\x55" * 999):
        samples, _ = heard(data)
        assert len(samples) == len(whole), "its delay and its padding are left out"
        np.testing.assert_allclose(samples, whole, atol=1e-5)


def test_names_mean_nothing(bare, heard):
    for name in ("song.wav", "song.m4a", "song", "song.mp2"):
        samples, _ = heard(bare, name)
        assert len(samples) / RATE == pytest.approx(SECONDS, abs=0.1)


def test_mp3_inside_wav(bare, heard):
    """As recorders write it; the sizes are those of a pipe."""
    fmt = (0x55).to_bytes(2, "little") + (1).to_bytes(2, "little") + RATE.to_bytes(4, "little")
    fmt += (
        (16_000).to_bytes(4, "little") + (1).to_bytes(2, "little") + bytes(2) + (12).to_bytes(2, "little") + bytes(12)
    )
    head = b"RIFF\xff\xff\xff\xffWAVEfmt " + len(fmt).to_bytes(4, "little") + fmt + b"data\xff\xff\xff\xff"
    samples, _ = heard(head + bare, "song.wav")
    assert worst_second(samples[LAME_DELAY:], song(SECONDS), RATE) > 0.95


def test_what_only_looks_like_frames(heard):
    for data in (b"\xff\xfb\x90\x64" * 3000, np.random.default_rng(1).bytes(200_000), b"\xff" * 50_000):
        with pytest.raises(FootlightError) as caught:
            heard(data)
        assert "not audio" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="the oracle ffmpeg is not installed")
@pytest.mark.parametrize("made", ["bare", "joined", "joined and tagged", "three", "cut", "layer 2"])
def test_as_ffmpeg_hears_it(variable, bare, constant, heard, tmp_path, made):
    (tmp_path / "a.wav").write_bytes(encode(song(5.0), form="WAV"))
    if made == "layer 2":
        command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", "-c:a", "mp2", "-b:a"]
        for rate in ("192k", "64k"):
            subprocess.run([*command, rate, tmp_path / f"{rate}.mp2"], check=True, stdin=subprocess.DEVNULL)
    data = {
        "bare": lambda: bare,
        "joined": lambda: variable + constant,
        "joined and tagged": lambda: variable + id3(3000) + constant + ID3V1,
        "three": lambda: bare + variable + constant,
        "cut": lambda: constant[: len(constant) // 2],
        "layer 2": lambda: (tmp_path / "192k.mp2").read_bytes() + (tmp_path / "64k.mp2").read_bytes(),
    }[made]()
    samples, _ = heard(data)
    command = ["ffmpeg", "-v", "quiet", "-nostdin", "-i", tmp_path / "song.mp3", "-f", "f32le", "-"]
    other = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<f4")
    assert abs(len(samples) - len(other)) <= 1152, "a frame that is not whole counts with one of them"
    length = min(len(samples), len(other)) - 1152
    assert np.corrcoef(samples[:length], other[:length])[0, 1] > 0.999

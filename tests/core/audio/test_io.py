"""Audio files of every kind that a user may bring, whole and broken."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch

from core.audio.io import read, resample, write
from core.errors import FootlightError, collected_warnings
from core.types import Waveform

RATE = 44_100


def song(seconds=3.0, rate=RATE):
    """A tone that swells, with a little noise: something every codec keeps."""
    times = np.arange(round(seconds * rate)) / rate
    tone = 0.4 * np.sin(2 * np.pi * 330 * times) * (0.6 + 0.4 * np.sin(2 * np.pi * times))
    return tone + 0.01 * np.random.default_rng(0).standard_normal(len(times))


KINDS = {
    "a.wav": {"subtype": "PCM_16"},
    "8bit.wav": {"subtype": "PCM_U8"},
    "24bit.wav": {"subtype": "PCM_24"},
    "float.wav": {"subtype": "FLOAT"},
    "a.flac": {},
    "a.ogg": {},
    "a.mp3": {},
    "a.opus": {"format": "OGG", "subtype": "OPUS"},
}


@pytest.fixture(params=KINDS)
def file(request, tmp_path):
    path = tmp_path / request.param
    rate = 48_000 if "opus" in request.param else RATE
    soundfile.write(path, song(rate=rate), rate, **KINDS[request.param])
    return path


def test_every_format_gives_the_song_at_any_rate(file):
    for rate in (16_000, 22_050, 48_000):
        waveform = read(file, rate)
        expected = song(rate=rate)
        assert waveform.rate == rate and waveform.samples.dtype == torch.float32
        assert len(waveform.samples) == len(expected)
        correlation = np.corrcoef(waveform.samples.numpy(), expected)[0, 1]
        assert correlation > 0.99  # sample for sample, so also without delay


def test_a_part_is_the_same_part_of_the_whole(file):
    whole, part = read(file), read(file, start=0.75, seconds=1.5)
    first = round(0.75 * whole.rate)
    assert part.seconds == pytest.approx(1.5)
    torch.testing.assert_close(part.samples, whole.samples[first : first + len(part.samples)], atol=1e-6, rtol=0)
    assert read(file, start=1.5, seconds=100).seconds == pytest.approx(whole.seconds - 1.5, abs=1e-3)


def test_a_file_cut_short_is_read_to_its_end_with_a_warning(file):
    half = file.with_name(f"half-{file.name}")
    data = file.read_bytes()
    half.write_bytes(data[: len(data) * 8 // 10])
    whole = read(file).samples
    with collected_warnings() as warnings:
        samples = read(half).samples
    assert len(warnings) == 1 and str(half) in warnings[0] and "missing" in warnings[0]
    assert 1.0 < len(samples) / len(whole) * 3.0 < 2.5
    until = len(samples) - 3000  # the last frames of an mp3 or a Vorbis hang together
    assert np.corrcoef(samples[:until].numpy(), whole[:until].numpy())[0, 1] > 0.99
    with collected_warnings() as warnings:
        read(file)
    assert warnings == []


def test_a_scrambled_file_is_refused_in_one_line(file):
    data = file.read_bytes()
    for name, broken in (("head", data[:60]), ("zeros", bytes(5000))):
        path = file.with_name(f"{name}-{file.name}")
        path.write_bytes(broken)
        with collected_warnings(), pytest.raises(FootlightError) as caught:
            read(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("missing.wav", None, "no such file"),
        ("empty.mp3", b"", "empty"),
        ("text.wav", b"these are words\n" * 50, "not audio"),
        ("noise.mp3", np.random.default_rng(0).bytes(20_000), "not audio"),
    ],
)
def test_what_is_not_audio_is_refused_in_one_line(tmp_path, capfd, name, content, word):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FootlightError, match=word):
        read(path)
    assert capfd.readouterr() == ("", "")  # decoders that complain on their own are kept quiet


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        (song(0.9), r"0\.90 s"),
        (song(0.9999), r"only 0\.99 s"),
        (np.full(RATE * 2, 0.7), "silent"),
        (np.zeros(RATE * 2), "silent"),
        (np.zeros(0), "0.00 s"),
        (np.full(RATE * 2, 1e-5), "silent"),
        (np.full(RATE * 2, np.nan), "damaged"),
        (np.full(RATE * 2, 1e30), "damaged"),
    ],
)
def test_sound_that_nobody_can_dance_to_is_refused(tmp_path, samples, word):
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(FootlightError, match=word):
        read(tmp_path / "a.wav", 16_000)


def test_a_header_with_a_senseless_rate_does_not_fill_the_memory(tmp_path):
    """At one sample a second these would be hours of sound."""
    soundfile.write(tmp_path / "a.wav", song(), 1)
    with pytest.raises(FootlightError, match="its header says 1 samples a second"):
        read(tmp_path / "a.wav", 16_000)


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text here")
def test_a_name_need_not_be_text(tmp_path):
    """As of files from a system whose names were Latin-1."""
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    soundfile.write(os.fsencode(path), song(), RATE)
    assert read(path).seconds == pytest.approx(3.0)
    command = [sys.executable, "-m", "core", "light", str(path), "--out", str(path.with_suffix(".json"))]
    made = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    assert made.returncode == 0 and rb"caf\udce9.json: " in made.stdout, made.stderr.decode()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "song.wav")
    with pytest.raises(FootlightError, match="is a pipe or a device; save the song as a file"):
        read(tmp_path / "song.wav")


def test_parts_outside_of_the_song_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", song(), RATE)
    for part, word in (({"start": 5}, "ends at 3.00 s"), ({"start": 2.5}, "0.50 s"), ({"start": -1}, "start must be")):
        with pytest.raises(FootlightError, match=word):
            read(tmp_path / "a.wav", **part)
    with pytest.raises(FootlightError, match="folder"):
        read(tmp_path)


def test_channels_are_averaged_and_never_cancel(tmp_path):
    left, right = song(), 0.5 * song()[::-1]
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), RATE, subtype="FLOAT")
    np.testing.assert_allclose(read(tmp_path / "a.wav").samples, (left + right) / 2, atol=1e-6)
    soundfile.write(tmp_path / "b.wav", np.stack([left, -left], axis=1), RATE, subtype="FLOAT")
    np.testing.assert_allclose(read(tmp_path / "b.wav").samples, left, atol=1e-6)


def test_float_files_beyond_full_scale_come_down_to_it(tmp_path):
    soundfile.write(tmp_path / "a.wav", 4 * song(), RATE, subtype="FLOAT")
    assert read(tmp_path / "a.wav", 16_000).samples.abs().max() == pytest.approx(1)
    soundfile.write(tmp_path / "b.wav", np.round(song() * 2**15), RATE, subtype="FLOAT")  # 16-bit numbers as floats
    np.testing.assert_allclose(read(tmp_path / "b.wav").samples, song() / abs(song()).max(), atol=1e-4)


def test_resampling_keeps_the_clock():
    waveform = resample(Waveform(torch.from_numpy(song(rate=16_000)).float(), 16_000), 22_050)
    assert len(waveform.samples) == 3 * 22_050
    assert np.corrcoef(waveform.samples.numpy(), song(rate=22_050))[0, 1] > 0.99


@pytest.mark.parametrize(("name", "tolerance"), [("a.wav", 2 / 2**15), ("a.FLAC", 2 / 2**15), ("a.ogg", 0.05)])
def test_write_is_read_back(tmp_path, name, tolerance):
    waveform = Waveform(torch.from_numpy(song(rate=16_000)).float() * 3, 16_000)
    write(tmp_path / name, waveform)
    back = read(tmp_path / name)
    assert back.rate == 16_000 and os.listdir(tmp_path) == [name]
    error = (back.samples - waveform.samples.clamp(-1, 1)).square().mean().sqrt()
    assert error < tolerance
    if tolerance < 0.01:
        torch.testing.assert_close(back.samples, waveform.samples.clamp(-1, 1), atol=tolerance, rtol=0)


def test_both_channels_are_written(tmp_path):
    left = torch.from_numpy(song(rate=16_000)).float()
    write(tmp_path / "a.flac", Waveform(torch.stack([left, -0.5 * left]), 16_000))
    frames, rate = soundfile.read(tmp_path / "a.flac", dtype="float32")
    assert rate == 16_000 and frames.shape == (len(left), 2)
    np.testing.assert_allclose(frames[:, 1], -0.5 * left, atol=2 / 2**15)


def test_ten_minutes_of_vorbis_do_not_overflow_the_stack(tmp_path):
    """Written at once they do, in libsndfile 1.2."""
    write(tmp_path / "a.ogg", Waveform(torch.zeros(10_000_000), 16_000))
    assert soundfile.info(tmp_path / "a.ogg").frames == 10_000_000


@pytest.mark.parametrize(
    ("name", "samples", "rate", "word"),
    [
        ("b.wav", torch.zeros(3, 100), 16_000, "nothing was written"),
        ("b.wav", torch.full((100,), float("nan")), 16_000, "nothing was written"),
        ("b.mp3", torch.zeros(100), 16_000, r"\.wav, \.flac, \.ogg"),
        ("b", torch.zeros(100), 16_000, "without a suffix"),
        ("b.ogg", torch.zeros(100), 999_999_999, "8000 to 192000 Hz"),
        ("no/such/b.wav", torch.zeros(100), 16_000, "another folder"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path, name, samples, rate, word):
    with pytest.raises(FootlightError, match=word):
        write(tmp_path / name, Waveform(samples, rate))
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    good = Waveform(torch.from_numpy(song(rate=16_000)).float(), 16_000)
    write(tmp_path / "a.wav", good)
    before = (tmp_path / "a.wav").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FootlightError, match="No space left"):
        write(tmp_path / "a.wav", Waveform(good.samples * 0.5, 16_000))
    assert os.listdir(tmp_path) == ["a.wav"] and (tmp_path / "a.wav").read_bytes() == before


def test_a_folder_is_not_overwritten(tmp_path):
    (tmp_path / "d.wav").mkdir()
    with pytest.raises(FootlightError, match="cannot be written"):
        write(tmp_path / "d.wav", Waveform(torch.zeros(100), 16_000))
    assert os.listdir(tmp_path) == ["d.wav"]


def test_listening_needs_no_heavy_library():
    code = (
        "import sys, core.rhythm.features, core.metrics.beat\n"
        "print([name for name in ('librosa', 'numba', 'sklearn', 'scipy.signal', 'scipy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_louder_of_two_channels_that_cancel(tmp_path):
    left = 0.1 * torch.randn(32_000, generator=torch.Generator().manual_seed(0)).numpy()
    path = tmp_path / "song.wav"
    soundfile.write(path, np.stack([left, -left], 1), 16_000)
    assert read(path).samples.abs().max() > 0.2
    three = np.stack([left, left / 2, np.zeros(len(left))], 1)
    soundfile.write(path, three, 16_000, subtype="FLOAT")
    assert np.allclose(read(path).samples, three.mean(1), atol=1e-6)

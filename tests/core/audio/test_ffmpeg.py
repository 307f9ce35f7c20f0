"""Files that only ffmpeg decodes: how it is called, and what is said where it is not there."""

import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from core import progress
from core.audio import ffmpeg
from core.audio.io import read
from core.errors import FootlightError, collected_warnings
from tests.core.audio.songs import RATE, encode, place, song

M4A = b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0" + bytes(5000)

FAKE = """#!{python}
import json, os, shutil, sys, time
folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "asked.json"), "w") as file:
    json.dump({{"words": sys.argv[1:], "stdin": sys.stdin.read(), "pid": os.getpid()}}, file)
with open(os.path.join(folder, "calls"), "a") as file:
    file.write("once ")
how = open(os.path.join(folder, "how")).read()
if how == "hang":
    time.sleep(100)
out = sys.argv[-1].removeprefix("file:")
if how.startswith("say "):
    print(how[4:], file=sys.stderr)
    sys.exit(1)
print("  Duration: 00:00:0" + how + ", start: 0.000000, bitrate: 35 kb/s", file=sys.stderr)
shutil.copy(os.path.join(folder, "made.wav"), out)
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A program ffmpeg that is alone on PATH. Returns its folder: it does what the file "how" there says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ffmpeg"
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    (folder / "how").write_text("3.00")
    (folder / "made.wav").write_bytes(encode(song(3.0), form="WAV", subtype="FLOAT"))
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.parametrize(
    "name", ["song.m4a", "-i.mp3", "Lied \u00fc \u65e5\u672c.wav", "a b;touch x.m4a", "http:x.mp3"]
)
def test_how_it_is_called(fake, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(M4A)
    with collected_warnings() as warnings:
        samples = read(name).samples.numpy()  # a relative path, so that a dash comes first
    np.testing.assert_allclose(samples, song(3.0), atol=1e-6)
    asked = json.loads((fake / "asked.json").read_text())
    words = asked["words"]
    assert f"file:{tmp_path / name}" == words[words.index("-i") + 1]
    assert words[words.index("-protocol_whitelist") + 1] == "file" and "-nostdin" in words and asked["stdin"] == ""
    assert warnings == [] and sorted(os.listdir(tmp_path)) == sorted(["bin", name])
    assert (fake / "calls").read_text() == "once ", "a long film takes long to open"


def test_only_the_part_is_decoded(fake, tmp_path):
    (tmp_path / "song.m4a").write_bytes(M4A)
    samples = read(tmp_path / "song.m4a", start=0.5, seconds=1.25).samples.numpy()
    np.testing.assert_allclose(samples, song(3.0)[RATE // 2 :][: round(1.25 * RATE)], atol=1e-6)
    words = json.loads((fake / "asked.json").read_text())["words"]
    assert 1.75 <= float(words[words.index("-t") + 1]) < 3.0
    with pytest.raises(FootlightError, match=r"ends at 3\.00 s"):
        read(tmp_path / "song.m4a", start=5.0)


def test_a_shorter_result_than_the_file_announces_is_said(fake, tmp_path):
    (tmp_path / "song.m4a").write_bytes(M4A)
    (fake / "how").write_text("9.00")
    with collected_warnings() as warnings:
        read(tmp_path / "song.m4a")
    assert len(warnings) == 1 and "3.0 of the 9.0 s" in warnings[0]


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("say Invalid data found when processing input", r"MPEG-4 .*Invalid data found"),
        ("say Stream map '0:a:0' matches no streams.", "no sound"),
        ("say ", "said nothing"),
    ],
)
def test_what_it_cannot_decode(fake, tmp_path, how, word):
    (tmp_path / "song.m4a").write_bytes(M4A)
    (fake / "how").write_text(how)
    with pytest.raises(FootlightError, match=word) as caught:
        read(tmp_path / "song.m4a")
    assert "\n" not in str(caught.value) and str(tmp_path / "song.m4a") in str(caught.value)


def test_it_is_ended_when_it_hangs(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "STALLED_SECONDS", 1.0)
    (tmp_path / "song.m4a").write_bytes(M4A)
    (fake / "how").write_text("hang")
    with pytest.raises(FootlightError, match="does not get on"):
        read(tmp_path / "song.m4a")
    pid = json.loads((fake / "asked.json").read_text())["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_is_ended_when_the_work_is_cancelled(fake, tmp_path):
    (tmp_path / "song.m4a").write_bytes(M4A)
    (fake / "how").write_text("hang")
    asked, began = fake / "asked.json", time.monotonic()

    def check():
        if asked.exists() and asked.stat().st_size:
            raise KeyboardInterrupt

    with progress.listen(lambda _stage, _fraction: None, check), pytest.raises(KeyboardInterrupt):
        read(tmp_path / "song.m4a")
    assert time.monotonic() - began < 20
    with pytest.raises(ProcessLookupError):
        os.kill(json.loads(asked.read_text())["pid"], 0)


@pytest.mark.parametrize("name", ["song.m4a", "song.mp3", "song.wav"])
def test_without_it_the_message_helps(tmp_path, monkeypatch, name):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / name).write_bytes(M4A)
    with pytest.raises(FootlightError, match=r"MPEG-4.*ffmpeg.*wav, flac, ogg, opus or mp3.*Blender") as caught:
        read(tmp_path / name)
    assert "damaged" not in str(caught.value) and "\n" not in str(caught.value)


def test_what_footlight_decodes_needs_no_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "song.m4a").write_bytes(encode(song(2.0), form="FLAC"))
    np.testing.assert_allclose(read(tmp_path / "song.m4a").samples.numpy(), song(2.0), atol=1e-4)


REAL = {
    "aac.m4a": ["-c:a", "aac"],
    "alac.m4a": ["-c:a", "alac"],
    "aac.aac": ["-c:a", "aac"],
    "named.mp3": ["-c:a", "aac", "-f", "ipod"],
    "named.wav": ["-c:a", "aac", "-f", "adts"],
    "opus.webm": ["-c:a", "libopus"],
    "wma.wma": ["-c:a", "wmav2"],
    "ac3.wav": ["-c:a", "ac3"],
    "video.mp4": ["-f", "lavfi", "-i", "color=d=3:r=10:s=64x64", "-c:v", "mpeg4", "-c:a", "aac", "-shortest"],
}


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize("name", REAL)
def test_with_the_real_one(tmp_path, name):
    source = tmp_path / "source.wav"
    source.write_bytes(encode(song(3.0), form="WAV"))
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", source, *REAL[name], tmp_path / name]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"this ffmpeg has no such encoder: {made.stderr[-100:]}")
    with collected_warnings() as warnings:
        waveform = read(tmp_path / name, RATE)
    assert waveform.seconds == pytest.approx(3.0, abs=0.1) and warnings == []
    at, alike = place(waveform.samples.numpy(), song(3.0)[RATE // 2 : 2 * RATE])
    assert alike > 0.9 and at == pytest.approx(RATE // 2, abs=0.06 * RATE), "codecs have delays of their own"
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:200])
    with collected_warnings(), pytest.raises(FootlightError) as caught:
        read(path)
    assert "\n" not in str(caught.value)


DAMAGED = {"aac.m4a": ["-c:a", "aac"], "wma.wma": ["-c:a", "wmav2"], "vorbis.ogg": ["-c:a", "libvorbis"]}


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize("name", DAMAGED)
def test_what_follows_damage_stays_where_it_was(tmp_path, name):
    source, path, whole = tmp_path / "source.wav", tmp_path / name, song(12.0)
    source.write_bytes(encode(whole, form="WAV"))
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", source, *DAMAGED[name], path]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this ffmpeg has no such encoder")
    late = whole[8 * RATE : 10 * RATE]
    at, alike = place(read(path, RATE).samples.numpy(), late)
    assert alike > 0.9
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = np.random.default_rng(0).bytes(4000)
    path.write_bytes(data)
    with collected_warnings() as warnings:
        heard = read(path, RATE).samples.numpy()
    assert len(heard) == pytest.approx(12 * RATE, abs=0.05 * RATE)
    after, alike = place(heard, late)
    assert alike > 0.9 and after == pytest.approx(at, abs=0.03 * RATE)
    assert len(warnings) == 1 and "of silence stand where nothing could be decoded" in warnings[0]


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_files_that_were_joined_are_heard_to_the_end(tmp_path):
    """In Matroska the times of the second begin anew."""
    source, path = tmp_path / "source.wav", tmp_path / "song.mka"
    source.write_bytes(encode(song(4.0), form="WAV"))
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", source, "-c:a", "pcm_s16le", path], check=True)
    path.write_bytes(path.read_bytes() * 2)
    heard = read(path, RATE).samples.numpy()
    np.testing.assert_allclose(heard, np.tile(song(4.0), 2), atol=1e-4)


@pytest.fixture
def film(tmp_path):
    """A function that makes a film of 14 s with a picture and a sound of 10 s."""
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    source = tmp_path / "source.wav"
    source.write_bytes(encode(song(10.0), form="WAV"))

    def make(name, *options, codecs=("-c:v", "mpeg4", "-c:a", "aac")):
        picture = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=14"]
        command = ["ffmpeg", "-v", "error", "-nostdin", *options, "-i", source, *picture, *codecs, tmp_path / name]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"this ffmpeg has no such encoder: {made.stderr[-100:]}")
        return tmp_path / name

    return make


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_a_picture_may_go_on_when_the_sound_has_ended(film, name):
    with collected_warnings() as warnings:
        heard = read(film(name), RATE)
    assert heard.seconds == pytest.approx(10.0, abs=0.1) and warnings == []


def test_a_film_that_was_cut_off_is_said(film):
    path = film("film.mkv")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with collected_warnings() as warnings:
        heard = read(path, RATE)
    assert heard.seconds < 9 and len(warnings) == 1 and "of the 14.0 s that its header announces" in warnings[0]


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_a_sound_that_begins_after_the_picture_stays_with_it(film, name):
    path, piece = film(name, "-itsoffset", "2.5"), song(10.0)[2 * RATE : 4 * RATE]
    with collected_warnings() as warnings:
        heard = read(path, RATE).samples.numpy()
    at, alike = place(heard, piece)
    assert alike > 0.9 and at == pytest.approx(4.5 * RATE, abs=0.06 * RATE)
    assert len(warnings) == 1 and "its sound begins 2.5" in warnings[0]
    with collected_warnings() as warnings:
        part = read(path, RATE, start=4.0, seconds=3.0).samples.numpy()
    at, alike = place(part, piece)
    assert alike > 0.9 and at == pytest.approx(0.5 * RATE, abs=0.06 * RATE) and warnings == []
    with collected_warnings(), pytest.raises(FootlightError, match="is silent"):
        read(path, RATE, seconds=2.0)
    with pytest.raises(FootlightError, match=r"starts at 13 s, but the song ends at 12\.5"):
        read(path, RATE, start=13.0)

"""What was found in a song is kept, and found again only for the same song, beats, model and program."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core import cli, pipeline
from core.errors import collected_warnings
from core.pipeline import HeardSong, Model, heard_songs, returning
from core.pipeline.heard_songs import cache_folder, hear_once
from core.types import Beats, Waveform


@pytest.fixture(scope="module")
def model(model_folder):
    return Model.load(model_folder, "cpu")


@pytest.fixture
def count(monkeypatch) -> list[Waveform]:
    """The songs that are really heard."""
    heard, hear = [], pipeline.hear_song
    monkeypatch.setattr(
        heard_songs, "hear_song", lambda model, song, beats: heard.append(song) or hear(model, song, beats)
    )
    return heard


def same(one: HeardSong, other: HeardSong) -> bool:
    """Whether two songs were heard alike, bit for bit."""
    numbers = [
        (it.pcm, it.seconds, it.sections, it.rhythm.beats.tempo, it.rhythm.beats.confidence) for it in (one, other)
    ]
    tensors = [
        {
            "onset": it.rhythm.onset,
            "loudness": it.rhythm.loudness,
            **{name: getattr(it.rhythm.beats, name) for name in ("times", "downbeats", "strength")},
            **{name: getattr(it.condition, name) for name in it.condition.__dataclass_fields__ if name != "context"},
            **it.condition.context,
        }
        for it in (one, other)
    ]
    return numbers[0] == numbers[1] and all(_equal(tensor, tensors[1][name]) for name, tensor in tensors[0].items())


def _equal(one, other) -> bool:
    if one is None or other is None:
        return one is other
    return one.dtype == other.dtype and torch.equal(one, other)


BEATS = Beats(torch.arange(8) * 0.75, 80.0)  # of which nothing else is known


@pytest.mark.parametrize("beats", [None, BEATS, replace(BEATS, downbeats=torch.arange(8) % 4 == 0)])
@pytest.mark.parametrize("divided", [False, True])
def test_a_song_is_heard_once(model, make_song, count, tmp_path, beats, divided, monkeypatch):
    monkeypatch.setattr(returning, "LEAST_SECONDS", 1.0 if divided else 45.0)
    folder, song = tmp_path / "deep" / "cache", make_song(6.0)
    expected = pipeline.hear_song(model, song, beats)
    assert bool(expected.sections) == divided
    assert same(hear_once(model, song, beats, folder), expected) and len(count) == 1
    assert same(hear_once(model, song, beats, folder), expected) and len(count) == 1
    assert same(hear_once(model, song, beats, None), expected) and len(count) == 2  # nothing is kept
    assert [path.suffix for path in folder.iterdir()] == [".heard"]


def other_weights(model: Model) -> Model:
    music = copy.deepcopy(model.autoencoders["music"])
    music.mean[0] += 1e-3
    return replace(model, autoencoders={**model.autoencoders, "music": music})


def other_config(model: Model) -> Model:
    denoiser = replace(model.config.denoisers["motion"], loudness_power=3.0)
    return replace(model, config=replace(model.config, denoisers={**model.config.denoisers, "motion": denoiser}))


def softer(song: Waveform) -> Waveform:
    samples = song.samples.clone()
    samples[1000] += 1e-6  # less than 16 bits tell apart
    return replace(song, samples=samples)


CHANGES: list[Callable[[Model, Waveform, Beats], tuple[Model, Waveform, Beats | None]]] = [
    lambda model, song, beats: (model, softer(song), beats),
    lambda model, song, beats: (model, replace(song, rate=song.rate // 2), beats),
    lambda model, song, beats: (model, replace(song, samples=song.samples[:-1]), beats),
    lambda model, song, beats: (model, song, None),
    lambda model, song, beats: (model, song, beats.shifted(-1e-3)),
    lambda model, song, beats: (model, song, replace(beats, downbeats=torch.arange(8) % 3 == 0)),
    lambda model, song, beats: (other_weights(model), song, beats),
    lambda model, song, beats: (other_config(model), song, beats),
]


@pytest.mark.parametrize(
    "change",
    CHANGES,
    ids=["a sample", "rate", "length", "no beats", "later beats", "downbeats", "weights", "configuration"],
)
def test_what_is_of_something_else_is_heard_anew(model, make_song, count, tmp_path, change):
    song = make_song(6.0)
    hear_once(model, song, BEATS, tmp_path)
    another, sound, beats = change(model, song, BEATS)
    assert same(hear_once(another, sound, beats, tmp_path), pipeline.hear_song(another, sound, beats))
    assert len(count) == 2
    hear_once(model, song, BEATS, tmp_path)
    assert len(count) == 2  # the first is still there


def test_what_another_program_heard_is_heard_anew(model, make_song, count, tmp_path, monkeypatch):
    """A copy of the sources in which one line is another."""
    core = tmp_path / "core"
    (core / "pretrained").mkdir(parents=True)
    (core / "audio.py").write_text("FASTEST = 222.0\n")
    (core / "pretrained" / "beats.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(heard_songs, "PRETRAINED", core / "pretrained")
    song, folder = make_song(2.0), tmp_path / "cache"
    for changed, times in ((None, 1), (None, 1), ("audio.py", 2), ("pretrained/beats.safetensors", 3), (None, 3)):
        if changed is not None:
            (core / changed).write_text("FASTEST = 200.0\n")
        hear_once(model, song, None, folder)
        assert len(count) == times, changed
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        hear_once(model, song, None, folder)
    finally:
        torch.set_num_threads(threads)
    assert len(count) == 4


def test_damaged_files_are_heard_anew_and_replaced(model, make_song, count, tmp_path):
    song = make_song(3.0)
    expected = hear_once(model, song, None, tmp_path)
    [path] = tmp_path.iterdir()
    whole, chance = path.read_bytes(), random.Random(0)
    flipped = bytearray(whole)
    flipped[chance.randrange(len(whole) // 4, len(whole) // 2)] ^= 16
    for number, data in enumerate((b"", whole[: len(whole) // 2], bytes(flipped), b"no archive at all"), 2):
        path.write_bytes(data)
        assert same(hear_once(model, song, None, tmp_path), expected) and len(count) == number
        assert path.read_bytes() == whole


@pytest.mark.filterwarnings("ignore:the beats are a guess")
def test_files_that_were_used_longest_ago_make_room(model, make_song, count, tmp_path):
    mine = tmp_path / "dance.npz"
    mine.write_bytes(bytes(1 << 20))
    songs = [make_song(2.0, bpm) for bpm in (90, 100, 110)]
    hear_once(model, songs[0], None, tmp_path)
    [first] = tmp_path.glob("*.heard")
    room = round(2.5 * first.stat().st_size)
    hear_once(model, songs[1], None, tmp_path, room)
    for age, path in enumerate(sorted(tmp_path.glob("*.heard"), key=lambda path: path == first)):
        os.utime(path, (1000 - age, 1000 - age))  # the first song is the older one
    hear_once(model, songs[0], None, tmp_path, room)  # but is used again
    hear_once(model, songs[2], None, tmp_path, room)
    assert len(count) == 3 and len(list(tmp_path.glob("*.heard"))) == 2 and first.exists() and mine.exists()
    hear_once(model, songs[1], None, tmp_path, room)
    assert len(count) == 4


def test_a_folder_that_cannot_be_made_does_no_harm(model, make_song, count, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for times in (1, 2):
        assert hear_once(model, make_song(2.0), None, tmp_path / "file" / "cache").frames and len(count) == times


def test_a_guess_of_the_beats_is_told_again(model, tmp_path, count):
    noise = Waveform(0.1 * torch.randn(48_000, generator=torch.Generator().manual_seed(0)), 16_000)
    told = []
    for _ in range(2):
        with collected_warnings() as said:
            hear_once(model, noise, None, tmp_path)
        told.append([str(text) for text in said])
    assert len(count) == 1 and told[0] == told[1] and "guess" in told[0][0]


def test_where_it_is_kept(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ann"))
    assert cache_folder({}, "linux") == Path("/home/ann/.cache/footlight")
    assert cache_folder({"XDG_CACHE_HOME": "/fast"}, "linux") == Path("/fast/footlight")
    assert cache_folder({}, "darwin") == Path("/home/ann/Library/Caches/footlight")
    assert cache_folder({"LOCALAPPDATA": "/local"}, "win32") == Path("/local/footlight/cache")
    for platform in ("linux", "darwin", "win32"):
        assert cache_folder({"FOOTLIGHT_CACHE": "/mine"}, platform) == Path("/mine")
        assert cache_folder({"FOOTLIGHT_CACHE": ""}, platform) is None


def test_the_command_line_edits_without_hearing_again(song_file, model_folder, count, tmp_path, monkeypatch, capsys):
    """The files are those that are written without a cache, byte for byte."""

    def dance(name: str, *words: str) -> bytes:
        out = tmp_path / name
        said = ["dance", str(song_file), "--out", str(out), "--model", str(model_folder), "--steps", "2", *words]
        assert cli.main(said) == 0, capsys.readouterr().err
        return out.read_bytes()

    edit = ("--edit", str(tmp_path / "base.npz"), "--range", "bars 1:2")
    whole, part = dance("base.npz"), dance("edit.npz", *edit)
    assert len(count) == 2
    monkeypatch.setenv("FOOTLIGHT_CACHE", str(tmp_path / "cache"))
    assert dance("base.npz") == whole and dance("edit.npz", *edit) == part and len(count) == 3
    assert dance("later.npz", "--start", "1") != whole and len(count) == 4

"""Training music against oracles: mido's own clock, sound found in rendered samples, librosa's tempo."""

import json
import shutil
from pathlib import Path

import librosa
import mido
import mir_eval
import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.types import Waveform
from train.data.music import accompany, arrange, midi, synth
from train.data.music.midi import Note, Part

needs_synth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None or not any(Path(path).is_file() for path in synth.SOUNDFONTS),
    reason="needs the packages fluidsynth and fluid-soundfont-gm",
)
SONG_BPM, FIRST_BEAT = 90.0, 0.31


def test_reading_agrees_with_midos_own_playback_through_tempo_changes(tmp_path):
    file = mido.MidiFile(ticks_per_beat=96)
    track = mido.MidiTrack()
    file.tracks.append(track)
    for index in range(12):
        track.append(mido.MetaMessage("set_tempo", tempo=300_000 + 70_000 * index, time=7))
        track.append(mido.Message("note_on", note=40 + index, velocity=90, time=31))
        track.append(mido.Message("note_off", note=40 + index, time=53))
    file.save(tmp_path / "drift.mid")
    clock, expected = 0.0, []
    for message in mido.MidiFile(tmp_path / "drift.mid"):
        clock += message.time
        if message.type == "note_on":
            expected.append(clock)
    notes = midi.read(tmp_path / "drift.mid")[0].notes
    assert np.allclose([note.start for note in notes], expected, atol=1e-9)
    in_beats = midi.read(tmp_path / "drift.mid", in_beats=True)[0].notes
    assert np.allclose([note.end - note.start for note in in_beats], 53 / 96)


def test_pedal_holds_a_note_until_it_is_released_or_struck_again(tmp_path):
    file = mido.MidiFile(ticks_per_beat=100)
    track = mido.MidiTrack()
    file.tracks.append(track)
    for message, time in (
        (mido.Message("control_change", control=64, value=127), 0),
        (mido.Message("note_on", note=60, velocity=80), 0),
        (mido.Message("note_off", note=60), 50),
        (mido.Message("note_on", note=64, velocity=80), 50),
        (mido.Message("note_off", note=64), 50),
        (mido.Message("note_on", note=60, velocity=70), 50),
        (mido.Message("note_off", note=60), 50),
        (mido.Message("control_change", control=64, value=0), 50),
    ):
        track.append(message.copy(time=time))
    file.save(tmp_path / "pedal.mid")
    held = [(note.pitch, note.start, note.end) for note in midi.read(tmp_path / "pedal.mid", in_beats=True)[0].notes]
    assert held == [(60, 0.0, 2.0), (64, 1.0, 3.0), (60, 2.0, 3.0)]


def test_written_files_read_back(tmp_path):
    parts = [
        Part("tune", (Note(0.1, 0.5, 60, 90), Note(0.3, 0.9, 60, 80), Note(0.5, 1.0, 67, 70)), program=73, volume=80),
        Part("drums", (Note(0.25, 0.3, 36, 110),), program=25, drums=True),
    ]
    midi.write(tmp_path / "out.mid", parts, bpm=97.3)
    tune, drums = midi.read(tmp_path / "out.mid")
    assert (tune.name, tune.program, drums.drums, drums.program) == ("tune", 73, True, 25)
    # the key struck again while it was down was released first
    expected = [(0.1, 0.3), (0.3, 0.9), (0.5, 1.0)]
    assert np.allclose([(note.start, note.end) for note in tune.notes], expected, atol=60 / 97.3 / 960)


def test_not_midi_is_refused(tmp_path):
    (tmp_path / "no.mid").write_bytes(b"RIFFsomething else entirely")
    with pytest.raises(FootlightError, match="cannot be read as MIDI"):
        midi.read(tmp_path / "no.mid")
    with pytest.raises(FootlightError, match="no such file"):
        midi.read(tmp_path / "absent.mid")


def test_retiming_puts_drifting_beats_on_a_constant_grid():
    times = np.cumsum(np.random.default_rng(0).uniform(0.4, 0.7, 40))
    notes = tuple(Note(float(t), float(t) + 0.1, 60, 90) for t in times)
    retimed = midi.retime([Part("x", notes)], times, bpm=128)[0].notes
    assert np.allclose([note.start for note in retimed], np.arange(40) * 60 / 128)
    beyond = midi.position(np.array([times[0] - 1, times[-1] + 1]), times)
    assert beyond[0] < 0 and beyond[1] > 39


def test_excerpts_start_what_sounds_already_but_strike_no_drum_twice():
    held, struck = Note(0.0, 4.0, 60, 90), Note(0.9, 1.5, 36, 90)
    tune, drums = midi.excerpt([Part("t", (held,)), Part("d", (struck,), drums=True)], 1.0, 3.0)
    assert tune.notes == (Note(0.0, 2.0, 60, 90),)
    assert drums.notes == ()


@pytest.mark.parametrize(
    ("symbol", "tones", "bass"),
    [
        ("C", (0, 4, 7), 0),
        ("F#:maj7/5", (6, 10, 1, 5), 1),
        ("Bb:min/b3", (10, 1, 5), 1),
        ("A:min7/b7", (9, 0, 4, 7), 7),
        ("G:sus4(b7)", (7, 0, 2, 5), 7),
    ],
)
def test_chord_symbols(symbol, tones, bass):
    assert accompany.parse_chord(symbol) == accompany.Chord(tones, bass)
    assert accompany.parse_chord("N") is None
    with pytest.raises(FootlightError, match="chord 'H:maj'"):
        accompany.parse_chord("H:maj")


@needs_synth
def test_rendered_strokes_stand_where_they_are_written_and_excerpts_match_the_whole():
    strokes = tuple(Note(0.5 * i, 0.5 * i + 0.2, 37, 110) for i in range(1, 8))
    whole = synth.render([Part("rim", strokes, drums=True)], 4.0)
    samples = whole.samples.abs().numpy()
    assert len(samples) == 4 * synth.RATE
    for note in strokes:
        around = samples[round((note.start - 0.05) * synth.RATE) : round((note.start + 0.05) * synth.RATE)]
        found = np.argmax(around > 0.2 * around.max()) / synth.RATE - 0.05
        assert 0 <= found < 0.008
    late = synth.render([Part("rim", strokes, drums=True)], 2.0, start=1.75).samples
    whole = whole.samples[round(1.75 * synth.RATE) :][: len(late)]
    levels = [samples.unfold(0, 441, 441).square().mean(dim=1) for samples in (late, whole)]  # 10 ms each
    assert torch.corrcoef(torch.stack(levels))[0, 1] > 0.95


def test_what_is_missing_is_named_with_its_package(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FootlightError, match="apt install fluidsynth fluid-soundfont-gm"):
        synth.find_program()
    monkeypatch.setenv(synth.SOUNDFONT_VARIABLE, str(tmp_path / "none.sf2"))
    with pytest.raises(FootlightError, match="apt install fluid-soundfont-gm"):
        synth.find_soundfont()


def test_levels_are_met_and_peaks_stay_below_full_scale():
    draw = torch.Generator().manual_seed(0)
    noise = Waveform(torch.randn(44_100, generator=draw) * 0.01, 44_100)
    quiet, loud = synth.set_level(noise, -30.0), synth.set_level(noise, -6.0)
    assert 20 * quiet.samples.square().mean().sqrt().log10() == pytest.approx(-30, abs=0.01)
    assert loud.samples.abs().max() < 1
    assert not synth.set_level(Waveform(torch.zeros(10), 100), -10).samples.any()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Two songs and two drum takes in the layout of the real data, made here."""
    root = tmp_path_factory.mktemp("data")
    entries = []
    for number, split in (("001", "train"), ("002", "val")):
        folder = root / "midi" / "pop909" / number
        folder.mkdir(parents=True)
        beat = 60 / SONG_BPM
        times = FIRST_BEAT + beat * np.arange(4 * 32 + 2)
        flags = "\n".join(
            f"{t} {float(k % 2 == 1)} {float(k % 4 == 1)}" for k, t in enumerate(times)
        )  # a beat's upbeat
        (folder / "beat_midi.txt").write_text(flags)
        chords = ["C:maj", "A:min7", "F:maj/3", "G:sus4(b7)"]
        bars = [f"{times[1] + 4 * beat * i} {times[1] + 4 * beat * (i + 1)} {chords[i % 4]}" for i in range(32)]
        (folder / "chord_midi.txt").write_text("\n".join(bars))
        melody = tuple(Note(float(t), float(t) + 0.5, 60 + 2 * (k % 5), 90) for k, t in enumerate(times[1:]))
        piano = tuple(Note(float(t), float(t) + 4 * beat, 48, 70) for t in times[1::4])
        midi.write(folder / f"{number}.mid", [Part("MELODY", melody), Part("BRIDGE", ()), Part("PIANO", piano)], 120)
        entries.append({"path": f"midi/pop909/{number}/{number}.mid", "bpm": SONG_BPM, "split": split, "seconds": 87.0})
    folder = root / "midi" / "groove"
    folder.mkdir()
    for name, bpm, split in (("1_1_rock_100_beat_4-4", 100, "train"), ("1_2_funk_104_beat_4-4", 104, "val")):
        beat = 60 / bpm
        kicks = [Note(k * beat, k * beat + 0.1, 36, 110) for k in range(64) if k % 4 in (0, 2)]
        snares = [Note(k * beat, k * beat + 0.1, 40, 100) for k in range(64) if k % 4 in (1, 3)]
        hats = [Note(k * beat / 2, k * beat / 2 + 0.1, 22, 80) for k in range(128)]
        midi.write(folder / f"{name}.mid", [Part("drums", tuple(kicks + snares + hats), drums=True)], bpm)
        entries.append({"path": f"midi/groove/{name}.mid", "bpm": bpm, "split": split, "seconds": 64 * beat})
    common = {"kind": "midi", "licence": "CC0-1.0", "author": "the tests", "genre": "test"}
    (root / "index.jsonl").write_text("\n".join(json.dumps(entry | common) for entry in entries) + "\n")
    return root


def test_an_arrangement_is_one_grid(data_dir):
    """Every melody note of the made-up song is on a beat, and so is every kick: they must meet on the new grid."""
    bpm, seconds = 117.0, 20.0
    for seed in range(6):
        parts, beats = arrange.compose(data_dir, "001", "1_1_rock_100_beat_4-4", bpm, seconds, seed)
        spacing = np.diff(beats.times.double().numpy())
        assert np.allclose(spacing, 60 / bpm, atol=1e-5)
        assert 0 <= beats.times[0] < 60 / bpm and seconds - 60 / bpm <= beats.times[-1] < seconds
        assert np.diff(np.flatnonzero(beats.downbeats)).tolist() == [4] * (int(beats.downbeats.sum()) - 1)
        grid = beats.times.double().numpy() + arrange.lead_seconds(bpm)
        melody, drums = parts[0], parts[3]
        kicks = [note.start for note in drums.notes if note.pitch == 36 and grid[0] <= note.start <= grid[-1]]
        tune = [note.start for note in melody.notes if grid[0] <= note.start <= grid[-1]]
        assert len(tune) > 30 and len(kicks) > 15
        for start in (*kicks, *tune):
            assert np.abs(grid - start).min() < 0.002
        # the piano strikes once a bar, on the song's downbeat: so do the grid's bars count
        piano = [note.start for note in parts[2].notes if grid[0] <= note.start <= grid[-1]]
        assert all(np.abs(grid[beats.downbeats.numpy()] - start).min() < 0.002 for start in piano)
        assert {note.pitch for note in drums.notes} <= {36, 38, 39, 42, 46, 49}  # TD-11 rims and edges are translated


@needs_synth
def test_an_arrangement_is_heard_at_its_tempo_and_made_again_the_same(data_dir):
    bpm, take = 108.0, "1_1_rock_100_beat_4-4"
    sound, beats = arrange.arrange(data_dir, "001", take, bpm, 20.0, seed=5, rate=22_050)
    assert len(sound.samples) == 20 * 22_050 and sound.samples.abs().max() < 1
    found = librosa.beat.beat_track(y=sound.samples.numpy(), sr=22_050, units="time")[1]
    assert mir_eval.beat.f_measure(beats.times.double().numpy(), found) > 0.85
    again, _ = arrange.arrange(data_dir, "001", take, bpm, 20.0, seed=5, rate=22_050)
    other, _ = arrange.arrange(data_dir, "001", take, bpm, 20.0, seed=6, rate=22_050)
    assert torch.equal(sound.samples, again.samples) and not torch.equal(sound.samples, other.samples)


def test_choices_stay_in_their_split_and_unknown_names_are_refused(data_dir):
    assert {arrange.choose(data_dir, "val", 100.0, seed) for seed in range(5)} == {("002", "1_2_funk_104_beat_4-4")}
    with pytest.raises(FootlightError, match="no such song"):
        arrange.compose(data_dir, "777", "1_1_rock_100_beat_4-4", 100.0, 5.0, 0)
    with pytest.raises(FootlightError, match="no such file"):
        arrange.compose(data_dir, "001", "absent", 100.0, 5.0, 0)
    with pytest.raises(FootlightError, match="beats a minute"):
        arrange.compose(data_dir, "001", "1_1_rock_100_beat_4-4", 0.0, 5.0, 0)

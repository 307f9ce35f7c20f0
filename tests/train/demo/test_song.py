"""The demo song: found by librosa at its tempo, as loud as EBU Tech 3341 says, well-formed as music."""

from itertools import pairwise

import librosa
import mir_eval
import numpy as np
import pyloudnorm
import pytest
import soundfile
import torch

from core.audio.loudness import CEILING_DB, true_peak
from core.errors import FootlightError
from train.demo import song as demo_song
from train.demo.composer import arrangement, form, harmony
from train.demo.composer.instruments import RATE

BPM, SECONDS = 112.0, 60.0


def level(samples: np.ndarray) -> float:
    """LUFS of (s, 2) by another program than ours."""
    return pyloudnorm.Meter(RATE, filter_class="DeMan").integrated_loudness(samples.astype(float))


@pytest.fixture(scope="module")
def song():
    return demo_song.compose(seed=0, bpm=BPM, seconds=SECONDS)


def test_librosa_finds_the_beats(song):
    heard = librosa.resample(song.samples.mean(axis=1), orig_sr=song.rate, target_sr=22_050)
    tempo, found = librosa.beat.beat_track(y=heard, sr=22_050, units="time")
    assert float(np.squeeze(tempo)) == pytest.approx(BPM, rel=0.03)
    assert mir_eval.beat.f_measure(song.beats.times.double().numpy(), found) > 0.9


@pytest.mark.parametrize("bpm", [84.0, 134.0])
def test_excerpts_at_any_tempo(bpm):
    excerpt = demo_song.compose(seed=3, bpm=bpm, seconds=15.0)
    assert len(excerpt.samples) == 15 * excerpt.rate
    heard = librosa.resample(excerpt.samples.mean(axis=1), orig_sr=excerpt.rate, target_sr=22_050)
    found = librosa.beat.beat_track(y=heard, sr=22_050, units="time", start_bpm=bpm, trim=False)[1]
    assert mir_eval.beat.f_measure(excerpt.beats.times.double().numpy(), found) > 0.8


def test_the_master_is_loud_enough_unclipped_and_in_stereo(song):
    assert song.samples.shape == (SECONDS * song.rate, 2)
    assert level(song.samples) == pytest.approx(-14.0, abs=0.1)
    assert true_peak(torch.from_numpy(song.samples.T)) <= 10 ** (CEILING_DB / 20) + 1e-6
    assert 0.3 < np.corrcoef(song.samples.T)[0, 1] < 0.98
    assert abs(song.samples.mean()) < 1e-3
    assert np.abs(song.samples[-10:]).max() < 1e-3  # it ends in silence, not in a click
    assert np.abs(np.diff(song.beats.times.numpy()) - 60 / BPM).max() < 1e-4
    assert song.beats.downbeats[:5].tolist() == [True, False, False, False, True]


def test_sections_differ_in_energy_and_cover_the_song(song):
    assert [song.sections[0].start, song.sections[-1].end] == [0.0, SECONDS]
    for before, after in pairwise(song.sections):
        assert before.end == after.start
    loud = {}
    for part in song.sections:
        loud[part.name] = level(song.samples[round(part.start * song.rate) : round(part.end * song.rate)])
    assert loud["chorus"] > loud["verse"] + 1 and loud["verse"] > loud["intro"] + 2


def test_same_seed_same_samples_other_seed_other_song():
    first, again, other = (demo_song.compose(seed=seed, seconds=8.0).samples for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_the_two_minute_form():
    names = [section.name for section in arrangement.write(224, np.random.default_rng(0)).sections]
    assert names == ["intro", "verse", "lift", "chorus", "verse", "break", "chorus", "outro"]
    for blocks in (1, 2, 3, 5, 9, 21, 40):
        assert len(form.form_of(blocks)) == blocks
    assert form.form_of(3) == ["intro", "chorus", "outro"]


def test_a_form_can_be_given():
    names = ["verse", "verse", "break", "chorus"]
    made = demo_song.compose(seed=1, bpm=120.0, seconds=32.0, names=names)
    found = [(part.name, part.start, part.end) for part in made.sections]
    assert found == [("verse", 0.0, 16.0), ("break", 16.0, 24.0), ("chorus", 24.0, 32.0)]


@pytest.mark.parametrize("seed", range(6))
def test_it_is_written_as_music(seed):
    written = arrangement.write(224, np.random.default_rng(seed))
    tonic = written.parts["bass"][-1].pitch
    scale = {(tonic + step) % 12 for step in harmony.MINOR_SCALE}
    leading = (tonic - 1) % 12  # of the dominant
    for name in ("lead", "flute", "bell", "bass"):
        notes = written.parts[name]
        assert all(note.pitch % 12 in scale | {leading} for note in notes)
        assert all(note.start >= 0 and note.length > 0 and note.start + note.length <= 224 + 1e-6 for note in notes)
        assert max(note.pitch for note in notes) - min(note.pitch for note in notes) <= 31
    # voices move little from chord to chord: less than a third on average
    chords: dict[float, list[int]] = {}
    for note in written.parts["pad"]:
        chords.setdefault(note.start, []).append(note.pitch)
    ordered = [sorted(chords[start]) for start in sorted(chords)]
    moves = [np.abs(np.subtract(a, b)).mean() for a, b in pairwise(ordered) if len(a) == len(b)]
    assert np.mean(moves) < 3
    # the hook comes back: nearly every long note of the last chorus falls where one of the first chorus fell
    lead = [note for note in written.parts["lead"] if note.length >= 0.5]
    first, last = (
        {round(note.start % 8, 3) for note in lead if a <= note.start < b} for a, b in ((64, 96), (160, 208))
    )
    assert len(first & last) >= 0.8 * len(first)


def test_files_appear_whole_or_not_at_all(tmp_path):
    demo_song.write_demo_song(tmp_path / "song.flac", seconds=5.0)
    samples, rate = soundfile.read(tmp_path / "song.flac")
    assert samples.shape == (5 * rate, 2)
    with pytest.raises(FootlightError, match=r"ends in \.xyz; expected"):
        demo_song.write_demo_song(tmp_path / "song.xyz", seconds=5.0)
    with pytest.raises(FootlightError, match="beats a minute"):
        demo_song.write_demo_song(tmp_path / "other.wav", seconds=1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["song.flac"]

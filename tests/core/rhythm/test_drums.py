"""Drums of songs whose score is known, and MIDI files as another library reads them."""

import mido
import mir_eval
import numpy as np
import pytest
import torch

from core.audio.io import resample
from core.audio.mel import log_mel
from core.config import SignalConfig
from core.errors import FootlightError
from core.formats import midi
from core.rhythm.drums import KIT, Drum, Strokes, quantised, transcribe
from core.types import Beats, Waveform
from train.demo.composer import instruments

LOOP = {"kick": (0.0, 1.0, 1.75, 2.0, 3.0), "snare": (0.5, 1.5, 2.5, 3.5), "hat": np.arange(0, 4, 0.25)}


@pytest.fixture(scope="module")
def loop():
    """Four seconds of a drummer alone, strokes at known times, half a second of silence first."""
    draw = np.random.default_rng(0)
    samples = np.zeros(int(5.5 * instruments.RATE))
    for name, times in LOOP.items():
        for time in times:
            stroke = getattr(instruments, name)(draw)
            at = int((0.5 + time) * instruments.RATE)
            room = samples[at : at + len(stroke)]
            room += (0.4 if name == "hat" else 1.0) * stroke[: len(room)]
    return log_mel(
        resample(Waveform(torch.from_numpy(samples).float() * 0.5, instruments.RATE), 16_000).samples, SignalConfig()
    )


@pytest.mark.parametrize(("name", "least"), [("kick", 0.7), ("snare", 0.65), ("hat", 0.8)])
def test_a_drummer_alone_is_read(loop, name, least):
    found = next(strokes for strokes in transcribe(loop, SignalConfig()) if strokes.drum.name == name)
    truth = 0.5 + np.asarray(LOOP[name], dtype=float)
    f, _, _ = mir_eval.onset.f_measure(truth, found.times.numpy(), window=0.04)
    assert f >= least


def test_silence_has_no_strokes():
    assert all(len(strokes.times) == 0 for strokes in transcribe(torch.full((200, 80), -11.5), SignalConfig()))
    with pytest.raises(FootlightError, match="log-mel"):
        transcribe(torch.zeros(200, 40), SignalConfig())


def test_strokes_near_the_grid_are_moved_onto_it():
    drum = Drum("kick", 36, ((0.0, 100.0),), 1.0, 0.1)
    beats = Beats(torch.tensor([0.0, 0.6, 1.2]))
    strokes = Strokes(drum, torch.tensor([0.02, 0.16, 0.375, 0.61, 0.63]), torch.tensor([1.0, 0.5, 0.3, 0.4, 0.9]))
    moved = quantised(strokes, beats, parts=4, reach=0.03)
    torch.testing.assert_close(moved.times, torch.tensor([0.0, 0.15, 0.375, 0.6]).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(moved.velocity, torch.tensor([1.0, 0.5, 0.3, 0.9]))  # two became one: the louder


def absolute(path):
    """(seconds, message) of all notes and markers as mido plays them."""
    clock, found = 0.0, []
    for message in mido.MidiFile(path):
        clock += message.time
        found.append((clock, message))
    return found


def test_the_file_keeps_time_with_beats_that_breathe(tmp_path):
    beats = 0.37 + np.cumsum(0.5 + 0.05 * np.sin(np.arange(40)))
    down = torch.arange(40) % 4 == 2
    times = np.sort(np.random.default_rng(1).uniform(0.1, beats[-1] + 1, 60))
    strokes = Strokes(KIT[0], torch.from_numpy(times), torch.linspace(0.01, 1, 60))
    (tmp_path / "a.mid").write_bytes(midi.encoded(Beats(torch.from_numpy(beats), 120.0, down), [strokes]))
    played = absolute(tmp_path / "a.mid")
    notes = [(at, m) for at, m in played if m.type == "note_on"]
    np.testing.assert_allclose([at for at, _ in notes], times, atol=1.5e-3)
    assert all(m.channel == 9 and m.note == 36 for _, m in notes) and notes[-1][1].velocity == 127
    bars = [at for at, m in played if m.type == "marker"]
    np.testing.assert_allclose(bars, beats[down.numpy()], atol=1.5e-3)
    assert sum(m.type == "note_off" for _, m in played) == 60


def test_a_grid_is_needed():
    with pytest.raises(FootlightError, match="beat grid"):
        midi.encoded(Beats(torch.tensor([1.0])), [])

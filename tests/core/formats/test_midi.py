"""Music whose drums are known, through a MIDI file and another library and back."""

from dataclasses import replace
from itertools import pairwise

import mido
import numpy as np
import pytest
import torch

from core.audio.io import resample
from core.audio.mel import log_mel
from core.config import SignalConfig
from core.errors import FootlightError
from core.formats import midi
from core.results import Score
from core.types import Beats, Waveform
from train.demo.composer import instruments

BPM, SECONDS, FIRST = 110.0, 12.0, 0.4
KICK, SNARE, HAT = 36, 38, 42


@pytest.fixture(scope="module")
def made():
    """Kick and snare in turn on the beats, hats on every half, up to 15 ms early or late; the mel is the longer."""
    draw = np.random.default_rng(0)
    samples = np.zeros(int((SECONDS + 3) * instruments.RATE))
    beats = np.arange(FIRST, SECONDS + 2, 60 / BPM)
    halves = np.sort(np.concatenate([beats, beats + 30 / BPM]))
    for name, times, level in (("kick", beats[::2], 1.0), ("snare", beats[1::2], 1.0), ("hat", halves, 0.4)):
        for time in times + draw.uniform(-0.015, 0.015, len(times)):
            stroke, at = getattr(instruments, name)(draw), int(time * instruments.RATE)
            samples[at : at + len(stroke)] += level * stroke
    sound = resample(Waveform(torch.from_numpy(samples).float() * 0.5, instruments.RATE), 16_000)
    whole = Waveform(sound.samples[: round(SECONDS * 16_000)], 16_000)
    grid = Beats(torch.from_numpy(beats), BPM, torch.arange(len(beats)) % 4 == 1)
    return Score(whole, grid, log_mel(sound.samples, SignalConfig()), {}, grid)


def played(path):
    """(seconds, message) of all that the file holds, as mido plays it."""
    clock, found = 0.0, []
    for message in mido.MidiFile(path):
        clock += message.time
        found.append((clock, message))
    return found


def test_rounded_tempi_do_not_drift_from_the_beats(tmp_path):
    """MIDI holds whole microseconds a beat. Of 3000 beats, none is farther off than one of them."""
    times = 0.4 + np.arange(3000) * 0.3333333
    (tmp_path / "a.mid").write_bytes(midi.encoded(Beats(torch.from_numpy(times), 180.0), []))
    tempi = [message.tempo for message in mido.MidiFile(tmp_path / "a.mid").tracks[0] if message.type == "set_tempo"]
    reached = 0.4 + np.cumsum(tempi[-2999:]) * 1e-6
    np.testing.assert_allclose(reached, times[1:], atol=1.5e-6)


def test_drums_and_bars_stand_where_they_are_heard(tmp_path, made):
    (tmp_path / "a.mid").write_bytes(midi.of_score(made, SignalConfig()))
    found = played(tmp_path / "a.mid")
    tempi = [mido.tempo2bpm(message.tempo) for _, message in found if message.type == "set_tempo"]
    np.testing.assert_allclose(tempi[1:], BPM, atol=0.05)  # the first is the lead to the first beat
    beats = made.beats.between(0, SECONDS).times.numpy()
    halves = np.arange(FIRST, SECONDS, 30 / BPM)
    for key, truth, least in ((KICK, beats[::2], 0.95), (SNARE, beats[1::2], 0.95), (HAT, halves, 0.7)):
        notes = [(at, m.velocity) for at, m in found if m.type == "note_on" and m.note == key]
        times, velocity = np.array(notes).T
        nearest = np.abs(times[:, None] - truth)
        assert (nearest.min(axis=0) < 0.03).mean() >= least  # strokes that have their note
        stray = nearest.min(axis=1) >= 0.03  # one drum shines through in another's bands, but it is quieter
        assert not stray.any() or velocity[~stray].min() > np.median(velocity[stray])
        assert np.mean(np.abs(times[:, None] - halves).min(axis=1) < 2e-3) > 0.9  # moved onto the grid
    bars = [at for at, message in found if message.type == "marker"]
    np.testing.assert_allclose(bars, beats[1::4], atol=2e-3)


def bar_lines(path):
    """Seconds at which a sequencer draws the bars of a file: they follow each other from its beginning on."""
    track, (meters, tempi) = mido.MidiFile(path).tracks[0], ([], [])
    tick = 0
    for message in track:
        tick += message.time
        if message.type == "time_signature":
            meters.append((tick, message.numerator * midi.TICKS))
        if message.type == "set_tempo":
            tempi.append((tick, message.tempo))
    bars, at = [], 0
    while at <= tick:
        bars.append(at)
        at += next(ticks for begun, ticks in reversed(meters) if begun <= at)
    seconds = np.cumsum([0.0] + [(b[0] - a[0]) * a[1] / midi.TICKS / 1e6 for a, b in pairwise(tempi)])
    return np.interp(bars, [begun for begun, _ in tempi], seconds)


@pytest.mark.parametrize("metre", [3, 4])
@pytest.mark.parametrize("pickup", [0, 1, 2])
@pytest.mark.parametrize("first", [0.0, 0.03, 0.1, 0.4, 1.3])
def test_a_sequencers_bars_begin_on_the_downbeats(tmp_path, first, pickup, metre):
    times = first + np.arange(30) * 0.5
    beats = Beats(torch.from_numpy(times), 120.0, torch.arange(30) % metre == pickup)
    (tmp_path / "a.mid").write_bytes(midi.encoded(beats, []))
    bars, downbeats = bar_lines(tmp_path / "a.mid"), times[pickup:-1:metre]
    away = np.abs(bars[:, None] - downbeats).min(axis=0)
    assert away[1:].max() < 1e-3
    assert away[0] < (0.04 if first == 0.03 else 1e-3), "a lead of 30 ms is no beat of its own"


def test_nothing_is_written_beyond_the_sound(tmp_path, made):
    (tmp_path / "a.mid").write_bytes(midi.of_score(made, SignalConfig()))
    last = max(at for at, message in played(tmp_path / "a.mid") if message.type in ("note_on", "marker"))
    assert SECONDS - 60 / BPM < last < SECONDS


def test_a_score_without_a_beat_grid_is_refused(made):
    few = replace(made, beats=Beats(torch.tensor([1.0, SECONDS + 1])))
    with pytest.raises(FootlightError, match="beat grid"):
        midi.of_score(few, SignalConfig())

import torch

from core.rhythm.events import (
    EVENT_FPS,
    beat_response,
    beat_slots,
    beat_strength,
    rhythm_events,
    strong_beats,
)
from core.rhythm.features import rhythm_features
from core.types import Beats

ONSET_FPS = 62.5


def beats_at(bpm: float, seconds: float, metre: int = 4) -> Beats:
    times = torch.arange(0, seconds, 60 / bpm)
    return Beats(times, bpm, torch.arange(len(times)) % metre == 0)


def onsets_at(times: list[float], seconds: float, strength: float = 1.0) -> torch.Tensor:
    """An onset strength with one frame above zero for each onset, as early as measured ones are."""
    onset = torch.zeros(round(seconds * ONSET_FPS))
    onset[((torch.tensor(times) - 0.010) * ONSET_FPS).round().long().clamp_min(0)] = strength
    return onset


def test_strong_beats_are_the_first_and_third_of_a_bar():
    downbeats = torch.tensor([False, True, False, False, False, True, False])
    strong = strong_beats(Beats(torch.arange(7.0), downbeats=downbeats))
    assert strong.tolist() == [1, 3, 5]
    assert strong_beats(Beats(torch.arange(2.0))).tolist() == [0, 1]


def test_a_beat_is_as_strong_as_its_place_and_what_sounds_on_it():
    beats = Beats(torch.tensor([0.5, 1.0, 1.5, 2.0]), 120.0, torch.tensor([True, False, False, False]))
    strength = beat_strength(beats, onsets_at([0.5, 1.0], 3.0))
    assert strength.tolist() == [1.0, 0.5, 0.5, 0.25]


def test_every_onset_is_a_beat_an_off_beat_or_something_between():
    beats = beats_at(120.0, 4.0)
    onset = onsets_at([0.5, 0.75, 1.125], 4.0)
    events = rhythm_events(beats, onset, round(4 * EVENT_FPS))
    where = [events[:, channel].nonzero()[:, 0].tolist() for channel in range(3)]
    assert where[0] == [round(0.5 * k * EVENT_FPS) for k in range(8)]
    assert where[1] == [round(0.75 * EVENT_FPS)] and float(events[96, 1]) == 1.0
    assert len(where[2]) == 1 and abs(where[2][0] / EVENT_FPS - 1.125) < 0.01


def test_the_slots_of_a_beat_do_not_depend_on_the_tempo():
    told = []
    for bpm in (90.0, 120.0, 150.0):
        beats, spacing = beats_at(bpm, 8.0), 60 / bpm
        struck = [spacing * (k + part) for k in range(5) for part in (0.0, 0.25, 0.5)]
        events = rhythm_events(beats, onsets_at(struck, 8.0), round(8 * EVENT_FPS))
        told.append(beat_slots(events, beats, torch.tensor([2.4 * spacing]), 8).view(8, 3))
    for slots in told:
        assert (slots > 0).nonzero().tolist() == [[0, 0], [2, 2], [4, 1]]


def test_without_beats_nothing_is_told():
    alone = Beats(torch.zeros(0))
    events = rhythm_events(alone, onsets_at([0.5], 2.0), 256)
    assert events[:, :2].count_nonzero() == 0 and events[:, 2].count_nonzero() == 1
    assert beat_slots(events, alone, torch.tensor([0.5]), 8).count_nonzero() == 0
    assert rhythm_events(alone, torch.zeros(0), 8).count_nonzero() == 0


def test_the_response_to_a_beat_is_largest_on_it():
    features = rhythm_features(beats_at(120.0, 4.0), torch.zeros(250), torch.zeros(250), 64, 16.0)
    response = beat_response(features)
    assert torch.allclose(response[8::8], torch.ones(7), atol=1e-5) and float(response[4::8].max()) < 1e-5
    silent = rhythm_features(Beats(torch.zeros(0)), torch.zeros(250), torch.zeros(250), 64, 16.0)
    assert beat_response(silent).count_nonzero() == 0

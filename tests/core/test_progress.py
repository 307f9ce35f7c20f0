"""Progress: where a report lies in the whole, whose name is shown, how a listener cancels, how often work reports."""

import time

import pytest
import torch

from core import progress
from core.audio import io, mel
from core.rhythm.features import analyse

RATE = 16_000


class Cancelled(Exception):
    pass


def noise(seconds):
    return torch.randn(round(seconds * RATE), generator=torch.Generator().manual_seed(0)) * 0.1


def heard(work):
    """What is shown while ``work`` runs, and what it returns."""
    seen = []
    with progress.listen(lambda *told: seen.append(told)):
        result = work()
    return seen, result


def test_parts_lie_in_parts():
    def work():
        with progress.part(0.2, 0.6, "outer"), progress.part(0.5, 1.0, "inner"):
            progress.report(0.5)
        with progress.part(0.6, 1.0), progress.part(0.0, 0.5, "named inside"):
            progress.report(1.0)
        progress.report(1.0)

    seen, _ = heard(work)
    assert seen == [
        *(("outer", 0.2), ("outer", 0.4), ("outer", 0.5)),
        *(("", 0.6), ("named inside", 0.6), ("named inside", 0.8)),
        ("", 1.0),
    ]


def test_a_bar_never_goes_back_and_says_nothing_twice():
    def work():
        for fraction in (0.2, 0.5, 0.1, 0.5, 0.50001, 0.9):
            progress.report(fraction)

    assert heard(work)[0] == [("", 0.2), ("", 0.5), ("", 0.9)]


def test_without_a_listener_nothing_happens():
    with progress.part(0.0, 1.0, "unheard"):
        progress.report(0.5)
        progress.report()


def test_a_listener_cancels_by_raising_and_nothing_of_it_stays():
    def check():
        raise Cancelled

    with pytest.raises(Cancelled), progress.listen(print, check), progress.part(0.0, 0.5, "work"):
        progress.report()
    progress.report(0.5)  # nobody listens any more
    seen, _ = heard(lambda: progress.report(0.25))
    assert seen == [("", 0.25)]


def test_a_listener_inside_another_hears_alone():
    outer, _ = heard(lambda: heard(lambda: progress.report(0.5)))
    assert outer == []


def test_a_spectrum_in_blocks_is_torchs_in_one_piece():
    samples = noise(80.0)  # 5000 frames, in twenty blocks
    seen, found = heard(lambda: mel.spectrum(samples, 1024, 256))
    window = torch.hann_window(1024)
    wanted = torch.stft(samples, 1024, 256, window=window, center=True, pad_mode="reflect", return_complex=True)
    assert len(seen) == -(-5000 // mel.BLOCK) and seen[-1][1] == 1
    assert torch.allclose(found, wanted.abs().T[: len(found)], atol=1e-4) and len(found) == len(samples) // 256


def test_hearing_a_song_can_be_left_between_small_steps(make_song, tmp_path):
    """Several reports for every quarter of a minute, whatever is being computed."""
    io.write(tmp_path / "song.wav", make_song(120.0))
    seen, song = heard(lambda: io.read(tmp_path / "song.wav"))
    assert len(seen) >= 7 and seen[-1][1] == 1
    seen, plain = heard(lambda: analyse(song))
    fractions = [fraction for _, fraction in seen]
    assert len(fractions) >= 16 and fractions == sorted(fractions) and fractions[-1] <= 1
    left_after = []

    def check():
        left_after.append(time.monotonic())
        if len(left_after) == 5:
            raise Cancelled

    with pytest.raises(Cancelled), progress.listen(lambda *_: None, check):
        analyse(song)
    again = analyse(song)  # a cancelled song leaves nothing behind that the next one would see
    assert torch.equal(again.beats.times, plain.beats.times) and torch.equal(again.onset, plain.onset)

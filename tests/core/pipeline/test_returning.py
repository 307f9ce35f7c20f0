"""Moves are repeated and return with their part of the song: which frames repeat which, and dances that do it."""

import itertools
from dataclasses import replace

import pytest
import torch

from core import pipeline
from core.errors import FootlightError
from core.light.song import listen
from core.motion import kinematics
from core.pipeline import DanceOptions, Model, beginning, returning
from core.pipeline.choices import moves_for
from core.pipeline.sound import Sound
from core.rhythm.sections import Section
from core.types import Beats
from train.demo.song import compose

FPS = 10.0


def bars(seconds: float, tempo: float = 120.0) -> Beats:
    """Four beats in a bar from the first second on: bars of 2 s at 120 beats a minute."""
    times = torch.arange(0, seconds - 1e-6, 60 / tempo)
    return Beats(times, tempo, torch.arange(len(times)) % 4 == 0)


def parts(*kinds: int, seconds: float = 8.0) -> tuple[Section, ...]:
    return tuple(Section(i * seconds, (i + 1) * seconds, kind, 1.0) for i, kind in enumerate(kinds))


def repeated(sections: tuple[Section, ...], seconds: float) -> list[int]:
    found = returning.first_times(sections, bars(seconds), seconds, round(seconds * FPS), FPS)
    return (torch.arange(len(found)) - found).tolist()  # how many frames ago each was danced first


def test_a_part_that_comes_again_repeats_its_first_time():
    assert repeated(parts(0, 1, 0), 24.0) == [0] * 160 + [160] * 80
    assert repeated(parts(0, 1, 2, 1, 0), 40.0) == [0] * 240 + [160] * 80 + [320] * 80


def test_alike_neighbours_are_one_part_and_repeat_nothing_at_once():
    assert repeated(parts(0, 0, 0, 0), 32.0) == [0] * 320
    assert repeated(parts(0, 0, 1, 0, 0), 40.0) == [0] * 240 + [240] * 160


def test_what_lasts_longer_than_its_first_time_goes_on_by_itself():
    assert repeated(parts(0, 1, 0, 0), 32.0) == [0] * 160 + [160] * 80 + [0] * 80


def test_bars_meet_bars_where_the_tempo_has_changed():
    """The second time every bar lasts 3 s instead of 2."""
    times = torch.cat((torch.arange(0, 16, 0.5), torch.arange(16, 28, 0.75)))
    beats = Beats(times, 120.0, torch.arange(len(times)) % 4 == 0)
    sections = Section(0, 8, 0, 1.0), Section(8, 16, 1, 1.0), Section(16, 28, 0, 1.0)
    found = returning.first_times(sections, beats, 28.0, 280, FPS)[160:]
    expected = (torch.arange(120) * 2 / 3).round()
    assert (found - expected).abs().max() <= 1


def moves_of(sections: tuple[Section, ...], beats: Beats, seconds: float, pattern: str = "AAAB") -> list[list[int]]:
    """For each move of two bars of 2 s the frames that it repeats."""
    return returning.moves(pattern, sections, beats, seconds, round(seconds * FPS), FPS).view(-1, 40).tolist()


def frames_of(*numbers: int) -> list[list[int]]:
    """The frames of moves by their number."""
    return [list(range(40 * number, 40 * number + 40)) for number in numbers]


@pytest.mark.parametrize(
    ("pattern", "repeated"),
    [
        ("AAAB", (0, 0, 0, 3, 4, 4, 4, 7)),
        ("AABB", (0, 0, 2, 2, 4, 4, 6, 6)),
        ("ABA", (0, 1, 0, 3, 4, 3, 6, 7)),
        ("A", tuple(range(8))),
        ("ABCD", tuple(range(8))),
        ("aAbB", (0, 0, 2, 2, 4, 4, 6, 6)),
    ],
)
def test_a_move_of_two_bars_is_danced_again_as_letters_say(pattern, repeated):
    assert moves_of((), bars(32.0), 32.0, pattern) == frames_of(*repeated)


def test_a_mixture_is_repeated_as_its_heaviest_style(model):
    sampling = replace(model.config.sampling["motion"], style_moves={"salsa": "AABC"})
    for style, pattern in (
        (None, "AAAB"), ("salsa", "AABC"), ("robot", "AAAB"), ("salsa:0.6,robot:0.4", "AABC"),
        ("salsa:0.4,robot:0.6", "AAAB"), ("salsa:0", "AAAB"),
    ):  # fmt: skip
        assert moves_for(model.config, style, sampling) == pattern
        assert moves_for(model.config, style, sampling, "ABAC") == "ABAC"
    for change in ({"moves": ""}, {"style_moves": {"salsa": "A-B"}}):
        with pytest.raises(FootlightError, match="expected 1 to 16 letters"):
            replace(sampling, **change)


def test_every_part_of_the_song_begins_with_a_move_of_its_own_and_returns_with_all_of_them():
    assert moves_of(parts(0, 1, seconds=12.0), bars(24.0), 24.0) == frames_of(0, 0, 0, 3, 3, 3)
    found = moves_of(parts(0, 1, 0, seconds=16.0), bars(48.0), 48.0)
    assert found == frames_of(0, 0, 0, 3, 4, 4, 4, 7, 0, 0, 0, 3)


def test_bars_of_three_are_two_to_a_move_as_well():
    times = torch.arange(0, 48, 2 / 3)
    beats = Beats(times, 90.0, torch.arange(len(times)) % 3 == 0)
    assert moves_of((), beats, 48.0)[:4] == frames_of(0, 0, 0, 3)


def test_an_upbeat_belongs_to_no_move():
    times = torch.arange(0, 17.5, 0.5)
    beats = Beats(times, 120.0, torch.arange(len(times)) % 4 == 3)
    found = returning.moves("AAAB", (), beats, 17.5, 175, FPS)
    assert found[:15].tolist() == list(range(15))
    assert found[15:].view(4, 40).tolist() == [[15 + frame for frame in some] for some in frames_of(0, 0, 0, 3)]


def test_phrases_of_four_bars_have_the_form_a_a_b_a_c_c_d_c_and_begin_anew_with_it():
    """Bars of 2 s, so phrases of 80 frames."""
    found = returning.phrases(bars(80.0), 80.0, 800, FPS)
    phrase = torch.arange(80)
    assert found.view(10, 80).tolist() == [(phrase + 80 * at).tolist() for at in (0, 0, 2, 0, 4, 4, 6, 4, 0, 0)]


@pytest.mark.parametrize(("downbeat", "begins"), [(3, 15), (1, 25)])
def test_an_upbeat_belongs_to_no_phrase(downbeat, begins):
    """1.5 s before the first downbeat; and half a second, with which the first bar has five beats."""
    times = torch.arange(0, 36, 0.5)
    beats = Beats(times, 120.0, torch.arange(len(times)) % 4 == downbeat)
    found = returning.phrases(beats, 36.0, 360, FPS)
    assert found[:begins].tolist() == list(range(begins))
    assert found[begins : begins + 160].view(2, 80).tolist() == [list(range(begins, begins + 80))] * 2


@pytest.fixture(scope="module")
def model(model_folder):
    return Model.load(model_folder, "cpu")


@pytest.fixture(scope="module")
def heard(model):
    """A song of a minute that is known to consist of A, B and A."""
    song = pipeline.hear_song(model, compose(seconds=60.0).mono, bars(60.0))
    return replace(song, sections=parts(0, 1, 0, seconds=20.0))


def apart(dance, one: int, other: int, seconds: int = 15) -> float:
    """Metres between the poses of two stretches of a dance, from seconds on, as the pelvis sees them."""
    rotations = dance.motion.rotations.clone()
    rotations[:, 0] = torch.tensor([1.0, 0.0, 0.0, 0.0])
    places = kinematics.forward(rotations, torch.zeros_like(dance.motion.root))
    first, second = (places[30 * at : 30 * (at + seconds)] for at in (one, other))
    return float((first - second).norm(dim=-1).mean())


def test_a_dance_repeats_its_moves_unless_they_shall_be_new(model, heard):
    returned = pipeline.dance_to(model, heard, DanceOptions(seed=1, beat_snap=0.0))
    new = pipeline.dance_to(model, heard, DanceOptions(seed=1, beat_snap=0.0, free_form=True))
    assert apart(returned, 2, 42) < 0.6 * apart(returned, 2, 22)
    assert apart(new, 2, 42) > 0.8 * apart(new, 2, 22)
    assert apart(returned, 1, 5, 3) < 0.6 * apart(new, 1, 5, 3)


@pytest.mark.parametrize("pattern", ["AAAA", "AABB", "AABC", "abac"])
def test_the_chosen_pattern_decides_which_eights_of_a_dance_are_alike(model, heard, pattern):
    """Of the first four moves of two bars, 4 s each, the second to the fourth second: before, the body comes from where
    it was. Against a dance whose every move is new."""
    made, new = (
        pipeline.dance_to(model, heard, DanceOptions(seed=1, beat_snap=0.0, moves=moves)) for moves in (pattern, "ABCD")
    )
    for one, other in itertools.combinations(range(4), 2):
        share = apart(made, 4 * one + 1, 4 * other + 1, 3) / apart(new, 4 * one + 1, 4 * other + 1, 3)
        assert (share < 0.8) == (pattern.upper()[one] == pattern.upper()[other]), (one, other, share)


def test_moves_return_with_their_part_whatever_the_pattern(model, heard):
    made = pipeline.dance_to(model, heard, DanceOptions(seed=1, beat_snap=0.0, moves="ABCD"))
    assert apart(made, 2, 42) < 0.6 * apart(made, 2, 22)


def test_the_pattern_of_the_style_is_the_dance_of_the_style_and_all_new_moves_are_free_form(model, make_song):
    """The song is too short for parts that return."""
    heard, options = pipeline.hear_song(model, make_song(20.0)), DanceOptions(seed=4)

    def danced(**chosen):
        return pipeline.dance_to(model, heard, replace(options, **chosen)).motion.rotations

    usual, free = danced(), danced(free_form=True)
    assert torch.equal(danced(moves="AAAB"), usual) and torch.equal(danced(moves="ABCD"), free)
    assert not torch.equal(usual, free)


def test_with_moves_that_return_the_first_seconds_still_change_nothing(model, heard, monkeypatch):
    monkeypatch.setattr(beginning, "SHOWN", 5.0)
    options = DanceOptions(seed=2, fps=24, beat_snap=0.0)
    begun, whole = pipeline.begin_dance(model, heard, options), pipeline.dance_to(model, heard, options)
    assert begun is not None
    assert torch.equal(pipeline.dance_to(model, heard, options, begun.memory).motion.rotations, whole.motion.rotations)


def test_songs_are_divided_as_their_light_is_and_short_ones_are_not(model):
    song = compose(seconds=60.0)
    found = pipeline.hear_song(model, song.mono)
    assert found.sections == listen(song.mono, found.rhythm.beats).sections and len(found.sections) > 2
    assert returning.divided(Sound(compose(seconds=40.0).mono), song.beats) == ()

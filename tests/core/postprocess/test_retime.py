import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.metrics.beat import energy_peaks
from core.motion import kinematics, rotation
from core.motion.resample import at_times
from core.motion.skeleton import SMPL22
from core.postprocess.retime import LIMITS, beat_clock, snap
from core.rhythm.accents import kinematic_beats
from core.types import Beats, Motion

BEATS = torch.arange(0, 20.5, 0.5, dtype=torch.float64)


def offsets(kinematic_beats, clock):
    """Where kinematic beats are played."""
    fine = torch.linspace(0, 20, 200_001, dtype=torch.float64)
    return fine[torch.searchsorted(clock.at(fine), kinematic_beats.double())]


@pytest.mark.parametrize("strength", [1.0, 0.5, 0.25])
def test_kinematic_beats_move_by_their_share_of_the_way(strength):
    late = torch.tensor([2.05, 4.06, 6.94, 9.45, 12.06])  # the last but one near a beat too
    nearest = torch.tensor([2.0, 4.0, 7.0, 9.5, 12.0])
    played = offsets(late, snap(late, BEATS, 20.0, strength))
    assert torch.allclose(played, (late + strength * (nearest - late)).double(), atol=2e-4)


def test_kinematic_beats_between_beats_go_to_the_middle_and_far_ones_stay():
    for hit, there in ((3.29, 3.25), (6.165, 6.165)):
        played = offsets(torch.tensor([hit]), snap(torch.tensor([hit]), BEATS, 20.0, 1.0))
        assert played[0] == pytest.approx(there, abs=2e-4)


def test_only_one_kinematic_beat_takes_a_musical_beat():
    two = torch.tensor([4.95, 5.11])
    played = offsets(two, snap(two, BEATS, 20.0, 1.0))
    assert played[0] == pytest.approx(5.0, abs=2e-4)
    assert played[1] > 5.05


def test_no_strength_no_beats_or_no_kinematic_beats_change_nothing():
    times = torch.linspace(0, 20, 101, dtype=torch.float64)
    some = torch.tensor([3.1, 4.2])
    for clock in (snap(some, BEATS, 20.0, 0.0), snap(some, BEATS[:1], 20.0, 1.0), snap(some[:0], BEATS, 20.0, 1.0)):
        assert torch.equal(clock.at(times), times)


@settings(max_examples=60)
@given(
    st.lists(st.floats(0, 20), max_size=60),
    st.floats(0.3, 1.2),
    st.floats(0, 0.5),
    st.floats(0, 1),
    st.sampled_from(sorted(LIMITS.values())),
)
def test_time_runs_forward_within_the_limit_and_ends_with_the_song(times, period, first, strength, limit):
    clock = snap(torch.tensor(sorted(times)), torch.arange(first, 20, period), 20.0, strength, limit)
    fine = torch.linspace(0, 20, 40_001, dtype=torch.float64)
    source = clock.at(fine)
    rate = source.diff() / fine.diff()
    assert source[0] == 0 and source[-1] == pytest.approx(20, abs=1e-9)
    assert rate.min() > 1 - limit - 1e-6 and rate.max() < 1 + limit + 1e-6


def test_who_strikes_may_be_hurried_more():
    """Strikes that are 0.1 s late in turns come nearer to the beats than stops do, which a quick body would blur."""
    motion = swinging(0.35)
    apart = {}
    for accent, shift in (("arrive", 0.0), ("strike", 0.25)):
        beats = torch.arange(0.25 + shift, 20, 0.5)
        beats[::2] += 0.1
        clock = beat_clock(motion, Beats(beats), 1.0, accent=accent)
        rate = clock.at(torch.linspace(0, 20, 40_001, dtype=torch.float64)).diff() * 2000
        apart[accent] = float((rate - 1).abs().max())
        assert apart[accent] <= LIMITS[accent] + 1e-6
    assert apart["strike"] > LIMITS["arrive"]


def test_what_hours_of_beats_need_grows_with_their_number_only(largest):
    seconds = 4 * 3600.0
    with largest:
        late = torch.arange(0.3, seconds, 0.5, dtype=torch.float64)
        snap(late, torch.arange(0, seconds, 0.5, dtype=torch.float64), seconds, 1.0)
    assert late.nbytes <= largest.bytes < 4 * late.nbytes


def swinging(first_stop: float) -> Motion:
    """Arms that stop every 0.5 s, and have the most energy halfway between."""
    fps = 31.25
    time = torch.arange(625, dtype=torch.float64) / fps - first_stop
    swing = 0.8 * torch.cos(2 * math.pi * time)
    rotations = rotation.identity(625, 22)
    rotations[:, SMPL22.index("left_shoulder")] = rotation.about("z", swing.float())
    rotations[:, SMPL22.index("right_shoulder")] = rotation.about("z", -swing.float())
    return Motion(rotations, torch.zeros(625, 3), fps)


@pytest.mark.parametrize(("accent", "first_stop"), [("arrive", 0.06), ("strike", 0.31)])
def test_a_dance_out_of_step_comes_onto_the_beat(accent, first_stop):
    """Its stops, or its strikes, are 60 ms late on each beat."""
    motion = swinging(first_stop)

    def distance(motion):
        positions = kinematics.forward(motion.rotations, motion.root)
        found = kinematic_beats(positions, motion.fps).times if accent == "arrive" else energy_peaks(positions, 31.25)
        return (found.double()[:, None] - BEATS[None]).abs().amin(1)[2:-2].mean()

    clock = beat_clock(motion, Beats(BEATS), 1.0, accent=accent)
    snapped = at_times(motion, clock.at(torch.arange(600, dtype=torch.float64) / 31.25), 31.25)
    assert distance(motion) > 0.05
    assert distance(snapped) < 0.012

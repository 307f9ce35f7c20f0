"""Differences between dances, of motions that differ by a known amount."""

import math

import pytest
import torch

from core.errors import FootlightError
from core.metrics import diversity
from core.metrics.frames import at_rate
from core.motion import rotation
from core.motion.kinematics import mirror
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion


def swing(seed, frames=90):
    generator = torch.Generator().manual_seed(seed)
    angles = torch.randn(frames, 22, 3, generator=generator).cumsum(0) * 0.02
    root = torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(frames, 1)
    return Motion(rotation.from_axis_angle(angles), root, 30.0)


def turned_and_moved(motion, angle, place):
    turn = rotation.about("y", torch.tensor(angle))
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.mul(turn.expand_as(rotations[:, 0]), rotations[:, 0])
    return Motion(rotations, rotation.rotate(turn, motion.root) + torch.tensor(place), motion.fps)


def test_the_same_dance_elsewhere_is_the_same_dance():
    motion = swing(0)
    scores = diversity.evaluate([motion, turned_and_moved(motion, 2.0, [3.0, 0.0, -1.0])])
    assert scores["fps"] == 30 and scores["dances"] == 2
    assert scores["poses"] == pytest.approx(0, abs=1e-4)
    assert scores["statistics"] == pytest.approx(0, abs=1e-3)


def test_one_raised_arm_counts_by_its_way():
    """A forearm turned by 90 degrees moves only the wrist, by sqrt(2) forearms."""
    still = Motion(rotation.identity(30, 22), torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(30, 1), 30.0)
    rotations = still.rotations.clone()
    rotations[:, SMPL22.index("left_elbow")] = rotation.about("y", torch.tensor(-math.pi / 2))
    bent = Motion(rotations, still.root, 30.0)
    way = math.sqrt(2) * SMPL22.offsets[SMPL22.index("left_wrist")].norm().item()
    scores = diversity.evaluate([still, bent])
    assert scores["poses"] == pytest.approx(way / 22, rel=1e-4)
    assert scores["statistics"] == pytest.approx(way, rel=1e-4)


def test_pairs_are_averaged():
    assert diversity.mean_pairwise(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]])) == pytest.approx(4.0)
    a, b, c = swing(0), swing(1), swing(2, 70)
    pairs = [diversity.pose_distance(x, y) for x, y in ((a, b), (a, c), (b, c))]
    assert diversity.evaluate([a, b, c])["poses"] == pytest.approx(sum(pairs) / 3)


def test_a_copy_is_found_wherever_it_stands():
    """A stretch of training capture, turned, moved, mirrored and cut out of the middle, has no distance."""
    training = [swing(seed, 180) for seed in range(4)]
    copied = turned_and_moved(mirror(training[2].cut(45, 135)), 1.3, [2.0, 0.0, -1.0])
    found = diversity.closest([swing(9, 90), copied], training)
    nearest = found["nearest"]
    assert (nearest["made"], nearest["training"], nearest["mirrored"]) == (1, 2, True)
    assert nearest["distance"] == pytest.approx(0, abs=2e-3)
    assert nearest["training_at"] == pytest.approx(1.5 + nearest["made_at"])
    real = diversity.closest([swing(10, 120)], training)
    assert (found["windows"], real["windows"]) == (4, 3)
    assert found["p5"] < 0.02 < real["p5"] <= real["median"]


def test_distance_to_the_nearest_is_that_of_all_pairs():
    training, made = [swing(seed, 75) for seed in range(3)], [swing(9, 80)]
    best = math.inf
    for motion in training:
        for body in (motion, mirror(motion)):
            known = at_rate(diversity.dancer_space(body), 30.0, 10.0)
            asked = at_rate(diversity.dancer_space(made[0]), 30.0, 10.0)[:20]
            for start in range(len(known) - 19):
                best = min(best, (asked - known[start : start + 20]).square().sum(-1).mean().sqrt().item())
    found = diversity.closest(made, training)
    assert found["windows"] == 1
    assert found["median"] == found["nearest"]["distance"] == pytest.approx(best, abs=1e-5)


def test_nothing_long_enough_to_be_a_copy_is_refused():
    for made, training in (([swing(0, 30)], [swing(1)]), ([swing(0)], [swing(1, 30)]), ([], [swing(1)])):
        with pytest.raises(FootlightError, match="longer"):
            diversity.closest(made, training)


def test_sets_that_cannot_be_compared_are_refused():
    with pytest.raises(FootlightError, match="two dances"):
        diversity.evaluate([swing(0)])
    other = swing(1)
    with pytest.raises(FootlightError, match="one rate"):
        diversity.evaluate([swing(0), Motion(other.rotations, other.root, 25.0)])

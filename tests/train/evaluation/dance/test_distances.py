"""Fréchet distances of whole sets, with intervals over songs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.formats.motion import MotionClip
from core.metrics import frechet
from core.metrics.classifier import cut
from core.metrics.diversity import mean_pairwise
from core.types import Beats
from tests.train.evaluation.material import swaying, untrained_classifier
from train.evaluation.dance import distances
from train.evaluation.dance.material import Capture
from train.evaluation.dance.measures import Clip
from train.evaluation.dance.sets import Reference, placed

SONGS = "uvwx"
BEATS = Beats(torch.zeros(0))


def dances(system: str, size: float) -> list[Clip]:
    """Two dances to each song, with the sway of their joints made ``size`` times as large."""
    found = []
    for number in range(2 * len(SONGS)):
        motion = swaying(80 + 10 * number, 12.0, number)
        root = motion.root * torch.tensor([size, 1.0, size])
        found.append(Clip(system, SONGS[number // 2], number % 2, BEATS, replace(motion, root=root)))
    return found


@pytest.fixture(scope="module")
def reference():
    clips = [swaying(70 + 13 * n, 16.0, 100 + n) for n in range(4)]
    return Reference([Capture(f"m{n}", "swing", "train", motion) for n, motion in enumerate(clips)])


@pytest.fixture(scope="module")
def found(reference):
    danced = {"first": dances("first", 1.0), "same": dances("same", 1.0), "far": dances("far", 6.0)}
    flat = Clip("flat", "u", 0, BEATS, MotionClip(torch.zeros(40, 14, 2), 30.0))
    return distances.compared(danced | {"flat": [flat]}, reference, "first")


def test_the_distance_is_that_of_the_whole_set(found, reference):
    whole = frechet.evaluate(
        [placed(clip.made) for clip in dances("first", 1.0)], [placed(clip.motion) for clip in reference.training]
    )
    for feature in "kg":
        known = found["first"]["intervals"][f"frechet.fid_{feature}"]
        assert known["mean"] == pytest.approx(whole[f"fid_{feature}"]) and known["units"] == len(SONGS)
        assert known["low"] < known["mean"] < known["high"]


def test_all_systems_get_the_same_draws(found):
    """So a system does not differ from its like at all, and one that moves otherwise does beyond doubt."""
    same, far = (found[name]["difference"]["frechet.fid_k"] for name in ("same", "far"))
    assert same["mean"] == same["low"] == same["high"] == 0
    assert 0 < far["low"] < far["mean"] < far["high"]
    assert found["first"]["difference"] == {} and "flat" not in found


def test_diversity_is_that_of_whole_dances_in_the_embedding(reference, found):
    """Without a classifier there is none; with one, a set whose dances are all alike has less than any other."""
    assert "embedding.diversity_inter" not in found["first"]["intervals"]
    classifier = untrained_classifier()
    several = dances("several", 1.0)
    same = [replace(clip, made=several[0].made) for clip in several]
    judged = replace(reference, classifier=classifier)
    danced = {"several": several, "same": same}
    apart = distances.compared(danced, judged, "several")["same"]["difference"]["embedding.diversity_inter"]
    means = torch.stack([classifier.embed(cut(clip.made)).mean(dim=0) for clip in several])
    assert apart["mean"] == pytest.approx(-mean_pairwise(means)) and apart["high"] < 0


def test_a_song_that_one_system_lacks_is_not_compared(reference):
    some = [clip for clip in dances("some", 1.0) if clip.song != "u"]
    found = distances.compared({"all": dances("all", 1.0), "some": some}, reference, "all")
    assert found["all"]["intervals"]["frechet.fid_g"]["units"] == len(SONGS) - 1
    assert np.isclose(found["some"]["difference"]["frechet.fid_g"]["mean"], 0)

"""Dances strung together from clips."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from core.types import Beats, Motion
from tests.train.evaluation.material import excerpt, swaying
from train.evaluation.dance import measures, retrieval, systems
from train.evaluation.dance.material import Capture


@pytest.fixture(scope="module")
def shelf():
    clips = [
        Capture(f"clip {n}", "swing", "train", swaying(bpm, seconds, n))
        for n, (bpm, seconds) in enumerate(((97, 9.0), (104, 8.0), (112, 10.0), (126, 9.0)))
    ]
    return retrieval.Shelf.of(clips, [])


def test_retrieval_is_on_the_beat_and_as_long_as_the_song(shelf):
    heard = excerpt(104)
    made = retrieval.retrieval_system(systems.parse("retrieval"), 30.0, shelf).dance(heard, 0)
    assert made.fps == 30.0 and made.frames == 600
    strict = measures.beat_measures(made, heard.beats)["f_hits_70ms"]
    assert strict["value"] > 0.8 and strict["value"] > strict["chance"] + 0.4


def test_retrieval_takes_the_nearest_tempo_and_other_seeds_take_others(shelf):
    heard = excerpt(112)
    beats = heard.beats.times.double().numpy()
    chosen = [retrieval.ranked(shelf, beats, np.zeros(80), 20.0, set(), seed).which for seed in range(4)]
    assert shelf.names[chosen[0]] == "clip 2" and len(set(chosen)) == 4
    made = [retrieval.strung(shelf, heard, seed, 0.25) for seed in (0, 0, 1)]
    assert torch.equal(made[0].rotations, made[1].rotations)
    assert not torch.equal(made[0].rotations, made[2].rotations)


def test_joins_keep_every_bone_and_jump_nowhere(shelf):
    heard = excerpt(104, 30.0)
    made = retrieval.strung(shelf, heard, 0, 0.25)
    assert made.seconds > 2 * max(body.motion.seconds for body in shelf.bodies)  # so there are two joins at least
    places = kinematics.forward(made.rotations.double(), made.root.double())
    for joint, parent in enumerate(SMPL22.parents):
        if parent >= 0:
            length = (places[:, joint] - places[:, parent]).norm(dim=-1)
            assert torch.allclose(length, SMPL22.offsets[joint].double().norm().expand_as(length), atol=1e-5)
    alone = [kinematics.forward(body.motion.rotations, body.motion.root) for body in shelf.bodies]
    fastest = max(float(path.diff(dim=0).norm(dim=-1).max()) for path in alone)
    assert float(places.diff(dim=0).norm(dim=-1).max()) < 2 * fastest
    assert torch.equal(made.contacts, made.contacts.clamp(0, 1))


def facing(degrees: float, place: tuple[float, float, float], stands: float) -> Motion:
    """Two seconds of a body that walks to where it looks, degrees from +z to +x."""
    heading = rotation.about("y", torch.full((60,), math.radians(degrees)))
    rotations = rotation.identity(60, 22)
    rotations[:, 0] = heading
    gone = torch.arange(60)[:, None] / 30 * torch.tensor((0.0, 0.0, 1.0))
    return Motion(rotations, torch.tensor(place) + rotation.rotate(heading, gone), 30.0, torch.full((60, 4), stands))


def test_a_clip_goes_on_where_the_one_before_looked_and_stood():
    """The second clip is turned by 90 degrees and moved; its height is its own. In the fade feet stand only in both."""
    before, after = facing(30.0, (1.0, 0.9, 2.0), 1.0), facing(120.0, (7.0, 1.0, -3.0), 0.0)
    made = retrieval.crossfaded(before, after, 48)
    assert made.frames == 48 + 60
    assert rotation.yaw(made.rotations[:, 0]).rad2deg().sub(30.0).abs().max() < 1e-3
    whole = facing(30.0, (1.0, 0.9, 2.0), 1.0)
    walked = whole.root[0] + torch.arange(108)[:, None] * (whole.root[1] - whole.root[0])
    assert (made.root - walked)[:, (0, 2)].abs().max() < 1e-4
    assert made.root[:48, 1].tolist() == pytest.approx([0.9] * 48) and made.root[60:, 1].tolist() == pytest.approx(
        [1.0] * 48
    )
    assert (made.root[1:, 1] >= made.root[:-1, 1] - 1e-6).all()
    assert made.contacts is not None and made.contacts[:48].min() == 1 and made.contacts[48:].max() == 0


def test_a_song_without_a_beat_is_refused_in_words(shelf):
    silent = excerpt(104)
    silent = replace(silent, heard=replace(silent.heard, beats=Beats(torch.zeros(0))))
    with pytest.raises(FootlightError, match="two beats"):
        retrieval.strung(shelf, silent, 0, 0.25)

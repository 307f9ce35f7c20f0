"""Performances whose measures are known: dances and lights that keep the beat, or each other, or neither."""

import math
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch

from core.light.song import Song
from core.motion import rotation
from core.motion.kinematics import forward
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.rhythm.features import Rhythm
from core.show.channels import ROLES, SHOW_FPS, SLICES
from core.show.show import Show
from core.theatre.space import Triple
from core.types import Beats, Motion
from tests.train.theatre_shows import pulsing
from train.evaluation.theatre import acts, report
from train.evaluation.theatre.acts import Act
from train.evaluation.theatre.judge import CLIP, Judge, clips_of, strangers
from train.evaluation.theatre.pictures import folded
from train.evaluation.theatre.scenes import Scene

SECONDS, FPS, PERIOD = 24.0, 30.0, 0.6
TIMES = torch.arange(PERIOD, SECONDS - 1, PERIOD, dtype=torch.float64)


def scene(number: int = 0, times: torch.Tensor = TIMES) -> Scene:
    rhythm = Rhythm(Beats(times, 60 / PERIOD), torch.zeros(1500), torch.ones(1500))
    frames = round(SECONDS * SHOW_FPS)
    heard = Song(SECONDS, rhythm.beats, np.ones(frames), np.zeros(frames), (), (), ())
    return Scene(f"song {number}", "noir", heard, rhythm, number)


def swinging(late: float = 0.0, size: float = 1.0) -> Motion:
    """Arms that are fastest on every beat, or ``late`` seconds after it, and that come to rest between beats."""
    clock = torch.arange(round(SECONDS * FPS)) / FPS - late
    turns = torch.zeros(len(clock), 22, 3)
    for name in ("left_shoulder", "right_shoulder"):
        turns[:, SMPL22.names.index(name), 2] = 0.5 * size * torch.sin(math.pi * clock / PERIOD)
    root = torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(len(clock), 1)
    return Motion(rotation.from_axis_angle(turns), root, FPS)


def lit(level: np.ndarray) -> Show:
    """A show whose roles all have this level (t,)."""
    values = pulsing(torch.zeros(0), len(level), SHOW_FPS, 0)
    for role in ROLES:
        values[:, SLICES[f"{role}_level"]] = level[:, None]
    return Show(values)


def act(motion: Motion | None = None, show: Show | None = None, number: int = 0) -> Act:
    show = show or Show(pulsing(TIMES, round(SECONDS * SHOW_FPS), SHOW_FPS, 0))
    return Act("theatre", scene(number), 0, motion or swinging(), show)


def dance_scores(motion: Motion) -> dict:
    return acts.dance_scores(forward(motion.rotations, motion.root), motion.fps, scene())


def light_scores(one: Act) -> dict:
    positions = forward(one.motion.rotations, one.motion.root)
    return acts.light_scores(one.show, positions, one.motion.fps, one.scene)


def test_who_strikes_is_on_the_beat_and_who_arrives_is_below_chance():
    strikes, arrives, still = (dance_scores(m) for m in (swinging(), swinging(late=PERIOD / 2), swinging(size=0.0)))
    assert strikes["bas"]["value"] > 0.95 and strikes["bas"]["calibrated"] > 0.9 > 0.5 > strikes["bas"]["chance"]
    assert arrives["bas"]["calibrated"] < 0 and arrives["energy_on_beats"] < 0.5 < 1.5 < strikes["energy_on_beats"]
    assert still["bas"]["value"] == still["bas"]["calibrated"] == 0  # no peaks: smooth, but nothing is danced
    assert still["ms"] == 1 and still["speed"] == 0 < strikes["speed"]


def test_the_energy_between_two_strong_beats_is_that_of_the_swing():
    """Speed is |cos| of half a turn from beat to beat, so energy over its mean is 1 + cos of a turn."""
    curve = folded([act()])
    place = (np.arange(len(curve)) + 0.5) / len(curve)
    assert np.abs(curve - (1 + np.cos(2 * np.pi * place))).max() < 0.2


def test_pulses_on_the_strong_beats_are_found_and_those_of_a_shifted_show_are_not():
    whole = light_scores(act())["pulse_f"]
    assert whole["value"] > 0.98 and whole["chance"] < 0.6
    halfway = pulsing(TIMES + PERIOD / 2, round(SECONDS * SHOW_FPS), SHOW_FPS, 0)
    assert light_scores(act(show=Show(halfway)))["pulse_f"]["value"] < 0.05


def test_light_that_follows_the_dance_is_told_from_the_same_light_elsewhere():
    clock = torch.arange(round(SECONDS * FPS)) / FPS
    motion = swinging()
    wilder = (0.5 - 0.5 * torch.cos(2 * math.pi * clock / 13))[:, None]
    turned = rotation.slerp(rotation.identity(22).expand_as(motion.rotations), motion.rotations, wilder)
    motion = replace(motion, rotations=turned)
    level = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(round(SECONDS * SHOW_FPS)) / SHOW_FPS / 13)
    follows = act(motion, lit(level))
    assert light_scores(follows)["energy"]["value"] > 0.95
    assert "energy" not in light_scores(acts.lit_by(follows, lit(np.full(len(level), 0.5)), "steady"))
    assert light_scores(acts.lit_by(follows, lit(1 - level), "against"))["energy"]["value"] < -0.95


def test_a_shifted_show_has_the_same_frames_and_a_shorter_one_begins_again():
    one = act()
    moved = acts.shifted(one, "shifted")
    turns = [
        k for k in range(one.show.frames) if np.array_equal(np.roll(one.show.values, k, axis=0), moved.show.values)
    ]
    assert len(turns) == 1 and one.show.frames / 4 <= turns[0] <= 3 * one.show.frames / 4
    assert moved.system == "shifted" and moved.motion is one.motion
    short = Show(one.show.values[:100])
    again = acts.lit_by(one, short, "again").show
    assert again.frames == one.show.frames and np.array_equal(again.values[100:200], short.values)


def test_clips_of_frames_in_another_order_have_the_same_mean_and_other_steps():
    frames = torch.randn(CLIP, 3, generator=torch.Generator().manual_seed(0)).cumsum(0)
    inside, mixed = clips_of(frames)[0], clips_of(frames[torch.arange(CLIP) * 7 % CLIP])[0]
    assert torch.allclose(inside[:3], mixed[:3]) and bool((mixed[3:] > inside[3:]).all())
    assert torch.equal(clips_of(torch.ones(40, 3))[:, 3:], torch.zeros(4, 3))


def test_shuffled_triples_of_strangers_agree_as_much_as_their_songs_do():
    def song(direction: int) -> Triple:
        vectors = torch.eye(3)[direction].repeat(5, 1)
        return vectors, vectors, vectors

    assert strangers({"a": song(0), "b": song(1)}) == pytest.approx(0)
    assert strangers({"a": song(0), "b": song(0)}) == pytest.approx(1)  # all alike: a cosine of 1 says nothing
    assert math.isnan(strangers({"a": song(0)}))


def test_a_set_of_frames_is_at_no_distance_from_itself():
    generator = torch.Generator().manual_seed(0)
    some = [replace(act(number=i), frames=torch.randn(80, 4, generator=generator).double()) for i in range(3)]
    other = [replace(one, frames=one.frames + torch.tensor([2.0, 0, 0, 0])) for one in some]
    same, apart = (report.frechet_of(who, some) for who in (some, other))
    assert same["fid"]["mean"] == pytest.approx(0, abs=1e-6) and same["fvd"]["mean"] == pytest.approx(0, abs=1e-6)
    assert apart["fid"]["mean"] == pytest.approx(4) and apart["fid"]["units"] == 3  # the means are 2 apart
    assert report.frechet_of([act(number=7)], some) == {}


def test_controls_take_the_light_of_others(monkeypatch):
    monkeypatch.setattr(acts, "measured", lambda one, _: one)

    def steady(system: str, level: float, number: int) -> Act:
        return replace(act(number=number, show=lit(np.full(375, level))), system=system)

    def levels(name: str) -> list[float]:
        return [float(one.show.part("front_level")[0]) for one in made[name]]

    ours, other, authored = (
        [steady(system, base + i / 10, i) for i in range(2)]
        for system, base in (("theatre", 0.1), ("default dance, light by theatre", 0.4), ("rules", 0.7))
    )
    made = report.controls(ours, other, authored, cast("Judge", None))
    assert levels("theatre, light shifted") == pytest.approx([0.1, 0.2])
    assert levels("theatre, light of another dance") == pytest.approx([0.4, 0.5])
    assert levels("default dance, light of another dance") == pytest.approx([0.1, 0.2])
    assert levels("theatre, random show") == pytest.approx([0.8, 0.7])
    assert levels("rules shifted") == pytest.approx([0.7, 0.8])
    alone = report.controls(ours, [], authored[:1], cast("Judge", None))
    assert set(alone) == {"theatre, light shifted", "rules shifted"}

"""What is compared: systems by name, and bodies slowed on beats."""

from dataclasses import replace

import pytest
import torch

from core.errors import FootlightError
from core.motion import rotation
from tests.train.evaluation.material import excerpt
from train.data import synthetic
from train.data.rates import MOTION_FPS
from train.evaluation.dance import systems
from train.evaluation.dance.material import Capture


def test_words_name_systems_and_their_options():
    assert systems.parse("some/folder=mine@guidance=1.5,steps=8") == systems.Asked(
        "some/folder", "mine", (("guidance", 1.5), ("steps", 8))
    )
    assert systems.parse("some/folder").name == "folder"
    assert systems.parse("slowing@amount=0.4").name == "slowing amount 0.4"
    for word, says in (
        ("default@speed=2", "no option"),
        ("slowing@guidance=2", "no option"),
        ("default@steps=many", "a number"),
        ("default@sampler=euler", "sampler"),
    ):
        with pytest.raises(FootlightError, match=says):
            systems.parse(word)


def test_slowing_slows_the_body_on_beats_by_its_amount():
    heard = excerpt(120)
    steady = synthetic.swing(120, int(20 * MOTION_FPS), 0.0, 0.8)
    walking = replace(steady, rotations=rotation.identity(steady.frames, 22), root=steady.root.clone())
    walking.root[:, 0] = torch.arange(steady.frames) / MOTION_FPS  # a metre a second
    clips = [Capture("walk", "walk", "val", walking)]
    beats = heard.beats.times.double().numpy()
    middle = (beats[3:-3] * 60).round().astype(int)
    for amount in (0.0, 0.4):
        made = systems.slowing_system(systems.parse(f"slowing@amount={amount}"), 60.0, clips).dance(heard, 0)
        speed = torch.gradient(made.root[:, 0])[0].numpy() * 60
        assert speed[middle].mean() == pytest.approx(1 - amount, abs=0.05)
        assert made.root[-30, 0] == pytest.approx((made.frames - 30) / 60, abs=0.1)
    with pytest.raises(FootlightError, match="amount"):
        systems.slowing_system(systems.parse("slowing@amount=1"), 60.0, clips)

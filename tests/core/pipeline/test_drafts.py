import math

import pytest
import torch

from core.motion import features, rotation
from core.motion.layouts import layout_named
from core.pipeline.drafts import DRAFTS, drafts_for, most_on_beat
from core.pipeline.targets import Targets
from core.types import Beats, Motion

FPS = 31.25
BEATS = Beats(torch.arange(1.0, 7.0, 0.5))


def swinging(late: float) -> torch.Tensor:
    """Features (250, c) of arms that swing for 8 s and turn back ``late`` seconds after every beat."""
    phase = 2 * math.pi * (torch.arange(250) / FPS - late)
    turns = torch.zeros(250, 22, 3)
    turns[:, 16, 1] = turns[:, 17, 1] = 0.6 * torch.cos(phase)
    root = torch.tensor([0.0, 0.9, 0.0]).expand(250, 3)
    return features.encode(Motion(rotation.from_axis_angle(turns), root, FPS), "smpl22-6d")


def targets(kept: torch.Tensor | None = None) -> Targets:
    """What is kept (t, c) of a swing that is off every beat; None is nothing."""
    off = swinging(0.25)
    kept = torch.zeros_like(off, dtype=torch.bool) if kept is None else kept
    return Targets(off, kept, layout_named("smpl22-6d"), FPS, torch.zeros(3))


@pytest.mark.parametrize("order", [(0.0, 0.1, 0.25), (0.25, 0.0, 0.1), (0.1, 0.25, 0.0)])
def test_the_draft_that_arrives_on_beats_is_chosen(order):
    drafts = torch.stack([swinging(late) for late in order])
    assert most_on_beat(drafts, targets(), BEATS) == order.index(0.0)


def test_of_drafts_that_cannot_be_told_apart_it_is_the_first():
    drafts = torch.stack([swinging(late) for late in (0.1, 0.0)])
    assert most_on_beat(drafts, targets(), Beats(torch.zeros(0))) == 0
    assert most_on_beat(drafts, targets(torch.ones(drafts[0].shape, dtype=torch.bool)), BEATS) == 0


def test_a_part_of_the_body_that_is_carried_along_has_one_draft():
    kept = torch.zeros_like(swinging(0.0), dtype=torch.bool)
    kept[:50] = True
    assert drafts_for(targets(kept)) == DRAFTS > 1
    kept[:, layout_named("smpl22-6d").slices["root_height"]] = True
    assert drafts_for(targets(kept)) == 1

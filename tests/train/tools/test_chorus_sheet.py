"""The pictures of a chorus and of moves: which stretches they show, and that the poses are those of the dances."""

import pytest
import torch
from PIL import Image

from core.errors import FootlightError
from core.motion import rotation
from core.results import Dance
from core.types import Beats
from tests.train.evaluation.material import swaying
from train.tools import chorus_sheet


def test_the_longest_stretch_that_returns_is_shown():
    first = torch.cat((torch.arange(50), torch.arange(10, 15), torch.arange(55, 60), torch.arange(20, 40)))
    assert chorus_sheet.longest_return(first) == (60, 20)
    with pytest.raises(FootlightError, match="comes again"):
        chorus_sheet.longest_return(torch.arange(50))


def test_dancers_are_turned_to_the_front_and_stand_in_one_place():
    motion = swaying(100.0, 2.0)
    turned = rotation.about("y", torch.linspace(0, 3, motion.frames))
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.mul(turned, rotations[:, 0])
    motion.root[:, 0] += torch.linspace(0, 5, motion.frames)
    spun = Dance(type(motion)(rotations, motion.root, motion.fps), Beats(torch.zeros(0)), {})
    plain = Dance(type(motion)(motion.rotations, motion.root, motion.fps), Beats(torch.zeros(0)), {})
    torch.testing.assert_close(chorus_sheet.facing_front(spun), chorus_sheet.facing_front(plain), atol=1e-5, rtol=0)


def test_the_picture_has_three_strips(model_folder, tmp_path, capsys):
    asked = chorus_sheet.ChorusSheet(seconds=60.0, poses=4, model=model_folder, out=tmp_path / "chorus.png")
    assert len(chorus_sheet.strips(asked)) == 3
    chorus_sheet.main(asked)
    assert capsys.readouterr().out.strip() == str(asked.out) and Image.open(asked.out).width > 100


def test_four_moves_of_eight_beats_are_the_beginning_of_the_dance(model_folder, tmp_path):
    asked = chorus_sheet.ChorusSheet(eights=True, seconds=30.0, model=model_folder, out=tmp_path / "eights.png")
    strips = chorus_sheet.strips(asked)
    one, again, _, other = strips.values()
    assert all(strip.shape == (8, 22, 3) for strip in strips.values())
    near, far = ((one[1:-1] - strip[1:-1]).norm(dim=-1).mean() for strip in (again, other))
    assert near < 0.9 * far
    chorus_sheet.main(asked)
    assert Image.open(asked.out).width > 100

"""The picture of styles at both qualities: poses on beats, a strip for each, and a model that has no teacher."""

import io

import pytest
import torch
from PIL import Image

from core.errors import FootlightError
from core.motion.kinematics import forward
from core.results import Dance
from core.types import Beats
from train.data.synthetic import swing
from train.tools import quality_sheets


@pytest.fixture(scope="module")
def dance():
    """Six seconds with a beat every half second."""
    motion = swing(120.0, 200, 0.0, 1.0)
    return Dance(motion, Beats(torch.arange(12) * 0.5, 120.0), {})


def test_poses_are_those_on_the_beats(dance):
    motion, poses = dance.motion, quality_sheets.on_beats(dance, 6)
    frames = [round(motion.fps * 0.5 * beat) for beat in range(4, 10)]
    assert torch.equal(poses, forward(motion.rotations, motion.root)[frames])
    assert len(quality_sheets.on_beats(dance, 20)) == 8


def test_the_picture_has_a_strip_for_each(dance):
    sizes = []
    for styles in (["pop"], ["pop", "salsa", "lock"]):
        made = {style: {"normal": dance, "fine": dance} for style in styles}
        sizes.append(Image.open(io.BytesIO(quality_sheets.picture(made, 4))).size)
    assert sizes[0][0] == sizes[1][0] and sizes[1][1] == pytest.approx(3 * sizes[0][1], abs=3)


def test_a_model_without_a_teacher_is_refused(model_folder, tmp_path):
    with pytest.raises(FootlightError, match="no teacher"):
        quality_sheets.main(quality_sheets.QualitySheets(model=model_folder, out=tmp_path / "picture.png"))

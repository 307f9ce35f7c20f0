from dataclasses import replace

import pytest
import torch

from core.config import TheatreConfig
from core.errors import FootlightError
from core.theatre.network import Theatre
from core.theatre.scheduler import Scheduler, over_frames


def told(shape, slices: int = 5):
    theatre = shape.theatre
    generator = torch.Generator().manual_seed(0)
    widths = (theatre.width, theatre.space, theatre.space)
    return [torch.randn(2, slices, width, generator=generator) for width in widths]


@pytest.fixture
def scheduler(shape):
    torch.manual_seed(0)
    return Scheduler(shape.theatre).eval()


def test_the_vector_depends_on_everything_that_is_told(scheduler, shape):
    music, motion, light = told(shape)
    accent, look = torch.tensor([0, 1]), torch.randn(2, shape.theatre.style)
    vector = scheduler(music, motion, light, accent, look)
    assert vector.shape == (2, 5, shape.theatre.steering)
    others = (
        (music + 1, motion, light, accent, look),
        (music, -motion, light, accent, look),
        (music, motion, -light, accent, look),
        (music, motion, light, 1 - accent, look),
        (music, motion, light, accent, None),
    )
    for other in others:
        assert float((scheduler(*other) - vector).detach().abs().amax(dim=(1, 2)).min()) > 1e-4


def test_a_slice_attends_by_what_it_hears(shape):
    """Without attention all slices are told the same of motion and light; with it they are not."""
    music, motion, light = told(shape)
    accent = torch.zeros(2, dtype=torch.long)
    for attends in (True, False):
        torch.manual_seed(0)
        scheduler = Scheduler(replace(shape.theatre, attention=attends))
        with torch.no_grad():
            scheduler.music.weight.zero_()
        vector = scheduler(music, motion, light, accent)
        assert bool((vector.std(dim=1).max() > 1e-4) == attends)


def test_slices_are_stretched_to_frames():
    slices = torch.tensor([[[1.0], [3.0]]])
    assert over_frames(slices, 4)[0, :, 0].tolist() == [1.0, 1.5, 2.5, 3.0]


def test_what_is_not_known_is_what_the_space_expects(shape):
    torch.manual_seed(0)
    theatre = Theatre(shape).eval()
    music, accent = torch.randn(1, 5, shape.theatre.width), torch.tensor([0])
    heard = theatre.space("music", music)
    motion = theatre.space.expected_motion(heard)
    light = theatre.space.expected_light(heard, motion)
    torch.testing.assert_close(
        theatre.steering(music, accent, 40), theatre.steering(music, accent, 40, motion=motion, light=light)
    )
    assert not torch.equal(theatre.steering(music, accent, 40), theatre.steering(music, accent, 40, light=-light))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steering": 12}, "8 heads cannot share a steering of 12"),
        ({"width": 30}, "4 heads cannot share a width of 30"),
        ({"accent": "stumble"}, "strike, arrive"),
    ],
)
def test_a_theatre_that_does_not_fit_says_why(change, words):
    with pytest.raises(FootlightError, match=words):
        TheatreConfig(**change)

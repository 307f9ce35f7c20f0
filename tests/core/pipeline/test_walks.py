import pytest
import torch

from core.pipeline.walks import by_steps

FPS = 30.0


@pytest.mark.parametrize("speed", [0.2, -0.5])
def test_a_shift_by_steps_goes_as_far_and_mostly_while_a_foot_travels(speed):
    times = torch.arange(300) / FPS
    shift = speed * torch.stack((times, torch.zeros(300)), 1)
    travels = (times % 1) < 0.5
    found = by_steps(shift, torch.where(travels, 1.05, 0.05), FPS)
    pace = found[:, 0].diff()[60:240] * FPS / speed
    assert float(pace[travels[61:241]].mean()) > 1.5 and float(pace[~travels[61:241]].mean()) < 0.5
    assert float((found - shift)[60:240].abs().max()) < 0.25 * abs(speed)
    assert torch.equal(found[:, 1], torch.zeros(300))


def test_at_an_even_pace_a_shift_is_what_it_was():
    shift = torch.randn(300, 2, generator=torch.Generator().manual_seed(0)).cumsum(0)
    smooth = torch.nn.functional.avg_pool1d(shift.T, 61, 1, 30, count_include_pad=False).T
    found = by_steps(smooth, torch.ones(300), FPS)
    assert float((found - smooth)[60:240].abs().max()) < 0.15 * float(smooth[60:240].std())

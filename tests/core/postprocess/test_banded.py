import pytest
import torch

from core.postprocess.banded import smoothest


@pytest.mark.parametrize("rest", [0.0, 1.0])
@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("frames", [4, 5, 6, 32, 40, 97])
def test_it_solves_the_problem_it_states(frames, order, rest):
    generator = torch.Generator().manual_seed(frames)
    values = torch.randn(frames, 3, generator=generator, dtype=torch.float64)
    weights = 50 * torch.rand(frames, generator=generator, dtype=torch.float64) * (torch.arange(frames) % 3 != 1)
    differences = torch.diff(torch.eye(frames, dtype=torch.float64), n=order, dim=0)
    matrix = torch.diag(weights + rest) + 2.5 ** (2 * order) * differences.T @ differences
    expected = torch.linalg.solve(matrix, weights[:, None] * values)
    assert torch.allclose(smoothest(values, weights, 2.5, order, rest), expected, atol=1e-9)


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_without_a_second_difference_each_frame_is_its_own(frames):
    values, weights = torch.ones(frames, 2), torch.full((frames,), 3.0)
    assert torch.allclose(smoothest(values, weights, 2.0), 0.75 * values)

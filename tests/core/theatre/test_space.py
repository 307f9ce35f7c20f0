import math
from itertools import combinations

import pytest
import torch
from torch.distributions import Independent, Normal
from torch.nn.functional import normalize

from core.theatre.space import (
    MODALITIES,
    Triple,
    UnifiedSpace,
    contrast,
    correlation,
    gaussian_log_density,
    orthogonality,
    shuffled_contrast,
)


@pytest.fixture
def space(shape):
    torch.manual_seed(0)
    return UnifiedSpace(shape.theatre)


def triple(n: int = 12, k: int = 8) -> Triple:
    music, motion, light = torch.randn(3, n, k, generator=torch.Generator().manual_seed(0))
    return normalize(music, dim=-1), normalize(motion, dim=-1), normalize(light, dim=-1)


def test_the_density_is_a_chain_of_gaussians(space):
    music, motion, light = triple()
    expected = Independent(Normal(space.music_mean, space.music_log_std.exp()), 1).log_prob(music)
    for conditional, given, u in (
        (space.motion, music, motion),
        (space.light, torch.cat([music, motion], dim=-1), light),
    ):
        expected = expected + Independent(Normal(conditional.mean(given), conditional.log_std.exp()), 1).log_prob(u)
    torch.testing.assert_close(space.log_density(music, motion, light), expected)


def test_deviations_are_bounded():
    far = gaussian_log_density(torch.zeros(1, 4), torch.zeros(4), torch.full((4,), -50.0))
    assert float(far) < 4 * 2.6


def test_projections_of_other_inputs_are_orthogonal(space):
    width, k = 16, 8
    with torch.no_grad():
        for index, name in enumerate(MODALITIES[:2]):
            weight = torch.zeros(k, width)
            weight[:, index * k : (index + 1) * k] = torch.eye(k)
            space.project[name].weight.copy_(3 * weight)
        space.project["light"].weight.copy_(space.project["music"].weight)
    torch.testing.assert_close(orthogonality(space), torch.tensor(k / 3))  # only music and light overlap


def test_correlation_counts_where_the_rhythm_is_intense():
    music, _, _ = triple()
    apart = (music, music, -music)
    intensity = torch.zeros(12)
    intensity[:3] = 1
    assert float(correlation((music, music, music), intensity)) == pytest.approx(0, abs=1e-6)
    assert float(correlation(apart, intensity)) == pytest.approx(4 / 3, abs=1e-5)
    mixed = torch.cat([music[:3], -music[3:]])
    assert float(correlation((music, music, mixed), intensity)) == pytest.approx(0, abs=1e-6)


def test_contrast_of_known_cosines():
    rows = torch.eye(6)
    expected = math.log(1 + 5 * math.exp(-1 / 0.2))
    assert float(contrast(rows, rows, 0.2)) == pytest.approx(expected, rel=1e-5)
    assert float(contrast(rows[:1].expand(6, -1), rows[:1].expand(6, -1), 0.2)) == pytest.approx(math.log(6), rel=1e-5)


def test_shuffled_triples_of_one_kind_cannot_be_told(space):
    music, motion, light = (vector[:1].expand(12, -1) for vector in triple())
    loss = shuffled_contrast(space, (music, motion, light), torch.Generator().manual_seed(0), shuffles=3)
    assert float(loss) == pytest.approx(math.log(7), rel=1e-5)


def test_learning_makes_shuffled_triples_less_likely_and_cosines_large(space):
    """Motion is a turned copy of music, and light one of both: after training their triples are told from shuffled."""
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(32, 16, generator=generator)
    told = [base @ torch.linalg.qr(torch.randn(16, 16, generator=generator)).Q for _ in MODALITIES]

    def vectors() -> Triple:
        music, motion, light = (space(name, x) for name, x in zip(MODALITIES, told, strict=True))
        return music, motion, light

    optimiser = torch.optim.Adam(space.parameters(), lr=1e-2)
    for step in range(60):
        now, draws = vectors(), torch.Generator().manual_seed(step)
        pairs = torch.stack([contrast(a, b, 0.2) for a, b in combinations(now, 2)])
        loss = shuffled_contrast(space, now, draws) + pairs.sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        music, motion, light = vectors()
        true, shuffled = space.log_density(music, motion, light), space.log_density(music, motion.roll(1, 0), light)
        assert float((true > shuffled).float().mean()) > 0.95
        assert all(float((a * b).sum(dim=-1).mean()) > 0.75 for a, b in combinations((music, motion, light), 2))
        assert float((space.expected_light(music, motion) * light).sum(dim=-1).mean()) > 0.6

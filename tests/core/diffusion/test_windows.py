import pytest
import torch

from core.diffusion.guidance import guided, guided_inside
from core.diffusion.sampler import sample
from core.diffusion.schedule import linear_sqrt
from core.diffusion.windows import windowed
from core.theatre.sampling import emphasised
from core.types import Condition

SCHEDULE = linear_sqrt()


def local(x_t, t, condition):
    """Looks at each frame alone, and at its whole condition."""
    y = 0.7 * x_t + 0.1 * (t / 1000).view(-1, 1, 1)
    told = condition.context["music"] + condition.rhythm.mean(-1, keepdim=True) + condition.style.sum(-1).view(-1, 1, 1)
    if condition.keep is not None:
        told = told * condition.keep.view(-1, 1, 1)
    return y + told + condition.observed_mask * condition.observed


def given(frames: int, batch: int = 2):
    generator = torch.Generator().manual_seed(frames)
    x, latents, observed = torch.randn(3, batch, frames, 4, generator=generator)
    rhythm, style = torch.randn(batch, frames, 10, generator=generator), torch.randn(batch, 3, generator=generator)
    mask = (torch.rand(batch, frames, 1, generator=generator) < 0.5).float()
    keep = torch.arange(batch) % 2 == 0
    return x, torch.arange(batch) * 400 + 5, Condition({"music": latents}, rhythm, style, observed, mask, keep)


@pytest.mark.parametrize("frames", [7, 32, 33, 64, 65, 100, 301])
@pytest.mark.parametrize(("overlap", "chunk"), [(16, 8), (0, 3), (20, 1)])
def test_what_is_local_is_unchanged(frames, overlap, chunk):
    x, t, condition = given(frames)
    result = windowed(local, 32, overlap, chunk)(x, t, condition)
    torch.testing.assert_close(result, local(x, t, condition), rtol=1e-5, atol=1e-5)


def test_windows_are_of_one_length_few_at_a_time_and_linear_in_number():
    calls = []

    def watched(x_t, t, condition):
        calls.append(tuple(x_t.shape[:2]))
        return local(x_t, t, condition)

    counts = []
    for frames in (1000, 2000, 4000):
        calls.clear()
        windowed(watched, 128, 64, chunk=4)(*given(frames))
        assert all(length == 128 and size <= 4 * 2 for size, length in calls)
        counts.append(sum(size for size, _ in calls))
    assert counts[1] - counts[0] == pytest.approx((counts[2] - counts[1]) / 2, abs=2)


def test_neighbours_are_faded_into_each_other():
    """Each window answers with a level of its own: the whole must go from one to the next without a jump."""

    def levels(x_t, t, condition):
        return torch.arange(x_t.shape[0]).view(-1, 1, 1).expand_as(x_t).float()

    result = windowed(levels, 64, 32)(torch.zeros(1, 160, 1), torch.zeros(1).long(), Condition())[0, :, 0]
    assert float(result[0]) == 0 and float(result[-1]) == 3
    assert (result.diff() >= 0).all() and float(result.diff().max()) < 0.06


def test_windows_agree_at_every_step_of_the_sampling():
    """What the sampler sees is one sequence: windows of a local denoiser walk the path of the unwindowed one."""
    x, _, condition = given(150)
    whole = sample(guided(local, 2.0), x, SCHEDULE, 6, "dpmpp", condition=condition)
    parts = sample(windowed(guided(local, 2.0), 32, 16), x, SCHEDULE, 6, "dpmpp", condition=condition)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_guidance_goes_around_or_inside():
    x, t, condition = given(90)
    inside = windowed(guided(local, 3.0), 32, 16)(x, t, condition)
    around = guided(windowed(local, 32, 16), 3.0)(x, t, condition)
    torch.testing.assert_close(inside, around, rtol=1e-5, atol=1e-5)


def inside(x_t, t, condition):
    """A network that is told the strength of guidance."""
    return local(x_t, t, condition) * condition.guidance.view(-1, 1, 1)


@pytest.mark.parametrize(
    "guide",
    [
        lambda scale: guided(local, scale),
        lambda scale: emphasised(local, scale, 0.5),
        lambda s: guided_inside(inside, s),
    ],
)
def test_every_sample_keeps_its_own_strength_of_guidance_in_all_windows(guide):
    (x, t, condition), strengths = given(90, batch=3), [1.0, 2.5, 5.0]
    mixed = windowed(guide(torch.tensor(strengths).view(-1, 1, 1)), 32, 16)(x, t, condition)
    for i, strength in enumerate(strengths):
        alone = windowed(guide(strength), 32, 16)(x, t, condition)
        torch.testing.assert_close(mixed[i], alone[i], rtol=1e-5, atol=1e-5)


def test_absent_parts_stay_absent():
    def bare(x_t, t, condition):
        assert condition == Condition()
        return x_t

    x = torch.randn(1, 100, 2)
    torch.testing.assert_close(windowed(bare, 32, 16)(x, torch.zeros(1).long(), Condition()), x)

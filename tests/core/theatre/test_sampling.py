import torch

from core.diffusion.guidance import guided
from core.diffusion.inpaint import pinned
from core.diffusion.sampler import sample
from core.diffusion.schedule import linear_sqrt
from core.rhythm.features import rhythm_features
from core.theatre.sampling import coarse_to_fine, emphasised, slice_means
from core.types import Beats, Condition

SCHEDULE = linear_sqrt(1000, 0.00085, 0.012)
BEATS = Beats(torch.arange(0, 4, 0.5), 120.0)
RHYTHM = rhythm_features(BEATS, torch.zeros(250), torch.zeros(250), 16, 16.0)[None]


def told_or_not(x_t, t, condition):
    """1 with a condition, 0 without."""
    return condition.keep[:, None, None].to(x_t).expand_as(x_t)


def test_guidance_is_stronger_on_beats():
    x, t = torch.zeros(1, 16, 2), torch.tensor([500])
    made = emphasised(told_or_not, 2.0, 0.5)(x, t, Condition(rhythm=RHYTHM))
    torch.testing.assert_close(made[0, [0, 8]], torch.full((2, 2), 3.0))
    torch.testing.assert_close(made[0, [4, 12]], torch.full((2, 2), 2.0))
    plain = guided(told_or_not, 2.0)(x, t, Condition(rhythm=RHYTHM))
    for condition, emphasis in ((Condition(rhythm=RHYTHM), 0.0), (Condition(), 0.5)):
        torch.testing.assert_close(emphasised(told_or_not, 2.0, emphasis)(x, t, condition), plain)


def test_what_is_coarse_has_the_means_of_its_slices():
    x = torch.randn(1, 16, 2, generator=torch.Generator().manual_seed(0))
    coarse = slice_means(x, 4)
    changes = coarse.diff(dim=1)[0]
    torch.testing.assert_close(changes[2:5], changes[2:3].expand(3, -1))  # straight from one middle to the next
    torch.testing.assert_close(coarse[0, [1, 2]].mean(dim=0), x[0, :4].mean(dim=0), atol=0.3, rtol=0.5)
    level = torch.ones(1, 10, 2)
    torch.testing.assert_close(slice_means(level, 4), level)


def test_the_look_enters_below_the_switch():
    heard = []

    def denoise(x_t, t, condition):
        heard.append((int(t[0]), condition.look is not None))
        return x_t

    coarse = coarse_to_fine(denoise, 1000, 0.5, 4)
    list(sample(coarse, torch.randn(1, 16, 2), SCHEDULE, 10, condition=Condition(look=torch.ones(1, 3))))
    assert [look for _, look in heard] == [t < 500 for t, _ in heard] and len({look for _, look in heard}) == 2


def test_what_is_known_comes_out_as_it_is():
    known = torch.randn(1, 16, 2, generator=torch.Generator().manual_seed(0))
    given = torch.zeros(1, 16, 2, dtype=torch.bool)
    given[:, 4:9] = given[:, :, 1] = True
    *_, made = sample(pinned(lambda x, t, c: 0.5 * x, known, given), torch.randn(1, 16, 2), SCHEDULE, 5)
    assert torch.equal(made[given], known[given]) and not torch.equal(made[~given], known[~given])

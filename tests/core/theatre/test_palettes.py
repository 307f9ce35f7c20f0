import numpy as np
import pytest
import torch

from core.light.look import shipped_looks
from core.show.channels import CHANNELS, ROLES, SLICES
from core.show.colour import srgb
from core.theatre.palettes import SURFACE_WEIGHT, palette_of_light, palette_of_look, rgb
from core.theatre.visual import colour_features
from train.data import synthetic
from train.data.lighting import rules


def test_colours_are_those_of_shows():
    draw = np.random.default_rng(0)
    angle, saturation, value = draw.uniform(0, 2 * np.pi, 50), draw.uniform(0, 1, 50), draw.uniform(0, 1, 50)
    hue = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    made = rgb(torch.from_numpy(3 * hue), torch.from_numpy(saturation), torch.from_numpy(value))
    np.testing.assert_allclose(made.numpy(), srgb(hue, saturation, value), atol=1e-9)


def test_a_role_counts_by_its_level():
    light = torch.zeros(1, 8, CHANNELS)
    light[..., SLICES["front_hue"].start] = 1
    light[..., SLICES["front_saturation"]] = 1
    light[:, 4:, SLICES["front_level"]] = 0.5
    colours, weights = palette_of_light(light)
    assert colours.shape == (1, 2 * (len(ROLES) + 4), 3)  # every fourth frame, and four paints
    lamps = weights.view(2, -1)[:, : len(ROLES)]
    assert lamps.sum() == 0.5 and lamps[1, 0] == 0.5 and bool((weights.view(2, -1)[:, -4:] == SURFACE_WEIGHT).all())
    torch.testing.assert_close(colours.view(2, -1, 3)[1, 0], torch.tensor([1.0, 0.0, 0.0]))


def test_a_look_has_the_colours_of_its_shows():
    """Of all looks, that of a show is the nearest or one of the nearest three by its colours."""
    looks = list(shipped_looks().values())
    own = torch.stack([colour_features(*palette_of_look(look)) for look in looks])
    pair, write = synthetic.pairs()["train"][3], rules(15.625)
    places = []
    for values, index in write(pair, range(10)):
        made = colour_features(*palette_of_light(torch.from_numpy(values)[None]))[0]
        order = (own - made).norm(dim=1).argsort().tolist()
        places.append(order.index(index))
    assert np.mean(places) < 2  # 4.5 by chance
    assert np.mean(np.array(places) < 3) >= 0.7


@pytest.mark.parametrize("name", ["noir", "disco"])
def test_a_look_becomes_a_palette(name):
    colours, weights = palette_of_look(shipped_looks()[name])
    assert float(colours.min()) >= 0 and float(colours.max()) <= 1 and len(colours) == len(weights)
    assert float(weights.min()) >= 0 and float(weights.sum()) > 0

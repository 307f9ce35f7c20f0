"""What is asked of a student while it is trained, against what it is asked for afterwards."""

from dataclasses import replace

import torch

from core.config import preset, with_styles
from train.tasks.paths import GUIDANCE, PathsConfig
from train.tasks.requests import Requests

NETWORK = with_styles(preset("tiny"), ("a", "b", "c")).denoisers["motion"]
CONFIG = PathsConfig(frames=16, shortest=16, steps=6, strength=(0.9, 1.6), guidance=(2.0, 5.0))


def song(length: int, value: float) -> dict:
    """Music whose frames are numbered."""
    clock = torch.arange(length, dtype=torch.float32)[:, None]
    rhythm = torch.cat((clock, torch.full((length, NETWORK.rhythm_channels - 1), value)), dim=1)
    return {"rhythm": rhythm, "context.music": clock.expand(-1, NETWORK.context["music"]), "style": 2}


def test_requests_are_for_parts_of_songs_in_single_styles():
    long, short = song(100, 0.0), song(8, 1.0)
    requests = Requests([long, short], torch.tensor([0, 2]), NETWORK, CONFIG)
    batch = requests.batch(2000, torch.Generator().manual_seed(0))
    assert batch["rhythm"].shape[1] == batch["context.music"].shape[1] == 16
    assert bool(batch["keep"].all()) and not bool(batch["observed_mask"].any()) and not bool(batch["observed"].any())

    whose, clock = batch["rhythm"][:, 0, 1], batch["rhythm"][..., 0]
    assert abs(float(whose.mean()) - 8 / 108) < 0.02  # each is asked for as often as it is long
    starts = clock[whose == 0][:, 0]
    assert float(starts.min()) == 0 and float(starts.max()) == 84 and abs(float(starts.mean()) - 42) < 2
    assert torch.equal(clock[whose == 0].diff(dim=1), torch.ones_like(clock[whose == 0][:, 1:]))
    assert torch.equal(clock, batch["context.music"][..., 0])  # both parts of one place
    assert clock[whose == 1].amax() == 7  # and the last frame goes on

    style, total = batch["style"].argmax(dim=1), batch["style"].sum(dim=1)
    assert set(style.tolist()) == {0, 2} and abs(float((style == 0).float().mean()) - 0.5) < 0.05
    assert torch.equal(batch["style"].amax(dim=1), total)
    for values, (low, high) in ((total, CONFIG.strength), (batch[GUIDANCE], CONFIG.guidance)):
        assert low <= float(values.min()) < low + 0.02 and high - 0.02 < float(values.max()) <= high


def test_the_same_seed_asks_for_the_same():
    requests = Requests([song(40, 0.0)], torch.tensor([1]), NETWORK, replace(CONFIG, strength=(1.0, 1.0)))
    first, again = (requests.batch(4, torch.Generator().manual_seed(5)) for _ in range(2))
    assert first.keys() == again.keys() and all(torch.equal(first[name], again[name]) for name in first)

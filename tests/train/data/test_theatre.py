from dataclasses import replace

import pytest
import torch

from core import config
from core.autoencoder.networks import autoencoder_of
from core.config import with_theatre
from core.config.theatre import ACCENTS
from core.show.channels import CHANNELS, SLICES
from core.theatre.slices import Slicing
from core.types import Beats
from tests.train.theatre_shows import pulsing, writer
from train.data import synthetic
from train.data.encoder import Encoder
from train.data.painted import SIZE, paint
from train.data.splits import seven_one_two
from train.data.theatre import Shows, crop, strength_on_frames, theatre_clips


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    shape = with_theatre(config.with_styles(config.preset("tiny"), ("bob", "swing")), ("noir", "disco"), "tiny")
    music, motion = (autoencoder_of(shape.modalities[name]) for name in ("music", "motion"))
    pairs = {split: some[:1] for split, some in synthetic.pairs().items()}
    shows, folder = Shows(writer(shape.latent_fps), each=3), tmp_path_factory.mktemp("triples")
    return shape, theatre_clips(pairs, Encoder(music), motion, shape, shows, folder)


def test_a_pair_becomes_a_clip_for_each_accent_and_mirror_image(clips):
    shape, made = clips
    assert len(made["train"]) == 2 * len(ACCENTS) and len(made["val"]) == len(ACCENTS)
    slicing, stride = Slicing.of(shape), shape.modalities["motion"].autoencoder.stride
    for clip in made["train"]:
        frames = len(clip["latents"])
        assert frames % slicing.latents == 0 and len(clip["rows"]) == frames // slicing.latents
        assert len(clip["features"]) == len(clip["strength"]) == frames * stride
        assert len(clip["shows"]) == 3 and all(light.shape == (frames, CHANNELS) for light, _ in clip["shows"])
    assert {clip["accent"] for clip in made["train"]} == {0, 1}
    assert [len(clip["shows"]) for clip in made["val"]] == [1, 1]


def test_shows_are_written_once_for_the_same_pair_and_seeds(tmp_path):
    shape = with_theatre(config.preset("tiny"), ("noir", "disco"), "tiny")
    music, motion = (autoencoder_of(shape.modalities[name]) for name in ("music", "motion"))
    pairs = {split: some[:1] for split, some in synthetic.pairs().items()}
    writes, asked = writer(shape.latent_fps), []

    def write(pair, seeds):
        asked.append(list(seeds))
        return writes(pair, seeds)

    def made(pairs):
        asked.clear()
        return theatre_clips(pairs, Encoder(music), motion, shape, Shows(write), tmp_path)

    first = made(pairs)
    assert asked == [[0, 1], [2, 3], [4], [5]]
    again = made(pairs)
    assert asked == []
    for split, some in first.items():
        assert len(some) == len(again[split])
        for one, other in zip(some, again[split], strict=True):
            assert torch.equal(one["latents"], other["latents"]) and torch.equal(one["rhythm"], other["rhythm"])
            for (light, look), (kept, known) in zip(one["shows"], other["shows"], strict=True):
                assert torch.equal(light, kept) and look == known
    higher = replace(pairs["val"][0], root=pairs["val"][0].root + 0.1)
    made({**pairs, "val": [higher]})
    assert asked == [[4], [5]]


def test_a_crop_beyond_the_end_repeats_the_last_slice(clips):
    shape, made = clips
    slicing, clip = Slicing.of(shape), made["train"][0]
    frames = len(clip["latents"])
    part = crop(clip, frames - slicing.latents, 3 * slicing.latents, slicing, 1, show=4)
    assert torch.equal(part["rows"], clip["rows"][-1:].float().expand(3, -1))
    light, look = clip["shows"][1]
    assert torch.equal(part["light"][slicing.latents :], light[-1:].float().expand(2 * slicing.latents, -1))
    assert int(part["look"]) == look and part["strength"][slicing.latents :].count_nonzero() == 0


def test_a_beat_is_strong_on_its_own_frame():
    beats = Beats(torch.tensor([0.32, 0.96, 1.6, 9.0]), 94.0, torch.tensor([True, False, False, True]))
    strength = strength_on_frames(beats, torch.ones(300), 60, 31.25)
    assert strength.nonzero()[:, 0].tolist() == [10, 30, 50], "and what is beyond the end is left out"


def test_a_picture_shows_the_colours_and_the_level_of_its_light():
    beats = torch.tensor([0.0])
    lit, dark = pulsing(beats, 60, 15.625, 0)[[0, -1]]
    bright, dim = (paint(values, torch.Generator().manual_seed(0)) for values in (lit, dark))
    assert bright.shape == (3, *SIZE) and float(bright.min()) >= 0 and float(bright.max()) <= 1
    assert float(bright.mean()) > 1.2 * float(dim.mean())
    assert float(bright[0].mean()) > 2 * float(bright[1].mean())  # the light is red
    side = lit.copy()
    for role in ("front", "side", "back", "follow", "backdrop", "top"):
        side[SLICES[f"{role}_across"]], side[SLICES[f"{role}_spread"]] = -1, 0
    left = paint(side, torch.Generator().manual_seed(0)).mean(dim=(0, 1))
    assert float(left[: SIZE[1] // 2].mean()) > 2 * float(left[SIZE[1] // 2 :].mean())


def test_the_papers_split_keeps_groups_together():
    pair = synthetic.pairs()["train"][0]
    many = [replace(pair, id=f"{group}-{take}", group=f"take {group}") for group in range(300) for take in range(2)]
    made = seven_one_two({"train": many, "val": []})
    shares = {name: len(some) / len(many) for name, some in made.items()}
    assert shares == pytest.approx({"train": 0.7, "val": 0.1, "test": 0.2}, abs=0.06)
    groups = [{one.group for one in some} for some in made.values()]
    assert sum(map(len, groups)) == len(set().union(*groups))
    again = seven_one_two({"train": many[::-1], "val": []})
    assert {one.id for one in again["val"]} == {one.id for one in made["val"]}

"""What an autoencoder keeps of movement, by decoders whose answer is known."""

import json
import math

import pytest
import torch

from core.config import preset
from core.errors import FootlightError
from train.bench import decoder
from train.bench.decoder import ALL, BANDS, Bench, band_powers
from train.data import synthetic

FPS = 32.0


@pytest.mark.parametrize(("hertz", "band"), [(1.0, 0), (2.0, 1), (4.0, 2), (6.5, 3), (10.0, 4)])
def test_an_oscillation_has_half_its_square_in_its_band(hertz, band):
    clock = torch.arange(513) / FPS
    positions = torch.zeros(len(clock), 2, 3)
    positions[:, :, 2] = 3.0 * clock[:, None]  # both travel, which does not count
    swing = 0.8 / (2 * math.pi * hertz) * torch.sin(2 * math.pi * hertz * clock)  # its velocity has amplitude 0.8
    positions[:, 1, 0] = swing
    powers = band_powers(positions, FPS)
    attenuation = (math.sin(math.pi * hertz / FPS) / (math.pi * hertz / FPS)) ** 2  # of the difference of two frames
    assert float(powers.sum()) == pytest.approx(0.32 * attenuation, rel=0.02)
    assert float(powers[band]) > 0.8 * float(powers.sum())  # a Hann window of two seconds is that blunt


class Kept:
    """An autoencoder that loses nothing, or all movement."""

    def __init__(self, still=False):
        self.still = still

    def encode_long(self, features):
        return features

    def decode_long(self, latents):
        if not self.still:
            return latents
        first = latents[:, :1].expand_as(latents).clone()
        first[..., 132:] = 0  # the slices after the rotations: velocities and contacts
        return first


@pytest.fixture
def with_decoder(monkeypatch):
    def use(vae):
        monkeypatch.setattr(decoder, "motion_vae_of", lambda _: (vae, preset("tiny")))
        monkeypatch.setattr(decoder, "load_pairs", lambda _, split: synthetic.pairs(seconds=12.0)[split])

    return use


def test_what_is_kept_whole_has_ratios_of_one(with_decoder, tmp_path, capsys):
    with_decoder(Kept())
    tables = decoder.main(Bench(tmp_path, ("whole",), split="train", out=tmp_path / "table.json"))
    assert json.loads((tmp_path / "table.json").read_text()) == tables
    rows = tables["whole"]
    assert rows.keys() == {ALL, *(pair.genre for pair in synthetic.pairs()["train"])}
    for row in rows.values():
        assert row.pop("cm") < 1e-3 and len(row) == 2 + len(BANDS)
        assert all(ratio == pytest.approx(1, abs=1e-3) for ratio in row.values())
    assert "0.5-1.5 Hz" in capsys.readouterr().out


def test_what_stands_still_has_none(with_decoder, tmp_path):
    with_decoder(Kept(still=True))
    row = decoder.main(Bench(tmp_path, ("still",), split="train"))["still"][ALL]
    assert row["cm"] > 1 and row["speed"] < 0.05 and row["1.5-3 Hz"] < 0.05


def test_takes_that_are_too_short_are_said(with_decoder, tmp_path):
    with_decoder(Kept())
    with pytest.raises(FootlightError, match="no take of val that is longer than 128 frames"):
        decoder.main(Bench(tmp_path, ("none",), exclude=("",)))

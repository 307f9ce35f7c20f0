"""The benchmark of a graphics card, with the processor in its place: what it counts and times, and what it says."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from train.bench import card, speed
from train.fabric import make_fabric
from train.loop import LoopConfig, Phase, set_up

BATCH, INPUTS, OUTPUTS = 4, 8, 6
LOOP = LoopConfig(batch=BATCH, precision="32-true", accelerator="cpu")


class Product(Phase):
    """One matrix, whose operations are known: 2 n i o forward, and as many for the gradient of its weights."""

    def __init__(self):
        super().__init__({"map": nn.Linear(INPUTS, OUTPUTS, bias=False)})

    def forward(self, batch, generator, step):
        return {"error": self.networks["map"](batch["x"]).square().mean()}


class ProductTask:
    name = "product"

    def __init__(self, asked):
        self.asked = asked
        self.phases: dict[str, Phase] = {"product": Product()}

    def batch(self, size, generator):
        self.asked.append(size)
        return {"x": torch.randn(size, INPUTS, generator=generator)}

    def validate(self, phases):
        return {}

    def pictures(self, phases):
        return {}


def test_the_operations_of_a_known_network_are_counted():
    asked = []
    row = card.training_row(set_up(ProductTask(asked), LOOP, make_fabric(LOOP.accelerator, LOOP.precision)), steps=2)
    assert row["operations"] == 4 * BATCH * INPUTS * OUTPUTS and row["parameters"] == INPUTS * OUTPUTS
    assert set(asked) == {BATCH} and len(asked) == 6  # one that is ready; three for warmth and two by the loop
    assert min(row["step"], row["busy"]) > 0


def test_both_tables_hold_what_was_measured(model_folder, monkeypatch, capsys, tmp_path):
    for module in (speed, card):
        monkeypatch.setattr(module, "SHORT", 5)
        monkeypatch.setattr(module, "LONG", 7)
    args = card.Bench(model_folder, "cpu", runs=1, presets=("tiny",), batches=(2, 4), steps=1, peak=0.5)
    found = card.main(replace(args, out=tmp_path / "rows.json"))
    assert json.loads((tmp_path / "rows.json").read_text()) == found
    made = [f"{seconds} s: {what}" for seconds in (5, 7) for what in ("dance", "music from motion", "dance and music")]
    assert [row["what"] for row in found["seconds"]] == made  # this model has no teachers
    two, four = found["training"]
    assert two["what"] == "tiny, 2 crops" and four["operations"] == pytest.approx(
        2 * two["operations"], rel=0.05
    )  # the positions' part is shared by the crops
    assert two["mfu"] == pytest.approx(two["operations"] / two["busy"] / 0.5e12)
    printed = capsys.readouterr().out
    assert "MFU is of 0.5 TFLOP/s." in printed and f"{found['seconds'][0]['card']:.3f}" in printed


def test_the_peak_is_that_of_a_product():
    assert 1e6 < card.measured_peak(torch.device("cpu"), size=64) < 1e14


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
def test_a_missing_card_is_one_line():
    told = subprocess.run([sys.executable, "-m", "train.bench.card"], capture_output=True, text=True)
    assert told.returncode == 2 and told.stderr.startswith("train.bench.card: there is no device 'cuda'")
    assert told.stderr.count("\n") == 1

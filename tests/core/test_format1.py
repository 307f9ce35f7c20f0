"""Models of the first format are read: a folder as it was written then, made from one of today and a golden file."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core import checkpoint, config, format1
from core.errors import FootlightError
from core.pipeline.model import Model
from core.types import Condition

GOLDEN = Path(__file__).parents[1] / "golden" / "model_format1.json"  # written by the last program of that format
OLD_NAMES = (("context_in.{}.", "condition_in."), ("context_out.{}.", "condition_out."))


def as_it_was(state: dict[str, torch.Tensor], heard: str) -> dict[str, torch.Tensor]:
    """The weights of a denoiser under the names that they had."""
    found = {}
    for key, value in state.items():
        for new, old in (*OLD_NAMES, ("null_context_{}", "null_latents")):
            key = key.replace(new.format(heard), old)
        found[key] = value
    return found


@pytest.fixture
def old_folder(model_folder, tmp_path) -> Path:
    """The tiny model of all tests, in the format of then."""
    folder = tmp_path / "old"
    folder.mkdir()
    shutil.copy(GOLDEN, folder / "config.json")
    for old, new in format1.NETWORKS.items():
        state = load_file(model_folder / f"{new}.safetensors")
        if new.startswith("denoiser"):
            state = as_it_was(state, "music" if new == "denoiser.motion" else "motion")
            assert {"null_latents", "condition_in.conv.weight", "condition_out.bias"} < set(state)
        save_file(state, folder / f"{old}.safetensors")
    return folder


def test_an_old_model_is_the_same_model(old_folder, model_folder):
    old, new = Model.load(old_folder, "cpu"), Model.load(model_folder, "cpu")
    assert old.config.modalities == new.config.modalities and old.config.denoisers == new.config.denoisers
    assert old.config.sampling == new.config.sampling and old.config.vocoder == new.config.vocoder
    assert (old.config.styles, old.config.style_shares) == (("salsa", "robot"), (0.75, 0.25))
    generator = torch.Generator().manual_seed(0)
    z, heard = torch.randn(2, 1, 20, 6, generator=generator)
    rhythm, step = torch.randn(1, 20, 10, generator=generator), torch.tensor([300])
    for name, other in (("motion", "music"), ("music", "motion")):
        told = Condition({other: heard}, rhythm, torch.tensor([[0.5, 0.5]]))
        answers = [model.denoisers[name](z, step, told) for model in (old, new)]
        # Weights that lie elsewhere in their file can be added in another order.
        torch.testing.assert_close(*answers, atol=1e-6, rtol=0)
        assert torch.equal(old.autoencoders[name].decode_long(z), new.autoencoders[name].decode_long(z))


def test_an_old_model_written_again_is_of_the_new_format(old_folder, tmp_path):
    saved = checkpoint.load(old_folder)
    assert saved.card == {"data": "none"} and set(saved.tensors) == set(format1.NETWORKS.values())
    checkpoint.save_folder(tmp_path / "new", saved.config, saved.tensors)
    document = json.loads((tmp_path / "new" / "config.json").read_text())
    assert document["version"] == 2 and not format1.is_old(document["config"])
    assert checkpoint.load(tmp_path / "new").config == saved.config
    Model.load(tmp_path / "new", "cpu")


def test_every_field_of_then_finds_its_place():
    values = json.loads(GOLDEN.read_text())["config"]
    values["signal"] |= {"motion_fps": 62.5, "motion_layout": "smpl22-directions"}
    values["motion_vae"] |= {"channels": 71, "halvings": 1}
    values["scorer"] = None
    made = config.read(values)
    assert made.modalities["motion"].representation == "smpl22-directions" and made.modalities["motion"].fps == 62.5
    assert set(made.denoisers) == {"motion"} and set(made.sampling) == {"motion", "music"}
    assert made.denoisers["motion"].context == {"music": 6}
    values["signal"] |= {"music": "features35", "hop_samples": 512}
    values["mel_vae"] |= {"channels": 35, "latent_channels": 6, "halvings": 0}
    assert config.read(values).modalities["music"].representation == "features35"
    assert config.read(values).modalities["music"].fps == 31.25


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.update(colour=1), "unknown field 'colour'"),
        (lambda v: v["sampling"].update(guidance_ramp=0.5), r"sampling\.guidance_ramp"),
        (lambda v: v["signal"].update(hop_samples=0), r"signal\.hop_samples: expected a whole number above 0"),
        (lambda v: v.update(denoiser=3), r"config\.denoiser: expected an object"),
        (lambda v: v["denoiser"].update(condition_channels="six"), r"denoisers\.motion\.context\.music: expected int"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(change, words):
    values = json.loads(GOLDEN.read_text())["config"]
    change(values)
    with pytest.raises(FootlightError, match=words) as error:
        config.read(values)
    assert "\n" not in str(error.value)

import json

import pytest
import torch

from core import checkpoint, config, records
from core.config import PRESETS, Config
from core.errors import FootlightError
from core.pipeline.model import find_model


@pytest.fixture
def folder(tmp_path):
    tensors = {"denoiser.motion": {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor([7])}}
    checkpoint.save_folder(tmp_path / "model", config.preset("tiny"), tensors, {"data": "none"})
    return tmp_path / "model"


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    preset = config.preset(name)
    assert records.from_json(Config, json.loads(json.dumps(records.to_json(preset))), "config") == preset


def test_a_model_comes_back(folder):
    model = checkpoint.load(folder)
    assert model.config == config.preset("tiny") and model.card == {"data": "none"}
    assert torch.equal(model.tensors["denoiser.motion"]["weight"], torch.arange(6.0).reshape(2, 3))
    assert model.tensors["denoiser.motion"]["count"].dtype == torch.int64
    assert not list(folder.glob("*.part"))


def edited(folder, change):
    path = folder / "config.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "damaged"),
        (lambda f: (f / "config.json").write_text("[]"), "not written by Footlight"),
        (lambda f: edited(f, lambda d: d.update(version=99)), "version 99"),
        (
            lambda f: edited(f, lambda d: d["config"]["denoisers"]["motion"].update(heads="two")),
            r"denoisers\.motion\.heads",
        ),
        (lambda f: edited(f, lambda d: d["config"].update(colour=1)), "colour"),
        (lambda f: edited(f, lambda d: d["config"].update(modalities=[1])), r"config\.modalities: expected an object"),
        (lambda f: (f / "denoiser.motion.safetensors").unlink(), "missing"),
        (lambda f: (f / "denoiser.motion.safetensors").write_bytes(b"abc"), "damaged"),
    ],
)
def test_a_bad_folder_is_one_clear_line(folder, damage, words):
    damage(folder)
    with pytest.raises(FootlightError, match=words) as error:
        checkpoint.load(folder)
    assert "\n" not in str(error.value)


def test_weights_must_fit(folder):
    with pytest.raises(FootlightError, match=r"denoiser\.motion"):
        checkpoint.load(folder).load_into("denoiser.motion", torch.nn.Linear(3, 2))
    with pytest.raises(FootlightError, match=r"no 'autoencoder\.music'"):
        checkpoint.load(folder).load_into("autoencoder.music", torch.nn.Linear(3, 2))


def test_the_embedded_model_says_what_it_read():
    """Its configuration comes back from JSON as it was written, to the last field."""
    document = json.loads((find_model() / "config.json").read_text())
    written = json.loads(json.dumps(records.to_json(config.read(document["config"]))))
    assert written == document["config"] and document["version"] == 2

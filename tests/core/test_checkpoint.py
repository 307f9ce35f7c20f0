import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from core import checkpoint, config, records
from core.autoencoder.networks import autoencoder_of
from core.config import PRESETS, Config
from core.diffusion.networks import denoiser_of
from core.errors import FootlightError
from core.pipeline.model import find_model
from core.theatre.network import Theatre
from core.vocoder.model import Vocoder


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
    ],
)
def test_a_bad_folder_is_one_clear_line(folder, damage, words):
    damage(folder)
    with pytest.raises(FootlightError, match=words) as error:
        checkpoint.load(folder)
    assert "\n" not in str(error.value)


def test_a_damaged_network_is_noticed_by_who_asks_for_it(folder):
    checkpoint.save_folder(folder, config.preset("tiny"), {"one": {"x": torch.ones(2)}, "other": {"x": torch.ones(3)}})
    (folder / "other.safetensors").write_bytes(b"abc")
    model = checkpoint.load(folder)
    assert torch.equal(model.tensors["one"]["x"], torch.ones(2))
    assert "other" in model.tensors and "third" not in model.tensors
    with pytest.raises(FootlightError, match=r"other\.safetensors is damaged") as error:
        model.network("other", lambda: nn.Linear(3, 1))
    assert "\n" not in str(error.value)


def test_a_network_of_another_shape_is_a_line_that_can_be_read(folder):
    checkpoint.save_folder(folder, config.preset("tiny"), {"one": {"x": torch.ones(2)}})
    with pytest.raises(FootlightError, match=r"weights of 'one' do not fit .* Missing key") as error:
        checkpoint.load(folder).network("one", lambda: nn.ModuleList(nn.Linear(3, 1) for _ in range(100)))
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_weights_must_fit(folder):
    with pytest.raises(FootlightError, match=r"denoiser\.motion"):
        checkpoint.load(folder).load_into("denoiser.motion", torch.nn.Linear(3, 2))
    with pytest.raises(FootlightError, match=r"no 'autoencoder\.music'"):
        checkpoint.load(folder).load_into("autoencoder.music", torch.nn.Linear(3, 2))


def test_a_network_is_read_without_being_drawn_first(folder):
    tensors = {"denoiser.motion": nn.Linear(3, 2).state_dict()}
    checkpoint.save_folder(folder, config.preset("tiny"), tensors)
    saved, state = checkpoint.load(folder), torch.get_rng_state()
    saved = replace(saved, tensors=dict(saved.tensors))  # each of them read once
    read = saved.network("denoiser.motion", lambda: nn.Linear(3, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert read.weight.data_ptr() == saved.tensors["denoiser.motion"]["weight"].data_ptr()
    assert torch.equal(read.weight, tensors["denoiser.motion"]["weight"])
    assert nn.Linear(3, 2).weight.std() > 0 and not torch.equal(torch.get_rng_state(), state)  # drawn again afterwards
    with pytest.raises(FootlightError, match=r"denoiser\.motion"):
        saved.network("denoiser.motion", lambda: nn.Linear(4, 2))


def test_networks_of_the_embedded_model_are_what_they_are_when_drawn_first():
    """The buffers too that are not saved but computed, such as the vocoder's filters."""
    saved = checkpoint.load(find_model())
    parts = saved.config
    assert parts.vocoder is not None
    makes: dict[str, Callable[[], nn.Module]]
    makes = {f"autoencoder.{name}": partial(autoencoder_of, part) for name, part in parts.modalities.items()}
    makes |= {f"denoiser.{name}": partial(denoiser_of, part) for name, part in parts.denoisers.items()}
    makes |= {f"teacher.{name}": partial(denoiser_of, part.denoiser) for name, part in parts.teachers.items()}
    makes["vocoder"] = partial(Vocoder, parts.vocoder, parts.signal)
    makes["theatre"] = partial(Theatre, parts)
    assert makes.keys() == saved.tensors.keys()
    for name, make in makes.items():
        drawn, read = saved.load_into(name, make()), saved.network(name, make)
        for wanted, found in zip(tensors_of(drawn), tensors_of(read), strict=True):
            assert wanted[0] == found[0] and torch.equal(wanted[1], found[1]), wanted[0]


def tensors_of(network):
    return [*network.named_parameters(), *network.named_buffers()]


def within(written, document):
    """What is written, with only those fields that the document has."""
    if not isinstance(document, dict):
        return written
    return {name: within(written[name], value) for name, value in document.items()}


def test_the_embedded_model_says_what_it_read():
    """Its configuration comes back from JSON as it was written. Fields that are younger than it have their defaults."""
    document = json.loads((find_model() / "config.json").read_text())
    read = config.read(document["config"])
    written = json.loads(json.dumps(records.to_json(read)))
    assert within(written, document["config"]) == document["config"] and document["version"] == 2
    assert config.read(written) == read

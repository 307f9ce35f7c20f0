"""BigVGAN on checkpoints that are written here from the published names, with random weights."""

import json
import math

import numpy as np
import pytest
import scipy.signal
import torch
from torch import nn
from torch.nn.utils import parametrizations

from core.config import SignalConfig
from core.errors import FootlightError
from core.vocoder.bigvgan import BigVGAN, kaiser_sinc
from core.vocoder.bigvgan_files import load, plain_weights

SETTINGS = {
    "resblock": "1",
    "upsample_rates": [8, 8, 2, 2],
    "upsample_kernel_sizes": [16, 16, 4, 4],
    "upsample_initial_channel": 32,
    "resblock_kernel_sizes": [3, 7],
    "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5]],
    "activation": "snakebeta",
    "snake_logscale": True,
    "num_mels": 80,
    "n_fft": 1024,
    "hop_size": 256,
    "win_size": 1024,
    "sampling_rate": 16000,
    "fmin": 0,
    "fmax": None,
    "num_workers": 4,
    "dist_config": {"world_size": 1},
}


def published(settings, new_spelling=False, seed=0):
    """The state of a generator by its published names, shapes written down one by one."""
    generator = torch.Generator().manual_seed(seed)
    state = {}

    def draw(*shape):
        return torch.randn(*shape, generator=generator) * 0.3

    def convolution(name, rows, columns, kernel, bias):
        v = draw(rows, columns, kernel)
        g = 0.3 + 0.5 * torch.rand(rows, 1, 1, generator=generator)
        names = ("parametrizations.weight.original0", "parametrizations.weight.original1")
        names = names if new_spelling else ("weight_g", "weight_v")
        state[f"{name}.{names[0]}"], state[f"{name}.{names[1]}"] = g, v
        if bias:
            state[f"{name}.bias"] = draw(bias) * 0.1

    def activation(name, channels):
        state[f"{name}.act.alpha"] = draw(channels)
        if settings["activation"] == "snakebeta":
            state[f"{name}.act.beta"] = draw(channels)
        state[f"{name}.upsample.filter"] = kaiser_sinc(0.25, 0.3, 12)
        state[f"{name}.downsample.lowpass.filter"] = kaiser_sinc(0.25, 0.3, 12)

    width = settings["upsample_initial_channel"]
    convolution("conv_pre", width, 80, 7, width)
    block = 0
    for index, kernel in enumerate(settings["upsample_kernel_sizes"]):
        convolution(f"ups.{index}.0", width, width // 2, kernel, width // 2)  # transposed: input channels first
        width //= 2
        for size in settings["resblock_kernel_sizes"]:
            groups = ("convs1", "convs2") if settings["resblock"] == "1" else ("convs",)
            for group in groups:
                for layer in range(3):
                    convolution(f"resblocks.{block}.{group}.{layer}", width, width, size, width)
            for layer in range(3 * len(groups)):
                activation(f"resblocks.{block}.activations.{layer}", width)
            block += 1
    activation("activation_post", width)
    convolution("conv_post", 1, width, 7, 1 if settings.get("use_bias_at_final", True) else 0)
    return state


def write(folder, settings=SETTINGS, state=None, **changes):
    settings = settings | changes
    (folder / "config.json").write_text(json.dumps(settings))
    state = published(settings) if state is None else state
    torch.save({"generator": state}, folder / "bigvgan_generator.pt")
    return folder / "bigvgan_generator.pt"


@pytest.fixture(scope="module")
def mel():
    return torch.randn(1, 30, 80, generator=torch.Generator().manual_seed(1)) - 5


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"activation": "snake", "snake_logscale": False},
        {"resblock": "2"},
        {"use_tanh_at_final": False, "use_bias_at_final": False},  # as in version 2
        {"fmax": 8000},
    ],
)
def test_a_published_layout_is_loaded_and_makes_sound(tmp_path, mel, changes):
    model = load(write(tmp_path, **changes), SignalConfig())
    sound = model(mel)
    assert sound.shape == (1, 30 * 256) and torch.isfinite(sound).all() and sound.std() > 0
    assert sound.abs().max() <= 1
    assert torch.equal(model.activation_post.act.alpha, published(SETTINGS | changes)["activation_post.act.alpha"])


def test_both_spellings_of_weight_norm_are_one_model(tmp_path, mel):
    (tmp_path / "new").mkdir()
    old = load(write(tmp_path), SignalConfig())
    new = load(write(tmp_path / "new", state=published(SETTINGS, new_spelling=True)), SignalConfig())
    assert torch.equal(old(mel), new(mel))


@pytest.mark.parametrize("layer", [nn.Conv1d(6, 4, 3), nn.ConvTranspose1d(6, 4, 3)])
def test_weight_norm_is_torchs(layer):
    normed = nn.ModuleDict({"layer": parametrizations.weight_norm(layer)})
    with torch.no_grad():
        layer.parametrizations.weight.original0.mul_(1.7)
    assert torch.allclose(plain_weights(normed.state_dict())["layer.weight"], layer.weight, atol=1e-6)


def test_the_low_pass_is_scipys():
    beta = scipy.signal.kaiser_beta(2.285 * 5 * math.pi * 1.2 + 7.95)
    ours = kaiser_sinc(0.25, 0.3, 12).flatten()
    np.testing.assert_allclose(ours, scipy.signal.firwin(12, 0.25, window=("kaiser", beta), fs=1.0), atol=1e-6)


@pytest.fixture
def activation(tmp_path):
    """x + sin^2(2 x) at twice the rate."""
    made = load(write(tmp_path), SignalConfig()).activation_post
    made.act.alpha.fill_(math.log(2.0))
    made.act.beta.fill_(0.0)
    return made


def test_activations_are_scipys_chain(activation):
    """Zeros in between, the filter, the nonlinearity, the filter, every other sample."""
    x = torch.randn(200, generator=torch.Generator().manual_seed(0))
    kernel = kaiser_sinc(0.25, 0.3, 12).flatten().double().numpy()
    wide = scipy.signal.upfirdn(2 * kernel, x.double().numpy(), up=2)[5:405]
    expected = np.convolve(wide + np.sin(2 * wide) ** 2, kernel)[6::2][:200]
    ours = activation(x.expand(1, len(activation.act.alpha), -1))[0, 0]
    np.testing.assert_allclose(ours[10:190], expected[10:190], atol=1e-5)


def test_activations_alias_less(activation):
    """The octave of a sine that lies above half the rate, and would fold back below it."""
    tone = torch.sin(2 * math.pi * 1229 / 4096 * torch.arange(4096))
    x = tone.expand(1, len(activation.act.alpha), -1)
    made, naive = (torch.fft.rfft(function(x)[0, 0]).abs() for function in (activation, activation.act))
    fold = 4096 - 2 * 1229
    assert naive[fold] > 0.1 * naive[1229] and made[fold] < 0.5 * naive[fold]


def test_long_mels_are_decoded_in_pieces_to_the_same_sound(tmp_path):
    model = load(write(tmp_path, resblock_kernel_sizes=[3, 5], upsample_initial_channel=16), SignalConfig())
    mel = torch.randn(1, 400, 80, generator=torch.Generator().manual_seed(2)) - 5
    assert max(256, 4 * (2 * model.reach + 2)) < 400
    whole = model(torch.cat([mel, mel[:, -1:]], dim=1))[:, 128 : 128 + 400 * 256]
    torch.testing.assert_close(model.decode_long(mel), whole, atol=1e-5, rtol=0)
    assert model.decode_long(mel[:, :0]).shape == (1, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampling_rate": 22050}, "another mel: sampling_rate 22050 .ours 16000"),
        ({"sampling_rate": 24000, "num_mels": 100, "fmax": 12000}, "num_mels 100"),
        ({"hop_size": 300}, "hop_size"),
        ({"fmax": 7600}, "fmax"),
        ({"upsample_rates": [8, 8, 2, 4], "upsample_kernel_sizes": [16, 16, 4, 8]}, "contradicts itself"),
        ({"upsample_kernel_sizes": [16, 16, 4]}, "equally long"),
        ({"upsample_kernel_sizes": [16, 16, 4, 3]}, "even number"),
        ({"upsample_rates": "8822"}, "must be a list"),
        ({"upsample_initial_channel": 36}, "halve"),
        ({"activation": "relu"}, "activation"),
        ({"resblock": "3"}, "resblock"),
    ],
)
def test_other_settings_are_refused_with_the_reason(tmp_path, changes, words):
    path = write(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(SETTINGS | changes))
    with pytest.raises(FootlightError, match=words) as caught:
        load(path, SignalConfig())
    assert "\n" not in str(caught.value)


def without(state, name):
    return {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda s: without(s, "ups.1.0.bias"), "lacks 'ups.1.0.bias'"),
        (lambda s: without(s, "conv_pre.weight_v"), "not 'conv_pre.weight_v'"),
        (lambda s: s | {"resblocks.99.convs1.0.bias": torch.zeros(2)}, "resblocks.99"),
        (lambda s: s | {"conv_post.bias": torch.zeros(2)}, "shape"),
        (lambda s: s | {"conv_pre.weight_g": torch.ones(5, 1, 1)}, "norms"),
        (lambda s: {"conv_pre.bias": 3}, "no 'generator'"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, damage, words):
    with pytest.raises(FootlightError, match=words):
        load(write(tmp_path, state=damage(published(SETTINGS))), SignalConfig())


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


def test_files_that_are_no_checkpoint_are_refused(tmp_path):
    path = write(tmp_path)
    torch.save({"generator": Trap()}, path)
    with pytest.raises(FootlightError, match="more than weights"):
        load(path, SignalConfig())
    for content in (b"", b"not a checkpoint", bytes(1000)):
        path.write_bytes(content)
        with pytest.raises(FootlightError, match="damaged"):
            load(path, SignalConfig())
    (tmp_path / "config.json").unlink()
    with pytest.raises(FootlightError, match=r"config\.json beside it"):
        load(path, SignalConfig())
    path.unlink()
    with pytest.raises(FootlightError, match="no such checkpoint"):
        load(path, SignalConfig())


def test_filters_may_be_left_out(tmp_path, mel):
    state = published(SETTINGS)
    whole = load(write(tmp_path), SignalConfig())(mel)
    bare = {name: value for name, value in state.items() if not name.endswith(".filter")}
    assert torch.equal(load(write(tmp_path, state=bare), SignalConfig())(mel), whole)
    assert isinstance(load(tmp_path / "bigvgan_generator.pt", SignalConfig()), BigVGAN)

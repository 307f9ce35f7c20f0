"""Onsets against mir_eval, FAD on random weights of the published layout, FAD-latent on a tiny autoencoder."""

import math

import librosa
import mir_eval
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from core import config
from core.audio.mel import log_mel
from core.autoencoder.networks import autoencoder_of
from core.config import SignalConfig
from core.errors import FootlightError
from core.metrics import audio, beat, vggish
from core.types import Beats, Waveform

# Names and shapes of the published PyTorch port of VGGish.
LAYOUT = {
    "features.0": (64, 1, 3, 3),
    "features.3": (128, 64, 3, 3),
    "features.6": (256, 128, 3, 3),
    "features.8": (256, 256, 3, 3),
    "features.11": (512, 256, 3, 3),
    "features.13": (512, 512, 3, 3),
    "embeddings.0": (4096, 12288),
    "embeddings.2": (4096, 4096),
    "embeddings.4": (128, 4096),
}


@pytest.fixture(scope="module")
def weights():
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in LAYOUT.items():
        bound = math.sqrt(6 / math.prod(shape[1:]))
        state[f"{name}.weight"] = torch.empty(shape).uniform_(-bound, bound, generator=generator)
        state[f"{name}.bias"] = torch.full((shape[0],), 0.01)
    return state


@pytest.fixture(scope="module")
def network(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("vggish") / "vggish.pth"
    torch.save({**weights, "pproc.pca_matrix": torch.eye(128)}, path)
    loaded = vggish.load(path)
    path.unlink()
    return loaded


def tone(hz, seconds=3.0, rate=16_000, noise=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    times = torch.arange(round(seconds * rate)) / rate
    samples = 0.4 * torch.sin(2 * math.pi * hz * times) + noise * torch.randn(times.shape, generator=generator)
    return Waveform(samples, rate)


def test_onset_f_is_mir_evals_and_knows_its_chance():
    rng = np.random.default_rng(0)
    for density in (2, 8):
        a, b = (np.sort(rng.uniform(0, 20, 20 * density)) for _ in range(2))
        found = audio.onset_f(torch.from_numpy(a), torch.from_numpy(b), 20.0)
        assert found["value"] == pytest.approx(mir_eval.onset.f_measure(b, a, window=0.07)[0], abs=1e-12)
        assert abs(found["calibrated"]) < 0.15  # strangers: dense ones match, and are no better than chance
        assert found["tolerance"] == 0.07
    own = audio.onset_f(torch.from_numpy(a), torch.from_numpy(a), 20.0)
    assert own["value"] == 1 and own["calibrated"] == pytest.approx(1)
    with pytest.raises(FootlightError, match="increasing"):
        audio.onset_f(torch.tensor([2.0, 1.0]), torch.tensor([1.0]), 4.0)


def test_tempos_agree_in_octaves_within_four_percent():
    assert audio.tempo_agreement(120, 120)["same"] == 1
    assert audio.tempo_agreement(124.7, 120)["same"] == 1 and audio.tempo_agreement(125, 120)["same"] == 0
    assert audio.tempo_agreement(61, 120) == audio.tempo_agreement(61, 120) | {"half": 1, "any": 1, "same": 0}
    assert audio.tempo_agreement(243, 120)["double"] == 1
    assert audio.tempo_agreement(90, 120)["any"] == 0 and audio.tempo_agreement(0, 0)["any"] == 0
    with pytest.raises(FootlightError, match="tempos"):
        audio.tempo_agreement(math.nan, 120)


def test_tempo_chance_is_that_of_random_tempos_of_one_octave():
    rng = np.random.default_rng(0)
    a, b = 74 * 2 ** rng.uniform(0, 1, (2, 4000))
    share = np.mean([audio.tempo_agreement(x, y)["any"] for x, y in zip(a, b, strict=True)])
    assert share == pytest.approx(audio.TEMPO_CHANCE, abs=0.015)


def test_music_on_kinematic_beats_scores_and_averages(make_song):
    """A body that rests twice a second under clicks twice a second, and under clicks of another tempo."""
    times = torch.arange(600, dtype=torch.float64) / 60
    swing = times - torch.sin(4 * math.pi * times) / (4 * math.pi)
    positions = torch.stack((swing, swing * 0, swing * 0), dim=-1)[:, None].repeat(1, 22, 1)
    beats = Beats(torch.arange(0, 10, 0.5, dtype=torch.float64), 120.0)
    on = audio.evaluate(make_song(10.0), positions, 60.0, beats, make_song(10.0), wanted_tempo=60.0)
    off = audio.evaluate(make_song(10.0, 97.0), positions, 60.0, beats, make_song(10.0), wanted_tempo=97.0)
    assert on["f_hits"]["calibrated"] > 0.8 > 0.3 > off["f_hits"]["calibrated"]
    assert on["f_reference"]["value"] == 1 and off["f_reference"]["value"] < 0.6
    assert on["tempo"]["double"] == on["tempo"]["any"] == 1 and off["tempo"]["any"] == 0
    both = beat.average([on, off])
    assert both["tempo"]["any"] == 0.5 and both["clips"] == 2 and both["fps"] == 60
    assert both["f_hits"]["value"] == pytest.approx((on["f_hits"]["value"] + off["f_hits"]["value"]) / 2)


def test_patches_are_log_mels_of_the_published_front_end():
    """Against librosa's short-time spectrum and triangles worked out band by band."""
    music = tone(1000.0, 2.5, noise=0.1)
    padded = np.concatenate([np.zeros(56, np.float32), music.samples.numpy(), np.zeros(56, np.float32)])
    spectrum = np.abs(librosa.stft(padded, n_fft=512, hop_length=160, win_length=400, window="hann", center=False)).T
    mel = 1127 * np.log(1 + np.arange(257) * 31.25 / 700)
    edges = np.linspace(1127 * np.log(1 + 125 / 700), 1127 * np.log(1 + 7500 / 700), 66)
    expected = np.zeros((len(spectrum), 64))
    for band in range(64):
        low, centre, high = edges[band : band + 3]
        triangle = np.maximum(0, np.minimum((mel - low) / (centre - low), (high - mel) / (high - centre)))
        expected[:, band] = np.log(spectrum @ triangle + 0.01)
    found = vggish.patches(music)
    assert found.shape == (2, 96, 64)
    assert np.allclose(found.flatten(0, 1).numpy(), expected[:192], atol=1e-3)
    resampled = vggish.patches(tone(1000.0, 2.5, 44_100))
    plain = vggish.patches(tone(1000.0, 2.5))
    assert (resampled.exp() - plain.exp()).abs().max() < 0.02 * plain.exp().max()
    assert len(vggish.patches(tone(440.0, 0.96))) == 0 and len(vggish.patches(tone(440.0, 0.975))) == 1


def test_embeddings_are_those_of_the_layout(weights, network):
    """The same weights through plain functions, channels last before the linear layers, no last activation."""
    music = tone(440.0, 2.0, noise=0.1)
    x = vggish.patches(music)[:, None]
    for name in LAYOUT:
        if name == "embeddings.0":
            x = x.permute(0, 2, 3, 1).reshape(len(x), -1)
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        x = functional.conv2d(x, weight, bias, padding=1) if weight.ndim == 4 else functional.linear(x, weight, bias)
        x = x if name == "embeddings.4" else x.relu()
        if name in ("features.0", "features.3", "features.8", "features.13"):
            x = functional.max_pool2d(x, 2)
    found = network.embed(music)
    assert found.shape == (2, 128) and torch.allclose(found, x, atol=1e-4)
    assert (found < 0).any()


def test_fad_orders_sets(network):
    real = [tone(hz, 2.0, noise=0.02, seed=hz) for hz in (220, 440)]
    near = [tone(hz, 2.0, noise=0.02, seed=hz) for hz in (230, 450)]
    far = [tone(hz, 2.0, noise=0.4, seed=hz) for hz in (3000, 60)]
    same = audio.fad(real, real, network)
    assert same["fad"] == pytest.approx(0, abs=1e-6) and same["patches"] == same["patches_real"] == 4
    assert 0 < audio.fad(near, real, network)["fad"] < audio.fad(far, real, network)["fad"]
    with pytest.raises(FootlightError, match="two patches"):
        audio.fad([tone(220.0, 1.0)], real, network)


def test_files_that_are_not_vggish_are_refused(tmp_path):
    with pytest.raises(FootlightError, match="no such file"):
        vggish.load(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(FootlightError, match="read safely"):
        vggish.load(tmp_path / "text.pth")
    torch.save({"a": tmp_path}, tmp_path / "code.pth")
    with pytest.raises(FootlightError, match="read safely"):
        vggish.load(tmp_path / "code.pth")
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    with pytest.raises(FootlightError, match="no table"):
        vggish.load(tmp_path / "list.pth")
    names = [f"{name}.{part}" for name in LAYOUT for part in ("weight", "bias")]
    state = {name: torch.zeros(1) for name in names}
    save_file(state, tmp_path / "shapes.safetensors")
    with pytest.raises(FootlightError, match=r"features.0.weight has shape \(1,\), expected \(64, 1, 3, 3\)"):
        vggish.load(tmp_path / "shapes.safetensors")
    save_file({**state, "extra": torch.zeros(1)}, tmp_path / "more.safetensors")
    with pytest.raises(FootlightError, match="also holds extra"):
        vggish.load(tmp_path / "more.safetensors")
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "less.safetensors")
    with pytest.raises(FootlightError, match=r"lacks embeddings\.0\.bias"):
        vggish.load(tmp_path / "less.safetensors")


def test_fad_latent_is_a_distance_on_our_latents(make_song):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = autoencoder_of(config.preset("tiny").modalities["music"]).eval()
    songs = [make_song(6.0, bpm) for bpm in (90.0, 100.0, 120.0)]
    vae.learn_from(torch.cat([log_mel(song.samples, SignalConfig()) for song in songs]))
    other = [make_song(6.0, bpm) for bpm in (95.0, 110.0, 125.0)]
    noise = [Waveform(0.3 * torch.randn(96_000, generator=torch.Generator().manual_seed(s)), 16_000) for s in (0, 1)]

    def apart(made: list[Waveform] | list[torch.Tensor]) -> dict[str, float]:
        return audio.fad_latent(*(audio.latent_patches(some, vae, SignalConfig()) for some in (made, songs)))

    assert apart(songs) == {"fad_latent": pytest.approx(0, abs=1e-9), "patches": 18, "patches_real": 18}
    near, far = (apart(some)["fad_latent"] for some in (other, noise))
    assert 0 < near < 0.2 * far
    mels = [log_mel(song.samples, SignalConfig()) for song in other]
    assert apart(mels)["fad_latent"] == pytest.approx(near)
    with pytest.raises(FootlightError, match="log-mels"):
        apart([torch.zeros(100, 64)])
    with pytest.raises(FootlightError, match="two patches"):
        apart([])

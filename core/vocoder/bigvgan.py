"""BigVGAN (Lee et al. 2023): a large neural vocoder, for users who have its weights.

This is the generator, and a loader for the published files: ``bigvgan_generator.pt``, which holds
``{"generator": state}``, beside its ``config.json``. Transposed convolutions upsample. After each of them follows the
mean of several residual stacks (anti-aliased multi-periodicity). Their activation x + sin^2(a x) / b runs at twice the
rate between two low-pass filters, because a periodic nonlinearity produces overtones above the Nyquist frequency.

Our mels differ by half a hop from HiFi-GAN's, on which BigVGAN is trained. Their frame i is centred on sample
``i * hop + hop / 2``, ours on ``i * hop``. ``decode_long`` corrects this.
"""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.audio.stft import check_mel
from core.config import SignalConfig
from core.errors import FootlightError
from core.layers.chunked import chunked

RATIO = 2  # oversampling of the activations
TAPS = 12  # of the oversampling filter
EPSILON = 1e-9  # in the denominator of the published activation
CHUNK = 256  # frames decoded at a time, at least


@dataclass(frozen=True)
class BigVGANConfig:
    """The architecture of the generator. The names are those of the published config.json."""

    upsample_rates: tuple[int, ...]
    upsample_kernel_sizes: tuple[int, ...]
    upsample_initial_channel: int
    resblock_kernel_sizes: tuple[int, ...]
    resblock_dilation_sizes: tuple[tuple[int, ...], ...]
    resblock: str = "1"  # "1": each dilated convolution is followed by a plain one; "2": it is not
    activation: str = "snakebeta"  # or "snake": one parameter per channel
    snake_logscale: bool = True  # parameters are stored as logarithms
    use_tanh_at_final: bool = True  # otherwise the output is clamped
    use_bias_at_final: bool = True
    num_mels: int = 80


class Snake(nn.Module):
    """The activation x + sin^2(a x) / b per channel; b = a if there is no ``beta`` (Ziyin et al. 2020)."""

    def __init__(self, channels: int, config: BigVGANConfig) -> None:
        super().__init__()
        start = torch.zeros(channels) if config.snake_logscale else torch.ones(channels)
        self.logscale = config.snake_logscale
        self.alpha = nn.Parameter(start.clone())
        if config.activation == "snakebeta":
            self.beta = nn.Parameter(start.clone())

    def forward(self, x: Tensor) -> Tensor:
        frequency, size = self.alpha[:, None], getattr(self, "beta", self.alpha)[:, None]
        if self.logscale:
            frequency, size = frequency.exp(), size.exp()
        return x + torch.sin(frequency * x).square() / (size + EPSILON)


class Upsample(nn.Module):
    """Doubles the rate: inserts zeros and applies the low-pass filter."""

    filter: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filter", kaiser_sinc(0.5 / RATIO, 0.6 / RATIO, TAPS))

    def forward(self, x: Tensor) -> Tensor:
        c, pad = x.shape[1], TAPS // RATIO - 1
        padded = functional.pad(x, (pad, pad), mode="replicate")
        wide = RATIO * functional.conv_transpose1d(padded, self.filter.expand(c, -1, -1), stride=RATIO, groups=c)
        cut = pad * RATIO + (TAPS - RATIO) // 2
        return wide[..., cut : wide.shape[-1] - (pad * RATIO + (TAPS - RATIO + 1) // 2)]


class LowPass(nn.Module):
    """Applies the low-pass filter and keeps every other sample."""

    filter: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filter", kaiser_sinc(0.5 / RATIO, 0.6 / RATIO, TAPS))

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (TAPS // 2 - 1, TAPS // 2), mode="replicate")
        return functional.conv1d(padded, self.filter.expand(x.shape[1], -1, -1), stride=RATIO, groups=x.shape[1])


class Downsample(nn.Module):
    """Halves the rate."""

    def __init__(self) -> None:
        super().__init__()
        self.lowpass = LowPass()

    def forward(self, x: Tensor) -> Tensor:
        return self.lowpass(x)


class Activation(nn.Module):
    """The Snake activation at twice the rate."""

    def __init__(self, channels: int, config: BigVGANConfig) -> None:
        super().__init__()
        self.act = Snake(channels, config)
        self.upsample = Upsample()
        self.downsample = Downsample()

    def forward(self, x: Tensor) -> Tensor:
        return self.downsample(self.act(self.upsample(x)))


def _same(channels: int, kernel: int, dilation: int) -> nn.Conv1d:
    return nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=(kernel - 1) * dilation // 2)


class Stack1(nn.Module):
    """AMP block of kind "1": for each dilation a residual branch with a dilated convolution and a plain one."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...], config: BigVGANConfig) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_same(channels, kernel, dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(_same(channels, kernel, 1) for _ in dilations)
        self.activations = nn.ModuleList(Activation(channels, config) for _ in range(2 * len(dilations)))

    def forward(self, x: Tensor) -> Tensor:
        for index, (first, second) in enumerate(zip(self.convs1, self.convs2, strict=True)):
            hidden = first(self.activations[2 * index](x))
            x = x + second(self.activations[2 * index + 1](hidden))
        return x


class Stack2(nn.Module):
    """AMP block of kind "2": for each dilation a residual branch with a dilated convolution."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...], config: BigVGANConfig) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_same(channels, kernel, dilation) for dilation in dilations)
        self.activations = nn.ModuleList(Activation(channels, config) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for convolution, activation in zip(self.convs, self.activations, strict=True):
            x = x + convolution(activation(x))
        return x


class BigVGAN(nn.Module):
    """The generator, from log-mels to samples. Module names are those of the published checkpoints."""

    def __init__(self, config: BigVGANConfig) -> None:
        super().__init__()
        self.config = config
        width = config.upsample_initial_channel
        stack = {"1": Stack1, "2": Stack2}[config.resblock]
        self.conv_pre = nn.Conv1d(config.num_mels, width, 7, padding=3)
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True):
            up = nn.ConvTranspose1d(width, width // 2, kernel, stride=rate, padding=(kernel - rate) // 2)
            self.ups.append(nn.ModuleList([up]))
            width //= 2
            for size, dilations in zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True):
                self.resblocks.append(stack(width, size, dilations, config))
        self.activation_post = Activation(width, config)
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=config.use_bias_at_final)

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return math.prod(self.config.upsample_rates)

    @property
    def reach(self) -> int:
        """The receptive field: frames to either side on which a frame's samples depend, rounded up."""
        config, frames, rate = self.config, 3.0, 1
        aliasing = TAPS // RATIO  # samples to either side that the two filters of an activation cover
        for up, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True):
            frames += kernel / up / rate
            rate *= up
            deepest = 0
            for size, dilations in zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True):
                plain = len(dilations) if config.resblock == "1" else 0
                seen = (size - 1) // 2 * (sum(dilations) + plain) + aliasing * (len(dilations) + plain)
                deepest = max(deepest, seen)
            frames += deepest / rate
        return math.ceil(frames + (3 + aliasing) / rate)

    def forward(self, mel: Tensor) -> Tensor:
        """Samples (b, t * hop) of a mel (b, t, m). Frame i is centred on sample ``i * hop + hop / 2``."""
        x = self.conv_pre(mel.transpose(1, 2))  #                     b c t
        stacks = len(self.config.resblock_kernel_sizes)
        for index, up in enumerate(self.ups):
            x = up.get_submodule("0")(x)
            together = (stack(x) for stack in self.resblocks[index * stacks : (index + 1) * stacks])
            x = sum(together, start=x.new_zeros(())) / stacks
        x = self.conv_post(self.activation_post(x))[:, 0]
        return torch.tanh(x) if self.config.use_tanh_at_final else x.clamp(-1, 1)

    @torch.no_grad()
    def decode_long(self, mel: Tensor) -> Tensor:
        """Samples (b, t * hop) of a mel (b, t, m) of ``core.audio.mel``, of any length, in constant memory.

        Frame i is centred on sample ``i * hop``. Raises FootlightError for another shape or values that are not finite.
        """
        check_mel(mel, SignalConfig(mel_bands=self.config.num_mels))
        b, total, _ = mel.shape
        if not total:
            return mel.new_zeros(b, 0)
        later = torch.cat([mel, mel[:, -1:]], dim=1)  # for the last half hop, after the shift by half a hop
        overlap = 2 * self.reach + 2

        def one(piece: Tensor) -> Tensor:
            return self(piece)[..., None]

        sound = chunked(one, later, self.hop, max(CHUNK, 4 * overlap), overlap, self.reach)[..., 0]
        return sound[:, self.hop // 2 : self.hop // 2 + total * self.hop]


def kaiser_sinc(cutoff: float, half_width: float, taps: int) -> Tensor:
    """A low-pass filter (1, 1, taps): a sinc under a Kaiser window, with sum 1.

    The shape of the window follows from the attenuation that Kaiser's formulas give for this width and length
    (Oppenheim & Schafer, 7.6).

    cutoff: cycles per sample.
    half_width: of the transition band, cycles per sample.
    taps: length of the filter.
    """
    attenuation = 2.285 * (taps // 2 - 1) * math.pi * 4 * half_width + 7.95
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    elif attenuation >= 21:
        beta = 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    else:
        beta = 0.0
    at = torch.arange(taps) - (taps - 1) / 2
    kernel = torch.kaiser_window(taps, periodic=False, beta=beta) * 2 * cutoff * torch.sinc(2 * cutoff * at)
    return (kernel / kernel.sum()).view(1, 1, taps)


def load(path: Path | str, config_path: Path | str | None = None, signal: SignalConfig | None = None) -> BigVGAN:
    """Load a generator from a published checkpoint.

    Nothing in the file is executed (``weights_only``). Every weight must be present and have the right shape.

    path: the generator's weights.
    config_path: its settings; None is ``config.json`` beside the weights.
    signal: our mel; None takes the defaults.

    Raises FootlightError for a missing or damaged file, another architecture, or settings of the mel other than ours: a
    vocoder works only on the mel that it was trained on.
    """
    path, signal = Path(path), signal or SignalConfig()
    if not path.is_file():
        raise FootlightError(f"{path}: there is no such checkpoint of a vocoder; give bigvgan_generator.pt")
    config_path = Path(config_path) if config_path else path.with_name("config.json")
    settings = _settings(config_path)
    _check_signal(settings, signal, config_path)
    model = BigVGAN(_config(settings, config_path))
    if model.hop != signal.hop_samples:
        raise FootlightError(
            f"{config_path}: upsample_rates come to {model.hop} samples a frame, hop_size is {signal.hop_samples}: "
            f"the file contradicts itself"
        )
    state = plain_weights(_state(path), path)
    expected = model.state_dict()
    for name in expected:
        if name not in state and name.endswith(".filter"):
            state[name] = expected[name]  # determined by the architecture; some exports omit it
    if missing := sorted(set(expected) - set(state)):
        raise FootlightError(
            f"{path}: lacks {missing[0]!r} ({len(missing)} weights in all): it is not the generator that "
            f"{config_path.name} describes; take both files from the same release"
        )
    if foreign := sorted(set(state) - set(expected)):
        raise FootlightError(
            f"{path}: holds {foreign[0]!r} ({len(foreign)} in all), which the generator that {config_path.name} "
            f"describes does not have; take both files from the same release"
        )
    for name, value in expected.items():
        if state[name].shape != value.shape:
            raise FootlightError(
                f"{path}: {name!r} has shape {tuple(state[name].shape)}, {config_path.name} asks for "
                f"{tuple(value.shape)}; take both files from the same release"
            )
    model.load_state_dict({name: value.float() for name, value in state.items()}, strict=True)
    return model.eval().requires_grad_(False)


def plain_weights(state: dict[str, Tensor], path: Path | str = "state") -> dict[str, Tensor]:
    """A state dict with weight normalisation multiplied out: w = g v / |v|, with |v| over all but the first axis.

    Both namings are understood: ``weight_g`` and ``weight_v``, and ``parametrizations.weight.original0`` and ``1``.

    state: name -> weight.
    path: the file, for messages.

    Raises FootlightError when a partner is missing or has another size.
    """
    plain = {}
    for name, value in state.items():
        if name.endswith((".weight_g", ".parametrizations.weight.original0")):
            old = name.endswith(".weight_g")
            stem = name.removesuffix(".weight_g" if old else ".parametrizations.weight.original0")
            partner = f"{stem}.weight_v" if old else f"{stem}.parametrizations.weight.original1"
            if partner not in state:
                raise FootlightError(f"{path}: has {name!r} but not {partner!r}: the file is damaged")
            v = state[partner].float()
            norm = v.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, *[1] * (v.ndim - 1))
            if value.numel() != v.shape[0]:
                raise FootlightError(f"{path}: {name!r} has {value.numel()} norms for {v.shape[0]} rows: it is damaged")
            plain[f"{stem}.weight"] = value.float().view_as(norm) * v / norm
        elif not name.endswith((".weight_v", ".parametrizations.weight.original1")):
            plain[name] = value
    return plain


def _state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FootlightError(f"{path}: no such file; give the path of a bigvgan_generator.pt")
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FootlightError(f"{path}: is damaged or holds more than weights ({reason}); download it again") from None
    state = document.get("generator") if isinstance(document, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise FootlightError(
            f"{path}: has no 'generator' with weights; give bigvgan_generator.pt, not the discriminator or optimiser"
        )
    return state


def _settings(path: Path) -> dict:
    try:
        settings = json.loads(path.read_text())
    except FileNotFoundError:
        raise FootlightError(f"{path}: no such file; put the checkpoint's config.json beside it") from None
    except (json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        raise FootlightError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(settings, dict):
        raise FootlightError(f"{path}: expected an object with the generator's settings")
    return settings


def _check_signal(settings: dict, signal: SignalConfig, path: Path) -> None:
    """Raises FootlightError unless every setting of the mel is the same as ours."""
    ours = {
        "sampling_rate": signal.audio_rate,
        "n_fft": signal.n_fft,
        "hop_size": signal.hop_samples,
        "win_size": signal.n_fft,
        "num_mels": signal.mel_bands,
        "fmin": 0,
        "fmax": signal.mel_fmax,
    }
    theirs = {name: settings.get(name) for name in ours}
    if theirs["fmax"] is None and isinstance(theirs["sampling_rate"], int):
        theirs["fmax"] = theirs["sampling_rate"] / 2  # null is half the rate
    wrong = [f"{name} {theirs[name]} (ours {value:g})" for name, value in ours.items() if theirs[name] != value]
    if wrong:
        raise FootlightError(
            f"{path}: this BigVGAN was trained on another mel: {', '.join(wrong)}. A vocoder turns only the mel it "
            f"learned into sound; use one trained at {signal.audio_rate} Hz with these settings, or Griffin-Lim"
        )


def _config(settings: dict, path: Path) -> BigVGANConfig:
    """The architecture of the generator, checked before a network is built from it."""

    def integers(name: str, value: Any, depth: int = 1) -> Any:
        if depth == 0:
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise FootlightError(f"{path}: {name} must hold whole numbers above 0, got {value!r}")
            return value
        if not isinstance(value, list) or not value:
            raise FootlightError(f"{path}: {name} must be a list, got {value!r}")
        return tuple(integers(name, item, depth - 1) for item in value)

    def choice(name: str, default: Any, allowed: tuple) -> Any:
        value = settings.get(name, default)
        if value not in allowed or isinstance(value, bool) != isinstance(default, bool):
            raise FootlightError(f"{path}: {name} is {value!r}; known are {', '.join(map(repr, allowed))}")
        return value

    config = BigVGANConfig(
        upsample_rates=integers("upsample_rates", settings.get("upsample_rates")),
        upsample_kernel_sizes=integers("upsample_kernel_sizes", settings.get("upsample_kernel_sizes")),
        upsample_initial_channel=integers("upsample_initial_channel", settings.get("upsample_initial_channel"), 0),
        resblock_kernel_sizes=integers("resblock_kernel_sizes", settings.get("resblock_kernel_sizes")),
        resblock_dilation_sizes=integers("resblock_dilation_sizes", settings.get("resblock_dilation_sizes"), 2),
        resblock=choice("resblock", "1", ("1", "2")),
        activation=choice("activation", "snakebeta", ("snakebeta", "snake")),
        snake_logscale=choice("snake_logscale", True, (True, False)),
        use_tanh_at_final=choice("use_tanh_at_final", True, (True, False)),
        use_bias_at_final=choice("use_bias_at_final", True, (True, False)),
        num_mels=integers("num_mels", settings.get("num_mels"), 0),
    )
    pairs = (("upsample_rates", "upsample_kernel_sizes"), ("resblock_kernel_sizes", "resblock_dilation_sizes"))
    for one, other in pairs:
        if len(getattr(config, one)) != len(getattr(config, other)):
            raise FootlightError(f"{path}: {one} and {other} must be equally long")
    if config.upsample_initial_channel % 2 ** len(config.upsample_rates):
        raise FootlightError(f"{path}: upsample_initial_channel must halve {len(config.upsample_rates)} times")
    if any(k < r or (k - r) % 2 for r, k in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True)):
        raise FootlightError(f"{path}: each upsample kernel must be its rate plus an even number")
    return config

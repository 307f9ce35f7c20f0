"""BigVGAN (Lee et al. 2023): a large neural vocoder, for users who have its weights.

This is the generator; ``core.vocoder.bigvgan_files`` reads its published files. Transposed convolutions upsample.
After each of them follows the mean of several residual stacks (anti-aliased multi-periodicity). Their activation x +
sin^2(a x) / b runs at twice the rate between two low-pass filters, because a periodic nonlinearity produces overtones
above the Nyquist frequency.

Our mels differ by half a hop from HiFi-GAN's, on which BigVGAN is trained. Their frame i is centred on sample
``i * hop + hop / 2``, ours on ``i * hop``. ``decode_long`` corrects this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.audio.stft import check_mel
from core.config import SignalConfig
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

"""A causal network over motion latents: the next frame from those before it and from the music, after Music2Dance.

Music2Dance (Zhuang et al. 2020, "DanceNet") carries WaveNet (van den Oord et al. 2016) over to dance: dilated causal
convolutions with gates, conditioned on the music of the same frame, tell the distribution of the next frame, from which
a dance is sampled frame by frame. Ours works on latents, and tells a mixture of Gaussians.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.nn import functional

from core.config import Config
from core.protocol import ACCENTS
from core.rhythm.features import with_spread_loudness
from core.types import Condition

LEAST_SCALE = 0.05  # of a component, in deviations of the latents, so that no frame is ever certain


@dataclass(frozen=True)
class CausalConfig:
    """The architecture.

    width: channels of a layer.
    dilations: of the layers, each of which sees a frame and one so many frames before it. Their sum is how far the
        network looks back.
    components: of the mixture.
    """

    width: int = 192
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 1, 2, 4, 8, 16, 32)
    components: int = 4


@dataclass(frozen=True)
class Mixture:
    """A mixture of diagonal Gaussians for every frame.

    logits: (b, t, k) of the components.
    mean: (b, t, k, z).
    scale: (b, t, k, z) standard deviations.
    """

    logits: Tensor
    mean: Tensor
    scale: Tensor

    def log_density(self, x: Tensor) -> Tensor:
        """The log density (b, t) of latents (b, t, z)."""
        components = Independent(Normal(self.mean, self.scale), 1)
        return MixtureSameFamily(Categorical(logits=self.logits), components).log_prob(x)

    def draw(self, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """Latents (b, t, z).

        temperature: scales all randomness; 0 is the mean of the likeliest component.
        """
        uniform = torch.rand(self.logits.shape, generator=generator).clamp_min(1e-9)
        gumbel = -(-uniform.log()).log()
        chosen = (self.logits.cpu() + temperature * gumbel).argmax(dim=-1, keepdim=True)[..., None].to(self.mean.device)
        mean, scale = (torch.take_along_dim(x, chosen, dim=2)[:, :, 0] for x in (self.mean, self.scale))
        return mean + temperature * scale * torch.randn(mean.shape, generator=generator).to(mean)


class GatedLayer(nn.Module):
    """A dilated causal convolution over two frames with a gate (WaveNet, eq. 2), a residual and a skip connection."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.seen = nn.Linear(2 * width, 2 * width)
        self.heard = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, 2 * width)

    def forward(self, x: Tensor, heard: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """The next layer's input (b, t, c), what goes to the output (b, t, c), and ``before`` for the next frames.

        x: (b, t, c).
        heard: (b, t, c) of the music.
        before: (b, dilation, c) the input of the frames before; None is zero, at the beginning.
        """
        if before is None:
            before = x.new_zeros(len(x), self.dilation, x.shape[-1])
        whole = torch.cat([before, x], dim=1)
        seen = torch.cat([whole[:, : x.shape[1]], x], dim=-1)
        value, gate = (self.seen(seen) + self.heard(heard)).chunk(2, dim=-1)
        residual, skip = self.out(value.tanh() * gate.sigmoid()).chunk(2, dim=-1)
        return x + residual, skip, whole[:, -self.dilation :]


State = list[Tensor]
"""By layer, the input of the frames that it still looks back to."""


class CausalNetwork(nn.Module):
    """The distribution of motion latents, each given those before it, and music, rhythm, style and accent.

    model: whose latents, rhythm and styles these are.
    """

    def __init__(self, model: Config, config: CausalConfig) -> None:
        super().__init__()
        denoiser, width = model.denoisers["motion"], config.width
        self.config, self.channels = config, denoiser.latent_channels
        self.loudness_power = denoiser.loudness_power
        heard = sum(denoiser.context.values()) + denoiser.rhythm_channels
        self.heard_in = nn.Sequential(nn.Linear(heard, width), nn.SiLU(), nn.Linear(width, width))
        self.told_in = nn.Linear(len(model.styles) + len(ACCENTS), width)
        self.motion_in = nn.Linear(self.channels, width)
        self.layers = nn.ModuleList(GatedLayer(width, dilation) for dilation in config.dilations)
        self.out = nn.Sequential(
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, config.components * (1 + 2 * self.channels)),
        )

    def hear(self, condition: Condition, accent: Tensor) -> Tensor:
        """What every layer hears of the condition (b, t, c).

        condition: context and rhythm, and the style if it is known.
        accent: (b,) what the dancer does on beats, an index in ``ACCENTS``.
        """
        heard = list(condition.context.values())
        if condition.rhythm is not None:
            heard.append(with_spread_loudness(condition.rhythm, self.loudness_power))
        told = functional.one_hot(accent, len(ACCENTS)).to(heard[0])
        unknown = told.new_zeros(len(told), self.told_in.in_features - len(ACCENTS))
        style = unknown if condition.style is None else condition.style
        return self.heard_in(torch.cat(heard, dim=-1)) + self.told_in(torch.cat([style, told], dim=-1))[:, None]

    def forward(self, previous: Tensor, heard: Tensor, state: State | None = None) -> tuple[Mixture, State]:
        """The distribution of each frame, and the state with which the next frames go on.

        previous: (b, t, z) the latents one frame before; zero before the first.
        heard: (b, t, c) of ``hear``, on the same frames.
        state: that of the frames before; None at the beginning.
        """
        x, total, after = self.motion_in(previous), None, []
        for layer, before in zip(self.layers, state or [None] * len(self.layers), strict=True):
            x, skip, kept = layer(x, heard, before)
            after.append(kept)
            total = skip if total is None else total + skip
        out = self.out(total).float().unflatten(-1, (self.config.components, 1 + 2 * self.channels))
        logits, mean, scale = out.split((1, self.channels, self.channels), dim=-1)
        return Mixture(logits[..., 0], mean, LEAST_SCALE + functional.softplus(scale)), after


def delayed(latents: Tensor) -> Tensor:
    """Latents (b, t, z) one frame later, zero at first: what has been when each frame is predicted."""
    return functional.pad(latents, (0, 0, 1, -1))


@torch.no_grad()
def sample(network: CausalNetwork, heard: Tensor, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
    """Latents (b, t, z), sampled frame by frame, each given those before it.

    heard: (b, t, c) of ``CausalNetwork.hear``.
    temperature: see ``Mixture.draw``.
    """
    frames, state = [heard.new_zeros(len(heard), 1, network.channels)], None
    for now in heard.split(1, dim=1):
        mixture, state = network(frames[-1], now, state)
        frames.append(mixture.draw(generator, temperature))
    return torch.cat(frames[1:], dim=1)

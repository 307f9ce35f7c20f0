"""The Transformer that denoises latents of one modality, conditioned on others (MoMu-Diffusion, section 4, table 9).

Tokens are concatenated along time: [time ; latents of each modality of the context ; noisy latents]. Frame t is the
same instant in all segments and has the same position. A learned vector distinguishes the segments.

Where the context is "added", its tokens are added to those of the noisy latents, which are then the only segment.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import DenoiserConfig
from core.diffusion.conditioning import ConditionedNetwork, TimeConv
from core.errors import FootlightError
from core.types import Condition


def segments_of(config: DenoiserConfig) -> int:
    """The number of segments of frames: the noisy latents, and one per modality of a concatenated context."""
    return len(config.context) + 1 if config.context_entry == "concatenated" else 1


def rotary_angles(frames: int, segments: int, head_channels: int, device: torch.device) -> Tensor:
    """Rotary angles (1 + segments * frames, head_channels / 2) of all tokens (Su et al. 2021).

    The time token has position 0; frame t has position t in every segment.

    frames: frames of a segment.
    segments: number of segments.
    head_channels: channels of an attention head.
    device: of the result.
    """
    frequency = 10_000.0 ** (-torch.arange(0, head_channels, 2, device=device) / head_channels)
    clock = torch.arange(frames, device=device, dtype=torch.float32)
    clock = torch.cat([clock[:1], clock.repeat(segments)])
    return clock[:, None] * frequency


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate pairs of channels (i, i + d / 2) of x (..., n, d) by angles with cosine and sine (n, d / 2)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Scaled dot-product attention (b, h, n, d).

    PyTorch's fused kernel for CPUs saves memory, but its backward pass is slow in bfloat16. Training on CPUs therefore
    uses plain products, which are a third faster at these lengths.

    query: (b, h, n, d).
    key: (b, h, n, d).
    value: (b, h, n, d).
    mask: broadcastable to (b, h, n, n), true where a token is attended to; None for all.
    """
    if query.device.type != "cpu" or not torch.is_grad_enabled():
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    alike = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if mask is not None:
        alike = alike.masked_fill(~mask, float("-inf"))
    return alike.softmax(dim=-1, dtype=value.dtype) @ value


class Attention(nn.Module):
    """Multi-head self-attention over all tokens, with a residual connection."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor, mask: Tensor | None, rotary: tuple[Tensor, Tensor] | None) -> Tensor:
        b, n, c = x.shape
        qkv = self.qkv(self.norm(x)).view(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)  #                           b h n d
        if rotary is not None:
            cos, sin = (part.to(query.dtype) for part in rotary)
            query, key = rotate(qkv[:2], cos, sin).unbind(0)
        mixed = attend(query, key, value, mask)
        return x + self.out(mixed.transpose(1, 2).reshape(b, n, c))


class FeedForward(nn.Module):
    """Two convolutions with a gate between them, with a residual connection.

    Segments are convolved separately, so the end of one does not leak into the start of the next. Padding stays zero.
    Dropout is used only here, because on a CPU it costs as much as a convolution.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        hidden = config.ff_multiplier * config.width
        self.dropout, self.segments = config.dropout, segments_of(config)
        self.norm = nn.LayerNorm(config.width)
        self.rise = TimeConv(config.width, 2 * hidden, config.ff_kernel)
        self.fall = TimeConv(hidden, config.width, config.ff_kernel)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        b, n, c = x.shape
        hidden = self.norm(x)
        token = self.fall.one(self._gate(self.rise.one(hidden[:, 0])))
        segments = hidden[:, 1:].reshape(self.segments * b, -1, c)  #  segments of one sample are adjacent
        if valid is not None:
            segments = segments * valid
        segments = self._gate(self.rise(segments))
        if valid is not None:
            segments = segments * valid
        segments = self.fall(segments).reshape(b, n - 1, c)
        out = torch.cat([token[:, None], segments], dim=1)
        return x + functional.dropout(out, self.dropout, self.training)

    @staticmethod
    def _gate(x: Tensor) -> Tensor:
        value, gate = x.chunk(2, dim=-1)
        return value * functional.silu(gate)


class Block(nn.Module):
    """Self-attentions and a feed-forward layer, each with pre-normalisation and a residual connection."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.attentions = nn.ModuleList(Attention(config) for _ in range(config.attentions))
        self.feed_forward = FeedForward(config)

    def forward(
        self, x: Tensor, valid: Tensor | None, mask: Tensor | None, rotary: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        for attention in self.attentions:
            x = attention(x, mask, rotary)
        return self.feed_forward(x, valid)


class Denoiser(ConditionedNetwork):
    """The Transformer.

    ``core.diffusion.parameterize`` defines what it predicts. Sequences have any length with rotary positions, and at
    most ``config.max_frames`` frames with learned ones.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        if config.positions not in ("learned", "rotary"):
            raise FootlightError(f"unknown positions {config.positions!r}: choose learned or rotary")
        if config.context_entry not in ("concatenated", "added"):
            raise FootlightError(f"unknown entry of context {config.context_entry!r}: choose concatenated or added")
        super().__init__(config)
        width = config.width
        self.segments = segments_of(config)
        self.segment = nn.Parameter(0.02 * torch.randn(1 + self.segments, width))  # time, contexts, latents
        if config.positions == "learned":
            self.position = nn.Parameter(0.02 * torch.randn(config.max_frames, width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, config.latent_channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, z_t: Tensor, step: Tensor, condition: Condition, valid: Tensor | None = None) -> Tensor:
        """The prediction (b, t, z) for noisy latents.

        z_t: (b, t, z) noisy latents.
        step: (b,) diffusion steps.
        condition: what the prediction is conditioned on.
        valid: (b, t) bool, false on padding, which does not affect other frames.

        Raises FootlightError for more frames than there are learned positions.
        """
        b, t, _ = z_t.shape
        rhythm = self._rhythm(condition, b, t)
        token = self._token(step, condition)  #                        b c
        frames = self._context_tokens(condition, rhythm, b, t, valid)
        frames.append(self._noisy_tokens(z_t, condition, rhythm, valid))
        if self.config.context_entry == "added":
            frames = [sum(frames)]
        if self.config.positions == "learned":
            if t > self.config.max_frames:
                raise FootlightError(
                    f"{t} frames are more than the {self.config.max_frames} positions this model has: use windows"
                )
            frames = [tokens + self.position[:t] for tokens in frames]
        time, *segments = self.segment
        x = [tokens + segment for tokens, segment in zip(frames, segments, strict=True)]
        x = torch.cat([(token + time)[:, None], *x], dim=1)  #         b 1+st c
        rotary = self._rotary(t, z_t.device)
        mask, apart = None, None
        if valid is not None:
            seen = torch.cat([valid.new_ones(b, 1), *[valid] * self.segments], dim=1)
            mask = seen[:, None, None, :]  #                           b 1 1 1+st
            apart = valid.repeat_interleave(self.segments, dim=0)[..., None]  # sb t 1
        for block in self.blocks:
            x = block(x, apart, mask, rotary)
        return self._skipped(self.out(self._modulated(self.norm(x[:, -t:]), condition)), z_t, step)

    def _rotary(self, t: int, device: torch.device) -> tuple[Tensor, Tensor] | None:
        if self.config.positions != "rotary":
            return None
        angles = rotary_angles(t, self.segments, self.config.width // self.config.heads, device)
        return angles.cos(), angles.sin()

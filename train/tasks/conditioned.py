"""What tasks on conditioned latents share: crops of clips, drawn so that rare styles come more often."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from core.config import Config
from core.errors import FootlightError
from train.data.crops import anywhere, continued, stacked

HELD_OUT = 32  # clips
CONTEXT = "context."  # before the name of a modality: its latents, in clips and batches


def context_of(parts: dict[str, Tensor]) -> dict[str, Tensor]:
    """The context latents of a clip or batch, by modality."""
    return {name.removeprefix(CONTEXT): value for name, value in parts.items() if name.startswith(CONTEXT)}


@dataclass(frozen=True)
class CropsConfig:
    """Crops, and how often which clips are drawn.

    frames: length of a training crop, in latent frames.
    shortest: clips of at least this length are padded to a crop.
    drop_style: share of samples with the default style.
    balance: 0 draws every minute of capture equally often, 1 every style. Between them, rare styles are drawn more
        often. What is trained without its style follows the shares of the capture all the same, because nobody asked
        for rare ones.
    style_weights: by style, how much each minute of its capture counts; 1 for those that are not named. 0.3 makes three
        minutes of a style count as one, as if there were no more of it.
    """

    frames: int = 96
    shortest: int = 48
    drop_style: float = 0.4
    balance: float = 0.5
    style_weights: dict[str, float] = field(default_factory=dict)


class ConditionedTask:
    """Draws crops of clips.

    name: in messages.
    context: whether what is trained needs clips with context.
    clips: by split, dicts with standardised ``latents`` (t, z), ``context.NAME`` (t, z') for each context modality,
        ``rhythm`` (t, r), and ``style``, the index of the style or -1 if unknown.

    Raises FootlightError when no clip is long enough, and for weights of unknown styles.
    """

    def __init__(
        self, name: str, model: Config, config: CropsConfig, clips: dict[str, list[dict]], context: bool = True
    ) -> None:
        self.name, self.model, self.crops = name, model, config
        self.train = [clip for clip in clips["train"] if len(clip["latents"]) >= config.shortest]
        self.val = [clip for clip in clips["val"] if len(clip["latents"]) >= config.shortest]
        if not any(context_of(clip) or not context for clip in self.train):
            seconds = config.shortest / model.latent_fps
            raise FootlightError(f"{name}: none of the training pairs lasts {seconds:.1f} s, the shortest it takes")
        if unknown := set(config.style_weights) - set(model.styles):
            raise FootlightError(
                f"style_weights name {', '.join(sorted(unknown))}: choose among {', '.join(model.styles) or 'none'}"
            )
        self.weights, self.anonymous = self.shares(self.train)

    def shares(self, clips: list[dict]) -> tuple[Tensor, Tensor]:
        """How often each clip is drawn, and how often it is trained without its style, relative to the most common."""
        lengths = torch.tensor([float(len(clip["latents"])) for clip in clips])
        lengths = lengths * torch.tensor([self.counts(clip) for clip in clips])
        styles = torch.tensor([clip["style"] for clip in clips])
        share = torch.stack([lengths[styles == style].sum() for style in styles])
        rarer = (share / share.max()) ** self.crops.balance
        return lengths / rarer, rarer

    def counts(self, clip: dict) -> float:
        """How much a minute of a clip counts."""
        style = clip["style"]
        return 1.0 if style < 0 else self.crops.style_weights.get(self.model.styles[style], 1.0)

    def pool(self, rhythm_alone: bool) -> tuple[list[dict], Tensor, Tensor]:
        """The clips that a batch is drawn from, and their ``shares``."""
        return self.train, self.weights, self.anonymous

    def crop(self, clip: dict, start: int, generator: torch.Generator | None) -> dict[str, Tensor]:
        """``frames`` frames of all parts of a clip, see ``padded``.

        Without a generator they are the same each time.
        """
        parts = {name: clip[name] for name in clip if name in ("latents", "rhythm") or name.startswith(CONTEXT)}
        return self.padded(parts, start, {})

    def padded(self, parts: dict[str, Tensor], start: int, strides: dict[str, int]) -> dict[str, Tensor]:
        """Every part (t * stride, ...) from frame ``start`` on, as long as a crop.

        ``valid`` says which frames are real. The others repeat the last one.
        """
        frames, crop = self.crops.frames, {}
        for name, values in parts.items():
            stride = strides.get(name, 1)
            piece = values[start * stride : (start + frames) * stride].float()
            crop[name] = continued(piece, frames * stride)
        length = min(frames, len(parts["latents"]) - start)
        return {**crop, "valid": torch.arange(frames) < length}

    def drawn(
        self, size: int, generator: torch.Generator, rhythm_alone: bool = False
    ) -> tuple[list[dict], list[dict[str, Tensor]], Tensor]:
        """Random clips, a random crop of each, and how often each is trained without its style (size,)."""
        clips, weights, anonymous = self.pool(rhythm_alone)
        chosen = torch.multinomial(weights, size, replacement=True, generator=generator)
        some, crops = [clips[index] for index in chosen.tolist()], []
        for clip in some:
            start = anywhere(len(clip["latents"]), self.crops.frames, generator)
            crops.append(self.crop(clip, start, generator))
        return some, crops, anonymous[chosen]

    def styles(self, clips: list[dict], anonymous: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """The styles of clips (b, count) as one-hot vectors, zero where a style is unknown or dropped."""
        style = torch.tensor([clip["style"] for clip in clips])
        one_hot = nn.functional.one_hot(style.clamp_min(0), count).float()
        kept = (torch.rand(len(clips), generator=generator) >= self.crops.drop_style * anonymous) & (style >= 0)
        return one_hot * kept[:, None]

    def beginnings(self, most: int) -> dict[str, Tensor]:
        """The beginnings of held-out clips as one batch, at most so many."""
        return stacked([self.crop(clip, 0, None) for clip in self.val[:most]])

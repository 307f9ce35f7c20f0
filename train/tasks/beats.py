"""The beat network: binary cross-entropy on the beats and downbeats of rendered music (see ``known_beats``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import convert_conv2d_weight_memory_format

from core.audio.beat_network import BANDS, BLOCKS, FPS, WIDTH, BeatNetwork, levels, loud
from core.errors import FootlightError
from train.data import shards
from train.data.dataset import BEATS
from train.loop import Phase

_FLOOR = -16.0  # natural logarithm of a magnitude that is silence


@dataclass(frozen=True)
class BeatsTaskConfig:
    """Crops, and how they are changed at random.

    frames: of a crop.
    width, blocks, dropout: of the network.
    stretch: a crop is played faster or slower by up to this factor.
    shift: and by so many mel bands higher or lower.
    tilt: standard deviation of a random equaliser, in nepers.
    noise: how loud noise may be relative to the music's loud passages, in nepers.
    downbeats: weight of the downbeats' loss.
    spread: standard deviation of a beat's target in frames.
    """

    frames: int = 2000
    width: int = WIDTH
    blocks: int = BLOCKS
    dropout: float = 0.1
    stretch: float = 1.2
    shift: int = 2
    tilt: float = 0.7
    noise: float = -2.5
    downbeats: float = 1.0
    spread: float = 1.2


@dataclass(frozen=True)
class Clip:
    """An excerpt: log mel magnitudes (t, m), and the frames (n,) of its beats and downbeats, which may be fractions."""

    level: Tensor
    beats: Tensor
    downbeats: Tensor


def load_clips(folder: Path) -> dict[str, list[Clip]]:
    """The excerpts of both splits. Raises FootlightError when there are none."""
    lines = shards.read_index(folder / BEATS)
    clips: dict[str, list[Clip]] = {}
    for split in ("train", "val"):
        some = [line for line in lines if line["split"] == split]
        if not some:
            raise FootlightError(f"{folder} holds no excerpts with known beats for {split}: run train.prepare --beats")
        records = shards.read_records(folder, some)
        clips[split] = [
            Clip(r["mel"], r["beats"].double() * FPS, r["beats"][r["downbeats"]].double() * FPS) for r in records
        ]
    return clips


def targets(at: Tensor, frames: int, spread: float) -> Tensor:
    """A curve (frames,) with a bump of height 1 at each instant (n,), which are frames and fractions."""
    if len(at) == 0:
        return torch.zeros(frames)
    clock = torch.arange(frames, dtype=torch.float64)
    right = torch.searchsorted(at, clock).clamp(max=len(at) - 1)
    distance = torch.minimum((at[right] - clock).abs(), (at[(right - 1).clamp_min(0)] - clock).abs())
    return torch.exp(-0.5 * (distance / spread) ** 2).float()


def _share(generator: torch.Generator) -> float:
    """A random number from 0 to 1."""
    return float(torch.rand(1, generator=generator))


class BeatsPhase(Phase):
    """Trains the beat network by the binary cross-entropy of each frame, of beats and of downbeats."""

    def __init__(self, network: BeatNetwork, config: BeatsTaskConfig) -> None:
        super().__init__({"beats": network})
        self.config = config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        logits = self.network("beats", BeatNetwork)(levels(batch["mel"])).float()
        loss = functional.binary_cross_entropy_with_logits(logits, batch["targets"], reduction="none").mean((0, 1))
        return {"beats": loss[0], "downbeats": self.config.downbeats * loss[1]}


class BeatsTask:
    """Trains the beat network.

    clips: by split.
    """

    name = "beats"

    def __init__(self, config: BeatsTaskConfig, clips: dict[str, list[Clip]]) -> None:
        self.config, self.clips = config, clips
        network = BeatNetwork(config.width, config.blocks, config.dropout)
        # with the channels last, a step in bf16 takes two thirds of the time
        convert_conv2d_weight_memory_format(network, torch.channels_last)
        self.phases: dict[str, Phase] = {"beats": BeatsPhase(network, config)}

    def start_from(self, weights: Path) -> None:
        """Give the network the weights of a ``beats.safetensors``. Raises FootlightError if they do not fit."""
        network = self.phases["beats"].network("beats", BeatNetwork)
        try:
            network.load_state_dict(load_file(weights))
        except (OSError, SafetensorError, RuntimeError):
            raise FootlightError(f"{weights}: does not hold the weights of a beat network of this size") from None

    def batch(self, size: int, generator: torch.Generator) -> dict:
        made = [self._crop(generator) for _ in range(size)]
        return {"mel": torch.stack([mel for mel, _ in made]), "targets": torch.stack([target for _, target in made])}

    def _crop(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A random crop (t, m) of mel magnitudes, changed at random, and its targets (t, 2)."""
        c = self.config
        clip = self.clips["train"][int(torch.randint(len(self.clips["train"]), (1,), generator=generator))]
        speed = c.stretch ** (2 * _share(generator) - 1) if _share(generator) < 0.5 else 1.0  # above 1 is faster
        length = min(round(c.frames * speed), len(clip.level))
        start = int(torch.randint(len(clip.level) - length + 1, (1,), generator=generator))
        level = clip.level[start : start + length].float()
        if speed != 1.0:
            level = functional.interpolate(
                level.T[None], size=round(length / speed), mode="linear", align_corners=False
            )[0].T
        level = functional.pad(level, (0, 0, 0, max(0, c.frames - len(level))), value=_FLOOR)[: c.frames]
        level = self._coloured(level, generator)
        beats = [targets((at - start) / speed, c.frames, c.spread) for at in (clip.beats, clip.downbeats)]
        return level.exp(), torch.stack(beats, dim=1)

    def _coloured(self, level: Tensor, generator: torch.Generator) -> Tensor:
        """Log magnitudes (t, m) at another pitch, through another equaliser, and with noise."""
        c = self.config
        by = int(torch.randint(-c.shift, c.shift + 1, (1,), generator=generator))
        if by:
            level = level.roll(by, dims=1)
            edge = slice(0, by) if by > 0 else slice(by, None)
            level[:, edge] = level[:, [by if by > 0 else by - 1]]
        knots = torch.randn(1, 1, 6, generator=generator) * c.tilt
        level = level + functional.interpolate(knots, size=BANDS, mode="linear", align_corners=True)[0, 0]
        if _share(generator) < 0.4:
            floor = loud(level.exp()).clamp_min(1e-7).log() + c.noise - 3.0 * _share(generator)
            floor = floor - torch.linspace(0, 2.0 * _share(generator), BANDS)
            noise = floor + 0.4 * torch.randn(level.shape, generator=generator)
            level = torch.logaddexp(level, noise)
        return level

    @torch.no_grad()
    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """Losses on whole excerpts, and the share of beats at which the network is surer than everywhere near them."""
        network = phases["beats"].network("beats", BeatNetwork)
        losses, hits = [], []
        for clip in self.clips["val"]:
            frames = len(clip.level)
            heard = network(levels(clip.level.float().exp()[None]))[0].float()
            wanted = torch.stack([targets(at, frames, self.config.spread) for at in (clip.beats, clip.downbeats)], 1)
            losses.append(functional.binary_cross_entropy_with_logits(heard, wanted, reduction="none").mean(0))
            sure = functional.max_pool1d(heard.T[None], 15, stride=1, padding=7)[0].T
            hits.append(
                torch.tensor(
                    [
                        float((sure[at.long().clamp(0, frames - 1), i] > 0).float().mean()) if len(at) else 0.0
                        for i, at in enumerate((clip.beats, clip.downbeats))
                    ]
                )
            )
        loss, hit = torch.stack(losses).mean(0), torch.stack(hits).mean(0)
        return {
            "beats": float(loss[0]),
            "downbeats": float(loss[1]),
            "beats_found": float(hit[0]),
            "downbeats_found": float(hit[1]),
        }

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        return {}

"""The first stage of theatre: each encoder alone, on tasks that need nothing but its own modality (section 5.1).

A third of the slices is hidden from an encoder. From its vectors, heads that are used in training alone predict what
the hidden slices held: of music its rhythm and spectrum, of motion its pose, momentum and energy and the dance's style,
of light its channels. The style encoder tells looks apart, and a picture of a frame has the vector of its palette.

The encoders share no weights, so one optimiser trains them as three would, but for the clipping of gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.errors import FootlightError
from core.motion.features import positions_from_features
from core.motion.layouts import layout_named
from core.rhythm.events import EVENTS
from core.theatre.network import Theatre, learn_scales
from core.theatre.palettes import palette_of_light
from core.theatre.slices import Slicing, motion_rows
from core.theatre.space import contrast
from train.data.crops import continued, stacked
from train.data.painted import paint
from train.data.theatre import crop
from train.loop import Phase

HELD_OUT = 32  # clips
SPECTRUM = 8  # bands of the spectrum that music is asked for
SCALES = 64  # clips from which encoders learn the scale of their input


@dataclass(frozen=True)
class StageConfig:
    """What the stages without diffusion have in common.

    frames: of a crop, in latent frames; whole slices.
    shortest: clips of fewer latent frames are left out.
    """

    frames: int = 96
    shortest: int = 48


@dataclass(frozen=True)
class EncodersTaskConfig(StageConfig):
    """Weights of the losses.

    hidden: share of slices that are hidden.
    music, motion, light: weights of what is predicted of each.
    genre: weight of the dance's style.
    category: weight of the look's category.
    alike: weight of the contrast between pictures and palettes.
    temperature: of that contrast.
    """

    hidden: float = 0.3
    music: float = 1.0
    motion: float = 1.0
    light: float = 1.0
    genre: float = 0.2
    category: float = 0.5
    alike: float = 0.2
    temperature: float = 0.2


class StageTask:
    """What the stages without diffusion have in common: crops of triples.

    clips: by split, as ``train.data.theatre.theatre_clips`` makes them.

    Raises FootlightError when no clip is long enough.
    """

    name: str
    phases: dict[str, Phase]

    def __init__(self, model: Config, config: StageConfig, clips: dict[str, list[dict]]) -> None:
        assert model.theatre is not None
        self.model, self.config, self.slicing = model, config, Slicing.of(model)
        self.stride = model.modalities["motion"].autoencoder.stride
        if config.frames % self.slicing.latents:
            raise FootlightError(
                f"crops of {config.frames} frames were asked for; expected a multiple of {self.slicing.latents}, the "
                "frames of a time slice"
            )
        self.train, self.val = ([c for c in clips[s] if len(c["latents"]) >= config.shortest] for s in ("train", "val"))
        if not self.train or not self.val:
            raise FootlightError(
                f"none of the training or of the held-out pairs lasts {config.shortest / model.latent_fps:.1f} s, the "
                "shortest that theatre takes"
            )
        self.lengths = torch.tensor([float(len(clip["latents"])) for clip in self.train])

    def one(self, clip: dict, start: int, show: int) -> dict[str, Tensor]:
        """A crop of one clip from a latent frame on, with its features and style."""
        frames, start = self.config.frames, start // self.slicing.latents * self.slicing.latents
        features = clip["features"][start * self.stride : (start + frames) * self.stride].float()
        return {
            **crop(clip, start, frames, self.slicing, self.stride, show),
            "features": continued(features, frames * self.stride),
            "style": torch.tensor(clip["style"]),
        }

    def batch(self, size: int, generator: torch.Generator) -> dict:
        crops = []
        for index in torch.multinomial(self.lengths, size, replacement=True, generator=generator).tolist():
            clip = self.train[index]
            room = max(0, len(clip["latents"]) - self.config.frames)
            start, show = (
                int(torch.randint(most, (1,), generator=generator)) for most in (room + 1, len(clip["shows"]))
            )
            crops.append(self.one(clip, start, show))
        return {**stacked(crops), "pictures": pictures_of(crops, generator)}

    def held_out(self, device: torch.device) -> dict:
        """The beginnings of the held-out clips as one batch."""
        crops = [self.one(clip, 0, 0) for clip in self.val[:HELD_OUT]]
        batch = {**stacked(crops), "pictures": pictures_of(crops, torch.Generator().manual_seed(0))}
        return {name: value.to(device) for name, value in batch.items()}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        return {}


def pictures_of(crops: list[dict[str, Tensor]], generator: torch.Generator) -> Tensor:
    """A painted picture (b, 3, h, w) of the middle frame of each crop's light."""
    return torch.stack([paint(one["light"][len(one["light"]) // 2].numpy(), generator) for one in crops])


class Inputs(nn.Module):
    """A batch as the encoders take it. It has no weights of its own.

    light_vae: normalises light.
    """

    def __init__(self, model: Config, light_vae: Autoencoder) -> None:
        super().__init__()
        motion = model.modalities["motion"]
        self.fps, self.layout, self.slicing = motion.fps, layout_named(motion.representation), Slicing.of(model)
        self.light_vae = light_vae.requires_grad_(False).eval()

    def motion(self, features: Tensor) -> Tensor:
        """Rows (b, s, c) of motion features (b, t, c)."""
        positions = positions_from_features(features.float(), self.fps, layout=self.layout)
        return motion_rows(positions, self.fps, self.slicing)

    def light(self, values: Tensor) -> Tensor:
        """Normalised light (b, t, c)."""
        return self.light_vae.normalise(values.float())


class Heads(nn.Module):
    """What is predicted of each slice from its vector. Used in training alone."""

    def __init__(self, model: Config) -> None:
        super().__init__()
        assert model.theatre is not None
        width, light = model.theatre.width, model.modalities["light"].autoencoder.channels
        self.music = nn.Linear(width, len(EVENTS) + 1 + SPECTRUM)
        self.motion = nn.Linear(width, 22 * 4)
        self.light = nn.Linear(width, light)
        self.genre = nn.Linear(width, max(1, len(model.styles)))


class EncodersPhase(Phase):
    """Trains each encoder to tell the slices that are hidden from it, and the style encoder to tell looks."""

    def __init__(self, theatre: Theatre, heads: Heads, inputs: Inputs, config: EncodersTaskConfig) -> None:
        super().__init__({"theatre": theatre, "heads": heads}, inputs=inputs)
        self.config = config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        c, theatre, heads = self.config, self.network("theatre", Theatre), self.network("heads", Heads)
        inputs: Inputs = self.borrowed.inputs
        rows, light = batch["rows"], inputs.light(batch["light"])
        moves = inputs.motion(batch["features"])
        slicing = theatre.slicing
        hidden = torch.rand(rows.shape[:2], generator=generator, device=generator.device).to(rows.device) < c.hidden
        told = {
            "music": (theatre.music(masked(rows, hidden)), heads.music, music_target(theatre, rows)),
            "motion": (theatre.motion(masked(moves, hidden)), heads.motion, motion_target(theatre, moves)),
            "light": (
                theatre.light(masked(light, hidden.repeat_interleave(slicing.latents, dim=1))),
                heads.light,
                light.unflatten(1, (-1, slicing.latents)).mean(dim=2),
            ),
        }
        losses = {
            name: getattr(c, name) * (head(vectors).float() - target).square().mean()
            for name, (vectors, head, target) in told.items()
        }
        known = batch["style"] >= 0
        if bool(known.any()):
            genre = heads.genre(told["motion"][0].mean(dim=1))[known].float()
            losses["genre"] = c.genre * functional.cross_entropy(genre, batch["style"][known])
        return {**losses, **self.styles(theatre, batch)}

    def styles(self, theatre: Theatre, batch: dict) -> dict[str, Tensor]:
        """Losses of the style encoder."""
        c = self.config
        palettes = theatre.style.of_palettes(*palette_of_light(batch["light"]))
        middle = batch["light"].shape[1] // 2
        frames = theatre.style.of_palettes(*palette_of_light(batch["light"][:, middle : middle + 1]))
        pictures = theatre.style.of_pictures(batch["pictures"])
        logits = [theatre.style.categories(style).float() for style in (palettes, pictures)]
        category = torch.stack([functional.cross_entropy(one, batch["look"]) for one in logits]).mean()
        right = torch.stack([(one.argmax(dim=1) == batch["look"]).float().mean() for one in logits])
        return {
            "category": c.category * category,
            "alike": c.alike * contrast(pictures.float(), frames.float(), c.temperature),
            "_right_palettes": right[0],
            "_right_pictures": right[1],
        }


def masked(x: Tensor, hidden: Tensor) -> Tensor:
    """The sequence (b, n, c), zero where it is hidden (b, n)."""
    return x * ~hidden[..., None]


def music_target(theatre: Theatre, rows: Tensor) -> Tensor:
    """What music is asked for (b, s, 12): the strongest event of each kind, the level, and eight bands."""
    frames, events, _ = theatre.slicing.unpack_music(rows)
    frames = ((frames - theatre.music.mean) / theatre.music.std).unflatten(1, (-1, theatre.slicing.mels)).mean(dim=2)
    bands = functional.adaptive_avg_pool1d(frames, SPECTRUM)
    return torch.cat([events.amax(dim=2), frames.mean(dim=-1, keepdim=True), bands], dim=-1)


def motion_target(theatre: Theatre, rows: Tensor) -> Tensor:
    """What motion is asked for (b, s, 88): the mean place of each joint and its energy, normalised."""
    joints = (theatre.slicing.unpack_motion(rows) - theatre.motion.mean) / theatre.motion.std
    means = joints.unflatten(1, (-1, theatre.slicing.moves)).mean(dim=2)
    return torch.cat([means[..., :3], means[..., 9:]], dim=-1).flatten(2)


class EncodersTask(StageTask):
    """Trains the encoders.

    light_vae: normalises light.
    """

    def __init__(
        self, model: Config, config: EncodersTaskConfig, light_vae: Autoencoder, clips: dict[str, list[dict]]
    ) -> None:
        super().__init__(model, config, clips)
        self.name, theatre, inputs = "theatre-encoders", Theatre(model), Inputs(model, light_vae)
        theatre.scheduler.requires_grad_(False)
        theatre.space.requires_grad_(False)
        theatre.denoisers.requires_grad_(False)
        self.learn_scales(theatre, inputs)
        self.phases = {"theatre": EncodersPhase(theatre, Heads(model), inputs, config)}

    def learn_scales(self, theatre: Theatre, inputs: Inputs) -> None:
        crops = [self.one(clip, 0, 0) for clip in self.train[:: max(1, len(self.train) // SCALES)]]
        batch = stacked(crops)
        frames, _, _ = self.slicing.unpack_music(batch["rows"])
        joints = self.slicing.unpack_motion(inputs.motion(batch["features"]))
        learn_scales(theatre, frames.flatten(0, 1), joints.flatten(0, 1))

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """The losses on held-out clips, and how often the look is recognised in palettes and in pictures."""
        phase = phases["theatre"]
        device = next(phase.networks.parameters()).device
        losses = phase(self.held_out(device), torch.Generator(device=device).manual_seed(0), 0)
        return {name.lstrip("_"): float(value) for name, value in losses.items()}

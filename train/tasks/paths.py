"""The paths on which a teacher carries noise to dances or to music, drawn once and kept on disk.

They serve many epochs of distillation (``train.tasks.distill``), because to draw one costs as much as many steps of a
student on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import trange
from tyro.conf import Suppress

from core.autoencoder.networks import Autoencoder
from core.checkpoint import Checkpoint
from core.diffusion.conditioning import ConditionedNetwork
from core.diffusion.guidance import guided
from core.diffusion.networks import denoiser_of
from core.diffusion.parameterize import Denoise, as_denoise
from core.diffusion.sampler import sample
from core.errors import FootlightError
from core.pipeline.model import native_half, schedule_of
from train.state import digest, load_state, save_state
from train.tasks.denoiser import DenoiserTask, DenoiserTaskConfig
from train.tasks.diffusion import condition_of
from train.tasks.retimed import retimed
from train.tasks.scorer import ScorerTask

EXPERTS = {"motion": DenoiserTask, "music": ScorerTask}
"""By modality, the task that trains its denoiser."""

POINTS = "points"  # of paths in a batch: (b, steps + 1, t, z), from noise to the clean latents
GUIDANCE = "guidance"  # of paths in a batch: (b,)
COUNTS = "counts"  # of paths in a batch: (b,) how often each is drawn, relative to others; without, all are alike
CHUNK = 16  # paths in a file
HELD_OUT = 32  # paths for validation
HELD_OUT_SEED = 10**9


@dataclass(frozen=True)
class PathsConfig(DenoiserTaskConfig):
    """Which paths are drawn. Crops, what is dropped from the condition and what is given are those of training
    (``DenoiserTaskConfig``). Clips shorter than a crop are left out. There are no losses, so what weighs them is no
    option.

    count: how many are drawn, in files of ``CHUNK``.
    steps: of the teacher.
    guidance: range of its strength, drawn evenly.
    strength: range of the factor of style weights, drawn evenly (``SamplingConfig.style_strength``).
    other_style: share of paths in another style than that of the capture whose motion or music they are conditioned on.
    mixed: share of paths with a second style.
    on_beats: how far the accents of drawn dances are moved onto beats (0-1, ``core.postprocess.retime``). A student
        learns to end there, so less of it is left to do after sampling. What is given of a dance stays.
    """

    shortest: int = 96
    drop: float = 0.05
    drop_other: float = 0.0
    drop_style: float = 0.1
    observe: float = 0.15
    count: int = 2048
    steps: int = 12
    guidance: tuple[float, float] = (1.0, 5.0)
    strength: tuple[float, float] = (1.0, 2.0)
    other_style: float = 0.4
    mixed: float = 0.2
    on_beats: float = 0.0
    most_snr: Suppress[float] = 0.0
    least_snr: Suppress[float] = 0.0
    change: Suppress[float] = 0.0
    body_share: Suppress[float] = 0.25
    positions: Suppress[float] = 1.0
    velocity: Suppress[float] = 0.3
    feet: Suppress[float] = 0.3

    def __post_init__(self) -> None:
        if self.shortest < self.frames:
            raise FootlightError(f"paths have {self.frames} frames: clips of {self.shortest} frames are too short")


@dataclass(frozen=True)
class MusicPathsConfig(PathsConfig):
    """Which paths to music are drawn. It has neither accents nor a body, so what concerns those is no option."""

    frames: int = 192
    shortest: int = 192
    drop_other: float = 0.25
    observe_parts: Suppress[float] = 0.15
    standing: Suppress[float] = 1.0
    guidance: tuple[float, float] = (1.0, 7.0)
    strength: tuple[float, float] = (1.0, 1.0)
    on_beats: Suppress[float] = 0.0


class Draws(Protocol):
    """A teacher that draws paths."""

    def paths(self, size: int, generator: torch.Generator) -> dict[str, Tensor]:
        """A batch of conditions with the paths that they lead to."""
        ...

    def digest(self) -> str:
        """A name for all that a path depends on."""
        ...


class Teacher:
    """A trained denoiser that draws paths.

    task: one like that which trained it. It draws the conditions.
    network: the denoiser.
    config: which paths are drawn.
    compute: precision of the network's matrix products; None is that of its weights.
    """

    def __init__(
        self,
        task: DenoiserTask | ScorerTask,
        network: ConditionedNetwork,
        config: PathsConfig,
        compute: torch.dtype | None = None,
    ) -> None:
        self.task, self.network, self.config = task, network.eval(), config
        self.schedule, prediction = schedule_of(task.model), task.model.prediction(task.modality)
        self.denoise: Denoise = as_denoise(self.network, self.schedule, prediction, compute)

    @torch.no_grad()
    def paths(self, size: int, generator: torch.Generator) -> dict[str, Tensor]:
        """A batch of conditions with the paths ``POINTS`` that they lead to."""
        batch = self.task.batch(size, generator)
        assert bool(batch.pop("valid").all()), "clips are as long as crops"
        shape = batch.pop("latents").shape
        batch.pop("features", None)
        if "style" in batch:
            batch["style"] = restyled(batch["style"], self.config, generator)
        batch[GUIDANCE] = evenly(self.config.guidance, size, generator)
        noise = torch.randn(shape, generator=generator)
        device = next(self.network.parameters()).device
        given = {name: values.to(device) for name, values in batch.items()}
        denoise = guided(self.denoise, given[GUIDANCE][:, None, None])
        noise, condition = noise.to(device), condition_of(given)
        walked = list(sample(denoise, noise, self.schedule, self.config.steps, condition=condition))
        if self.config.on_beats and isinstance(self.task, DenoiserTask):
            walked[-1] = on_beats(walked[-1], given, self.task, self.config.on_beats)
        return {**batch, POINTS: torch.stack([noise, *walked], dim=1).cpu()}

    def digest(self) -> str:
        """A name for all that a path depends on: settings, weights, and the clips' lengths."""
        settings = asdict(self.config) | {"count": None}
        lengths = [len(clip["latents"]) for clip in self.task.train]
        return digest((settings, lengths), self.network.state_dict().values())


def on_beats(dances: Tensor, given: dict[str, Tensor], task: DenoiserTask, strength: float) -> Tensor:
    """Dances (b, t, z) whose accents are moved towards beats. What is given of them stays.

    given: their conditions.
    task: of the denoiser that made them.
    strength: 0-1, the fraction of the distance.
    """
    body, accents = task.model.modalities["motion"], ["arrive"] * len(dances)
    return retimed(dances, given["rhythm"], accents, task.vae, body, strength, given["observed_mask"])


def evenly(between: tuple[float, float], size: int, generator: torch.Generator) -> Tensor:
    """Numbers (size,) drawn evenly between two."""
    low, high = between
    return low + (high - low) * torch.rand(size, generator=generator)


def restyled(style: Tensor, config: PathsConfig, generator: torch.Generator) -> Tensor:
    """Style weights (b, styles) as users ask for: of another style, of two, and stronger than in training.

    What has no style keeps none.
    """
    size, styles = style.shape

    def one() -> Tensor:
        return functional.one_hot(torch.randint(styles, (size,), generator=generator), styles).float()

    def uniform() -> Tensor:
        return torch.rand(size, 1, generator=generator)

    asked = torch.where(uniform() < config.other_style, one(), style)
    share = torch.where(uniform() < config.mixed, uniform(), 1.0)
    asked = evenly(config.strength, size, generator)[:, None] * (share * asked + (1 - share) * one())
    return torch.where(style.sum(dim=1, keepdim=True) > 0, asked, style)


def paths_of(
    model: Checkpoint,
    modality: str,
    config: PathsConfig,
    vae: Autoencoder,
    clips: dict[str, list[dict]],
    folder: Path,
) -> dict[str, list[dict[str, Tensor]]]:
    """The paths of one of a model's denoisers, by split, as ``kept`` returns them.

    model: the teacher.
    modality: what its denoiser generates.
    config: which paths.
    vae: the autoencoder of the modality, on the device where paths are drawn.
    clips: by split, as the task in ``EXPERTS`` takes them.
    folder: where they are kept. Those that are not there yet are drawn.
    """
    found, device = {}, vae.std.device
    for split, count, first_seed in (("train", config.count, 0), ("val", HELD_OUT, HELD_OUT_SEED)):
        task = EXPERTS[modality](model.config, config, vae, {**clips, "train": clips[split]})
        network = model.load_into(f"denoiser.{modality}", denoiser_of(task.network).to(device))
        found[split] = kept(Teacher(task, network, config, native_half(device)), folder, count, first_seed)
    return found


def kept(teacher: Draws, folder: Path, count: int, first_seed: int = 0) -> list[dict[str, Tensor]]:
    """At least ``count`` paths of a teacher, ``grouped``. Those that are not in the folder yet are drawn, file by file.

    first_seed: of the first file; every file has one of its own.
    """
    folder = folder / f"paths-{teacher.digest()}"
    files = []
    for i in trange(-(-count // CHUNK), desc="drawing the teacher's paths", mininterval=2.0):
        seed = first_seed + i
        path = folder / f"{seed:04d}.safetensors"
        if not path.is_file():
            save_state(path, teacher.paths(CHUNK, torch.Generator().manual_seed(seed)))
        files.append(load_state(path))
    return grouped(files)


def grouped(batches: Iterable[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """As few batches as there are kinds of conditions: those with a context, and those with rhythm alone."""
    alike: dict[frozenset[str], list[dict[str, Tensor]]] = {}
    for batch in batches:
        alike.setdefault(frozenset(batch), []).append(batch)
    return [{name: torch.cat([batch[name] for batch in some]) for name in some[0]} for some in alike.values()]


def some_of(kinds: list[dict[str, Tensor]], size: int, generator: torch.Generator) -> dict[str, Tensor]:
    """A batch of random paths, all of one kind. Each path is as likely as its ``COUNTS`` say."""
    counts = [paths.get(COUNTS, torch.ones(len(paths[GUIDANCE]))) for paths in kinds]
    kind = int(torch.multinomial(torch.stack([some.sum() for some in counts]), 1, generator=generator))
    chosen = torch.multinomial(counts[kind], size, replacement=True, generator=generator)
    return {name: values[chosen] for name, values in kinds[kind].items() if name != COUNTS}

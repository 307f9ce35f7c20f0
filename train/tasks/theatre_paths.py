"""The paths on which a theatre carries noise to dances and their light, for distillation
(``train.tasks.distill_theatre``).

They are drawn by the chains that make a performance, so each chain hears the other as it does there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.checkpoint import Checkpoint
from core.config import on_stage
from core.diffusion.sampler import walk
from core.light.cues import told_of
from core.pipeline.lit_song import takes_cues
from core.pipeline.model import native_half, schedule_of
from core.protocol import ACCENTS
from core.theatre.chains import Given, Prompt, chains
from core.theatre.energy import energies
from core.theatre.network import Theatre
from core.types import Condition
from train.state import digest
from train.tasks.paths import GUIDANCE, HELD_OUT, HELD_OUT_SEED, POINTS, PathsConfig, evenly, kept, restyled
from train.tasks.retimed import retimed
from train.tasks.theatre import TheatreTask, TheatreTaskConfig, told_look

MADE = ("motion", "light")


@dataclass(frozen=True)
class TheatrePathsConfig(PathsConfig, TheatreTaskConfig):
    """Which performances are drawn, as ``PathsConfig`` says. What is given is the same in a whole file.

    guidance: range of that of the dance; the light has the model's own.
    motion_given: share of files in which the dance is given and the light alone is made.
    light_given: share of files in which the light is given and the dance alone is made.
    observe_light: share of the others in which some frames of the light are given.
    drop_look: share of files without a look.
    """

    count: int = 1024
    motion_given: float = 0.25
    light_given: float = 0.1


def points(name: str) -> str:
    """The key of the paths (b, steps + 1, t, z) of a modality in a batch."""
    return f"{POINTS}.{name}"


def prompt_of(batch: dict[str, Tensor], energy: Callable[[Tensor], Tensor]) -> Prompt:
    """What the performances of a batch of paths are made from.

    energy: as of ``Prompt``.
    """
    given = {
        name: Given(batch[f"given.{name}"], batch.get(f"mask.{name}"), batch.get(f"vectors.{name}"))
        for name in MADE
        if f"given.{name}" in batch
    }
    told = Condition({"music": batch["context.music"]}, batch["rhythm"], batch.get("style"))
    return Prompt(told, batch["heard"], batch["accent"], batch.get("look"), given, batch.get("cues"), energy)


class TheatreTeacher:
    """A trained theatre that draws paths.

    task: one like that which trained it. It draws the conditions.
    config: which paths are drawn.
    compute: precision of the networks' matrix products; None is that of their weights.
    """

    def __init__(self, task: TheatreTask, config: TheatrePathsConfig, compute: torch.dtype | None = None) -> None:
        self.task, self.theatre, self.config, self.compute = task, task.theatre.eval(), config, compute
        self.schedule = schedule_of(task.whole)

    @torch.no_grad()
    def paths(self, size: int, generator: torch.Generator) -> dict[str, Tensor]:
        """A batch of conditions with the paths that they lead to, by ``points``."""
        device = next(self.theatre.parameters()).device
        batch = {name: values.to(device) for name, values in self.task.batch(size, generator).items()}
        assert bool(batch["valid"].all()), "clips are as long as crops"
        told = {name: batch[name] for name in ("context.music", "rhythm", "accent")}
        told["heard"] = self.theatre.music(batch["rows"])
        if "style" in batch:
            told["style"] = restyled(batch["style"].cpu(), self.config, generator).to(device)
        if float(torch.rand(1, generator=generator)) >= self.config.drop_look:
            told["look"] = told_look(self.theatre, batch)
        told |= self.given(batch, generator)
        if takes_cues(self.task.whole):
            no, yes = (torch.full((size,), value, device=device) for value in (False, True))
            told["cues"] = told_of(batch["cues"], no, yes)
        told[GUIDANCE] = evenly(self.config.guidance, size, generator).to(device)
        light = self.task.inputs.light(batch["light"])
        noise = {
            name: torch.randn(like.shape, generator=generator).to(device)
            for name, like in (("motion", batch["latents"]), ("light", light))
        }
        guidance = told[GUIDANCE][:, None, None]
        body = self.task.whole.modalities["motion"]
        prompt = prompt_of(told, partial(energies, vae=self.task.vae, body=body))
        made = chains(self.theatre, self.task.whole, prompt, noise, self.schedule, guidance, self.compute)
        walked = list(walk(made, self.schedule, {name: self.steps(name) for name in made}))
        if "motion" in made and self.config.on_beats:
            accents = [ACCENTS[index] for index in told["accent"].tolist()]
            moved = retimed(walked[-1]["motion"], told["rhythm"], accents, self.task.vae, body, self.config.on_beats)
            walked[-1] = {**walked[-1], "motion": moved}
        drawn = {points(name): torch.stack([noise[name], *(x[name] for x in walked)], dim=1) for name in made}
        return {name: values.cpu() for name, values in {**told, **drawn}.items()}

    def steps(self, name: str) -> int:
        """How many steps a modality's chain takes: its own if it is a student, else those of the paths."""
        stage = on_stage(self.task.whole)
        return stage.sampling[name].steps if stage.denoisers[name].guided else self.config.steps

    def given(self, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """The dance, the light, some of its frames, or nothing."""
        c, inputs, theatre = self.config, self.task.inputs, self.theatre
        share, some = torch.rand(2, generator=generator).tolist()
        if share < c.motion_given:
            vectors = theatre.space("motion", theatre.motion(inputs.motion(batch["features"])))
            return {"given.motion": batch["latents"], "vectors.motion": vectors}
        light = inputs.light(batch["light"])
        if share < c.motion_given + c.light_given:
            return {"given.light": light, "vectors.light": theatre.space("light", theatre.light(light))}
        if some < c.observe_light:
            frames = self.task.frames_given(len(light), generator).to(light.device)
            return {"given.light": light, "mask.light": frames[..., None].expand_as(light)}
        return {}

    def digest(self) -> str:
        """A name for all that a path depends on: settings, weights, and the clips' lengths."""
        settings = asdict(self.config) | {"count": None}
        lengths = [len(clip["latents"]) for clip in self.task.train]
        return digest((settings, lengths, repr(self.task.whole.theatre)), self.theatre.state_dict().values())


def theatre_paths(
    model: Checkpoint,
    config: TheatrePathsConfig,
    vae: Autoencoder,
    light_vae: Autoencoder,
    clips: dict[str, list[dict]],
    folder: Path,
) -> dict[str, list[dict[str, Tensor]]]:
    """The paths of a model's theatre, by split, as ``train.tasks.paths.kept`` returns them.

    model: the teacher.
    config: which paths.
    vae: of motion, on the device where paths are drawn.
    light_vae: normalises light, on the same.
    clips: by split, as ``train.data.theatre.theatre_clips`` makes them.
    folder: where they are kept. Those that are not there yet are drawn.
    """
    found, device = {}, vae.std.device
    for split, count, first_seed in (("train", config.count, 0), ("val", HELD_OUT, HELD_OUT_SEED)):
        theatre = model.load_into("theatre", Theatre(model.config)).to(device)
        task = TheatreTask(model.config, config, vae, light_vae, theatre, {**clips, "train": clips[split]})
        found[split] = kept(TheatreTeacher(task, config, native_half(device)), folder, count, first_seed)
    return found

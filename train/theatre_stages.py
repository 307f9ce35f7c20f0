"""The stages by which ``train.fit`` trains the theatre model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from core.autoencoder.networks import Autoencoder
from core.checkpoint import Checkpoint
from core.config import Config, on_stage
from core.errors import FootlightError
from core.light.look import shipped_looks
from core.pipeline.lit_song import takes_cues
from core.theatre.network import Theatre
from train import run_folder
from train.data.dataset import Pair
from train.data.encoder import Encoder
from train.data.lighting import cue_sheet, rules
from train.data.theatre import Shows, theatre_clips
from train.loop import Task
from train.recipes import TheatreRecipe
from train.state import digest
from train.tasks.distill_theatre import DistillTheatreConfig, DistillTheatreTask
from train.tasks.theatre import TheatreTask
from train.tasks.theatre_encoders import EncodersTask
from train.tasks.theatre_paths import theatre_paths
from train.tasks.theatre_space import SpaceTask


@dataclass(frozen=True)
class Stages:
    """The tasks of all stages, on triples that are made once. What takes long of them is kept in the run.

    recipe: how the triples are made.
    run: the run folder, with both autoencoders.
    config: with a theatre.
    pairs: by split.
    """

    recipe: TheatreRecipe
    run: Path
    config: Config
    pairs: dict[str, list[Pair]]

    @cached_property
    def motion_vae(self) -> Autoencoder:
        return run_folder.load_autoencoder(self.run, self.config, "motion")

    @cached_property
    def clips(self) -> dict[str, list[dict]]:
        music_vae = run_folder.load_autoencoder(self.run, self.config, "music")
        fps = self.config.latent_fps
        shows = Shows(rules(fps), self.recipe.shows, cue_sheet(fps) if takes_cues(self.config) else None)
        made_of = (repr(self.config.modalities), repr(shipped_looks()))
        folder = self.run / f"triples-{digest(made_of, self.motion_vae.state_dict().values())}"
        with Encoder(music_vae, self.run) as music:
            return theatre_clips(self.pairs, music, self.motion_vae, self.config, shows, folder, self.recipe.accents)

    def task(self, name: str, settings: Any, device: torch.device, model: Checkpoint | None = None) -> Task:
        """One stage, from what the stage before it left in the run.

        settings: of its task.
        model: which it starts from; None is none.
        """
        if name == run_folder.THEATRE[0]:
            return EncodersTask(self.config, settings, self.light_vae(device), self.clips)
        before = run_folder.THEATRE[run_folder.THEATRE.index(name) - 1]
        theatre = run_folder.load_theatre(self.run, self.config, before)
        if name == "theatre-space":
            kept = settings.steering and model is not None and "theatre" in model.tensors
            finished = model.load_into("theatre", Theatre(model.config)).to(device) if model and kept else None
            return SpaceTask(self.config, settings, self.light_vae(device), theatre, self.clips, finished)
        task = TheatreTask(
            self.config, settings, self.motion_vae.to(device), self.light_vae(device), theatre, self.clips
        )
        task.learn_prototypes()
        return task

    def student(self, teacher: Checkpoint, settings: DistillTheatreConfig, device: torch.device) -> DistillTheatreTask:
        """The distillation of a theatre, in a run that has kept the teacher's autoencoders.

        settings: of the task.

        Raises FootlightError for a teacher that is a student itself and takes other steps than its paths are to have.
        """
        stage = on_stage(teacher.config)
        for name in settings.learn:
            own = stage.sampling[name].steps
            if stage.denoisers[name].guided and own != settings.paths.steps:
                raise FootlightError(
                    f"the teacher is a student of {own} steps: give --distill-theatre.task.paths.steps {own}"
                )
        vae, light_vae = self.motion_vae.to(device), self.light_vae(device)
        folder = self.run / "distill-theatre"
        paths = theatre_paths(teacher, settings.drawn, vae, light_vae, self.clips, folder)
        return DistillTheatreTask(self.config, settings, vae, light_vae, Theatre(self.config), paths)

    def light_vae(self, device: torch.device) -> Autoencoder:
        """The autoencoder of light, which takes the statistics of the shows."""

        def frames() -> torch.Tensor:
            return torch.cat([light.float() for clip in self.clips["train"] for light, _ in clip["shows"]])

        return run_folder.light_statistics(self.run, self.config, frames).to(device)

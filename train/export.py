"""Make a model folder from a training run: ``python -m train.export RUN MODEL``.

The averaged weights are stored in half precision. ``python -m core dance --model MODEL`` loads the folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro
from torch import Tensor

from core import checkpoint
from core.config import with_teachers
from core.errors import FootlightError
from train.run_folder import TASKS, THEATRE, TRAINED, averaged, is_trained, read_config, task_of

OPTIONAL = ("scorer", "vocoder", "light", "theatre")  # a model may lack these


@dataclass(frozen=True)
class Export:
    """Make a model folder from a training run."""

    run: Annotated[Path, tyro.conf.Positional]  # a folder written by train.fit
    model: Annotated[Path, tyro.conf.Positional]  # the folder to write
    card: Path | None = None  # JSON to be kept with the model
    half: bool = True  # store weights in half precision
    teacher: Path | None = None  # a model from which the run was distilled, kept inside for --quality fine


def main(args: Export) -> None:
    """Write the model folder. Raises FootlightError when a task of the run is not trained yet."""
    config = read_config(args.run)
    tensors = {}
    further = [name for name in OPTIONAL if is_trained(args.run, task_of(args.run, name))]
    if "scorer" not in further:
        config = replace(config, denoisers={"motion": config.denoisers["motion"]})
    if "vocoder" not in further:
        config = replace(config, vocoder=None)
    if "theatre" not in further:
        further = [name for name in further if name != "light"]
        modalities = {name: modality for name, modality in config.modalities.items() if name != "light"}
        config = replace(config, theatre=None, modalities=modalities)
    needed = (name for name in TASKS if name not in OPTIONAL)
    tasks = [task_of(args.run, name) for name in (*needed, *further)]
    for task in tasks:
        tensors[TRAINED[task].saved] = averaged(args.run, task)
    if args.teacher:
        teacher = checkpoint.load(args.teacher)
        config = with_teachers(config, teacher.config)
        tensors |= {f"teacher.{name}": teacher.tensors[f"denoiser.{name}"] for name in config.teachers}
    if args.half:
        tensors = {name: halved(state) for name, state in tensors.items()}
    card = json.loads(args.card.read_text()) if args.card else {}
    for task in (*tasks, *(THEATRE[:-1] if "theatre" in tasks else ())):
        settings = args.run / task / "settings.json"
        if settings.is_file():
            card.setdefault("training", {})[task] = json.loads(settings.read_text())
    checkpoint.save_folder(args.model, config, tensors, card)


def halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights in half precision."""
    return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}


if __name__ == "__main__":
    try:
        main(tyro.cli(Export, description=__doc__))
    except FootlightError as error:
        raise SystemExit(f"train.export: {error}") from None

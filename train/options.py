"""The options of ``train.fit``, and the configuration of the model that they ask for."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from core import checkpoint, records
from core import config as configuration
from core.checkpoint import Checkpoint
from core.config import Config, VocoderConfig
from core.errors import FootlightError
from core.files import write_atomically
from core.light.look import shipped_looks
from train import run_folder
from train.data import latents
from train.recipes import (
    PAPER,
    AutoregressiveRecipe,
    BeatsRecipe,
    ClassifierRecipe,
    DenoiserRecipe,
    DistillMusicRecipe,
    DistillRecipe,
    DistillTheatreRecipe,
    EncodersRecipe,
    MelVAERecipe,
    MotionVAERecipe,
    ScorerRecipe,
    SpaceRecipe,
    TheatreRecipe,
    VocoderRecipe,
)
from train.variants import (
    check_motion_side,
    distilled,
    distilled_theatre,
    light_anew,
    motion_side,
    music_side,
    theatre_anew,
    theatre_is_student,
    theatre_side,
)

TaskName = Literal[
    "mel-vae",
    "motion-vae",
    "denoiser",
    "scorer",
    "all",
    "distill",
    "distill-music",
    "distill-theatre",
    "vocoder",
    "classifier",
    "autoregressive",
    "beats",
    "theatre-encoders",
    "theatre-space",
    "theatre",
]


@dataclass(frozen=True)
class Fit:
    """Train one task, or all in order. ``train.fit_command`` says which tasks take which of these options."""

    task: TaskName
    data: Annotated[Path, arg(metavar="DATA", help='folder written by train.prepare, or the word "synthetic"')]
    out: Annotated[Path, arg(metavar="RUN", help="run folder; one that was begun is continued")]
    preset: Annotated[
        str | None,
        arg(help='configuration of a new run: default, paper or tiny; without it that of --init, or "default"'),
    ] = None
    init: Annotated[
        Path | None, arg(metavar="MODEL", help="model folder, whose networks of the same shape give the first weights")
    ] = None
    layout: Annotated[
        str | None, arg(help="motion as smpl22-6d, smpl22-directions or openpose14-2d, if not as in the preset")
    ] = None
    network: Annotated[Literal["transformer", "unet"] | None, arg(help="kind of denoiser, if not the preset's")] = None
    prediction: Annotated[
        Literal["epsilon", "x0", "v"] | None, arg(help="what the motion denoiser predicts, if not as in the preset")
    ] = None
    skip: Annotated[
        bool | None,
        arg(help="whether noisy latents reach the motion denoiser's output directly, if not as in the preset"),
    ] = None
    styles: Annotated[bool, arg(help="one style for each genre of the data")] = True
    exclude: Annotated[tuple[str, ...], arg(help="genres that are not dance")] = ("martial",)
    music: Annotated[
        Literal["mel", "waveform", "features35"] | None, arg(help='representation of music; "mel" in every preset')
    ] = None
    latents: Annotated[Literal["vae", "none"] | None, arg(help="none: diffusion on the motion features themselves")] = (
        None
    )
    rhythm: Annotated[bool, arg(help="the denoiser hears beats, onsets and loudness besides the music")] = True
    theatre_without: Annotated[
        Literal["nothing", "music", "attention", "beat", "style"], arg(help="ablations of the theatre paper")
    ] = "nothing"
    steps: Annotated[int | None, arg(help="steps of every task that is trained, in place of its own number")] = None
    mel_vae: MelVAERecipe = field(default_factory=MelVAERecipe)
    motion_vae: MotionVAERecipe = field(default_factory=MotionVAERecipe)
    denoiser: DenoiserRecipe = field(default_factory=DenoiserRecipe)
    scorer: ScorerRecipe = field(default_factory=ScorerRecipe)
    distill: DistillRecipe = field(default_factory=DistillRecipe)
    distill_music: DistillMusicRecipe = field(default_factory=DistillMusicRecipe)
    autoregressive: AutoregressiveRecipe = field(default_factory=AutoregressiveRecipe)
    classifier: ClassifierRecipe = field(default_factory=ClassifierRecipe)
    vocoder: VocoderRecipe = field(default_factory=VocoderRecipe)
    beats: BeatsRecipe = field(default_factory=BeatsRecipe)
    theatre_encoders: EncodersRecipe = field(default_factory=EncodersRecipe)
    theatre_space: SpaceRecipe = field(default_factory=SpaceRecipe)
    theatre: TheatreRecipe = field(default_factory=TheatreRecipe)
    distill_theatre: DistillTheatreRecipe = field(default_factory=DistillTheatreRecipe)


def recipe_of(args: Fit, name: str) -> Any:
    """The settings of a task. For the paper's theatre they are those of its section 5.1."""
    recipe = getattr(args, name.replace("-", "_"))
    if name not in run_folder.THEATRE:
        return recipe
    if args.preset == "paper":
        recipe = dataclasses.replace(recipe, loop=dataclasses.replace(recipe.loop, **PAPER))
    if name == "theatre" and args.theatre_without == "beat":
        recipe = dataclasses.replace(recipe, task=dataclasses.replace(recipe.task, beat=0.0))
    return recipe


def is_student(args: Fit) -> bool:
    """Whether the task distils a model."""
    return args.task in run_folder.STUDENTS.values()


def teacher_of(args: Fit) -> Checkpoint:
    """The model that is distilled."""
    teacher = recipe_of(args, args.task).teacher or args.init
    if teacher is None:
        name = args.task
        raise FootlightError(f"{name} needs a trained model: give --init MODEL, or --{name}.teacher MODEL")
    return checkpoint.load(teacher).taught()


def initial_of(args: Fit) -> Checkpoint | None:
    """The model from whose weights a run starts: from its students to train students, else from their teachers."""
    if args.init is None:
        return teacher_of(args) if is_student(args) else None
    model = checkpoint.load(args.init)
    return model if is_student(args) else model.taught()


def model_config(args: Fit, pairs: dict[str, list]) -> Config:
    """The configuration of the model that is trained, which is written into the run folder.

    A new run has that of a preset or of ``init``, with the flags applied and the styles of the data. An existing run
    keeps its own, and gets what the task trains where it lacks that.

    Raises FootlightError when an existing run is of another variant than the flags say.
    """
    path = args.out / "config.json"
    if path.is_file():
        config = run_folder.read_config(args.out)
        check_variant(config, args)
        if has_task(config, args.task):
            return config
    else:
        config = new_config(args, pairs)
    config = with_task(config, args)
    args.out.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(records.to_json(config), indent=2) + "\n").encode())
    return config


def check_variant(config: Config, args: Fit) -> None:
    """Raises FootlightError when an existing run's configuration is of another variant than the flags say."""
    check_motion_side(config, args.layout, args.network, args.prediction, args.skip)
    other = f"{args.out / 'config.json'} is of another variant than"
    if music_side(config, args.music, args.latents, args.rhythm) != config:
        raise FootlightError(
            f"{other} --music, --latents and --rhythm say: choose another --out, or leave the flags away"
        )
    if args.task in run_folder.THEATRE and config.theatre and theatre_side(config, args.theatre_without) != config:
        raise FootlightError(f"{other} --theatre-without says: choose another --out, or leave the flag away")


def new_config(args: Fit, pairs: dict[str, list]) -> Config:
    """The configuration that a new run starts from: that of the teacher for a student, else as the flags say."""
    if is_student(args):
        return teacher_of(args).config
    if args.init and args.preset is None:
        config = with_styles(checkpoint.load(args.init).taught().config, args, pairs, keep=True)
    else:
        config = with_styles(configuration.preset(args.preset or "default"), args, pairs)
    config = motion_side(config, args.layout, args.network, args.prediction, args.skip)
    return music_side(config, args.music, args.latents, args.rhythm)


def has_task(config: Config, task: str) -> bool:
    """Whether a configuration has what a task trains."""
    if task == "distill-theatre":
        return theatre_is_student(config)
    if task in run_folder.STUDENTS.values():
        return config.denoisers[run_folder.TRAINED[task].modality].guided
    if task in run_folder.THEATRE:
        return config.theatre is not None
    return {"scorer": "music" in config.denoisers, "vocoder": config.vocoder is not None}.get(task, True)


def with_task(config: Config, args: Fit) -> Config:
    """A configuration with what the task trains. A theatre that it has already is made anew."""
    if is_student(args):
        return with_student(config, args)
    if args.task == "vocoder" and config.vocoder is None:
        return dataclasses.replace(config, vocoder=VocoderConfig())
    if args.task == "scorer" and "music" not in config.denoisers:
        return configuration.both_ways(config)
    if args.task in run_folder.THEATRE:
        if config.theatre is not None:
            config = theatre_anew(config) if args.theatre.task.dance else light_anew(config)
        else:
            config = configuration.with_theatre(config, tuple(shipped_looks()), args.preset or "default")
        return theatre_side(config, args.theatre_without)
    return config


def with_student(config: Config, args: Fit) -> Config:
    """The configuration of a teacher with the student that is asked for."""
    recipe = recipe_of(args, args.task)
    if args.task == "distill-theatre":
        return distilled_theatre(config, recipe.task.steps, recipe.context_entry, recipe.task.learn)
    return distilled(config, run_folder.TRAINED[args.task].modality, recipe.task.steps, recipe.context_entry)


def with_styles(config: Config, args: Fit, pairs: dict[str, list], keep: bool = False) -> Config:
    """The configuration with the styles of the data.

    keep: those of the configuration stay, in their order. If the data has no others, nothing changes.
    """
    if not args.styles:
        return config
    frames: dict[str, float] = defaultdict(float)
    for pair in pairs["train"]:
        style = latents.style_of(pair.genre)
        frames[style] += len(pair.rotations) * args.denoiser.task.style_weights.get(style, 1.0)
    kept = config.styles if keep else ()
    styles = (*kept, *sorted(set(frames) - set(kept)))
    if styles == kept:
        return config
    whole = sum(frames.values())
    return configuration.with_styles(config, styles, tuple(round(frames[style] / whole, 4) for style in styles))

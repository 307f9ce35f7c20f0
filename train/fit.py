"""Train a model: ``python -m train.fit TASK --data DATA --out RUN``.

TASK is one of ``mel-vae`` (music to latents and back), ``motion-vae`` (motion to latents and back; needs the first),
``denoiser`` (dances from music; needs both), ``scorer`` (music from motion; needs both), or ``all`` of these in this
order. Others stand apart: ``distill`` and ``distill-music`` make the dances and the music of a model folder
(``--init``) in a few steps, and ``distill-theatre`` its dances with light; they need a run of their own, which they may
share. ``vocoder`` turns mels into sound and
needs only audio (``--vocoder.audio DATA_DIR``). ``classifier`` tells styles apart, for metrics. ``beats`` hears beats
and downbeats; it needs data prepared with ``--beats`` and writes ``beats.safetensors``.

A run folder holds one folder for each task, with the training state, the averaged weights and TensorBoard logs. The
same command continues an interrupted run. ``python -m train.export RUN MODEL`` makes a model folder of it. ``--init
MODEL`` starts from such a folder instead of from random weights, so your own motion capture needs fewer steps. Genres
of the data that the model does not know become new styles.
``theatre-encoders``, ``theatre-space`` and ``theatre`` are the stages of the model that makes dance and stage light
together (``core.theatre``); ``theatre`` also trains the first two where they are missing. They need both autoencoders,
which ``--init MODEL`` gives them.
``--music``, ``--latents`` and ``--no-rhythm`` train the variants of ``train.variants``. Music other than mels needs
data prepared with ``--waveforms``.
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro
from lightning_fabric import Fabric
from safetensors.torch import save
from torch import Tensor

from core import checkpoint, records
from core import config as configuration
from core.audio.representation import waveform_frames
from core.checkpoint import Checkpoint
from core.config import Config, VocoderConfig
from core.errors import FootlightError
from core.files import write_atomically
from core.light.look import shipped_looks
from core.theatre.network import Theatre
from train import run_folder
from train.data import latents, synthetic
from train.data.dataset import Pair, SongRecord, load_pairs, load_song_records, load_songs, load_waves
from train.data.encoder import Encoder
from train.data.splits import seven_one_two, validated_on
from train.loop import LoopConfig, Task, fit, make_fabric
from train.recipes import (
    DISTILL_MUSIC,
    PAPER,
    BeatsRecipe,
    ClassifierRecipe,
    DenoiserRecipe,
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
from train.tasks.beats import BeatsTask, load_clips
from train.tasks.classifier import ClassifierTask
from train.tasks.distill import DistillTask
from train.tasks.mel_vae import MelVAETask
from train.tasks.motion_vae import MotionVAETask
from train.tasks.paths import EXPERTS, paths_of
from train.tasks.vocoder import VocoderTask, load_waveforms
from train.theatre_stages import Stages
from train.variants import (
    check_motion_side,
    distilled,
    distilled_theatre,
    motion_side,
    music_side,
    theatre_anew,
    theatre_is_student,
    theatre_side,
)


@dataclass(frozen=True)
class Fit:
    """Train one task, or all in order."""

    task: Annotated[
        Literal[
            "mel-vae",
            "motion-vae",
            "denoiser",
            "scorer",
            "all",
            "distill",
            "distill-music",
            "vocoder",
            "classifier",
            "beats",
            "theatre-encoders",
            "theatre-space",
            "theatre",
            "distill-theatre",
        ],
        tyro.conf.Positional,
    ]
    data: Path  # a folder written by train.prepare, or the word "synthetic"
    out: Path  # the run folder
    preset: str | None = None  # "default" unless given; with `init` the configuration of that model
    init: Path | None = None  # a model folder; its networks of the same shape give the initial weights
    layout: str | None = None  # motion as smpl22-6d, smpl22-directions or openpose14-2d; None is the preset's
    network: Literal["transformer", "unet"] | None = None  # the kind of denoiser; None is the preset's
    prediction: Literal["epsilon", "x0", "v"] | None = None  # of the motion denoiser; None is the preset's
    skip: bool | None = None  # noisy latents also reach the motion denoiser's output directly; None is the preset's
    styles: bool = True  # one style for each genre of the data
    exclude: tuple[str, ...] = ("martial",)  # genres that are not dance
    music: Literal["mel", "waveform", "features35"] | None = None  # its representation; "mel" in every preset
    latents: Literal["vae", "none"] | None = None  # none: diffusion on the motion features themselves
    rhythm: bool = True  # condition the denoiser on beats, onsets and loudness besides the music
    theatre_without: Literal["nothing", "music", "attention", "beat", "style"] = "nothing"  # the paper's ablations
    steps: int | None = None  # overrides the steps of every task that is trained
    mel_vae: MelVAERecipe = field(default_factory=MelVAERecipe)
    motion_vae: MotionVAERecipe = field(default_factory=MotionVAERecipe)
    denoiser: DenoiserRecipe = field(default_factory=DenoiserRecipe)
    scorer: ScorerRecipe = field(default_factory=ScorerRecipe)
    distill: DistillRecipe = field(default_factory=DistillRecipe)
    distill_music: DistillRecipe = DISTILL_MUSIC
    classifier: ClassifierRecipe = field(default_factory=ClassifierRecipe)
    vocoder: VocoderRecipe = field(default_factory=VocoderRecipe)
    beats: BeatsRecipe = field(default_factory=BeatsRecipe)
    theatre_encoders: EncodersRecipe = field(default_factory=EncodersRecipe)
    theatre_space: SpaceRecipe = field(default_factory=SpaceRecipe)
    theatre: TheatreRecipe = field(default_factory=TheatreRecipe)
    distill_theatre: DistillTheatreRecipe = field(default_factory=DistillTheatreRecipe)


def model_config(args: Fit, pairs: dict[str, list]) -> Config:
    """The preset with the flags applied and the styles of the data. An existing run keeps its own configuration."""
    path = args.out / "config.json"
    if path.is_file():
        config = run_folder.read_config(args.out)
        check_motion_side(config, args.layout, args.network, args.prediction, args.skip)
        if music_side(config, args.music, args.latents, args.rhythm) != config:
            raise FootlightError(
                f"{path} is of another variant than --music, --latents and --rhythm say: "
                "choose another --out, or leave the flags away"
            )
        lacks = {"scorer": "music" not in config.denoisers, "vocoder": config.vocoder is None}
        if is_student(args):
            lacks[args.task] = not has_student(config, args.task)
        lacks |= dict.fromkeys(run_folder.THEATRE, config.theatre is None)
        if args.task in run_folder.THEATRE and config.theatre and theatre_side(config, args.theatre_without) != config:
            raise FootlightError(
                f"{path} is of another variant than --theatre-without says: choose another --out, or leave the flag "
                "away"
            )
        if not lacks.get(args.task):
            return config
    elif is_student(args):
        config = teacher_of(args).config
    else:
        if args.init and args.preset is None:
            config = with_styles(checkpoint.load(args.init).taught().config, args, pairs, keep=True)
        else:
            config = with_styles(configuration.preset(args.preset or "default"), args, pairs)
        config = motion_side(config, args.layout, args.network, args.prediction, args.skip)
        config = music_side(config, args.music, args.latents, args.rhythm)
    if is_student(args):
        config = with_student(config, args)
    if args.task == "vocoder" and config.vocoder is None:
        config = dataclasses.replace(config, vocoder=VocoderConfig())
    if args.task == "scorer" and "music" not in config.denoisers:
        config = configuration.both_ways(config)
    if args.task in run_folder.THEATRE:
        if config.theatre is not None:
            config = theatre_anew(config)
        else:
            config = configuration.with_theatre(config, tuple(shipped_looks()), args.preset or "default")
        config = theatre_side(config, args.theatre_without)
    args.out.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(records.to_json(config), indent=2) + "\n").encode())
    return config


def is_student(args: Fit) -> bool:
    """Whether the task distils a model."""
    return args.task in run_folder.STUDENTS.values()


def has_student(config: Config, task: str) -> bool:
    """Whether a configuration has the student that a task trains."""
    if task == "distill-theatre":
        return theatre_is_student(config)
    return config.denoisers[run_folder.TRAINED[task].modality].guided


def with_student(config: Config, args: Fit) -> Config:
    """The configuration of a teacher with the student that is asked for."""
    recipe = recipe_of(args, args.task)
    if args.task == "distill-theatre":
        return distilled_theatre(config, recipe.task.steps, recipe.context_entry)
    return distilled(config, run_folder.TRAINED[args.task].modality, recipe.task.steps, recipe.context_entry)


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


def waveforms(audio: Path | None, rate: int) -> dict[str, list[torch.Tensor]]:
    """The songs that the vocoder is trained on, by split: samples (s,) int16 at ``rate`` Hz."""
    if audio is None:
        raise FootlightError("the vocoder is trained on sound: give --vocoder.audio, a folder with index.jsonl")
    return synthetic.waves() if str(audio) == "synthetic" else load_waveforms(audio, rate)


def load_training_pairs(args: Fit, waveforms: bool = False) -> dict[str, list[Pair]]:
    """The pairs by split, without the excluded genres."""
    if str(args.data) == "synthetic":
        pairs = synthetic.pairs()
    else:
        pairs = {split: load_pairs(args.data, split, waveforms) for split in ("train", "val")}
    return {
        split: [pair for pair in some if not any(word in pair.genre for word in args.exclude)]
        for split, some in pairs.items()
    }


def load_training_records(args: Fit) -> dict[str, list[SongRecord]]:
    """Songs with their rhythm, by split. The synthetic data set has none."""
    if str(args.data) == "synthetic":
        return {"train": [], "val": []}
    return {split: load_song_records(args.data, split) for split in ("train", "val")}


def load_training_songs(args: Fit, config: Config) -> dict[str, list[Tensor]]:
    """Frames of all songs by split: log-mels, or the waveform's as int16."""
    mel = config.modalities["music"].representation == "mel"
    if str(args.data) == "synthetic":
        songs = synthetic.songs() if mel else synthetic.waves()
    else:
        found = {split: (load_songs if mel else load_waves)(args.data, split) for split in ("train", "val")}
        songs = validated_on(found, "songs", len)
    if mel:
        return songs
    return {split: [waveform_frames(w, config.signal.hop_samples) for w in some] for split, some in songs.items()}


def make_task(name: str, args: Fit, config: Config, pairs: dict[str, list[Pair]], device: torch.device) -> Task:
    """One task of the run, from what the tasks before it left there."""
    recipe = recipe_of(args, name)
    if name == "classifier":
        return ClassifierTask(recipe.task, pairs)
    if name == "vocoder":
        assert config.vocoder is not None
        return VocoderTask(
            config.vocoder, recipe.task, waveforms(recipe.audio, config.signal.audio_rate), config.signal
        )
    if name == "mel-vae":
        return MelVAETask(config, recipe.task, load_training_songs(args, config))
    mel_vae = run_folder.load_autoencoder(args.out, config, "music")
    if name == "motion-vae":
        with Encoder(mel_vae, args.out) as music:
            return MotionVAETask(config, recipe.task, latents.motion_clips(pairs, music, config))
    motion_vae, modality = run_folder.load_autoencoder(args.out, config, "motion"), run_folder.TRAINED[name].modality
    crop, window = recipe.task.paths if is_student(args) else recipe.task, config.sampling[modality].window
    if crop.frames < window:
        print(
            f"{name}: trained on crops of {crop.frames} frames, but it will be sampled in windows of "
            f"{window}: frames {window} would make them alike"
        )
    with Encoder(mel_vae, args.out) as music, Encoder(motion_vae, args.out) as motion:
        if modality == "music":
            vae, clips = mel_vae, latents.score_clips(pairs, load_training_records(args), music, motion, config)
        else:
            vae, clips = motion_vae, latents.latent_clips(pairs, music, motion, config)
    vae = vae.to(device)
    if not is_student(args):
        return EXPERTS[modality](config, recipe.task, vae, clips)
    paths = paths_of(teacher_of(args), modality, recipe.task.paths, vae, clips, args.out / name)
    return DistillTask(config, modality, recipe.task, vae, paths)


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


def start(args: Fit, name: str) -> tuple[LoopConfig, Fabric]:
    """Seed a task's randomness. Returns the settings of its loop and what it runs on."""
    loop = recipe_of(args, name).loop
    loop = loop if args.steps is None else dataclasses.replace(loop, steps=args.steps)
    fabric = make_fabric(loop)
    torch.manual_seed(loop.seed)
    return loop, fabric


def tasks(args: Fit, config: Config) -> tuple[str, ...]:
    """The tasks to train, in order."""
    if args.task == "theatre":
        missing = (name for name in run_folder.THEATRE[:-1] if not run_folder.is_trained(args.out, name))
        return (*missing, "theatre")
    if args.task != "all":
        return (args.task,)
    return tuple(name for name in run_folder.TASKS if name != "scorer" or "music" in config.denoisers)


def fit_beats(args: Fit) -> dict:
    """Train the beat network. It belongs to no model: its weights become ``beats.safetensors`` in the run folder."""
    loop, fabric = start(args, "beats")
    result = fit(BeatsTask(args.beats.task, load_clips(args.data)), loop, args.out / "beats", fabric=fabric)
    if fabric.is_global_zero:
        weights = {name: value.half().contiguous() for name, value in run_folder.averaged(args.out, "beats").items()}
        write_atomically(args.out / "beats.safetensors", save(weights))
    return result


def main(args: Fit) -> dict[str, dict]:
    """Train the tasks. Returns each task's result, see ``train.loop.fit``."""
    if args.task == "beats":
        return {"beats": fit_beats(args)}
    loaded = load_training_pairs(args)
    config = model_config(args, loaded)
    if config.modalities["music"].representation != "mel":  # only now is the representation known
        loaded = load_training_pairs(args, waveforms=True)
    pairs = validated_on(loaded, "pairs", lambda pair: len(pair.rotations))
    initial = initial_of(args)
    if is_student(args):
        light = ("light",) if args.task == "distill-theatre" else ()
        run_folder.keep(args.out, config, teacher_of(args), *run_folder.TASKS, "vocoder", *light)
    elif initial is not None and args.task in run_folder.THEATRE:
        run_folder.keep(args.out, config, initial, *run_folder.TASKS, "vocoder")
        if args.task == "theatre":
            run_folder.keep_theatre(args.out, config, initial)
    elif initial is not None and args.task != "vocoder":
        run_folder.keep(args.out, config, initial, *run_folder.needed(args.task), "vocoder")
    split = seven_one_two(loaded) if args.preset == "paper" else pairs
    stages = Stages(args.theatre, args.out, config, split)
    results: dict[str, dict] = {}
    for name in tasks(args, config):
        loop, fabric = start(args, name)
        if run_folder.untrained(name, config):
            if fabric.is_global_zero:
                results[name] = run_folder.take_statistics(args.out, name, config, pairs["train"], initial)
            fabric.barrier()
            continue
        if name in run_folder.THEATRE:
            task = stages.task(name, recipe_of(args, name).task, fabric.device)
        elif name == "distill-theatre":
            task = stages.student(teacher_of(args), recipe_of(args, name).task, fabric.device)
        else:
            task = make_task(name, args, config, pairs, fabric.device)
        if initial is not None and run_folder.TRAINED[name].saved == "theatre":
            run_folder.start_theatre(initial, config, name, task.phases["theatre"].network("theatre", Theatre))
        elif initial is not None and name != "classifier":
            run_folder.start_from(initial, config, name, task)
        results[name] = fit(task, loop, args.out / name, fabric=fabric)
        if fabric.is_global_zero:
            if isinstance(task, ClassifierTask):
                task.finished(run_folder.averaged(args.out, name)).save(args.out / name)
            settings = {"loop": dataclasses.asdict(loop), "task": dataclasses.asdict(recipe_of(args, name).task)}
            write_atomically(args.out / name / "settings.json", json.dumps(settings, indent=2).encode())
    return results


if __name__ == "__main__":
    try:
        main(tyro.cli(Fit, description=__doc__))
    except FootlightError as error:
        raise SystemExit(f"train.fit: {error}") from None

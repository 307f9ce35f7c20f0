"""Train a model: ``python -m train.fit TASK --data DATA --out RUN``.

A run folder holds one folder for each task, with the training state, the averaged weights and TensorBoard logs. The
same command continues an interrupted run. ``python -m train.export RUN MODEL`` makes a model folder of it.

``--init MODEL`` starts from such a folder instead of from random weights, so your own motion capture needs fewer steps.
Genres of the data that the model does not know become new styles. It also gives a task the autoencoders that it needs.

``--music``, ``--latents`` and ``--no-rhythm`` train the variants of ``train.variants``. Music other than mels needs
data prepared with ``--waveforms``.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors.torch import save
from torch import Tensor

from core.audio.representation import waveform_frames
from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE
from core.checkpoint import Checkpoint
from core.config import Config
from core.errors import FootlightError
from core.files import write_atomically
from core.theatre.network import Theatre
from train import run_folder
from train.command import run_program
from train.data import latents, synthetic
from train.data.dataset import Pair, SongRecord, load_pairs, load_song_records, load_songs, load_waves
from train.data.encoder import Encoder
from train.data.splits import seven_one_two, trained_on, validated_on
from train.fabric import make_fabric
from train.fit_command import subcommands
from train.initial import keep, keep_theatre, start_from, start_theatre
from train.loop import LoopConfig, Task, fit
from train.options import Fit, initial_of, is_student, model_config, recipe_of, teacher_of
from train.tasks.autoregressive import AutoregressiveTask
from train.tasks.beats import BeatsTask, load_clips
from train.tasks.classifier import ClassifierTask
from train.tasks.distill import DistillTask
from train.tasks.mel_vae import MelVAETask
from train.tasks.motion_vae import MotionVAETask
from train.tasks.paths import EXPERTS, paths_of
from train.tasks.vocoder import VocoderTask, load_waveforms
from train.theatre_stages import Stages


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
    kept = {
        split: [pair for pair in some if not any(word in pair.genre for word in args.exclude)]
        for split, some in pairs.items()
    }
    return trained_on(kept)


def load_training_records(args: Fit) -> dict[str, list[SongRecord]]:
    """Songs with their rhythm, by split. The synthetic data set has none."""
    if str(args.data) == "synthetic":
        return {"train": [], "val": []}
    return {split: load_song_records(args.data, split) for split in ("train", "val")}


def danced_to(args: Fit, config: Config) -> list[SongRecord]:
    """The songs to which a student dances by itself, if its recipe wants that and they are kept as the model hears
    them.
    """
    wanted = args.task == "distill" and args.distill.task.moments and config.modalities["music"].representation == "mel"
    return load_training_records(args)["train"] if wanted else []


def load_training_songs(args: Fit, config: Config, pairs: dict[str, list[Pair]]) -> dict[str, list[Tensor]]:
    """Frames of all songs by split: log-mels, or the waveform's as int16.

    pairs: whose music stands for songs where there are none, as in data of one's own capture alone.
    """
    mel = config.modalities["music"].representation == "mel"
    if str(args.data) == "synthetic":
        songs = synthetic.songs() if mel else synthetic.waves()
    else:
        found = {split: (load_songs if mel else load_waves)(args.data, split) for split in ("train", "val")}
        if not found["train"]:
            music = {split: [pair.mel if mel else pair.wave for pair in some] for split, some in pairs.items()}
            found = {split: [one for one in some if one is not None] for split, some in music.items()}
        songs = validated_on(found, "songs", len)
    if mel:
        return songs
    return {split: [waveform_frames(w, config.signal.hop_samples) for w in some] for split, some in songs.items()}


def make_task(
    name: str,
    args: Fit,
    config: Config,
    pairs: dict[str, list[Pair]],
    stages: Stages,
    device: torch.device,
    initial: Checkpoint | None = None,
) -> Task:
    """One task of the run, from what the tasks before it left there.

    stages: which make those of the theatre.
    initial: the model that the run starts from; None is none.
    """
    recipe = recipe_of(args, name)
    if name in run_folder.THEATRE:
        return stages.task(name, recipe.task, device, initial)
    if name == "distill-theatre":
        return stages.student(teacher_of(args), recipe.task, device)
    if name == "classifier":
        return ClassifierTask(recipe.task, pairs)
    if name == "vocoder":
        assert config.vocoder is not None
        return VocoderTask(
            config.vocoder, recipe.task, waveforms(recipe.audio, config.signal.audio_rate), config.signal
        )
    if name == "mel-vae":
        return MelVAETask(config, recipe.task, load_training_songs(args, config, pairs))
    mel_vae = run_folder.load_autoencoder(args.out, config, "music")
    if name == "motion-vae":
        with Encoder(mel_vae, args.out) as music:
            return MotionVAETask(config, recipe.task, latents.motion_clips(pairs, music, config))
    if name == "autoregressive":
        return autoregressive_task(args, config, pairs, mel_vae, device)
    return diffusion_task(name, args, config, pairs, mel_vae, device)


def autoregressive_task(
    args: Fit,
    config: Config,
    pairs: dict[str, list[Pair]],
    mel_vae: NormalisedVAE | Identity,
    device: torch.device,
) -> AutoregressiveTask:
    """The baseline that dances frame by frame, on the latents of both autoencoders."""
    recipe, motion_vae = args.autoregressive, run_folder.load_autoencoder(args.out, config, "motion")
    with Encoder(mel_vae, args.out) as music, Encoder(motion_vae, args.out) as motion:
        clips = latents.accented_clips(pairs, music, motion, config, recipe.accents)
    return AutoregressiveTask(config, recipe.task, motion_vae.to(device), clips)


def diffusion_task(
    name: str,
    args: Fit,
    config: Config,
    pairs: dict[str, list[Pair]],
    mel_vae: NormalisedVAE | Identity,
    device: torch.device,
) -> Task:
    """The task of a denoiser or of its student, on the latents of both autoencoders."""
    recipe, modality = recipe_of(args, name), run_folder.TRAINED[name].modality
    motion_vae = run_folder.load_autoencoder(args.out, config, "motion")
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
        songs = latents.song_clips(danced_to(args, config), music, config)
    vae = vae.to(device)
    if not is_student(args):
        return EXPERTS[modality](config, recipe.task, vae, clips)
    paths = paths_of(teacher_of(args), modality, recipe.task.paths, vae, clips, args.out / name)
    return DistillTask(config, modality, recipe.task, vae, paths, clips["train"], songs)


def start(args: Fit, name: str) -> tuple[LoopConfig, Fabric]:
    """Seed a task's randomness. Returns the settings of its loop and what it runs on."""
    loop = recipe_of(args, name).loop
    loop = loop if args.steps is None else dataclasses.replace(loop, steps=args.steps)
    fabric = make_fabric(loop.accelerator, loop.precision)
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
    task = BeatsTask(args.beats.task, load_clips(args.data))
    if args.beats.weights is not None:
        task.start_from(args.beats.weights)
    result = fit(task, loop, args.out / "beats", fabric=fabric)
    if fabric.is_global_zero:
        weights = {name: value.half().contiguous() for name, value in run_folder.averaged(args.out, "beats").items()}
        write_atomically(args.out / "beats.safetensors", save(weights))
    return result


def keep_untrained(args: Fit, config: Config, initial: Checkpoint | None) -> None:
    """Leave in the run what its tasks use and do not train, as far as the model has it that the run starts from.

    A student's run gets it from the teacher, whose latents it learns.
    """
    if is_student(args):
        light = ("light",) if args.task == "distill-theatre" else ()
        keep(args.out, config, teacher_of(args), *run_folder.TASKS, "vocoder", *light)
    elif initial is not None and args.task in run_folder.THEATRE:
        keep(args.out, config, initial, *run_folder.TASKS, "vocoder")
        if args.task == "theatre" or args.theatre_space.task.steering:
            keep_theatre(args.out, config, initial)
    elif initial is not None and args.task != "vocoder":
        keep(args.out, config, initial, *run_folder.needed(args.task), "vocoder")


def give_weights(initial: Checkpoint, config: Config, name: str, task: Task) -> None:
    """Give the network of a task the weights of the model that the run starts from."""
    if run_folder.TRAINED[name].saved == "theatre":
        start_theatre(initial, config, name, task.phases["theatre"].network("theatre", Theatre))
    elif name not in ("classifier", "autoregressive"):  # which no model folder has
        start_from(initial, config, name, task)


def finish(args: Fit, name: str, task: Task, loop: LoopConfig) -> None:
    """Write beside a task's weights how it was trained, and what a classifier needs to be used."""
    if isinstance(task, ClassifierTask):
        task.finished(run_folder.averaged(args.out, name)).save(args.out / name)
    settings = {"loop": dataclasses.asdict(loop), "task": dataclasses.asdict(recipe_of(args, name).task)}
    write_atomically(args.out / name / "settings.json", json.dumps(settings, indent=2).encode())


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
    keep_untrained(args, config, initial)
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
        task = make_task(name, args, config, pairs, stages, fabric.device, initial)
        if initial is not None:
            give_weights(initial, config, name, task)
        results[name] = fit(task, loop, args.out / name, fabric=fabric)
        if fabric.is_global_zero:
            finish(args, name, task, loop)
    return results


if __name__ == "__main__":
    run_program("train.fit", main, subcommands(), __doc__)

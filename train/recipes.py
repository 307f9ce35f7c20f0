"""How each task of ``train.fit`` is trained: its loop and the settings of its losses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.config.theatre import ACCENTS
from train.loop import LoopConfig
from train.tasks.autoregressive import AutoregressiveTaskConfig
from train.tasks.beats import BeatsTaskConfig
from train.tasks.classifier import ClassifierTaskConfig
from train.tasks.denoiser import DenoiserTaskConfig
from train.tasks.distill import DistillDanceConfig, DistillMusicConfig
from train.tasks.distill_theatre import DistillTheatreConfig
from train.tasks.mel_vae import MelVAEConfig
from train.tasks.motion_vae import MotionVAEConfig
from train.tasks.scorer import ScorerTaskConfig
from train.tasks.theatre import TheatreTaskConfig
from train.tasks.theatre_encoders import EncodersTaskConfig
from train.tasks.theatre_space import SpaceTaskConfig
from train.tasks.vocoder import VocoderTaskConfig

PAPER = {"batch": 32, "lr": 1e-4, "weight_decay": 1e-5}  # of the theatre paper's loops


@dataclass(frozen=True)
class MelVAERecipe:
    loop: LoopConfig = LoopConfig(steps=6000, batch=16, lr=5e-4)
    task: MelVAEConfig = MelVAEConfig()


@dataclass(frozen=True)
class MotionVAERecipe:
    loop: LoopConfig = LoopConfig(steps=6000, batch=16, lr=6e-4, ema=0.995)
    task: MotionVAEConfig = MotionVAEConfig()


@dataclass(frozen=True)
class DenoiserRecipe:
    loop: LoopConfig = LoopConfig(steps=12_000, batch=16, lr=5e-4, warmup=300, ema=0.998)
    task: DenoiserTaskConfig = DenoiserTaskConfig()


@dataclass(frozen=True)
class ScorerRecipe:
    loop: LoopConfig = LoopConfig(steps=12_000, batch=8, lr=5e-4, warmup=300, ema=0.998)
    task: ScorerTaskConfig = ScorerTaskConfig()


@dataclass(frozen=True)
class StudentRecipe:
    """How a denoiser is distilled."""

    teacher: Path | None = None  # a model folder; None is that of --init, from whose weights the student starts
    context_entry: Literal["added", "concatenated"] = "added"  # of the student's network
    loop: LoopConfig = LoopConfig(steps=6000, batch=16, lr=4e-4, warmup=20, ema=0.998)


@dataclass(frozen=True)
class DistillRecipe(StudentRecipe):
    task: DistillDanceConfig = DistillDanceConfig()


@dataclass(frozen=True)
class DistillMusicRecipe(StudentRecipe):
    task: DistillMusicConfig = DistillMusicConfig()


@dataclass(frozen=True)
class DistillTheatreRecipe:
    """How a theatre is distilled. The triples of which paths are drawn are those of ``TheatreRecipe``."""

    teacher: Path | None = None  # a model folder; None is that of --init, from whose weights the student starts
    context_entry: Literal["added", "concatenated"] = "added"  # of the student's dancer
    loop: LoopConfig = LoopConfig(steps=6000, batch=16, lr=4e-4, warmup=20, ema=0.998)
    task: DistillTheatreConfig = DistillTheatreConfig()


@dataclass(frozen=True)
class AutoregressiveRecipe:
    accents: tuple[str, ...] = ACCENTS  # what the dancer does on beats in the training data
    loop: LoopConfig = LoopConfig(steps=12_000, batch=16, lr=5e-4, warmup=300, ema=0.998)
    task: AutoregressiveTaskConfig = AutoregressiveTaskConfig()


@dataclass(frozen=True)
class ClassifierRecipe:
    loop: LoopConfig = LoopConfig(steps=1000, batch=48, lr=1e-3, warmup=50, ema=0.99, weight_decay=5e-2)
    task: ClassifierTaskConfig = ClassifierTaskConfig()


@dataclass(frozen=True)
class BeatsRecipe:
    """How the beat network is trained."""

    weights: Path | None = None  # a beats.safetensors to start from, such as core/pretrained/beats.safetensors
    loop: LoopConfig = LoopConfig(steps=22_500, batch=8, lr=2e-3, warmup=200, ema=0.998, weight_decay=1e-2)
    task: BeatsTaskConfig = BeatsTaskConfig()


@dataclass(frozen=True)
class VocoderRecipe:
    """How the vocoder is trained."""

    audio: Path | None = None  # a folder with audio and an index.jsonl that names it, or the word "synthetic"
    loop: LoopConfig = LoopConfig(steps=6000, batch=16, lr=1e-3, warmup=50, ema=0.995, weight_decay=1e-3)
    task: VocoderTaskConfig = VocoderTaskConfig()


@dataclass(frozen=True)
class EncodersRecipe:
    loop: LoopConfig = LoopConfig(steps=3000, batch=16, lr=1e-3, warmup=100, ema=0.995)
    task: EncodersTaskConfig = EncodersTaskConfig()


@dataclass(frozen=True)
class SpaceRecipe:
    loop: LoopConfig = LoopConfig(steps=3000, batch=24, lr=5e-4, warmup=100, ema=0.995)
    task: SpaceTaskConfig = SpaceTaskConfig()


@dataclass(frozen=True)
class TheatreRecipe:
    """How scheduler and denoisers are trained, and the triples of all stages."""

    accents: tuple[str, ...] = ACCENTS  # what the dancer does on beats in the training data
    shows: int = 2  # written over each training pair
    loop: LoopConfig = LoopConfig(steps=12_000, batch=16, lr=4e-4, warmup=200, ema=0.998)
    task: TheatreTaskConfig = TheatreTaskConfig(most_snr=10.0, least_snr=1.0)

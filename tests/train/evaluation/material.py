"""Songs of clicks, and bodies that sway to them."""

import json
from pathlib import Path

import torch

from core.audio.representation import to_int16
from core.metrics.classifier import Classifier, ClassifierConfig, MotionClassifier
from core.motion import rotation
from core.rhythm.features import analyse
from core.types import Motion, Waveform
from train.data import dataset, shards, synthetic
from train.data.rates import AUDIO_RATE, MOTION_FPS
from train.evaluation.dance.material import Excerpt


def song(bpm: float, seconds: float = 30.0) -> Waveform:
    return Waveform(synthetic.clicks(bpm, seconds, torch.Generator().manual_seed(0)), AUDIO_RATE)


def excerpt(bpm: float, seconds: float = 20.0, number: int = 0) -> Excerpt:
    heard = song(bpm, seconds)
    return Excerpt(f"clicks {bpm:g}", heard, analyse(heard), number)


def swaying(bpm: float, seconds: float, seed: int = 0) -> Motion:
    """Arms and spine that turn round on beats, each time by another amount, on a body that slowly turns and walks."""
    generator = torch.Generator().manual_seed(seed)
    motion = synthetic.swing(bpm, int(seconds * MOTION_FPS), 0.0, 0.8)
    clock = torch.arange(motion.frames) / MOTION_FPS
    size = 0.7 + 0.3 * torch.sin(clock * (0.5 + torch.rand(1, generator=generator)))
    rotations = rotation.slerp(rotation.identity(22).expand_as(motion.rotations), motion.rotations, size[:, None])
    rotations[:, 0] = rotation.about("y", 0.3 * clock + seed)
    root = motion.root + torch.stack((0.1 * clock, 0 * clock, 0.05 * clock), dim=1)
    return Motion(rotations, root, MOTION_FPS, motion.contacts)


def untrained_classifier() -> Classifier:
    """A classifier of two classes with random weights, always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = MotionClassifier(ClassifierConfig(classes=2, width=8)).eval()
    return Classifier(network, ("a", "b"), 1.0, {"a": 1.0, "b": 1.0}, {"a": 1, "b": 1}, 1.0)


def prepared_takes(folder: Path, waves: bool = True) -> Path:
    """A folder of prepared val pairs: two of one take of AIST++, one of another, and one that is not of AIST++."""
    lines = []
    for number, name in enumerate(("gHO_a", "gHO_a", "gHO_b", "salsa_10")):
        body, heard = swaying(100 + number, 4.0), song(100 + number, 4.0)
        beats = torch.arange(0, 4, 60 / (100 + number))
        parts = {"rotations": body.rotations, "root": body.root, "contacts": torch.zeros(body.frames, 4)}
        parts |= {"mel": torch.zeros(2 * body.frames, 80), "onset": torch.zeros(8), "loudness": torch.ones(8)}
        parts |= {"beats": beats, "downbeats": torch.arange(len(beats)) % 4 == 0}
        parts |= {"wave": to_int16(heard.samples)} if waves else {}
        line = {"id": f"{name}-{number}", "shard": f"pairs-{number}.safetensors", "split": "val", "motion": name}
        group = f"aist_{name}" if name.startswith("g") else name
        line |= {"music": "clicks", "genre": "house", "group": group, "tempo": 100.0 + number}
        shards.write_shard(folder / line["shard"], "key", [(line, parts)])
        lines.append(line)
    (folder / dataset.PAIRS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder

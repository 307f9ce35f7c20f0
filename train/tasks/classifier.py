"""The style classifier behind some metrics. ``core.metrics.classifier`` says what it may cheat on.

It is trained on four-second crops of the train takes and their mirror images, with all styles equally often. It is
tested on windows of val takes, which it has never seen. No weights are selected by that test: the last ones are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from core.errors import FootlightError
from core.metrics.classifier import CHANNELS, WINDOW, Classifier, ClassifierConfig, MotionClassifier, cut, features
from core.metrics.frames import windows
from core.motion.kinematics import mirror
from train.data.dataset import Pair
from train.data.latents import style_of
from train.loop import Phase


@dataclass(frozen=True)
class ClassifierTaskConfig:
    """Network and regularisation.

    width, embedding, dropout: of the network.
    smoothing: of the labels.
    noise: added to standardised input.
    """

    width: int = 64
    embedding: int = 32
    dropout: float = 0.3
    smoothing: float = 0.1
    noise: float = 0.1


class ClassifierPhase(Phase):
    """Trains the classifier on features with noise, by cross-entropy with smoothed labels."""

    def __init__(self, network: MotionClassifier, config: ClassifierTaskConfig) -> None:
        super().__init__({"classifier": network})
        self.config = config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        network, x = self.network("classifier", MotionClassifier), batch["features"]  #  b t c
        noise = torch.randn(x.shape, generator=generator, device=generator.device).to(x)
        logits = network(x + self.config.noise * network.std * noise)
        loss = functional.cross_entropy(logits.float(), batch["style"], label_smoothing=self.config.smoothing)
        return {"cross_entropy": loss, "_accuracy": (logits.argmax(dim=1) == batch["style"]).float().mean()}


class ClassifierTask:
    """Trains the classifier. The classes are the styles of the train split.

    pairs: by split.
    """

    name = "classifier"

    def __init__(self, config: ClassifierTaskConfig, pairs: dict[str, list[Pair]]) -> None:
        self.classes = tuple(sorted({style_of(pair.genre) for pair in pairs["train"]}))
        if len(self.classes) < 2:
            raise FootlightError(
                f"a classifier needs two styles or more, the data has {self.classes}; add other dances"
            )
        self.train: list[list[Tensor]] = [[] for _ in self.classes]
        for pair in pairs["train"]:
            for body in (pair.motion(), mirror(pair.motion())):
                clip = features(body)
                if len(clip) >= WINDOW:
                    self.train[self.classes.index(style_of(pair.genre))].append(clip)
        if empty := [name for name, clips in zip(self.classes, self.train, strict=True) if not clips]:
            raise FootlightError(f"no clip of {', '.join(empty)} lasts four seconds; leave it out with --exclude")
        self.lengths = [torch.tensor([float(len(clip)) for clip in clips]) for clips in self.train]
        self.held_out: dict[str, Tensor] = {}
        self.takes: dict[str, int] = {}
        for name in self.classes:
            some = [pair for pair in pairs["val"] if style_of(pair.genre) == name]
            pieces = torch.cat([torch.zeros(0, WINDOW, CHANNELS), *(cut(pair.motion()) for pair in some)])
            if len(pieces):
                self.held_out[name] = pieces
                self.takes[name] = len({pair.motion_name for pair in some})
        if not self.held_out:
            raise FootlightError("the val split has no dance of a known style; a classifier cannot be judged on it")
        network = MotionClassifier(ClassifierConfig(len(self.classes), config.width, config.embedding, config.dropout))
        network.learn_from(torch.cat([clip for clips in self.train for clip in clips]))
        self.phases: dict[str, Phase] = {"classifier": ClassifierPhase(network, config)}

    def batch(self, size: int, generator: torch.Generator) -> dict:
        styles = torch.randint(len(self.classes), (size,), generator=generator)
        crops = []
        for style in styles.tolist():
            clip = self.train[style][int(torch.multinomial(self.lengths[style], 1, generator=generator))]
            start = int(torch.randint(len(clip) - WINDOW + 1, (1,), generator=generator))
            crops.append(clip[start : start + WINDOW])
        return {"features": torch.stack(crops), "style": styles}

    def recalls(self, network: MotionClassifier) -> dict[str, float]:
        """The share of held-out windows of each class that is recognised."""
        found = {}
        for name, pieces in self.held_out.items():
            chosen = network(pieces.to(network.mean)).argmax(dim=1)
            found[name] = float((chosen == self.classes.index(name)).float().mean())
        return found

    def pose_only(self) -> float:
        """The balanced accuracy of a nearest-mean classifier on average features, on the held-out windows."""
        means = [
            torch.cat([piece.mean(dim=0)[None] for clip in clips for piece in windows(clip, WINDOW, WINDOW // 2)])
            for clips in self.train
        ]
        centres = torch.stack([mean.mean(dim=0) for mean in means])
        spread = torch.cat(means).std(dim=0).clamp_min(1e-4)
        recalls = []
        for name, pieces in self.held_out.items():
            chosen = torch.cdist(pieces.mean(dim=1) / spread, centres / spread).argmin(dim=1)
            recalls.append(float((chosen == self.classes.index(name)).float().mean()))
        return sum(recalls) / len(recalls)

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        recalls = self.recalls(phases["classifier"].network("classifier", MotionClassifier))
        accuracy = sum(recalls.values()) / len(recalls)
        return {"balanced_accuracy": accuracy, **{f"recall_{name}": value for name, value in recalls.items()}}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        return {}

    @torch.no_grad()
    def finished(self, weights: dict[str, Tensor]) -> Classifier:
        """The classifier to save: the network with these weights, with its test on the val takes."""
        network = MotionClassifier(self.phases["classifier"].network("classifier", MotionClassifier).config)
        network.load_state_dict(weights)
        network.eval().requires_grad_(False)
        recalls = self.recalls(network)
        accuracy = sum(recalls.values()) / len(recalls)
        return Classifier(network, self.classes, accuracy, recalls, self.takes, self.pose_only())

"""A small network that tells dance styles apart, and whose features measure sets of dances.

The Fréchet distance, diversity and KLD of MoMu-Diffusion need the embedding of a classifier trained on dance genres.
There is no public one for this skeleton, so it is trained on the data at hand (``python -m train.fit classifier``), and
its accuracy on held-out takes goes wherever its figures go.

What it may cheat on. Where each style comes from one studio, style and recording are the same thing to a classifier.
Its input leaves out what gives a recording away at once: bone lengths (all capture stands on ``SMPL22``), absolute
place, heading and height above the floor (which errs by centimetres from source to source), spine, collars, head and
toes (which some sources do not have and retargeting fills in), and everything faster than about 3 Hz (noise of cameras,
smoothness of simulated robots). What remains can still tell: a robot's stance, one performer's arms, couple dancing.
High accuracy is therefore no proof that it knows style, and a distance in its features is one between recordings too.
The accuracy of a stance alone (``pose_only``) goes with the figures to say how much there is to cheat with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional

from core.errors import FootlightError
from core.files import write_atomically
from core.layers.peaks import gaussian_smooth
from core.metrics.frames import windows
from core.motion import kinematics, rotation
from core.motion.resample import spline
from core.motion.skeleton import SMPL22
from core.types import Motion

FPS = 15.0
WINDOW_SECONDS = 4.0
WINDOW = round(WINDOW_SECONDS * FPS)
SMOOTHING = 0.05  # seconds, standard deviation: half the amplitude is gone at 3.7 Hz
SEEN = (
    "neck", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
CHANNELS = 3 * len(SEEN) + 4
FORMAT, VERSION = "footlight-classifier", 1


def features(motion: Motion) -> Tensor:
    """(t, 31) at 15 frames a second: places (m) of the joints ``SEEN`` about the pelvis as its heading sees them, the
    velocity (m/s) of the pelvis so seen, and its turning (rad/s). Raises FootlightError below two such frames."""
    frames = int((motion.frames - 1) * FPS / motion.fps + 1e-9) + 1
    if frames < 2:
        raise FootlightError(
            f"a motion of {motion.seconds:.2f} s is too short to be classified; give {WINDOW_SECONDS} s"
        )
    at = torch.arange(frames, dtype=torch.float64) * (motion.fps / FPS)
    positions = kinematics.forward(motion.rotations.double(), motion.root.double())
    joints = [SMPL22.index(name) for name in SEEN]
    heading = rotation.unwrap(rotation.yaw(motion.rotations[:, 0].double()), dim=0)
    path = torch.cat((positions[:, joints].flatten(1), positions[:, 0], heading[:, None]), dim=1)
    smooth = torch.stack([gaussian_smooth(channel, SMOOTHING * motion.fps) for channel in path.T], dim=1)
    path = spline(smooth, at)
    root, heading = path[:, -4:-1], path[:, -1]
    back = rotation.about("y", -heading)
    places = path[:, :-4].unflatten(1, (-1, 3)) - root[:, None]
    velocity = _held(root.diff(dim=0) * FPS)
    return torch.cat(
        (
            rotation.rotate(back[:, None], places).flatten(1),
            rotation.rotate(back, velocity),
            _held(heading.diff(dim=0)[:, None] * FPS),
        ),
        dim=1,
    ).float()


def cut(motion: Motion) -> Tensor:
    """All windows (n, 60, 31) of four seconds of a motion, overlapping by half; none when it is shorter."""
    pieces = windows(features(motion), WINDOW, WINDOW // 2)
    return torch.stack(pieces) if pieces else torch.zeros(0, WINDOW, CHANNELS)


@dataclass(frozen=True)
class ClassifierConfig:
    """classes: how many styles.  width: channels.  embedding: width of what ``embed`` gives.  dropout: in training."""

    classes: int
    width: int = 64
    embedding: int = 32
    dropout: float = 0.3


class MotionClassifier(nn.Module):
    """Four convolutions over time, mean and maximum over what is left, and two linear layers.

    No normalisation between them: it would take away how large and how fast the movement is.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("std", torch.ones(CHANNELS))
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(((CHANNELS, w), (w, w), (w, 2 * w), (2 * w, 2 * w))):
            layers.append(nn.Conv1d(before, after, 5, stride=1 if i == 0 else 2, padding=2))
            layers += [nn.SiLU(), nn.Dropout(config.dropout)]
        self.layers = nn.Sequential(*layers)
        self.embedding = nn.Linear(4 * w, config.embedding)
        self.out = nn.Linear(config.embedding, config.classes)

    @torch.no_grad()
    def learn_from(self, frames: Tensor) -> None:
        """Before training: take the statistics of the input from training frames (n, 31)."""
        self.mean.copy_(frames.mean(dim=0))
        self.std.copy_(frames.std(dim=0).clamp_min(1e-4))

    def embed(self, x: Tensor) -> Tensor:
        """(b, t, 31) -> (b, d), the features that the last layer classifies."""
        hidden = self.layers(((x - self.mean) / self.std).transpose(1, 2))  #  b c t'
        pooled = torch.cat((hidden.mean(dim=2), hidden.amax(dim=2)), dim=1)  # b 2c
        return functional.silu(self.embedding(pooled))

    def forward(self, x: Tensor) -> Tensor:
        """(b, t, 31) features of ``features`` -> logits (b, classes)."""
        return self.out(self.embed(x))


@dataclass(frozen=True)
class Classifier:
    """A trained network with what its figures must not go without.

    classes: the styles, in the order of the logits.  accuracy: balanced accuracy on windows of held-out takes, the mean
    of the recalls of the classes held out.  recalls: those, by class.  takes: how many takes of each were held out.
    pose_only: the accuracy, on the same windows, of the nearest class mean of the window's average features alone: how
    much of the task is a stance that may be the recording's.
    """

    network: MotionClassifier
    classes: tuple[str, ...]
    accuracy: float
    recalls: dict[str, float]
    takes: dict[str, int]
    pose_only: float

    @torch.no_grad()
    def embed(self, pieces: Tensor) -> Tensor:
        """Features (n, d), doubles, of windows (n, 60, 31)."""
        return torch.cat([self.network.embed(part) for part in pieces.split(256)]).double()

    @torch.no_grad()
    def probabilities(self, pieces: Tensor) -> Tensor:
        """(n, classes), doubles, of windows (n, 60, 31)."""
        return torch.cat([self.network(part) for part in pieces.split(256)]).double().softmax(dim=1)

    def about(self) -> dict:
        """What belongs beside every figure: accuracy, that of the best blind guess, that of a stance alone, and on how
        many takes they were measured."""
        return {
            "classes": list(self.classes),
            "accuracy": self.accuracy,
            "accuracy_chance": 1 / len(self.recalls),
            "accuracy_pose_only": self.pose_only,
            "accuracy_takes": sum(self.takes.values()),
        }

    def save(self, folder: Path | str) -> None:
        """Write ``classifier.safetensors`` and ``classifier.json``; the latter last, so that it vouches for both."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        state = {name: value.detach().cpu().contiguous() for name, value in self.network.state_dict().items()}
        write_atomically(folder / "classifier.safetensors", save(state))
        config = self.network.config
        document = {
            "format": FORMAT,
            "version": VERSION,
            "classes": list(self.classes),
            "accuracy": self.accuracy,
            "recalls": self.recalls,
            "takes": self.takes,
            "pose_only": self.pose_only,
            "width": config.width,
            "embedding": config.embedding,
            "dropout": config.dropout,
        }
        write_atomically(folder / "classifier.json", (json.dumps(document, indent=2) + "\n").encode())

    @classmethod
    def load(cls, folder: Path | str) -> Classifier:
        """Read what ``save`` wrote. Raises FootlightError for a folder that is missing, foreign, newer or damaged."""
        path = Path(folder) / "classifier.json"
        if not path.is_file():
            raise FootlightError(
                f"{folder} holds no classifier: run `python -m train.fit classifier` and name its folder"
            )
        try:
            document = json.loads(path.read_text())
            kind = (document["format"], document["version"])
        except (ValueError, KeyError, TypeError) as error:
            raise FootlightError(f"{path} is damaged or was not written by Footlight: {error!r}") from None
        if kind != (FORMAT, VERSION):
            raise FootlightError(f"{path} is {kind[0]} version {kind[1]}, expected {FORMAT} {VERSION}: train it again")
        weights = path.with_suffix(".safetensors")
        try:
            config = ClassifierConfig(
                len(document["classes"]), document["width"], document["embedding"], document["dropout"]
            )
            network = MotionClassifier(config)
            network.load_state_dict(load_file(weights), strict=True)
            return cls(
                network.eval().requires_grad_(False),
                tuple(document["classes"]),
                document["accuracy"],
                document["recalls"],
                document["takes"],
                document["pose_only"],
            )
        except (KeyError, TypeError, RuntimeError, SafetensorError, OSError) as error:
            line = " ".join(str(error).split())[:200]
            raise FootlightError(f"{weights} does not fit {path.name} or is damaged: {line}; train it again") from None


def _held(steps: Tensor) -> Tensor:
    """One frame more at the front, which repeats the first."""
    return torch.cat((steps[:1], steps))

"""A small classifier of dance styles, whose embedding is used to compare sets of dances.

The Fréchet distance, diversity and KLD of MoMu-Diffusion need the embedding of a classifier of dance genres. There is
no public one for this skeleton, so it is trained on the available data (``python -m train.fit classifier``). Its
accuracy on held-out takes accompanies every metric that uses it.

Shortcuts. If each style comes from a single studio, a classifier cannot distinguish style from recording. Its input
therefore omits what identifies a recording at once:

- bone lengths (all captures are retargeted to ``SMPL22``);
- absolute position, heading, and height above the floor, which is off by centimetres between sources;
- spine, collars, head and toes, which some sources lack, so that retargeting fills them in;
- everything faster than about 3 Hz: camera noise, and the smoothness of simulated robots.

The rest can still identify a recording: a robot's stance, one performer's arms, a couple dancing. High accuracy is
therefore no proof that the classifier recognises style, and a distance between its features is also one between
recordings. The accuracy from the stance alone (``pose_only``) accompanies the metrics, to show how far shortcuts go.
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

from core.errors import FootlightError, one_line
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
SMOOTHING = 0.05  # seconds, standard deviation; the amplitude is halved at 3.7 Hz
SEEN = (
    "neck", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
CHANNELS = 3 * len(SEEN) + 4
FORMAT = "footlight-classifier"
VERSION = 1


def features(motion: Motion) -> Tensor:
    """The classifier's input (t, 31) at 15 frames per second.

    The channels are, relative to the heading, the positions of the joints ``SEEN`` from the pelvis (m) and the velocity
    of the pelvis (m/s); and its yaw velocity (rad/s).

    Raises FootlightError for fewer than two such frames.
    """
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
    """Cut a motion into windows (n, 60, 31) of four seconds that overlap by half; none if it is shorter."""
    pieces = windows(features(motion), WINDOW, WINDOW // 2)
    return torch.stack(pieces) if pieces else torch.zeros(0, WINDOW, CHANNELS)


@dataclass(frozen=True)
class ClassifierConfig:
    """The architecture of the classifier.

    classes: number of styles.
    width: channels of the first layer.
    embedding: width of the embedding.
    dropout: probability in training.
    """

    classes: int
    width: int = 64
    embedding: int = 32
    dropout: float = 0.3


class MotionClassifier(nn.Module):
    """Four convolutions over time, mean and maximum over the frames, and two linear layers.

    There is no normalisation between the layers: it would remove how large and how fast movements are.
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
        """Set the statistics of the input from training frames (n, 31), before training."""
        self.mean.copy_(frames.mean(dim=0))
        self.std.copy_(frames.std(dim=0).clamp_min(1e-4))

    def embed(self, x: Tensor) -> Tensor:
        """The embedding (b, d) of features (b, t, 31): the input of the last layer."""
        hidden = self.layers(((x - self.mean) / self.std).transpose(1, 2))  #  b c t'
        pooled = torch.cat((hidden.mean(dim=2), hidden.amax(dim=2)), dim=1)  # b 2c
        return functional.silu(self.embedding(pooled))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (b, classes) of features (b, t, 31)."""
        return self.out(self.embed(x))


@dataclass(frozen=True)
class Classifier:
    """A trained network, with the figures that must accompany its metrics.

    network: the network.
    classes: the styles, in the order of the logits.
    accuracy: balanced accuracy on windows of held-out takes, i.e. the mean of the recalls.
    recalls: recall by class, for the classes with held-out takes.
    takes: number of held-out takes by class.
    pose_only: accuracy on the same windows of the nearest class mean of a window's average features. It shows how much
        can be told from a stance, which may identify the recording.
    """

    network: MotionClassifier
    classes: tuple[str, ...]
    accuracy: float
    recalls: dict[str, float]
    takes: dict[str, int]
    pose_only: float

    @torch.no_grad()
    def embed(self, pieces: Tensor) -> Tensor:
        """Embeddings (n, d), float64, of windows (n, 60, 31)."""
        return torch.cat([self.network.embed(part) for part in pieces.split(256)]).double()

    @torch.no_grad()
    def probabilities(self, pieces: Tensor) -> Tensor:
        """Class probabilities (n, classes), float64, of windows (n, 60, 31)."""
        return torch.cat([self.network(part) for part in pieces.split(256)]).double().softmax(dim=1)

    def taken_for(self, motions: list[Motion]) -> Tensor:
        """For each motion that lasts a window, the share of its windows that is taken for each class (n, classes)."""
        found = []
        for motion in motions:
            pieces = cut(motion)
            if len(pieces):
                chosen = self.probabilities(pieces).argmax(dim=1)
                found.append(functional.one_hot(chosen, len(self.classes)).double().mean(dim=0))
        return torch.stack(found) if found else torch.zeros(0, len(self.classes), dtype=torch.float64)

    def about(self) -> dict:
        """What accompanies every metric: accuracy, its chance level, accuracy of the stance alone, number of takes."""
        return {
            "classes": list(self.classes),
            "accuracy": self.accuracy,
            "accuracy_chance": 1 / len(self.recalls),
            "accuracy_pose_only": self.pose_only,
            "accuracy_takes": sum(self.takes.values()),
        }

    def save(self, folder: Path | str) -> None:
        """Write ``classifier.safetensors`` and then ``classifier.json``, whose presence shows that both are whole."""
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
        """Read what ``save`` wrote.

        Raises FootlightError for a folder that is missing, damaged, or of another format or version.
        """
        path = Path(folder) / "classifier.json"
        if not path.is_file():
            raise FootlightError(
                f"{folder} holds no classifier: run `python -m train.fit classifier` and name its folder"
            )
        try:
            document = json.loads(path.read_bytes())
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
            line = one_line(str(error))[:200]
            raise FootlightError(f"{weights} does not fit {path.name} or is damaged: {line}; train it again") from None


def _held(steps: Tensor) -> Tensor:
    """Prepend a copy of the first frame."""
    return torch.cat((steps[:1], steps))

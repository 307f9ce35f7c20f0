"""A model on disk: a folder with ``config.json`` and one ``NAME.safetensors`` for each network. Never pickle.

Networks are named by what they are and the modality that they serve: ``autoencoder.motion``, ``denoiser.music``.

``config.json`` holds a format version, the configuration and the card (what it was trained on, and how well it does).
Loading is strict: a missing, foreign, damaged or newer file is a FootlightError that names the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from core import config as configuration
from core import format1, records
from core.config import Config
from core.errors import FootlightError
from core.files import write_atomically

FORMAT = "footlight-model"
VERSION = 2
READS = (1, 2)


@dataclass(frozen=True)
class Checkpoint:
    """config, the networks' tensors by network name (see above), and the card."""

    config: Config
    tensors: dict[str, dict[str, Tensor]]
    card: dict = field(default_factory=dict)

    def load_into(self, name: str, module: nn.Module) -> nn.Module:
        """Fill ``module`` with the tensors saved as ``name``; every name and shape must agree."""
        if name not in self.tensors:
            raise FootlightError(f"this model has no {name!r}; it holds {', '.join(sorted(self.tensors)) or 'nothing'}")
        try:
            module.load_state_dict(self.tensors[name], strict=True)
        except RuntimeError as error:
            first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
            raise FootlightError(f"the weights of {name!r} do not fit its configuration: {first}") from None
        return module


def save_folder(
    folder: Path | str,
    config: Config,
    tensors: dict[str, dict[str, Tensor]],
    card: dict | None = None,
) -> None:
    """Write a model folder; ``config.json`` goes last, so that a folder that has one is complete."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, state in tensors.items():
        data = save({key: value.detach().cpu().contiguous() for key, value in state.items()})
        write_atomically(folder / f"{name}.safetensors", data)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "networks": sorted(tensors),
        "config": records.to_json(config),
        "card": card or {},
    }
    write_atomically(folder / "config.json", (json.dumps(document, indent=2) + "\n").encode())


def load(folder: Path | str) -> Checkpoint:
    """Read a model folder. Half-precision weights come back as float32.

    Raises FootlightError when the folder is missing, of another program or version, or damaged.
    """
    folder = Path(folder)
    path = folder / "config.json"
    if not path.is_file():
        raise FootlightError(f"{folder} is not a Footlight model: it has no config.json")
    try:
        document = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FootlightError(f"{path} is damaged: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FootlightError(f"{path} was not written by Footlight")
    version = document.get("version")
    if version not in READS:
        reads = " and ".join(str(one) for one in READS)
        raise FootlightError(f"{path} has format version {version}, this program reads {reads}: update Footlight")
    if not isinstance(document.get("config"), dict) or not isinstance(document.get("networks"), list):
        raise FootlightError(f"{path} is damaged: it lacks the configuration or the networks' names")
    config = configuration.read(document["config"])
    tensors = {}
    for name in document["networks"]:
        named = format1.NETWORKS.get(name, name) if version == 1 else name
        tensors[named] = _read_network(folder / f"{name}.safetensors")
    return Checkpoint(config, tensors, document.get("card", {}))


def _read_network(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FootlightError(f"{path} is missing: the model folder is incomplete, copy it again")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise FootlightError(f"{path} is damaged: {error}") from None
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}

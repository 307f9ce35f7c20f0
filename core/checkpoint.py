"""Saves and loads models. A model is a folder with ``config.json`` and one ``NAME.safetensors`` per network, no pickle.

Networks are named by what they are and by their modality: ``autoencoder.motion``, ``denoiser.music``.

``config.json`` contains a format version, the configuration and the card (training data and metrics). Loading is
strict: a missing, foreign, damaged or newer file raises FootlightError, which names the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from core import config as configuration
from core import format1, records
from core.config import Config
from core.errors import FootlightError
from core.files import write_atomically

T = TypeVar("T")
Network = TypeVar("Network", bound=nn.Module)

FORMAT = "footlight-model"
VERSION = 2
READS = (1, 2)
PRETRAINED = Path(__file__).parent / "pretrained"
"""The folder of the models that are embedded, and of the networks that belong to no model."""


class OnDemand(Mapping[str, T]):
    """Values by name, each of which is made whenever it is asked for, and not to see whether it is there.

    make: name -> what makes its value.
    """

    def __init__(self, make: Mapping[str, Callable[[], T]]) -> None:
        self._make = make

    def __getitem__(self, name: str) -> T:
        return self._make[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._make  # what Mapping has would make the value

    def __iter__(self) -> Iterator[str]:
        return iter(self._make)

    def __len__(self) -> int:
        return len(self._make)


@dataclass(frozen=True)
class Checkpoint:
    """A model as loaded from disk.

    config: its configuration.
    tensors: network -> name -> tensor. A network is read from its file when it is asked for.
    card: what it was trained on, and its metrics.
    """

    config: Config
    tensors: Mapping[str, dict[str, Tensor]]
    card: dict = field(default_factory=dict)

    def load_into(self, name: str, module: Network) -> Network:
        """Load the tensors saved as ``name`` into ``module`` and return it.

        Raises FootlightError when the model has no such network, or a tensor's name or shape differs.
        """
        return self._load(name, module, shared=False)

    def network(self, name: str, make: Callable[[], Network]) -> Network:
        """The network that ``make`` creates, with the tensors saved as ``name`` as its own, which are not copied.

        It is several times as fast as ``load_into``, because no weights are drawn first.

        Raises FootlightError as ``load_into`` does.
        """
        with _Uninitialised():
            module = make()
        return self._load(name, module, shared=True)

    def taught(self) -> Checkpoint:
        """The model with its teachers in the place of what was distilled from them. Training goes on from there."""
        names = {name: name for name in self.tensors if name.partition(".")[0] != "teacher"}
        names |= {f"denoiser.{name}": f"teacher.{name}" for name in self.config.teachers}
        read = {name: partial(self.tensors.__getitem__, saved) for name, saved in names.items()}
        return replace(self, config=configuration.taught(self.config), tensors=OnDemand(read))

    def _load(self, name: str, module: Network, shared: bool) -> Network:
        if name not in self.tensors:
            raise FootlightError(f"this model has no {name!r}; it holds {', '.join(sorted(self.tensors)) or 'nothing'}")
        try:
            module.load_state_dict(self.tensors[name], strict=True, assign=shared)
        except RuntimeError as error:
            first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
            said = shorten(first, 200)
            raise FootlightError(f"the weights of {name!r} do not fit its configuration: {said}") from None
        return module


class _Uninitialised(TorchFunctionMode):
    """Layers that are created inside keep the weights that happen to be in their memory.

    PyTorch's "meta" device would do the same, but a network that draws numbers there imports PyTorch's compiler, which
    takes longer than everything else together.
    """

    def __torch_function__(
        self, func: Callable, types: Sequence[type], args: tuple = (), kwargs: dict | None = None
    ) -> object:
        if getattr(func, "__module__", None) == nn.init.__name__:
            return None
        return func(*args, **(kwargs or {}))


def save_folder(
    folder: Path | str,
    config: Config,
    tensors: dict[str, dict[str, Tensor]],
    card: dict | None = None,
) -> None:
    """Write a model folder. ``config.json`` is written last, so a folder that has one is complete.

    folder: created if it does not exist.
    config: the configuration.
    tensors: network -> name -> tensor.
    card: JSON values to store with the model.
    """
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
    """Load a model folder. Half-precision weights are converted to float32.

    Raises FootlightError when the folder is missing, incomplete, damaged, or of another program or version. A damaged
    network is noticed when it is asked for.
    """
    folder = Path(folder)
    path = folder / "config.json"
    if not path.is_file():
        raise FootlightError(f"{folder} is not a Footlight model: it has no config.json")
    try:
        document = json.loads(path.read_bytes())
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
    names = {name: name for name in document["networks"]} | (format1.NETWORKS if version == 1 else {})
    paths = {names[name]: folder / f"{name}.safetensors" for name in document["networks"]}
    for path in paths.values():
        if not path.is_file():
            raise FootlightError(f"{path} is missing: the model folder is incomplete, copy it again")
    read = {name: partial(_read_network, path) for name, path in paths.items()}
    return Checkpoint(config, OnDemand(read), document.get("card", {}))


def _read_network(path: Path) -> dict[str, Tensor]:
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise FootlightError(f"{path} is damaged: {error}") from None
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}

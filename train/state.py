"""The whole state of a training run as one safetensors file: nested dictionaries of tensors and plain numbers.

Optimiser states are nested and mixed. They become flat tensor names, with a JSON table for everything else. So a run
can be continued without unpickling anything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from core.errors import FootlightError
from core.files import write_atomically

SEPARATOR = "|"  # not used by any parameter name


def flatten(tree: dict, prefix: str = "") -> tuple[dict[str, Tensor], dict]:
    """Split a nested dict into ``{path: tensor}`` and ``{path: JSON value}``. Keys may be str or int."""
    tensors: dict[str, Tensor] = {}
    values: dict = {}
    for key, item in tree.items():
        name = f"{prefix}{'#' if isinstance(key, int) else ''}{key}"
        if isinstance(item, dict) and item:
            inner_tensors, inner_values = flatten(item, name + SEPARATOR)
            tensors.update(inner_tensors)
            values.update(inner_values)
        elif isinstance(item, Tensor):
            tensors[name] = item.detach().cpu().contiguous()
        else:
            values[name] = item
    return tensors, values


def unflatten(flat: dict) -> dict:
    """The inverse of :func:`flatten` for the two parts merged into one dict."""
    tree: dict = {}
    for path, item in flat.items():
        *parents, last = [int(part[1:]) if part.startswith("#") else part for part in path.split(SEPARATOR)]
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = item
    return tree


def without_lists(optimiser: dict) -> dict:
    """The state of an optimiser with dicts keyed by number instead of lists, as ``flatten`` takes it."""
    groups = {i: dict(group) for i, group in enumerate(optimiser["param_groups"])}
    return {"state": optimiser["state"], "param_groups": groups}


def with_lists(optimiser: dict) -> dict:
    """The inverse of :func:`without_lists`."""
    groups = optimiser["param_groups"]
    return {"state": optimiser.get("state", {}), "param_groups": [groups[i] for i in sorted(groups)]}


def save_state(path: Path, state: dict) -> None:
    """Write ``state`` atomically: ``path`` holds the old run or the new one, never half of either."""
    tensors, values = flatten(state)
    # Tied or shared tensors would be refused by safetensors; a run has none, but a clone is cheap insurance.
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(tensors, metadata={"values": json.dumps(values)}))


def load_state(path: Path) -> dict:
    """Read what ``save_state`` wrote. Raises FootlightError when the file is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            flat = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            flat.update(json.loads(file.metadata()["values"]))
    except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise FootlightError(f"{path} is not a training state that can be continued: {error}") from None
    return unflatten(flat)


def digest(values: Iterable[object], tensors: Iterable[Tensor]) -> str:
    """A name for what is made of these settings and numbers, so that it is made again for others.

    values: of kinds that JSON knows.
    tensors: of any shape.
    """
    found = hashlib.blake2b(digest_size=6)
    for value in values:
        found.update(json.dumps(value).encode())
    for tensor in tensors:
        found.update(tensor.float().cpu().numpy().tobytes())
    return found.hexdigest()

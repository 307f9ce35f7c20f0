"""Prepared data on disk: safetensors shards and their index in JSON lines.

A shard holds everything made from one source file, so a changed, added or broken source touches nothing else. Its
header carries the key that it was made under and the index lines of its records. The index is gathered from the
headers. Rotations are stored as 16-bit integers in steps of 1 / 32767, which is 16 times finer near 1 than a half
float. Mels, onset strength and loudness are half floats.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from core.errors import FootlightError
from core.files import write_atomically

VERSION = 2  # raised where preparation makes something else of the same files
_INTEGER_SCALE = 32767.0
_BY_NAME = {
    "mel": torch.float16,
    "wave": torch.int16,
    "onset": torch.float16,
    "loudness": torch.float16,
    "root": torch.float32,
    "contacts": torch.uint8,
    "beats": torch.float32,
    "downbeats": torch.uint8,
}


def slug(text: str) -> str:
    """The text as a name that is safe in file names and tensor keys: letters of any script, digits, "_" and "-"."""
    return re.sub(r"[^\w-]+", "_", text).strip("_") or "unnamed"


def key(*parts: object) -> str:
    """A digest of what a shard is made from: settings and other digests."""
    text = json.dumps([VERSION, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def pack(name: str, value: Tensor) -> Tensor:
    """A record's tensor as it is stored."""
    if name == "rotations":
        return (value.double() * _INTEGER_SCALE).round().to(torch.int16)
    if name == "contacts":
        value = value.round()
    return value.to(_BY_NAME[name], copy=True).contiguous()  # safetensors refuses views of one song in two records


def unpack(name: str, value: Tensor) -> Tensor:
    """A stored tensor as it is used: unit quaternions, float contacts, bool downbeats.

    Mels stay in half precision and waveforms stay 16-bit integers (``core.audio.representation``).
    """
    if name == "rotations":
        return torch.nn.functional.normalize(value.float(), dim=-1)
    if name == "downbeats":
        return value.bool()
    if name in ("mel", "wave"):
        return value
    return value.float()


def write_shard(
    path: Path,
    made_from: str,
    records: list[tuple[dict, dict[str, Tensor]]],
    dropped: str = "",
    warnings: Sequence[str] = (),
) -> None:
    """Write (index line, tensors) records. The file appears whole or not at all.

    dropped: why a source gave no records. The shard is then empty, so that the source is not tried again.
    warnings: what was said about the source.
    """
    tensors = {f"{line['id']}/{name}": pack(name, v) for line, parts in records for name, v in parts.items()}
    header = {"key": made_from, "lines": json.dumps([line for line, _ in records]), "dropped": dropped}
    header["warnings"] = json.dumps(list(warnings))
    write_atomically(path, save(tensors, metadata=header))


def read_header(path: Path) -> dict | None:
    """The header of a shard, or None when the file is missing or cannot be read.

    It is ``{"key", "lines", "dropped", "warnings"}``, as ``write_shard`` takes them.
    """
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
        read = {name: json.loads(header.get(name, "[]")) for name in ("lines", "warnings")}
        return {"key": header["key"], "dropped": header["dropped"], **read}
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def read_records(folder: Path, lines: list[dict], without: tuple[str, ...] = ()) -> list[dict[str, Tensor]]:
    """The tensors of the records that the index lines name, in the same order.

    without: names of tensors that are not read.

    Raises FootlightError for a shard that is missing or damaged.
    """
    by_shard: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        by_shard.setdefault(line["shard"], []).append(number)
    made: list[dict[str, Tensor]] = [{} for _ in lines]
    for shard, numbers in by_shard.items():
        path = folder / shard
        try:
            with safe_open(path, "pt") as file:
                names: dict[str, list[str]] = {}
                for stored in file.keys():  # noqa: SIM118 (safe_open is no mapping)
                    record, _, name = stored.rpartition("/")
                    if name not in without:
                        names.setdefault(record, []).append(name)
                for number in numbers:
                    record = lines[number]["id"]
                    made[number] = {name: unpack(name, file.get_tensor(f"{record}/{name}")) for name in names[record]}
        except (OSError, SafetensorError, KeyError):
            raise FootlightError(f"{path} is missing or damaged: run train.prepare again") from None
    return made


def shards_without(folder: Path, lines: list[dict], name: str) -> list[str]:
    """The shards of the index lines that lack a tensor of this name or cannot be read."""
    lacking = []
    for shard in dict.fromkeys(line["shard"] for line in lines):
        try:
            with safe_open(folder / shard, "pt") as file:
                stored = [key for key in file.keys() if key.endswith(f"/{name}")]  # noqa: SIM118 (no mapping)
        except (OSError, SafetensorError):
            stored = []
        if not stored:
            lacking.append(shard)
    return lacking


def write_index(path: Path, lines: list[dict]) -> None:
    """Write one JSON object a line. The file appears whole or not at all."""
    write_atomically(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())


SOURCES = "index.jsonl"  # the index of a data folder, which people write


def read_index(path: Path) -> list[dict]:
    """The lines of an index. Raises FootlightError when it is missing or damaged."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        way = "make it with `python -m train.prepare`"
        if path.name == SOURCES:
            way = (
                "a data folder names its motion capture and music there; captures beside their music need none: "
                "give their folder as train.prepare --pairs"
            )
        raise FootlightError(f"{path}: no such index; {way}") from None
    try:
        # not splitlines, because names may hold other ends of lines
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except ValueError as error:
        raise FootlightError(f"{path}: damaged index ({error}); run train.prepare again") from None

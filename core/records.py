"""Converts frozen dataclasses to and from JSON values. It needs only the standard library."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from .errors import FootlightError, reason


class Record(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


T = TypeVar("T", bound=Record)


def to_json(record: Any) -> dict[str, Any]:
    """A dataclass as JSON values."""
    return dataclasses.asdict(record)


def from_json(kind: type[T], values: Any, path: str) -> T:
    """Build a dataclass from JSON values.

    kind: the dataclass.
    values: field -> value.
    path: the name of the values in a message, such as "config".

    Raises FootlightError, which names the field, for a field that is unknown, missing or of another type.
    """
    if not isinstance(values, dict):
        raise FootlightError(f"{path}: expected an object, got {type(values).__name__}")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := sorted(set(values) - set(fields)):
        raise FootlightError(f"{path}: unknown field {unknown[0]!r}; it is from another version or another program")
    if missing := [name for name, field in fields.items() if is_required(field) and name not in values]:
        raise FootlightError(f"{path}: the field {missing[0]!r} is missing; it has no default")
    hints = _hints(kind)
    return kind(**{name: _value(hints[name], value, f"{path}.{name}") for name, value in values.items()})


def read_values(path: Path | str, most_bytes: int, name: str) -> Any:
    """The JSON values of a file.

    most_bytes: of the file. A larger one is not read.
    name: what the file holds, such as "look".

    Raises FootlightError, which begins with the path, for a file that cannot be read, is larger or is no JSON.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > most_bytes:
            raise FootlightError(f"{path}: has {size >> 20} MB, which no {name} has; give a {name.upper()}.json")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise FootlightError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        raise FootlightError(f"{path}: is damaged or no JSON ({reason(error)})") from None


def from_text(kind: type[T], text: str | bytes, path: str, format: str, shown: str) -> T:
    """Build a dataclass from the text of a JSON file that may state its format in a field "format".

    kind: the dataclass.
    text: JSON; as bytes in UTF-8, UTF-16 or UTF-32, as the shells of Windows write it too.
    path: the name of the values in a message, such as "keys".
    format: the expected one; a text without a format has it.
    shown: what is expected and where it is shown, for people, such as "keys as docs/edits.md shows them".

    Raises FootlightError for a text that is no JSON or has another format, and as ``from_json`` does.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FootlightError(f"this is no JSON ({error}); expected {shown}") from None
    if isinstance(values, dict) and values.get("format", format) != format:
        raise FootlightError(f"the format is {values['format']!r}; expected {format!r}")
    return from_json(kind, values, path)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields, whose resolution takes longer than everything else here."""
    return typing.get_type_hints(kind)


def is_required(field: dataclasses.Field) -> bool:
    """Whether a field has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(hint: Any, value: Any, path: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        kinds = [kind for kind in arguments if kind is not type(None)]
        # of several plain types, the one that the value has; otherwise the first one is named as expected
        hint = next((kind for kind in kinds if isinstance(kind, type) and _is(kind, value)), kinds[0])
        return _value(hint, value, path)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_json(hint, value, path)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise FootlightError(f"{path}: expected a list, got {value!r}")
        return tuple(_value(arguments[0], item, f"{path}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise FootlightError(f"{path}: expected an object, got {value!r}")
        return {name: _value(arguments[1], item, f"{path}.{name}") for name, item in value.items()}
    if hint is float and _is(int, value):
        return float(value)
    if not _is(hint, value):
        raise FootlightError(f"{path}: expected {hint.__name__}, got {value!r}")
    return value


def _is(kind: type, value: Any) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))

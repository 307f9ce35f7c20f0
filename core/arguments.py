"""Builds command-line options from the fields of a request: their names, types, defaults and help."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any, TypeVar

from . import protocol, records

R = TypeVar("R", bound=records.Record)


def add_options(parser: argparse._ActionsContainer, kind: type) -> None:
    """Add an option for each field of a request. A file that is read is a positional argument.

    parser: to which they are added.
    kind: the request.
    """
    for field in sorted(dataclasses.fields(kind), key=lambda field: not records.is_required(field)):
        add_option(parser, kind, field.name)


def add_option(parser: argparse._ActionsContainer, kind: type, name: str, **changed: Any) -> None:
    """Add an option for one field of a request.

    Only the type is checked here. Bounds are checked when the request is created.

    parser: to which it is added.
    kind: the request.
    name: the field.
    changed: keywords of ``add_argument`` to override; ``flag`` overrides the option's name.
    """
    rule, field = protocol.rule(kind, name), kind.__dataclass_fields__[name]
    plain = _path if rule.file else protocol.plain_type(kind, name)
    flag = changed.pop("flag", f"--{name.replace('_', '-')}")
    options: dict[str, Any] = {"help": help_text(kind, name)}
    if records.is_required(field):
        if rule.file == "read":
            parser.add_argument(name, **{**options, **changed})
            return
        options["required"] = True
    else:
        options["default"] = field.default
    if plain is bool:
        parser.add_argument(flag, action="store_true", **{**options, **changed})
        return
    parser.add_argument(flag, type=plain, **{**options, **changed})


def _path(text: str) -> str:
    return str(Path(text))


def help_text(kind: type, name: str) -> str:
    """The help of a field with its bounds and default: "frame rate (1 to 240 frames per second, default 30)"."""
    rule, default = protocol.rule(kind, name), protocol.default(kind, name)
    further = [rule.expected] if rule.bounded else []
    if default is None and rule.unset:
        further.append(f"default: {rule.unset}")
    elif isinstance(default, str):
        further.append(f"default {default}")
    elif isinstance(default, int | float) and not isinstance(default, bool):
        further.append(f"default {default:g}")
    return f"{rule.help} ({', '.join(further)})" if further else rule.help


def request_of(kind: type[R], args: argparse.Namespace) -> R:
    """Create a request from parsed options. Raises FootlightError for values out of bounds."""
    return kind(**{field.name: getattr(args, field.name) for field in dataclasses.fields(kind)})

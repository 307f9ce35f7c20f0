"""What is known of a request's field besides its type: its bounds, its unit and its help."""

from __future__ import annotations

import dataclasses
import functools
import math
import typing
from dataclasses import dataclass
from typing import Any

from ..errors import FootlightError


@dataclass(frozen=True)
class Rule:
    """What is known of a field besides its type and default.

    help: what the field is, starting in lower case and without a full stop.
    unit: of a number, in the plural.
    least: lower bound, inclusive.
    most: upper bound, inclusive.
    choices: the words of which a text is one; empty for any text.
    letters: of a text of the letters A to Z alone, capitals or not, how many it has at most; 0 for any text.
    unset: what None means.
    file: "read" or "written" if the field is the path of a file.
    """

    help: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    letters: int = 0
    unset: str = ""
    file: str = ""

    @property
    def bounded(self) -> bool:
        return self.least is not None or self.most is not None or bool(self.choices or self.letters)

    @property
    def expected(self) -> str:
        """The bounds in words, such as "1 to 240 frames per second" or "normal or fine"; empty without bounds."""
        if not self.bounded:
            return ""
        if self.choices:
            return " or ".join(self.choices)
        if self.letters:
            return f"1 to {self.letters} letters"
        assert self.least is not None, "an upper bound needs a lower one"
        bounds = (
            f"{_shown(self.least)} or more" if self.most is None else f"{_shown(self.least)} to {_shown(self.most)}"
        )
        return f"{bounds} {self.unit}".rstrip()

    def allows(self, value: Any) -> bool:
        """Whether a value is within the bounds."""
        if self.choices:
            return value in self.choices
        if self.letters:
            return value.isascii() and value.isalpha() and len(value) <= self.letters
        least = -math.inf if self.least is None else self.least
        most = math.inf if self.most is None else self.most
        return math.isfinite(value) and least <= value <= most


def rule(kind: type, name: str) -> Rule:
    """The rule of a request's field."""
    return kind.__dataclass_fields__[name].metadata["rule"]


def default(kind: type, name: str) -> Any:
    """The default of a request's field."""
    return kind.__dataclass_fields__[name].default


def plain_type(kind: type, name: str) -> type:
    """The type of a request's field, without None."""
    hint = _hints(kind)[name]
    return next((kind for kind in typing.get_args(hint) if kind is not type(None)), hint)


def check(kind: type, **values: Any) -> None:
    """Raises FootlightError for the first of the given fields of ``kind`` whose value is out of bounds."""
    for name, value in values.items():
        bounds = rule(kind, name)
        if value is None or not bounds.bounded:
            continue
        if not bounds.allows(value):
            shown = f"{value:g}" if isinstance(value, float) else "empty" if value == "" else value
            raise FootlightError(f"{name.replace('_', ' ')} is {shown}; expected {bounds.expected}")


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _shown(number: float) -> str:
    power = int(number).bit_length()
    return f"2^{power} - 1" if power > 32 and number == 2**power - 1 else f"{number:g}"


def option(default: Any, help: str, **of_rule: Any) -> Any:
    """A field with a default and a ``Rule``, whose values ``help`` and ``of_rule`` are."""
    return dataclasses.field(default=default, metadata={"rule": Rule(help, **of_rule)})


def needed(help: str, **of_rule: Any) -> Any:
    """A field that has to be given, with a ``Rule``."""
    return dataclasses.field(metadata={"rule": Rule(help, **of_rule)})

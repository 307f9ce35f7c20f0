"""Runs a program of the training room as ``core.cli`` runs its commands: bad input is one line, exit codes are true."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import tyro

from core.errors import FootlightError, one_line

Options = TypeVar("Options")
BAD_INPUT = 2  # exit codes, those of ``core.cli`` and of tyro's own refusals
INTERRUPTED = 130


def run_program(name: str, main: Callable[[Options], object], options: type[Options], description: str | None) -> None:
    """Read the command line and run a program. Ends the process where that goes wrong.

    name: of its module, as in ``python -m NAME``.
    main: the program. It raises FootlightError for bad input.
    options: a dataclass of what it can be told.
    description: of the program, for its help.
    """
    asked = tyro.cli(options, prog=f"python -m {name}", description=(description or "").replace("``", ""))
    try:
        main(asked)
    except FootlightError as error:
        print(f"{name}: {one_line(str(error))}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except OSError as error:
        if error.filename is None:  # no file of the user's
            raise
        print(f"{name}: {error.filename}: {error.strerror}; choose another place, or free this one", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)

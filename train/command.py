"""Runs a program of the training room as ``core.cli`` runs its commands: bad input is one line, exit codes are true."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import tyro

from core.cli.program import BAD_INPUT, INTERRUPTED
from core.cli.shown import show_any_name
from core.errors import FootlightError, one_line

Options = TypeVar("Options")


def read_command_line(
    options: type[Options] | dict[str, type[Options]],
    words: Sequence[str] | None = None,
    prog: str | None = None,
    description: str | None = None,
) -> Options:
    """The options that ``words`` give, or else the command line. Help or a refusal ends the process, as tyro does it.

    options: a dataclass, or one for each subcommand.
    prog, description: for the help.
    """
    if isinstance(options, dict):
        return tyro.extras.subcommand_cli_from_dict({**options}, args=words, prog=prog, description=description)
    return tyro.cli(options, args=words, prog=prog, description=description)


def run_program(
    name: str,
    main: Callable[[Options], object],
    options: type[Options] | dict[str, type[Options]],
    description: str | None,
) -> None:
    """Read the command line and run a program. Ends the process where that goes wrong.

    name: of its module, as in ``python -m NAME``.
    main: the program. It raises FootlightError for bad input.
    options: a dataclass of what it can be told, or one for each subcommand.
    description: of the program, for its help.
    """
    show_any_name()
    try:  # options refuse what does not go together, so reading them may fail as the program may
        main(read_command_line(options, None, f"python -m {name}", (description or "").replace("``", "")))
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

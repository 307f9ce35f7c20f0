"""Runs the command line of ``core.cli`` as a program: ``python -m core`` and ``footlight``."""

import gc
import sys

from core import cli


def main() -> int:
    """Run one command without the garbage collector. Returns the exit code.

    A command leaves nothing to collect, but the collector would walk through all that PyTorch consists of: several
    times while it is imported, and again when the program ends. That takes half a second.
    """
    gc.disable()
    try:
        return cli.main()
    finally:
        gc.freeze()


if __name__ == "__main__":
    sys.exit(main())

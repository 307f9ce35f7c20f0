"""The process behind the add-on, ``python -m core.engine``: it answers requests on standard input (``core.serving``).

Standard output is only for messages; everything else that is printed goes to standard error.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys

from core.errors import FootlightError


def main(arguments: list[str] | None = None) -> int:
    """Serve standard input and output. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m core.engine", description="Footlight's engine: JSON lines.")
    parser.add_argument("--model", help="a model folder, or the name of an embedded model (default: default)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    args = parser.parse_args(arguments)
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    os.set_inheritable(sink, False)
    sys.stdout = sys.stderr
    gc.disable()  # it would walk through all that is imported several times, and find nothing
    from core.serving import Engine

    gc.freeze()  # what has been imported stays, so that later collections pass it over
    gc.enable()
    try:
        Engine(source, sink, args.model or None, args.device).serve()
    except FootlightError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Where a benchmark leaves what it measured, besides the table that it prints."""

from __future__ import annotations

import json
from pathlib import Path

from core.files import write_atomically


def write_results(found: object, out: Path | None) -> None:
    """Write what was measured to a JSON file, which appears whole or not at all; None writes nothing."""
    if out is not None:
        write_atomically(out, (json.dumps(found, indent=2) + "\n").encode())

"""Programs that stand in for a Python."""

import os
from pathlib import Path

import pytest

shell = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


def python_that_says(folder: Path, name: str, script: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)

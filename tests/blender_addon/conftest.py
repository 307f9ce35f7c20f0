"""The extension's zip, the Blenders to try it in, and how checks run inside them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from train import build_extension

INSIDE = Path(__file__).parent / "inside"
SECONDS = 600


@pytest.fixture(scope="session")
def extension_zip(tmp_path_factory) -> Path:
    return build_extension.build(tmp_path_factory.mktemp("zip"))


@pytest.fixture(params=["module", "program"])
def blender(request) -> list[str]:
    """The command that runs a script inside Blender: the bpy module, and the program itself where there is one."""
    if request.param == "module":
        pytest.importorskip("bpy", reason="the bpy module is not installed")
        return [sys.executable]
    return [*real_blender(), "-b", "--python-exit-code", "1", "--python"]


def real_blender() -> list[str]:
    program = os.environ.get("FOOTLIGHT_BLENDER") or shutil.which("blender")
    if not program:
        pytest.skip("no Blender: set FOOTLIGHT_BLENDER to the program, or put blender on the PATH")
    return [program]


@pytest.fixture
def run_checks(blender, extension_zip, tmp_path):
    """Run one file of checks inside a Blender; fails with what it printed."""

    def run(name: str, **environment: str) -> None:
        command = [*blender, str(INSIDE / "host.py"), *(["--"] if "-b" in blender else []), str(INSIDE / name)]
        answer = subprocess.run(
            command,
            env=blender_environment(tmp_path, extension_zip) | environment,
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
        )
        assert answer.returncode == 0 and "0 failed" in answer.stdout, answer.stdout[-8000:]

    return run


def blender_environment(folder: Path, zip_file: Path) -> dict[str, str]:
    resources = folder / "blender"
    resources.mkdir(exist_ok=True)
    return dict(
        os.environ,
        BLENDER_USER_RESOURCES=str(resources),
        FOOTLIGHT_TEST_ZIP=str(zip_file),
        FOOTLIGHT_TEST_FOLDER=str(folder),
    )

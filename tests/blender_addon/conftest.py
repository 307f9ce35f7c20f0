"""The extension's zip, a window to try it in, and how checks run inside a Blender."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from train.tools import build_extension

INSIDE = Path(__file__).parent / "inside"
SECONDS = 600


@pytest.fixture(scope="session")
def extension_zip(tmp_path_factory) -> Path:
    return build_extension.build(tmp_path_factory.mktemp("zip"))


@pytest.fixture
def window(request, tmp_path) -> list[str]:
    """The command that opens the real Blender in a window: on the display there is, or on a virtual one.

    FOOTLIGHT_WINDOW: another command for it, in which {picture} and {seconds} stand for a picture's path and a time.
    """
    if command := os.environ.get("FOOTLIGHT_WINDOW"):
        return shlex.split(command.format(picture=tmp_path / "screen.png", seconds=SECONDS))
    program = request.getfixturevalue("program")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return [program]
    if not shutil.which("xvfb-run"):
        pytest.skip("no display: set DISPLAY or FOOTLIGHT_WINDOW, or install xvfb")
    return ["xvfb-run", "-a", program]


@pytest.fixture
def environment(extension_zip, tmp_path) -> dict[str, str]:
    """What the scripts inside Blender are told; Blender's own files go to the test's folder."""
    resources = tmp_path / "blender"
    resources.mkdir()
    return dict(
        os.environ,
        BLENDER_USER_RESOURCES=str(resources),
        FOOTLIGHT_TEST_ZIP=str(extension_zip),
        FOOTLIGHT_TEST_FOLDER=str(tmp_path),
    )


@pytest.fixture
def run_checks(blender, environment, tmp_path):
    """Run one file of checks inside a Blender; fails with what it printed."""

    def run(name: str, seconds: float = SECONDS, **more: str) -> None:
        command = [*blender, str(INSIDE / "host.py"), *(["--"] if "-b" in blender else []), str(INSIDE / name)]
        answer = subprocess.run(
            command,
            env=environment | more,
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
        )
        assert answer.returncode == 0 and "0 failed" in answer.stdout, answer.stdout[-8000:]

    return run

"""The extension's zip, a window to try it in, and how checks run inside a Blender."""

import json
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


@pytest.fixture
def run(blender, tmp_path):
    """Run a script inside Blender. more: further environment."""

    def run(script: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess:
        command = [*blender, str(script), *(["--"] if "-b" in blender else []), *map(str, arguments)]
        environment = dict(os.environ, BLENDER_USER_RESOURCES=str(tmp_path), FOOTLIGHT_TEST_FOLDER=str(tmp_path))
        return subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, cwd=tmp_path, env=environment | more
        )

    return run


@pytest.fixture
def look(run):
    """Run one of the scripts in ``inside`` that say what they see; returns that."""

    def look(name: str, *arguments: object) -> dict:
        answer = run(INSIDE / name, *arguments)
        lines = [line for line in answer.stdout.splitlines() if line.startswith("FOUND ")]
        assert lines, answer.stdout[-4000:] + answer.stderr[-4000:]
        return json.loads(lines[0].removeprefix("FOUND "))

    return look

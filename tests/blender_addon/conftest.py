"""The extension's zip, a window to try it in, and how checks run inside a Blender."""

import ast
import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Run:
    """One start of Blender.

    outcomes: what ``inside/host.py`` reported, by check.
    output: all that was printed.
    code: what it ended with.
    """

    outcomes: dict[str, dict[str, str]]
    output: str
    code: int | str


ENDS = "blender_ends_well"
"""The case after a file's checks: the add-on is taken away, and Blender ends without an error."""


def pytest_generate_tests(metafunc):
    """A test marked ``checks(FILE)`` becomes a case for every function ``check_*`` of the file, and one for the end."""
    if mark := metafunc.definition.get_closest_marker("checks"):
        tree = ast.parse((INSIDE / mark.args[0]).read_text())
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        metafunc.parametrize("check", [*(name for name in names if name.startswith("check_")), ENDS])


@pytest.fixture(scope="session")
def runs() -> dict[tuple, Run]:
    """What ``run_checks`` has found, by file and Blender."""
    return {}


@pytest.fixture
def run_checks(blender, check, environment, request, runs, tmp_path):
    """Run the file that the test is marked with inside a Blender, once for all cases; fails or skips as this one did.

    Where cases were chosen (``-k``), Blender runs those alone. A test's preparation counts for its first case only.
    """
    name = request.node.get_closest_marker("checks").args[0]

    def run(seconds: float = SECONDS, **more: str) -> None:
        key = (name, *blender)
        if key not in runs:
            runs[key] = start_blender(blender, name, chosen(request), environment | more, tmp_path, seconds)
        report(check, runs[key])

    return run


def chosen(request) -> list[str]:
    """The checks that this session runs of the test's file, in the Blender of the test's case."""
    cases = [item for item in request.session.items if getattr(item, "function", None) is request.function]
    same = [case for case in cases if case.callspec.params["blender"] == request.node.callspec.params["blender"]]
    return [case.callspec.params["check"] for case in same if case.callspec.params["check"] != ENDS]


def start_blender(
    blender: list[str], name: str, checks: list[str], environment: dict[str, str], folder: Path, seconds: float
) -> Run:
    path = folder / "report.jsonl"
    command = [*blender, str(INSIDE / "host.py"), *(["--"] if "-b" in blender else []), str(INSIDE / name), str(path)]
    try:
        answer = subprocess.run(
            [*command, *checks],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
        )
        output, code = answer.stdout, answer.returncode
    except subprocess.TimeoutExpired as late:
        output, code = late.stdout or b"", f"after {seconds:g} s"
    lines = path.read_text().splitlines() if path.exists() else []
    outcomes = {found["check"]: found for found in map(json.loads, lines)}
    return Run(outcomes, output.decode(errors="replace"), code)


def report(check: str, run: Run) -> None:
    """Fail or skip as the check did."""
    failed = any(found["outcome"] == "failed" for found in run.outcomes.values())
    if check == ENDS:
        assert run.code == int(failed), run.output[-8000:]
    elif check not in run.outcomes:
        pytest.fail(f"Blender ended ({run.code}) before this check did\n{run.output[-8000:]}", pytrace=False)
    elif run.outcomes[check]["outcome"] == "skipped":
        pytest.skip(run.outcomes[check]["text"])
    elif run.outcomes[check]["outcome"] == "failed":
        pytest.fail(run.outcomes[check]["text"], pytrace=False)

"""What ``train.bench`` times and weighs in processes of its own: engines, commands, dances under other conditions."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from core.errors import FootlightError
from core.protocol import Done, Failed, Id, Ready, Request, request_to_json

ROOT = Path(__file__).parents[2]
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
"""Environment in which PyTorch works as on a processor without AVX-512 and bf16."""
FORGETFUL = {"FOOTLIGHT_CACHE": ""}
"""Environment in which a command hears its song, whoever heard it before."""
REFERENCE = "reference, AVX2"
"""The name of the yardstick where it has to do with these instructions."""

MEMORY_SCRIPT = """
import resource, sys
from pathlib import Path
from core.cli import main
code = main(sys.argv[1:])
status = Path("/proc/self/status")
if status.is_file():  # what this program used; ru_maxrss would count the parent it was forked from
    line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM"))
    kilobytes = int(line.split()[1])
else:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("kilobytes", kilobytes)
"""


def peak_memory(arguments: list[str]) -> float:
    """The most gigabytes (2^30 bytes) that ``python -m core`` with these arguments holds."""
    command = [sys.executable, "-c", MEMORY_SCRIPT, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | FORGETFUL)
    return int(done.stdout.split("kilobytes")[-1]) / 2**20


def write_action_seconds() -> float | None:
    """Seconds to write 180 s at 30 fps on 22 bones into a Blender action, or None without the bpy module."""
    script = ROOT / "train/tools/bench_action.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("seconds ")]
    return float(lines[-1].split()[1]) if done.returncode == 0 and lines else None


def run_cold(arguments: list[str]) -> None:
    """``python -m core`` in a process of its own."""
    command = [sys.executable, "-m", "core", *arguments]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | FORGETFUL)


class Engine:
    """A running engine that is asked one request after the other."""

    def __init__(self, process: subprocess.Popen) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process, self._asked, self._said = process, process.stdin, process.stdout

    def ask(self, number: Id, request: Request) -> None:
        """Send a request."""
        self._asked.write(json.dumps(request_to_json(number, request)).encode() + b"\n")
        self._asked.flush()

    def wait_for(self, *types: str) -> dict:
        """The next event of one of these types."""
        events = (json.loads(line) for line in self._said)
        return next(event for event in events if event["type"] in types)

    def answer(self) -> dict:
        """The event that ends a request. Raises AssertionError if it is no result."""
        event = self.wait_for(Done.type, Failed.type)
        assert event["type"] == Done.type, event
        return event

    def memory(self) -> float | None:
        """Gigabytes (2^30 bytes) that are resident now, or None where Linux does not tell."""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.is_file():
            return None
        line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 2**20


@contextmanager
def running_engine(given: list[str]) -> Iterator[Engine]:
    """An engine that has just been started with these arguments."""
    command = [sys.executable, "-m", "core.engine", *given]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        yield Engine(process)


def engine_start(request: Request, given: list[str]) -> tuple[float, float]:
    """Seconds from starting an engine to its being ready, and to its answer to a first request."""
    began = time.perf_counter()
    with running_engine(given) as engine:
        engine.ask(1, request)
        engine.wait_for(Ready.type)
        ready = time.perf_counter() - began
        engine.answer()
        return ready, time.perf_counter() - began


def engine_memory(request: Request, given: list[str], requests: int) -> list[float]:
    """Gigabytes (2^30 bytes) that an engine holds after each of several requests; empty where Linux does not tell."""
    held = []
    with running_engine(given) as engine:
        for number in range(requests):
            engine.ask(number, request)
            engine.answer()
            held.append(engine.memory())
    return [gigabytes for gigabytes in held if gigabytes is not None]


class Worker:
    """A process that does something when it is told to; see ``train.tools.bench_dance`` and ``bench_reference``.

    process: the process.
    instructions: of the processor, as PyTorch calls the newest that it uses there.
    core: file of the ``core.pipeline`` that it uses, if any.
    """

    def __init__(self, process: subprocess.Popen) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._told, self._said = process.stdin, process.stdout
        first = self._said.readline()
        if not first:
            raise FootlightError("a process that should be timed has ended; its own message stands above")
        self.instructions, self.core = json.loads(first).values()

    def seconds(self, what: str = "dance") -> dict[str, float]:
        """The seconds of each stage of doing it once.

        what: "dance", "score" or "duet"; the reference does the same whatever it is told.
        """
        self._told.write(what.encode() + b"\n")
        self._told.flush()
        return json.loads(self._said.readline())


@contextmanager
def worker(
    tool: str, arguments: list[str], environment: dict[str, str] | None = None, tree: Path = ROOT
) -> Iterator[Worker]:
    """A process that is warm: it has danced, or taken a step of the reference.

    tool: "bench_dance" or "bench_reference" of ``train.tools``.
    arguments: of that program.
    environment: variables to set.
    tree: the checkout whose ``core`` it uses.

    Raises FootlightError if it ends before.
    """
    command = [sys.executable, str(ROOT / f"train/tools/{tool}.py"), *arguments]
    env = os.environ | {"PYTHONPATH": str(tree)} | (environment or {})
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Worker(process)


@contextmanager
def code_of(commit: str) -> Iterator[Path]:
    """A checkout of a commit of this repository, for a while. Raises FootlightError for what is no commit."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        added = subprocess.run([*git, "add", "--detach", str(tree), commit], capture_output=True, text=True)
        if added.returncode:
            raise FootlightError(f"{commit}: cannot be checked out ({added.stderr.strip().splitlines()[-1]})")
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True, capture_output=True)


def medians_of(stages: Iterable[dict[str, float]]) -> dict[str, float]:
    """The median of each stage over several dances."""
    taken: dict[str, list[float]] = {}
    for spent in stages:
        for stage, seconds in spent.items():
            taken.setdefault(stage, []).append(seconds)
    return {stage: statistics.median(seconds) for stage, seconds in taken.items()}


@contextmanager
def workers(
    arguments: list[str], model: list[str], reference: list[str], against: str | None
) -> Iterator[dict[str, Worker]]:
    """Who is timed in turn: "own" and "AVX2", the reference with AVX2 alone, and the commit if there is one.

    arguments: of ``train.tools.bench_dance``, without its model.
    model: the further arguments that say the model; a commit uses its own.
    reference: the arguments of ``train.tools.bench_reference``.
    against: the commit.
    """
    with ExitStack() as stack:
        found = {name: worker("bench_dance", [*arguments, *model], env) for name, env in (("own", {}), ("AVX2", AVX2))}
        found[REFERENCE] = worker("bench_reference", reference, AVX2)
        if against is not None:
            found[against] = worker("bench_dance", arguments, tree=stack.enter_context(code_of(against)))
        yield {name: stack.enter_context(one) for name, one in found.items()}


def seconds_in_turn(doing: dict[str, Worker], what: str, runs: int) -> dict[str, dict[str, float]]:
    """The median seconds of each stage by who does it, each as often as ``runs``."""
    taken = [{name: one.seconds(what) for name, one in doing.items()} for _ in range(runs)]
    return {name: medians_of(turn[name] for turn in taken) for name in doing}

"""Whether the engine can run, as far as is known: read by the panels, looked up by nobody's waiting.

The engine that *Install Engine* made says itself what it has. A Python that was chosen in the preferences is started
once, in a thread, because that takes seconds; the panels are drawn again when it has answered.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from . import environment
from .engine import places
from .engine.examine import Found, examine
from .engine.requirements import unmet

AGE = 1.0
"""Seconds for which a look at the disk is believed: panels are drawn often."""


class Kind(enum.Enum):
    MISSING = "missing"
    UNFINISHED = "unfinished"  # an installation was broken off
    LOOKING = "looking"  # at a Python that was just chosen
    READY = "ready"
    OUTDATED = "outdated"  # the add-on was updated and needs other packages
    BROKEN = "broken"


@dataclass(frozen=True)
class Readiness:
    """Whether the engine can be used.

    kind: what is known.
    python: the engine's, if there is one.
    text: what is wrong, in a sentence or two.
    torch: its version.
    size: bytes on the disk, 0 where it is somebody else's Python.
    """

    kind: Kind
    python: Path | None = None
    text: str = ""
    torch: str = ""
    size: int = 0

    @property
    def short(self) -> str:
        """What is to be done about it, in a few words."""
        return {
            Kind.MISSING: "Install the engine first",
            Kind.UNFINISHED: "Install the engine first",
            Kind.LOOKING: "The engine's Python is being looked at",
            Kind.OUTDATED: "Update the engine first",
            Kind.BROKEN: "The engine does not run",
        }.get(self.kind, "")

    @property
    def usable(self) -> bool:
        """Whether a dance can be asked for."""
        return self.kind is Kind.READY


@dataclass
class _Known:
    readiness: Readiness | None = None
    at: float = 0.0
    failure: str = ""


_known = _Known()
_answers: dict[Path, Found | None] = {}
"""What the Pythons answered that were looked at in this session; None while one is asked."""


def now() -> Readiness:
    """What is known at this moment. It starts nothing and takes no time to speak of."""
    if _known.readiness is None or time.monotonic() > _known.at + AGE:
        _known.readiness, _known.at = _read(), time.monotonic()
    return _known.readiness


def _read() -> Readiness:
    if python := environment.chosen_python():
        return _chosen(python)
    if python := environment.provided_python():
        if python.is_file():
            return Readiness(Kind.READY, python)
        return Readiness(Kind.BROKEN, python, environment.missing(python))
    return _installed()


def _chosen(python: Path) -> Readiness:
    found = _answers.get(python)
    if not python.is_file():
        return Readiness(Kind.BROKEN, python, examine(python, ()).problem)
    if found is None:
        # Without a window nobody is asked, and nobody waits to be told: the engine itself will say.
        if bpy.app.background:
            return Readiness(Kind.READY, python)
        return Readiness(Kind.LOOKING, python, f"{python} is being looked at. It takes a few seconds.")
    if found.problem:
        return Readiness(Kind.BROKEN, python, found.problem)
    return Readiness(Kind.READY, python, torch=found.packages.get("torch", ""))


def _installed() -> Readiness:
    here = environment.engine_places()
    record = places.read_record(here.engine)
    if record is None:
        if places.unfinished(here):
            text = "An installation was not finished. Install Engine goes on with what is there."
            return Readiness(Kind.UNFINISHED, text=text)
        return Readiness(Kind.MISSING, text="The engine is not installed yet. Press Install Engine first.")
    python = here.engine / places.BIN
    ready = Readiness(Kind.READY, python, torch=record.packages.get("torch", ""), size=record.size)
    if not python.is_file():
        return replace(ready, kind=Kind.BROKEN, text=environment.missing(python))
    if lacking := unmet(record.packages, environment.requirements()):
        text = f"Footlight was updated and needs {', '.join(lacking)}. Update the engine."
        return replace(ready, kind=Kind.OUTDATED, text=text)
    return ready


def small_build_unreachable() -> bool:
    """Whether the last installation found no way to the server with the small build of PyTorch."""
    return _known.failure == "no-small-build"


def installation_ended(kind: str, done: Callable[[], None]) -> None:
    """Take note that an installation has ended, and tidy up after one that failed.

    kind: of the failure, or "cancelled"; nothing where all went well.
    done: as of ``look``.
    """
    _known.failure = kind
    forget()
    if kind:
        here = environment.engine_places()
        _aside(lambda: places.tidy(here), done)


def forget() -> None:
    """Something was installed, removed or chosen: look again."""
    _known.readiness = None


def look_at_start(done: Callable[[], None]) -> None:
    """Once Blender has started: what a power cut left of an installation is tidied, and a Python that was chosen in an
    earlier session is looked at.

    done: as of ``look``.
    """
    here = environment.engine_places()
    if here.new.exists() or here.old.exists():
        _aside(lambda: places.tidy(here), done)
    if environment.chosen_python() and not bpy.app.background:
        bpy.app.timers.register(lambda: look(done), first_interval=1.0)


def look(done: Callable[[], None]) -> None:
    """Look at the Python that the preferences name, in the background.

    done: called in Blender's own thread when the answer is there, as it should be for everything that touches Blender.
    """
    forget()
    python = environment.chosen_python()
    if python is None or not python.is_file() or bpy.app.background:
        return
    requirements = environment.requirements()
    _answers[python] = None

    def ask() -> None:
        _answers[python] = examine(python, requirements)

    _aside(ask, done)


def _aside(work: Callable[[], None], done: Callable[[], None]) -> None:
    """Do what takes a while without anybody's waiting; without a window somebody may as well wait."""
    if bpy.app.background:
        work()
        forget()
        return
    thread = threading.Thread(target=work, name="footlight-aside", daemon=True)
    thread.start()

    def wait() -> float | None:
        if thread.is_alive():
            return 0.2
        forget()
        done()
        return None

    bpy.app.timers.register(wait)

"""Dances for many songs, music for many scenes, or both from nothing; .blend files and films, without a window.

    blender -b --python train/render_batch.py -- SONG... --out DIR [--render]
    python train/render_batch.py SONG... --out DIR [--render]          (with the bpy module)
    ... --score SCENE.blend... --out DIR [--armature NAME]             music for what is animated there
    ... --duet SECONDS --out DIR [--count N]                           N dances, each with its music
    SONG... --look NAME|PICTURE --out DIR [--render]                   dances on a lit stage
    SONG... --theatre [--look NAME|PICTURE] --out DIR [--render]       dances and light that the model makes together
    SONG... --look NAME,NAME --dataset COUNT --out DIR                 pictures of lit stages, for training

A folder in place of a SONG means all sounds in it and below.

Blender's own Python needs nothing but what Blender brings: the dances are made by the engine process, which runs in
the Python given by --python (by default the one in .venv beside this checkout). For each song DIR gets NAME.blend,
for each scene NAME_score_SEED.blend and .wav, for each duet duet_SEED.blend and .wav; with --render an .mp4 too; each
whole or not at all. Several batches on one DIR, on one computer or on many, share the work (``claims.py``). What fails
is reported and the rest goes on. At the end stands a table; the exit code is 0, 1 if anything failed, 2 for a wrong
command line or a DIR that cannot be written, 130 if it was interrupted (Ctrl-C).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import names
from ..api import worker
from ..engine.client import Engine
from ..errors import UserError
from ..scene.wording import listed, without_folder
from ..shared import FootlightError, protocol
from . import origin
from .claims import ENDING, Claims, Holder
from .command import ROOT, Item, engine_command, look_files, model_folder, parse
from .filming import make_film
from .making import Desk, make_blend, make_dataset, outputs
from .terminal import Terminal

_UNUSABLE = 2  # exit codes
_INTERRUPTED = 130
_ABANDONED = 24 * 3600.0  # seconds in which every running batch has written to its files
_WIDEST = 48  # letters of an item in the table
_POLL = 2.0  # seconds between two looks at what others make


class _NoLook(Exception):
    """A file that is no look, of which the command line says that it is one."""


@dataclass(frozen=True)
class Outcome:
    """What became of one item.

    state: done, skipped, failed, or others where another batch made it meanwhile.
    detail: its score, or why it failed.
    """

    item: Item
    state: str
    seconds: float
    detail: str


def make(
    item: Item,
    args: argparse.Namespace,
    engine: Callable[[], Engine],
    folder: Path,
    terminal: Terminal,
    made: bool,
    made_from: str,
) -> str:
    """All that is asked for of one item.

    folder: for temporary files.
    made: whether all but the film is there.
    made_from: as of ``origin.told``.

    Returns a few words about it; raises UserError, RuntimeError or OSError.
    """
    paths = outputs(item, args)
    if made:
        detail = "filmed the scene that was there"
    else:
        asked = None if args.dance and not (args.look or args.theatre) else engine()
        desk = Desk(args, item, asked, folder, lambda text: terminal.progress(f"{item.label}: {text}"), made_from)
        detail = make_dataset(desk) if args.dataset else make_blend(desk)
    if "film" in paths:
        terminal.say(f"{paths['blend']} is there")
        make_film(paths["blend"], paths["film"], args, terminal)
    return detail


def there(item: Item, args: argparse.Namespace, made_from: str, terminal: Terminal) -> bool:
    """Whether what is asked for of an item, but for its film, was made before and from the same. Says so where it was
    made from something else.

    made_from: as of ``origin.told``.
    """
    paths = outputs(item, args)
    if not all(path.is_file() for kind, path in paths.items() if kind not in ("film", "origin")):
        return False
    why = origin.otherwise(origin.of(paths["origin" if args.dataset else "blend"]), made_from)
    if why:
        terminal.say(f"{item.label} is made again: {why}")
    return not why


def newer(item: Item, args: argparse.Namespace, since: float) -> set[str]:
    """Which of an item's results are newer than a time, by their kinds as in ``outputs``."""
    there = {kind: path for kind, path in outputs(item, args).items() if path.is_file()}
    return {kind for kind, path in there.items() if path.stat().st_mtime > since}


def filmed(item: Item, args: argparse.Namespace) -> bool:
    """Whether there is a film of an item, if one is asked for. One older than its scene shows what was there before."""
    paths = outputs(item, args)
    if "film" not in paths:
        return True
    return paths["film"].is_file() and paths["film"].stat().st_mtime >= paths["blend"].stat().st_mtime


def _is_text(path: Path | None) -> bool:
    """Whether a name is text, and not only bytes that Python carries along."""
    with contextlib.suppress(UnicodeEncodeError):
        str(path).encode()
        return True
    return False


def _short(label: str, width: int) -> str:
    return label if len(label) <= width else f"{label[: width - 3]}..."


def table(outcomes: list[Outcome]) -> str:
    """What became of everything."""
    width = min(_WIDEST, max(len(label) for label in ("item", *(outcome.item.label for outcome in outcomes))))
    lines = [f"{'item':{width}s}  {'state':8s} {'seconds':>8s}  result"]
    lines += [f"{_short(o.item.label, width):{width}s}  {o.state:8s} {o.seconds:8.1f}  {o.detail}" for o in outcomes]
    return "\n".join(lines)


def _own_arguments() -> list[str]:
    """The program's arguments. Inside Blender they follow ``--``."""
    if bpy.app.binary_path or sys.argv[1:2] == ["--"]:
        return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return sys.argv[1:]


def clear(out: Path) -> None:
    """Take away what runs that were killed left half written."""
    for partial in [*out.glob(".*.part"), *out.glob(".*.part.blend"), *out.glob(f".*{ENDING}")]:
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > _ABANDONED:
                partial.unlink()


class _Engines:
    """The engines of a batch, one after another: where one has ended, the next item gets a new one.

    folder: for their logs.
    """

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self._args, self._folder = args, folder
        self._started: list[Engine] = []

    def running(self) -> Engine:
        """The one that runs, or a new one when none does. Raises _NoLook for a look that the first one cannot read."""
        if not self._started or not self._started[-1].alive:
            log = self._folder / f"engine{len(self._started)}.log"
            self._started.append(Engine(engine_command(self._args), ROOT, log))
            if len(self._started) == 1:
                self._check_looks()
        return self._started[-1]

    def stop(self) -> None:
        """End them all."""
        for engine in self._started:
            engine.stop(patience=2.0)

    def _check_looks(self) -> None:
        for look in look_files(self._args):
            try:
                worker.answer(self._started[0], protocol.LookRequest(look=look))
            except UserError as error:
                raise _NoLook(f"--look: {error}") from None


def outcome_of(
    item: Item,
    args: argparse.Namespace,
    engines: _Engines,
    folder: Path,
    terminal: Terminal,
    since: float,
    maker: Holder | None,
) -> Outcome:
    """Make one item unless it is there, and say what became of it. What goes wrong with it is its outcome.

    folder: for temporary files.
    since: as of ``Claims.since``.
    maker: the other batch that was seen making it.

    Raises _NoLook as ``_Engines.running``.
    """
    began = time.monotonic()
    try:
        if item.source and not item.source.is_file():
            raise UserError(f"there is no file {item.source}")
        if not _is_text(item.source):
            raise UserError(f"{item.source}: Blender opens no file whose name is no UTF-8; rename it")
        with terminal.alone():
            made_from = origin.told(item, args)
            new = newer(item, args, since)
            made = bool(args.skip_existing or new & {"blend", "origin"}) and there(item, args, made_from, terminal)
            if made and filmed(item, args):
                others = "others", f"made by {maker or Holder()}"
                state, detail = others if new else ("skipped", "it was there")
            else:
                state, detail = "done", make(item, args, engines.running, folder, terminal, made, made_from)
    except (FootlightError, RuntimeError, OSError) as error:
        state, detail = "failed", " ".join(str(error).split())
    except _NoLook:
        raise
    except Exception as error:  # of our own making: it must not cost the night's other songs
        terminal.say(traceback.format_exc().rstrip())
        state, detail = "failed", f"an error of Footlight's own, please report it: {error!r}"
    detail = without_folder(detail, folder)
    terminal.say(f"{state:8s} {item.label}: {detail}")
    return Outcome(item, state, time.monotonic() - began, detail)


def work(
    args: argparse.Namespace,
    engines: _Engines,
    folder: Path,
    terminal: Terminal,
    claims: Claims,
    outcomes: list[Outcome],
) -> None:
    """Make all items. What another batch is making is left to it until the rest is done; then that is waited for, and
    made here if it is not there.

    folder: for temporary files.
    outcomes: gets one for each item, also where this is interrupted.

    Raises _NoLook as ``_Engines.running``.
    """
    waiting: dict[Item, Holder | None] = dict.fromkeys(args.items)
    while waiting:
        for item, before in list(waiting.items()):
            with claims.making(item.stem) as other:
                if other is None:
                    outcomes.append(outcome_of(item, args, engines, folder, terminal, claims.since, before))
                    del waiting[item]
                elif other != before:
                    terminal.say(f"{'left':8s} {item.label}: {other} makes it")
                    waiting[item] = other
        if waiting:
            terminal.progress(f"waiting for what others make: {listed([item.label for item in waiting])}")
            time.sleep(_POLL)


def check_writable(out: Path) -> None:
    """Make the folder for the results. Raises OSError when nothing can be written to it."""
    out.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=out).close()


def main(arguments: list[str] | None = None) -> int:
    """Make every item's results, print a table, return the exit code.

    arguments: of the command line; the program's own unless given, inside Blender what follows ``--``.
    """
    args = parse(_own_arguments() if arguments is None else arguments, __doc__ or "")
    if model := model_folder(args):
        os.environ[names.MODEL_VARIABLE] = str(model)  # what results say of their model is read there
    try:
        check_writable(args.out)
    except OSError as error:
        print(f"render_batch: {args.out}: no folder to write to ({error.strerror}); choose another", file=sys.stderr)
        return _UNUSABLE
    clear(args.out)
    folder = Path(tempfile.mkdtemp(prefix="footlight-"))
    terminal, engines = Terminal(folder / "blender.log"), _Engines(args, folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Blender takes Ctrl-C, and without a window does nothing
    outcomes: list[Outcome] = []
    interrupted = False
    try:
        with contextlib.closing(Claims(args.out, terminal.say)) as claims:
            work(args, engines, folder, terminal, claims, outcomes)
    except _NoLook as error:
        print(f"render_batch: {without_folder(str(error), folder)}", file=sys.stderr)
        return _UNUSABLE
    except KeyboardInterrupt:
        interrupted = True
    finally:
        engines.stop()
        shutil.rmtree(folder, ignore_errors=True)
    terminal.say(f"\n{table(sorted(outcomes, key=lambda outcome: args.items.index(outcome.item)))}")
    if shared := [outcome for outcome in outcomes if outcome.state == "others"]:
        terminal.say(f"{len(shared)} of {len(args.items)} were made by other batches on this folder")
    if interrupted:
        terminal.say(
            f"interrupted: {len(args.items) - len(outcomes)} of {len(args.items)} were not made; "
            "--skip-existing goes on from here"
        )
        return _INTERRUPTED
    return 1 if any(outcome.state == "failed" for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())

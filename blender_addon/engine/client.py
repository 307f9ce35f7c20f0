"""The engine process: started once, spoken to in JSON lines, kept warm, and always ended.

One thread reads the process's output and does nothing but fill a queue; whoever owns the engine empties the queue
from Blender's main thread. Nothing here knows about Blender.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..shared import FootlightError, protocol
from .programs import clean_environment

LOG_LINES = 12


@dataclass(frozen=True)
class Exit:
    """The last event: the process has gone.

    code: its exit code.
    """

    code: int


class Engine:
    """One running process that reads and writes JSON lines.

    command: program and arguments.
    folder: its working directory.
    log: file that takes its stderr, and every line of its output that is no event.

    Raises UserError when the program cannot be started.
    """

    def __init__(self, command: Sequence[str], folder: str | Path, log: str | Path) -> None:
        self.command = tuple(str(part) for part in command)
        self.log = Path(log)
        self.device = ""
        self.version = ""
        self._events: queue.Queue[protocol.Event] = queue.Queue()
        self._exit: Exit | None = None
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        # To the end of what is there, because another Blender may begin the same log anew meanwhile.
        self._log = self.log.open("a", buffering=1, encoding="utf-8", errors="replace")
        try:
            self._process = subprocess.Popen(
                self.command,
                cwd=str(folder),
                env=clean_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                encoding="utf-8",
                errors="replace",
                **_own_group(),
            )
        except OSError as error:
            self._log.close()
            raise UserError(
                f"The engine cannot be started with {self.command[0]} ({error.strerror or error}). "
                "Choose another Python or install the engine in the add-on's preferences."
            ) from None
        assert self._process.stdin and self._process.stdout
        self._told, self._said = self._process.stdin, self._process.stdout
        self._reader = threading.Thread(target=self._read, name="footlight-engine", daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, message: dict) -> None:
        """Write one line to the process. A process that has gone is reported by its exit event, not here."""
        with contextlib.suppress(OSError, ValueError):
            self._told.write(json.dumps(message) + "\n")
            self._told.flush()

    def events(self) -> list[protocol.Event | Exit]:
        """Everything the process has said since the last call, oldest first; always its exit, once it has gone.
        Never blocks."""
        exit_event = self._exit  # looked at first: once it is there, everything before it is in the queue
        found = []
        while True:
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                return found if found or exit_event is None else [exit_event]
            if isinstance(event, protocol.Ready):
                self.device, self.version = event.device, event.version
            found.append(event)

    def stop(self, patience: float = 0.0) -> None:
        """End the process and everything it started, after at most ``patience`` seconds for it to end by itself."""
        with contextlib.suppress(OSError):
            self._told.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            _kill_group(self._process)
            self._process.wait()
        self._reader.join(1.0)

    def log_tail(self) -> str:
        """The last lines the process wrote that were not messages: what to show when it failed."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:])

    def memory(self) -> int:
        """Bytes that the process uses, or 0 where this system does not say so by a file."""
        try:
            text = Path(f"/proc/{self._process.pid}/status").read_text("utf-8")
        except OSError:
            return 0
        found = re.search(r"VmRSS:\s*(\d+) kB", text)
        return int(found[1]) * 1024 if found else 0

    def _read(self) -> None:
        for line in self._said:
            event = _event(line)
            if event is None:
                self._log.write(line)
            else:
                self._events.put(event)
        code = self._process.wait()
        self._said.close()
        self._log.close()
        self._exit = Exit(code)


def _event(line: str) -> protocol.Event | None:
    """What a line of output says, or None where it is something else. An engine that speaks otherwise than the add-on
    has failed: else its request would be waited for in vain."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    if not (isinstance(message, dict) and message.get("type") in protocol.EVENTS):
        return None
    try:
        event = protocol.event_from_json(message)
    except FootlightError as error:
        return _other_version(str(error))
    if isinstance(event, protocol.Ready) and event.protocol != protocol.PROTOCOL:
        return _other_version(f"it speaks protocol {event.protocol}, the add-on {protocol.PROTOCOL}")
    return event


def _other_version(reason: str) -> protocol.Failed:
    message = (
        f"The engine is of another version than the add-on ({reason}). Install the add-on again, then use Reinstall."
    )
    return protocol.Failed(kind="protocol", message=message)


def _own_group() -> dict:
    """Popen options that put the process in a group of its own, so that what it starts can be ended with it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _kill_group(process: subprocess.Popen) -> None:
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
        return
    import signal

    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)

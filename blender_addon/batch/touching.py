"""A program of its own, which keeps the claim of a batch fresh: ``python touching.py SECONDS``.

Each line of its input is what the batch holds from now on, as JSON: a path and what the file there must say, or null.
It touches the file every so many seconds, and ends with its input, also where the batch is killed. It is no thread of
the batch, because Blender's module may never end, or stop in a render, where another thread of Python runs beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path


def touch(path: Path, content: str) -> None:
    """Give a claim the time of now, unless it is another one by now, or gone."""
    with contextlib.suppress(OSError):  # a share may be away for a moment
        if path.read_bytes() == content.encode():
            os.utime(path)


def _read(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    lines.put("")


def main() -> None:
    """Touch what is held until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the batch, which ends the input
    seconds, held = float(sys.argv[1]), None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            if held:
                touch(Path(held[0]), held[1])
            continue
        if not line:
            return
        held = json.loads(line)


if __name__ == "__main__":
    main()

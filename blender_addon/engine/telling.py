"""What the installer says of its progress: in bytes, in tries, never backwards."""

from __future__ import annotations

import json
import threading

from .sizes import Cost

# How much of the whole is done when everything is downloaded, and when everything is installed.
DOWNLOADED = 0.55
INSTALLED = 0.95


class InstallError(Exception):
    """What went wrong, and what to do."""


def tell(event: str, **values: object) -> None:
    """One event of the engine's protocol, as a line of JSON."""
    print(json.dumps({"type": event, **values}), flush=True)


class Telling:
    """Turns bytes into stages and a fraction.

    cost: what is expected.
    downloads: whether there are any.
    aloud: whether anything is said.
    """

    def __init__(self, cost: Cost, downloads: bool = True, aloud: bool = True) -> None:
        self._cost = cost
        self._start = DOWNLOADED if downloads else 0.02
        self._aloud = aloud
        self._fraction = 0.0
        self._last: tuple[str, int] | None = None
        self._lock = threading.Lock()

    def stage(self, text: str, fraction: float | None = None) -> None:
        """Say what is done now.

        fraction: of the whole; the former one where it is not known.
        """
        with self._lock:
            self._fraction = max(self._fraction, fraction or 0.0)
            shown = (text, round(1000 * self._fraction))
            if self._aloud and shown != self._last:
                self._last = shown
                tell("progress", stage=text, fraction=round(self._fraction, 4))

    def downloading(self, done: float, least: float, name: str) -> None:
        """Say how much of the packages has been downloaded.

        done: bytes that have come.
        least: bytes that will come at the least.
        """
        whole = max(least, float(self._cost.download))
        text = f"Downloading {done / 1e6:.0f} of {whole / 1e6:.0f} MB ({name})"
        self.stage(text, 0.02 + (DOWNLOADED - 0.02) * min(done / whole, 1.0))

    def installing(self, done: float, whole: float) -> None:
        """Say how much of the packages has been written.

        done: bytes that were written.
        whole: that will be.
        """
        text = f"Installing {done / 1e6:.0f} of {whole / 1e6:.0f} MB"
        self.stage(text, self._start + (INSTALLED - self._start) * min(done / max(whole, 1.0), 1.0))

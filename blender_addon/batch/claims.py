"""Claims: which of several batches on one folder makes what.

A claim is a small file beside the results, ``.NAME.claim``. Whoever creates it makes NAME; that a file is created only
where there is none holds on network shares and on Windows too. It says which process on which computer holds it, and
since when. It is touched while the work goes on (``touching.py``) and taken away afterwards. A claim whose process has
ended is taken over at once where that can be seen, on the same computer, and otherwise when nobody has touched it for
QUIET seconds. These are counted by the one who waits, so that the clocks of computers need not agree.

What is made twice all the same, as by a computer that slept, is whole both times: results are renamed into place.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

QUIET = 120.0
"""Seconds without a touch after which a claim is taken over. On network shares a touch may be seen a minute late."""

TOUCHES = 15.0  # seconds between two
OLD = 600.0  # seconds of age at which a claim is taken over at first sight; the clocks of a studio differ by less
ENDING = ".claim"

_LONGEST_STEM = 200  # bytes of a claim's name, of the 255 that file systems take
_TRIES, _PAUSE = 10, 0.05  # Windows refuses for a moment what another process has open; seconds


@dataclass(frozen=True)
class Holder:
    """A batch that holds a claim.

    host: the name of its computer, empty where its claim does not say.
    process: its id there.
    space: where that id counts, as of ``_space``.
    since: as of ``Claims.since``.
    """

    host: str = ""
    process: int = 0
    space: str = ""
    since: float = field(default=math.inf, compare=False)

    def __str__(self) -> str:
        return f"the batch on {self.host} (process {self.process})" if self.host else "another batch"


@dataclass(frozen=True)
class _Found:
    """A claim as it was read."""

    content: bytes
    touched: int  # nanoseconds, by the clock of whoever sets it


@dataclass(frozen=True)
class _Held:
    """A claim of our own."""

    path: Path
    content: bytes


class Claims:
    """The claims on a folder, as one batch sees them. It holds one at a time.

    folder: where the results go.
    say: takes a line for the user.
    clock: seconds that pass here.
    """

    def __init__(
        self, folder: Path, say: Callable[[str], None] = print, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._say, self._clock = folder, say, clock
        self._host, self._space = socket.gethostname(), _space()
        self._held: _Held | None = None
        self._toucher: subprocess.Popen[bytes] | None = None
        self._off = False
        self._seen: dict[Path, tuple[_Found, float]] = {}
        now = self._now()
        found = [claim for path in folder.glob(f".*{ENDING}") if (claim := _read(path))]
        running = [_holder(c.content) for c in found if not self._has_ended(c) and _age(c, now) < QUIET]
        self.since = min([now, *(holder.since for holder in running)])
        """When the first of the batches that run now began, by the clock of the folder: seconds since 1970. What is
        newer was made by one of them."""

    @contextlib.contextmanager
    def making(self, stem: str) -> Iterator[Holder | None]:
        """Hold the claim on a result, unless another batch does: yields that one, or None where it is ours.

        Where claims cannot be kept, everything is ours. That is said once.
        """
        holder = self._take(stem)
        try:
            yield holder
        finally:
            self._release()

    def _take(self, stem: str) -> Holder | None:
        path, holder, refused = self._folder / _name(stem), Holder(), None
        for _ in range(0 if self._off else _TRIES):
            refused = None
            try:
                self._create(path)
                return None
            except FileExistsError:
                pass
            except PermissionError as error:  # on Windows, what was deleted may stay for a moment
                refused = error
                time.sleep(_PAUSE)
                continue
            except OSError as error:
                refused = error
                break
            found = _read(path)
            if found is None:  # it was released meanwhile
                continue
            holder = _holder(found.content)
            if self._lives(path, found):
                self.since = min(self.since, holder.since)
                return holder
            if _removed(path, found):
                self._say(f"taken over from {holder}, of which there is no sign of life: {stem}")
        if refused:
            self._go_on_without(refused)
        return None if self._off else holder

    def _create(self, path: Path) -> None:
        """Raises FileExistsError where the claim is held, or another OSError where none can be kept."""
        about = {"host": self._host, "process": os.getpid(), "space": self._space, "since": self.since}
        about |= {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "token": secrets.token_hex(8)}
        content = json.dumps(about).encode()
        file = path.open("xb")
        try:
            with file:
                file.write(content)
            os.utime(path)  # where that fails, it could not be kept fresh
            self._keep_fresh([str(path.absolute()), content.decode()])
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self._held = _Held(path, content)

    def _keep_fresh(self, held: list[str] | None) -> None:
        """Let the claim with this path and content be touched from now on, or none. Raises OSError."""
        if self._toucher is None:
            command = [sys.executable, "-I", str(Path(__file__).with_name("touching.py")), str(TOUCHES)]
            quiet = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
            self._toucher = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                creationflags=quiet,
            )
        assert self._toucher.stdin is not None
        self._toucher.stdin.write(json.dumps(held).encode() + b"\n")
        self._toucher.stdin.flush()

    def close(self) -> None:
        """End the process that touches."""
        if self._toucher is None:
            return
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._toucher.communicate(timeout=5.0)

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        with contextlib.suppress(OSError):
            self._keep_fresh(None)
        for _ in range(_TRIES):
            try:
                if held.path.read_bytes() == held.content:
                    held.path.unlink()
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(_PAUSE)

    def _go_on_without(self, error: OSError) -> None:
        self._off = True
        reason = error.strerror or error
        self._say(
            f"{self._folder} takes no claims ({reason}): other batches on this folder would make the same as this one"
        )

    def _lives(self, path: Path, found: _Found) -> bool:
        if self._has_ended(found):
            return False
        before, when = self._seen.get(path, (None, 0.0))
        if before == found:
            return self._clock() - when < QUIET
        self._seen[path] = found, self._clock()
        return _age(found, self._now()) < OLD

    def _has_ended(self, found: _Found) -> bool:
        """Whether it can be seen here that the holder's process has ended."""
        holder = _holder(found.content)
        if (holder.host, holder.space) != (self._host, self._space):
            return False
        return holder.process == os.getpid() or not _runs(holder.process)  # what we held has been released

    def _now(self) -> float:
        """Seconds since 1970 by the clock that dates the folder's files, which may be another computer's."""
        try:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                return os.fstat(file.fileno()).st_mtime
        except OSError:
            return time.time()


def _name(stem: str) -> str:
    whole = os.fsencode(stem)
    cut = whole[:_LONGEST_STEM].decode(errors="ignore")
    return f".{stem}{ENDING}" if len(whole) <= _LONGEST_STEM else f".{cut}.{sha256(whole).hexdigest()[:16]}{ENDING}"


def _read(path: Path) -> _Found | None:
    """A claim, without its content where that cannot be read; None where there is none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        content = b""
    try:
        return _Found(content, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None
    except OSError:
        return _Found(content, time.time_ns())


def _age(found: _Found, now: float) -> float:
    return now - found.touched / 1e9


def _holder(content: bytes) -> Holder:
    """Who wrote a claim, as far as it says: it is empty for a moment, and stays so where its writer was killed then."""
    try:
        about = json.loads(content)
        host, space, process, since = str(about["host"]), str(about["space"]), int(about["process"]), about["since"]
        return Holder(host, process, space, float(since)) if math.isfinite(since) and process > 0 else Holder()
    except (ValueError, KeyError, TypeError, OverflowError):
        return Holder()


def _removed(path: Path, found: _Found) -> bool:
    """Take an abandoned claim away; False where somebody else was faster.

    It is renamed first, which only one succeeds in. Was it another claim by then, it gets its name back; two may hold
    it after that only if a third takes the name in between.
    """
    aside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.rename(aside)
    except OSError:
        return False
    now = _read(aside)
    same = now is None or now.content == found.content
    with contextlib.suppress(OSError):
        if same:
            aside.unlink()
        elif not path.exists():
            aside.rename(path)
    return same


def _space() -> str:
    """Where ids of processes count: this start of this system, and this container. Empty where the system does not
    say; its name alone tells a computer from others then."""
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{started} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _runs(process: int) -> bool:
    """Whether a process of this computer runs."""
    if sys.platform == "win32":
        return _runs_on_windows(process)
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _runs_on_windows(process: int) -> bool:
    """Windows' ``os.kill`` would end it. A process that has ended is signalled to whoever waits for it."""
    assert sys.platform == "win32"
    import ctypes
    from ctypes import wintypes

    synchronize, denied, timeout = 0x0010_0000, 5, 0x102
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    kernel.OpenProcess.restype = wintypes.HANDLE
    kernel.WaitForSingleObject.argtypes = (wintypes.HANDLE, wintypes.DWORD)
    kernel.WaitForSingleObject.restype = wintypes.DWORD
    kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    handle = kernel.OpenProcess(synchronize, False, process & 0xFFFF_FFFF)
    if not handle:
        return ctypes.get_last_error() == denied
    try:
        return kernel.WaitForSingleObject(handle, 0) == timeout
    finally:
        kernel.CloseHandle(handle)

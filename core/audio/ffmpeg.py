"""Decodes with the program ffmpeg what libsndfile cannot, where ffmpeg is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from core import progress
from core.errors import FootlightError

STALLED_SECONDS = 60.0  # without a byte more: it hangs
POLL_SECONDS = 0.05
LENGTH = re.compile(rb"Duration: (\d+):(\d+):([\d.]+)")
GUESS = b"Estimating duration"  # said before a length that is only estimated
LOST = re.compile(rb"Error (while decoding stream|submitting packet to decoder)")
FILLED = ["-af", "aresample=async=1"]  # silence where the times in the file leave gaps


@dataclass(frozen=True)
class Told:
    """What ffmpeg said of a file.

    seconds: what it has by its own word; None if it does not say.
    damaged: whether some of it could not be decoded.
    """

    seconds: float | None
    damaged: bool


def find() -> str | None:
    """The path of the program; None if there is none on PATH."""
    return shutil.which("ffmpeg")


def decode(program: str, path: Path, what: str, out: Path, seconds: float | None, fill: bool = False) -> Told:
    """Decode the first sound of a file to a WAV with floats.

    program: ffmpeg.
    path: the file.
    what: it is, for messages.
    out: the WAV.
    seconds: how much to decode; None is all of it.
    fill: whether silence is to stand where nothing could be decoded, as far as the file says when what follows is due.
        Of files that were joined, whose times begin anew, only the first remains.

    Raises FootlightError if there is no sound in it, or none that can be decoded.
    """
    limit = [] if seconds is None else ["-t", f"{seconds:.3f}"]
    # "file:" keeps a name from being taken for an option or an address, and a playlist from reaching the network.
    source = ["-protocol_whitelist", "file", "-i", f"file:{path.absolute()}"]
    sound = [
        *limit,
        "-map",
        "0:a:0",
        "-vn",
        "-sn",
        "-dn",
        *(FILLED if fill else ()),
        "-c:a",
        "pcm_f32le",
        "-rf64",
        "auto",
        "-f",
        "wav",
    ]
    command = [program, "-hide_banner", "-nostdin", "-nostats", "-y", *source, *sound, f"file:{out.absolute()}"]
    said = _run(command, path, out)
    if not out.is_file() or out.stat().st_size < 1024:
        raise FootlightError(f"{path}: is {what}, {_reason(said)}")
    return Told(_length(said), LOST.search(said) is not None)


def _length(said: bytes) -> float | None:
    found = LENGTH.search(said)
    if found is None or GUESS in said:
        return None
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])


def _run(command: list[str], path: Path, out: Path) -> bytes:
    """Run ffmpeg and return what it said. It ends with the work that it is for."""
    log = out.with_suffix(".log")
    with log.open("wb") as errors:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, **_without_window()
            )
        except OSError as error:
            raise FootlightError(
                f"{path}: {command[0]} cannot be started ({error.strerror}); install ffmpeg anew, or convert the song"
            ) from None
        try:
            size, since = -1, time.monotonic()
            while process.poll() is None:
                progress.report()
                now = out.stat().st_size if out.is_file() else 0
                if now != size:
                    size, since = now, time.monotonic()
                elif time.monotonic() - since > STALLED_SECONDS:
                    raise FootlightError(f"{path}: ffmpeg does not get on with it; convert the song in another program")
                time.sleep(POLL_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    return log.read_bytes()


def _without_window() -> dict:
    """Popen options: on Windows no console flashes up."""
    flag = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    return {"creationflags": flag} if flag else {}


def _reason(said: bytes) -> str:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    if any("matches no streams" in line for line in lines):
        return "in which there is no sound; choose another file"
    last = lines[-1] if lines else "it said nothing"
    return f"but ffmpeg cannot decode it ({last[:200]}); export or download it again"

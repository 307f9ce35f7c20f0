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
FILLED = "aresample=async=1"  # silence where the times in the file leave gaps
BEGUN = re.compile(rb"pts_time:([\d.]+)")
REACHED = re.compile(rb"time=(\d+):(\d+):([\d.]+)")
PROMPT = 0.15  # seconds by which a sound counts as beginning with its file: codecs have delays of up to 0.1


@dataclass(frozen=True)
class Told:
    """What ffmpeg said of a file.

    seconds: what it has by its own word; None if it does not say.
    damaged: whether some of it could not be decoded.
    late: how many seconds after the beginning of a file, such as a film, its first sound begins; 0 if not known.
    """

    seconds: float | None
    damaged: bool
    late: float


def find() -> str | None:
    """The path of the program; None if there is none on PATH."""
    return shutil.which("ffmpeg")


def decode(program: str, path: Path, what: str, out: Path, seconds: float | None, fill: bool = False) -> Told:
    """Decode the first sound of a file to a WAV with floats. The WAV begins where the sound does.

    program: ffmpeg.
    path: the file.
    what: it is, for messages.
    out: the WAV.
    seconds: how much to decode, from the beginning of the file; None is all of it.
    fill: whether silence is to stand where nothing could be decoded, as far as the file says when what follows is due.
        Of files that were joined, whose times begin anew, only the first remains.

    Raises FootlightError if there is no sound in it, or none that can be decoded.
    """
    limit = [] if seconds is None else ["-t", f"{seconds:.3f}"]
    filtered = ["-af", FILLED] if fill else []
    form = ["-c:a", "pcm_f32le", "-rf64", "auto", "-f", "wav", f"file:{out.absolute()}"]
    sound = [*limit, *_FIRST_SOUND, *filtered, *form]
    said = _run([*_asked(program, path), "-nostats", *_first_frame(out.with_suffix(".begins")), *sound], path, out)
    if not out.is_file() or out.stat().st_size < 1024:
        raise FootlightError(f"{path}: is {what}, {_reason(said)}")
    length = _length(said)
    return Told(length, LOST.search(said) is not None, _late(said, length))


def begins(program: str, path: Path, folder: Path) -> float:
    """``Told.late`` of a file, without decoding it.

    program, path: as of ``decode``.
    folder: for temporary files.
    """
    nothing = folder / "begins"
    said = _run([*_asked(program, path), "-nostats", *_first_frame(nothing)], path, nothing)
    return _late(said, _length(said))


def outlasted(program: str, path: Path, seconds: float, folder: Path) -> bool:
    """Whether something else in a file, as the picture of a film, goes on to that second, and its first sound does not.

    Then the sound is whole, though it ends before the file.

    program, path: as of ``decode``.
    folder: for temporary files.
    """

    def end(*streams: str) -> float:
        nothing, mapped = folder / "end", [word for stream in streams for word in ("-map", stream)]
        found = REACHED.findall(_run([*_asked(program, path), *mapped, "-c", "copy", *_to(nothing)], path, nothing))
        return _seconds(found[-1]) if found else 0.0

    return end("0:v?", "0:a?") >= seconds > end("0:a:0")


def _asked(program: str, path: Path) -> list[str]:
    """The beginning of a command that reads a file.

    "file:" keeps a name from being taken for an option or an address, and a playlist from reaching the network.
    """
    quiet = ["-hide_banner", "-nostdin", "-y"]
    return [program, *quiet, "-protocol_whitelist", "file", "-i", f"file:{path.absolute()}"]


_FIRST_SOUND = ["-map", "0:a:0", "-vn", "-sn", "-dn"]


def _first_frame(nothing: Path) -> list[str]:
    """The end of a command that says when the first sound begins. nothing: as of ``_to``."""
    return [*_FIRST_SOUND, "-af", "ashowinfo", "-frames:a", "1", *_to(nothing)]


def _to(nothing: Path) -> list[str]:
    """The end of a command that writes nothing. nothing: the name of a file that will not be there."""
    return ["-f", "null", f"file:{nothing.absolute()}"]


def _length(said: bytes) -> float | None:
    found = LENGTH.search(said)
    if found is None or GUESS in said:
        return None
    return _seconds(found.groups())


def _late(said: bytes, length: float | None) -> float:
    found = BEGUN.search(said)
    late = 0.0 if found is None else float(found[1])
    return late if length is not None and PROMPT < late < length else 0.0


def _seconds(told: tuple[bytes, ...]) -> float:
    hours, minutes, seconds = told
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


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
                now = sum(file.stat().st_size for file in (out, log) if file.is_file())
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

"""pip, run for the engine's installation: what it says becomes bytes, tries and plain words."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .programs import clean_environment, last_line, quiet, run
from .requirements import numbers
from .telling import InstallError, Telling
from .unpacking import DAMAGED

CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
"""On Linux the ordinary PyTorch brings gigabytes of libraries for NVIDIA cards, which a dance in seconds does not
need. FOOTLIGHT_CPU_WHEELS names another index, a company's mirror of this one say."""

PYPI = "https://pypi.org/simple"

RETRIES = 4
"""Further tries for every connection."""

TICK = 0.4
"""Seconds between two looks at how many bytes have come."""

UNITS = {"bytes": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}


class Unreachable(InstallError):
    """A server that does not answer, or has not what it should have."""


class Absent(InstallError):
    """A package that is nowhere, or not for this Python."""


class NoSmallBuild(InstallError):
    """PyTorch for the processor is not to be had: nothing larger is taken unasked."""


@dataclass
class Flow:
    """What has been downloaded, as far as pip's lines say.

    done: bytes of whole files.
    name, size: of the file that is coming.
    come: bytes of it.
    """

    done: float = 0.0
    name: str = ""
    size: float = 0.0
    come: float = 0.0


class Pip:
    """pip, run by ``python`` from the folder ``pip``: nothing of it is in the engine's environment.

    downloads: a folder for everything that it downloads, on the disk where the engine will be: a /tmp in memory may be
    too small. What is there is used again by the next try.
    """

    def __init__(self, python: Path, pip: Path, downloads: Path, told: Telling) -> None:
        self.python = python
        self.pip = pip
        self.downloads = downloads
        self.told = told
        self._flow = Flow()

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Download packages and all that they need; returns their files. Raises InstallError."""
        folder = self.downloads / "packages"
        shutil.rmtree(folder, ignore_errors=True)
        self._run([*packages, "--dest", str(folder), "--find-links", str(self.downloads / "small")])
        return sorted(folder.glob("*.whl"))

    def download_small(self, torch: str, tested: str = "") -> str:
        """Download PyTorch for the processor; returns what to install.

        torch: what the engine needs, such as "torch>=2.6".
        tested: such as "torch==2.13.0", tried first.

        Raises NoSmallBuild where it is not to be had, and InstallError where the disk is full or the like.
        """
        index = os.environ.get("FOOTLIGHT_CPU_WHEELS", CPU_WHEELS)
        host = urllib.parse.urlsplit(index).netloc or index
        wanted = [f"{tested}+cpu"] if tested else []
        for requirement in (*wanted, torch):
            try:
                return self._download(requirement, index)
            except Unreachable:
                raise NoSmallBuild(
                    f"The server with the small build of PyTorch ({host}) cannot be reached. Check the connection and "
                    "try again, or take the large build."
                ) from None
            except Absent:
                continue
        raise NoSmallBuild(
            f"There is no small build of PyTorch for this computer and its Python on {host}. Take the large build, or "
            "choose another Python (3.11 to 3.13) in the preferences."
        )

    def _download(self, torch: str, index: str) -> str:
        folder = self.downloads / "small"
        self._run([torch, "--no-deps", "--dest", str(folder), "--index-url", index], refuse=_large)
        found = max(folder.glob("torch-*.whl"), key=lambda path: path.stat().st_mtime)
        return "==".join(found.name.split("-")[:2])

    def _run(self, arguments: Sequence[str], refuse: Callable[[str], None] = lambda _name: None) -> None:
        command = [str(self.python), "-m", "pip", "download", "--only-binary=:all:", "--no-input", *arguments]
        command += ["--disable-pip-version-check", "--progress-bar", "off", "--retries", str(RETRIES)]
        command += ["--cache-dir", str(self.downloads / "cache")]
        self.told.stage(f"Contacting the server (try 1 of {RETRIES + 1})", 0.02)
        temporary = self.downloads / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        aside = {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
        process = subprocess.Popen(
            command,
            env=clean_environment(PIP_RESUME_RETRIES=str(RETRIES), PYTHONPATH=str(self.pip), **aside),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            **quiet(),
        )
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=(temporary, ended), daemon=True)
        watch.start()
        said = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                sys.stderr.write(line)
                said.append(line)
                self._take(line, refuse)
        except InstallError:
            process.kill()
            raise
        finally:
            code = process.wait()
            ended.set()
            watch.join()
            shutil.rmtree(temporary, ignore_errors=True)
        if code:
            words = "".join(said)
            if _damaged(words):
                shutil.rmtree(self.downloads, ignore_errors=True)
            raise kind_of(words)(explain(words))

    def _take(self, line: str, refuse: Callable[[str], None]) -> None:
        """What a line of pip's means to a person."""
        flow = self._flow
        if found := re.match(r"\s*(Downloading|Using cached) (\S+\.whl)(?:\.metadata)? \(([\d.]+) (\w+)\)", line):
            name = urllib.parse.unquote(found[2].rsplit("/", 1)[-1])
            if ".metadata (" in line:
                return
            refuse(name)
            flow.done += flow.size
            flow.name, flow.come, flow.size = name, 0.0, float(found[3]) * UNITS.get(found[4], 0.0)
            if found[1] == "Using cached":
                flow.done, flow.size = flow.done + flow.size, 0.0
        elif found := re.match(r"\s*Processing (\S+\.whl)", line):
            refuse(urllib.parse.unquote(found[1].replace("\\", "/").rsplit("/", 1)[-1]))
        elif found := re.search(r"Retrying \(Retry\(total=(\d+)", line):
            self.told.stage(f"Contacting the server (try {RETRIES - int(found[1]) + 1} of {RETRIES + 1})")

    def _watch(self, temporary: Path, ended: threading.Event) -> None:
        """Look at the growing file until pip has ended."""
        while not ended.wait(TICK):
            flow = self._flow
            if flow.name:
                # A file that is whole is moved away: what has come has come.
                flow.come = max(flow.come, min(_size_of(temporary, flow.name), flow.size))
                self.told.downloading(flow.done + flow.come, flow.done + flow.size, flow.name.split("-")[0])


def _size_of(temporary: Path, name: str) -> int:
    """Bytes of a file that pip is downloading."""
    try:
        return max((path.stat().st_size for path in temporary.glob(f"*/{name}")), default=0)
    except OSError:
        return 0


def _large(name: str) -> None:
    """Raises Absent for a PyTorch that is not the one for the processor: it may be on another index of the user's."""
    if name.startswith("torch-") and "+cpu" not in name:
        raise Absent(f"{name} is not made for the processor alone.")


def pip_wheel(python: str, downloads: Path) -> Path:
    """pip as a file: from a Python itself, or downloaded into a folder. Raises InstallError."""
    program = (
        "import glob, os, ensurepip; d = getattr(ensurepip, '_WHEEL_PKG_DIR', None);"
        "f = os.path.join(os.path.dirname(ensurepip.__file__), '_bundled');"
        "print('\\n'.join(p for x in (d, f) if x for p in glob.glob(os.path.join(x, 'pip-*.whl'))))"
    )
    found = [Path(line) for line in run([python, "-c", program]).said.splitlines() if line.strip()]
    return found[0] if found else download_pip(downloads)


def download_pip(folder: Path) -> Path:
    """pip's own file, where a Python comes without it: the newest on PyPI, or on the index of PIP_INDEX_URL. Raises
    InstallError."""
    index = os.environ.get("PIP_INDEX_URL", PYPI).rstrip("/") + "/pip/"
    try:
        trusted = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
        with urllib.request.urlopen(index, timeout=60, context=trusted) as answer:
            page = answer.read().decode("utf-8", "replace")
        links = re.findall(r'href="([^"#]*/)?(pip-([\d.]+)-py3-none-any\.whl)#sha256=([0-9a-f]{64})"', page)
        if not links:
            raise InstallError(f"There is no pip on {index}. Install Python's venv module (Debian: python3-venv).")
        base, name, _version, digest = max(links, key=lambda link: numbers(link[2]))
        address = urllib.parse.urljoin(index, base + name)
        with urllib.request.urlopen(address, timeout=60, context=trusted) as answer:
            content = answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise Unreachable(explain(f"could not fetch url {index}: {error}")) from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise InstallError(DAMAGED)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


DAMAGES = (
    "do not match the hashes",
    "is invalid",
    "not a zip file",
    "bad magic number",
    "bad crc",
    "incompletedownload",
    "incomplete-download",
)

UNREACHABLE = (
    "connection broken",
    "could not fetch url",
    "timed out",
    "getaddrinfo",
    "newconnectionerror",
    "max retries",
    "connectionreset",
    "404 client error",
    "403 client error",
    "500 server error",
    "503 server error",
)


def kind_of(said: str) -> type[InstallError]:
    """What kind of failure pip's words tell of."""
    words = said.lower()
    if _damaged(words) or "no space left" in words:
        return InstallError
    if any(sign in words for sign in UNREACHABLE):
        return Unreachable
    return Absent if "no matching distribution found" in words else InstallError


def _damaged(said: str) -> bool:
    words = said.lower()
    return any(sign in words for sign in DAMAGES)


def explain(said: str) -> str:
    """pip's complaint in plain words."""
    words = said.lower()
    if "no space left" in words or "not enough space" in words:
        return "The disk is full. Make room where the add-on's files lie, and try again."
    if "certificate_verify_failed" in words or "confirming the ssl certificate" in words:
        return (
            "The download server's certificate is not trusted: a company's network or a virus scanner reads the "
            "connection. Set the variable PIP_CERT to its certificate file, start Blender again and try again."
        )
    if "long path" in words:
        return (
            "A path is longer than Windows allows. Turn on long paths (search for 'long paths' in Microsoft's help), "
            "or give Windows a user with a shorter name."
        )
    if _damaged(words):
        return DAMAGED
    if "407 proxy" in words or "proxyerror" in words:
        return "The proxy refuses the download. Set HTTPS_PROXY as your network needs it, and start Blender again."
    if any(sign in words for sign in UNREACHABLE):
        return "The packages could not be downloaded. Check the internet connection (and proxy), then try again."
    if found := re.search(r"no matching distribution found for (\S+)", words):
        return (
            f"There is no {found.group(1)} for this computer and its Python. Choose another Python (3.11 to 3.13) in "
            "the preferences."
        )
    if "permission" in words or "access is denied" in words or "used by another process" in words:
        return "The add-on's folder cannot be written. Check its permissions, or close other programs using it."
    return f"The engine could not be installed: {last_line(said)}"

"""Packages made on the spot, and a package index on this computer that can be slow, broken or gone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import ssl
import threading
import time
import urllib.parse
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def wheel(folder: Path, name: str, source: str = "", version: str = "1.0", ballast: int = 0, needs: str = "") -> Path:
    """A package of one module.

    ballast: bytes that no compression makes smaller.
    needs: another package.
    """
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: MIT\n{requires}"
        )
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/licenses/LICENSE", f"Do with {name} as you like.\n")
        if ballast:
            archive.writestr(f"{name}.bin", os.urandom(ballast))
        archive.writestr(f"{about}/RECORD", "")
    return path


@dataclass
class Index:
    """url: of the index.
    asked: the files that were asked for.
    speed: bytes a second, or 0, of the files whose names begin with ``slow``.
    status: what every answer is instead of 200.
    cut: the part of a file after which the connection breaks.
    """

    url: str = ""
    asked: list[str] = field(default_factory=list)
    speed: float = 0.0
    slow: str = ""
    status: int = 200
    cut: float = 1.0


@contextlib.contextmanager
def serve(folder: Path, secure: ssl.SSLContext | None = None) -> Iterator[Index]:
    """An index of the packages in ``folder``, as PyPI is one."""
    index = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if index.status != 200:
                self.send_error(index.status)
                return
            name = urllib.parse.unquote(self.path).rstrip("/").rsplit("/", 1)[-1]
            if name.endswith(".whl"):
                index.asked.append(name)
                self._send_file((folder / name).read_bytes(), index.speed if name.startswith(index.slow) else 0.0)
            else:
                found = [path for path in folder.glob("*.whl") if path.name.split("-")[0].replace("_", "-") == name]
                page = "".join(f'<a href="/files/{p.name}#sha256={digest(p)}">{p.name}</a>\n' for p in found)
                self._begin(page.encode(), "text/html", 200 if found else 404)
                self.wfile.write(page.encode())

        def _begin(self, content, kind, status=200):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "max-age=600" if kind == "text/html" else "max-age=365000000, immutable")
            self.end_headers()

        def _send_file(self, content, speed):
            self._begin(content, "application/octet-stream")
            step = 16_384
            with contextlib.suppress(OSError):
                for start in range(0, int(len(content) * index.cut), step):
                    self.wfile.write(content[start : start + step])
                    if speed:
                        time.sleep(step / speed)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if secure:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    index.url = f"http{'s' if secure else ''}://127.0.0.1:{server.server_port}/simple"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

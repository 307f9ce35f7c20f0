"""Build the extension's zip: ``python train/tools/build_extension.py``, with any Python from 3.11 on and nothing else.

The zip has what git tracks and the manifest does not exclude, and the user's pages as HTML. Two builds give the same
bytes: neither the time nor the place of the checkout, its files' dates, permissions and line endings, nor the order of
its folders are in it.

With ``--offline linux-x64``, ``windows-x64`` or ``macos-arm64`` the zip also carries the engine's packages for such
computers, and installs its engine without a network. That build needs a network and pip.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import subprocess
import sys
import zipfile
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:
    sys.exit("The extension is built with Python 3.11 or newer; this is " + sys.version.split()[0] + ".")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a file, this one finds its neighbour

from train.tools import engine_wheels, help_pages  # noqa: E402

MANIFEST = "blender_manifest.toml"

DATE = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip: the earliest that a zip can tell."""

MODE = 0o644

TEXTS = (".py", ".toml", ".md", ".txt", ".json", "LICENSE")
"""Files whose lines may end otherwise in a checkout on Windows."""

PACKED = (".whl",)
"""Files that are packed already."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="build_extension.py", description="Build the extension's zip.")
    parser.add_argument("--out", type=Path, default=ROOT / "build", help="folder for the zip (default: build)")
    parser.add_argument(
        "--offline", choices=engine_wheels.TARGETS, help="carry the engine's packages for such a computer"
    )
    parser.add_argument(
        "--python",
        action="append",
        metavar="3.11",
        help="with --offline: for this Python alone; may be given again (default: those of Blender)",
    )
    given = parser.parse_args(arguments)
    try:
        path = build(given.out, offline=given.offline, pythons=given.python)
    except engine_wheels.WheelsError as error:
        print(f"build_extension.py: {error}", file=sys.stderr)
        return 1
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def build(out: Path, source: Path = ROOT, offline: str | None = None, pythons: list[str] | None = None) -> Path:
    """Build ``out/ID-VERSION.zip`` from ``source`` and return its path.

    offline: the computers for which the engine's packages are carried; they are kept in ``out/wheels`` for the next
        build.
    pythons: for these Pythons alone.

    Raises WheelsError when a package cannot be had.
    """
    manifest_text = (source / MANIFEST).read_text("utf-8")
    manifest = tomllib.loads(manifest_text)
    contents = {name: source / name for name in files(source, manifest["build"]["paths_exclude_pattern"])}
    name = f"{manifest['id']}-{manifest['version']}"
    made = help_pages.made(source, manifest.get("website", ""))
    out.mkdir(parents=True, exist_ok=True)
    if offline:
        name += f"-offline-{offline}"
        wheels, lists = engine_wheels.collect(source, offline, pythons, out / "wheels")
        contents |= {f"wheels/{wheel.name}": wheel for wheel in wheels}
        made |= lists | {MANIFEST: for_platform(manifest_text, offline).encode()}
    path = out / f"{name}.zip"
    pack(path, contents, made)
    return path


def for_platform(manifest: str, platform: str) -> str:
    """A manifest's text that says on which computers alone the extension can be installed."""
    before, rule, after = manifest.partition("blender_version_min")
    return f'{before}platforms = ["{platform}"]\n{rule}{after}'


def files(source: Path, patterns: list[str]) -> list[str]:
    """The files for the zip, below ``source``: those that git tracks, or all where there is no git, without those
    that ``patterns`` exclude."""
    tracked = listed(source, "--cached")
    if tracked is None:
        found = walked(source, patterns)
    else:
        found = [name for name in tracked if (source / name).is_file()]
        for name in listed(source, "--others", "--exclude-standard") or ():
            if not hidden(name, patterns):
                print(f"left out, because git does not track it: {name}", file=sys.stderr)
    return sorted(name for name in found if not hidden(name, patterns))


def listed(source: Path, *which: str) -> list[str] | None:
    """What git lists of ``source``; None where there is no git, or ``source`` is no checkout."""
    if not (source / ".git").exists():
        return None
    try:
        answer = subprocess.run(["git", "ls-files", "-z", *which], cwd=source, capture_output=True, check=False)
    except OSError:
        return None
    return answer.stdout.decode().split("\0")[:-1] if answer.returncode == 0 else None


def walked(source: Path, patterns: list[str]) -> list[str]:
    """All files below ``source`` but those in excluded folders."""
    found = []
    for folder, folders, names in os.walk(source):
        here = Path(folder).relative_to(source)
        folders[:] = [name for name in folders if not excluded((here / name).as_posix() + "/", patterns)]
        found += [(here / name).as_posix() for name in names]
    return found


def hidden(path: str, patterns: list[str]) -> bool:
    """Whether a file is excluded, or a folder that it is in."""
    parts = path.split("/")
    folders = ("/".join(parts[:i]) + "/" for i in range(1, len(parts)))
    return excluded(path, patterns) or any(excluded(folder, patterns) for folder in folders)


def excluded(path: str, patterns: list[str]) -> bool:
    """Whether the manifest's patterns leave out ``path``.

    As in .gitignore, a leading slash ties a pattern to the top and a trailing one to folders.

    path: relative. A folder ends in a slash.
    """
    parts = path.rstrip("/").split("/")
    return any(
        (path.endswith("/") or not pattern.endswith("/"))
        and (len(parts) == 1 or not pattern.startswith("/"))
        and fnmatch.fnmatchcase(parts[-1], pattern.strip("/"))
        for pattern in patterns
    )


def pack(path: Path, contents: dict[str, Path], made: dict[str, bytes]) -> None:
    """Write a zip, whole or not at all.

    contents: files by their names in the zip.
    made: further ones, or others in the place of those.
    """
    part = path.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        for name in sorted(contents | made):
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = MODE << 16
            packed = name.endswith(PACKED)
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            content = made[name] if name in made else contents[name].read_bytes()
            if name.endswith(TEXTS):
                content = content.replace(b"\r\n", b"\n")
            archive.writestr(entry, content, compresslevel=9)
    os.replace(part, path)


if __name__ == "__main__":
    raise SystemExit(main())

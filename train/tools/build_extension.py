"""Build the extension's zip: ``python -m train.tools.build_extension --out build``.

Blender's own builder (``blender_ext.py``, which runs without Blender) is used if there is one: in the bpy module of
this environment, or in a Blender on the path. Otherwise the zip is packed here by the same rules. Only the validation
of the manifest is then missing.
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
MANIFEST = "blender_manifest.toml"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m train.tools.build_extension", description="Build the extension's zip."
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build", help="folder for the zip (default: build)")
    path = build(parser.parse_args(arguments).out)
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def build(out: Path, source: Path = ROOT) -> Path:
    """Build ``out/ID-VERSION.zip`` from ``source`` and return its path.

    Raises CalledProcessError when the manifest is not valid.
    """
    manifest = tomllib.loads((source / MANIFEST).read_text("utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{manifest['id']}-{manifest['version']}.zip"
    path.unlink(missing_ok=True)
    if builder := find_builder():
        command = [sys.executable, str(builder), "build", "--source-dir", str(source), "--output-filepath", str(path)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    else:
        pack(source, path, manifest["build"]["paths_exclude_pattern"])
    return path


def find_builder() -> Path | None:
    """Blender's ``blender_ext.py``, from the bpy module or from the Blender on the path."""
    places = []
    if (spec := importlib.util.find_spec("bpy")) and spec.origin:
        places += Path(spec.origin).parent.glob("*/scripts")
    if blender := shutil.which("blender"):
        folder = Path(blender).resolve().parent
        places += [*folder.glob("*/scripts"), folder.parent / "share/blender/scripts"]
    builders = [place / "addons_core/bl_pkg/cli/blender_ext.py" for place in places]
    return next((builder for builder in builders if builder.is_file()), None)


def pack(source: Path, path: Path, patterns: list[str]) -> None:
    """Write a zip of everything below ``source`` that ``patterns`` do not exclude."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, folders, files in os.walk(source):
            here = Path(folder).relative_to(source)
            folders[:] = sorted(name for name in folders if not excluded((here / name).as_posix() + "/", patterns))
            for name in sorted(files):
                if not excluded((here / name).as_posix(), patterns):
                    archive.write(Path(folder) / name, (here / name).as_posix())


def excluded(path: str, patterns: list[str]) -> bool:
    """Whether the manifest's patterns leave out ``path``.

    As in .gitignore, a leading slash ties a pattern to the top and a trailing one to folders.

    path: relative. A folder ends in a slash.
    """
    parts = path.rstrip("/").split("/")
    return any(
        (path.endswith("/") or not pattern.endswith("/"))
        and (len(parts) == 1 or not pattern.startswith("/"))
        and fnmatch.fnmatch(parts[-1], pattern.strip("/"))
        for pattern in patterns
    )


if __name__ == "__main__":
    raise SystemExit(main())

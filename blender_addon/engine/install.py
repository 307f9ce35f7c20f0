"""Make the engine's own Python environment: ``python -m blender_addon.engine.install FOLDER PACKAGE...``.

It runs in a Python that has nothing installed, so it uses the standard library alone, and it speaks the engine's
protocol (progress, done and failed as JSON lines on stdout; everything pip says goes to stderr), so that Blender
watches it as it watches any other job.

The environment is made beside the one that works, and takes its place only when its packages have been started once.
pip downloads the packages and is not part of the engine. With ``--wheels`` they are in a folder, and neither pip nor a
network is needed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import carried, makers, piping, places, sizes, unpacking
from .examine import examine
from .piping import NoSmallBuild, Pip
from .requirements import name_of
from .telling import InstallError, Telling, tell


@dataclass(frozen=True)
class Order:
    """What is to be installed.

    folder: for ``places.Places``.
    packages: such as "torch>=2.6".
    python: one that was chosen, tried first.
    wheels: a folder that has everything, or None for the network.
    large: with PyTorch's libraries for NVIDIA cards.
    tested: such as "torch==2.13.0".
    addon: the add-on's version, for the record.
    """

    folder: Path
    packages: tuple[str, ...]
    python: str = ""
    wheels: Path | None = None
    large: bool = False
    tested: str = ""
    addon: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="install.py", description="Install Footlight's engine.")
    parser.add_argument("folder", type=Path, help="the extension's folder among the user's files")
    parser.add_argument("packages", nargs="+", help="what the engine needs, such as torch>=2.6")
    parser.add_argument("--python", default="", help="the Python to make it with (default: this one)")
    parser.add_argument("--wheels", type=Path, help="a folder of packages to install from, without a network")
    parser.add_argument("--large", action="store_true", help="with libraries for NVIDIA cards (3 GB)")
    parser.add_argument("--tested", default="", help="the PyTorch that it was tested with, such as torch==2.13.0")
    parser.add_argument("--addon", default="", help="the add-on's version")
    given = parser.parse_args(arguments)
    order = Order(
        given.folder, tuple(given.packages), given.python, given.wheels, given.large, given.tested, given.addon
    )
    try:
        install(order)
    except NoSmallBuild as error:
        return fail("no-small-build", str(error))
    except InstallError as error:
        return fail("install", str(error))
    except OSError as error:
        return fail("install", explain_os(error))
    tell("done")
    return 0


def fail(kind: str, message: str) -> int:
    """Say what went wrong, to the user and in the log."""
    sys.stderr.write(f"{message}\n")
    tell("failed", kind=kind, message=message)
    return 1


def install(order: Order) -> None:
    """A whole new engine in the place of the old one. Raises InstallError or OSError, and the old one still works."""
    here = places.Places(order.folder)
    told = Telling(sizes.cost(order.large), downloads=order.wheels is None)
    told.stage("Preparing", 0.01)
    check_space(order)
    with places.alone(here) as alone:
        if not alone:
            raise InstallError("Another Blender is installing the engine at this moment. Wait until it is done.")
        places.recover(here)
        maker = makers.find(order.python, order.wheels)
        python = makers.make_environment(here.new, maker)
        if order.wheels:
            wheels = carried.wheels(order.wheels, maker.version)
        else:
            wheels = downloaded(order, here, python, maker, told)
        unpacking.unpack(wheels, makers.packages_folder(python), told)
        told.stage("Trying the engine", 0.96)
        found = examine(python, order.packages)
        if found.problem:
            raise InstallError(f"The engine was installed and does not start: {found.problem}")
        size = places.size_on_disk(here.new)
        places.write_record(here.new, places.Record(found.python, found.packages, size, order.addon))
        told.stage("Trying the engine", 0.99)
        places.swap(here)
        shutil.rmtree(here.downloads, ignore_errors=True)


def downloaded(order: Order, here: places.Places, python: Path, maker: makers.Maker, told: Telling) -> list[Path]:
    """The packages from the network: on Linux with PyTorch for the processor, unless the large one was asked for.
    Raises InstallError."""
    folder = here.downloads / "pip"
    shutil.rmtree(folder, ignore_errors=True)
    unpacking.unpack([piping.pip_wheel(maker.python, here.downloads)], folder, Telling(sizes.cost(), aloud=False))
    pip = Pip(python, folder, here.downloads, told)
    if order.large or sys.platform != "linux":
        return pip.download(order.packages)
    small = [
        pip.download_small(package, order.tested) if name_of(package) == "torch" else package
        for package in order.packages
    ]
    return pip.download(small)


def check_space(order: Order) -> None:
    """Raises InstallError when the disk is too full, before anything is downloaded."""
    cost = sizes.cost(order.large)
    # The packages lie there packed, in pip's cache and beside it, and unpacked for a while.
    needed = cost.disk + (0 if order.wheels else 3 * cost.download)
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InstallError(f"The folder {order.folder} cannot be made: {error.strerror}.") from None
    if (free := shutil.disk_usage(order.folder).free) < needed:
        raise InstallError(
            f"Only {sizes.text(free)} are free in {order.folder}; the engine needs {sizes.text(needed)} while it is "
            "installed. Make room and try again."
        )


def explain_os(error: OSError) -> str:
    """A complaint of the operating system's in plain words."""
    where = f" ({error.filename})" if error.filename else ""
    return piping.explain(f"{error.strerror or error}{where}")


if __name__ == "__main__":
    raise SystemExit(main())

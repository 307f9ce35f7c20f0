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
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import piping, places, sizes, unpacking
from .examine import OLDEST, clean_environment, examine, quiet
from .piping import NoSmallBuild, Pip
from .telling import InstallError, Telling, tell

PYTHONS = ("python3.13", "python3.12", "python3.11", "python3.14", "python3")
"""Where Blender's own Python cannot do it, as in some Linux distributions."""


@dataclass(frozen=True)
class Order:
    """What is to be installed.

    folder: for ``places.Places``.  packages: such as "torch>=2.6".  python: one that was chosen, tried first.
    wheels: a folder that has everything, or None for the network.  large: with PyTorch's libraries for NVIDIA cards.
    tested: such as "torch==2.13.0".  addon: the add-on's version, for the record.
    """

    folder: Path
    packages: tuple[str, ...]
    python: str = ""
    wheels: Path | None = None
    large: bool = False
    tested: str = ""
    addon: str = ""


@dataclass(frozen=True)
class Maker:
    """A Python that can make environments. version: such as "3.13"."""

    python: str
    version: str


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
        maker = find_maker(order)
        python = make_environment(here.new, maker)
        wheels = carried(order.wheels, maker.version) if order.wheels else downloaded(order, here, python, maker, told)
        unpacking.unpack(wheels, packages_folder(python), told)
        told.stage("Trying the engine", 0.96)
        found = examine(python, order.packages)
        if found.problem:
            raise InstallError(f"The engine was installed and does not start: {found.problem}")
        size = places.size_on_disk(here.new)
        places.write_record(here.new, places.Record(found.python, found.packages, size, order.addon))
        told.stage("Trying the engine", 0.99)
        places.swap(here)
        shutil.rmtree(here.downloads, ignore_errors=True)


def carried(folder: Path, version: str) -> list[Path]:
    """The packages that the extension carries for a Python. Raises InstallError."""
    return unpacking.carried(folder, requirements_file(folder, version))


def downloaded(order: Order, here: places.Places, python: Path, maker: Maker, told: Telling) -> list[Path]:
    """The packages from the network: on Linux with PyTorch for the processor, unless the large one was asked for.
    Raises InstallError."""
    folder = here.downloads / "pip"
    shutil.rmtree(folder, ignore_errors=True)
    unpacking.unpack([pip_wheel(maker, here)], folder, Telling(sizes.cost(), aloud=False))
    pip = Pip(python, folder, here.downloads, told)
    if order.large or sys.platform != "linux":
        return pip.download(order.packages)
    torch = {package for package in order.packages if places.name_of(package) == "torch"}
    small = [pip.download_small(package, order.tested) if package in torch else package for package in order.packages]
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


def candidates(order: Order) -> Iterator[str]:
    """Pythons that could make the environment, the most wanted first."""
    if order.python:
        yield order.python
    yield sys.executable
    for name in PYTHONS:
        found = shutil.which(name)
        if found and "WindowsApps" not in found:  # Windows' placeholders, which open a shop
            yield found


def find_maker(order: Order) -> Maker:
    """The first Python that is new enough, and for which there are packages. Raises InstallError."""
    refused = ""
    for python in dict.fromkeys(candidates(order)):
        version = version_of(python)
        if not version:
            refused = refused or f"{python} does not run"
        elif places.numbers(version) < OLDEST or not has_packages(order, version):
            refused = refused or f"{python} is Python {version}"
        else:
            return Maker(python, version)
    if order.wheels:
        carried = ", ".join(sorted(carried_versions(order.wheels), key=places.numbers))
        raise InstallError(
            f"This zip carries the engine for Python {carried}; {refused}. Choose such a Python in the preferences, or "
            "install the engine with the ordinary zip, which needs a network."
        )
    raise InstallError(
        f"The engine needs Python 3.11 or newer; {refused}. Choose another Python in the preferences, or leave the "
        "field empty to use Blender's own."
    )


def has_packages(order: Order, version: str) -> bool:
    """Whether there are packages for a Python, as far as is known before anything is downloaded."""
    return order.wheels is None or requirements_file(order.wheels, version).is_file()


def version_of(python: str) -> str:
    """The version of a Python, such as "3.13", or nothing where it does not run."""
    try:
        answer = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=clean_environment(),
            timeout=60,
            check=False,
            **quiet(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    said = answer.stdout.decode("utf-8", "replace").strip()
    return said if answer.returncode == 0 and re.fullmatch(r"\d+\.\d+", said) else ""


def make_environment(folder: Path, maker: Maker) -> Path:
    """An empty environment in ``folder``, without pip, which some distributions leave out; returns its Python."""
    shutil.rmtree(folder, ignore_errors=True)
    answer = subprocess.run(
        [maker.python, "-m", "venv", "--without-pip", str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=clean_environment(),
        check=False,
        **quiet(),
    )
    said = (answer.stdout + answer.stderr).decode("utf-8", "replace")
    sys.stderr.write(said)
    python = folder / places.BIN
    if answer.returncode == 0 and python.is_file():
        return python
    if "no space left" in said.lower():
        raise InstallError(piping.explain(said))
    if "No module named venv" in said:
        raise InstallError(
            f"{maker.python} cannot make environments: it has no venv module. Install it (on Debian: the package "
            "python3-venv), or choose a Python from python.org in the preferences."
        )
    raise InstallError(f"No environment could be made in {folder}: {piping.last_line(said)}")


def packages_folder(python: Path) -> Path:
    """Where an environment's Python looks for packages."""
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    answer = subprocess.run(command, capture_output=True, env=clean_environment(), check=False, **quiet())
    if answer.returncode:
        said = piping.last_line(answer.stderr.decode("utf-8", "replace"))
        raise InstallError(f"The environment in {python.parents[1]} does not run: {said}")
    return Path(answer.stdout.decode("utf-8", "replace").strip())


def pip_wheel(maker: Maker, here: places.Places) -> Path:
    """pip as a file: from the Python itself, or downloaded. Raises InstallError."""
    program = (
        "import glob, os, ensurepip; d = getattr(ensurepip, '_WHEEL_PKG_DIR', None);"
        "f = os.path.join(os.path.dirname(ensurepip.__file__), '_bundled');"
        "print('\\n'.join(p for x in (d, f) if x for p in glob.glob(os.path.join(x, 'pip-*.whl'))))"
    )
    answer = subprocess.run(
        [maker.python, "-c", program], capture_output=True, env=clean_environment(), check=False, **quiet()
    )
    found = [Path(line) for line in answer.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    return found[0] if found else piping.download_pip(here.downloads)


def requirements_file(wheels: Path, version: str) -> Path:
    """The packages that a folder has for a Python, each with its hash."""
    return wheels / f"python-{version}.txt"


def carried_versions(wheels: Path) -> list[str]:
    """The Pythons that a folder has packages for."""
    return [path.stem.removeprefix("python-") for path in wheels.glob("python-*.txt")]


def explain_os(error: OSError) -> str:
    """A complaint of the operating system's in plain words."""
    where = f" ({error.filename})" if error.filename else ""
    return piping.explain(f"{error.strerror or error}{where}")


if __name__ == "__main__":
    raise SystemExit(main())

"""The extension's zip: by the standard library alone, the same bytes each time, and what Blender wants it to be."""

import ast
import dataclasses
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.blender_addon.package_index import serve, wheel
from train.tools import build_extension, engine_wheels

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "train/tools/build_extension.py"
LARGE = re.compile(r"\.safetensors$|^help/")


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A small checkout of its own, with other dates, permissions and line endings than this one."""
    folder = tmp_path_factory.mktemp("clone") / "elsewhere"
    names = build_extension.listed(ROOT, "--cached")
    if names is None:
        pytest.skip("no checkout")
    for name in names:
        if (ROOT / name).is_file() and not name.startswith(("docs/images/demo", "tests/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for path in folder.rglob("*"):
        if path.suffix in (".py", ".toml", ".md") and path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
            path.chmod(0o755)
            os.utime(path, (1e9, 1e9))
    git = ["git", "-c", "core.autocrlf=false", "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], cwd=folder, check=True)
    subprocess.run([*git, "add", "--all"], cwd=folder, check=True)
    return folder


def start(*command: object, **more: str) -> subprocess.CompletedProcess:
    env = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return subprocess.run(list(map(str, command)), env=env | more, capture_output=True, text=True, cwd="/")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_but_the_standard_library():
    for name in ("build_extension.py", "engine_wheels.py", "help_pages.py", "markdown.py"):
        path = PROGRAM.with_name(name)
        nodes = list(ast.walk(ast.parse(path.read_text())))
        found = {name.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for name in node.names}
        found |= {str(node.module).split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
        assert found - {"train"} <= sys.stdlib_module_names


def test_two_builds_give_the_same_bytes(clone, tmp_path):
    """In a Python that sees no package, from another folder, with a strict umask and another time zone."""
    here = build_extension.build(tmp_path / "here")
    program = (
        f"umask 077; exec {sys.executable} -I -S {clone / 'train/tools/build_extension.py'} --out {tmp_path / 'there'}"
    )
    answer = start("sh", "-c", program, TZ="Asia/Tokyo", SOURCE_DATE_EPOCH="1")
    assert answer.returncode == 0, answer.stderr
    assert digest(here) == digest(tmp_path / "there" / here.name)


def test_what_git_does_not_track_stays_out(clone, tmp_path):
    (clone / "blender_addon/secret.py").write_text("")
    (clone / "notes.txt").write_text("")
    try:
        answer = start(sys.executable, clone / "train/tools/build_extension.py", "--out", tmp_path)
    finally:
        (clone / "blender_addon/secret.py").unlink()
        (clone / "notes.txt").unlink()
    assert "left out, because git does not track it: blender_addon/secret.py" in answer.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.zip"))) as archive:
        assert not {"blender_addon/secret.py", "notes.txt"} & {*archive.namelist()}


def test_what_is_in_it(tmp_path):
    path = build_extension.build(tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        source = sum(entry.compress_size for entry in archive.infolist() if not LARGE.search(entry.filename))
    assert names == sorted(names) and path.name == f"footlight-{manifest['version']}.zip"
    top = {name.split("/")[0] for name in names}
    assert top >= {"__init__.py", "blender_addon", "core", "LICENSE", "help", "pyproject.toml", "constraints.txt"}
    assert not top & {"train", "tests", "docs", "build", ".venv", ".git", "Makefile", "CONTRIBUTING.md"}
    assert source < 1_000_000, "besides the weights and the help the zip is small"


def test_without_git_the_patterns_decide(tmp_path):
    for name in ("a.py", ".venv/b.py", "build/c.py", "core/build/d.py", "core/__pycache__/e.pyc", "tests/f.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    patterns = tomllib.loads((ROOT / "blender_manifest.toml").read_text())["build"]["paths_exclude_pattern"]
    assert build_extension.files(tmp_path, patterns) == ["a.py", "core/build/d.py"]


def test_an_old_python_is_told_so():
    old = next((shutil.which(f"python3.{minor}") for minor in (10, 9) if shutil.which(f"python3.{minor}")), None)
    if old is None or start(old, "-c", "").returncode:
        pytest.skip("no Python before 3.11")
    answer = start(old, PROGRAM)
    assert answer.returncode and "Python 3.11 or newer; this is 3." in answer.stderr


def blenders() -> list[list[str]]:
    """Commands that run Blender's own validator."""
    found = []
    if (spec := importlib.util.find_spec("bpy")) and spec.origin:
        validators = Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
        found += [[sys.executable, str(path), "validate"] for path in validators]
    program = os.environ.get("FOOTLIGHT_BLENDER") or shutil.which("blender")
    return [*found, *([[program, "--command", "extension", "validate"]] if program else [])]


@pytest.mark.blender
@pytest.mark.parametrize("offline", [False, True])
def test_blenders_validator_takes_it(tmp_path, offline, fake):
    path = build_extension.build(tmp_path, fake, "linux-x64", ["3.11"]) if offline else build_extension.build(tmp_path)
    commands = blenders()
    assert commands, "no Blender to ask"
    for command in commands:
        answer = subprocess.run([*command, str(path)], capture_output=True, text=True)
        assert answer.returncode == 0 and "error" not in answer.stdout.lower(), answer.stdout + answer.stderr


@pytest.fixture
def fake(tmp_path, monkeypatch) -> Path:
    """A checkout whose engine needs two small packages, which an index on this computer has."""
    source, index = tmp_path / "source", tmp_path / "index"
    source.mkdir()
    index.mkdir()
    for name in ("__init__.py", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copy(ROOT / "blender_manifest.toml", source)
    (source / "pyproject.toml").write_text('[project]\ndependencies = ["torch>=2.6"]\n')
    pins = ["torch==2.13.0", 'Dancing==1.0; python_version < "3.13"', 'dancing==2.0; python_version >= "3.13"']
    pins += ["on_windows==3.0", "everywhere==4.0", "never==5.0"]
    (source / "constraints.txt").write_text("# pins\n" + "\n".join(pins) + "\n")
    for version in ("2.13.0", "2.13.0+cpu"):
        wheel(index, "torch", version=version, needs="dancing; python_version >= '3'")
    for version in ("1.0", "2.0"):
        needs = "on-windows>=1; sys_platform == 'win32'"
        wheel(index, "dancing", version=version, needs=needs)
    wheel(index, "on_windows", version="3.0", needs="everywhere")
    wheel(index, "everywhere", version="4.0", needs="never; extra == 'more'")
    with serve(index) as found:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", found.url)
        linux = engine_wheels.TARGETS["linux-x64"]
        monkeypatch.setitem(engine_wheels.TARGETS, "linux-x64", dataclasses.replace(linux, index=found.url))
        yield source


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("linux-x64", {"3.11": ["dancing==1.0", "torch==2.13.0+cpu"], "3.13": ["dancing==2.0", "torch==2.13.0+cpu"]}),
        (
            "windows-x64",
            {
                "3.11": ["dancing==1.0", "everywhere==4.0", "on_windows==3.0", "torch==2.13.0"],
                "3.13": ["dancing==2.0", "everywhere==4.0", "on_windows==3.0", "torch==2.13.0"],
            },
        ),
    ],
)
def test_a_zip_that_carries_the_engines_packages(fake, tmp_path, target, expected):
    """What another kind of computer needs, whatever this one is; each file once."""
    path = build_extension.build(tmp_path / "out", fake, target, ["3.11", "3.13"])
    assert path.name.endswith(f"-offline-{target}.zip")
    with zipfile.ZipFile(path) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        assert manifest["platforms"] == [target]
        wheels = [name for name in archive.namelist() if name.endswith(".whl")]
        assert len(wheels) == len(set(wheels)) == len({pin for pins in expected.values() for pin in pins})
        sums = dict(line.split("  ")[::-1] for line in archive.read("wheels/SHA256SUMS").decode().splitlines())
        assert {f"wheels/{name}" for name in sums} == {*wheels}
        for name in wheels:
            assert hashlib.sha256(archive.read(name)).hexdigest() == sums[name.removeprefix("wheels/")]
        for python, pins in expected.items():
            lines = archive.read(f"wheels/python-{python}.txt").decode().splitlines()
            assert [line.split(" --hash=sha256:")[0] for line in lines] == pins
            assert {line.split("sha256:")[1] for line in lines} <= {*sums.values()}
        licences = archive.read("wheels/LICENSES.txt").decode()
        assert "torch 2.13.0" in licences and "Do with torch as you like." in licences and "MIT" in licences
    again = build_extension.build(tmp_path / "again", fake, target, ["3.11", "3.13"])
    assert digest(path) == digest(again)


def test_a_package_that_is_not_to_be_had(fake, tmp_path):
    text = (fake / "constraints.txt").read_text()
    (fake / "constraints.txt").write_text(text.replace("2.13.0", "2.99.0"))
    with pytest.raises(engine_wheels.WheelsError, match=r"(?s)not to be had for Python 3\.11.*torch===2\.99\.0\+cpu"):
        build_extension.build(tmp_path, fake, "linux-x64", ["3.11"])
    (fake / "constraints.txt").write_text("")
    with pytest.raises(engine_wheels.WheelsError, match="names no version of torch"):
        build_extension.build(tmp_path, fake, "linux-x64", ["3.11"])


def test_everything_that_the_engine_needs_is_pinned():
    """For every Python of every kind of computer: what the real packages need, by name, is in the real file."""
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    for kind in engine_wheels.TARGETS.values():
        for python in kind.pythons:
            for need in needs:
                assert "==" in engine_wheels.pinned(engine_wheels.name_of(need), pins, kind, python)

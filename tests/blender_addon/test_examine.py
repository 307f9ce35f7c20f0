"""A Python that is chosen in the preferences, looked at."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blender_addon.engine import places
from blender_addon.engine.examine import examine
from tests.blender_addon.package_index import wheel
from tests.blender_addon.stand_ins import python_that_says, shell


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """A Python that has a package of our own and no PyTorch."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "python"], check=True)
    modules = next((folder / "python").glob("[Ll]ib*/**/site-packages"))
    for name, source in (("dancing", ""), ("stumbling", "raise OSError('libmissing.so: cannot open')")):
        subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel(folder, name, source), modules], check=True)
    return folder / "python" / places.BIN


def test_a_python_that_has_everything(bare):
    found = examine(bare, ["dancing>=1.0"])
    assert not found.problem and found.packages == {"dancing": "1.0"}
    assert found.python == ".".join(map(str, sys.version_info[:3]))


def test_this_python_has_everything():
    assert not examine(Path(sys.executable), ["torch>=2.6", "numpy>=1.26", "soundfile>=0.13"]).problem


@pytest.mark.parametrize(
    ("requirements", "words"),
    [
        (["torch>=2.6"], "This Python has no PyTorch. Install Engine, or choose another."),
        (["dancing", "soxr>=0.5"], "This Python has no soxr. Install Engine, or choose another."),
        (["dancing>=1.1"], "This Python has dancing 1.0; the engine needs dancing>=1.1."),
        (["stumbling>=1.0"], "stumbling does not start in this Python (OSError: libmissing.so: cannot open)."),
    ],
)
def test_a_python_that_lacks_something(bare, requirements, words):
    assert words in examine(bare, requirements).problem


@shell
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo Python was not found. Install it from the Microsoft Store; exit 1", "Microsoft Store's placeholder"),
        ("printf 'caf\\\\351 is no Python\\\\n'; exit 3", "is no Python"),
        ("exit 3", "ended with code 3"),
        ("exec sleep 60", "did not answer within 1 seconds"),
        ("""echo '{"python": [3, 6, 15], "packages": {}, "broken": {}}'""", "This is Python 3.6.15; the engine needs"),
    ],
)
def test_a_program_that_is_no_python_for_us(tmp_path, script, words):
    assert words in examine(Path(python_that_says(tmp_path, "chosen", script)), ["torch>=2.6"], seconds=1.0).problem


def test_what_is_no_program(tmp_path):
    assert "There is no Python at" in examine(tmp_path / "absent", []).problem
    assert "is a folder" in examine(tmp_path, []).problem
    (tmp_path / "text").write_text("not a program")
    problem = examine(tmp_path / "text", []).problem
    assert "cannot be run" in problem or os.name == "nt"

"""The engine's installer, run as Blender runs it, with a package made on the spot instead of the network."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import blender_addon.engine.install as installer

PROGRAM = Path(installer.__file__)


def wheel(folder: Path, name: str, source: str) -> None:
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")


def run(folder: Path, *packages: str):
    env = dict(os.environ, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(folder))
    answer = subprocess.run(
        [sys.executable, PROGRAM, folder / "engine", *packages], env=env, capture_output=True, text=True
    )
    return answer.returncode, [json.loads(line) for line in answer.stdout.splitlines()]


def test_an_environment_is_made_whole_or_not_at_all(tmp_path):
    wheel(tmp_path, "dancing", "STEPS = 8\n")
    wheel(tmp_path, "stumbling", "raise OSError('libmissing.so: cannot open')\n")
    mark = tmp_path / "engine" / installer.COMPLETE

    code, events = run(tmp_path, "dancing>=1.0")
    assert code == 0 and events[-1]["type"] == "done"
    fractions = [event["fraction"] for event in events if event["type"] == "progress"]
    assert fractions == sorted(fractions) and fractions[-1] < 1
    assert {"Making an environment", "Unpacking the packages", "Checking the engine"} <= {
        event.get("stage") for event in events
    }
    python = tmp_path / "engine" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    steps = subprocess.run([python, "-c", "import dancing; print(dancing.STEPS)"], capture_output=True, text=True)
    assert steps.stdout.strip() == "8" and json.loads(mark.read_text())["packages"] == ["dancing>=1.0"]

    code, events = run(tmp_path, "absent-package>=2.0")
    assert code == 1 and events[-1]["type"] == "error"
    assert "There is no absent-package>=2.0 for Python" in events[-1]["message"]
    assert not mark.exists(), "what an earlier installation left does not pass for this one"

    code, events = run(tmp_path, "stumbling")
    assert code == 1 and "do not start: OSError: libmissing.so" in events[-1]["message"]
    assert not mark.exists()


def test_pips_complaints_in_plain_words():
    words = {
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": "disk is full",
        "WARNING: Retrying after connection broken by 'NewConnectionError: Failed to establish a new connection'": (
            "internet connection"
        ),
        "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'": "cannot be written",
        "error: something new\n\n": "pip could not install the engine: error: something new",
    }
    for said, meant in words.items():
        assert meant in installer.explain(said)

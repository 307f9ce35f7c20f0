"""The engine's installer, run as Blender runs it, with a package made on the spot instead of the network."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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


def test_an_environment_is_made(tmp_path):
    wheel(tmp_path, "dancing", "STEPS = 8\n")
    folder = tmp_path / "engine"
    env = dict(os.environ, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    answer = subprocess.run([sys.executable, PROGRAM, folder, "dancing>=1.0"], env=env, capture_output=True, text=True)
    events = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == 0 and events[-1]["type"] == "done"
    fractions = [event["fraction"] for event in events[:-1]]
    assert fractions == sorted(fractions) and fractions[-1] < 1
    stages = {event["stage"] for event in events[:-1]}
    assert stages == {"Making an environment", "Unpacking the packages", "Checking the engine"}
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    steps = subprocess.run([python, "-c", "import dancing; print(dancing.STEPS)"], capture_output=True, text=True)
    assert steps.stdout.strip() == "8"
    assert json.loads((folder / installer.COMPLETE).read_text())["packages"] == ["dancing>=1.0"]


def test_a_place_that_cannot_be_written_is_an_error_event(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert installer.main(str(tmp_path / "file" / "engine"), "dancing") == 1
    event = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert event["type"] == "failed" and "cannot be made" in event["message"]


def python_that_says(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 3.9", "3.11 or newer; .*chosen is Python 3.9"),
        ("exit 1", "chosen does not run"),
        ('[ "$1" = -c ] && echo 3.13 && exit; echo "No module named ensurepip"; exit 1', "python3-venv"),
        ('[ "$1" = -c ] && echo 3.13 && exit; echo "[Errno 28] No space left on device"; exit 1', "disk is full"),
    ],
)
def test_a_python_that_cannot_do_it(tmp_path, monkeypatch, script, words):
    monkeypatch.setattr(sys, "executable", str(python_that_says(tmp_path, "chosen", script)))
    monkeypatch.setenv("PATH", "/bin-of-nobody")
    with pytest.raises(installer.InstallError, match=words):
        installer.make_environment(tmp_path / "engine")
    assert not (tmp_path / "engine").exists()


@pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")
def test_another_python_is_found_where_blenders_own_is_too_old_or_not_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(python_that_says(tmp_path, "chosen", "echo 3.9")))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3.13").symlink_to(
        python_that_says(tmp_path, "broken", '[ "$1" = -c ] && echo 3.13 && exit; exit 1')
    )
    python_that_says(tmp_path / "bin", "python3.12", f'exec "{Path(sys.prefix) / "bin" / "python"}" "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/bin")
    python = installer.make_environment(tmp_path / "engine")
    assert subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


def test_a_full_disk_is_told_before_anything_is_downloaded(tmp_path, monkeypatch):
    usage = installer.shutil.disk_usage(tmp_path)._replace(free=500_000_000)
    monkeypatch.setattr(installer.shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(installer.InstallError, match=r"Only 0\.5 GB are free .* needs 2 GB"):
        installer.make_environment(tmp_path / "engine")


def test_a_package_that_is_not_to_be_had(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(installer.InstallError, match="There is no absent-package>=2"):
        installer.pip(Path(sys.executable), ["absent-package>=2.0"])


def test_a_package_that_does_not_start(tmp_path, monkeypatch):
    (tmp_path / "stumbling.py").write_text("raise OSError('libmissing.so: cannot open')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(installer.InstallError, match=r"do not start: OSError: libmissing\.so"):
        installer.check(Path(sys.executable), ["stumbling>=1.0"])


def test_pips_complaints_in_plain_words():
    words = {
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": "disk is full",
        "WARNING: Retrying after connection broken by 'NewConnectionError: Failed to establish a new connection'": (
            "internet connection"
        ),
        (
            "WARNING: Retrying after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: "
            "CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain"
        ): "PIP_CERT",
        "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'": "cannot be written",
        "error: something new\n\n": "pip could not install the engine: error: something new",
    }
    for said, meant in words.items():
        assert meant in installer.explain(said)

"""What pip says, turned into bytes and plain words."""

import json
from pathlib import Path

import pytest

from blender_addon.engine import piping
from blender_addon.engine.sizes import Cost
from blender_addon.engine.telling import InstallError, Telling
from tests.blender_addon.stand_ins import python_that_says, shell

WHEEL = "py3-none-any.whl"


@shell
def test_bytes_of_one_file_after_another(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(piping, "TICK", 0.02)
    lines = (
        f"Downloading http://here/one-1.0-{WHEEL}.metadata (7.0 MB)",
        f"Downloading http://here/one-1.0-{WHEEL} (30.0 MB)",
        f"  Downloading two-1.0-{WHEEL} (500.0 kB)",
        f"Using cached three-1.0-{WHEEL} (20.0 MB)",
        f"Downloading four-1.0-{WHEEL} (9.0 MB)",
    )
    pip(tmp_path, *(f"echo '{line}'; sleep 0.4" for line in lines)).download(["one"])
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["stage"] for event in events] == [
        "Contacting the server (try 1 of 5)",
        "Downloading 0 of 100 MB (one)",
        "Downloading 30 of 100 MB (two)",
        "Downloading 50 of 100 MB (three)",
        "Downloading 50 of 100 MB (four)",
    ]


@shell
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ERROR: No matching distribution found for torch", piping.Absent),
        ("Could not fetch URL x: timed out. No matching distribution found for torch", piping.Unreachable),
        ("Connection broken: OSError: [Errno 28] No space left on device", InstallError),
        ("something new", InstallError),
    ],
)
def test_a_failure_has_a_kind(tmp_path, said, kind):
    with pytest.raises(InstallError) as failure:
        pip(tmp_path, f"echo '{said}'; exit 1").download(["torch"])
    assert failure.type is kind


def pip(folder: Path, *script: str) -> piping.Pip:
    """One that says and does what a shell does."""
    python = python_that_says(folder, "python", "\n".join(script))
    return piping.Pip(Path(python), folder, folder / "downloads", Telling(Cost(100_000_000, 300_000_000)))


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
        "HINT: This error might have occurred since this system does not have Windows Long Path support enabled.": (
            "longer than Windows allows"
        ),
        "ERROR: torch-2.13.0-cp311-cp311-win_amd64.whl is not a valid wheel: File is not a zip file": "damaged",
        "error: something new\n\n": "The engine could not be installed: error: something new",
    }
    for said, meant in words.items():
        assert meant in piping.explain(said)

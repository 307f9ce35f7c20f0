"""The engine's installer, run as Blender runs it: real environments and the real pip, with a package index on this
computer that misbehaves as networks do."""

import ensurepip
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import blender_addon.engine.install as installer
from blender_addon.engine import makers, piping, places, requirements, sizes, unpacking
from blender_addon.engine.telling import InstallError, Telling
from tests.blender_addon.package_index import digest, serve, wheel
from tests.blender_addon.stand_ins import python_that_says, shell

ROOT = Path(__file__).parents[2]


@pytest.fixture
def packages(tmp_path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    wheel(folder, "dancing", "STEPS = 8\n")
    return folder


@pytest.fixture
def index(packages):
    with serve(packages) as index:
        yield index


@pytest.fixture
def here(tmp_path) -> places.Places:
    return places.Places(tmp_path / "user")


@pytest.fixture
def start(here, index):
    """Start the installer as the add-on does. more: further environment."""

    def start(*arguments: object, **more: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "blender_addon.engine.install", here.folder, *arguments]
        own = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        own["PIP_TRUSTED_HOST"] = "127.0.0.1"  # or pip would keep nothing that comes by plain HTTP
        env = own | {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url, "FOOTLIGHT_CPU_WHEELS": index.url}
        return subprocess.Popen(
            list(map(str, command)),
            cwd=ROOT,
            env=env | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


@pytest.fixture
def install(start):
    """Run it to its end; returns its events."""

    def install(*arguments: object, **more: str) -> list[dict]:
        process = start(*arguments, **more)
        output, errors = process.communicate(timeout=120)
        events = [json.loads(line) for line in output.splitlines()]
        assert events and (process.returncode == 0) == (events[-1]["type"] == "done"), errors
        return events

    return install


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """An engine that was installed once, of version 1.0 of a package."""
    folder = tmp_path_factory.mktemp("made")
    own = wheel(folder, "dancing", "STEPS = 8\n")
    env = dict(os.environ, PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(own.parent))
    command = [sys.executable, "-m", "blender_addon.engine.install", folder, "dancing"]
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True)
    return folder / "engine"


@pytest.fixture
def installed(here, made) -> places.Places:
    """An engine that works. It was moved here, as with the user's folder, and works nonetheless."""
    shutil.copytree(made, here.engine, symlinks=True)
    assert says(here, "import dancing; print(dancing.STEPS)") == "8"
    return here


def says(here: places.Places, program: str) -> str:
    """What a program prints in the installed engine."""
    answer = subprocess.run([here.engine / places.BIN, "-c", program], capture_output=True, text=True)
    return answer.stdout.strip() or answer.stderr


def test_an_environment_is_made(install, here, index):
    events = install("--addon", "1.2.3", "dancing>=1.0")
    fractions = [event["fraction"] for event in events[:-1]]
    assert fractions == sorted(fractions) and fractions[-1] < 1
    stages = [event["stage"] for event in events[:-1]]
    assert stages[0] == "Preparing" and stages[-1] == "Trying the engine"
    assert "Contacting the server (try 1 of 5)" in stages
    assert says(here, "import dancing; print(dancing.STEPS)") == "8"
    record = places.read_record(here.engine)
    assert record.packages == {"dancing": "1.0"} and record.addon == "1.2.3"
    assert record.size == pytest.approx(places.size_on_disk(here.engine), rel=0.01)
    assert record.python == ".".join(map(str, sys.version_info[:3]))
    assert sorted(path.name for path in here.folder.iterdir()) == ["engine", "engine.lock"]


def test_a_new_engine_takes_the_place_of_the_old_one(install, installed, here, packages):
    wheel(packages, "dancing", "STEPS = 9\n", "2.0")
    assert install("dancing")[-1]["type"] == "done"
    assert says(here, "import dancing; print(dancing.STEPS)") == "9"
    assert not here.old.exists() and not here.new.exists()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 404}, "There is no dancing"),
        ({"status": 503}, "could not be downloaded|There is no dancing"),
        ({"cut": 0.5}, "damaged on its way|could not be downloaded"),
    ],
)
def test_what_fails_leaves_the_engine_that_worked(install, installed, here, packages, index, fault, words):
    wheel(packages, "dancing", "STEPS = 9\n", "2.0", ballast=200_000)
    for name, value in fault.items():
        setattr(index, name, value)
    failed = install("dancing>=2")[-1]
    assert failed["type"] == "failed" and failed["kind"] == "install"
    assert re.search(words, failed["message"]), failed
    assert says(here, "import dancing; print(dancing.STEPS)") == "8"
    places.tidy(here)
    assert not here.new.exists() and not here.downloads.exists() and not places.unfinished(here)


@pytest.fixture
def carried(packages, tmp_path) -> Path:
    """A folder of packages as the extension's zip carries it, for this Python."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    own = wheel(folder, "singing", "import dancing\n"), wheel(folder, "dancing", "STEPS = 10\n")
    wheel(folder, "another", "not for this Python")
    lines = [f"{path.name.split('-')[0]}==1.0 --hash=sha256:{digest(path)}\n" for path in own]
    (folder / "python-{}.{}.txt".format(*sys.version_info)).write_text("".join(lines))
    return folder


NOWHERE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "http_proxy": "http://127.0.0.1:9"}


def test_an_engine_that_the_extension_carries(install, here, carried):
    events = install("singing", "--wheels", carried, **NOWHERE)
    assert not [event for event in events if "server" in event.get("stage", "")]
    assert says(here, "import singing; print(singing.dancing.STEPS)") == "10"
    assert places.read_record(here.engine).packages == {"singing": "1.0"}
    assert "No module named" in says(here, "import another")


def test_a_carried_package_that_is_damaged(install, installed, here, carried):
    path = carried / "dancing-1.0-py3-none-any.whl"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    failed = install("singing", "--wheels", carried, **NOWHERE)[-1]
    assert "dancing in the extension is damaged" in failed["message"]
    assert says(here, "import dancing; print(dancing.STEPS)") == "8"


def test_a_python_for_which_nothing_is_carried(tmp_path, carried, monkeypatch):
    (carried / "python-{}.{}.txt".format(*sys.version_info)).rename(carried / "python-3.99.txt")
    monkeypatch.setenv("PATH", "/bin-of-nobody")
    with pytest.raises(installer.InstallError, match=r"carries the engine for Python 3\.99; .* is Python 3"):
        makers.find(wheels=carried)


def test_a_wheel_that_wants_to_write_elsewhere(tmp_path):
    path = tmp_path / "bad-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../outside.py", "")
    with pytest.raises(InstallError, match="damaged"):
        unpacking.unpack([path], tmp_path / "inside", Telling(sizes.cost()))
    assert not (tmp_path / "outside.py").exists()


def test_wheels_are_unpacked_as_pip_does(tmp_path):
    """But for programs, manual pages and headers."""
    path = tmp_path / "both-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("both/a.py", "both-1.0.data/purelib/both/b.py", "both-1.0.data/scripts/both", "torch/include/a.h"):
            archive.writestr(name, name)
        program = zipfile.ZipInfo("both/bin/run")
        program.external_attr = 0o755 << 16
        archive.writestr(program, "")
    folder = tmp_path / "site"
    unpacking.unpack([path], folder, Telling(sizes.cost()))
    found = sorted(item.relative_to(folder).as_posix() for item in folder.rglob("*") if item.is_file())
    assert found == ["both/a.py", "both/b.py", "both/bin/run"]
    assert os.name == "nt" or os.access(folder / "both/bin/run", os.X_OK)


def test_a_package_that_does_not_start_leaves_the_engine_that_worked(install, installed, here, packages):
    wheel(packages, "dancing", "raise OSError('libmissing.so: cannot open')", "2.0")
    failed = install("dancing")[-1]
    assert "does not start" in failed["message"] and "libmissing.so" in failed["message"]
    assert says(here, "import dancing; print(dancing.STEPS)") == "8"


@shell
def test_a_broken_off_installation_is_found_and_finished(install, start, here, packages, index):
    """What is there already is not downloaded again."""
    wheel(packages, "music", ballast=1_000_000)
    wheel(packages, "slow", ballast=1_000_000)
    index.slow, index.speed = "slow", 20_000
    process = start("music", "slow")
    while "slow-1.0-py3-none-any.whl" not in index.asked:
        time.sleep(0.05)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert places.unfinished(here) and places.read_record(here.engine) is None
    places.tidy(here)
    assert places.unfinished(here), "what was downloaded stays"
    index.asked.clear()
    index.speed = 0.0
    assert install("music", "slow")[-1]["type"] == "done"
    assert index.asked == ["slow-1.0-py3-none-any.whl"]
    assert not places.unfinished(here)


def test_bytes_and_tries_are_told(install, packages, index):
    wheel(packages, "music", ballast=2_000_000)
    index.speed = 700_000
    events = install("music")
    told = [re.fullmatch(r"Downloading (\d+) of (\d+) MB \(music\)", event.get("stage", "")) for event in events]
    done = [int(found[1]) for found in told if found]
    assert len(done) > 1 and done == sorted(done) and done[-1] in (1, 2)


def test_a_server_that_is_not_there_is_tried_again(install, here):
    """On Linux PyTorch comes from a server of its own, and where that is not reached nothing larger is taken."""
    nobody = "http://127.0.0.1:9/simple"
    events = install("dancing", PIP_INDEX_URL=nobody)
    stages = [event["stage"] for event in events[:-1]]
    assert [stage for stage in stages if stage.startswith("Contacting")] == [
        f"Contacting the server (try {i} of 5)" for i in range(1, 6)
    ]
    assert "internet connection" in events[-1]["message"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the ordinary PyTorch is the small one")
def test_the_large_build_is_taken_when_it_is_asked_for(install, here, packages):
    wheel(packages, "torch", "KIND = 'large'\n", "2.13.0")
    assert install("torch>=2.6", "--large", "--tested", "torch==2.13.0")[-1]["type"] == "done"
    assert says(here, "import torch; print(torch.KIND)") == "large"


def test_nothing_large_is_taken_unasked(install, here, packages, index):
    wheel(packages, "torch", "KIND = 'large'\n", "2.13.0")
    failed = install("torch>=2.6", "--tested", "torch==2.13.0")[-1]
    assert failed["kind"] == "no-small-build" and "large build" in failed["message"]
    failed = install("torch>=2.6", "--tested", "torch==2.13.0", FOOTLIGHT_CPU_WHEELS="http://127.0.0.1:9/simple")[-1]
    assert failed["kind"] == "no-small-build" and "cannot be reached" in failed["message"]
    assert not here.engine.exists() and index.asked in ([], ["torch-2.13.0-py3-none-any.whl"])
    wheel(packages, "torch", "KIND = 'later'\n", "2.14.0+cpu")
    assert install("torch>=2.14", "--tested", "torch==2.13.9")[-1]["type"] == "done", "not the one that was tested"
    assert says(here, "import torch; print(torch.KIND)") == "later"


def test_a_certificate_that_nobody_trusts(install, packages, tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("makes a certificate with openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serve(packages, context) as index:
        assert "PIP_CERT" in install("dancing", PIP_INDEX_URL=index.url, PIP_TRUSTED_HOST="")[-1]["message"]


def test_two_do_not_install_at_once(install, here):
    with places.alone(here) as alone:
        assert alone
        failed = install("dancing")[-1]
    assert "Another Blender" in failed["message"] and not here.engine.exists()


def test_a_place_that_cannot_be_written_is_an_error_event(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert installer.main([str(tmp_path / "file" / "engine"), "dancing"]) == 1
    event = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert event["type"] == "failed" and "cannot be" in event["message"]


def engine(folder: Path, name: str) -> None:
    """A folder that says of itself that it is a whole engine."""
    folder.mkdir(parents=True)
    places.write_record(folder, places.Record(addon=name))


@pytest.mark.parametrize(
    ("whole", "halves", "kept"),
    [
        (["engine"], [], "engine"),
        (["engine", "engine.old"], [], "engine"),  # before the old one was deleted
        (["engine.new", "engine.old"], [], "engine.new"),  # between the two renamings
        (["engine.old"], ["engine.new"], "engine.old"),
        (["engine.old"], ["engine"], "engine.old"),
        (["engine.new"], ["engine"], "engine.new"),  # an engine of an earlier version, half made
        (["engine"], ["engine.new"], "engine"),
    ],
)
def test_an_exchange_that_was_broken_off_is_finished(here, whole, halves, kept):
    for name in whole:
        engine(here.folder / name, name)
    for name in halves:
        (here.folder / name).mkdir(parents=True)
    places.tidy(here)
    assert places.read_record(here.engine).addon == kept
    assert not here.new.exists() and not here.old.exists() and not places.unfinished(here)


def test_an_exchange_that_fails_is_taken_back(here, monkeypatch):
    engine(here.engine, "old")
    engine(here.new, "new")
    move = places._move

    def stuck(source, target):
        if source == here.new:
            raise PermissionError(13, "used by another process", str(source))
        move(source, target)

    monkeypatch.setattr(places, "_move", stuck)
    with pytest.raises(PermissionError):
        places.swap(here)
    assert places.read_record(here.engine).addon == "old"


def test_everything_is_removed(installed, here):
    here.new.mkdir()
    places.remove(here)
    assert not list(here.folder.iterdir()) and not places.unfinished(here)


@shell
@pytest.mark.parametrize(
    ("script", "words"), [("echo 3.9", "3.11 or newer; .*chosen is Python 3.9"), ("exit 1", "chosen does not run")]
)
def test_a_python_that_cannot_do_it(tmp_path, monkeypatch, script, words):
    monkeypatch.setattr(sys, "executable", python_that_says(tmp_path, "chosen", script))
    monkeypatch.setenv("PATH", "/bin-of-nobody")
    with pytest.raises(installer.InstallError, match=words):
        makers.find()


@shell
def test_another_python_is_found_where_blenders_own_is_too_old(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", python_that_says(tmp_path, "chosen", "echo 3.9"))
    store = tmp_path / "WindowsApps"
    python_that_says(store, "python3.13", "echo 3.13")
    good = python_that_says(tmp_path / "bin", "python3.12", "echo 3.12")
    monkeypatch.setenv("PATH", os.pathsep.join([str(store), str(tmp_path / "bin"), "/bin"]))
    assert makers.find() == makers.Maker(good, "3.12")


@shell
def test_a_python_without_pip_gets_it_from_the_index(tmp_path, monkeypatch, packages, index, here):
    """As some Linux distributions have it."""
    own = max((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    shutil.copy(own, packages)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    found = piping.pip_wheel(python_that_says(tmp_path, "bare", "exit 1"), here.downloads)
    assert found.parent == here.downloads and digest(found) == digest(own)


@shell
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo No module named venv; exit 1", "python3-venv"),
        ("echo '[Errno 28] No space left on device'; exit 1", "disk is full"),
    ],
)
def test_an_environment_that_cannot_be_made(tmp_path, script, words):
    maker = makers.Maker(python_that_says(tmp_path, "chosen", script), "3.13")
    with pytest.raises(installer.InstallError, match=words):
        makers.make_environment(tmp_path / "engine.new", maker)


def test_a_full_disk_is_told_before_anything_is_downloaded(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=500_000_000)
    monkeypatch.setattr(installer.shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(installer.InstallError, match=r"Only 500 MB are free .* needs \d\.\d GB"):
        installer.check_space(installer.Order(tmp_path, ("dancing",)))


def test_progress_never_goes_back(capsys):
    told = Telling(sizes.Cost(100_000_000, 300_000_000))
    told.downloading(50e6, 80e6, "torch")
    told.downloading(60e6, 150e6, "torch")
    told.stage("Contacting the server (try 2 of 5)")
    told.installing(10e6, 300e6)
    told.installing(300e6, 300e6)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["stage"] for event in events] == [
        "Downloading 50 of 100 MB (torch)",
        "Downloading 60 of 150 MB (torch)",
        "Contacting the server (try 2 of 5)",
        "Installing 10 of 300 MB",
        "Installing 300 of 300 MB",
    ]
    fractions = [event["fraction"] for event in events]
    assert fractions == sorted(fractions) and fractions[-1] < 0.96


@pytest.mark.parametrize(
    ("versions", "unmet"),
    [
        ({"torch": "2.13.0+cpu", "mido": "1.3"}, []),
        ({"torch": "2.5.1", "mido": "1.3.3"}, ["torch>=2.6"]),
        ({"torch": "2.10", "mido": "1.3.3"}, []),
        ({"torch": "2.10"}, ["mido>=1.3"]),
    ],
)
def test_which_packages_are_too_old(versions, unmet):
    assert requirements.unmet(versions, ["torch>=2.6", "mido>=1.3"]) == unmet

"""What the add-on knows of its engine, and what its buttons do about it."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import bpy
from scenes import MODULE, addon

environment, readiness, report = addon("environment"), addon("readiness"), addon("report")
session, settings = addon("session"), addon("operators.settings")
places, errors = addon("engine.places"), addon("errors")
Kind = readiness.Kind
NEW = {
    "torch": "99",
    "numpy": "99",
    "safetensors": "99",
    "soundfile": "99",
    "soxr": "99",
    "tqdm": "99",
    "mido": "99",
    "pillow": "99",
}


def now():
    readiness.forget()
    return readiness.now()


@contextmanager
def installed(packages=NEW, python=True):
    """As if *Install Engine* had made an engine."""
    here = environment.engine_places()
    program = here.engine / places.BIN
    program.parent.mkdir(parents=True)
    places.write_record(here.engine, places.Record("3.13.1", packages, 774_000_000, "0.0.9"))
    if python:
        program.write_text("")
    try:
        yield program
    finally:
        places.remove(here)
        readiness.forget()


def check_nothing_is_installed():
    assert now().kind is Kind.MISSING and not now().usable
    assert settings.lacking(bpy.context, "footlight.generate_dance").short == "Install the engine first"


def check_an_engine_is_ready():
    with installed() as program:
        ready = now()
        assert ready.kind is Kind.READY and ready.usable and ready.python == program == environment.find_python()
        assert ready.torch == "99" and ready.size == 774_000_000
        assert environment.engine_command()[0] == str(program)


def check_an_update_of_the_add_on_needs_other_packages():
    with installed(NEW | {"torch": "1.0"}):
        assert now().kind is Kind.OUTDATED and "torch>=" in now().text and not now().usable
        assert settings.lacking(bpy.context, "footlight.generate_dance").short == "Update the engine first"


def check_blender_was_moved_and_the_python_is_gone():
    with installed(python=False):
        assert now().kind is Kind.BROKEN and "Use Reinstall" in now().text
        try:
            environment.engine_command()
        except errors.UserError as error:
            assert "Use Reinstall" in str(error)
        else:
            raise AssertionError("no error")


def check_an_installation_was_broken_off():
    here = environment.engine_places()
    here.new.mkdir()
    assert now().kind is Kind.UNFINISHED and "goes on" in now().text
    assert bpy.ops.footlight.remove_engine() == {"FINISHED"}
    assert now().kind is Kind.MISSING and not here.new.exists()


def check_the_engine_is_removed():
    with installed():
        assert bpy.ops.footlight.remove_engine() == {"FINISHED"}
        assert now().kind is Kind.MISSING and not environment.engine_places().engine.exists()


def check_a_chosen_python_that_is_not_there():
    preferences = bpy.context.preferences.addons[MODULE].preferences
    with installed() as program:
        preferences.python = str(Path(os.sep) / "nowhere" / "python3")
        try:
            assert now().kind is Kind.BROKEN and "There is no Python at" in now().text
            lack = settings.lacking(bpy.context, "footlight.generate_dance")
            assert lack.short == "The engine does not run" and "There is no Python at" in lack.long
            assert bpy.ops.footlight.use_installed_engine() == {"FINISHED"}
            assert not preferences.python and now().python == program
        finally:
            preferences.python = ""


def check_an_engine_that_lacks_a_package_says_so():
    """Of a Python that nobody looked at, as without a window."""
    job = addon("engine.job")
    client = addon("engine.client")
    lines = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')"
    engine = client.Engine([sys.executable, "-c", lines], environment.ROOT, environment.log_file("engine"))
    asked = job.Job(engine, None)
    while not asked.poll().ended:
        pass
    assert asked.error == (
        "The engine's Python has no PyTorch. Install Engine, or choose another in the preferences."
    ), asked.error
    engine.stop()


def check_the_network_is_asked_for_first():
    bpy.context.preferences.system.use_online_access = False
    try:
        bpy.ops.footlight.install_engine()
    except RuntimeError as error:
        assert "Allow Online Access" in str(error)
    else:
        raise AssertionError("no error")
    assert not session.busy() and now().kind is Kind.MISSING


def check_one_click_goes_online_and_installs():
    """What is installed then is another check's; here the installation is told to stop as it starts."""
    bpy.context.preferences.system.use_online_access = False
    starts, errors = session.start_install, addon("errors")
    online = []

    def start(*_args, **_options):
        online.append(bpy.app.online_access)
        raise errors.UserError("stopped as it started")

    session.start_install = start
    try:
        bpy.ops.footlight.install_engine(go_online=True)
    except RuntimeError as error:
        assert "stopped as it started" in str(error), error
    finally:
        session.start_install = starts
        bpy.context.preferences.system.use_online_access = False
    assert online == [True]


def check_a_report_says_what_is_needed_and_no_name():
    log = environment.log_file("install")
    log.write_text(f"pip said\nat {Path.home()}/Blender\nhttps://user:secret@proxy/simple\nlast line\n")
    with installed():
        text = report.text()
    assert f"Footlight {environment.version()}" in text and bpy.app.version_string in text
    assert "torch 99" in text and "774 MB" in text and "last line" in text
    assert "secret" not in text and f"{Path.home()}/Blender" not in text and "~/Blender" in text
    assert report.latest_log() == log


def check_no_python_of_the_add_on_is_on_blenders_path():
    with installed():
        now()
        assert not [path for path in sys.path if str(environment.user_folder()) in path or "wheels" in path]


def check_a_power_cut_in_the_exchange():
    """The old engine is whole, the new one half in its place: Blender is started again."""
    with installed():
        here = environment.engine_places()
        here.engine.rename(here.old)
        here.new.mkdir()
        readiness.look_at_start(done=lambda: None)
        assert now().kind is Kind.READY and not here.new.exists() and not here.old.exists()


class Drawn:
    """A layout that keeps what is drawn into it, as rows: those of a box, in which a row is one."""

    def __init__(self):
        self.rows, self.scale_y, self.alert = [], 1.0, False

    def label(self, text="", **_options):
        self.rows.append(("label", text))

    def operator(self, name, text="", **_options):
        self.rows.append(("operator", name, text))
        return Options()

    def progress(self, text="", **_options):
        self.rows.append(("progress", text))

    def box(self, **_options):
        self.rows.append(Drawn())
        return self.rows[-1]

    row = column = split = box


class Options:
    """An operator's properties."""


def drawn(full=False):
    layout = Drawn()
    addon("panels.engine").draw(layout, bpy.context, full=full)
    return layout.rows


def words(rows) -> list[str]:
    return [word for row in rows for word in (words(row.rows) if isinstance(row, Drawn) else [" ".join(row[1:])])]


def check_a_double_click_on_install_engine_does_not_cancel():
    """Where the button was there is a bar, and *Cancel* is in another row, at its right."""
    bpy.context.preferences.system.use_online_access = True
    readiness.forget()
    before = drawn()[0].rows
    state, job = session.state, addon("engine.job")
    state.job = job.Job(None, None)
    try:
        during = drawn()[0].rows
    finally:
        state.job = None
    place = next(i for i, row in enumerate(before) if isinstance(row, Drawn) and "install_engine" in words([row])[0])
    assert before[place].scale_y == during[place].scale_y and during[place].rows[0][0] == "progress"
    assert [row[0] for row in before[:place]] == [row[0] for row in during[:place]] == ["label"] * place
    assert [row[:2] for row in during[-1].rows[1:]] == [("operator", "footlight.cancel")]


def check_what_is_drawn_of_the_engine():
    bpy.context.preferences.system.use_online_access = True
    readiness.forget()
    told = words(drawn())
    assert "Download" in told[1] and "disk" in told[1] and told[2] == "footlight.install_engine Install Engine"
    with installed():
        readiness.forget()
        assert not drawn(), "the panel is quiet when all is well"
        told = words(drawn(full=True))
        assert "The engine is ready" in told and "PyTorch 99, 774 MB on the disk" in told
        assert {"footlight.reinstall_engine ", "footlight.remove_engine ", "footlight.copy_report "} <= {*told}
    with installed(python=False):
        readiness.forget()
        assert "footlight.install_engine Reinstall" in words(drawn())
    with installed(NEW | {"torch": "1.0"}):
        readiness.forget()
        assert "footlight.install_engine Update Engine" in words(drawn())
    bpy.context.preferences.system.use_online_access = False
    readiness.forget()
    told = words(drawn())
    assert "footlight.install_engine Go Online and Install" in told and "Download" in told[1], told


def check_the_large_build_is_offered_only_where_the_small_one_was_not_reached():
    bpy.context.preferences.system.use_online_access = True
    readiness.installation_ended("no-small-build", done=lambda: None)
    assert "footlight.install_engine Install Large Build" in words(drawn())
    readiness.installation_ended("", done=lambda: None)
    assert "Large" not in " ".join(words(drawn()))

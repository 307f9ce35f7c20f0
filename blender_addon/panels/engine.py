"""What is shown of the engine: in the side panel only while something is to be done, in the preferences always."""

from __future__ import annotations

import bpy

from .. import environment, names, readiness, report, session
from ..engine import places, sizes
from ..engine.job import Job
from ..readiness import Kind, Readiness
from .wrapping import wrapped

DEVICES = {"cpu": "the processor", "cuda": "the graphics card", "mps": "the graphics card"}


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, *, full: bool = False) -> None:
    """What the engine lacks and the button that cures it, or how far its installation is; nothing when all is well.

    full: as in the preferences: also what is there, where, and what can be done with it.
    """
    if installing():
        _installing(layout.box(), context)
        return
    ready = readiness.now()
    if ready.kind is Kind.READY and not full:
        return
    box = layout.box()
    match ready.kind:
        case Kind.MISSING:
            box.label(text="The engine is not installed yet", icon="INFO")
            _install(box, context)
        case Kind.UNFINISHED:
            wrapped(box, context, ready.text, "INFO")
            _install(box, context)
        case Kind.LOOKING:
            wrapped(box, context, ready.text, "SORTTIME")
        case Kind.BROKEN | Kind.OUTDATED:
            warning = box.column()
            warning.alert = True
            wrapped(warning, context, ready.text, "ERROR")
            _cure(box, context, ready)
        case Kind.READY:
            _ready(box, context, ready)
    if full:
        _further(box, ready)


def installing() -> bool:
    """Whether the engine is being installed at this moment."""
    job = session.state.job
    return isinstance(job, Job) and job.request is None


def _install(box: bpy.types.UILayout, context: bpy.types.Context, text: str = "Install Engine") -> None:
    """What it costs, and the button. Its third row is where the progress bar will be."""
    if environment.carries_engine():
        box.label(text=f"{sizes.text(sizes.cost().disk)} on the disk", icon="DISK_DRIVE")
        _button(box, f"{text} (no network needed)")
        return
    if bpy.app.online_access_override and not bpy.app.online_access:
        said = "Blender was started with --offline-mode. Start it without that, or use Footlight's offline zip."
        wrapped(box, context, said, "INTERNET_OFFLINE")
        return
    box.label(text=_costs(False), icon="DISK_DRIVE")
    if not bpy.app.online_access:
        said = "Blender is set to stay offline. This allows online access, for other extensions too, and installs."
        wrapped(box, context, said, "INTERNET_OFFLINE")
        _button(box, "Go Online and Install").go_online = True
        return
    _button(box, text)
    if readiness.small_build_unreachable():
        wrapped(box, context, f"Or take the large build from PyPI, which is made for NVIDIA cards. {_costs(True)}.")
        box.operator(names.INSTALL_ENGINE, text="Install Large Build", icon="IMPORT").large = True


def _costs(large: bool) -> str:
    cost = sizes.cost(large)
    return f"Download {sizes.text(cost.download)}, disk {sizes.text(cost.disk)}"


def _button(box: bpy.types.UILayout, text: str) -> bpy.types.OperatorProperties:
    row = box.row()
    row.scale_y = 1.4
    return row.operator(names.INSTALL_ENGINE, text=text, icon="IMPORT")


def _cure(box: bpy.types.UILayout, context: bpy.types.Context, ready: Readiness) -> None:
    here = environment.engine_places()
    if ready.kind is Kind.OUTDATED:
        _install(box, context, "Update Engine")
    elif ready.python and ready.python.is_relative_to(here.engine):
        _install(box, context, "Reinstall")
    elif environment.chosen_python() and places.read_record(here.engine):
        box.operator(names.USE_INSTALLED, icon="LOOP_BACK")
    else:
        _install(box, context)


def _installing(box: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The bar stands where the button was, and Cancel below it, at the side: a double click must not cancel."""
    job = session.state.job
    assert job is not None
    box.label(text="Installing the engine", icon="SORTTIME")
    box.label(text=job.stage)
    bar = box.row()
    bar.scale_y = 1.4
    bar.progress(text=f"{job.fraction:.0%}", factor=job.fraction)
    below = box.split(factor=0.6)
    below.label(text="You can go on working")
    below.operator(names.CANCEL, icon="X")


def _ready(box: bpy.types.UILayout, context: bpy.types.Context, ready: Readiness) -> None:
    engine = session.state.engine
    if engine and engine.alive:
        on = DEVICES.get(engine.device.split(":")[0], engine.device) or "starting"
        row = box.row()
        row.label(text=f"The engine is running ({on})", icon="CHECKMARK")
        row.operator(names.FREE_MEMORY, icon="MEMORY")
        if memory := engine.memory():
            box.label(text=f"It uses {sizes.text(memory)} of memory", icon="BLANK1")
    else:
        box.label(text="The engine is ready", icon="CHECKMARK")
    told = [f"PyTorch {ready.torch}"] if ready.torch else []
    told += [f"{sizes.text(ready.size)} on the disk"] if ready.size else []
    if told:
        box.label(text=", ".join(told), icon="BLANK1")
    wrapped(box, context, str(ready.python), "BLANK1")


def _further(box: bpy.types.UILayout, ready: Readiness) -> None:
    row = box.row()
    here = environment.engine_places()
    installed = places.read_record(here.engine) is not None
    if installed:
        row.operator(names.REINSTALL_ENGINE, icon="FILE_REFRESH")
    if installed or places.unfinished(here):
        row.operator(names.REMOVE_ENGINE, icon="TRASH")
    row = box.row()
    if report.latest_log():
        row.operator(names.OPEN_LOG, icon="TEXT")
    row.operator(names.COPY_REPORT, icon="COPYDOWN")

"""Runs inside a Blender that has a window and simulates events: a job with the side bar closed is seen in the status
bar, and a click on *Cancel* there ends it.

    blender --enable-event-simulate --python window_status.py -- SONG.wav REPORT.json
"""

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from host import install
from windowed import go, override

SONG, REPORT = sys.argv[sys.argv.index("--") + 1 :]
CANCEL = (40, 12)  # pixels from the window's right and lower edges
report = {"drawn": []}


def arrange():
    from scenes import addon

    status = addon("panels.status")
    kept = status.session.progress

    def seen():
        report["drawn"].append(kept())
        return kept()

    # Only the status bar shows it here: the side bar is closed.
    bpy.types.STATUSBAR_HT_header.append(lambda _self, _context: status.session.busy() and seen())
    with override():
        bpy.ops.footlight.add_dancer()
        bpy.ops.footlight.choose_song(filepath=SONG)
        bpy.context.area.spaces.active.show_region_ui = False
        report["clicked"] = sorted(bpy.ops.footlight.generate_dance("INVOKE_DEFAULT"))


def running():
    from scenes import addon

    return len(report["drawn"]) < 3 and addon("session").busy()


def mouse(kind, value):
    def event():
        window = bpy.context.window_manager.windows[0]
        window.event_simulate(type=kind, value=value, x=window.width - CANCEL[0], y=CANCEL[1])

    return event


def ended():
    from scenes import addon

    session = addon("session")
    if session.busy():
        report["waited"] = report.get("waited", 0) + 1
        return report["waited"] < 50
    report["message"] = session.state.message
    report["again"] = bool(bpy.ops.footlight.generate_dance.poll())
    return False


def open_side():
    with override():
        bpy.context.area.spaces.active.show_region_ui = True


def choose_tab():
    with override():
        side = next(region for region in bpy.context.area.regions if region.type == "UI")
        side.active_panel_category = "Footlight"


def fail():
    """An armature that is no body, with the panel in sight."""
    from scenes import addon

    notices, kept = addon("notices"), addon("notices").current

    def seen(context):
        notice = kept(context)
        report["error drawn"] = report.get("error drawn") or bool(notice)
        return notice

    with override():
        bpy.ops.object.armature_add()
        bpy.context.scene.footlight.dancer = bpy.context.object
        bpy.ops.ed.undo_push(message="an armature")
        notices.current = seen
        report["open"] = addon("operators.job_operator").panel_is_open(bpy.context)
        report["failed click"] = sorted(bpy.ops.footlight.generate_dance("INVOKE_DEFAULT"))


def taking_back(how):
    def take_back():
        from scenes import addon

        notices = addon("notices")
        report[f"before {how}"] = notices._shown.notice is not None
        with override():
            report[how] = sorted(getattr(bpy.ops.ed, how)())
        report[f"after {how}"] = notices._shown.notice is not None

    return take_back


def fail_again():
    with override():
        bpy.ops.footlight.generate_dance("INVOKE_DEFAULT")


def step_of_the_users():
    """Something to take back, after which the error comes again."""
    with override():
        bpy.context.scene.frame_end = 99
        bpy.ops.ed.undo_push(message="the last frame")
    fail_again()


def rest():
    pass


STEPS = [install, arrange, running, mouse("MOUSEMOVE", "NOTHING"), mouse("LEFTMOUSE", "PRESS"),
         mouse("LEFTMOUSE", "RELEASE"), ended, open_side, choose_tab, rest, fail, rest, rest, step_of_the_users,
         rest, taking_back("undo"), fail_again, rest, taking_back("redo")]  # fmt: skip


go(STEPS, report, REPORT)

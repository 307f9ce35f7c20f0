"""Runs inside a Blender that has a window: clicks *Score Motion* and *Generate Duet*, and takes each back in one step.

    blender --python window_music.py -- REPORT.json [quit]

The report says what was there before, after, and after undo and redo; without ``quit`` the window stays as it is.
"""

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from host import install
from windowed import go, override

REPORT, *QUIT = sys.argv[sys.argv.index("--") + 1 :]
report = {}


def arrange():
    from scenes import FOLDER, addon

    scene = bpy.context.scene
    for ob in list(scene.objects):
        bpy.data.objects.remove(ob)
    with override():
        bpy.ops.footlight.add_dancer()
        armature = scene.footlight.dancer
        addon("scene.actions").write_dance(FOLDER / "dance.npz", armature, 1)
        scene.frame_start, scene.frame_end = 1, 60
        scene.frame_set(9)
        scene.footlight.style, scene.footlight.style_second = "salsa", "pop"
        scene.footlight.duet_seconds = 5.0
        area = bpy.context.area
        area.spaces.active.show_region_ui = True
        bpy.ops.ed.undo_push(message="arranged")


def open_tab():
    with override():
        side = next(region for region in bpy.context.area.regions if region.type == "UI")
        side.active_panel_category = "Footlight"
        bpy.context.area.tag_redraw()


def clicking(name):
    def click():
        report[f"{name} before"] = state()
        with override():
            report[f"{name} clicked"] = sorted(getattr(bpy.ops.footlight, name)("INVOKE_DEFAULT"))

    return click


def running():
    from scenes import addon

    return addon("session").busy()


def finishing(name):
    def finish():
        from scenes import addon

        report[f"{name} error"] = addon("session").state.error
        report[f"{name} after"] = state()
        with override():
            bpy.ops.ed.undo()
            report[f"{name} after undo"] = state()
            bpy.ops.ed.redo()
            report[f"{name} after redo"] = state()

    return finish


def state():
    scene = bpy.context.scene
    editor = scene.sequence_editor
    return {
        "strips": [strip.name for strip in editor.strips] if editor else [],
        "action": scene.footlight.dancer.animation_data.action.name,
        "actions": sorted(action.name for action in bpy.data.actions),
        "frame": scene.frame_current,
        "scenes": len(bpy.data.scenes),
    }


STEPS = [install, arrange, open_tab]
for operator in ("score_motion", "generate_duet"):
    STEPS += [clicking(operator), running, finishing(operator)]


go(STEPS, report, REPORT, leave=bool(QUIT))

"""Runs inside a Blender that has a window: clicks a button as a user does, and keeps the window open.

    blender --python window.py -- SONG.wav REPORT.json generate_dance|generate_theatre [quit]

Each step waits for a redraw or two, as a person would. The report says how it went; without ``quit`` the window stays
as it is for whoever takes a picture of it.
"""

import sys
from pathlib import Path

import bpy
from mathutils import Vector

sys.path.insert(0, str(Path(__file__).parent))
from host import install
from windowed import go

SONG, REPORT, BUTTON, *QUIT = sys.argv[sys.argv.index("--") + 1 :]
MODULE = "bl_ext.user_default.footlight"
report = {"progress": []}


def arrange():
    """A stage: the dancer, the song, the side panel on the Footlight tab, and the camera of the view in front."""
    from scenes import addon

    scene = bpy.context.scene
    for ob in list(scene.objects):
        bpy.data.objects.remove(ob)
    scene.render.fps, scene.render.fps_base = 30, 1.0
    strip = addon("scene.strips").add_song(scene, SONG, 1)
    show_sequencer(scene)
    window, area, region = places()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.footlight.add_dancer()
    handles = addon("scene.versions").handles(strip)
    scene.frame_end = handles[1] - 1
    scene.footlight.seed, scene.footlight.light.together.look = 4, "noir"
    space = area.spaces.active
    space.show_region_ui = True
    space.shading.type = "SOLID"
    space.shading.color_type = "MATERIAL"
    space.overlay.show_relationship_lines = False
    view = space.region_3d
    view.view_perspective = "PERSP"
    view.view_location = Vector((0.45, 0.0, 0.85))
    view.view_distance = 4.2
    view.view_rotation = Vector((0.35, -1.0, 0.28)).to_track_quat("Z", "Y")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.ed.undo_push(message="arranged")


def show_sequencer(scene):
    """The song's strip, between the view and the timeline."""
    window, view, region = places()
    before = set(window.screen.areas)
    with bpy.context.temp_override(window=window, area=view, region=region):
        bpy.ops.screen.area_split(direction="HORIZONTAL", factor=0.22)
    area = min((set(window.screen.areas) - before) | {view}, key=lambda area: area.y)
    area.type = "SEQUENCE_EDITOR"
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene
    scene.sequence_editor.strips[0].show_waveform = True
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.sequencer.view_all()


def open_tab():
    _, area, _ = places()
    side = next(region for region in area.regions if region.type == "UI")
    side.active_panel_category = "Footlight"
    area.tag_redraw()


def click():
    window, area, region = places()
    with bpy.context.temp_override(window=window, area=area, region=region):
        operator = getattr(bpy.ops.footlight, BUTTON)
        report["clicked"] = sorted(operator("INVOKE_DEFAULT"))
        report["second_click"] = operator.poll()


def work_on():
    """The user goes on working, and takes something back, while the dance is made."""
    window, area, region = places()
    bpy.context.scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.ed.undo_push(message="a camera")
        bpy.ops.ed.undo()
    report["taken_back"] = bpy.context.scene.camera is None


def running():
    from scenes import addon

    session = addon("session")
    if not session.busy():
        report["error"], report["message"] = session.state.error, session.state.message
        return False
    report["progress"].append([session.state.job.stage, session.state.job.fraction])
    return True


def finished():
    armature = bpy.context.scene.footlight.dancer
    action = armature.animation_data.action if armature.animation_data else None
    if action is None:
        return
    report["action"] = action.name
    report["frames"] = [round(frame) for frame in action.frame_range]
    report["properties"] = {key: action[key] for key in action.keys()}  # noqa: SIM118
    window, area, region = places()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.ed.undo()
        report["after_undo"] = undo_state()
        bpy.ops.ed.redo()
        report["after_redo"] = undo_state()
    bpy.context.scene.frame_set(int(sum(report["frames"]) // 3))
    view = places()[1].spaces.active.region_3d
    pelvis = bpy.context.scene.footlight.dancer.pose.bones["pelvis"].head
    view.view_location = Vector((pelvis.x + 0.45, pelvis.y, 0.85))


def undo_state() -> dict:
    dancer = bpy.context.scene.footlight.dancer
    data = dancer.animation_data
    dances = sorted(action.name for action in bpy.data.actions if "footlight_song" in action)
    return {
        "dancer": dancer.name,
        "action": data.action.name if data and data.action else None,
        "dances": dances,
        "stages": [one.name for one in bpy.data.collections if "footlight_stage" in one],
        "lamps": sum(ob.type == "LIGHT" for ob in bpy.context.scene.objects),
        "camera": bpy.context.scene.camera is not None,
    }


def places():
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    return window, area, next(region for region in area.regions if region.type == "WINDOW")


go(
    [install, arrange, open_tab, click, work_on, running, finished],
    report,
    REPORT,
    pause=1.0,
    soon=(work_on, running),
    leave=bool(QUIT),
)

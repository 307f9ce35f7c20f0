"""Runs inside a Blender that has a window, for ``panel_pictures``: goes through the first dance, or that of a
character, and takes pictures.

    blender --python tour.py -- TOUR.json

TOUR.json names the zip, the song and its seconds, the engine's Python, the character's file or none, and the folder for
pictures and report.json. Every step waits for some redraws, as a person would. A step that returns True is not done and
comes again.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
from mathutils import Vector

ASKED = json.loads(Path(sys.argv[sys.argv.index("--") + 1]).read_bytes())
FOLDER = Path(ASKED["folder"])
MODULE = "bl_ext.user_default.footlight"
PATIENCE = 600.0  # seconds for a step that comes again
PARTS = ("dance", "music", "both", "theatre", "beats", "advanced")
BARS_SECONDS = 6.0  # of the song, in the picture of markers
BLENDERS_OWN = 225  # pixels at the top of an extension's preferences
report: dict = {"pictures": []}


def module(name: str) -> Any:
    return sys.modules[f"{MODULE}.blender_addon.{name}"]


def place(kind: str = "VIEW_3D") -> tuple[bpy.types.Window, bpy.types.Area, bpy.types.Region]:
    """The window, the largest area of a kind, and its main region."""
    window = bpy.context.window_manager.windows[0]
    area = max((a for a in window.screen.areas if a.type == kind), key=lambda a: a.width * a.height)
    return window, area, next(region for region in area.regions if region.type == "WINDOW")


def here(kind: str = "VIEW_3D") -> AbstractContextManager:
    window, area, region = place(kind)
    return bpy.context.temp_override(window=window, area=area, region=region)


def side() -> bpy.types.Region:
    return next(region for region in place()[1].regions if region.type == "UI")


def picture(name: str, region: Callable[[], bpy.types.Region] | None = None) -> Callable[[], None]:
    """A step that takes a picture of the window, or of a region of it."""

    def take() -> None:
        file = FOLDER / f"{name}.screen.png"
        window = bpy.context.window_manager.windows[0]
        told: dict[str, object] = {"name": name, "file": str(file)}
        if os.environ.get("DISPLAY") and shutil.which("import"):  # Blender's own are black where software draws
            subprocess.run(["import", "-window", "root", file], check=True)
            told["window"] = [window.x, window.y, window.width, window.height]
        else:
            with bpy.context.temp_override(window=window):
                bpy.ops.screen.screenshot(filepath=str(file), check_existing=False)
        if region is not None:
            at = region()
            told["box"] = [at.x, window.height - at.y - at.height, at.x + at.width, window.height - at.y]
        report["pictures"].append(told)

    return take


def point(x: int, y: int) -> None:
    """Move the mouse: dialogs open where it is."""
    bpy.context.window_manager.windows[0].event_simulate(type="MOUSEMOVE", value="NOTHING", x=x, y=y)


def drop_zip() -> None:
    with here():
        bpy.ops.extensions.package_install_files("INVOKE_DEFAULT", url=ASKED["zip"])


def install() -> None:
    window = bpy.context.window_manager.windows[0]
    window.event_simulate(type="ESC", value="PRESS")
    window.event_simulate(type="ESC", value="RELEASE")
    bpy.ops.extensions.package_install_files(filepath=ASKED["zip"], repo="user_default", enable_on_install=True)


def open_tab() -> None:
    space = place()[1].spaces.active
    space.show_region_ui = True
    overlay = space.overlay  # without the grid pictures are small
    overlay.show_floor = overlay.show_axis_x = overlay.show_axis_y = False
    overlay.show_extras = False  # and the outlines of lamps


def choose_tab() -> None:
    side().active_panel_category = "Footlight"
    place()[1].tag_redraw()


def allow_online() -> None:
    bpy.context.preferences.system.use_online_access = True
    redraw()


def start_installing() -> None:
    with here():
        bpy.ops.footlight.install_engine("INVOKE_DEFAULT")


def stop() -> None:
    if module("session").busy():
        with here():
            bpy.ops.footlight.cancel()


def stopped() -> bool:
    return module("session").busy()


def lend_engine() -> None:
    """From here on with the Python of whoever takes the pictures."""
    os.environ["FOOTLIGHT_PYTHON"] = ASKED["python"]
    redraw()


def tidy() -> None:
    """A scene without the cube, so that the dancer is seen, and a sequencer below the view."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 30, 1.0
    for ob in [ob for ob in scene.objects if ob.type == "MESH"]:
        bpy.data.objects.remove(ob)
    window, area, region = place()
    before = set(window.screen.areas)
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.screen.area_split(direction="HORIZONTAL", factor=0.24)
    lower = min((set(window.screen.areas) - before) | {area}, key=lambda area: area.y)
    lower.type = "SEQUENCE_EDITOR"
    lower.spaces.active.show_region_channels = False
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene
    with here():
        bpy.ops.ed.undo_push(message="tidied")


def forget_times() -> None:
    """What the machine that takes the pictures has learnt of its own speed is nobody else's."""
    module("session")._timings.known = module("engine.timings").Timings()
    redraw()


def choose_song() -> None:
    with here():
        bpy.ops.footlight.choose_song(filepath=ASKED["song"])
    with here("SEQUENCE_EDITOR"):
        bpy.ops.sequencer.view_all()


def generate() -> None:
    bpy.context.scene.footlight.seed = 7
    with here():
        bpy.ops.footlight.generate_dance("INVOKE_DEFAULT")


def begun() -> bool:
    """Until the first seconds are on the dancer. The engine is held there, so that they are seen however fast it is."""
    if not any(ob.type == "ARMATURE" for ob in bpy.context.scene.objects):
        assert stopped(), f"nothing of the dance was seen before it was done: {module('session').state}"
        return True
    module("session").state.engine._process.send_signal(signal.SIGSTOP)
    return False


def go_on() -> None:
    module("session").state.engine._process.send_signal(signal.SIGCONT)


def look_at_dancer() -> None:
    dancer = armature()
    assert dancer.animation_data and dancer.animation_data.action, module("session").state.__dict__
    bpy.context.scene.frame_set(200)
    look()


def armature() -> bpy.types.Object:
    return next(ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE")


def look() -> None:
    """The view in front of whoever dances."""
    dancer = armature()
    with here():
        bpy.ops.object.select_all(action="DESELECT")
    view = place()[1].spaces.active.region_3d
    view.view_perspective = "PERSP"
    pelvis = dancer.matrix_world @ dancer.pose.bones[module("scene.rigs").bones(dancer)["pelvis"]].head
    view.view_location = Vector((pelvis.x + 0.35, pelvis.y, 0.85))
    view.view_distance = 4.4
    view.view_rotation = Vector((0.35, -1.0, 0.28)).to_track_quat("Z", "Y")


def bring_character() -> None:
    with here():
        bpy.ops.import_scene.fbx(filepath=ASKED["character"])
    for area in bpy.context.window_manager.windows[0].screen.areas:
        if area.type == "VIEW_3D":
            area.spaces.active.shading.color_type = "MATERIAL"
    look()


def thin() -> None:
    bpy.context.scene.footlight.keys.frames = "THINNED"


def show_keys() -> None:
    """The keys of the dance in place of the sequencer, by limb."""
    area = place("SEQUENCE_EDITOR")[1]
    area.type = "DOPESHEET_EDITOR"
    area.spaces.active.mode = "ACTION"
    dancer = armature()
    bpy.context.view_layer.objects.active = dancer
    dancer.select_set(True)


def frame_keys() -> None:
    with here("DOPESHEET_EDITOR"):
        bpy.ops.action.view_all()


def choose_bars() -> None:
    """Four bars of the dance, and the preview range around them, so that they are seen."""
    scene = bpy.context.scene
    settings = scene.footlight
    settings.edit_range, settings.edit_counts, settings.seed = "COUNTS", "bars 5:8", 3
    song = module("operators.settings").find_song(bpy.context, FOLDER)
    first, last = module("operators.edit").edit_frames(bpy.context, song)
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, first, last
    scene.frame_set(round(0.4 * first + 0.6 * last))


def show_curves() -> None:
    """The curves of a forearm in place of the keys, and the skin without bones."""
    place()[1].spaces.active.overlay.show_bones = False
    with here():
        bpy.ops.object.mode_set(mode="POSE")
        bpy.ops.object.select_pattern(pattern=module("scene.rigs").bones(armature())["left_elbow"], extend=False)
    place("DOPESHEET_EDITOR")[1].type = "GRAPH_EDITOR"


def frame_curves() -> None:
    with here("GRAPH_EDITOR"):
        bpy.ops.graph.view_all()


def regenerate() -> None:
    with here():
        bpy.ops.footlight.edit_dance("INVOKE_DEFAULT")


def play() -> None:
    with here():
        bpy.ops.footlight.play()


def another_take() -> None:
    with here():
        bpy.ops.footlight.generate_dance("INVOKE_DEFAULT", new_seed=True)


def show_beats() -> None:
    with here():
        bpy.ops.footlight.show_beats("INVOKE_DEFAULT")


def correct_beats() -> None:
    """Half a beat later, and the sequencer at the first bars."""
    with here():
        bpy.ops.footlight.correct_beats(change="LATER")
    with here("SEQUENCE_EDITOR"):
        region = place("SEQUENCE_EDITOR")[2]
        shown = round(region.width * BARS_SECONDS / ASKED["seconds"])
        edges = {"xmin": 0, "xmax": shown, "ymin": 0, "ymax": region.height}
        bpy.ops.view2d.zoom_border(**edges, wait_for_input=False)


def sequencer() -> bpy.types.Region:
    return place("SEQUENCE_EDITOR")[2]


def make_takes() -> None:
    bpy.context.scene.footlight.takes = 4
    with here():
        bpy.ops.footlight.generate_dance("INVOKE_DEFAULT")


def light_stage() -> None:
    bpy.context.scene.footlight.light.look = "neon"
    with here():
        bpy.ops.footlight.light_stage("INVOKE_DEFAULT")


def add_stage() -> None:
    with here():
        bpy.ops.footlight.add_stage()


def render() -> None:
    """F12: a picture of the scene as it is, smaller."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 800, 450, 100
    scene.render.engine = "BLENDER_WORKBENCH"  # drawn in software too
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(FOLDER / "first-render.screen.png")
    bpy.ops.render.render(write_still=True)
    report["pictures"].append({"name": "first-render", "file": scene.render.filepath, "box": [0, 0, 800, 450]})


def show_part(part: str) -> Callable[[], None]:
    """A step that shows one sub-panel of the tab alone, under an empty main panel. It has another name than the one
    that is folded, and so is unfolded."""

    def show() -> None:
        ours = [kind for kind in module("panels.main").CLASSES if kind.bl_space_type == "VIEW_3D"]
        for kind in (*reversed(ours), *SHOWN):
            if kind.is_registered:
                bpy.utils.unregister_class(kind)
        SHOWN.clear()
        main, *children = ours
        main.draw = lambda self, context: None
        folded = next(kind for kind in children if kind.__name__ == f"FOOTLIGHT_PT_{part}")
        about = {"bl_space_type": "VIEW_3D", "bl_parent_id": main.bl_idname, "bl_options": set()}
        name = f"{folded.__name__}_shown"
        SHOWN.append(type(name, folded.__bases__, {"bl_idname": name, **about}))
        for kind in (main, *SHOWN):
            bpy.utils.register_class(kind)
        choose_tab()

    return show


SHOWN: list[type] = []


def open_preferences() -> None:
    """The add-on's preferences, in place of the view."""
    area = place()[1]
    area.type = "PREFERENCES"
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "Footlight"
    bpy.ops.preferences.addon_expand(module=MODULE)


def preferences() -> SimpleNamespace:
    """The part of the region below what Blender itself says of the extension."""
    region = place("PREFERENCES")[2]
    return SimpleNamespace(x=region.x, y=region.y, width=region.width, height=region.height - BLENDERS_OWN)


def close_preferences() -> None:
    place("PREFERENCES")[1].type = "VIEW_3D"


def redraw() -> None:
    for area in bpy.context.window_manager.windows[0].screen.areas:
        area.tag_redraw()


def leave() -> None:
    """End the engine, and Blender without its own end: that waits for the sequencer's previews of strips, on one core
    for ever (Blender 5.2)."""
    if f"{MODULE}.blender_addon.session" in sys.modules:
        module("session").stop()
    os._exit(0)


STEPS = [
    open_tab,
    lambda: point(620, 430),
    drop_zip, picture("first-install"), install, choose_tab,
    picture("first-panel"), picture("panel-engine", side),
    allow_online, start_installing, picture("first-engine", side), stop, stopped,
    open_preferences, picture("panel-preferences", preferences), close_preferences, choose_tab, lend_engine, tidy,
    choose_song, picture("first-song"), picture("panel-rows", side), generate, begun,
    look_at_dancer, picture("first-running"), picture("panel-running", side), go_on, stopped,
    look_at_dancer, forget_times, picture("first-done"), picture("panel", side), play, picture("first-playing"), play,
    another_take, stopped, look_at_dancer, forget_times, picture("first-take", side),
    show_beats, stopped, correct_beats, forget_times, picture("panel-markers", sequencer),
    *(
        step
        for part in PARTS
        for step in (show_part(part), choose_tab, picture(f"panel-{part}", side))
    ),
    show_part("dance"), choose_tab, make_takes, stopped, forget_times, picture("panel-takes", side),
    light_stage, stopped, forget_times, show_part("light"), choose_tab, picture("panel-light", side),
    add_stage, render,
]  # fmt: skip
CHARACTER = [
    open_tab, install, choose_tab, lend_engine, tidy, bring_character, choose_song, look, picture("character-imported"),
    thin, generate, stopped, look_at_dancer, picture("character-dance"),
    show_keys, frame_keys, picture("character-keys"),
    choose_bars, look, show_curves, frame_curves, picture("edit-before"),
    regenerate, stopped, forget_times, frame_curves, picture("edit-after"),
    *(
        step
        for part in ("bones", "keys", "edit")
        for step in (show_part(part), choose_tab, picture(f"panel-{part}", side))
    ),
]  # fmt: skip
steps = CHARACTER if ASKED["character"] else STEPS
waited = time.monotonic()


def step() -> float | None:
    global waited
    try:
        if steps[0]() is True:
            assert time.monotonic() - waited < PATIENCE, f"{steps[0].__name__} took too long"
            return 0.3
        steps.pop(0)
        waited = time.monotonic()
        report.setdefault("steps", []).append(round(waited))
    except Exception:
        report["failed"] = traceback.format_exc()
        steps.clear()
    if steps:
        return 1.0
    (FOLDER / "report.json").write_text(json.dumps(report))
    leave()
    return None


bpy.context.preferences.view.show_splash = False
bpy.context.preferences.filepaths.use_auto_save_temporary_files = False
bpy.app.timers.register(step, first_interval=3.0)

"""Runs inside a Blender that has a window: drops a song, plays by a key and takes it back by another.

    blender --enable-event-simulate --python window_song.py -- SONG.wav REPORT.json

The keys are simulated, so that Blender runs the operators as it does for its user, with an undo step each.
"""

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from host import install
from windowed import go

SONG, REPORT = sys.argv[sys.argv.index("--") + 1 :]
report = {}


def window():
    return bpy.context.window_manager.windows[0]


def place(kind="VIEW_3D"):
    area = next(area for area in window().screen.areas if area.type == kind)
    return area, next(region for region in area.regions if region.type == "WINDOW")


def press(key, **more):
    _, region = place()
    at = {"x": region.x + region.width // 2, "y": region.y + region.height // 2}
    window().event_simulate("MOUSEMOVE", "NOTHING", **at)
    for value in ("PRESS", "RELEASE"):
        window().event_simulate(key, value, **at, **more)


def state():
    scene = window().scene
    strips = scene.sequence_editor.strips if scene.sequence_editor else []
    return {
        "muted": {strip.name: strip.mute for strip in strips},
        "preview": [scene.frame_preview_start, scene.frame_preview_end] if scene.use_preview_range else None,
        "sync": scene.sync_mode,
        "scrubbing": scene.use_audio_scrub,
        "frame": scene.frame_current,
    }


def arrange():
    """A dancer with a dance by Footlight, another sound that plays over the song, and a key for *Play*."""
    area, region = place()
    with bpy.context.temp_override(window=window(), area=area, region=region):
        bpy.ops.footlight.add_dancer()
    scene = window().scene
    dancer = scene.footlight.dancer
    for frame in (5, 120):
        dancer.location.y = frame / 100
        dancer.keyframe_insert("location", frame=frame)
    dancer.animation_data.action["footlight_seed"] = 1
    dancer.animation_data.action["footlight_song"] = Path(SONG).stem
    scene.frame_set(40)
    keymap = bpy.context.window_manager.keyconfigs.addon.keymaps.new("3D View", space_type="VIEW_3D")
    keymap.keymap_items.new("footlight.play", "F5", "PRESS")


def drop():
    area, region = place()
    path = Path(SONG)
    with bpy.context.temp_override(window=window(), area=area, region=region):
        bpy.ops.wm.drop_import_file("INVOKE_DEFAULT", directory=str(path.parent) + "/", files=[{"name": path.name}])


def dropped():
    scene = window().scene
    report["song"] = scene.footlight.strip
    report["sequencer"] = getattr(window().workspace, "sequencer_scene", scene) == scene
    other = scene.sequence_editor.strips.new_sound("other", SONG, 5, 1)
    other.mute = False
    area, region = place()
    with bpy.context.temp_override(window=window(), area=area, region=region):
        bpy.ops.ed.undo_push(message="arranged")
    report["before"] = state()


def play():
    press("F5")


def playing():
    report["plays"] = window().screen.is_animation_playing
    press("F5")


def stopped():
    report["plays on"] = window().screen.is_animation_playing
    report["after"] = state()
    press("Z", ctrl=True)


def undone():
    report["undone"] = state()


def panel():
    area, region = place()
    report["closed"] = not area.spaces.active.show_region_ui
    with bpy.context.temp_override(window=window(), area=area, region=region):
        bpy.ops.footlight.open_panel()


def opened():
    area, _ = place()
    report["tab"] = next(region for region in area.regions if region.type == "UI").active_panel_category


go([install, arrange, drop, dropped, play, playing, stopped, undone, panel, opened], report, REPORT, pause=1.5)

"""Runs inside a Blender that has a window: takes real steps back while the first seconds of a dance are on the dancer.

    blender --python window_preview.py -- SONG.wav REPORT.json

The engine is the obedient one, which waits for the file ``go`` with the first half of a dance handed on.
"""

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from host import install
from windowed import go, override

SONG, REPORT = sys.argv[sys.argv.index("--") + 1 :]
GO = Path(os.environ["FOOTLIGHT_TEST_FOLDER"]) / "go"
report = {}


def state():
    """What is on the dancer, and what else there is."""
    dancer = bpy.data.objects["Dancer"]
    bpy.context.view_layer.update()
    data = dancer.animation_data
    action = data.action if data else None
    return {
        "action": action.name if action else None,
        "frames": [round(frame) for frame in action.frame_range] if action else None,
        "slot": bool(action and data.action_slot),
        "actions": len(bpy.data.actions),
        "camera": bpy.context.scene.camera is not None,
        "moved": max(max(abs(value) for value in bone.location) for bone in dancer.pose.bones) > 0.01,
    }


def saying(name):
    """A step that reports the state."""

    def say():
        report[name] = state()

    return say


def arrange():
    from scenes import addon

    scene = bpy.context.scene
    for ob in [*scene.objects]:
        bpy.data.objects.remove(ob)
    addon("scene.strips").add_song(scene, SONG, 1)
    with override():
        bpy.ops.footlight.add_dancer()
        scene.frame_set(20)
        bpy.ops.ed.undo_push(message="arranged")
        bpy.data.objects["Dancer"].location.y = 1.0
        bpy.ops.ed.undo_push(message="moved")


def click():
    GO.unlink(missing_ok=True)
    with override():
        bpy.ops.footlight.generate_dance("INVOKE_DEFAULT")


def early():
    return not any("footlight_unfinished" in action for action in bpy.data.actions)


def work():
    """Something of the user's."""
    with override():
        bpy.context.scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        bpy.context.scene.collection.objects.link(bpy.context.scene.camera)
        bpy.ops.ed.undo_push(message="a camera")


def let_go():
    GO.touch()


def made():
    from scenes import addon

    return addon("session").busy()


def undo():
    with override():
        bpy.ops.ed.undo()


def redo():
    with override():
        bpy.ops.ed.redo()


STEPS = [
    install, arrange, saying("at first"),
    click, early, saying("begun"), let_go, made, saying("made"), undo, saying("undone"), redo, saying("redone"), undo,
    click, early, undo, saying("undone meanwhile"), redo, saying("redone meanwhile"), let_go, made, saying("made then"),
    undo, saying("undone then"),
    click, early, work, undo, saying("work undone"), redo, let_go, made, saying("made beside work"), undo,
    saying("undone beside work"), undo, saying("undone with work"), redo, redo, saying("redone with work"),
]  # fmt: skip

go(STEPS, report, REPORT)

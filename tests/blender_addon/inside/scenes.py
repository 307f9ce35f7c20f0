"""What the checks have in common: the add-on's modules, sounds made on the spot, and a scene's fingerprint."""

import importlib
import os
import struct
import time
import wave
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

MODULE = "bl_ext.user_default.footlight"
FOLDER = Path(os.environ["FOOTLIGHT_TEST_FOLDER"])
RATE = 22_050


def addon(name: str):
    """A module of the installed add-on, for example ``scene.strips``."""
    return importlib.import_module(f"{MODULE}.blender_addon.{name}")


MIXAMO = tuple(
    f"mixamorig:{name}"
    for name in (
        "Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot", "RightFoot", "Spine2",
        "LeftToeBase", "RightToeBase", "Neck", "LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm",
        "LeftForeArm", "RightForeArm", "LeftHand", "RightHand",
    )
)  # fmt: skip
"""In the order of our joints."""


def write_wav(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32_000).astype("<i2").tobytes())
    return path


def read_wav(path: str) -> tuple[np.ndarray, int]:
    data = Path(path).read_bytes()
    channels, rate = struct.unpack("<HI", data[data.find(b"fmt ") + 10 :][:6])
    start = data.find(b"data") + 8
    return np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], "<i2").reshape(-1, channels)[
        :, 0
    ] / 32_000, rate


def noise(seconds: float, name: str = "song", seed: int = 0) -> Path:
    """Noise bursts on an irregular grid: any shift or stretch of it shows in a correlation."""
    generator = np.random.default_rng(seed)
    samples = np.zeros(int(seconds * RATE))
    for start in np.sort(generator.uniform(0, seconds - 0.1, int(seconds * 3))):
        burst = generator.normal(size=RATE // 20) * np.linspace(1, 0, RATE // 20)
        samples[int(start * RATE) :][: len(burst)] += 0.3 * burst
    return write_wav(FOLDER / f"{name}.wav", samples)


def drums(seconds: float, bpm: float = 120.0, name: str = "drums") -> Path:
    """A click on every beat, a tone below: the least that has a beat."""
    t = np.arange(int(seconds * RATE)) / RATE
    since = t % (60 / bpm)
    samples = 0.7 * np.exp(-since * 40) * np.sin(2 * np.pi * 180 * since) + 0.05 * np.sin(2 * np.pi * 220 * t)
    return write_wav(FOLDER / f"{name}.wav", samples)


def double_speed(scene, strip):
    """Play a strip twice as fast, as its user does in the sequencer."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    window.scene, kept = scene, window.scene
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene
    strip.select = True
    scene.sequence_editor.active_strip = strip
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.sequencer.retiming_segment_speed_set(speed=200)
    window.scene = kept


def rig(names, place, rolled=0.0):
    """A rig with our dancer's build and other names. place: joint positions (22, 3) at rest, in the rig's own axes."""
    armature = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    parents = addon("shared").skeleton.PARENTS
    for joint, name in enumerate(names):
        if name is None:
            continue
        bone = armature.data.edit_bones.new(name)
        bone.head = place[joint]
        children = [child for child, parent in enumerate(parents) if parent == joint]
        end = place[children[0]] - place[joint] if len(children) == 1 else np.array((0.02, 0.05, 0.1))
        bone.tail = bone.head + Vector(end)
        bone.roll = rolled * joint
        parent = parents[joint]
        while parent >= 0 and names[parent] is None:
            parent = parents[parent]
        if parent >= 0:
            bone.parent = armature.data.edit_bones[names[parent]]
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def z_up(points):
    return np.stack((points[:, 0], -points[:, 2], points[:, 1]), axis=1)


def turned(rotations):
    """How every joint is turned from the T-pose, (t, 22, 4)."""
    skeleton, quat = addon("shared").skeleton, addon("shared").quaternion
    found = []
    for joint, parent in enumerate(skeleton.PARENTS):
        found.append(rotations[:, joint] if parent < 0 else quat.mul(found[parent], rotations[:, joint]))
    return np.stack(found, axis=1)


def read(armature, first, last):
    """The rotations and the root of the dance that an armature shows in these frames."""
    steps = addon("scene.reading").motion(lambda: (bpy.context.scene, armature), first, last)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def raises(error: type, words: str, function, *arguments, **named) -> None:
    try:
        function(*arguments, **named)
    except error as found:
        assert words in str(found), f"expected {words!r} in {str(found)!r}"
        return
    raise AssertionError(f"nothing was raised where {words!r} was expected")


def wait(until) -> None:
    """Let the session's job go on until something holds."""
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        addon("session").poll()
        time.sleep(0.01)


def finish():
    """Let the session's job go on to its end. Returns the state that it ended in."""
    end = time.monotonic() + 60
    while not (state := addon("session").poll()).ended:
        assert time.monotonic() < end
        time.sleep(0.01)
    return state


def curves(action):
    """The curves of a dance's action."""
    return action.layers[0].strips[0].channelbag(action.slots[0]).fcurves


def fingerprint() -> dict:
    """Everything about the file that making a dance must leave alone."""
    scene = bpy.context.scene
    state = {
        "range": (scene.frame_start, scene.frame_end, scene.frame_current, scene.use_preview_range),
        "fps": (scene.render.fps, scene.render.fps_base),
        "scenes": [scene.name for scene in bpy.data.scenes],
        "markers": [(marker.name, marker.frame) for marker in scene.timeline_markers],
        "objects": {ob.name: [tuple(row) for row in ob.matrix_world] for ob in scene.objects},
        "bones": {
            (armature.name, bone.name): [tuple(row) for row in bone.matrix_local]
            for armature in bpy.data.armatures
            for bone in armature.bones
        },
        "actions": {action.name for action in bpy.data.actions},
        "sounds": [(sound.name, sound.filepath) for sound in bpy.data.sounds],
        "settings": [str(getattr(scene.footlight, key)) for key in ("source", "strip", "dancer", "seed", "fine")],
    }
    if scene.sequence_editor:
        keys = ("name", "channel", "mute", "frame_final_start", "frame_final_end", "frame_start")
        state["strips"] = [tuple(getattr(s, key) for key in keys) for s in scene.sequence_editor.strips]
    return state


def unchanged(before: dict) -> None:
    """Fails with what is different from an earlier fingerprint."""
    now = fingerprint()
    different = {
        key: (before.get(key), now.get(key)) for key in before.keys() | now.keys() if before.get(key) != now.get(key)
    }
    assert not different, different

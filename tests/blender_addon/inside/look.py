"""Runs inside a Blender: says as JSON what is in the .blend and in the film that are named on the command line."""

import json
import sys

import bpy

blend, film = sys.argv[-2:]
bpy.ops.wm.open_mainfile(filepath=blend)
scene = bpy.context.scene
strip = scene.sequence_editor.strips[0]
dancer = next(ob for ob in scene.objects if ob.animation_data and ob.type == "ARMATURE")
clip = bpy.data.movieclips.load(film)
found = {
    "fps": scene.render.fps / scene.render.fps_base,
    "frames": [scene.frame_start, scene.frame_end],
    "action": dancer.animation_data.action.name,
    "range": list(dancer.animation_data.action.frame_range),
    "objects": sorted(ob.name for ob in scene.objects),
    "song": strip.sound.filepath,
    "song is heard": strip.sound.samplerate > 0,
    "size": list(clip.size),
    "film frames": clip.frame_duration,
    "film is heard": bpy.data.sounds.load(film).samplerate > 0,
}
print("FOUND", json.dumps(found), flush=True)

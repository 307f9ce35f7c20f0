"""Runs inside a Blender: as JSON, the rate, length and size of the film that is named, and when its sound sets in."""

import importlib
import json
import sys

import bpy
import numpy as np

LOUD, QUIET = 0.2, 0.1  # a sound sets in where it is loud after 40 ms that were quiet, less the 10 ms before it

aud = importlib.import_module("aud")  # is there once bpy is
clip = bpy.data.movieclips.load(sys.argv[-1])
sound = aud.Sound(sys.argv[-1])
rate = int(sound.specs[0])
loudness = np.abs(np.asarray(sound.data())).max(axis=1)
far, near = round(0.05 * rate), round(0.01 * rate)
onsets = []
for n in np.flatnonzero(loudness > LOUD):
    if n >= far and loudness[n - far : n - near].max() < QUIET and (not onsets or n / rate - onsets[-1] > 0.1):
        onsets.append(float(n / rate))
found = {
    "fps": clip.fps,
    "frames": clip.frame_duration,
    "size": list(clip.size),
    "seconds": len(loudness) / rate,
    "onsets": onsets,
}
print("FOUND", json.dumps(found), flush=True)

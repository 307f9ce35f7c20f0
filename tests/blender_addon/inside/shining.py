"""What the lamps of a lit stage shine, as Blender plays them."""

import bpy
import numpy as np
from mathutils import Vector
from scenes import addon

lights = addon("stage.lights")


def lamps(role):
    """Those of a role, in the order of their numbers."""
    found = [ob for ob in bpy.context.scene.objects if ob.get(lights.ROLE) == role]
    return sorted(found, key=lambda ob: ob.name)


def shining(lamps, frames, first=1):
    """The light (t, n, 3) that lamps give where they are aimed, on so many frames; 1 is full. From Blender itself."""
    full, found = [], []
    bpy.context.view_layer.update()
    for lamp in lamps:
        group = lights.PLOT[lamp[lights.ROLE]]
        down = lamp.matrix_world.translation.z - group.aims[2]
        distance = down / (lamp.matrix_world.to_3x3() @ Vector((0.0, 0.0, 1.0))).z
        full.append(group.bright * lights.WATTS * distance**2)
    for frame in range(first, first + frames):
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        shown = [lamp.evaluated_get(graph).data for lamp in lamps]
        found.append([np.array(light.color) * light.energy for light in shown])
    return np.array(found) / np.array(full)[:, None]


def rises(light):
    """The frames on which light (t,) begins to rise by a tenth or more, from 0 on."""
    up = np.flatnonzero(np.diff(light) > 0)
    runs = np.split(up, np.flatnonzero(np.diff(up) > 1) + 1)
    return np.array([run[0] for run in runs if len(run) and light[run[-1] + 1] - light[run[0]] >= 0.1], dtype=int)


def most_in_a_second(starts, fps):
    """How many of the frames lie within a second, both of its ends included, at most."""
    return max((((starts >= start) & (starts <= start + fps)).sum() for start in starts), default=0)

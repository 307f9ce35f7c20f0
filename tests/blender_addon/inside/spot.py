"""Runs inside a Blender: a white floor under a spot, by Cycles and by numpy."""

import json
import sys
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).parent))

from pictures import empty_scene, seen_from_above

from blender_addon.stage import drawn, lights, spots

SIDE = 64  # pixels; what is averaged over one is then like its middle, at the edge of the cone too
scene = empty_scene((SIDE, SIDE))
mesh = bpy.data.meshes.new("floor")
mesh.from_pydata([(-4, -4, 0), (4, -4, 0), (4, 4, 0), (-4, 4, 0)], [], [(0, 1, 2, 3)])
material = bpy.data.materials.new("white")
material.use_nodes = True
nodes = material.node_tree.nodes
white = nodes.new("ShaderNodeBsdfDiffuse")
white.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
output = next(node for node in nodes if node.type == "OUTPUT_MATERIAL")
material.node_tree.links.new(white.outputs[0], output.inputs["Surface"])
mesh.materials.append(material)
scene.collection.objects.link(bpy.data.objects.new("floor", mesh))
lamp = bpy.data.objects.new("spot", bpy.data.lights.new("spot", "SPOT"))
scene.collection.objects.link(lamp)
lamp.location, lamp.rotation_euler = (0.0, -1.5, 3.0), (0.4, 0.0, 0.0)
lamp.data.energy, lamp.data.color = 6.0 * lights.WATTS, (1.0, 0.5, 0.25)
lamp.data.spot_size, lamp.data.spot_blend, lamp.data.shadow_soft_size = 1.0, 0.6, 0.01
seen = seen_from_above(scene, 4.0, 32)
at = (np.arange(SIDE) + 0.5) / SIDE * 4 - 2
points = np.array([(x, y, 0.0) for y in at for x in at])
shining = drawn.read_spots([lamp.evaluated_get(bpy.context.evaluated_depsgraph_get())])
calculated = spots.light_at(shining, points, np.array((0.0, 0.0, 1.0))).reshape(SIDE, SIDE, 3)
rows, columns = np.array([(32, 32), (32, 18), (18, 32), (50, 32), (46, 22), (34, 6)]).T
found = {name: picture[rows, columns].ravel().tolist() for name, picture in (("cycles", seen), ("numpy", calculated))}
print("FOUND", json.dumps(found), flush=True)

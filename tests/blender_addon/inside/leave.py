"""Runs inside a Blender and leaves it with a warm engine: by the ordinary way out, or killed.

... leave.py quit|kill REPORT
"""

import os
import signal
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from host import arguments, install

how, report = arguments()
install()
from scenes import addon, noise  # noqa: E402  the add-on is there only now

bpy.ops.wm.read_homefile(use_empty=True)
addon("scene.strips").add_song(bpy.context.scene, noise(3.0, "well"), 1)
addon("scene.dancer").add_dancer(bpy.context)
assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
engine = addon("session").state.engine
assert engine.alive
Path(report).write_text(str(engine._process.pid))
if how == "kill":
    os.kill(os.getpid(), signal.SIGKILL)

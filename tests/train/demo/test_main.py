"""The demonstration with a short song, without OpenGL: what it says in which order, and what it makes."""

import os
import re
import subprocess
import sys

import pytest

SCRIPT = """
import functools, sys
from pathlib import Path
from train.demo import __main__ as demo
demo.write_demo_song = functools.partial(demo.write_demo_song, seconds=6)
out, model = map(Path, sys.argv[1:])
demo.main(demo.Demo(out, model, film_start=1.0, film_seconds=1.0, width=160, height=90))
"""


@pytest.mark.blender
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="OpenGL can be hidden on Linux only")
def test_everything_is_named_at_once_and_the_film_comes_last(tmp_path, model_folder):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    out = tmp_path / "demo"
    environment = dict(os.environ, __EGL_VENDOR_LIBRARY_FILENAMES="/nonexistent")
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT, out, model_folder], capture_output=True, text=True, timeout=600, env=environment
    )
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]
    steps = ["composing .*about ten seconds", "dance.wav is there", "dancing .*about", "dance.bvh is there"]
    steps += ["writing the light", "show.json is there", "drawing the contact sheet", "contact.png is there"]
    steps += ["Blender: .*at most about 75 s"]
    steps += ["dance.blend is there", "filming 30 frames of 160x90, about \\d+ s", "dance.mp4 is there", "\\] done"]
    places = [found.start() if (found := re.search(step, answer.stdout)) else step for step in steps]
    assert all(isinstance(place, int) for place in places) and places == sorted(places), answer.stdout
    names = sorted(path.name for path in out.iterdir())
    assert names == ["contact.png", "dance.blend", "dance.bvh", "dance.mp4", "dance.wav", "show.json"]

"""The example of docs/scripting.md, run as a person would run it."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.blender


def test_the_documented_script_makes_a_dance_without_a_window(run, look, model_folder, tmp_path):
    text = (ROOT / "docs" / "scripting.md").read_text("utf-8")
    source = text.split("```python\n")[1].split("```")[0]
    installed = "from bl_ext.user_default.footlight.blender_addon."
    assert source.count(installed) == 2
    script, song, blend = tmp_path / "dance.py", tmp_path / "drums.wav", tmp_path / "dance.blend"
    # the checkout's add-on instead of an installed one, as the page says
    script.write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n" + source.replace(installed, "from blender_addon.")
    )
    time = np.arange(3 * 22_050) / 22_050
    soundfile.write(song, 0.5 * np.sin(2 * np.pi * 220 * time) * np.exp(-8 * (time % 0.5)), 22_050)
    answer = run(script, song, blend, FOOTLIGHT_PYTHON=sys.executable, FOOTLIGHT_MODEL=str(model_folder))
    assert blend.is_file(), answer.stdout[-4000:] + answer.stderr[-4000:]
    assert "drums - seed 3: " in answer.stdout and "seed 3" in answer.stdout
    scene = look("music.py", blend)
    assert scene["frames"] == [1, 72] and scene["actions"] == ["drums - seed 3"]
    assert [strip[1:] for strip in scene["strips"]] == [[1, 73]]

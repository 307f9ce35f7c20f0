"""The example of docs/scripting.md, run as a person would run it."""

import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.blender


LAMPS = 'print("spots:", sum(lamp.type == "SPOT" for lamp in bpy.data.lights))\n'
INSTALLED = "from bl_ext.user_default.footlight.blender_addon."


@pytest.fixture
def scripted(run, tmp_path):
    """Run the source of a script on three seconds of drums. Returns what it said and the .blend that it saved."""

    def scripted(source: str, model: Path):
        script, song, blend = tmp_path / "dance.py", tmp_path / "drums.wav", tmp_path / "dance.blend"
        # the checkout's add-on instead of an installed one, as the page says
        here = source.replace(INSTALLED, "from blender_addon.")
        script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{here}")
        time = np.arange(3 * 22_050) / 22_050
        soundfile.write(song, 0.5 * np.sin(2 * np.pi * 220 * time) * np.exp(-8 * (time % 0.5)), 22_050)
        answer = run(script, song, blend, FOOTLIGHT_PYTHON=sys.executable, FOOTLIGHT_MODEL=str(model))
        assert blend.is_file(), answer.stdout[-4000:] + answer.stderr[-4000:]
        return answer.stdout, blend

    return scripted


def documented(having: str) -> str:
    """The script of the page that has these words."""
    blocks = (ROOT / "docs" / "scripting.md").read_text("utf-8").split("```python\n")[1:]
    return next(source for block in blocks if having in (source := block.split("```")[0]))


def test_the_documented_script_makes_a_dance_without_a_window(scripted, look, model_folder):
    source = documented("OUT.blend")
    assert source.count(INSTALLED) == 2
    said, blend = scripted(source, model_folder)
    assert "drums - seed 3: " in said and "seed 3" in said
    scene = look("music.py", blend)
    assert scene["frames"] == [1, 72] and scene["actions"] == ["drums - seed 3"]
    assert [strip[1:] for strip in scene["strips"]] == [[1, 73]]


def test_the_documented_stage_is_lit_and_taken_away(scripted, model_folder):
    made = "    written = dance.write(target, worker.answer(engine, request))\n"
    lit = textwrap.indent(documented("light.request"), "    ")
    source = documented("OUT.blend").replace(
        made, made + lit.replace("    light.remove", f"    {LAMPS}    light.remove")
    )
    said, _ = scripted(source + LAMPS, model_folder)
    assert "Noir - seed 4" in said and said.index("spots: 21") < said.index("spots: 0"), said


def test_the_documented_light_is_added_to_it(scripted, look, theatre_folder):
    source, more = documented("OUT.blend"), documented("theatre.request")
    made = "    written = dance.write(target, worker.answer(engine, request))\n"
    assert made in source
    source = source.replace(made, made + textwrap.indent(more, "    "))
    said, blend = scripted(source + LAMPS, theatre_folder)
    assert "spots: 21" in said  # as docs/light.md counts them
    assert look("music.py", blend)["actions"] == ["drums - seed 4"]

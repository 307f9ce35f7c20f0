"""The add-on inside Blender: the same checks in the bpy module and in the real program, from the installed zip."""

import pytest

pytestmark = pytest.mark.blender


def test_songs_in_the_sequencer(run_checks):
    run_checks("check_strips.py")

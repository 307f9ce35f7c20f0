"""The camera inside Blender: is the dancer in the picture?"""

import pytest

pytestmark = pytest.mark.blender


@pytest.mark.parametrize("aspect", [16 / 9, 9 / 16])
def test_the_camera_keeps_the_dancer_in_the_picture(look, aspect):
    seen = look("walk.py", aspect)
    assert seen["top"] > 1.8, "the arms were to be raised"
    assert min(seen["low"][:2]) > 0.0 and max(seen["high"][:2]) < 1.0
    assert seen["high"][1] - seen["low"][1] > 0.4, "the dancer is lost in the picture"
    assert seen["turns"] == 0.0

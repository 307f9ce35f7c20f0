"""A show on the frames of a scene: against what ``docs/light.md`` says of its channels."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy module is not installed")

from blender_addon.stage.played import PLACES, play
from tests.blender_addon.stage.shows import CLOCK, show


def test_the_follow_spot_is_as_bright_wherever_it_is_aimed():
    """Across and spread of the others say where their light is; the follow spot goes where the dancer is, and its
    spread is that of its cone."""
    told = show(
        follow_level=0.8, follow_across=1.0, follow_spread=0.1, back_level=0.8, back_across=1.0, back_spread=0.1
    )
    found = play(told, 30, 24.0)
    assert found.light["follow"][:, :, 0] == pytest.approx(0.8, abs=1e-6)
    assert found.spread == pytest.approx(0.1, abs=1e-6)
    back = found.light["back"][:, :, 0].max(axis=0)
    assert back[PLACES.index(1.0)] == pytest.approx(0.8, abs=1e-6) and back[PLACES.index(-1.0)] < 0.01


@pytest.mark.parametrize("fps", [12.0, 24.0, 60.0])
def test_beams_sweep_as_fast_at_every_frame_rate(fps):
    """Half a turn a second is a sweep to the other side and back in four seconds."""
    found = play(show(move=0.5), round(2 * fps), fps)
    clock = np.arange(round(2 * fps)) / fps
    assert np.abs(found.swing - np.sin(np.pi * 0.5 * clock)).max() < np.pi * 0.5 / fps + 1e-6


def test_after_its_end_a_show_stays_as_it_ends():
    told = show(front_level=np.linspace(0.0, 1.0, len(CLOCK)))
    found = play(told, 200, 24.0)
    ended = int(np.ceil(CLOCK[-1] * 24))
    assert found.light["front"][ended:, :, 0] == pytest.approx(1.0)

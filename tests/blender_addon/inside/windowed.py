"""What the scripts have in common that go through their steps inside a Blender that has a window."""

import json
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import bpy

Step = Callable[[], object]


def override():
    """The context of the 3D View."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return bpy.context.temp_override(window=window, area=area, region=region)


def go(
    steps: Sequence[Step],
    report: dict,
    file: str,
    pause: float = 0.5,
    soon: Sequence[Step] = (),
    leave: bool = True,
) -> None:
    """Go through steps, each some redraws after the one before, as a person would. A step that returns True is not
    done and comes again.

    report: written to ``file`` at the end, with the names of the steps that were done, and the traceback of one that
        failed.
    pause: seconds between two steps.
    soon: steps that follow at once.
    leave: whether Blender ends.
    """
    bpy.context.preferences.view.show_splash = False
    ahead = list(steps)
    report["steps"] = []

    def step() -> float | None:
        try:
            if ahead[0]():
                return 0.2
            report["steps"].append(ahead.pop(0).__name__)
        except Exception:
            report["failed"] = traceback.format_exc()
            ahead.clear()
        if ahead:
            return 0.2 if ahead[0] in soon else pause
        Path(file).write_text(json.dumps(report))
        if leave:
            bpy.ops.wm.quit_blender()
        return None

    bpy.app.timers.register(step, first_interval=2.0)

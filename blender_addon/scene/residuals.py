"""What a rig does not show of its dance, kept with the action: see ``core.rig.residual``."""

from __future__ import annotations

import bpy
import numpy as np

from ..names import PREFIX
from ..shared import parts, proportions, residual
from . import rigs, staging, stitching

RESIDUAL = f"{PREFIX}residual"
"""The property of an action that has the residual of its dance, packed."""

START = f"{PREFIX}residual_start"
"""The property of an action with the frame that its residual begins on."""

BUILD = f"{PREFIX}residual_build"
"""The property of an action with the build of the rig that it was written for."""

_ALIKE = 1e-3  # by which the same build may differ, relatively


def keep(action: bpy.types.Action, found: residual.Residual, start: int, body: rigs.Rest) -> None:
    """Keep the residual of a dance with its action.

    start: the frame that it begins on.
    body: the bones that are read.
    """
    action[RESIDUAL] = found.packed()
    action[START] = start
    action[BUILD] = _build(body)


def of(armature: bpy.types.Object, body: rigs.Rest, frames: range) -> residual.Residual | None:
    """The residual of the dance that ``armature`` has, in these frames. None where it has none, one that was made for a
    rig of another build, or several dances in the NLA editor.

    body: the bones that are read.
    """
    action = staging.dance_of(armature)
    if action is None or RESIDUAL not in action or not np.allclose(action[BUILD], _build(body), rtol=_ALIKE):
        return None
    at = np.array(frames, dtype=float)
    if armature.animation_data.action is None:
        strips = staging.nla_strips(armature)
        if {strip.action for strip in strips} != {action} or len(strips) > 1:
            return None
        at = _of_action(strips[0], at)
    return _read(action).at(at - action[START])


def stitch(edited: bpy.types.Action, base: bpy.types.Action, made: bpy.types.Action, part: stitching.Range) -> None:
    """Give an action, in which a part of ``base`` is as in ``made``, the residual of what it has of both."""
    if RESIDUAL not in base or RESIDUAL not in made or not np.allclose(base[BUILD], made[BUILD], rtol=_ALIKE):
        for key in (RESIDUAL, START, BUILD):
            if key in edited:
                del edited[key]
        return
    old, new, start = _read(base), _read(made), base[START]
    new = new.at(np.arange(len(old.root)) + start - made[START])
    joints = parts.joints_of(part.chosen)
    edited[RESIDUAL] = old.replaced(new, part.first - start, part.last + 1 - start, joints).packed()
    edited[START], edited[BUILD] = start, list(base[BUILD])


def _read(action: bpy.types.Action) -> residual.Residual:
    return residual.Residual.unpacked(action[RESIDUAL])


def _build(body: rigs.Rest) -> list[float]:
    found = proportions.build_of({bone.joint: bone for bone in body.bones}, None)
    return [found.size, found.wide]


def _of_action(strip: bpy.types.NlaStrip, frames: np.ndarray) -> np.ndarray:
    """The frames (n,) of a strip's action that it plays on these of the scene."""
    first, last = strip.action_frame_start, strip.action_frame_end
    at = np.clip(frames, strip.frame_start, strip.frame_end) - strip.frame_start
    at = at / strip.scale
    if strip.repeat > 1:
        at = at % max(last - first, 1.0)
    return last - at if strip.use_reverse else first + at

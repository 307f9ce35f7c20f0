"""Write a dance into a new action: slotted, in bulk, and nothing else touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import bpy
import numpy as np

from ..errors import UserError
from ..names import PREFIX
from ..shared import retarget, skeleton, thinning
from . import fitting, floors, keying, residuals, standing, under
from .keying import Curve

KEPT = ("seed", "model", "audio_sha256", "engine", "tempo", "style")
"""Texts in a dance's file that its action keeps."""


def write_dance(
    result: str | Path,
    armature: bpy.types.Object,
    frame_start: int,
    *,
    name: str = "Dance",
    frames: int | None = None,
    properties: dict | None = None,
    keys: thinning.Spacing = thinning.EVERY_FRAME,
    say: Callable[[str], object] = lambda _: None,
) -> bpy.types.Action:
    """Give ``armature`` a new action with the dance that the engine left in the file ``result``.

    The action that was there before stays in the file; its curves that are not about bones are in the new one too.

    frame_start: where its first frame goes.
    frames: at most this many are written.
    properties: further custom properties of the action.
    keys: which frames are keyed.
    say: takes what the user should know, a sentence at a time: what the dance overrides, and what hides it.

    Raises UserError when the file is not a dance or the armature cannot take it; then nothing is changed.
    """
    values = read_dance(result)
    fitted = fitting.fit(_checked(values, result, frames), armature)
    curves, written = fitted.curves(keys)
    action = new_action(armature, name, curves, frame_start, told=say)
    kept = {key: str(values[key]) for key in KEPT if key in values} | written.properties
    for key, value in {**kept, **(properties or {})}.items():
        action[PREFIX + key] = value
    standing.remember(armature, action, fitted.rest)
    if fitted.is_read_as_keyed:
        residuals.keep(action, fitted.danced.residual, frame_start, fitted.body)
    if fitted.travel.origin is not None:
        action[floors.ORIGIN] = fitted.travel.origin.tolist()
    for line in fitted.said(frame_start):
        say(line)
    return action


def read_dance(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a dance's file: see ``core.formats.dance``. Raises UserError when it is damaged or no such file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # of a damaged file zipfile and numpy say nearly anything
        raise UserError(f"The dance {path} cannot be read ({error}). Generate it again.") from None


def new_action(
    target: bpy.types.ID,
    name: str,
    curves: Iterable[Curve],
    frame_start: int,
    *,
    told: Callable[[str], object] = lambda _: None,
) -> bpy.types.Action:
    """A new action with a slot for ``target``, assigned to it and kept by a fake user.

    The curves of the action before that are not about bones go along, so that the object itself moves as it did.

    told: takes a line about them.
    """
    data = target.animation_data or target.animation_data_create()
    before, slot_before = data.action, data.action_slot
    if before is not None and slot_before is not None and under.has_own(before, slot_before):
        action, slot = under.own_animation(before, slot_before, name)
        if line := under.told_own(action, slot):
            told(line)
    else:
        action = bpy.data.actions.new(name)
        slot = action.slots.new(id_type=target.id_type, name=target.name)
        action.layers.new("Layer").strips.new(type="KEYFRAME")
    action.use_fake_user = True
    channels = action.layers[0].strips[0].channelbag(slot, ensure=True)
    longest = 0
    for curve in curves:
        keying.add(channels, curve, frame_start)
        longest = max(longest, len(curve.values))
    if len(channels.fcurves) and action.curve_frame_range[1] - action.curve_frame_range[0] > max(longest - 1, 0):
        action.use_frame_range = True  # what the object does besides may be longer
        action.frame_start, action.frame_end = frame_start, frame_start + longest - 1
    if before is not None:
        before.use_fake_user = True  # else the user's animation would be gone after the next save
    data.action = action
    data.action_slot = slot
    return action


def _checked(values: dict[str, np.ndarray], result: str | Path, frames: int | None) -> retarget.Dance:
    """The dance of a file's ``values``, of at most ``frames`` frames."""
    try:
        rotations, root, joints = values["rotations"], values["root"], tuple(values["joints"].tolist())
    except KeyError:
        raise UserError(f"{result} holds no dance: joint rotations were expected. Generate the dance again.") from None
    if joints != skeleton.JOINTS or rotations.shape[1:] != (22, 4) or root.shape != (len(rotations), 3):
        raise UserError("The engine and the add-on are of different versions. Reinstall the add-on.")
    if not (np.isfinite(rotations).all() and np.isfinite(root).all()):
        raise UserError("The engine's dance has invalid numbers in it. Try another seed, or less Follow the Music.")
    stands = values["contacts"] > 0.5 if "contacts" in values else None
    return retarget.Dance(rotations[:frames], root[:frames], None if stands is None else stands[:frames])

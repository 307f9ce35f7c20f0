"""Write a dance into a new action: slotted, in bulk, and nothing else touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from ..errors import UserError
from ..names import PREFIX
from ..shared import channels, posing, retarget, skeleton, thinning
from . import controls, floors, ground, inverse, keying, limbs, rigs, seen, spacing, standing, strips, travelling, under
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

    frame_start: where its first frame goes.  frames: at most this many are written.  properties: further custom
    properties of the action.  keys: which frames are keyed.  say: takes what the user should know, a sentence at a
    time: what the dance overrides, and what hides it.
    Raises UserError when the file is not a dance or the armature cannot take it; then nothing is changed.
    """
    values = read_dance(result)
    dance = _checked(values, result, frames)
    rigs.check_writable(armature)
    mapped, keyed = rigs.bones(armature), rigs.keyed_bones(armature)
    scene = _scene_of(armature)
    rest, body = standing.rests_of(scene, armature, keyed)
    floor = ground.of(scene, armature, body) if scene else retarget.LEVEL
    danced = retarget.keys(dance, rest.bones, floor)
    travel = travelling.of(armature, danced, rest.turn)
    away = travel.away @ rest.turn.T
    placed = {j: (turns, at - away) for j, (turns, at) in danced.placed.items()}
    solved = limbs.of(armature, mapped, keyed) if inverse.wanted(armature) else ()
    led = inverse.keys(armature, solved, keyed, rest, placed, travel)
    keyed = inverse.led(keyed, solved)
    rotations = {bone: r for bone, r in danced.rotations.items() if bone not in led.unread} | led.rotations
    turned = {bone: _turned(armature, bone, r) for bone, r in rotations.items()}
    left = under.leftovers(armature, mapped.values(), {*turned, *rest.between}, {*travel.bones, *led.travels})
    left = [one for one in left if one.bone not in led.unread]
    curves = [
        *travel.curves,
        *(curve for bone, one in turned.items() for curve in _rotated(armature, bone, one)),
        *(curve for bone, way in led.travels.items() for curve in _travelled(armature, bone, way)),
        *_valued(led),
        *_posed(armature, rest.between),
        *_held(left),
        *_switched(keyed),
    ]
    posed = spacing.body(rest, led, travel)
    tracks = spacing.tracks(turned, danced, led, rest)
    fps = strips.frame_rate(scene or bpy.context.scene)
    spaced, written = spacing.spaced(curves, keys, tracks, posed, dance.stands, fps)
    grouped = spacing.grouped(spaced, armature, keyed.bones, led.joints)
    action = new_action(armature, name, grouped, frame_start, told=say)
    kept = {key: str(values[key]) for key in KEPT if key in values} | written.properties
    for key, value in {**kept, **(properties or {})}.items():
        action[PREFIX + key] = value
    standing.remember(action, rest)
    if travel.origin is not None:
        action[floors.ORIGIN] = travel.origin.tolist()
    said = [travel.said, inverse.told(armature, solved), under.told(left)]
    said.append(under.told_locked(armature, turned, (*travel.bones, *led.travels)))
    if not (rest.known or standing.stands(armature)):
        said.append(standing.told(armature))
    if scene:
        heads = {joint: at for joint, (_, at) in placed.items()}
        said += seen.check(seen.Dance(scene, armature, mapped, keyed, rest, heads, frame_start))
    for line in filter(None, said):
        say(line)
    return action


def read_dance(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a dance's file: see ``core.formats.dance``. Raises UserError when it is damaged or no such file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # of a damaged file zipfile and numpy say nearly anything
        raise UserError(f"The dance {path} cannot be read ({error}). Generate it again.") from None


def _turned(armature: bpy.types.Object, name: str, rotations: np.ndarray) -> posing.Channels:
    """A bone's rotations (t, 4) as the channels of its own rotation mode."""
    mode = armature.pose.bones[name].rotation_mode
    return posing.Channels(channels.of(rotations, mode), mode)


def _rotated(armature: bpy.types.Object, name: str, turned: posing.Channels) -> Iterable[Curve]:
    """The curves of a bone's rotations."""
    path = f"{controls.bone_path(name)}.{under.rotation_channel(turned.mode)}"
    yield from (Curve(path, i, one, name, (name, posing.TURN)) for i, one in enumerate(turned.values.T))


def _travelled(armature: bpy.types.Object, name: str, way: np.ndarray) -> Iterable[Curve]:
    """The curves of a control that travels (t, 3) along the armature's axes."""
    return travelling.bone_curves(armature.data.bones[name], way, (name, posing.PLACE))


def _valued(led: inverse.Keys) -> Iterable[Curve]:
    """Curves that hold the properties of controls."""
    return (Curve(one.path, 0, np.array([one.value]), one.bone) for one in led.values)


def new_action(
    target: bpy.types.ID,
    name: str,
    curves: Iterable[Curve],
    frame_start: int,
    *,
    told: Callable[[str], object] = lambda _: None,
) -> bpy.types.Action:
    """A new action with a slot for ``target``, assigned to it and kept by a fake user.

    The curves of the action before that are not about bones go along, so that the object itself moves as it did. told:
    takes a line about them.
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


def _scene_of(armature: bpy.types.Object) -> bpy.types.Scene | None:
    """The scene that ``armature`` is in: the user's if it is in several."""
    scenes = [bpy.context.scene, *armature.users_scene]
    return next((scene for scene in scenes if armature.name in scene.objects), None)


def _posed(armature: bpy.types.Object, between: dict[str, np.ndarray]) -> Iterable[Curve]:
    """Curves that hold bones in a pose (4,)."""
    for name, turn in between.items():
        yield from (replace(one, track=None) for one in _rotated(armature, name, _turned(armature, name, turn[None])))


def _held(left: list[under.Leftover]) -> Iterable[Curve]:
    """Curves that hold channels at rest."""
    for one in left:
        path = f"{controls.bone_path(one.bone)}.{one.channel}"
        yield from (Curve(path, i, np.array([value]), one.bone) for i, value in enumerate(under.REST[one.channel]))


def _switched(keyed: controls.Controls) -> Iterable[Curve]:
    """Curves that let the keyed bones lead."""
    return (Curve(switch.path, 0, np.array([switch.value]), switch.bone) for switch in keyed.switches)


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

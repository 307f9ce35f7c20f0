"""A dance fitted to a rig: what every bone and control is to do, calculated before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..shared import channels, posing, retarget, thinning
from . import controls, ground, inverse, limbs, rigs, seen, spacing, standing, strips, travelling, under
from .keying import Curve


@dataclass(frozen=True, eq=False)
class Fitted:
    """A dance on the bones of an armature.

    scene: where the armature is; None if it is in none.
    mapped: our joints' names -> the bones that move with them.
    keyed: the controls that are keyed; of limbs with inverse kinematics, those that let it lead.
    rest: how the keyed bones stand at rest.
    body: how the bones do that are read.
    danced: the keys of all bones, as if none had inverse kinematics.
    placed: joint -> how its bone is turned (t, 4) from its rest and where it starts (t, 3), without what carries it.
    travel: how the dance moves the rig about.
    solved: the limbs with inverse kinematics that are keyed by it.
    led: their keys.
    turned: bone -> its rotations.
    left: channels that would add to the dance and are held at rest.
    """

    dance: retarget.Dance
    armature: bpy.types.Object
    scene: bpy.types.Scene | None
    mapped: dict[str, str]
    keyed: controls.Controls
    rest: rigs.Rest
    body: rigs.Rest
    danced: retarget.Keys
    placed: dict[int, tuple[np.ndarray, np.ndarray]]
    travel: travelling.Travel
    solved: Sequence[limbs.Limb]
    led: inverse.Keys
    turned: dict[str, posing.Channels]
    left: list[under.Leftover]

    @property
    def is_read_as_keyed(self) -> bool:
        """Whether the bones that are read are of the same joints as those that are keyed."""
        read, keyed = ({bone.joint for bone in rest.bones if bone.share is None} for rest in (self.body, self.rest))
        return read == keyed

    def curves(self, keys: thinning.Spacing) -> tuple[list[Curve], spacing.Written]:
        """The curves of an action, in groups by limb, with the keys that are wanted, and how many these are."""
        armature, led, rest = self.armature, self.led, self.rest
        dense = [
            *self.travel.curves,
            *(curve for bone, one in self.turned.items() for curve in _rotated(bone, one)),
            *(curve for bone, way in led.travels.items() for curve in _travelled(armature, bone, way)),
            *_valued(led),
            *_posed(armature, rest.between),
            *_held(self.left),
            *_switched(self.keyed),
        ]
        tracks = spacing.tracks(self.turned, self.danced, led, rest)
        body = spacing.body(rest, led, self.travel)
        fps = strips.frame_rate(self.scene or bpy.context.scene)
        spaced, written = spacing.spaced(dense, keys, tracks, body, self.dance.stands, fps)
        return spacing.grouped(spaced, armature, self.keyed.bones, led.joints), written

    def said(self, frame_start: int) -> list[str]:
        """What the user should know once it is written, a sentence each: what it overrides, and what hides it.

        frame_start: the frame that it begins on.
        """
        armature, led, travel = self.armature, self.led, self.travel
        said = [travel.said, inverse.told(armature, self.solved), under.told(self.left)]
        said.append(under.told_locked(armature, self.turned, (*travel.bones, *led.travels)))
        if not (self.rest.known or standing.stands(armature)):
            said.append(standing.told(armature))
        if self.scene:
            heads = {joint: at for joint, (_, at) in self.placed.items()}
            shown = seen.Dance(self.scene, armature, self.mapped, self.keyed, self.rest, heads, frame_start)
            said += seen.check(shown)
        return [line for line in said if line]


def fit(dance: retarget.Dance, armature: bpy.types.Object) -> Fitted:
    """Fit a dance to an armature. Writes nothing.

    Raises UserError when the armature cannot take it.
    """
    rigs.check_writable(armature)
    mapped, keyed = rigs.bones(armature), rigs.keyed_bones(armature)
    scene = _scene_of(armature)
    rest, body = standing.rests_of(scene, armature, keyed)
    floor = ground.of(scene, armature, body) if scene else retarget.LEVEL
    danced = retarget.keys(dance, rest.bones, floor)
    travel = travelling.of(armature, danced, rest.turn)
    away = travel.away @ rest.turn.T
    placed = {joint: (turns, at - away) for joint, (turns, at) in danced.placed.items()}
    solved = limbs.of(armature, mapped, keyed) if inverse.wanted(armature) else ()
    led = inverse.keys(armature, solved, keyed, rest, placed, travel)
    rotations = {bone: r for bone, r in danced.rotations.items() if bone not in led.unread} | led.rotations
    turned = {bone: _turned(armature, bone, r) for bone, r in rotations.items()}
    left = under.leftovers(armature, mapped.values(), {*turned, *rest.between}, {*travel.bones, *led.travels})
    left = [one for one in left if one.bone not in led.unread]
    keyed = inverse.led(keyed, solved)
    return Fitted(dance, armature, scene, mapped, keyed, rest, body, danced, placed, travel, solved, led, turned, left)


def _scene_of(armature: bpy.types.Object) -> bpy.types.Scene | None:
    """The scene that ``armature`` is in: the user's if it is in several."""
    scenes = [bpy.context.scene, *armature.users_scene]
    return next((scene for scene in scenes if armature.name in scene.objects), None)


def _turned(armature: bpy.types.Object, name: str, rotations: np.ndarray) -> posing.Channels:
    """A bone's rotations (t, 4) as the channels of its own rotation mode."""
    mode = armature.pose.bones[name].rotation_mode
    return posing.Channels(channels.of(rotations, mode), mode)


def _rotated(name: str, turned: posing.Channels) -> Iterable[Curve]:
    """The curves of a bone's rotations."""
    path = f"{controls.bone_path(name)}.{under.rotation_channel(turned.mode)}"
    yield from (Curve(path, i, one, name, (name, posing.TURN)) for i, one in enumerate(turned.values.T))


def _travelled(armature: bpy.types.Object, name: str, way: np.ndarray) -> Iterable[Curve]:
    """The curves of a control that travels (t, 3) along the armature's axes."""
    return travelling.bone_curves(armature.data.bones[name], way, (name, posing.PLACE))


def _valued(led: inverse.Keys) -> Iterable[Curve]:
    """Curves that hold the properties of controls."""
    return (Curve(one.path, 0, np.array([one.value]), one.bone) for one in led.values)


def _posed(armature: bpy.types.Object, between: dict[str, np.ndarray]) -> Iterable[Curve]:
    """Curves that hold bones in a pose (4,)."""
    for name, turn in between.items():
        yield from (replace(one, track=None) for one in _rotated(name, _turned(armature, name, turn[None])))


def _held(left: list[under.Leftover]) -> Iterable[Curve]:
    """Curves that hold channels at rest."""
    for one in left:
        path = f"{controls.bone_path(one.bone)}.{one.channel}"
        yield from (Curve(path, i, np.array([value]), one.bone) for i, value in enumerate(under.REST[one.channel]))


def _switched(keyed: controls.Controls) -> Iterable[Curve]:
    """Curves that let the keyed bones lead."""
    return (Curve(switch.path, 0, np.array([switch.value]), switch.bone) for switch in keyed.switches)

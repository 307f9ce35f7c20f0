"""Inverse kinematics of control rigs: hands, feet and poles are keyed, so that feet stay easy to edit.

A hand or a foot control goes rigidly with the hand or foot of the dance, and a pole stands where the limb bends to.
What carries a control may move with the dance itself: the root bone, the hips, or the control of a foot that carries a
pole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import bpy
import numpy as np

from ..names import BONES_PROPERTY
from ..shared import posing, proportions, quaternion, skeleton, thinning
from . import controls, rigs
from .limbs import Limb, Value
from .travelling import Travel

FK = "FK"
IK = "IK"

_BENT = 0.02
"""Of a limb's length: where the middle joint is nearer to the straight limb, the bone above tells where it bends to."""


@dataclass(frozen=True)
class Moved:
    """A bone in every frame.

    turn: (t, 4) from its rest.
    head: (t, 3) where it starts.
    rest: (3,) where it does at rest.
    """

    turn: np.ndarray
    head: np.ndarray
    rest: np.ndarray

    def carried(self, turn: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A turn (t, 4) and a place (t, 3) as this bone at rest would have to carry them."""
        back = quaternion.conjugate(self.turn)
        return quaternion.mul(back, turn), self.rest + quaternion.rotate(back, place - self.head)


@dataclass
class Keys:
    """Keys of such controls.

    rotations: bone -> (t, 4).
    travels: bone -> (t, 3), along the armature's axes.
    controls: those that travel.
    joints: bone -> the joint at the start of its limb.
    values: that further numbers are to have.
    unread: bones that need no keys.
    """

    rotations: dict[str, np.ndarray] = field(default_factory=dict)
    travels: dict[str, np.ndarray] = field(default_factory=dict)
    controls: list[posing.Control] = field(default_factory=list)
    joints: dict[str, str] = field(default_factory=dict)
    values: tuple[Value, ...] = ()
    unread: frozenset[str] = frozenset()


def wanted(armature: bpy.types.Object) -> bool:
    """Whether the user wants such controls keyed, where there are any."""
    return getattr(getattr(armature, BONES_PROPERTY, None), "keys", FK) == IK


def told(armature: bpy.types.Object, limbs: Sequence[Limb]) -> str:
    """One line where they are wanted and there are none; else empty."""
    if limbs or not wanted(armature):
        return ""
    return (
        f"{armature.name!r} has no hands and feet with inverse kinematics and a pole that Footlight knows, so the "
        "controls of each bone are keyed."
    )


def led(keyed: controls.Controls, limbs: Sequence[Limb]) -> controls.Controls:
    """``keyed``, with switches that let inverse kinematics lead."""
    paths = {path for limb in limbs for path in limb.turned}
    turned = (
        replace(one, value=1.0 - one.value, on=one.off, off=one.on) if one.path in paths else one
        for one in keyed.switches
    )
    further = {one.path: one for limb in limbs for one in limb.further}
    return replace(keyed, switches=(*turned, *further.values()))


def keys(
    armature: bpy.types.Object,
    limbs: Sequence[Limb],
    keyed: controls.Controls,
    rest: rigs.Rest,
    placed: Mapping[int, tuple[np.ndarray, np.ndarray]],
    travel: Travel,
) -> Keys:
    """The keys of hands, feet and poles for a dance, and of hands and feet that hang elsewhere than on their limbs.

    rest: the bones of ``keyed``.
    placed: of ``retarget.Keys``, without what the object does.
    """
    unread = frozenset(name for limb in limbs for name in limb.unread)
    found = Keys(values=tuple(value for limb in limbs for value in limb.values), unread=unread)
    bones = {bone.joint: bone for bone in rest.bones}
    moving = {b.name: Moved(*placed[j], b.head) for j, b in bones.items() if j in placed and b.name not in unread}
    if travel.root:
        at, way = rest.turn @ np.array(armature.data.bones[travel.root].head_local), travel.below @ rest.turn.T
        moving[travel.root] = Moved(np.tile(quaternion.IDENTITY, (len(way), 1)), at + way, at)
    writer = _Writer(armature, keyed, rest.turn, moving, found)
    for limb in limbs:
        upper, middle, end = (skeleton.JOINTS.index(joint) for joint in limb.joints)
        foot = thinning.FEET.index(end) if end in thinning.FEET else -1
        writer.turn(limb.end, Moved(*placed[end], bones[end].head), travels=True)
        pole = writer.head(limb.pole)
        writer.travel(limb.pole, _pole(placed, (upper, middle, end), pole, bones))
        if limb.toes:
            toe = skeleton.JOINTS.index(limb.joints[2].replace("ankle", "foot"))
            writer.turn(limb.toes, Moved(*placed[toe], bones[toe].head))
        reach = float(np.linalg.norm(pole - bones[middle].head))
        found.controls += [posing.Control(limb.end, foot), posing.Control(limb.pole, reach=reach)]
        found.joints |= dict.fromkeys(filter(None, (limb.end, limb.pole, limb.toes)), limb.joints[0])
    for bone in rest.bones:
        if bone.goes_with >= 0 and bone.name not in found.travels and bone.joint in placed:
            foot = thinning.FEET.index(bone.joint) if bone.joint in thinning.FEET else -1
            writer.turn(bone.name, Moved(*placed[bone.joint], bone.head), travels=True)
            found.controls.append(posing.Control(bone.name, foot))
    return found


@dataclass(frozen=True)
class _Writer:
    """Poses controls one after another.

    keyed: of the rig.
    upright: the turn of its ``rigs.Rest``.
    moving: bones that move.
    into: takes the keys.
    """

    armature: bpy.types.Object
    keyed: controls.Controls
    upright: np.ndarray
    moving: dict[str, Moved]
    into: Keys

    def head(self, name: str) -> np.ndarray:
        """Where a control starts at rest (3,)."""
        return self.upright @ np.array(self.armature.data.bones[name].head_local)

    def turn(self, name: str, with_bone: Moved, *, travels: bool = False) -> None:
        """Turn a control with a bone, and let it travel with it."""
        head = self.head(name)
        place = with_bone.head + quaternion.rotate(with_bone.turn, head - with_bone.rest)
        turn, at = self._carried(name, with_bone.turn, place)
        own = quaternion.from_matrix(self.upright @ np.array(self.armature.data.bones[name].matrix_local.to_3x3()))
        moved = quaternion.mul(quaternion.conjugate(own), quaternion.mul(turn, own))
        self.into.rotations[name] = quaternion.continuous(moved)
        if travels:
            self.into.travels[name] = (at - head) @ self.upright
        self.moving[name] = Moved(with_bone.turn, place, head)

    def travel(self, name: str, place: np.ndarray) -> None:
        """Move a control to a place (t, 3)."""
        still = np.tile(quaternion.IDENTITY, (len(place), 1))
        self.into.travels[name] = (self._carried(name, still, place)[1] - self.head(name)) @ self.upright

    def _carried(self, name: str, turn: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A turn and a place as what carries a control at rest would have to carry them."""
        line = [name, *controls.above(self.armature, self.keyed, name)]
        line += controls.followed(self.armature, line[-1])  # Rigify's controls hang on a bone that follows the root
        carrier = next((one for one in line[1:] if one in self.moving), None)
        return self.moving[carrier].carried(turn, place) if carrier else (turn, place)


def _pole(
    placed: Mapping[int, tuple[np.ndarray, np.ndarray]],
    joints: tuple[int, int, int],
    pole: np.ndarray,
    rest: Mapping[int, proportions.RestBone],
) -> np.ndarray:
    """Where the pole is (t, 3): as far from the middle joint as at rest, where the limb bends to."""
    upper, middle, end = (placed[joint][1] for joint in joints)
    line = quaternion.unit(end - upper)
    out = middle - upper - ((middle - upper) * line).sum(-1, keepdims=True) * line
    limb = np.linalg.norm(end - upper, axis=-1, keepdims=True)
    along = quaternion.rotate(placed[joints[0]][0], pole - rest[joints[1]].head)
    along = quaternion.unit(along - (along * line).sum(-1, keepdims=True) * line)
    straight = np.clip(1.0 - np.linalg.norm(out, axis=-1, keepdims=True) / (_BENT * limb), 0.0, 1.0)
    aside = _aside([rest[joint].head for joint in joints], pole)
    bend = np.cos(aside) * quaternion.unit(out) + np.sin(aside) * np.cross(line, quaternion.unit(out))
    way = quaternion.unit(bend * (1.0 - straight) + along * straight)
    return middle + np.linalg.norm(pole - rest[joints[1]].head) * way


def _aside(limb: list[np.ndarray], pole: np.ndarray) -> float:
    """The angle about a limb at rest from where it bends to its pole: as they are there, the solver keeps them.

    limb: the places (3,) of its start, middle and end.
    """
    upper, middle, end = limb
    line = quaternion.unit(end - upper)
    out, way = (one - (one @ line) * line for one in (middle - upper, pole - middle))
    return float(np.arctan2(np.cross(out, way) @ line, out @ way))

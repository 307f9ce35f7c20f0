"""Retargets motion from our joints to the bones of an armature, and back.

Our rotations are given for 22 joints in SMPL order, y up. Each is local to its parent joint, and the identity in a
T-pose that faces +z. A bone has its own rest orientation, and its pose is relative to that and to the bone above. Let

    C    be the change of axes from (y up, facing +z) to Blender's (z up, facing -y),
    G_j  the rotation of joint j relative to our T-pose in Blender's axes: the product of C l C* down from the root,
         where l is a local rotation,
    R_j  the bone's rest orientation,
    D_j  the rotation from the bone's rest direction to the joint's direction in the T-pose.

The world orientation of the bone is then ``G_j D_j R_j``. Let p be the next of these bones above. Those that share the
turn of two others (``sharing``) are such bones too. All others keep their rest pose, so the bone's own pose is
``R_j* D_p* (G_p* G_j) D_j R_j``. A star is the inverse. Without p, G_p and D_p are the identity.

All functions here expect bones to which ``proportions.upright`` was already applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from . import feet, hips, relief
from . import quaternion as quat
from .feet import LEGS
from .proportions import HIPS, Build, C, RestBone, alignments, build_of, drops, heights_of, to_blender
from .residual import Residual
from .sharing import TRUNK
from .skeleton import JOINTS, OFFSETS, PARENTS, standing

_TRUNK = tuple(JOINTS.index(name) for name in TRUNK)
_IDENTITY = np.array(quat.IDENTITY)
_UP = np.array((0.0, 0.0, 1.0))
_STEPS = 5  # of finding how hips give way to the legs
_ROUNDS = 2  # of finding the legs of a dance from those of a rig


@dataclass(frozen=True)
class Keys:
    """Keys for an armature.

    rotations: bone name -> (t, 4) wxyz, sign-continuous.
    root: name of the bone that also has location keys.
    location: (t, 3) of that bone, along its own rest axes, in the armature's units.
    placed: joint -> how its bone is turned (t, 4) from its rest and where it starts (t, 3), if these keys alone decide.
        Bones that do not hang on that of the pelvis are left out.
    residual: what these keys do not show of the dance.
    """

    rotations: dict[str, np.ndarray]
    root: str
    location: np.ndarray
    placed: dict[int, tuple[np.ndarray, np.ndarray]]
    residual: Residual


@dataclass(frozen=True)
class Dance:
    """A dance of our body.

    rotations: (t, 22, 4) local rotations, wxyz.
    root: (t, 3) positions of the pelvis, metres, y up.
    stands: (t, 4) bool, which of left ankle, left toe, right ankle and right toe stand; None where it is not known.
    """

    rotations: np.ndarray
    root: np.ndarray
    stands: np.ndarray | None = None


@dataclass(frozen=True)
class Ground:
    """The floor that a rig dances on, in its upright space and units.

    height: where the rig stands at rest; None for the floor on which its rest pose stands.
    relief: by how much it is higher elsewhere; None for a level floor.
    """

    height: float | None = None
    relief: relief.Relief | None = None


LEVEL = Ground()


def keys(dance: Dance, bones: Sequence[RestBone], ground: Ground = LEVEL) -> Keys:
    """The keys of every bone in every frame.

    A rig of another size travels in proportion to its legs. The middle of the stage is where it stands at rest. Where
    it is known which feet stand, they do so on the rig too.

    bones: the mapped bones; joint 0 must be among them.
    ground: the floor. Feet can follow its relief where it is known which of them stand.
    """
    by_joint = {bone.joint: bone for bone in bones}
    align = alignments(by_joint)
    turned, starts = _danced(dance, by_joint, align, ground)
    found = {}
    for joint, bone in by_joint.items():
        relative, above = turned[joint], _IDENTITY
        if bone.parent >= 0 and bone.inherits:
            relative, above = quat.mul(quat.conjugate(turned[bone.parent]), relative), align[bone.parent]
        before = quat.mul(quat.conjugate(bone.rotation), quat.conjugate(above))
        found[bone.name] = quat.continuous(quat.mul(quat.mul(before, relative), quat.mul(align[joint], bone.rotation)))
    carrier = by_joint[0]
    location = quat.rotate(quat.conjugate(carrier.rotation), starts[0] - carrier.head)
    placed = {joint: (quat.mul(turned[joint], align[joint]), start) for joint, start in starts.items()}
    seen = {joint: turned[joint] for joint in by_joint if joint < len(JOINTS)}
    residual = Residual.between(dance.rotations, dance.root, *_seen(seen, starts[0], by_joint, ground))
    return Keys(found, carrier.name, location, placed, residual)


def _danced(
    dance: Dance, by_joint: Mapping[int, RestBone], align: Mapping[int, np.ndarray], ground: Ground
) -> tuple[list[np.ndarray], dict[int, np.ndarray]]:
    """How every joint is turned (t, 4) in a dance on the rig, and where its bones start (t, 3)."""
    dancer, build = _turned(dance.rotations), build_of(by_joint, ground.height)
    pelvis = to_blender(np.asarray(dance.root, dtype=float)) * build.size + build.floor
    between = pelvis + quat.rotate(dancer[0], build.hips - build.pelvis)
    ours = dancer.copy()
    if dance.stands is not None:
        ours[0] = hips.steadied(dancer[0], build.wide)
        _settle(ours, dance.stands, by_joint, build.size)

    def carrier(between: np.ndarray) -> np.ndarray:
        """Where the bone of the pelvis starts (t, 3) with the middle between the hips at ``between`` (t, 3)."""
        return between + quat.rotate(ours[0], by_joint[0].head - build.hips)

    def posed(start: np.ndarray) -> tuple[list[np.ndarray], dict[int, np.ndarray]]:
        turned = ours + _shared(ours, by_joint, align)
        return turned, _starts(turned, start, by_joint, align)

    turned, starts = posed(start := carrier(between))
    if dance.stands is None or not starts.keys() >= {joint for leg in LEGS for joint in leg[:3]}:
        return turned, starts
    models, lower = _our_legs(dancer, pelvis, build.size), drops(by_joint, build.size)
    legs = list(zip(LEGS, (dance.stands[:, :2], dance.stands[:, 2:]), lower, strict=True))
    steady, way = ours[0], hips.Way.none(len(pelvis))
    for _ in range(_STEPS):
        both = [
            (feet.foot(leg, starts, models, stood, drop), feet.leg(turned, leg, starts)) for leg, stood, drop in legs
        ]
        way = way.further(both, build.size, build.wide)
        ours[0] = quat.mul(quat.from_vector(way.turned), steady)
        turned, starts = posed(start := carrier(between + build.size * way.moved))
    for leg, stood, drop in legs:
        feet.plant(ours, leg, starts, models, stood, drop)
    turned, starts = posed(start)
    if ground.relief is None:
        return turned, starts
    heights, level = heights_of(by_joint), float(build.floor[2])
    terrain = relief.Terrain(ground.relief, heights, level, build.size)
    return posed(start + relief.climb(ours, starts, dance.stands, terrain))


def _settle(turned: list[np.ndarray], stands: np.ndarray, by_joint: Mapping[int, RestBone], size: float) -> None:
    """Turn standing feet that are longer or higher than ours, in the rig's size, less than ours turn."""
    for side, (*_, ankle, toe) in enumerate(LEGS):
        if toe in by_joint and ankle in by_joint:
            foot, ours = by_joint[toe].head - by_joint[ankle].head, size * to_blender(OFFSETS[toe])
            turn = feet.settled(turned[ankle], stands[:, 2 * side], stands[:, 2 * side + 1], foot, ours)
            turned[ankle] = quat.mul(turn, turned[ankle])
            turned[toe] = quat.mul(quat.twist(turn, _UP), turned[toe])


def _in_metres(floor: relief.Relief, build: Build) -> relief.Relief:
    """A floor in the rig's units as one in metres, about where the rig stands at rest."""
    return lambda places: floor(build.size * places + build.floor[:2]) / build.size


def _shared(
    turned: Sequence[np.ndarray], by_joint: Mapping[int, RestBone], align: Mapping[int, np.ndarray]
) -> list[np.ndarray]:
    """How the bones that share are turned (t, 4), in their order."""
    shares = [bone.share for bone in by_joint.values() if bone.share]
    return [share.of(*(quat.mul(turned[j], align[j]) for j in (share.above, share.below))) for share in shares]


def _our_legs(turned: Sequence[np.ndarray], pelvis: np.ndarray, size: float) -> dict[int, np.ndarray]:
    """Joint -> (t, 3) where the joints of our legs are.

    pelvis: (t, 3) where ours is.
    size: ours, in its units.
    """
    ours = {0: pelvis}
    for leg in LEGS:
        for parent, joint in pairwise((0, *leg)):
            ours[joint] = ours[parent] + quat.rotate(turned[parent], size * to_blender(OFFSETS[joint]))
    return ours


def _starts(
    turned: Sequence[np.ndarray],
    start: np.ndarray,
    by_joint: Mapping[int, RestBone],
    align: Mapping[int, np.ndarray],
) -> dict[int, np.ndarray]:
    """Joint -> (t, 3) where its bone starts.

    start: (t, 3) where that of the pelvis does.
    """
    found = {0: start}

    def place(joint: int) -> np.ndarray | None:
        if joint not in found and joint >= 0:
            bone = by_joint[joint]
            above = place(bone.carrier)
            if above is not None:
                whole = quat.mul(turned[bone.carrier], align[bone.carrier])
                found[joint] = above + quat.rotate(whole, bone.head - by_joint[bone.carrier].head)
        return found.get(joint)

    return {joint: at for joint in by_joint if (at := place(joint)) is not None}


def motion(
    matrices: np.ndarray,
    bones: Sequence[RestBone],
    fps: float,
    ground: Ground = LEVEL,
    residual: Residual | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The motion of an animated armature: the inverse of ``keys``.

    Returns rotations (t, 22, 4), wxyz and sign-continuous, and root (t, 3) in metres, y up. Joints of spine and neck
    without a bone share the bend between those that have one. Other joints without a bone stay straight; the next joint
    below that has a bone takes over their rotation.

    matrices: (t, n, 4, 4) world transforms of ``bones`` in every frame, after ``upright``. They may scale and shear.
    bones: the mapped bones; joint 0 must be among them.
    fps: frames per second. Feet that stand still on the rig do so on our body.
    ground: as in ``keys``; a dance that follows its relief comes back as on a level floor.
    residual: of the dance that the armature has, in these frames. With it, the motion is as the rig shows it, and the
        residual is added.
    """
    by_joint = {bone.joint: bone for bone in bones}
    align = alignments(by_joint)
    turned = {}
    for i, bone in enumerate(bones):
        at_rest = quat.mul(align[bone.joint], bone.rotation)
        turned[bone.joint] = quat.mul(quat.orientation(matrices[:, i, :3, :3]), quat.conjugate(at_rest))
    heads = {bone.joint: matrices[:, i, :3, 3] for i, bone in enumerate(bones)}
    if residual is not None:
        return residual.added(*_seen(turned, heads[0], by_joint, ground))
    build = build_of(by_joint, ground.height)
    places = {joint: (head - build.floor) / build.size for joint, head in heads.items()}
    pelvis = _pelvis(turned[0], heads[0], by_joint, build)
    turned |= _bent(turned)
    if ground.relief is not None:
        heights = {joint: height / build.size for joint, height in heights_of(by_joint).items()}
        lift = relief.flatten(turned, places, fps, relief.Terrain(_in_metres(ground.relief, build), heights))
        pelvis = pelvis - lift
        places |= {joint: places[joint] - lift for joint in HIPS}
    _stand(turned, places, pelvis, by_joint, align, build.size, fps)
    return _as_ours(turned, pelvis)


def _seen(
    turned: Mapping[int, np.ndarray], head: np.ndarray, by_joint: Mapping[int, RestBone], ground: Ground
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (t, 22, 4) and root (t, 3) of a rig as it is, each frame by itself.

    turned: joint -> how it is turned (t, 4).
    head: (t, 3) where the bone of the pelvis starts.
    """
    pelvis = _pelvis(turned[0], head, by_joint, build_of(by_joint, ground.height))
    return _as_ours({**turned, **_bent(turned)}, pelvis)


def _pelvis(turned: np.ndarray, head: np.ndarray, by_joint: Mapping[int, RestBone], build: Build) -> np.ndarray:
    """Where our pelvis is (t, 3), metres.

    turned, head: (t, 4) and (t, 3) of the bone of the pelvis.
    """
    hip = (head - build.floor - quat.rotate(turned, by_joint[0].head - build.hips)) / build.size
    return hip - quat.rotate(turned, build.hips - build.pelvis) / build.size


def _as_ours(turned: Mapping[int, np.ndarray], pelvis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Local rotations (t, 22, 4), sign-continuous, and root (t, 3), y up, of joints that are turned (t, 4) and a pelvis
    (t, 3), both in Blender's axes."""
    rotations = np.tile(_IDENTITY, (len(pelvis), len(JOINTS), 1))
    for joint, now in turned.items():
        parent = PARENTS[joint]
        while parent >= 0 and parent not in turned:
            parent = PARENTS[parent]
        local = quat.mul(quat.conjugate(turned[parent]), now) if parent >= 0 else now
        rotations[:, joint] = quat.mul(quat.mul(quat.conjugate(C), local), C)
    x, y, z = np.moveaxis(pelvis, -1, 0)
    return quat.continuous(rotations), np.stack((x, z, -y), axis=-1)


def _stand(
    turned: dict[int, np.ndarray],
    places: Mapping[int, np.ndarray],
    pelvis: np.ndarray,
    by_joint: Mapping[int, RestBone],
    align: Mapping[int, np.ndarray],
    size: float,
    fps: float,
) -> None:
    """Turn our thighs and shins until feet that stand on a rig stand on our body too.

    They are found so that ``keys`` would turn the rig's legs as they are.

    turned: joint -> (t, 4).
    places: joint -> (t, 3) where it is on the rig, in our size.
    pelvis: (t, 3) where ours is.
    size: the rig's units per metre of our body.
    """
    if not all(joint in turned for leg in LEGS for joint in leg[:3]):
        return
    for leg, drop in zip(LEGS, drops(by_joint, size), strict=True):
        ends = [joint for joint in leg[2:] if joint in places]
        lifts = [places[joint][:, 2] - standing()[joint, 1] - drop / size * (joint == leg[3]) for joint in ends]
        stands = feet.standing(np.stack([places[joint] for joint in ends], axis=1), np.stack(lifts, axis=1), fps)
        known = [joint for joint in leg if joint in places]

        def ours() -> dict[int, np.ndarray]:
            straight = [turned[joint] if joint in turned else turned[0] for joint in range(len(JOINTS))]
            return _our_legs(straight, pelvis, 1.0)

        shown = {joint: turned[joint] for joint in leg[:2]}
        feet.plant(turned, leg, {j: at for j, at in ours().items() if j in known}, places, stands, -drop / size)
        for _ in range(_ROUNDS):
            danced, starts = {joint: turned[joint] for joint in leg[:2]}, {leg[0]: places[leg[0]]}
            for upper, lower in pairwise(known):
                bone = (by_joint[lower].head - by_joint[upper].head) / size
                starts[lower] = starts[upper] + quat.rotate(quat.mul(turned[upper], align[upper]), bone)
            feet.plant(danced, leg, starts, ours(), stands, drop / size)
            for joint, now in danced.items():
                turned[joint] = quat.mul(quat.mul(shown[joint], quat.conjugate(now)), turned[joint])


def _bent(turned: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
    """How the joints of spine and neck are turned (t, 4) that have no bone, between two that have one."""
    found = {}
    known = [i for i, joint in enumerate(_TRUNK) if joint in turned]
    for below, above in pairwise(known):
        for i in range(below + 1, above):
            share = (i - below) / (above - below)
            found[_TRUNK[i]] = quat.mix(turned[_TRUNK[below]], turned[_TRUNK[above]], share)
    return found


def _turned(rotations: np.ndarray) -> list[np.ndarray]:
    """G: the rotation (t, 4) of every joint relative to our T-pose, from our local rotations (t, 22, 4)."""
    local = quat.mul(quat.mul(C, np.asarray(rotations, dtype=float)), quat.conjugate(C))
    turned: list[np.ndarray] = []
    for joint, parent in enumerate(PARENTS):
        turned.append(local[:, joint] if parent < 0 else quat.mul(turned[parent], local[:, joint]))
    return turned

"""Dances on the bones of other rigs, and back. The oracle is the forward kinematics of the rig itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.rig import proportions, retarget
from core.rig import quaternion as quat
from core.rig.skeleton import BODY, JOINTS, PARENTS, standing

FRAMES = 40
STANDING = proportions.to_blender(standing())


def some_dance():
    generator = np.random.default_rng(3)
    t = np.linspace(0, 1, FRAMES)[:, None, None]
    turns = np.zeros((FRAMES, 22, 4))
    turns[..., 0] = 1
    for k in range(3):
        turns[..., 1:] += 0.4 * generator.normal(size=(22, 3)) * np.sin(2 * np.pi * (k + 1) * t + k)
    root = np.concatenate((np.sin(3 * t), 0.95 + 0.1 * t, np.cos(2 * t)), axis=-1)[:, 0]
    return turns / np.linalg.norm(turns, axis=-1, keepdims=True), root


def rig(heads, hangs):
    """Bones with random rest orientations.

    heads: joint -> (3,).
    hangs: joint -> the joint whose bone is above it.
    """
    generator = np.random.default_rng(1)
    found = []
    for joint, head in heads.items():
        turn = generator.normal(size=4)
        below = [j for j in heads if hangs[j] == joint]
        tail = heads[below[0]] if below else head + np.array((0.0, 0.0, 0.1))
        found.append(
            proportions.RestBone(JOINTS[joint], joint, hangs[joint], turn / np.linalg.norm(turn), np.array(head), tail)
        )
    return found


def shown(keys, bones):
    """How bones with these keys stand: matrices (t, n, 4, 4), as Blender would find them."""
    at = {}
    for bone in bones:
        pose = quat.mul(bone.rotation, keys.rotations[bone.name])
        offset = quat.rotate(bone.rotation, keys.location) if bone.name == keys.root else 0.0
        turn, place = quat.mul(pose, quat.conjugate(bone.rotation)), bone.head + offset  # against its rest
        if bone.parent >= 0:
            above, (head_above, head) = at[bone.parent][0], (at[bone.parent][2], at[bone.parent][1])
            turn, place = quat.mul(above, turn), head + quat.rotate(above, place - head_above)
        at[bone.joint] = turn, np.broadcast_to(place, keys.location.shape), bone.head
    matrices = np.tile(np.eye(4), (len(keys.location), len(bones), 1, 1))
    for i, bone in enumerate(bones):
        whole = quat.mul(at[bone.joint][0], bone.rotation)
        matrices[:, i, :3, :3] = np.stack([quat.rotate(whole, axis) for axis in np.eye(3)], axis=-1)
        matrices[:, i, :3, 3] = at[bone.joint][1]
    return matrices


def in_our_places(rotations, root):
    turns, places = [], []
    for joint, parent in enumerate(PARENTS):
        turns.append(rotations[:, joint] if parent < 0 else quat.mul(turns[parent], rotations[:, joint]))
        at = BODY.offsets[joint]
        places.append(root if parent < 0 else places[parent] + quat.rotate(turns[parent], at))
    return np.stack(turns, axis=1), proportions.to_blender(np.stack(places, axis=1))


def same(found, known):
    np.testing.assert_allclose(np.abs(np.sum(found * known, axis=-1)), 1.0, atol=1e-9)


def test_our_own_build_dances_as_we_do():
    rotations, root = some_dance()
    bones = rig(dict(enumerate(STANDING)), dict(enumerate(PARENTS)))
    keys = retarget.keys(retarget.Dance(rotations, root), bones)
    stood = shown(keys, bones)
    np.testing.assert_allclose(stood[:, :, :3, 3], in_our_places(rotations, root)[1], atol=1e-9)
    found, place = retarget.motion(stood, bones, 30.0)
    same(found, rotations)
    np.testing.assert_allclose(place, root, atol=1e-9)
    for turns in keys.rotations.values():
        assert (np.sum(turns[1:] * turns[:-1], axis=-1) >= 0).all()


@pytest.mark.parametrize("lift", [0.0, 0.3])
def test_a_pelvis_that_begins_on_the_floor(lift):
    """The bone that carries legs and spine may begin anywhere; the hips still turn about the pelvis."""
    rotations, root = some_dance()
    up = np.array((0.0, 0.0, lift))
    heads = dict(enumerate(STANDING + up))
    heads[0] = np.array((0.0, 0.2, lift))
    bones = rig(heads, dict(enumerate(PARENTS)))
    stood = shown(retarget.keys(retarget.Dance(rotations, root), bones), bones)
    np.testing.assert_allclose(stood[:, 1:, :3, 3], in_our_places(rotations, root)[1][:, 1:] + up, atol=1e-9)
    found, place = retarget.motion(stood, bones, 30.0)
    same(found, rotations)
    np.testing.assert_allclose(place, root, atol=1e-9)


def test_arms_on_the_neck_point_where_ours_do():
    rotations, root = some_dance()
    skipped = {JOINTS.index("left_collar"), JOINTS.index("right_collar")}
    heads = {joint: place for joint, place in enumerate(STANDING) if joint not in skipped}
    hangs = {joint: PARENTS[joint] for joint in heads}
    neck = JOINTS.index("neck")
    hangs |= {JOINTS.index("left_shoulder"): neck, JOINTS.index("right_shoulder"): neck}
    bones = rig(heads, hangs)
    stood = shown(retarget.keys(retarget.Dance(rotations, root), bones), bones)
    turned, places = in_our_places(rotations, root)
    at = {bone.joint: stood[:, i, :3, 3] for i, bone in enumerate(bones)}
    for side in ("left", "right"):
        for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            a, b = JOINTS.index(f"{side}_{upper}"), JOINTS.index(f"{side}_{lower}")
            np.testing.assert_allclose(at[b] - at[a], places[:, b] - places[:, a], atol=1e-9)
    found, _ = retarget.motion(stood, bones, 30.0)
    again, _ = in_our_places(found, root)
    same(again[:, list(heads)], turned[:, list(heads)])


def somewhere():
    """A dance, and bones of our build that stand elsewhere than at the origin."""
    rotations, root = some_dance()
    place = np.array((2.0, 3.0, 0.4))
    return rotations, root, rig(dict(enumerate(STANDING + place)), dict(enumerate(PARENTS))), place


def test_a_rig_dances_where_it_stands():
    rotations, root, bones, place = somewhere()
    stood = shown(retarget.keys(retarget.Dance(rotations, root), bones), bones)
    np.testing.assert_allclose(stood[:, :, :3, 3], in_our_places(rotations, root)[1] + place, atol=1e-9)
    found, back = retarget.motion(stood, bones, 30.0)
    same(found, rotations)
    np.testing.assert_allclose(back, root, atol=1e-9)


def test_the_floor_may_be_another_than_that_of_the_rest_pose():
    rotations, root, bones, _ = somewhere()
    assert proportions.floor(bones).height == pytest.approx(0.4) and proportions.floor(bones).leg == pytest.approx(0.8)
    stood = shown(retarget.keys(retarget.Dance(rotations, root), bones, ground=retarget.Ground(1.5)), bones)
    np.testing.assert_allclose(stood[:, :, :3, 3], in_our_places(rotations, root)[1] + (2.0, 3.0, 1.5), atol=1e-9)
    np.testing.assert_allclose(retarget.motion(stood, bones, 30.0, ground=retarget.Ground(1.5))[1], root, atol=1e-9)


def test_a_rig_stands_on_its_lower_foot():
    """At rest its left knee is bent, and that ankle is behind it, as high."""
    heads = dict(enumerate(STANDING + np.array((0.0, 0.0, 0.4))))
    ankle, toe = JOINTS.index("left_ankle"), JOINTS.index("left_foot")
    bent = heads[JOINTS.index("left_knee")] + (0.0, 0.4, 0.0) - heads[ankle]
    heads |= {ankle: heads[ankle] + bent, toe: heads[toe] + bent}
    assert proportions.floor(rig(heads, dict(enumerate(PARENTS)))).height == pytest.approx(0.4)


def test_places_on_the_floor_are_those_of_the_dance_that_goes_there():
    rotations, root, bones, _ = somewhere()
    starts = retarget.keys(retarget.Dance(rotations, root), bones).placed[0][1]
    np.testing.assert_allclose(proportions.on_floor(starts, bones), root[:, [0, 2]], atol=1e-9)


def test_where_bones_start_in_a_dance():
    rotations, root, bones, _ = somewhere()
    keys = retarget.keys(retarget.Dance(rotations, root), bones)
    stood, heads = shown(keys, bones), {joint: start for joint, (_, start) in keys.placed.items()}
    assert list(heads) == [bone.joint for bone in bones]
    np.testing.assert_allclose(np.stack(list(heads.values()), axis=1), stood[:, :, :3, 3], atol=1e-9)


def test_a_bone_that_inherits_no_rotation():
    """Its keys are its rotation against its own rest, whatever the bones above do."""
    rotations, root, bones, _ = somewhere()
    free = [replace(bone, inherits=bone.joint != JOINTS.index("head")) for bone in bones]
    head = next(bone for bone in free if not bone.inherits)
    turned, _ = in_our_places(rotations, root)
    whole = quat.mul(quat.mul(proportions.C, turned[:, head.joint]), quat.conjugate(proportions.C))
    found = retarget.keys(retarget.Dance(rotations, root), free).rotations["head"]
    same(quat.mul(head.rotation, found), quat.mul(whole, head.rotation))


def test_a_foot_that_hangs_elsewhere_stays_on_its_shin():
    """As low-poly kits have them: the foot is a root, and goes with the shin's bone."""
    rotations, root = some_dance()
    heads, hangs = dict(enumerate(STANDING)), dict(enumerate(PARENTS))
    whole = rig(heads, hangs)
    ankle, knee = JOINTS.index("left_ankle"), JOINTS.index("left_knee")
    loose = [replace(bone, parent=-1, goes_with=knee) if bone.joint == ankle else bone for bone in whole]
    one, other = (retarget.keys(retarget.Dance(rotations, root), bones) for bones in (whole, loose))
    for found, wanted in zip(other.placed[ankle], one.placed[ankle], strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9)
    np.testing.assert_allclose(other.placed[JOINTS.index("left_foot")][1], one.placed[JOINTS.index("left_foot")][1])
    turn = quat.mul(one.placed[ankle][0], loose[ankle].rotation)
    same(quat.mul(loose[ankle].rotation, other.rotations["left_ankle"]), turn)

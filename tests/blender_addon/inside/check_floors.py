"""Dances on a floor that the user picked: a ramp, a stage, a floor with a hole beside it."""

import math

import bpy
import numpy as np
from dancing import dancer, with_root
from generated import generated
from mathutils import Matrix, Vector
from scenes import FOLDER, addon, fingerprint, raises, read, unchanged

actions, floors = addon("scene.actions"), addon("scene.floors")
skeleton, quat = addon("shared").skeleton, addon("shared").quaternion
BONES = addon("scene.mannequin").BONES
DANCE = FOLDER / "steps.npz"
VALUES = dict(np.load(DANCE))
STANDS = VALUES["contacts"][:, ::2] > 0.5  # (t, 2): left and right ankle
FPS = float(VALUES["fps"])
ANKLES = [BONES[skeleton.JOINTS.index(f"{side}_ankle")] for side in ("left", "right")]
HIGH = float(skeleton.standing()[skeleton.JOINTS.index("left_ankle"), 1])  # metres, of an ankle above its floor


def plane(matrix):
    """A square of 20 m that lies at ``matrix``."""
    mesh = bpy.data.meshes.new("floor")
    mesh.from_pydata([(x, y, 0.0) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))], [], [(0, 1, 2, 3)])
    floor = bpy.data.objects.new("floor", mesh)
    bpy.context.collection.objects.link(floor)
    floor.matrix_world = matrix @ Matrix.Diagonal((10.0, 10.0, 1.0, 1.0))
    return floor


def box(x, height):
    """A stage of this height whose edge is at ``x``."""
    bpy.ops.mesh.primitive_cube_add(size=1.0)
    stage = bpy.context.object
    stage.scale = (10.0, 20.0, height)
    stage.location = (x + 5.0, 0.0, height / 2)
    return stage


def shown(armature, names=ANKLES):
    """(t, n, 3) where bones start in the world."""
    found = []
    for frame in range(len(STANDS)):
        bpy.context.scene.frame_set(1 + frame)
        found.append([armature.matrix_world @ armature.pose.bones[name].head for name in names])
    return np.array(found)


def write(armature):
    said = []
    actions.write_dance(DANCE, armature, 1, say=said.append)
    return said


def slides(at):
    """How far standing ankles move in a frame at most."""
    both = STANDS[1:] & STANDS[:-1]
    return float(np.linalg.norm(np.diff(at, axis=0), axis=-1)[both].max())


def check_on_a_ramp_feet_stand_and_do_not_slide():
    ramp = Matrix.Translation((0.0, 0.0, 0.3)) @ Matrix.Rotation(0.3, 4, Vector((1.0, 0.4, 0.0)).normalized())
    for travel in ("HIPS", "ROOT", "OBJECT"):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context, (1.0, 2.0, 0.0))
        armature.rotation_euler, armature.scale = (0.0, 0.0, 0.7), (1.2, 1.2, 1.2)
        with_root(armature)
        armature.footlight_bones.travel = travel
        write(armature)
        level = slides(shown(armature))
        armature.footlight_bones.floor = plane(ramp)
        before = fingerprint()
        for frame in (1, 40):
            bpy.context.scene.frame_set(frame)
            assert not write(armature), "and again, from where the dance has carried it"
        at = shown(armature)
        bpy.context.scene.frame_set(before["range"][2])
        high = ((at - ramp.translation) @ ramp.to_3x3().col[2])[STANDS]
        np.testing.assert_allclose(high, 1.2 * HIGH, atol=0.006, err_msg=travel)
        assert slides(at) < level + 1e-3, (travel, slides(at), level)


def check_a_rigify_rig_on_a_ramp():
    """Its ankles are as high above the ramp as above its own floor, by either kind of controls."""
    feet, ramp = ["ORG-foot.L", "ORG-foot.R"], Matrix.Rotation(0.2, 4, "X")
    for keys in ("FK", "IK"):
        armature = generated()
        armature.footlight_bones.keys = keys
        write(armature)
        low = shown(armature, feet)
        armature.footlight_bones.floor = plane(ramp)
        assert not write(armature)
        at = shown(armature, feet)
        high = (at @ ramp.to_3x3().col[2])[STANDS]
        np.testing.assert_allclose(high, low[..., 2][STANDS], atol=2e-3, err_msg=keys)
        assert slides(at) < slides(low) + 2e-4, keys


def check_on_a_stage():
    """Higher than the dancer, who stands inside of it at rest."""
    for height in (0.25, 3.0):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context)
        write(armature)
        low = shown(armature)
        armature.footlight_bones.floor = box(-5.0, height)
        assert not write(armature)
        np.testing.assert_allclose(shown(armature), low + np.array((0.0, 0.0, height)), atol=1e-4)


def check_at_the_edge_of_a_stage():
    """Where there is no floor, the dance goes on as high as the nearest of it."""
    armature = dancer.add_dancer(bpy.context)
    write(armature)
    low = shown(armature)
    edge = float(low[STANDS][:, 0].mean())
    armature.footlight_bones.floor = box(edge, 0.4) if edge < 0 else box(edge - 10.0, 0.4)
    assert not write(armature)
    np.testing.assert_allclose(shown(armature), low + np.array((0.0, 0.0, 0.4)), atol=1e-4)


def check_a_dance_on_a_ramp_is_read_as_on_the_level():
    armature = dancer.add_dancer(bpy.context)
    armature.footlight_bones.floor = plane(Matrix.Rotation(math.radians(12.0), 4, "Y"))
    write(armature)
    rotations, root = read(armature, 1, len(STANDS))
    np.testing.assert_allclose(root, VALUES["root"], atol=0.01)
    cosines = np.abs(np.sum(rotations * VALUES["rotations"], axis=-1))
    assert np.degrees(2 * np.arccos(np.clip(cosines.min(), -1, 1))) < 5.0


def check_what_is_no_floor_is_told():
    armature = dancer.add_dancer(bpy.context)
    bare = bpy.data.objects.new("bare", bpy.data.meshes.new("bare"))
    armature.footlight_bones.floor = bare
    raises(addon("errors").UserError, "'bare' is in no scene any more", write, armature)
    bpy.context.scene.collection.objects.link(bare)
    before = fingerprint()
    raises(addon("errors").UserError, "'bare' has no faces to stand on", write, armature)
    unchanged(before)

"""Control rigs: the bones of the body follow others in the same armature, which are keyed."""

import bpy
import numpy as np
from dancing import OURS, as_it_should, dancer, write
from scenes import FOLDER, addon

reading, rigs = addon("scene.reading"), addon("scene.rigs")
skeleton, quat = addon("shared").skeleton, addon("shared").quaternion
JOINTS = skeleton.JOINTS
ROTATIONS = np.load(FOLDER / "dance.npz")["rotations"].astype(float)
RIGIFY = {
    f"{side}_{joint}": f"{name}.{side[0].upper()}"
    for side in ("left", "right")
    for joint, name in (
        ("hip", "thigh"), ("knee", "shin"), ("ankle", "foot"), ("shoulder", "upper_arm"), ("elbow", "forearm"),
        ("wrist", "hand"),
    )
}  # fmt: skip
"""The limbs of a Rigify rig, without what their kinds of bones begin with."""


def turned(rotations):
    found = []
    for joint, parent in enumerate(skeleton.PARENTS):
        found.append(rotations[:, joint] if parent < 0 else quat.mul(found[parent], rotations[:, joint]))
    return np.stack(found, axis=1)


def read(armature):
    steps = reading.motion(lambda: (bpy.context.scene, armature), 1, len(ROTATIONS))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def generated():
    """Rigify's rig, made by Blender's own add-on, and its file."""
    path = FOLDER / "rigify.blend"
    if not path.exists():
        bpy.ops.preferences.addon_enable(module="rigify")
        try:
            bpy.ops.object.armature_human_metarig_add()
            bpy.ops.pose.rigify_generate()
            bpy.ops.wm.save_as_mainfile(filepath=str(path))
        finally:
            bpy.ops.preferences.addon_disable(module="rigify")  # an add-on left enabled hangs Blender's end
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return bpy.data.objects["rig"]


def moves_in_all_its_layers(armature):
    for layer in ("ORG-", "DEF-"):
        as_it_should(armature, {joint: layer + name for joint, name in RIGIFY.items()})
    bpy.context.scene.frame_set(30)
    head = armature.pose.bones["DEF-spine.006"]
    rest = armature.data.bones["DEF-spine.006"].matrix_local.to_quaternion()
    w, x, y, z = turned(ROTATIONS)[29, JOINTS.index("head")]
    shown = head.matrix.to_quaternion() @ rest.inverted()
    assert abs(np.array(shown) @ (w, x, -z, y)) > 1 - 1e-4, "the head turns with the dance's, whatever it follows"


def check_a_generated_rigify_rig():
    armature = generated()
    action, said = write(armature)
    assert not said
    moves_in_all_its_layers(armature)
    curves = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves
    switches = {c.data_path: c.keyframe_points[0].co[1] for c in curves if c.data_path.endswith('"IK_FK"]')}
    assert set(switches.values()) == {1.0} and len(switches) == 4
    keyed = {curve.data_path.split('"')[1] for curve in curves}
    assert {"torso", "thigh_fk.L", "shin_fk.R", "upper_arm_fk.L", "hand_fk.R", "head"} <= keyed
    assert not [name for name in keyed if name.startswith(("ORG-", "DEF-", "MCH-"))]
    rotations, _ = read(armature)
    mapped = [JOINTS.index(joint) for joint in RIGIFY]
    cosines = np.abs(np.sum(turned(rotations)[:, mapped] * turned(ROTATIONS)[:, mapped], axis=-1))
    assert cosines.min() > np.cos(np.radians(0.3))


def check_a_rigify_rig_that_was_posed():
    """By its inverse kinematics, its root, its torso and its tweaks, and with its switches set otherwise."""
    armature = generated()
    bones = armature.pose.bones
    bones["root"].location = (2.0, 0.0, 0.0)
    bones["hips"].rotation_quaternion = (0.9, 0.4, 0.0, 0.0)
    bones["chest"].location = (0.1, 0.0, 0.0)
    bones["hand_ik.L"].location = (0.0, 0.4, 0.0)
    bones["spine_fk.001"].scale = (1.2, 1.2, 1.2)
    bones["thigh_fk.L"].location = (0.0, 0.1, 0.0)
    bones["tweak_spine.002"].location = (0.1, 0.0, 0.0)
    bones["upper_arm_parent.L"]["FK_limb_follow"] = 1.0
    bones["torso"]["neck_follow"] = 0.0
    _, said = write(armature)
    assert "left on root, hips, chest and" in said and "does not move" not in said
    moves_in_all_its_layers(armature)


def check_a_metarig():
    bpy.ops.preferences.addon_enable(module="rigify")
    try:
        bpy.ops.object.armature_human_metarig_add()
        armature = bpy.context.active_object
    finally:
        bpy.ops.preferences.addon_disable(module="rigify")
    assert not write(armature)[1]
    as_it_should(armature, RIGIFY)


def controlled(lead, other, expression, of_limbs_alone=False):
    """Our dancer, each bone of which follows one bone, and the limbs also another one, as a switch says."""
    armature = dancer.add_dancer(bpy.context)
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    above = {bone.name: bone.parent.name if bone.parent else "" for bone in bones}
    limbs = [name for joint, name in OURS.items() if joint.startswith(("left", "right")) and "collar" not in joint]
    rows = limbs if of_limbs_alone else list(above)
    for name in rows:
        for pattern in (lead, other) if name in limbs else (lead,):
            bone = bones.new(pattern.format(name))
            bone.head, bone.tail, bone.roll = bones[name].head, bones[name].tail, bones[name].roll
            bone.parent = bones.get(pattern.format(above[name])) or bones.get(lead.format(above[name]))
            bone.parent = bone.parent or bones.get(above[name])
    bpy.ops.object.mode_set(mode="OBJECT")
    hub = armature.pose.bones["pelvis" if of_limbs_alone else lead.format("pelvis")]
    hub["switch"] = 0.0
    for name in rows:
        for pattern in (lead, other) if name in limbs else (lead,):
            follow = armature.pose.bones[name].constraints.new("COPY_TRANSFORMS")
            follow.target, follow.subtarget = armature, pattern.format(name)
        if name in limbs:
            driver = follow.driver_add("influence").driver
            driver.expression = expression
            variable = driver.variables.new()
            variable.name = "v"
            variable.targets[0].id = armature
            variable.targets[0].data_path = f'pose.bones["{hub.name}"]["switch"]'
    return armature


def check_control_rigs_of_any_names():
    for lead, other, expression, value in (
        ("FK_{}", "IK_{}", "1 - v", 1.0),
        ("FK_{}", "IK_{}", "v", 0.0),
        ("c_{}.fk", "c_{}.ik", "1 - v", 1.0),
        ("lead {}", "other {}", "1.0 - v", 1.0),
    ):
        for of_limbs_alone in (False, True):
            bpy.ops.wm.read_homefile(use_empty=True)
            armature = controlled(lead, other, expression, of_limbs_alone)
            action, said = write(armature)
            assert not said, said
            as_it_should(armature)
            curves = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves
            switch = next(curve for curve in curves if curve.data_path.endswith('["switch"]'))
            assert switch.keyframe_points[0].co[1] == value
            assert lead.format("thigh.L") in {curve.group.name for curve in curves}

"""Control rigs: the bones of the body follow others in the same armature, which are keyed."""

import bpy
import control_rigs
import numpy as np
from dancing import EXPECTED, FRAMES, OURS, as_it_should, dancer, off, places, write
from generated import generated
from scenes import FOLDER, addon, curves, read, turned, z_up

restoring, rigs = addon("scene.restoring"), addon("scene.rigs")
skeleton = addon("shared").skeleton
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
    found = curves(action)
    switches = {c.data_path: c.keyframe_points[0].co[1] for c in found if c.data_path.endswith('"IK_FK"]')}
    assert set(switches.values()) == {1.0} and len(switches) == 4
    keyed = {curve.data_path.split('"')[1] for curve in found}
    assert {"torso", "thigh_fk.L", "shin_fk.R", "upper_arm_fk.L", "hand_fk.R", "head"} <= keyed
    assert not [name for name in keyed if name.startswith(("ORG-", "DEF-", "MCH-"))]
    rotations, _ = read(armature, 1, len(ROTATIONS))
    mapped = [JOINTS.index(joint) for joint in RIGIFY]
    cosines = np.abs(np.sum(turned(rotations)[:, mapped] * turned(ROTATIONS)[:, mapped], axis=-1))
    arms = [i for i, joint in enumerate(RIGIFY) if "shoulder" in joint or "elbow" in joint or "wrist" in joint]
    assert cosines[:, arms].min() > np.cos(np.radians(0.3))
    assert cosines.min() > np.cos(np.radians(2.0)), "legs turn a little, as feet that stand on the rig stand on ours"


def check_inverse_kinematics_on_request():
    """Hands and feet are where forward kinematics has them, limbs bend the same way, and feet can be moved. Rigify's
    chains stretch a little, so that limbs are up to two degrees off."""
    names, ends = {joint: f"ORG-{name}" for joint, name in RIGIFY.items()}, []
    for keys in ("FK", "IK"):
        armature = generated()
        armature.footlight_bones.keys = keys
        armature.pose.bones["shin_fk.L"].rotation_quaternion = (0.9, 0.4, 0.0, 0.0)
        action, said = write(armature)
        assert not said, said
        ends.append(shown(armature, names))
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-3)
    assert (angle := off(armature, names)) < 3.0, angle
    switches = {c.data_path: c.keyframe_points[0].co[1] for c in curves(action) if c.data_path.endswith('"IK_FK"]')}
    assert set(switches.values()) == {0.0} and len(switches) == 4
    unread = {f"{bone}_fk.{s}" for bone in ("thigh", "shin", "foot", "upper_arm", "forearm", "hand") for s in "LR"}
    assert not keyed_by(action) & unread, "nothing reads them, not even what was left on them"
    moved = moved_with(armature, action, "foot_ik.L", names)
    assert moved["left_ankle"] > 0.05 and moved["right_ankle"] < 1e-4, "a foot is edited by one control"


def shown(armature, names):
    """(t, n, 3) where the ends of limbs are."""
    ends = [joint for joint in names if joint.endswith(("ankle", "wrist"))]
    found = []
    for i in FRAMES:
        bpy.context.scene.frame_set(1 + i)
        now = places(armature, names)
        found.append([now[joint] for joint in ends])
    return np.array(found)


def moved_with(armature, action, control, names):
    """Joint -> how far it moves when the first key of a control is moved by 5 cm along each axis."""
    bpy.context.scene.frame_set(1)
    before = places(armature, names)
    for i in range(3):
        for key in curves(action).find(f'pose.bones["{control}"].location', index=i).keyframe_points:
            key.co[1] += 0.05
    bpy.context.scene.frame_set(1)
    return {joint: np.linalg.norm(at - before[joint]) for joint, at in places(armature, names).items()}


def keyed_by(action):
    """The bones that move in an action."""
    return {curve.data_path.split('"')[1] for curve in curves(action) if len(curve.keyframe_points) > 1}


def check_a_rig_of_auto_rig_pro():
    """Hands, feet and poles are keyed, or all controls of forward kinematics; the switches and what carries the poles
    are set."""
    (armature, names), ends = control_rigs.auto_rig_pro(), {}
    for keys, switch in (("FK", 1.0), ("IK", 0.0), ("FK", 1.0)):
        armature.footlight_bones.keys = keys
        mapped = rigs.bones(armature)
        assert (mapped["left_knee"], mapped["right_shoulder"], mapped["left_foot"]) == ("leg.l", "arm.r", "toes_01.l")
        action, said = write(armature)
        assert "does not move" not in said and ("left on c_hand_ik.l" in said) == (len(ends) > 1), said
        ends[keys] = shown(armature, names)
        assert (angle := off(armature, names)) < (0.3 if keys == "FK" else 1.0), angle
        found, keyed = curves(action), keyed_by(action)
        switches = [c.keyframe_points[0].co[1] for c in found if c.data_path.endswith('["ik_fk_switch"]')]
        assert switches == [switch] * 4
        fk = {name for name in keyed if "_fk." in name}
        assert all(name.startswith("c_") for name in fk), "controls, not the helpers that hang on them"
        ik = {"c_foot_ik.l", "c_leg_pole.r", "c_hand_ik.r", "c_arms_pole.l", "c_toes_ik.l"}
        assert (len(fk), keyed & ik) == ((14, set()) if keys == "FK" else (0, ik)), keyed
        assert {"c_root_master.x", "c_spine_02.x", "c_head.x", "c_shoulder.l"} <= keyed
    np.testing.assert_allclose(ends["IK"], ends["FK"], atol=2e-3)
    armature.footlight_bones.keys = "IK"
    moved = moved_with(armature, write(armature)[0], "c_foot_ik.l", names)
    assert moved["left_ankle"] > 0.05 and moved["right_ankle"] < 1e-4, "a foot is edited by one control"


def check_a_rig_made_by_hand():
    """Its own bones are moved by IK constraints, or keyed while these are switched off, back and forth."""
    armature, ends = control_rigs.by_hand(), {}
    for keys in ("IK", "FK", "IK"):
        armature.footlight_bones.keys = keys
        action, said = write(armature)
        assert ("switches them off" in said) == (keys == "FK"), said
        ends[keys] = shown(armature, OURS)
        assert (angle := off(armature)) < 1.0, angle
        keyed = keyed_by(action)
        ik = [c for c in curves(action) if "constraints" in c.data_path and c.data_path.endswith("].influence")]
        assert {c.keyframe_points[0].co[1] for c in ik} == {float(keys == "IK")}
        assert ("thigh.L" in keyed, "hold left ankle" in keyed) == (keys == "FK", keys == "IK")
    np.testing.assert_allclose(ends["IK"], ends["FK"], atol=2e-3)
    armature.footlight_bones.travel = "OBJECT"
    write(armature)
    np.testing.assert_allclose(shown(armature, OURS), ends["FK"], atol=2e-3)
    moved = moved_with(armature, armature.animation_data.action, "hold left ankle", OURS)
    assert moved["left_ankle"] > 0.05 and moved["right_ankle"] < 1e-4


def check_inverse_kinematics_where_there_is_none():
    armature = dancer.add_dancer(bpy.context)
    armature.footlight_bones.keys = "IK"
    assert "has no hands and feet with inverse kinematics" in write(armature)[1]
    as_it_should(armature)


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


def check_a_metarig_beside_its_rig():
    generated()
    bpy.ops.preferences.addon_enable(module="rigify")
    try:
        _, said = write(bpy.data.objects["metarig"])
    finally:
        bpy.ops.preferences.addon_disable(module="rigify")
    assert "'metarig' is the metarig of 'rig', which does not follow it. Choose 'rig' under Dancer." in said


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
        ("CtrlArmFK {}", "CtrlArmIK {}", "1 - v", 1.0),
        ("lead {}", "other {}", "1.0 - v", 1.0),
    ):
        for of_limbs_alone in (False, True):
            bpy.ops.wm.read_homefile(use_empty=True)
            armature = controlled(lead, other, expression, of_limbs_alone)
            action, said = write(armature)
            assert not said, said
            as_it_should(armature)
            found = curves(action)
            switch = next(curve for curve in found if curve.data_path.endswith('["switch"]'))
            assert switch.keyframe_points[0].co[1] == value
            assert lead.format("thigh.L") in {curve.data_path.split('"')[1] for curve in found}


def check_bones_that_are_keyed_themselves_unless_a_switch_lets_them_follow():
    """The bones of the limbs copy those for inverse kinematics as far as a switch says."""
    armature = controlled("FK-{}", "IK-{}", "v", of_limbs_alone=True)
    for joint, name in OURS.items():
        constraints = armature.pose.bones[name].constraints
        if constraints:
            constraints.remove(constraints[0])
            assert constraints[0].subtarget == f"IK-{name}", joint
    armature.pose.bones["pelvis"]["switch"] = 1.0
    action, said = write(armature)
    assert not said, said
    as_it_should(armature)
    found = curves(action)
    keyed = {curve.data_path.split('"')[1] for curve in found}
    assert keyed == set(OURS.values())


def mikumikudance():
    """A rig as MikuMikuDance's come: hips that carry a lower body, whose turn the legs cancel and bones copy; inverse
    kinematics to feet and toes."""
    place = dict(zip(JOINTS, z_up(skeleton.standing()), strict=True))
    rows = [("全ての親", "", (0, 0, 0)), ("センター", "全ての親", (0, 0, 0.6)), ("腰", "センター", place["pelvis"])]
    rows += [
        ("下半身", "腰", place["pelvis"]),
        ("上半身", "腰", place["spine1"]),
        ("上半身2", "上半身", place["spine3"]),
    ]
    rows += [("首", "上半身2", place["neck"]), ("頭", "首", place["head"])]
    names = {"pelvis": "腰", "spine1": "上半身", "spine3": "上半身2", "neck": "首", "head": "頭"}
    for side in ("left", "right"):
        end = f".{side[0].upper()}"
        arm = (("collar", "肩"), ("shoulder", "腕"), ("elbow", "ひじ"), ("wrist", "手首"))
        leg = (("hip", "足"), ("knee", "ひざ"), ("ankle", "足首"), ("foot", "つま先"))
        rows.append((f"腰キャンセル{end}", "下半身", place[f"{side}_hip"]))
        for chain, above in ((arm, "上半身2"), (leg, f"腰キャンセル{end}")):
            for part, name in chain:
                rows.append((name + end, above, place[f"{side}_{part}"]))
                names[f"{side}_{part}"] = above = name + end
        above = f"腰キャンセル{end}"
        for part, name in leg[:3]:
            rows.append((f"{name}D{end}", above, place[f"{side}_{part}"]))
            above = f"{name}D{end}"
        rows.append((f"足ＩＫ{end}", "全ての親", place[f"{side}_ankle"]))
        rows.append((f"つま先ＩＫ{end}", f"足ＩＫ{end}", place[f"{side}_foot"]))
    armature = bpy.data.objects.new("model", bpy.data.armatures.new("model"))
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    for name, above, head in rows:
        bone = bones.new(name)
        bone.head, bone.tail = head, np.add(head, (0.0, 0.0, 0.05))
        bone.parent = bones[above] if above else None
    for joint, name in names.items():
        below = {"hip": "knee", "knee": "ankle", "ankle": "foot", "shoulder": "elbow", "elbow": "wrist"}
        side, _, part = joint.partition("_")
        if part in below:
            bones[name].tail = place[f"{side}_{below[part]}"]
            stem, end = name[:-2], name[-2:]
            if f"{stem}D{end}" in bones:
                bones[f"{stem}D{end}"].matrix = bones[name].matrix
    bpy.ops.object.mode_set(mode="OBJECT")
    for end in (".L", ".R"):
        for bone, target, count in (("ひざ", "足ＩＫ", 2), ("足首", "つま先ＩＫ", 1)):
            ik = armature.pose.bones[bone + end].constraints.new("IK")
            ik.target, ik.subtarget, ik.chain_count = armature, target + end, count
        for bone in ("足", "ひざ", "足首"):
            copy = armature.pose.bones[f"{bone}D{end}"].constraints.new("COPY_ROTATION")
            copy.target, copy.subtarget = armature, bone + end
            copy.owner_space = copy.target_space = "LOCAL"
    return armature, names


def check_a_rig_of_mikumikudance():
    armature, names = mikumikudance()
    assert rigs.bones(armature) == names
    armature.pose.bones["センター"].location = (0.0, 0.4, 0.2)
    _, said = write(armature)
    assert "left on センター is overridden" in said and "ひざ.L, 足首.L, ひざ.R and 1 more bones" in said, said
    as_it_should(armature, names)
    as_it_should(armature, names | {f"{s}_{j}": f"{n}D.{s[0].upper()}" for s in ("left", "right") for j, n in (
        ("hip", "足"), ("knee", "ひざ"), ("ankle", "足首"))})  # fmt: skip
    for i in FRAMES:
        bpy.context.scene.frame_set(1 + i)
        now, wanted = places(armature, names), z_up(EXPECTED[i])
        for joint in ("left_hip", "right_foot"):
            np.testing.assert_allclose(now[joint], wanted[JOINTS.index(joint)], atol=0.02)


def check_the_same_bones_beside_each_other():
    """Where hips and spine hang on a bone that is not keyed, a dance is written as far as there are bones."""
    armature, names = mikumikudance()
    for bone in ("足", "ひざ", "足首"):
        for end in (".L", ".R"):
            follow = armature.pose.bones[bone + end].constraints.new("COPY_ROTATION")
            follow.target = bpy.data.objects.new("goal", None)
            bpy.context.collection.objects.link(follow.target)
    write(armature)
    as_it_should(armature, names)


def check_a_posed_rig_is_as_it_was_when_a_dance_is_taken_off():
    """By its controls, their properties and its object."""
    for travel, keys in (("HIPS", "FK"), ("OBJECT", "IK"), ("ROOT", "FK")):
        armature = generated()
        armature.footlight_bones.travel, armature.footlight_bones.keys = travel, keys
        armature.location = (1.0, 2.0, 0.0)
        bones = armature.pose.bones
        bones["hips"].rotation_quaternion = (0.9, 0.4, 0.0, 0.0)
        bones["hand_ik.L"].location = (0.0, 0.4, 0.0)
        bones["upper_arm_parent.L"]["IK_FK"] = 0.25
        bones["torso"]["neck_follow"] = 0.5
        shown = posed(armature)
        before = restoring.of(armature)
        action, _ = write(armature)
        before = restoring.keyed(before, action)
        bpy.context.scene.frame_set(40)
        assert np.abs(posed(armature) - shown).max() > 0.1
        restoring.restore(armature, before)
        np.testing.assert_allclose(posed(armature), shown, atol=1e-5)
        assert (bones["upper_arm_parent.L"]["IK_FK"], bones["torso"]["neck_follow"]) == (0.25, 0.5)
        assert armature.animation_data is None or armature.animation_data.action is None


def posed(armature):
    """Where all bones are in the world."""
    bpy.context.view_layer.update()
    shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([shown.matrix_world @ bone.matrix for bone in shown.pose.bones])

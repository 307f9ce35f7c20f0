"""Control rigs with our dancer's build: as Auto-Rig Pro makes them, and as people make them by hand."""

from itertools import pairwise

import bpy
import numpy as np
from scenes import addon, z_up

skeleton, mannequin = addon("shared").skeleton, addon("scene.mannequin")
BENT = {f"{side}_{joint}": way for side in ("left", "right") for joint, way in (("knee", -0.03), ("elbow", 0.03))}
PLACES = {
    joint: place + np.array((0.0, BENT.get(joint, 0.0), 0.0))
    for joint, place in zip(skeleton.JOINTS, z_up(skeleton.standing()), strict=True)
}
"""Our joints; knees and elbows are bent a little, as whoever builds such a rig does."""

OURS = dict(zip(skeleton.JOINTS, mannequin.BONES, strict=True))
TRUNK = {"spine1": "spine_01", "spine2": "spine_02", "spine3": "spine_03", "neck": "neck", "head": "head"}
LIMBS = (
    ("arm", ("shoulder", "elbow", "wrist"), ("arm", "forearm", "hand"), "c_hand_ik", "c_arms_pole"),
    ("leg", ("hip", "knee", "ankle", "foot"), ("thigh", "leg", "foot", "toes"), "c_foot_ik", "c_leg_pole"),
)
"""A limb's joints, the names of its bones, and its controls."""


class Rows:
    """Bones that are to be: name, the one above, where it starts and where it ends."""

    def __init__(self):
        self.rows = []

    def add(self, name, above, head, tail=None):
        head = np.array(head, dtype=float)
        self.rows.append((name, above, head, head + np.array((0.0, 0.0, 0.1)) if tail is None else np.array(tail)))

    def armature(self, name):
        armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
        bpy.context.collection.objects.link(armature)
        bpy.context.view_layer.objects.active = armature
        bpy.ops.object.mode_set(mode="EDIT")
        for one, above, head, tail in self.rows:
            bone = armature.data.edit_bones.new(one)
            bone.head, bone.tail = head, tail
            bone.parent = armature.data.edit_bones[above] if above else None
        bpy.ops.object.mode_set(mode="OBJECT")
        return armature


def auto_rig_pro():
    """As Auto-Rig Pro's: bones that deform hang on bones that follow those of either kind, as the property
    *ik_fk_switch* of hand and foot says, 1 for forward kinematics. Those for forward kinematics are helpers that hang
    on the controls. Returns the armature and what its bones are."""
    rows, names = Rows(), {"pelvis": "root.x"}
    rows.add("c_pos", "", (0, 0, 0))
    rows.add("c_traj", "c_pos", (0, 0, 0))
    for name, above in (("c_root_master.x", "c_traj"), ("c_root.x", "c_root_master.x"), ("root.x", "c_root.x")):
        rows.add(name, above, PLACES["pelvis"])
    above = "c_root_master.x"
    for joint, name in TRUNK.items():
        rows.add(f"c_{name}.x", above, PLACES[joint])
        rows.add(f"{name}.x", f"c_{name}.x", PLACES[joint])
        above, names[joint] = f"c_{name}.x", f"{name}.x"
    for side in ("left", "right"):
        s = side[0]
        names[f"{side}_collar"] = f"shoulder.{s}"
        rows.add(f"c_shoulder.{s}", "c_spine_03.x", PLACES[f"{side}_collar"], PLACES[f"{side}_shoulder"])
        rows.add(f"shoulder.{s}", "c_spine_03.x", PLACES[f"{side}_collar"], PLACES[f"{side}_shoulder"])
        for kind, joints, bones, end, pole in LIMBS:
            add_limb(rows, s, [PLACES[f"{side}_{joint}"] for joint in joints], kind, bones, end, pole)
            for joint, bone in zip(joints, bones, strict=True):
                stretched = joint in joints[:2]
                names[f"{side}_{joint}"] = f"{bone}{'_stretch' if stretched else '_01' * (bone == 'toes')}.{s}"
    armature = rows.armature("rig")
    for s in "lr":
        follow(armature, f"shoulder.{s}", f"c_shoulder.{s}", "COPY_TRANSFORMS")
        for kind, _, bones, end, pole in LIMBS:
            constrain_limb(armature, s, kind, bones, end, pole)
    return armature, names


def add_limb(rows, s, at, kind, bones, end, pole):
    start = f"shoulder.{s}" if kind == "arm" else "c_root.x"
    tails = [*at[1:], at[-1] + (0.0, -0.1, 0.0)]
    for pattern in ("c_{}_fk", "{}_ik", "{}"):
        above = start
        for bone, head, tail in zip(bones, at, tails, strict=True):
            name = f"{pattern.format(bone)}.{s}"
            if pattern == "{}_ik" and bone in bones[2:]:
                continue
            name = f"toes_01.{s}" if name == f"toes.{s}" else name
            rows.add(name, above, head, tail)
            if pattern == "c_{}_fk":
                rows.add(f"{bone}_fk.{s}", name, head, tail)
            above = name
    for bone, head, tail in zip(bones[:2], at, tails, strict=False):
        rows.add(f"{bone}_stretch.{s}", f"{bone}.{s}", head, tail)
    rows.add(f"{end}.{s}", "c_traj", at[2], tails[2])
    forth = np.array((0.0, -0.6, 0.0) if kind == "leg" else (0.0, 0.6, 0.0))
    rows.add(f"{pole}.{s}", "c_traj", at[1] + forth)
    if kind == "leg":
        heel = at[2] * (1, 1, 0) + (0.0, 0.05, 0.0)
        rows.add(f"c_foot_heel.{s}", f"{end}.{s}", heel)
        rows.add(f"c_foot_01.{s}", f"c_foot_heel.{s}", at[3])
        rows.add(f"foot_ik_target.{s}", f"c_foot_01.{s}", at[2])
        rows.add(f"foot_ik.{s}", f"c_foot_01.{s}", at[2], at[3])
        rows.add(f"c_toes_ik.{s}", f"c_foot_heel.{s}", at[3], tails[3])


def constrain_limb(armature, s, kind, bones, end, pole):
    pose = armature.pose.bones
    pose[f"{end}.{s}"]["ik_fk_switch"] = 0.0
    pose[f"{pole}.{s}"]["pole_parent"] = 1.0
    switch = f'pose.bones["{end}.{s}"]["ik_fk_switch"]'
    ik = pose[f"{bones[1]}_ik.{s}"].constraints.new("IK")
    ik.target = ik.pole_target = armature
    ik.subtarget = f"foot_ik_target.{s}" if kind == "leg" else f"{end}.{s}"
    ik.pole_subtarget, ik.chain_count = f"{pole}.{s}", 2
    settle_pole(armature, ik, f"{bones[1]}_ik.{s}", f"{pole}.{s}")
    by = {bone: f"{bone}_ik.{s}" for bone in bones} | ({"hand": f"{end}.{s}"} if kind == "arm" else {})
    if kind == "leg":
        by["toes"] = f"c_toes_ik.{s}"
    for bone in bones:
        name = f"toes_01.{s}" if bone == "toes" else f"{bone}.{s}"
        for target, expression in ((by[bone], "1 - v"), (f"{bone}_fk.{s}", "v")):
            follow(armature, name, target, "COPY_TRANSFORMS" if bone in bones[:2] else "COPY_ROTATION")
            drive(armature, name, expression, switch)
    for bone, goal in pairwise(bones[:3]):
        stretch = pose[f"{bone}_stretch.{s}"].constraints.new("STRETCH_TO")
        stretch.target, stretch.subtarget = armature, f"{goal}.{s}"
    follow(armature, f"{pole}.{s}", "c_root_master.x", "CHILD_OF")
    drive(armature, f"{pole}.{s}", "v", f'pose.bones["{pole}.{s}"]["pole_parent"]')


def follow(armature, name, target, kind):
    constraint = armature.pose.bones[name].constraints.new(kind)
    constraint.target, constraint.subtarget = armature, target
    return constraint


def drive(armature, name, expression, path):
    """Drive the influence of a bone's last constraint."""
    driver = armature.pose.bones[name].constraints[-1].driver_add("influence").driver
    driver.expression = expression
    variable = driver.variables.new()
    variable.name = "v"
    variable.targets[0].id, variable.targets[0].data_path = armature, path


def settle_pole(armature, ik, owner, pole):
    """Choose the pole's angle so that the limb is at rest where it was built."""
    bones = armature.data.bones
    bpy.context.view_layer.update()

    def off(degrees):
        ik.pole_angle = np.radians(degrees)
        bpy.context.view_layer.update()
        return (armature.pose.bones[owner].head - bones[owner].head_local).length

    best = min(range(-180, 180, 15), key=off)
    for step in (5.0, 1.0, 0.2, 0.04, 0.008):
        best = min((best + i * step for i in range(-4, 5)), key=off)
    off(best)


def by_hand():
    """Our dancer whose own bones are moved by IK constraints. A pole of a leg hangs on its foot's control, which hangs
    on nothing."""
    rows = Rows()
    for joint, parent in enumerate(skeleton.PARENTS):
        name = skeleton.JOINTS[joint]
        below = [j for j, p in enumerate(skeleton.PARENTS) if p == joint]
        tail = PLACES[skeleton.JOINTS[below[0]]] if len(below) == 1 else None
        rows.add(OURS[name], OURS[skeleton.JOINTS[parent]] if parent >= 0 else "", PLACES[name], tail)
    for side in ("left", "right"):
        for end, middle, way in (("ankle", "knee", -0.5), ("wrist", "elbow", 0.5)):
            rows.add(
                f"hold {side} {end}",
                "",
                PLACES[f"{side}_{end}"],
                PLACES.get(f"{side}_foot") if end == "ankle" else None,
            )
            above = f"hold {side} {end}" if end == "ankle" else OURS["spine3"]
            rows.add(f"pole {side} {middle}", above, PLACES[f"{side}_{middle}"] + (0.0, way, 0.0))
    armature = rows.armature("made by hand")
    for side in ("left", "right"):
        for end, middle in (("ankle", "knee"), ("wrist", "elbow")):
            ik = follow(armature, OURS[f"{side}_{middle}"], f"hold {side} {end}", "IK")
            ik.pole_target, ik.pole_subtarget, ik.chain_count = armature, f"pole {side} {middle}", 2
            settle_pole(armature, ik, OURS[f"{side}_{middle}"], f"pole {side} {middle}")
        follow(armature, OURS[f"{side}_ankle"], f"hold {side} ankle", "COPY_ROTATION").owner_space = "POSE"
    return armature

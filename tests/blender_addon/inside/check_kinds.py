"""The same dance on characters that are built otherwise than most: detached feet, high heels, rest poses that sit,
other sizes and parents, toons, twins and overrides. Animals and halves of bodies are refused."""

import math

import bpy
import characters
import control_rigs
import numpy as np
from check_linked import linked, overridden
from mathutils import Matrix, Vector
from measuring import (
    DANCE,
    EXPECTED,
    FAMILIES,
    JOINTS,
    LEGS,
    STANDS,
    actions,
    angles,
    leg,
    measure,
    rigs,
    shown,
    skeleton,
)  # fmt: skip
from scenes import FOLDER, addon, raises

UserError = addon("errors").UserError
thinning = addon("shared").thinning
MIXAMO = FAMILIES["Mixamo"]["joints"]
SIDES = ("left", "right")


def add(family, variant=0):
    """variant: as of ``characters.add``; 0 is in metres, z up, with bones along the limbs."""
    return characters.add(FAMILIES[family], variant)


def edited(armature):
    """Its bones in Edit Mode, none connected."""
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    for bone in bones:
        bone.use_connect = False
    return bones


def move(bones, change):
    """Move heads and tails by a function of places."""
    for bone, head, tail in [(bone, change(bone.head), change(bone.tail)) for bone in bones]:
        bone.head, bone.tail = head, tail


def finish():
    bpy.ops.object.mode_set(mode="OBJECT")


def dances(name, armature, legs=1.0, back=0.1):
    """It dances as it should, and its feet are as high above the floor as the dancer's while they stand."""
    bones = rigs.bones(armature)
    row = measure(name, armature, bones)
    assert row["arms"] < 1.0 and row["legs"] < legs, row
    assert row["hips"] < 0.3 and row["skate"] < row["dancer"] + 0.1 and row["back"] < back, row
    at = shown(armature, bones)
    rest = {JOINTS[bone.joint]: bone.head for bone in rigs.at_rest(armature).bones}
    flat = skeleton.standing()[:, 1]
    ours = {joint: EXPECTED[:, JOINTS.index(joint)] for joint in bones}
    for i, side in enumerate(SIDES):
        for joint in (f"{side}_ankle", f"{side}_foot"):
            if joint in bones:
                lift = (at[joint][:, 2] - rest[joint][2]) / (leg(at) / leg(ours))
                wanted = ours[joint][:, 2] - flat[JOINTS.index(joint)]
                assert np.abs(lift - wanted)[STANDS[:, i]].max() < 0.005, "metres above the floor"
    return at


def check_a_parent_that_is_scaled_and_turned():
    for name, turn, scale, own in (
        ("scaled and turned parent", (0.0, 0.0, 1.2), 2.5, 1.0),
        ("parent as of an FBX import", (math.pi / 2, 0.0, 0.0), 0.01, 100.0),
    ):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature, parent = add("Mixamo"), bpy.data.objects.new("parent", None)
        bpy.context.collection.objects.link(parent)
        parent.rotation_euler, parent.scale, parent.location = turn, (scale,) * 3, (3.0, 4.0, 0.0)
        armature.parent, armature.scale = parent, (own,) * 3
        armature.rotation_euler = (-turn[0], 0.0, 0.0)
        bpy.context.view_layer.update()
        dances(name, armature)


def check_giants_and_dwarfs():
    for name, scale in (("a hundred times as large", 100.0), ("a hundredth as large", 0.01)):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = add("Mixamo")
        move(edited(armature), lambda place, scale=scale: scale * place)
        finish()
        dances(name, armature)


def folded(armature, joints, part, degrees):
    """Legs that are turned about the hips or the knees in the rest pose."""
    bones = edited(armature)
    turn = Matrix.Rotation(math.radians(degrees), 3, "X")
    for side in SIDES:
        first = bones[joints[f"{side}_{part}"]]
        middle = first.head.copy()
        move([first, *first.children_recursive], lambda place, middle=middle: middle + turn @ (place - middle))
    finish()


def check_rest_poses_that_sit_and_kneel():
    armature = add("Mixamo")
    folded(armature, MIXAMO, "hip", -90.0)
    folded(armature, MIXAMO, "knee", 90.0)
    said = []
    actions.write_dance(DANCE, armature, 1, say=said.append)
    assert not said, said
    dances("sitting at rest", armature)
    bpy.ops.wm.read_homefile(use_empty=True)
    armature = add("Mixamo")
    folded(armature, MIXAMO, "knee", 100.0)
    dances("kneeling at rest", armature)


def check_high_heels():
    """Ankles ten centimetres higher, above toes that stay where they are: soles are as steep as they were built."""
    armature = add("Mixamo")
    bones = edited(armature)
    toes = {bone.name for side in SIDES for bone in _with_children(bones[MIXAMO[f"{side}_foot"]])}
    move([bone for bone in bones if bone.name not in toes], lambda place: place + Vector((0.0, 0.0, 0.1)))
    move([bone for bone in bones if bone.name in toes], lambda place: place + Vector((0.0, 0.05, 0.0)))
    finish()
    dances("high heels", armature)


def _with_children(bone):
    return [bone, *bone.children_recursive]


def detached(family, parts=("ankle",), root=""):
    """A character whose feet or hands hang on a root or on nothing, as low-poly kits are exported."""
    bpy.ops.wm.read_homefile(use_empty=True)
    armature, joints = add(family), FAMILIES[family]["joints"]
    bones = edited(armature)
    for side in SIDES:
        for part in parts:
            bones[joints[f"{side}_{part}"]].parent = bones[root] if root else None
    finish()
    return armature


def check_detached_feet():
    for name, family, parts, root in (
        ("feet on the root bone", "KayKit", ("ankle",), "root"),
        ("feet that are roots", "KayKit", ("ankle",), ""),
        ("feet on the hips", "KayKit", ("ankle",), "hips"),
        ("feet and hands on the root bone", "Mixamo, no prefix", ("ankle", "wrist"), "Armature_root"),
    ):
        at = dances(name, detached(family, parts, root))
        for upper, lower in LEGS:
            length = np.linalg.norm(at[lower] - at[upper], axis=-1)
            assert np.ptp(length) < 1e-4, "they stay on their shins"


def check_detached_feet_whose_names_say_nothing():
    """The shins end at them."""
    armature = detached("KayKit", root="root")
    for number, bone in enumerate(armature.data.bones):
        bone.name = f"Bone.{number:03d}"
    at = dances("nameless feet on the root bone", armature)
    assert {"left_ankle", "right_ankle", "left_foot", "right_foot"} <= at.keys()


def check_detached_feet_while_the_root_travels_and_with_few_keys():
    armature = detached("KayKit", root="root")
    armature.footlight_bones.travel = "ROOT"
    at = dances("feet on a root bone that travels", armature)
    action = actions.write_dance(DANCE, armature, 1, keys=thinning.Spacing(tolerance=thinning.Tolerance(1.0, 5.0)))
    thinned = shown(armature, rigs.bones(armature))
    assert action["footlight_keys"] < 0.7 * action["footlight_keys_dense"]
    for joint in ("left_ankle", "right_ankle", "left_knee"):
        assert np.linalg.norm(thinned[joint] - at[joint], axis=-1).max() < 0.01, "metres"


def check_detached_feet_that_lead_their_legs():
    """As low-poly kits have them before they are exported: inverse kinematics with a pole."""
    for lead in ("FK", "IK"):
        armature = detached("KayKit", root="root")
        bones = edited(armature)
        for s in "lr":
            pole, knee = bones.new(f"PoleTarget.{s}"), bones[f"lowerleg.{s}"]
            knee.head += Vector((0.0, -0.02, 0.0))
            bones[f"upperleg.{s}"].tail, knee.tail = knee.head, bones[f"foot.{s}"].head
            pole.head, pole.parent = knee.head + Vector((0.0, -0.5, 0.0)), bones["root"]
            pole.tail = pole.head + Vector((0.0, 0.0, 0.1))
        finish()
        for s in "lr":
            ik = control_rigs.follow(armature, f"lowerleg.{s}", f"foot.{s}", "IK")
            ik.pole_target, ik.pole_subtarget, ik.chain_count = armature, f"PoleTarget.{s}", 2
            control_rigs.settle_pole(armature, ik, f"lowerleg.{s}", f"PoleTarget.{s}")
        armature.footlight_bones.keys = lead
        dances(f"feet that lead their legs, {lead}", armature)


def check_a_control_rig_of_auto_rig_pro():
    for lead in ("FK", "IK"):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature, _ = control_rigs.auto_rig_pro()
        armature.footlight_bones.keys = lead
        dances(f"Auto-Rig Pro's control rig, {lead}", armature)


def check_twins():
    """Two characters in a scene whose bones have the same names."""
    first, second = add("Mixamo"), add("Mixamo", 5)
    dances("twins, the first", first)
    dances("twins, the second", second)
    assert angles(shown(first, rigs.bones(first)), LEGS) < 0.1, "the first dances on"


def check_a_toon():
    """Short legs, a huge head and no neck."""
    armature = add("Mixamo")
    bones = edited(armature)
    bones[MIXAMO["head"]].parent = bones[MIXAMO["spine3"]]
    bones.remove(bones[MIXAMO["neck"]])
    hips = 0.95
    move(bones, lambda p: Vector((p.x, p.y, 0.35 * p.z if p.z < hips else 0.35 * hips + 0.8 * (p.z - hips))))
    bones[MIXAMO["head"]].tail = bones[MIXAMO["head"]].head + Vector((0.0, 0.0, 1.0))
    finish()
    dances("toon: huge head, short legs, no neck", armature)


def check_an_override_of_a_linked_character():
    armature = add("Unreal 5")
    collection = bpy.data.collections.new("Hero")
    bpy.context.scene.collection.children.link(collection)
    bpy.context.collection.objects.unlink(armature)
    collection.objects.link(armature)
    path = FOLDER / "kinds library.blend"
    bpy.data.libraries.write(str(path), {collection})
    kept = path.read_bytes()
    bpy.ops.wm.read_homefile(use_empty=True)
    override = overridden(linked(path))
    assert override.override_library
    dances("override of a linked character", override)
    assert path.read_bytes() == kept


def dog(names):
    """A dog that stands. names: of the bones of a front leg and of a back leg."""
    rows = control_rigs.Rows()
    for name, above, head, tail in (
        ("Hips", "", (0.0, 0.4, 0.6), (0.0, 0.2, 0.62)),
        ("Spine", "Hips", (0.0, 0.2, 0.62), (0.0, -0.1, 0.62)),
        ("Chest", "Spine", (0.0, -0.1, 0.62), (0.0, -0.4, 0.6)),
        ("Neck", "Chest", (0.0, -0.4, 0.6), (0.0, -0.55, 0.8)),
        ("Head", "Neck", (0.0, -0.55, 0.8), (0.0, -0.75, 0.8)),
        ("Tail", "Hips", (0.0, 0.4, 0.6), (0.0, 0.6, 0.7)),
    ):
        rows.add(name, above, head, tail)
    for s, x in (("L", 0.1), ("R", -0.1)):
        for start, line, bones in (
            ("Chest", (-0.35, -0.3, -0.35, -0.45), names[0]),
            ("Hips", (0.4, 0.35, 0.42, 0.32), names[1]),
        ):
            above = start
            for i, bone in enumerate(bones):
                heights = (0.55, 0.3, 0.08, 0.0)
                rows.add(f"{bone}.{s}", above, (x, line[i], heights[i]), (x, line[i + 1], heights[i + 1]))
                above = f"{bone}.{s}"
    return rows.armature("dog")


def check_animals_are_refused():
    for names in (
        (("FrontUpperLeg", "FrontLowerLeg", "FrontFoot"), ("BackUpperLeg", "BackLowerLeg", "BackFoot")),
        (("UpperArm", "Forearm", "Hand"), ("Thigh", "Shin", "Foot")),
    ):
        bpy.ops.wm.read_homefile(use_empty=True)
        animal = dog(names)
        raises(UserError, "'dog' stands on four legs, and a dance is for a body on two.",
               actions.write_dance, DANCE, animal, 1)  # fmt: skip
        assert animal.animation_data is None


def check_halves_of_bodies_are_refused():
    for gone, words in (("hip", "but no left thigh, no left shin, no left foot"), ("shoulder", "but no left forearm")):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = add("Mixamo")
        bones = edited(armature)
        for bone in [one for side in SIDES for one in _with_children(bones[MIXAMO[f"{side}_{gone}"]])]:
            bones.remove(bone)
        finish()
        raises(UserError, words, rigs.check, armature)

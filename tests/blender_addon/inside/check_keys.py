"""Dances with fewer keys. The oracle is the same dance with a key on every frame, as Blender shows it."""

import bpy
import dump
import numpy as np
from generated import generated
from mathutils import Matrix
from scenes import FOLDER, addon

actions, dancer, rigs = addon("scene.actions"), addon("scene.dancer"), addon("scene.rigs")
thinning, proportions = addon("shared").thinning, addon("shared").proportions
DANCE = FOLDER / "steps.npz"
STANDS = np.load(DANCE)["contacts"] > 0.5
FPS = float(np.load(DANCE)["fps"])
ENDS = ("left_ankle", "left_foot", "right_ankle", "right_foot", "left_wrist", "right_wrist")
ALL = thinning.Spacing()
TOLERANCES = ((1.0, 5.0), (3.0, 15.0))


def write(armature, keys=ALL):
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = round(FPS), 1.0
    return actions.write_dance(DANCE, armature, 1, keys=keys)


def shown(armature, bones):
    """Matrices (t, n, 4, 4) of bones in every frame, in the armature's space."""
    found = []
    for frame in range(len(STANDS)):
        bpy.context.scene.frame_set(1 + frame)
        now = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([np.array(now.pose.bones[bone].matrix) for bone in bones])
    return np.array(found)


def curves_of(action):
    return action.layers[0].strips[0].channelbag(action.slots[0]).fcurves


def told(action):
    return {name: action[f"footlight_keys_{name}"] for name in ("degrees", "millimetres", "slide")}


def turned(a, b):
    """The largest angle between matrices (t, n, 4, 4), degrees."""
    angles = (Matrix(x[:3, :3]).to_quaternion().rotation_difference(Matrix(y[:3, :3]).to_quaternion()).angle
              for x, y in zip(a.reshape(-1, 4, 4), b.reshape(-1, 4, 4), strict=True))  # fmt: skip
    return float(np.degrees(max(min(one, 2 * np.pi - one) for one in angles)))


def sliding(places):
    """Metres a second that standing ankles and toes (t, 4, 3) move along the floor on average, in the rig's units."""
    both = STANDS[1:] & STANDS[:-1]
    return FPS * float(np.linalg.norm(np.diff(places[..., :2], axis=0), axis=-1)[both].mean())


def thinned(smooth):
    return [thinning.Spacing(tolerance=thinning.Tolerance(*one), smooth=smooth) for one in TOLERANCES]


def count(action):
    """The keys of curves that have more than one."""
    return sum(len(c.keyframe_points) for c in curves_of(action) if len(c.keyframe_points) > 1)


def check_the_dancer_in_every_rotation_mode():
    armature = dancer.add_dancer(bpy.context)
    modes = ("QUATERNION", "XYZ", "ZYX", "YXZ", "AXIS_ANGLE")
    for i, bone in enumerate(armature.pose.bones):
        bone.rotation_mode = modes[i % len(modes)]
    found = rigs.bones(armature)
    bones = [found[joint] for joint in (*ENDS, "pelvis", *sorted(found.keys() - {*ENDS, "pelvis"}))]
    size = proportions.size(rigs.at_rest(armature).bones)
    first = write(armature)
    assert "footlight_keys" not in first and len(first.layers[0].strips[0].channelbag(first.slots[0]).groups) == 7
    dense = shown(armature, bones)
    for smooth in (False, True):
        for spacing in (*thinned(smooth), thinning.Spacing(every=2, smooth=smooth)):
            action = write(armature, spacing)
            now, said = shown(armature, bones), told(action)
            away = 1000 / size * np.linalg.norm((now - dense)[:, :7, :3, 3], axis=-1).max()
            assert abs(away - said["millimetres"]) < 0.02, (away, said)
            assert abs(turned(now, dense) - said["degrees"]) < 0.1, (turned(now, dense), said)
            faster = 100 / size * (sliding(now[:, :4, :3, 3]) - sliding(dense[:, :4, :3, 3]))
            assert abs(faster - said["slide"]) < 0.01, (faster, said)
            assert count(action) == action["footlight_keys"] < action["footlight_keys_dense"] == count(first)
            kinds = {point.interpolation for curve in curves_of(action) for point in curve.keyframe_points}
            assert kinds == {"BEZIER" if smooth else "LINEAR"}
            if spacing.tolerance:
                assert said["degrees"] <= spacing.tolerance.degrees and faster < 1.0, said
                assert said["millimetres"] <= spacing.tolerance.millimetres, said


def check_a_root_bone_and_the_object_that_travel():
    """The location of both carriers has its keys on the same frames."""
    for travel in ("ROOT", "OBJECT"):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = generated() if travel == "ROOT" else dancer.add_dancer(bpy.context)
        armature.footlight_bones.travel = travel
        action = write(armature, thinned(True)[0])
        hips = "torso" if travel == "ROOT" else rigs.bones(armature)["pelvis"]
        carrier = 'pose.bones["root"].location' if travel == "ROOT" else "location"
        frames = [
            [point.co[0] for point in curve.keyframe_points]
            for curve in curves_of(action)
            if curve.data_path in (carrier, f'pose.bones["{hips}"].location')
        ]
        assert len(frames) == 6 and all(one == frames[0] for one in frames) and len(frames[0]) > 2


def check_a_rigify_rig():
    """Forward and inverse kinematics: hands and feet of the skin's bones, and how far feet slide."""
    bones = [f"ORG-{part}" for part in ("foot.L", "toe.L", "foot.R", "toe.R", "hand.L", "hand.R")]
    known, spacing = None, thinned(True)[0]
    for kind, travel, further in (("FK", "HIPS", 0.05), ("IK", "HIPS", 1.0), ("IK", "ROOT", 1.0)):
        armature = generated()
        armature.footlight_bones.keys, armature.footlight_bones.travel = kind, travel
        size = proportions.size(rigs.at_rest(armature).bones)
        write(armature)
        dense = shown(armature, bones)
        known = dense if known is None else known
        np.testing.assert_allclose(dense[..., :3, 3], known[..., :3, 3], atol=2e-3)
        action = write(armature, spacing)
        now, said = shown(armature, bones), told(action)
        away = 1000 / size * np.linalg.norm((now - dense)[..., :3, 3], axis=-1).max()
        assert away <= spacing.tolerance.millimetres + further, (kind, away, said)
        faster = (sliding(now[:, :4, :3, 3]) - sliding(dense[:, :4, :3, 3])) / size
        assert faster < 0.01, (kind, faster, said)
        limbs = {f"{side} {limb}" for side in ("Left", "Right") for limb in ("Arm", "Leg")}
        assert {c.group.name for c in curves_of(action)} == {"Hips", "Spine", "Head"} | limbs
        print(kind, travel, action["footlight_keys"], action["footlight_keys_dense"], away, faster, said, flush=True)
        if kind == "IK" and travel == "HIPS":
            ankle = curves_of(action).find('pose.bones["foot_ik.L"].location', index=2)
            inside = [
                p for p in ankle.keyframe_points if STANDS[max(round(p.co[0]) - 2, 0) : round(p.co[0]) + 1, 0].all()
            ]
            assert len(inside) < 0.3 * STANDS[:, 0].sum(), "a foot that stands has few keys"


def check_undo_returns_the_exact_scene():
    """Every value of the data-blocks that a scene is made of, and the number of all others."""
    armature = dancer.add_dancer(bpy.context)
    armature.animation_data_create().action = bpy.data.actions.new("mine")
    bpy.context.scene.render.fps = round(FPS)
    bpy.ops.ed.undo_push(message="before")
    before = dump.everything()
    write(armature, thinning.Spacing(every=10))
    write(armature, thinning.Spacing(every=8))
    assert len(dump.differences(before, dump.everything())) > 1000, "else it would not be seen"
    bpy.ops.ed.undo_push(message="two dances")
    bpy.ops.ed.undo()
    assert not (changed := dump.differences(before, dump.everything())), changed[:20]

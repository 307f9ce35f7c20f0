"""The same dance on a character of every family, and on the files that are at hand."""

import os
from pathlib import Path

import bpy
import characters
from measuring import DANCE, FAMILIES, GENERATED, STEPS, actions, measure, rigs


def check_every_family():
    for number, (family, told) in enumerate(FAMILIES.items()):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = characters.add(told, number)
        found = rigs.bones(armature)
        assert {j: found.get(j) for j in told["joints"] if j not in ("spine1", "spine2")} == {
            j: name for j, name in told["joints"].items() if j not in ("spine1", "spine2")
        }, family
        row = measure(family, armature, found)
        assert row["arms"] < 1.0 and row["legs"] < 1.0, (family, row)
        assert row["hips"] < 0.3 and row["skate"] < row["dancer"] + 0.1 and row["back"] < 0.1, (family, row)
        for dance in GENERATED:
            measure(f"{family} {dance.path.stem}", armature, found, dance)


def check_one_dance_after_another():
    """Each is an action of its own whose slot is bound; the earlier ones stay as they were, and nothing else is new."""
    family = FAMILIES["Unreal 5"]
    armature = characters.add(family, 2)
    before = {kind: len(getattr(bpy.data, kind)) for kind in ("objects", "armatures", "scenes", "collections")}
    made, kept = [], {}
    for generation in range(3):
        action = actions.write_dance(DANCE, armature, 1 + 10 * generation)
        made.append(action)
        assert armature.animation_data.action == action and armature.animation_data.action_slot == action.slots[0]
        assert len(action.slots) == 1 and action.use_fake_user
        for name, curves in kept.items():
            assert keys_of(bpy.data.actions[name]) == curves, "the earlier dance is as it was"
        kept[action.name] = keys_of(action)
    assert [action.name for action in bpy.data.actions] == sorted(action.name for action in made)
    assert before == {kind: len(getattr(bpy.data, kind)) for kind in before}
    assert {len(curves) for curves in kept.values()} == {len(kept[made[0].name])}


def keys_of(action):
    """The curves of an action: path and index -> first and last key."""
    curves = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves
    return {(c.data_path, c.array_index): [tuple(c.keyframe_points[i].co) for i in (0, -1)] for c in curves}


def check_files():
    folder = Path(os.environ.get("FOOTLIGHT_RIGS", ""))
    for path in sorted([*folder.glob("*.blend"), *folder.glob("*.glb")]) if folder.name else ():
        bpy.ops.wm.read_homefile(use_empty=True)
        if path.suffix == ".blend":
            with bpy.data.libraries.load(str(path)) as (there, here):
                here.objects = list(there.objects)
            for ob in here.objects:
                bpy.context.scene.collection.objects.link(ob)
        else:
            bpy.ops.import_scene.gltf(filepath=str(path))
        armature = next(ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE")
        for dance in (STEPS, *GENERATED):
            row = measure(f"{path.name} {dance.path.stem}", armature, rigs.bones(armature), dance)
            assert row["arms"] < 1.0 and row["back"] < 0.1, (path.name, row)
            assert row["legs"] < 3.0 or dance is not STEPS, (path.name, row)

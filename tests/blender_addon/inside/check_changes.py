"""What is changed of a lit stage by hand stays with its take, with the real engine and a tiny theatre."""

import bpy
import dump
import numpy as np
from recorder import shown
from scenes import FOLDER, addon, curves, drums

strips, dancer, takes = (addon(f"scene.{name}") for name in ("strips", "dancer", "takes"))
light, kept_light, session = addon("api.light"), addon("api.kept_light"), addon("session")
FOLLOW = ("Stage follow aim", "Stage camera")
"""What goes where the dancer does."""


def stage(count=2):
    """So many takes with their light, of four seconds."""
    scene = bpy.context.scene
    scene.render.fps = 30
    strips.add_song(scene, drums(4.0), 1)
    armature = dancer.add_dancer(bpy.context)
    scene.footlight.takes, scene.footlight.light.together.look = count, "noir"
    assert bpy.ops.footlight.generate_theatre() == {"FINISHED"}, session.state.error
    return armature


def part(name):
    return next(ob for ob in light.of(bpy.context.scene).objects if ob.get("footlight_part") == name)


def curve_of(owner, path):
    return next(curve for curve in curves(owner.animation_data.action) if curve.data_path == path)


def tree_of(name):
    return part(name).data.materials[0].node_tree


def look():
    """The stage in numbers: what is changed below, and where all of it stands."""
    names = sorted(ob["footlight_part"] for ob in light.of(bpy.context.scene).objects)
    floor = next(node for node in tree_of("Stage floor").nodes if node.type == "BSDF_PRINCIPLED")
    lamps = [part(name).data for name in names if isinstance(part(name).data, bpy.types.Light)]
    return {
        "names": names,
        "places": np.array([part(name).location for name in names if name not in FOLLOW]).round(5).tolist(),
        "keys": [[tuple(p.co) for p in c.keyframe_points] for ob in lamps if ob.animation_data
                 for c in curves(ob.animation_data.action)],
        "cones": [lamp.spot_size for lamp in lamps],
        "lens": part("Stage camera").data.lens,
        "follows": part("Stage follow spot").constraints[0].mute,
        "hidden": part("Stage side 1").hide_render,
        "rough": floor.inputs["Roughness"].default_value,
    }  # fmt: skip


def same_but_where_it_stands(one, other):
    """Whether two stages are changed in the same way, around dances that go elsewhere."""
    return all(one[name] == other[name] for name in one.keys() - {"places", "keys"})


def strongest():
    """The lamp whose power changes most, and that curve."""
    found = [part(name) for name in look()["names"] if name.startswith("Stage") and part(name).type == "LIGHT"]
    keyed = [ob for ob in found if ob.data.animation_data]
    lamp = max(keyed, key=lambda ob: len(curve_of(ob.data, "energy").keyframe_points))
    return lamp, curve_of(lamp.data, "energy")


def change():
    """What a lighting designer does. Returns the part whose power was keyed."""
    lamp, power = strongest()
    for point in power.keyframe_points:
        point.co.y *= 2
    power.update()
    lamp.data.spot_size = 0.9
    part("Stage top 2").location.z += 1.5
    part("Stage camera").data.lens = 85.0
    part("Stage follow spot").constraints[0].mute = True
    part("Stage side 1").hide_render = True
    floor = next(node for node in tree_of("Stage floor").nodes if node.type == "BSDF_PRINCIPLED")
    floor.inputs["Roughness"].default_value = 0.05
    bpy.data.objects.remove(part("Stage back 3"))
    part("Stage front 2").data.shadow_soft_size = 0.5
    part("Stage front 2").data.keyframe_insert("shadow_soft_size", frame=30)
    return lamp["footlight_part"]


def step():
    assert bpy.ops.footlight.step_take(by=1) == {"FINISHED"}


def check_changes_come_back_with_their_take_and_no_other_has_them():
    armature = stage()
    first = takes.shown(armature)
    built = look()
    step()
    other = look()
    step()
    change()
    changed = look()
    assert all(changed[name] != built[name] for name in built), "everything that is looked at was changed"
    step()
    assert look() == other, "the other take is lit as it was"
    step()
    assert look() == changed and takes.shown(armature) == first
    assert [point.co.x for point in curve_of(part("Stage front 2").data, "shadow_soft_size").keyframe_points] == [30]
    assert "With your changes to the stage" in [item.text for item in shown()]
    step()
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "changed.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "changed.blend"))
    step()
    assert look() == changed
    bpy.ops.ed.undo_push(message="before")
    before = dump.everything()
    assert bpy.ops.footlight.light_take(as_written=True) == {"FINISHED"} and look() == built
    bpy.ops.ed.undo_push(message="as it was lit")
    assert "With your changes to the stage" not in [item.text for item in shown()]
    bpy.ops.ed.undo()
    assert not (differing := dump.differences(before, dump.everything())), differing[:20]
    assert bpy.ops.footlight.remove_light() == {"FINISHED"}
    assert bpy.ops.footlight.light_take() == {"FINISHED"} and look() == changed, "removing the stage loses nothing"
    assert bpy.ops.footlight.add_stage() == {"FINISHED"} and bpy.ops.footlight.light_take() == {"FINISHED"}
    assert look() == changed, "nor does another stage in its place"


def check_what_nobody_changed_is_not_kept():
    """Neither playing it nor opening it in a file is a change."""
    armature = stage()
    for frame in (1, 50, 110):
        bpy.context.scene.frame_set(frame)
        bpy.context.view_layer.update()
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "plain.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "plain.blend"))
    armature = addon("operators.settings").find_dancer(bpy.context)
    for _ in range(3):
        step()
    assert all(kept_light.of_dance(action).changes == b"" for action in takes.of(armature))
    assert "footlight_changed" not in light.of(bpy.context.scene)


def check_an_edit_takes_them_along_and_its_bars_are_lit_anew():
    armature, scene = stage(1), bpy.context.scene
    first = takes.shown(armature)
    lamp = change()
    changed = look()
    mine = [tuple(p.co) for p in curve_of(part(lamp).data, "energy").keyframe_points]
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 41, 80
    scene.footlight.seed = 3
    assert bpy.ops.footlight.edit_dance() == {"FINISHED"}
    edited = takes.shown(armature)
    assert edited != first and same_but_where_it_stands(look(), changed)
    assert [tuple(p.co) for p in curve_of(part(lamp).data, "energy").keyframe_points] == mine
    assert bpy.ops.footlight.light_edit() == {"FINISHED"}, session.state.error
    now = [tuple(p.co) for p in curve_of(part(lamp).data, "energy").keyframe_points]
    outside = [[point for point in keys if not 41 <= point[0] < 81] for keys in (mine, now)]
    assert outside[0] == outside[1] and len(outside[0]) > 2 and now != mine
    assert same_but_where_it_stands(look(), changed)
    bpy.ops.footlight.step_take(by=1)
    assert takes.shown(armature) == first and look() == changed
    bpy.ops.footlight.step_take(by=1)
    assert [tuple(p.co) for p in curve_of(part(lamp).data, "energy").keyframe_points] == now


def check_lighting_the_dance_again_begins_from_the_light_that_is_new():
    stage(1)
    change()
    scene = bpy.context.scene
    scene.footlight.light.look = "disco"
    assert bpy.ops.footlight.light_stage() == {"FINISHED"}
    assert "Stage back 3" in look()["names"] and look()["lens"] != 85.0
    assert "footlight_changed" not in light.of(scene)

"""Parts of a dance made anew, with the real engine and a tiny model: what is not asked for stays on every frame."""

import bpy
import dump
import numpy as np
from mathutils import Vector
from recorder import shown
from scenes import addon, drums, finish, raises, read

strips, dancer, takes, paths = (addon(f"scene.{name}") for name in ("strips", "dancer", "takes", "paths"))
edit, names, UserError = addon("operators.edit"), addon("names"), addon("errors").UserError
light, kept_light = addon("api.light"), addon("api.kept_light")
FRAMES = range(1, 181)


def stage():
    """A dance of six seconds, and the preview range on two of them."""
    scene = bpy.context.scene
    strips.add_song(scene, drums(6.0), 1)
    armature = dancer.add_dancer(bpy.context)
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 61, 120
    return armature


def values(action) -> dict:
    """What each curve is on every frame."""
    curves = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves
    return {
        (curve.data_path, curve.array_index): np.array([curve.evaluate(frame) for frame in FRAMES]) for curve in curves
    }


def regenerate(armature, **settings):
    """The values before and after an edit; the old action is as it was."""
    before = takes.shown(armature)
    old = values(before)
    for name, value in settings.items():
        setattr(bpy.context.scene.footlight, name, value)
    assert bpy.ops.footlight.edit_dance() == {"FINISHED"}
    after = takes.shown(armature)
    assert after != before and after in takes.of(armature) and before in takes.of(armature)
    assert all(np.array_equal(old[key], row) for key, row in values(before).items())
    new = values(after)
    assert old.keys() == new.keys()
    return old, new


def changed(old, new) -> set[int]:
    """The frames on which anything differs."""
    return {frame for i, frame in enumerate(FRAMES) if any(old[key][i] != new[key][i] for key in old)}


def check_the_preview_range_is_made_anew_and_no_other_frame():
    old, new = regenerate(stage(), seed=3)
    frames = changed(old, new)
    assert min(frames) >= 61 and max(frames) <= 120 and len(frames) > 50
    steps = max(np.abs(np.diff(row)).max() for row in new.values())
    assert steps < 1.0, "nothing jumps"


def check_a_part_of_the_body_leaves_all_other_bones():
    armature = stage()
    old, new = regenerate(armature, edit_joints="left arm")
    paths = {path for path, i in old if not np.array_equal(old[path, i], new[path, i])}
    bones = {path.split('"')[1] for path in paths}
    assert bones and len(bones) <= 6, sorted(bones)
    assert all("left" in name.lower() or name.endswith((".L", "_l")) for name in bones), sorted(bones)


def check_counts_name_the_range():
    armature = stage()
    rate = strips.frame_rate(bpy.context.scene)
    old, new = regenerate(armature, edit_range="COUNTS", edit_counts="2:3")
    frames = changed(old, new)
    assert (min(frames), max(frames)) == (1 + 2 * rate, 3 * rate), (rate, sorted(frames))


def check_selected_keys_stay_exactly():
    armature = stage()
    action = takes.shown(armature)
    for curve in action.layers[0].strips[0].channelbag(action.slots[0]).fcurves:
        for point in curve.keyframe_points:
            point.select_control_point = point.co.x == 90
    old, new = regenerate(armature, edit_keep_keys=True)
    assert max(abs(old[key][89] - new[key][89]) for key in old) < 1e-5
    assert 90 not in {f for f in changed(old, new) if any(abs(old[k][f - 1] - new[k][f - 1]) > 1e-5 for k in old)}
    assert {85, 95} <= changed(old, new)


def check_sparse_keys_outside_keep_every_frame():
    armature = stage()
    action = takes.shown(armature)
    for curve in action.layers[0].strips[0].channelbag(action.slots[0]).fcurves:
        for point in reversed(list(curve.keyframe_points)):
            if (point.co.x - 1) % 8:
                curve.keyframe_points.remove(point)
            else:
                point.interpolation = "BEZIER"
        curve.update()
    old, new = regenerate(armature)
    frames = changed(old, new)
    far = [f for f in FRAMES if not 61 <= f <= 120]
    assert max(abs(old[key][f - 1] - new[key][f - 1]) for key in old for f in far) < 1e-5
    assert {70, 100} <= frames


def spread(armature, away):
    """Legs that are so many metres farther from the middle."""
    bpy.ops.object.mode_set(mode="EDIT")
    mapped = addon("scene.rigs").bones(armature)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        bones = [armature.data.edit_bones[mapped[f"{side}_{joint}"]] for joint in ("hip", "knee", "ankle", "foot")]
        for bone in bones:
            bone.use_connect = False
        for bone in bones:
            bone.head.x += sign * away
            bone.tail.x += sign * away
    bpy.ops.object.mode_set(mode="OBJECT")


def check_a_dance_on_another_build_is_read_as_it_was_wherever_it_is_not_edited():
    """Feet of such a rig stand elsewhere than ours. What that changes is kept with the dance, and with its edits."""
    scene = bpy.context.scene
    strips.add_song(scene, drums(6.0), 1)
    armature = dancer.add_dancer(bpy.context)
    spread(armature, 0.12)
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 61, 120
    kept = addon("scene.residuals")
    first = takes.shown(armature)
    assert max(np.abs(turns).max() for turns in kept._read(first).turns.values()) > 0.01
    before = read(armature, 1, 180)
    assert bpy.ops.footlight.edit_dance() == {"FINISHED"}
    after = read(armature, 1, 180)
    outside = np.array([not 61 <= frame <= 120 for frame in FRAMES])
    assert np.abs((before[0][outside] * after[0][outside]).sum(-1)).min() > 1 - 1e-6
    assert np.abs(before[1][outside] - after[1][outside]).max() < 1e-4
    assert np.abs((before[0] * after[0]).sum(-1)).min() < 0.999, "and the range is another"
    part = read(armature, 30, 150)
    assert np.abs((part[0] * after[0][29:150]).sum(-1)).min() > 1 - 1e-6, "the range that is read makes no difference"
    bpy.data.actions.remove(first)
    armature.animation_data.action = None
    edited = takes.of(armature)[0]
    track = armature.animation_data.nla_tracks.new()
    strip = track.strips.new("dance", 41, edited)
    moved = read(armature, 41, 220)
    assert strip.action_frame_start == 1.0
    assert np.abs((moved[0] * after[0]).sum(-1)).min() > 1 - 1e-6, "a strip has it too"
    body = addon("scene.rigs").at_rest(armature)
    assert kept.of(armature, body, range(41, 221)) is not None
    spread(armature, 0.05)
    body = addon("scene.rigs").at_rest(armature)
    assert kept.of(armature, body, range(41, 221)) is None, "it is of another build"


def curve(points, name="Way"):
    """A curve on the floor through points (n, 2), with a thickness, as somebody may have drawn it."""
    data = bpy.data.curves.new(name, "CURVE")
    data.dimensions, data.bevel_depth = "3D", 0.05
    spline = data.splines.new("POLY")
    spline.points.add(len(points) - 1)
    for point, (x, y) in zip(spline.points, points, strict=True):
        point.co = (x, y, 0.0, 1.0)
    made = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(made)
    return made


def hips(armature, last: int) -> np.ndarray:
    """Where the hips are in the world on every frame (t, 3)."""
    found = []
    for frame in range(1, last + 1):
        bpy.context.scene.frame_set(frame)
        bone = armature.pose.bones[addon("scene.rigs").bones(armature)["pelvis"]]
        found.append(armature.matrix_world @ bone.head)
    return np.array(found)


def check_a_curve_is_followed_wherever_the_dancer_stands():
    armature = stage()
    scene = bpy.context.scene
    armature.location, armature.rotation_euler, armature.scale = (2.0, -1.0, 0.5), (0.0, 0.0, 1.2), (1.4, 1.4, 1.4)
    last = 6 * scene.render.fps
    scene.frame_preview_start, scene.frame_preview_end = 1, last
    way = curve([(-1.0, 0.0), (1.0, 0.0), (1.0, 2.0)])
    way.location, way.rotation_euler = (2.0, -1.0, 0.5), (0.0, 0.0, -0.4)
    regenerate(armature, edit_path=way, edit_facing="kept")
    bpy.context.view_layer.update()
    walked = np.linspace(0.0, 4.0, last)
    wanted = np.array([way.matrix_world @ Vector((min(s, 2.0) - 1.0, max(s - 2.0, 0.0), 0.0)) for s in walked])
    apart = np.linalg.norm((hips(armature, last) - wanted)[:, :2], axis=1)
    assert apart.mean() < 0.3, apart.round(2)


def check_points_of_curves():
    straight = paths.line(curve([(0.0, 0.0), (1.0, 0.0)]))
    assert np.allclose(straight, [(0, 0, 0), (1, 0, 0)])
    ring = curve([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)])
    ring.data.splines[0].use_cyclic_u = True
    assert np.allclose(paths.line(ring)[[0, -1]], 0.0) and len(paths.line(ring)) == 4
    bent = curve([(0.0, 0.0), (2.0, 0.0)])
    bent.data.splines.clear()
    spline = bent.data.splines.new("BEZIER")
    spline.bezier_points.add(1)
    for point, x in zip(spline.bezier_points, (0.0, 2.0), strict=True):
        point.co, point.handle_left, point.handle_right = (x, 0, 0), (x - 1, -1, 0), (x + 1, 1, 0)
    points = paths.line(bent)
    assert (
        len(points) > 8 and np.allclose(points[[0, -1]], [(0, 0, 0), (2, 0, 0)]) and (np.diff(points[:, 0]) > 0).all()
    )
    before = {name: len(getattr(bpy.data, name)) for name in ("objects", "curves", "meshes")}
    paths.line(bent)
    assert before == {name: len(getattr(bpy.data, name)) for name in before}
    bent.data.splines.new("POLY")
    raises(UserError, "has 2 curves in it", paths.line, bent)


def check_a_path_that_cannot_be_followed_is_refused():
    stage()
    settings = bpy.context.scene.footlight
    settings.edit_path, settings.edit_joints = curve([(0.0, 0.0), (1.0, 0.0)]), "arms"
    raises(UserError, "walked by the legs", edit.start, bpy.context)
    settings.edit_joints, settings.edit_path = "all", curve([(0.0, 0.0), (50.0, 0.0)], "Marathon")
    raises(UserError, "'Marathon' is no way to follow: the path has to be danced at", edit.start, bpy.context)
    settings.edit_path = curve([(1.0, 0.0), (1.0, 0.0)], "Point")
    raises(UserError, "'Point' is no way to follow", edit.start, bpy.context)


def check_what_is_missing_is_said():
    armature = stage()
    bpy.context.scene.use_preview_range = False
    raises(UserError, "There is no preview range", edit.start, bpy.context)
    bpy.context.scene.use_preview_range, bpy.context.scene.frame_preview_end = True, 400
    raises(UserError, "not within the animated part of the song", edit.start, bpy.context)
    bpy.context.scene.frame_preview_end = 120
    armature.animation_data.action = None
    raises(UserError, "has no action to edit", edit.start, bpy.context)


def check_an_edit_is_in_the_style_of_its_dance_unless_another_one_is_chosen():
    bpy.context.scene.footlight.style = "robot"
    armature = stage()
    regenerate(armature, style="OWN", seed=3)
    edited = takes.shown(armature)
    assert edited["footlight_style"] == "robot" and edited.name == "drums - 0:02-0:05 - Robot - seed 3"
    assert bpy.context.scene.footlight.style == "OWN"
    del edited["footlight_style"]
    regenerate(armature, seed=4)
    assert "footlight_style" not in takes.shown(armature), "of this one nobody knows"


def check_an_edit_whose_song_is_deleted_meanwhile_writes_nothing():
    armature = stage()
    before = takes.of(armature)
    edit.start(bpy.context)
    strips.remove_song(bpy.context.scene, strips.sound_strips(bpy.context.scene)[0])
    assert finish() is addon("engine.job").JobState.FAILED
    assert "The strip 'drums' was deleted while its dance" in addon("session").state.error
    assert takes.of(armature) == before


def check_another_song_is_told_and_the_light_of_the_dance_is_kept():
    armature, scene = stage(), bpy.context.scene
    assert bpy.ops.footlight.light_stage() == {"FINISHED"}
    written = light.of(scene)["footlight_show"]
    regenerate(armature, seed=3)
    edited = takes.shown(armature)
    assert light.is_for(light.of(scene), armature) and light.of(scene)["footlight_show"] == written
    assert "Light Edited Bars lights what is new" in addon("session").state.message
    assert "Lit before the dance was edited" in [item.text for item in shown()]
    assert "footlight_warning" not in edited, edited["footlight_warning"]
    strips.add_song(scene, drums(6.0, 100.0, "others"), 1)
    regenerate(armature, song="others")
    told = takes.shown(armature)["footlight_warning"]
    assert f"{edited.name!r} was made to another song, 'drums'" in told, told
    scene.footlight.song = "drums"
    assert bpy.ops.footlight.light_stage() == {"FINISHED"}, addon("session").state.error
    assert "Lit before the dance was edited" not in [item.text for item in shown()]


def light_values(kept):
    """A show (t, c) that a stage or a take keeps, and the second of each of its frames."""
    show = kept.show
    return show.values, np.arange(show.frames) / show.fps


def check_the_edited_bars_are_lit_anew_and_the_rest_of_the_light_stays():
    armature, scene = stage(), bpy.context.scene
    button = bpy.ops.footlight.light_edit
    assert not button.poll() and "Light Edited Bars" not in [item.text for item in shown()]
    scene.footlight.seed = 5
    assert bpy.ops.footlight.light_stage() == {"FINISHED"}
    first = takes.shown(armature)
    old, at = light_values(kept_light.of_dance(first))
    regenerate(armature, seed=3)
    assert kept_light.of_dance(takes.shown(armature)).edited == "frames 60:120"
    scene.frame_preview_start, scene.frame_preview_end = 131, 138
    regenerate(armature, seed=4)
    edited = takes.shown(armature)
    assert kept_light.of_dance(edited).edited == "frames 60:120, frames 130:138"
    assert [item.text for item in shown()].count("Light Edited Bars") == 2, "in Edit and in Stage Light"
    bpy.ops.ed.undo_push(message="before")
    before = dump.everything()
    scene.footlight.light.look, scene.footlight.seed = "noir", 9
    assert button() == {"FINISHED"}, addon("session").state.error
    new, _ = light_values(kept_light.of_dance(edited))
    changed = at[(old != new).any(axis=1)]
    inside = lambda second: 2.46 < second < 5.0 or 5.36 < second < 138 / 24  # noqa: E731
    assert len(changed) > 5 and min(changed) < 5 < 5.3 < max(changed) and all(map(inside, changed)), changed
    assert np.array_equal(light_values(kept_light.of_stage(light.of(scene)))[0], new), "the stage shines as the take"
    assert light.title(light.of(scene)).endswith("seed 5"), "in the look and with the seed that it was lit with"
    assert not button.poll() and "Light Edited Bars" not in [item.text for item in shown()]
    assert "Lit before the dance was edited" not in [item.text for item in shown()]
    assert np.array_equal(light_values(kept_light.of_dance(first))[0], old), "the take before is lit as it was"
    scene.footlight.light.look, scene.footlight.seed = "musical", 4
    bpy.ops.ed.undo_push(message="lit")
    bpy.ops.ed.undo()
    assert not (changed := dump.differences(before, dump.everything())), changed[:20]


def check_edited_bars_are_lit_to_their_own_song():
    armature, scene = stage(), bpy.context.scene
    assert bpy.ops.footlight.light_stage() == {"FINISHED"}
    regenerate(armature, seed=3)
    kept = kept_light.of_dance(takes.shown(armature)).packed
    strips.add_song(scene, drums(6.0, 100.0, "others"), 1)
    scene.footlight.song = "others"
    raises(RuntimeError, "lit to another song, 'drums'", bpy.ops.footlight.light_edit)
    assert kept_light.of_dance(takes.shown(armature)).packed == kept
    bpy.ops.footlight.remove_light()
    scene.footlight.song = "drums"
    assert bpy.ops.footlight.light_edit() == {"FINISHED"}
    assert light.is_for(light.of(scene), armature), "a stage that was removed stands again"

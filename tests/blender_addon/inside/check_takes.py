"""Several dances in one run, and how one of them is chosen."""

import json

import bpy
import dump
import numpy as np
from generated import generated
from recorder import shown
from scenes import FOLDER, addon, curves, fingerprint, finish, noise, raises, unchanged, wait

session, names, environment = addon("session"), addon("names"), addon("environment")
strips, dancer, grids = addon("scene.strips"), addon("scene.dancer"), addon("scene.grids")
takes, api, dance, card = addon("scene.takes"), addon("api.takes"), addon("api.dance"), addon("api.card")
beat_grid, worker = addon("shared").beat_grid, addon("api.worker")

SCORES = {7: 0.2, 8: 0.8, 9: 0.5}


def stage(how=None, with_dancer=True):
    """A song, and an engine whose dances are as good as ``SCORES`` says. how: what it does with a seed."""
    seeds = {str(seed): {"beat": beat} for seed, beat in SCORES.items()}
    for seed, told in (how or {}).items():
        seeds[str(seed)]["how"] = told
    (FOLDER / "seeds.json").write_text(json.dumps(seeds))
    strips.add_song(bpy.context.scene, noise(3.0, "well"), 1)
    settings = bpy.context.scene.footlight
    settings.seed, settings.takes = 7, 3
    return dancer.add_dancer(bpy.context) if with_dancer else None


def listed(armature):
    return [action.name for action in takes.of(armature)]


def values(action):
    return [[tuple(point.co) for point in curve.keyframe_points] for curve in curves(action)]


NAMES = [f"well - seed {seed}" for seed in SCORES]


def check_takes_are_actions_and_the_best_on_the_beat_is_shown():
    armature = stage()
    before = fingerprint()
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    before["actions"] |= {*NAMES}
    unchanged(before)
    assert listed(armature) == NAMES and takes.shown(armature).name == NAMES[1]
    assert armature.animation_data.action_slot in list(takes.shown(armature).slots)
    assert all(action.use_fake_user for action in takes.of(armature))
    assert session.state.message.startswith("3 takes. Best on the beat, and shown: well - seed 8")
    assert [action["footlight_beat_score"] for action in takes.of(armature)] == [*SCORES.values()]
    assert bpy.context.scene.footlight.seed == 7, "the seed of the panel is the first one's"


def check_the_list_shows_each_take_in_words():
    armature = stage()
    bpy.ops.footlight.generate_dance()
    items = shown()
    words = [items[i + 1] for i, item in enumerate(items) if item.name == "footlight_take"]
    told = [item.text for item in words]
    feet = card.of(takes.shown(armature)).feet
    steps = feet.split()[0] if feet[0].isdigit() else "0"
    assert told == [f"{grade}, {steps}" for grade in ("Poor", "Excellent", "Good")]
    assert "Beat, steps/s" in [item.text for item in items]
    assert [item.icon for item in words] == ["NONE", "CHECKMARK", "NONE"], "the one that is shown"
    assert [card.grade(score) for score in (0.744, 0.746)] == ["Good", "Excellent"], "as it is told: 0.74 and 0.75"
    first = bpy.data.actions[NAMES[0]]
    assert first.footlight_take == "seed 7", "all are to one song"
    first.footlight_take = "my favourite"
    assert listed(armature)[0] == first.name == "well - my favourite"
    first.name = "other"
    first.footlight_take = "another"
    assert first.name == "another"


def check_a_click_shows_a_take_and_the_frame_stays():
    armature = stage()
    bpy.ops.footlight.generate_dance()
    scene = bpy.context.scene
    scene.frame_set(23)
    kept = armature.footlight_takes
    for name in (NAMES[0], NAMES[2], NAMES[0]):
        kept.shown = next(i for i, action in enumerate(bpy.data.actions) if action.name == name)
        assert takes.shown(armature).name == name and kept.shown == bpy.data.actions.find(name)
        assert armature.animation_data.action_slot is not None and scene.frame_current == 23
    for by, name in ((1, NAMES[1]), (1, NAMES[2]), (1, NAMES[0]), (-1, NAMES[2])):
        assert bpy.ops.footlight.step_take(by=by) == {"FINISHED"}
        assert takes.shown(armature).name == name


def check_making_more_overwrites_nothing():
    armature = stage()
    bpy.ops.footlight.generate_dance()
    first = {name: values(bpy.data.actions[name]) for name in NAMES}
    bpy.ops.footlight.generate_dance()
    bpy.ops.footlight.generate_dance(takes=1)
    assert listed(armature) == [*NAMES, *(f"{name} (2)" for name in NAMES), "well - seed 7 (3)"]
    assert {name: values(bpy.data.actions[name]) for name in NAMES} == first


def playing(armature):
    """The NLA tracks of a dancer that are not muted, and whether it has an action besides."""
    data = armature.animation_data
    return [track.name for track in data.nla_tracks if not track.mute], data.action is not None


def pose(armature):
    bpy.context.scene.frame_set(20)
    shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([tuple(bone.matrix.translation) for bone in shown.pose.bones])


def check_takes_lie_on_nla_tracks_all_muted_but_one():
    """What is seen is the same. A click mutes and unmutes, new dances get tracks too, and all of it can be undone."""
    armature = stage()
    bpy.ops.footlight.generate_dance()
    for curve in curves(bpy.data.actions[NAMES[0]]):  # as the engine hands out one dance for all
        for point in curve.keyframe_points:
            point.co[1] *= 0.5
    own = armature.animation_data.nla_tracks.new()
    own.name = "mine"
    seen = {}

    def track(name):
        return f"Take: {name}"

    for action in takes.of(armature):
        takes.show(armature, action)
        seen[action.name] = pose(armature)
    assert bpy.ops.footlight.lay_out_takes() == {"FINISHED"}
    assert playing(armature) == (["mine", track(NAMES[2])], False)
    assert [one.name for one in armature.animation_data.nla_tracks] == ["mine", *map(track, NAMES)]
    kept = armature.footlight_takes
    for name in (NAMES[0], NAMES[1], NAMES[0]):
        kept.shown = bpy.data.actions.find(name)
        assert playing(armature) == (["mine", track(name)], False) and takes.shown(armature).name == name
        np.testing.assert_allclose(pose(armature), seen[name], atol=1e-6)
    assert listed(armature) == NAMES and kept.shown == bpy.data.actions.find(NAMES[0])
    bpy.ops.footlight.generate_dance(takes=1)
    newest = f"{NAMES[0]} (2)"
    assert playing(armature) == (["mine", track(newest)], False) and listed(armature) == [*NAMES, newest]
    bpy.ops.footlight.reject_take()
    assert playing(armature) == (["mine", track(NAMES[0])], False) and newest not in bpy.data.actions
    assert bpy.ops.footlight.lay_out_takes() == {"FINISHED"}
    assert [one.name for one in armature.animation_data.nla_tracks] == ["mine"]
    assert takes.shown(armature) == armature.animation_data.action == bpy.data.actions[NAMES[0]]
    np.testing.assert_allclose(pose(armature), seen[NAMES[0]], atol=1e-6)
    bpy.ops.footlight.lay_out_takes()
    bpy.ops.footlight.accept_take()
    assert listed(armature) == [NAMES[0]] and playing(armature) == (["mine", track(NAMES[0])], False)


def check_a_dance_that_was_made_for_another_lies_on_one_track():
    """However often it is laid out; and where something fails meanwhile it lies there again."""
    armature = stage()
    bpy.ops.footlight.generate_dance(takes=1)
    action = takes.shown(armature)
    other = dancer.add_dancer(bpy.context)
    takes.show(other, action)
    takes.lay_out(other)
    takes.lay_out(other)
    track = f"Take: {action.name}"
    assert playing(other) == ([track], False) and len(other.animation_data.nla_tracks) == 1
    try:
        with takes.taken_up(other):
            assert not takes.are_laid_out(other) and takes.shown(other) == action
            raise RuntimeError
    except RuntimeError:
        pass
    assert playing(other) == ([track], False) and takes.are_laid_out(other)
    assert takes.take_up(other) and not other.animation_data.nla_tracks and takes.shown(other) == action


def check_accept_keeps_one_and_leaves_what_is_not_its_rival():
    armature = stage()
    own = bpy.data.actions.new("mine")
    own.use_fake_user = True
    bpy.ops.footlight.generate_dance()
    strips.add_song(bpy.context.scene, noise(3.0, "other", seed=1), 1)
    bpy.context.scene.footlight.strip = "other"
    bpy.ops.footlight.generate_dance(takes=1)
    other = dancer.add_dancer(bpy.context)
    bpy.context.scene.footlight.dancer = other
    bpy.context.scene.footlight.strip = "well"
    bpy.ops.footlight.generate_dance(takes=1)
    bpy.context.scene.footlight.dancer = armature
    track = armature.animation_data.nla_tracks.new()
    track.strips.new("kept", 200, bpy.data.actions[NAMES[2]])
    takes.show(armature, bpy.data.actions[NAMES[0]])
    assert bpy.ops.footlight.accept_take() == {"FINISHED"}
    assert listed(armature) == [NAMES[0], NAMES[2], "other - seed 7"], "one is in the NLA, one to another song"
    assert listed(other) == ["well - seed 7 (2)"] and "mine" in bpy.data.actions


def check_reject_shows_the_next_one():
    armature = stage()
    bpy.ops.footlight.generate_dance()
    assert bpy.ops.footlight.reject_take() == {"FINISHED"}
    assert listed(armature) == [NAMES[0], NAMES[2]] and takes.shown(armature).name == NAMES[2]
    bpy.ops.footlight.reject_take()
    bpy.ops.footlight.reject_take()
    assert listed(armature) == [] and armature.animation_data.action is None
    raises(RuntimeError, "no take yet", bpy.ops.footlight.reject_take)


def check_a_cancel_keeps_the_finished_takes():
    armature = stage({9: "wait"})
    addon("operators.generate").start(bpy.context)
    wait(lambda: len(session.state.job.result) >= 2 and session.state.job.fraction >= 0.8)
    text, fraction = session.progress()
    assert text.startswith("3 of 3: at work") and fraction > 0.6
    assert listed(armature) == [], "all are written at once, as one step"
    session.cancel()
    assert finish().value == "done"
    assert listed(armature) == NAMES[:2] and takes.shown(armature).name == NAMES[1]
    assert session.state.message.startswith("2 of 3 takes") and not session.state.warning

    addon("operators.generate").start(bpy.context, 3)
    wait(lambda: session.state.job.fraction >= 0.1)
    session.abandon("gone")
    assert listed(armature) == NAMES[:2]


def check_a_cancel_of_the_first_take_leaves_nothing():
    armature = stage({7: "wait"})
    addon("operators.generate").start(bpy.context)
    wait(lambda: session.state.job.fraction >= 0.1)
    session.cancel()
    assert finish().value == "cancelled" and session.state.message == "Cancelled."
    assert listed(armature) == [] and not session.busy()


def check_a_failure_keeps_the_takes_before_and_says_why():
    for how, told in (("refuse", "the song is silent"), ("die", "out of memory")):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = stage({9: how})
        assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
        assert listed(armature) == NAMES[:2] and told in session.state.warning, session.state.warning
    bpy.ops.wm.read_homefile(use_empty=True)
    stage({7: "refuse"})
    raises(RuntimeError, "the song is silent", bpy.ops.footlight.generate_dance)


def check_one_undo_step_takes_all_back():
    stage(with_dancer=False)
    bpy.ops.ed.undo_push(message="before")
    before = fingerprint()
    bpy.ops.footlight.generate_dance()
    bpy.ops.ed.undo_push(message="takes")
    assert len(bpy.context.scene.objects) > 0 and {*NAMES} <= {action.name for action in bpy.data.actions}
    bpy.ops.ed.undo()
    unchanged(before)
    assert not bpy.data.actions and not bpy.context.scene.objects
    bpy.ops.ed.redo()
    armature = next(ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE")
    assert listed(armature) == NAMES and bpy.context.scene.footlight.dancer == armature


def check_undo_returns_the_exact_scene_of_a_rigify_rig():
    """Every value of objects, bones, constraints, properties, actions and NLA tracks."""
    rig = generated()
    stage(with_dancer=False)
    settings, bones = bpy.context.scene.footlight, rig.pose.bones
    settings.dancer, rig.footlight_bones.keys = rig, "IK"
    bones["upper_arm_parent.L"]["IK_FK"], bones["foot_ik.L"].location = 1.0, (0.1, 0.2, 0.3)
    rig.animation_data_create().action = bpy.data.actions.new("mine")
    rig.keyframe_insert("location", frame=5)
    bpy.ops.ed.undo_push(message="before")
    before = dump.everything()
    assert sum(path.endswith('["IK_FK"]') for path in before) == 4
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"} and bpy.ops.footlight.lay_out_takes() == {"FINISHED"}
    assert len(takes.of(rig)) == len(rig.animation_data.nla_tracks) == 3
    bpy.ops.ed.undo_push(message="takes")
    bpy.ops.ed.undo()
    assert not (changed := dump.differences(before, dump.everything())), changed[:20]


def check_takes_are_saved_and_stay_with_a_renamed_dancer():
    armature = stage()
    bpy.ops.footlight.generate_dance()
    armature.name = "Ada"
    path = str(FOLDER / "takes.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    armature = bpy.data.objects["Ada"]
    assert listed(armature) == NAMES and takes.shown(armature).name == NAMES[1]
    takes.show(armature, bpy.data.actions[NAMES[0]])
    bpy.context.scene.frame_set(20)
    pose = [tuple(bone.matrix.translation) for bone in armature.pose.bones]
    takes.show(armature, bpy.data.actions[NAMES[1]])
    bpy.context.scene.frame_set(20)
    same = [tuple(bone.matrix.translation) for bone in armature.pose.bones]
    assert np.allclose(pose, same), "the engine hands out one dance"


def check_again_asks_for_the_same_dance():
    armature = stage()
    settings = bpy.context.scene.footlight
    settings.follow, settings.beat_snap, settings.fine, settings.takes = 4.0, 0.75, True, 1
    settings.free_form = True
    strip = strips.sound_strips(bpy.context.scene)[0]
    home = grids.Home(bpy.context.scene, strip)
    grids.correct(home, beat_grid.Grid.of([0.5, 1.25, 2.0, 2.75], [False, True, False, False]))
    bpy.ops.footlight.generate_dance()
    first = json.loads((FOLDER / "asked.json").read_text())
    beats = (FOLDER / "asked_beats.json").read_text()
    grids.clear(home)
    settings.seed, settings.follow, settings.beat_snap, settings.fine = 99, 3.0, 0.0, False
    settings.free_form = False
    again = [item for item in shown() if item.text == "Again"]
    assert len(again) == 1 and again[0].properties == {"like": NAMES[0]}
    (FOLDER / "asked_beats.json").unlink()
    assert bpy.ops.footlight.generate_dance(like=NAMES[0]) == {"FINISHED"}
    second = json.loads((FOLDER / "asked.json").read_text())
    for asked in (first, second):
        for name in ("id", "out", "beats"):
            del asked[name]
    tuned = addon("model").facts(addon("environment").model_folder(), "fine")
    assert first["steps"] is None and first["quality"] == "fine" and first["free_form"] is True
    assert second == first | {"steps": tuned.steps["motion"]}, "so many were meant"
    assert (FOLDER / "asked_beats.json").read_text() == beats
    assert listed(armature) == [NAMES[0], f"{NAMES[0]} (2)"] and not session.state.warning
    assert settings.seed == 99, "the panel is left as it is"


def check_again_repeats_moves_as_they_were_chosen():
    armature = stage()
    settings = bpy.context.scene.footlight
    settings.takes = 1
    for moves in ("AABC", "STYLE"):
        settings.moves = moves
        bpy.ops.footlight.generate_dance()
    first, second = listed(armature)
    settings.moves = "AAAA"
    for like, moves in ((first, "AABC"), (second, None)):
        bpy.ops.footlight.generate_dance(like=like)
        assert json.loads((FOLDER / "asked.json").read_text())["moves"] == moves


def check_again_says_when_it_cannot_be_the_same():
    stage()
    bpy.ops.footlight.generate_dance(takes=1)
    strip = strips.sound_strips(bpy.context.scene)[0]
    addon("scene.versions").set_end(strip, 61)
    bpy.data.actions[NAMES[0]]["footlight_model_sha256"] = "another"
    bpy.ops.footlight.generate_dance(like=NAMES[0])
    assert "made by another model and to another part of its song" in session.state.warning
    strips.remove_song(bpy.context.scene, strip)
    strips.add_song(bpy.context.scene, noise(3.0, "other", seed=1), 1)
    raises(RuntimeError, "'well', is not in", lambda: bpy.ops.footlight.generate_dance(like=NAMES[0]))
    raises(RuntimeError, "no action 'gone'", lambda: bpy.ops.footlight.generate_dance(like="gone"))
    own = bpy.data.actions.new("mine")
    song = strips.whole_file(FOLDER / "well.wav")
    raises(addon("errors").UserError, "no dance to a song", lambda: dance.again(own, song))


def check_a_script_makes_takes_too():
    scene = bpy.context.scene
    stage(with_dancer=False)
    folder = FOLDER / "script"
    folder.mkdir(exist_ok=True)
    song = strips.excerpt(scene, strips.sound_strips(scene)[0], folder)
    with worker.engine() as engine:
        targets, requests = api.request(scene, None, song, folder, seeds=(7, 8))
        written = api.write(targets, [worker.answer(engine, request) for request in requests])
    assert written.action.name == NAMES[1] and written.dancer is not None
    assert listed(written.dancer) == NAMES[:2] and len({request.out for request in requests}) == 2
    assert [ob for ob in scene.objects if ob.type == "ARMATURE"] == [written.dancer], "one dancer for all of them"

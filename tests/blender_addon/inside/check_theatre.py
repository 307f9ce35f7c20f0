"""A dance and its stage light from one click, with the real engine and a tiny theatre: what is made, when, around whom,
and what it takes back. Nothing about how well it dances."""

import json
import os

import bpy
import dump
import numpy as np
from recorder import shown
from scenes import FOLDER, addon, curves, drums, raises
from shining import lamps, shining

strips, dancer, takes, versions = (addon(f"scene.{name}") for name in ("strips", "dancer", "takes", "versions"))
kept_light = addon("api.kept_light")
light, card, names, session = addon("api.light"), addon("api.card"), addon("names"), addon("session")
lights, colour, environment = addon("stage.lights"), addon("shared").colour, addon("environment")
LOOKS = ("noir", "disco")  # those that the tiny theatre knows
DATA = ("actions", "meshes", "materials", "images", "lights", "cameras", "collections", "worlds", "objects")


def song(seconds=4.0, frame=1, fps=(30, 1.0)):
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps
    scene.footlight.light.together.look = LOOKS[0]
    return strips.add_song(scene, drums(seconds), frame)


def made(**asked):
    """The dance that the button makes, and the collection of its stage."""
    assert bpy.ops.footlight.generate_theatre(**asked) == {"FINISHED"}, session.state.error
    armature = addon("operators.settings").find_dancer(bpy.context)
    return takes.shown(armature), light.of(bpy.context.scene)


def texts():
    return [item.text for item in shown() if item.text]


def keyed(action):
    return [[tuple(point.co) for point in curve.keyframe_points] for curve in curves(action)]


def shone(frames=120):
    """The light (t, n, 3) of all lamps, from the first frame on."""
    bpy.context.scene.frame_set(1)
    return shining([lamp for role in lights.PLOT for lamp in lamps(role)], frames)


def most_swings(light, fps, step=0.12):
    """How often light (t,) rises, after it fell, by a tenth of full light and what keys may be off, in any second."""
    found = 0
    for start in range(len(light) - fps):
        low = high = light[start]
        rises, rising = 0, None
        for value in light[start : start + fps + 1]:
            low, high = min(low, value), max(high, value)
            if rising is not True and value - low >= step:
                rises, rising, high = rises + 1, True, value
            elif rising is not False and high - value >= step:
                rising, low = False, value
        found = max(found, rises)
    return found


def check_one_click_makes_a_take_and_the_stage_around_the_dancer():
    song(frame=11)
    scene = bpy.context.scene
    scene.footlight.seed, scene.footlight.style = 5, "robot"
    armature = dancer.add_dancer(bpy.context, (3.0, 1.0, 0.0))
    action, stage = made()
    assert action.name == "drums - Robot - seed 5" and takes.of(armature) == [action]
    assert (action["footlight_operation"], action["footlight_accent"]) == ("theatre", "strike")
    assert action["footlight_look"] == action["footlight_look_asked"] == "noir"
    told = {name.removeprefix(names.PREFIX): value for name, value in stage.items()}
    wanted = {"operation": "theatre", "by": "model", "look": "noir", "look_asked": "noir", "seed": 5, "song": "drums"}
    assert {name: told[name] for name in wanted} == wanted
    assert told["audio_sha256"] == action["footlight_audio_sha256"] and light.is_for(stage, armature)
    spots = [ob for ob in stage.objects if ob.type == "LIGHT"]
    assert len(spots) == 21 and armature.name not in stage.all_objects
    aim = next(ob for ob in stage.objects if ob.name == lights.AIM)
    assert np.linalg.norm(np.array(aim.location.xy) - (3.0, 1.0)) < 2.0, "the follow spot is on the dancer"
    assert armature.children[0].material_slots[0].material.name.startswith("Stage costume")
    assert scene.camera.name == "Stage camera"
    assert session.state.message.startswith("drums - Robot - seed 5: ")
    assert "Noir - seed 5: filmed by 'Stage camera'" in session.state.message


def check_the_cards_say_what_was_made_and_what_comes_next():
    song()
    dancer.add_dancer(bpy.context)
    action, _ = made()
    items = shown()
    assert "times as much on strong beats" in " ".join(texts())
    assert not any(text.startswith("On the beat:") for text in texts()), "who strikes does not arrive"
    assert "Noir - seed 0" in texts() and "By the model, to 'drums'" in texts()
    assert "Add Stage" not in texts(), "it would take the light away"
    assert [item.name for item in items if item.text == "Rendered View"] == [names.SEE_LIGHT] * 2
    told = {item.text: item for item in items if item.name == names.THEATRE}
    assert told["Another Take"].properties == {"new_seed": True, "takes": 1} and told["Again"].properties == {
        "like": action.name
    }
    bpy.context.scene.footlight.light.accent = "arrive"
    action, _ = made()
    assert action["footlight_accent"] == "arrive" and card.of(action).beat and not card.of(action).strikes
    assert "On beats, steps/s" in texts(), "one of the takes strikes, the other one arrives"
    bpy.ops.footlight.remove_light()
    assert "Add Stage" in texts()


def check_what_the_action_keeps_is_the_theatres_own():
    song()
    dancer.add_dancer(bpy.context)
    action, _ = made()
    tuned = addon("model").facts(environment.model_folder())
    assert tuned.theatre and action["footlight_steps"] == tuned.steps["theatre"]
    assert action["footlight_guidance"] == tuned.guidance["theatre"]


def check_every_frame_rate_and_trim():
    """A key a frame of the dance over what is heard of the song, and light from the same frame on."""
    for fps, base in ((24, 1.0), (30, 1.001), (60, 1.0)):
        bpy.ops.wm.read_homefile(use_empty=True)
        strip = song(6.0, 17, (fps, base))
        versions.set_end(strip, 30 + 2 * fps)
        dancer.add_dancer(bpy.context)
        action, stage = made()
        first, end = versions.handles(strip)
        frames = [point.co.x for point in curves(action)[0].keyframe_points]
        assert frames == [first + i for i in range(len(frames))] and abs(len(frames) - (end - first)) <= 1
        animated = [ob.data for ob in stage.objects if ob.type == "LIGHT" and ob.data.animation_data]
        at = {point.co.x for data in animated for curve in curves(data.animation_data.action)
              for point in curve.keyframe_points}  # fmt: skip
        assert min(at) == first and max(at) == first + len(frames) - 1, (fps, min(at), max(at))


def check_only_what_changes_is_keyed_and_no_second_has_a_fourth_flash():
    song(8.0)
    dancer.add_dancer(bpy.context)
    for look in LOOKS:
        bpy.context.scene.footlight.light.together.look = look
        _, stage = made()
        spots = [ob for ob in stage.objects if ob.type == "LIGHT"]
        channels = [c for ob in spots if ob.data.animation_data for c in curves(ob.data.animation_data.action)]
        for curve in channels:
            assert len(curve.keyframe_points) > 1 and np.ptp([p.co.y for p in curve.keyframe_points]) > 0
        found = shone(240) @ colour.LUMINANCE
        assert max(most_swings(one, 30) for one in (*found.T, found.mean(axis=1))) <= 3, look


def check_nobody_is_there_and_a_dancer_comes():
    song()
    scene = bpy.context.scene
    action, stage = made()
    (armature,) = [ob for ob in scene.objects if ob.type == "ARMATURE"]
    assert scene.footlight.dancer == armature and armature.animation_data.action == action
    assert light.is_for(stage, armature) and "'Dancer' was added to dance it." in session.state.message
    assert armature.children[0].material_slots[0].material.name.startswith("Stage costume")


def check_others_who_dance_are_on_the_stage_too():
    song()
    first = dancer.add_dancer(bpy.context)
    bpy.ops.footlight.generate_dance()
    second = dancer.add_dancer(bpy.context, (2.0, 0.0, 0.0))
    bpy.context.scene.footlight.dancer = second
    before = keyed(takes.shown(first))
    made()
    for one in (first, second):
        assert one.children[0].material_slots[0].material.name.startswith("Stage costume")
    assert keyed(takes.shown(first)) == before


def check_again_is_the_same_dance_in_the_same_light():
    """Whatever the panel says then, also like a picture, as long as that is there."""
    song()
    dancer.add_dancer(bpy.context)
    image = bpy.data.images.new("Sunset", 64, 32)
    image.pixels.foreach_set(np.tile(np.array((0.9, 0.1, 0.05, 1.0), np.float32), 64 * 32))
    image.filepath_raw, image.file_format = str(FOLDER / "Sunset.png"), "PNG"
    image.save()
    bpy.data.images.remove(image)
    settings = bpy.context.scene.footlight
    settings.light.together.look, settings.light.together.file = "FILE", str(FOLDER / "Sunset.png")
    settings.seed, settings.light.accent, settings.follow = 7, "arrive", 4.0
    action, stage = made()
    assert light.title(stage) == "Sunset - seed 7"
    first = keyed(action), shone()
    settings.seed, settings.light.together.look, settings.light.accent, settings.follow = 1, LOOKS[1], "strike", 3.0
    other, stage = made()
    assert light.title(stage) == "Disco - seed 1" and keyed(other) != first[0]
    again, stage = made(like=action.name)
    assert again != action and keyed(again) == first[0] and np.array_equal(shone(), first[1])
    assert light.title(stage) == "Sunset - seed 7" and not session.state.warning
    assert (settings.seed, settings.light.together.look) == (1, LOOKS[1]), "the panel is left as it is"
    (FOLDER / "Sunset.png").unlink()
    raises(RuntimeError, "There is no file", lambda: bpy.ops.footlight.generate_theatre(like=action.name))
    assert bpy.ops.footlight.generate_dance(like=again.name) == {"FINISHED"}
    assert "made together with its light" in session.state.warning, "alone it is another one"


def check_another_take_is_lit_and_replaces_the_stage():
    song()
    armature = dancer.add_dancer(bpy.context)
    made()
    full = sorted(bpy.data.lights.keys())
    first = takes.shown(armature)
    second, stage = made(new_seed=True)
    assert takes.of(armature) == [first, second] and light.is_for(stage, armature)
    assert sorted(bpy.data.lights.keys()) == full
    takes.show(armature, first)
    assert "Lit for another take" in texts()


def blocks():
    return {name: len(getattr(bpy.data, name)) for name in DATA}


def check_the_light_goes_with_the_take_that_is_clicked():
    """Several are made at once, the liveliest on strong beats is lit, and nothing is left behind by going back."""
    song()
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context)
    scene.footlight.takes, scene.footlight.seed = 2, 3
    made()
    found = takes.of(armature)
    assert [action["footlight_seed"] for action in found] == [3, 4]
    best = max(found, key=lambda action: action["footlight_energy_on_beats"])
    assert takes.shown(armature) == best and light.is_for(light.of(scene), armature)
    assert "Strong beats, steps/s" in texts()
    words = [text for text in texts() if text.startswith("Strikes ")]
    assert words == [card.short(action) for action in found] and len(found) == 2
    first, size = (best, shone()), blocks()
    bpy.ops.footlight.step_take(by=1)
    other = takes.shown(armature)
    assert other != best and light.is_for(light.of(scene), armature)
    assert light.title(light.of(scene)) == f"Noir - seed {other['footlight_seed']}"
    assert not np.array_equal(shone(), first[1]), "each take has light of its own"
    armature.footlight_takes.shown = bpy.data.actions.find(best.name)  # as a click in the list does
    assert takes.shown(armature) == best and np.array_equal(shone(), first[1]) and blocks() == size
    bpy.ops.footlight.step_take(by=1)
    assert bpy.ops.footlight.reject_take() == {"FINISHED"} and light.is_for(light.of(scene), armature)
    assert blocks() == size | {"actions": size["actions"] - 1} and np.array_equal(shone(), first[1])


def built():
    """The stage as it is built: where everything stands and moves on the way, and the light of its lamps."""
    scene = bpy.context.scene
    moved = []
    for frame in (1, 40, 90):
        scene.frame_set(frame)
        things = sorted(light.of(scene).objects, key=lambda ob: ob.name)
        moved.append([np.array(ob.matrix_world) for ob in things])
    return np.array(moved), shone()


def check_a_click_builds_what_was_prepared_also_in_a_file_that_was_opened():
    """Nothing is looked at or calculated anew, as long as everybody dances as they did."""
    song()
    armature = dancer.add_dancer(bpy.context)
    bpy.context.scene.footlight.takes = 2
    made()
    asked, prepare = [], lights.setting_for
    lights.setting_for = lambda *told: asked.append(told) or prepare(*told)
    try:
        found = {}
        for _ in range(2):
            found[takes.shown(armature).name] = built()
            bpy.ops.footlight.step_take(by=1)
        size = blocks()
        bpy.ops.ed.undo_push(message="before")
        before = dump.everything()
        bpy.ops.footlight.step_take(by=1)
        bpy.ops.ed.undo_push(message="clicked")
        bpy.ops.ed.undo()
        assert not (changed := dump.differences(before, dump.everything())), changed[:20]
        bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "prepared.blend"))
        bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "prepared.blend"))
        armature = addon("operators.settings").find_dancer(bpy.context)
        for _ in range(3):
            bpy.ops.footlight.step_take(by=1)
            assert light.is_for(light.of(bpy.context.scene), armature)
            for now, then in zip(built(), found[takes.shown(armature).name], strict=True):
                assert np.abs(now - then).max() < 1e-5
        assert not asked and blocks() == size
        action = takes.shown(armature)
        (across,) = [c for c in curves(action) if c.data_path.endswith("location") and c.array_index == 0]
        for point in across.keyframe_points:
            point.co.y += 3.0
        across.update()
        bpy.ops.footlight.step_take(by=1)
        assert not asked
        bpy.ops.footlight.step_take(by=1)
        assert len(asked) == 1, "its dancer goes elsewhere now"
        moved = np.abs(built()[0] - found[action.name][0]).max()
        assert 2.5 < moved < 3.5, moved
        action[names.PREFIX + "light"]["setting"] = b"no setting"
        bpy.ops.footlight.step_take(by=1)
        bpy.ops.footlight.step_take(by=1)
        assert len(asked) == 2 and light.is_for(light.of(bpy.context.scene), armature)
    finally:
        lights.setting_for = prepare


def check_the_light_of_a_take_is_found_again_in_one_click():
    """After the stage was struck, it stays struck until it is asked for; light that was there without a dance stays."""
    song()
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context)
    first, _ = made()
    lit = shone()
    bpy.ops.footlight.remove_light()
    second = first.copy()
    second[takes.MADE] = first[takes.MADE] + 1.0
    takes.show(armature, second)
    bpy.ops.footlight.step_take(by=1)
    assert takes.shown(armature) == first and light.of(scene) is None
    assert [item.name for item in shown()].count(names.LIGHT_TAKE) == 1
    assert bpy.ops.footlight.light_take() == {"FINISHED"} and np.array_equal(shone(), lit)
    assert light.is_for(light.of(scene), armature) and names.LIGHT_TAKE not in [item.name for item in shown()]
    assert "By the model, to 'drums'" in texts()
    light.of(scene)[light.DANCE] = 0.0  # as it is lit for nobody
    bpy.ops.footlight.step_take(by=1)
    assert light.of(scene)[light.DANCE] == 0.0 and "Lit for another take" in texts()
    del second[names.PREFIX + "light"]
    assert "Lit for another dance. Light it again" in " ".join(texts())
    raises(RuntimeError, "was not lit", bpy.ops.footlight.light_take)


def check_any_look_leaves_it_to_the_model():
    song()
    dancer.add_dancer(bpy.context)
    chosen = bpy.context.scene.footlight.light
    chosen.together.look = "ANY"
    action, stage = made()
    assert action["footlight_look"] == action["footlight_look_asked"] == "" and "Any look - seed 0" in texts()
    first = keyed(action), shone()
    chosen.together.look = LOOKS[0]
    again, stage = made(like=action.name)
    assert light.title(stage) == "Any look - seed 0" and keyed(again) == first[0] and np.array_equal(shone(), first[1])
    chosen.look = "ANY"
    assert not bpy.ops.footlight.light_stage.poll() and "Rules need a look" in texts()
    raises(RuntimeError, "Rules light by a look", bpy.ops.footlight.light_stage)
    chosen.by = "model"
    assert bpy.ops.footlight.light_stage() == {"FINISHED"} and light.title(light.of(bpy.context.scene)).startswith(
        "Any"
    )


def check_the_model_lights_edited_bars_and_neither_the_dance_nor_the_rest_of_its_light_changes():
    song()
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context)
    made()
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 31, 90
    scene.footlight.seed = 3
    assert bpy.ops.footlight.edit_dance() == {"FINISHED"}
    edited = takes.shown(armature)
    danced, old = keyed(edited), kept_light.of_dance(edited).show
    assert bpy.ops.footlight.light_edit() == {"FINISHED"}, session.state.error
    new = kept_light.of_dance(edited).show
    at = np.flatnonzero((old.values != new.values).any(axis=1)) / old.fps
    inside = (at > 29 / 30) & (at < 90 / 30)
    assert inside.sum() > 20 and (~inside).sum() < 3, at  # this model's strobe may flash too often beside what is new
    assert keyed(edited) == danced and light.is_for(light.of(scene), armature)
    assert "By the model, to 'drums'" in texts() and not bpy.ops.footlight.light_edit.poll()


def check_a_dance_is_made_for_the_light_that_is_there():
    """The stage stays as it was written, around the new dance. That is the same again, whatever the panel says then."""
    song()
    scene = bpy.context.scene
    chosen = scene.footlight.light
    chosen.made = "kept"
    assert "There is no lit stage" in texts()
    raises(RuntimeError, "There is no lit stage", bpy.ops.footlight.generate_theatre)
    chosen.made, chosen.together.look, scene.footlight.seed = "new", LOOKS[1], 6
    armature = dancer.add_dancer(bpy.context)
    written = made()[1]["footlight_show"]
    chosen.made, scene.footlight.seed = "kept", 8
    assert "Make Dance for This Light" in texts() and texts().count("Disco - seed 6") == 2
    action, stage = made()
    assert stage["footlight_show"] == written and light.title(stage) == "Disco - seed 6"
    assert action["footlight_seed"] == 8 and light.is_for(stage, armature)
    first = keyed(action)
    chosen.made = "new"
    other, stage = made()
    assert keyed(other) != first and stage["footlight_show"] != written, "it hears the light"
    again, stage = made(like=action.name)
    assert keyed(again) == first and stage["footlight_show"] == written and not session.state.warning
    other.name, again[names.PREFIX + "light"] = "other", other[names.PREFIX + "light"]
    made(like=again.name)
    assert "was lit anew since it was made" in session.state.warning
    strips.add_song(scene, drums(3.0, 100.0, "others"), 1)
    scene.footlight.song, chosen.made = "others", "kept"
    raises(RuntimeError, "lit to another song, 'drums'", bpy.ops.footlight.generate_theatre)


def check_the_model_is_told_how_the_dance_is_danced_that_it_lights():
    song()
    armature = dancer.add_dancer(bpy.context)
    scene = bpy.context.scene
    scene.footlight.style, scene.footlight.light.accent = "robot", "strike"
    action, _ = made()
    assert light.danced_as(action) == {"accent": "strike", "style": "robot"}
    bpy.ops.footlight.generate_dance(takes=1)
    action = takes.shown(armature)
    assert light.danced_as(action) == {"accent": "arrive", "style": "robot"}
    scene.footlight.light.by = "model"
    assert bpy.ops.footlight.light_stage() == {"FINISHED"}
    told = shone()
    action["footlight_style"] = "tango"
    assert light.danced_as(action) == {"accent": "arrive"}, "the model does not know it"
    action["footlight_accent"] = "strike"
    assert bpy.ops.footlight.light_stage() == {"FINISHED"} and not np.array_equal(shone(), told)
    assert light.danced_as(bpy.data.actions.new("mine")) == {}


def check_takes_can_be_made_again_while_no_picture_is_chosen():
    song()
    dancer.add_dancer(bpy.context)
    action, _ = made()
    chosen = bpy.context.scene.footlight.light
    chosen.together.look = "FILE"
    (button,) = [item for item in shown() if item.text == "Make Dance and Light"]
    assert "Choose a picture first" in texts() and not button.enabled
    assert bpy.ops.footlight.generate_theatre.poll()
    raises(RuntimeError, "Choose a picture first", bpy.ops.footlight.generate_theatre)
    again, _ = made(like=action.name)
    assert keyed(again) == keyed(action)
    other, _ = made(new_seed=True, takes=1)
    assert other["footlight_look_asked"] == LOOKS[0] and keyed(other) != keyed(action)
    bpy.context.scene.footlight.dancer = dancer.add_dancer(bpy.context, (2.0, 0.0, 0.0))
    assert not bpy.ops.footlight.generate_theatre.poll(), "this one has nothing to make again"


def check_one_undo_returns_the_exact_scene():
    for with_dancer in (True, False):
        bpy.ops.wm.read_homefile(use_empty=True)
        song()
        if with_dancer:
            dancer.add_dancer(bpy.context)
        bpy.ops.ed.undo_push(message="before")
        before = dump.everything()
        made()
        bpy.ops.ed.undo_push(message="made")
        bpy.ops.ed.undo()
        assert not (changed := dump.differences(before, dump.everything())), changed[:20]
        bpy.ops.ed.redo()
        assert light.title(light.of(bpy.context.scene)) == "Noir - seed 0" and "drums - seed 0" in bpy.data.actions


def check_what_is_the_users_comes_back():
    song()
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context)
    camera = bpy.data.objects.new("mine", bpy.data.cameras.new("mine"))
    scene.collection.objects.link(camera)
    scene.camera, scene.world = camera, bpy.data.worlds.new("grey")
    worn = armature.children[0].material_slots[0].material
    action, _ = made()
    assert bpy.ops.footlight.remove_light() == {"FINISHED"}
    assert scene.camera == camera and scene.world.name == "grey" and not bpy.data.lights
    assert armature.children[0].material_slots[0].material == worn and takes.shown(armature) == action


def check_corrected_beats_stay_with_the_dance_and_its_stage():
    song()
    dancer.add_dancer(bpy.context)
    assert bpy.ops.footlight.show_beats() == {"FINISHED"}
    assert bpy.ops.footlight.correct_beats(change="LATER") == {"FINISHED"}
    action, stage = made()
    assert action["footlight_beats"] == stage["footlight_beats"]
    assert "beats as corrected" in " ".join(texts())
    bpy.ops.footlight.clear_beats()
    again, _ = made(like=action.name)
    beats = [json.loads(one["footlight_beats"])["beats"] for one in (action, again)]
    assert beats[0] == beats[1] and len(beats[0]) > 4


def check_the_model_lights_the_dance_that_is_there():
    song()
    armature = dancer.add_dancer(bpy.context)
    chosen = bpy.context.scene.footlight.light
    chosen.by = "model"
    assert bpy.ops.footlight.light_stage.poll()
    raises(RuntimeError, "Generate a dance first", bpy.ops.footlight.light_stage)
    assert light.of(bpy.context.scene) is None
    bpy.ops.footlight.generate_dance()
    action = takes.shown(armature)
    before = keyed(action)
    assert bpy.ops.footlight.light_stage() == {"FINISHED"}, session.state.error
    stage = light.of(bpy.context.scene)
    assert stage["footlight_by"] == "model" and light.is_for(stage, armature)
    assert takes.of(armature) == [action] and keyed(action) == before, "the dance stays"
    assert "By the model, to 'drums'" in texts() and len(bpy.data.lights) == 21
    by_model = shone()
    chosen.by = "rules"
    assert bpy.ops.footlight.light_stage() == {"FINISHED"}
    assert light.of(bpy.context.scene)["footlight_by"] == "rules" and not np.array_equal(shone(), by_model)
    bpy.data.objects.remove(armature)
    assert bpy.ops.footlight.light_stage.poll(), "rules need nobody"
    chosen.by = "model"
    assert not bpy.ops.footlight.light_stage.poll() and "Choose a dancer first" in texts()


def check_a_model_without_a_theatre_says_so():
    song()
    dancer.add_dancer(bpy.context)
    kept = os.environ["FOOTLIGHT_MODEL"]
    os.environ["FOOTLIGHT_MODEL"] = os.environ["FOOTLIGHT_PLAIN_MODEL"]
    try:
        assert texts().count("This model makes no light") == 1
        assert not bpy.ops.footlight.generate_theatre.poll()
        raises(RuntimeError, "has no theatre", bpy.ops.footlight.generate_theatre)
        assert bpy.ops.footlight.light_stage.poll(), "rules need no theatre"
        bpy.context.scene.footlight.light.by = "model"
        assert texts().count("This model makes no light") == 2
        raises(RuntimeError, "has no theatre", bpy.ops.footlight.light_stage)
        assert bpy.ops.footlight.generate_dance.poll()
    finally:
        os.environ["FOOTLIGHT_MODEL"] = kept
    assert bpy.ops.footlight.generate_theatre.poll()

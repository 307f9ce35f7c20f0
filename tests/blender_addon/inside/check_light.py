"""Stage light from the panel with the real engine: where and when it shines, safely, around whom; what comes back."""

import json

import bpy
import dump
import numpy as np
from recorder import shown
from scenes import FOLDER, addon, drums, raises
from shining import lamps, most_in_a_second, rises, shining

strips, dancer = addon("scene.strips"), addon("scene.dancer")
light, names, looks = addon("api.light"), addon("names"), addon("looks")
lights, colour = addon("stage.lights"), addon("shared").colour
SHOW_FPS = addon("shared").show_channels.SHOW_FPS
DATA = ("actions", "meshes", "materials", "images", "lights", "cameras", "collections", "worlds", "objects")
BEAT = 0.5  # seconds: 120 a minute


def song(seconds=8.0, frame=1, fps=(30, 1.0)):
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps
    return strips.add_song(scene, drums(seconds, 60 / BEAT), frame)


def lit(look="arena", **settings):
    """The collection of the stage that the button builds."""
    chosen = bpy.context.scene.footlight
    chosen.light.look = look
    for name, value in settings.items():
        setattr(chosen, name, value)
    assert bpy.ops.footlight.light_stage() == {"FINISHED"}, addon("session").state.error
    return light.of(bpy.context.scene)


def blocks():
    return {name: sorted(getattr(bpy.data, name).keys()) for name in DATA}


def strokes(frames, first, fps):
    """The seconds since the song began at which lamps strike: a frame of the show after they begin to rise."""
    found = shining([lamp for role in ("side", "back", "top") for lamp in lamps(role)], frames, first)
    found = found @ colour.LUMINANCE
    return np.unique(np.concatenate([rises(one) for one in found.T])) / fps + 1 / SHOW_FPS


def texts():
    return [item.text for item in shown() if item.text]


def check_a_dance_is_lit_and_the_collection_says_how():
    song(frame=11)
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context)
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    action = armature.animation_data.action
    stage = lit("neon", seed=11)
    told = {name.removeprefix(names.PREFIX): value for name, value in stage.items()}
    assert (told["operation"], told["look"], told["look_asked"], told["seed"]) == ("light", "neon", "neon", 11)
    assert told["song"] == "drums" and told["audio_sha256"] == action["footlight_audio_sha256"]
    assert armature.animation_data.action == action and armature.name not in stage.all_objects
    spots = [ob for ob in stage.objects if ob.type == "LIGHT"]
    assert len(spots) == 21 and all(spot.data.type == "SPOT" for spot in spots)
    keyed = [curve for spot in spots for curve in _curves(spot.data)]
    frames = {point.co.x for curve in keyed for point in curve.keyframe_points}
    assert min(frames) == 11 and max(frames) == 11 + 240 - 1, "as long as the song"
    assert len(keyed) < len(spots) * 4 and all(len(curve.keyframe_points) > 1 for curve in keyed)
    assert scene.camera.name == "Stage camera" and addon("session").state.message.startswith("Neon hip-hop - seed 11: ")
    assert "Neon hip-hop - seed 11" in texts() and any(text.endswith(" to 'drums'") for text in texts())


def _curves(block):
    data = block.animation_data
    return data.action.layers[0].strips[0].channelbag(data.action_slot).fcurves if data else ()


def check_lamps_strike_on_the_beats_of_a_strip_that_starts_later_at_any_frame_rate():
    for fps in ((30, 1.0), (24, 1.001)):
        bpy.ops.wm.read_homefile(use_empty=True)
        song(frame=41, fps=fps)
        lit("arena")
        rate = fps[0] / fps[1]
        found = strokes(round(8 * rate), 41, rate)
        off = np.abs((found + BEAT / 2) % BEAT - BEAT / 2)
        assert len(found) >= 5 and np.mean(off < 0.07) > 0.8, (fps, found)


def check_corrected_beats_are_followed():
    song()
    assert bpy.ops.footlight.show_beats() == {"FINISHED"}
    assert bpy.ops.footlight.correct_beats(change="LATER") == {"FINISHED"}
    stage = lit("arena")
    off = strokes(240, 1, 30) % BEAT
    assert len(off) >= 5 and np.mean(np.abs(off - BEAT / 2) < 0.07) > 0.8, off
    kept = json.loads(stage["footlight_beats"])["beats"]
    assert all(abs(time % BEAT - BEAT / 2) < 0.05 for time in kept), kept


def check_no_second_has_a_fourth_flash():
    """Of every lamp, and of all together, as Blender plays the keys."""
    song()
    for look in ("arena", "disco", "neon"):
        lit(look, seed=3)
        every = [lamp for role in lights.PLOT for lamp in lamps(role)]
        found = shining(every, 240) @ colour.LUMINANCE
        worst = max(most_in_a_second(rises(one), 30) for one in (*found.T, found.mean(axis=1)))
        assert 0 < worst <= 3, (look, worst)


def check_nobody_is_needed_and_lighting_again_leaves_no_orphans():
    song()
    scene = bpy.context.scene
    empty = blocks()
    stage = lit("disco")
    floor = next(ob for ob in stage.objects if ob.name == "Stage floor")
    middle = np.mean([tuple(vertex.co) for vertex in floor.data.vertices], axis=0)
    assert np.abs(middle).max() < 0.1, (middle, "in the middle of the world")
    full = blocks()
    for look in ("noir", "disco"):
        lit(look)
        unused = [block.name for name in DATA for block in getattr(bpy.data, name) if not block.users]
        assert not unused, unused
    assert blocks() == full
    assert bpy.ops.footlight.remove_light() == {"FINISHED"}
    assert blocks() == empty and light.of(scene) is None and scene.world is None
    assert not bpy.ops.footlight.remove_light.poll()


def check_a_dancers_clothes_and_what_is_the_users_come_back():
    """With a plain stage in between, which is replaced as well."""
    song()
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context)
    bpy.ops.footlight.generate_dance()
    camera = bpy.data.objects.new("mine", bpy.data.cameras.new("mine"))
    lamp = bpy.data.objects.new("my lamp", bpy.data.lights.new("my lamp", "POINT"))
    for ob in (camera, lamp):
        scene.collection.objects.link(ob)
    scene.camera, scene.world = camera, bpy.data.worlds.new("grey")
    lamp["footlight_kept"] = 1.0
    bpy.context.view_layer.update()
    before = dump.everything()
    bpy.ops.footlight.add_stage()
    for look in ("dream", "storm"):
        stage = lit(look)
        assert armature.children[0].material_slots[0].material.name.startswith("Stage costume")
    assert "'my lamp' shines too" in " ".join(texts()), texts()
    assert scene.camera != camera and scene.world.name == "Stage" and lamp.name not in stage.all_objects
    bpy.data.collections["Stage"].objects.link(own := bpy.data.objects.new("own", None))
    bpy.ops.footlight.remove_light()
    assert own.name in scene.objects and scene.camera == camera and scene.world.name == "grey"
    bpy.data.objects.remove(own)
    chosen = ("scenes[Scene].display", "scenes[Scene].footlight.light")  # by Add Stage, and in the panel
    left = [line for line in dump.differences(before, dump.everything()) if not line.startswith(chosen)]
    assert not left, left[:20]


def check_a_stage_that_was_lit_for_another_dance_is_told():
    song(3.0)
    dancer.add_dancer(bpy.context)
    told = "Lit for another dance. Light it again"
    lit()
    assert told not in " ".join(texts())
    bpy.ops.footlight.generate_dance()
    assert told in " ".join(texts())
    lit()
    assert told not in " ".join(texts())
    bpy.ops.footlight.generate_dance(new_seed=True)
    assert told in " ".join(texts())


def check_one_undo_returns_the_exact_scene():
    song()
    dancer.add_dancer(bpy.context)
    bpy.ops.footlight.generate_dance()
    bpy.ops.ed.undo_push(message="before")
    before = dump.everything()
    lit("cabaret")
    bpy.ops.ed.undo_push(message="lit")
    bpy.ops.ed.undo()
    assert not (changed := dump.differences(before, dump.everything())), changed[:20]
    bpy.ops.ed.redo()
    assert light.title(light.of(bpy.context.scene)) == "Cabaret - seed 0"


def check_a_lit_stage_is_kept_in_the_file():
    song()
    title = light.title(lit("dawn", seed=5))
    path = str(FOLDER / "lit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert light.title(light.of(bpy.context.scene)) == title and bpy.context.scene.footlight.light.look == "dawn"
    assert bpy.ops.footlight.remove_light() == {"FINISHED"}


def check_a_picture_is_lit_like_and_one_that_is_none_is_said():
    song()
    settings = bpy.context.scene.footlight
    settings.light.look = "FILE"
    assert "Choose a picture first" in texts() and not bpy.ops.footlight.light_stage.poll()
    image = bpy.data.images.new("Sunset", 64, 32)
    image.pixels.foreach_set(np.tile(np.array((0.9, 0.1, 0.05, 1.0), np.float32), 64 * 32))
    image.filepath_raw, image.file_format = str(FOLDER / "Sunset.png"), "PNG"
    image.save()
    bpy.data.images.remove(image)
    settings.light.file = str(FOLDER / "Sunset.png")
    stage = lit("FILE")
    assert light.title(stage) == "Sunset - seed 0"
    cloth = next(ob for ob in stage.objects if ob.name == "Stage backdrop").data.materials[0]
    assert cloth.diffuse_color[0] > 2 * max(cloth.diffuse_color[1:3]), "as red as the picture"
    (FOLDER / "none.png").write_text("no picture")
    settings.light.file = str(FOLDER / "none.png")
    before = blocks()
    raises(RuntimeError, "none.png", bpy.ops.footlight.light_stage)
    assert blocks() == before and light.of(bpy.context.scene), "the light before is still there"
    settings.light.file = str(FOLDER / "gone.png")
    assert not bpy.ops.footlight.light_stage.poll()


def check_one_who_stands_and_one_who_is_no_body_are_lit_too():
    song()
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context, (3.0, 1.0, 0.0))
    stage = lit("ballad")
    aim = next(ob for ob in stage.objects if ob.name == lights.AIM)
    assert np.abs(np.array(aim.location.xy) - (3.0, 1.0)).max() < 0.3, "the follow spot finds the dancer"
    bpy.data.objects.remove(armature)
    scene.footlight.dancer = None
    snake = bpy.data.objects.new("snake", bpy.data.armatures.new("snake"))
    scene.collection.objects.link(snake)
    bpy.context.view_layer.objects.active = snake
    bpy.ops.object.mode_set(mode="EDIT")
    bone = snake.data.edit_bones.new("spine")
    bone.head, bone.tail = (0.0, 0.0, 0.0), (0.0, 0.0, 2.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    assert lit("ballad")["footlight_look"] == "ballad"


def check_the_rendered_view_comes_and_goes():
    screen = bpy.context.screen
    if screen is None:
        return
    views = [area.spaces.active for area in screen.areas if area.type == "VIEW_3D"]
    for wanted in ("RENDERED", "SOLID"):
        assert bpy.ops.footlight.see_light() == {"FINISHED"}
        assert all(view.shading.type == wanted and view.overlay.show_extras == (wanted == "SOLID") for view in views)

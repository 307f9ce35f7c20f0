"""The stage: every joint of every dance is in the picture on every frame. And where new dancers stand."""

import math

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Quaternion, Vector
from scenes import FOLDER, MIXAMO, addon, rig, z_up

actions, dancer, placing = addon("scene.actions"), addon("scene.dancer"), addon("scene.placing")
camera, scenery, watched = addon("stage.camera"), addon("stage.scenery"), addon("stage.watched")
skeleton, retarget = addon("shared").skeleton, addon("shared").retarget
DANCE = FOLDER / "dance.npz"
FRAMES = 60  # of the dance: 3 s


def dancing(armature, first=1):
    actions.write_dance(DANCE, armature, first)
    armature.animation_data.action["footlight_seed"] = 1
    return armature


def moved(ob, where, turn=0.0, scale=1.0):
    ob.location, ob.rotation_euler, ob.scale = where, (0.0, 0.0, math.radians(turn)), (scale,) * 3
    return ob


def travelling(ob):
    for frame, x in ((1, 0.0), (FRAMES, 6.0)):
        ob.location.x = x
        ob.keyframe_insert("location", frame=frame)
    return ob


def seen(armatures, step=1):
    """Where the ends of the bodies' bones are in the picture (n, 3), of all frames."""
    scene, found = bpy.context.scene, []
    for frame in range(1, FRAMES + 1, step):
        scene.frame_set(frame)
        for armature in armatures:
            shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
            points = [shown.matrix_world @ end for bone in shown.pose.bones for end in (bone.head, bone.tail)]
            found += [tuple(world_to_camera_view(scene, scene.camera, point)) for point in points]
    return np.array(found)


def in_the_picture(*armatures):
    """All of it is, and fills a good part of the picture."""
    camera = bpy.context.scene.camera
    found = seen(armatures)
    assert found[:, :2].min() > 0.0 and found[:, :2].max() < 1.0, (found.min(axis=0), found.max(axis=0))
    assert (found[:, 2] > camera.data.clip_start).all() and (found[:, 2] < camera.data.clip_end).all()
    assert np.ptp(found[:, :2], axis=0).max() > 0.4, "the dance is lost in the picture"


def added():
    assert bpy.ops.footlight.add_stage() == {"FINISHED"}
    return [ob for ob in bpy.context.scene.objects if "footlight_stage" in ob]


def check_the_bundled_dancer_in_every_place_size_and_picture():
    scene = bpy.context.scene
    armature = dancing(dancer.add_dancer(bpy.context))
    for where, turn, scale, size in (
        ((0.0, 0.0, 0.0), 0.0, 1.0, (1920, 1080)),
        ((5.0, -3.0, 2.0), 130.0, 1.0, (1080, 1920)),
        ((0.0, 4.0, 0.0), -90.0, 0.01, (1000, 1000)),
        ((100.0, 0.0, -50.0), 45.0, 100.0, (2048, 858)),
    ):
        moved(armature, where, turn, scale)
        scene.render.resolution_x, scene.render.resolution_y = size
        stage = added()
        in_the_picture(armature)
        floor = next(ob for ob in stage if ob.name.startswith("Stage floor"))
        corners = np.array([vertex.co for vertex in floor.data.vertices])
        assert abs(corners[:, 2] - where[2]).max() < 0.01 * scale, "the floor is under the feet"
        faces = scene.camera.matrix_world.translation - Vector(where)
        front = Vector((math.sin(math.radians(turn)), -math.cos(math.radians(turn)), 0.0))
        faces.z = 0.0
        assert faces.normalized() @ front > 0.7, "the camera is in front"


def check_other_rigs_and_objects_that_travel():
    """A rig with other names in centimetres, a plain armature that is no body, and objects that move themselves."""
    place = z_up(skeleton.standing())
    small = rig(MIXAMO, place * 100.0)
    small.scale = (0.01,) * 3
    travelling(small)
    dancing(small)
    added()
    in_the_picture(small)
    bpy.context.scene.footlight.dancer = None
    bpy.data.objects.remove(small)
    arm = rig((*MIXAMO[:1], *[None] * 21), place * 3.0)
    bpy.context.view_layer.objects.active = arm
    travelling(arm)
    added()
    in_the_picture(arm)


def check_two_dancers_are_both_seen():
    one, two = dancing(dancer.add_dancer(bpy.context)), dancing(dancer.add_dancer(bpy.context, (3.0, 1.0, 0.0)))
    added()
    in_the_picture(one, two)


def check_a_second_stage_takes_the_place_of_the_first():
    scene = bpy.context.scene
    armature = dancing(dancer.add_dancer(bpy.context))
    added()
    kept = {name: sorted(getattr(bpy.data, name).keys()) for name in DATA}
    own = bpy.data.objects.new("own", None)
    bpy.data.collections["Stage"].objects.link(own)
    moved(armature, (2.0, 0.0, 0.0))
    added()
    assert {name: sorted(getattr(bpy.data, name).keys()) for name in DATA} == kept, "nothing is left over"
    assert own.name in scene.objects, "what the user put into it stays"
    in_the_picture(armature)


DATA = ("actions", "meshes", "materials", "images", "lights", "cameras", "collections", "worlds")


def check_what_is_the_users_stays():
    scene = bpy.context.scene
    dancing(dancer.add_dancer(bpy.context))
    camera = bpy.data.objects.new("mine", bpy.data.cameras.new("mine"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    sky = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
    scene.world = world
    kept = (scene.view_settings.view_transform, scene.render.engine, scene.frame_start, scene.frame_end)
    colour = tuple(world.color)
    added()
    assert kept == (scene.view_settings.view_transform, scene.render.engine, scene.frame_start, scene.frame_end)
    assert scene.world == world and tuple(world.color) == colour, "a sky stays"
    assert camera.name in scene.objects and scene.camera != camera
    world.node_tree.nodes.remove(sky)
    added()
    assert scene.world != world and world.users and tuple(world.color) == colour, "a plain one is put aside"


def check_what_else_is_in_the_picture_is_told():
    scene = bpy.context.scene
    armature = dancing(dancer.add_dancer(bpy.context))
    cube(1.0, (1.5, 0.0, 0.5)).name = "beside"
    cube(1.0, (0.0, -60.0, 0.5)).name = "behind the camera"
    cube(1.0, (1.0, 0.5, 0.5)).hide_render = True
    hat = cube(0.2, (0.0, 0.0, 1.7))
    hat.parent = armature
    aside = bpy.data.collections.new("aside")
    scene.collection.children.link(aside)
    widget = cube(1.0, (0.5, 0.0, 0.5))
    aside.objects.link(widget)
    scene.collection.objects.unlink(widget)
    bpy.context.view_layer.layer_collection.children["aside"].exclude = True
    stage = added()
    scene.frame_set(1)
    layer = bpy.context.view_layer
    assert watched.in_the_picture(scene, layer, scene.camera, [armature, *stage]) == ["beside"]


def check_nothing_stands_between_the_camera_and_the_dance():
    """A wall before the dancer: the camera goes round it. Where there are walls all around, it stays in front."""
    scene = bpy.context.scene
    armature = dancing(dancer.add_dancer(bpy.context))
    wall = cube(2.0, (0.0, -2.5, 1.0))

    def in_the_way():
        scene.frame_set(FRAMES // 2)
        graph, eye = bpy.context.evaluated_depsgraph_get(), scene.camera.matrix_world.translation
        head = armature.matrix_world @ armature.pose.bones["head"].head
        _, _, _, _, ob, _ = scene.ray_cast(graph, eye, (head - eye).normalized(), distance=(head - eye).length)
        return ob == wall

    added()
    assert not in_the_way()
    in_the_picture(armature)
    bpy.data.objects.remove(wall)
    added()
    assert scene.camera.matrix_world.translation.y < -3.0, "nothing is in the way of the front any more"
    for x, y in ((0, -3), (0, 3), (3, 0), (-3, 0), (3, 3), (3, -3), (-3, 3), (-3, -3)):
        cube(3.0, (x, y, 1.5))
    added()
    in_the_picture(armature)


def check_a_carpet_hides_no_feet():
    """What is under the feet is not in the way of the camera, a wall is."""
    scene = bpy.context.scene
    armature = dancing(dancer.add_dancer(bpy.context))
    found = watched.watch(scene, [armature], (1, FRAMES))
    shot = camera.shot(found, scenery.frame_rate(scene), 16 / 9)
    carpet = cube(8.0, (0.0, 0.0, 0.0))
    carpet.scale.z = 0.01  # its pile reaches over the soles
    bpy.context.view_layer.update()
    assert camera.hidden(scene, found, shot, [armature]) == 0.0
    cube(3.0, (0.0, -2.5, 1.5))
    assert camera.hidden(scene, found, shot, [armature]) > 0.8


def check_a_wide_dance_is_lit_as_brightly_as_a_narrow_one():
    """Lamps stand farther away, and so they are stronger: what reaches the middle falls with the square of the way."""
    scene, arm = bpy.context.scene, rig(MIXAMO, z_up(skeleton.standing()))
    found = []
    for metres in (6.0, 60.0):
        for frame, x in ((1, 0.0), (FRAMES, metres)):
            arm.location.x = x
            arm.keyframe_insert("location", frame=frame)
        scenery.set_stage(scene, [arm], (1, FRAMES))
        lamps = [ob for ob in scene.objects if ob.type == "LIGHT"]
        ways = [math.hypot(lamp.location.x - metres / 2, lamp.location.y) for lamp in lamps]
        assert min(ways) > metres / 2, "they stand outside of the dance"
        found.append({lamp.name: lamp.data.energy / way**2 for lamp, way in zip(lamps, ways, strict=True)})
    assert found[0].keys() == found[1].keys()
    assert all(abs(found[1][name] / light - 1) < 0.02 for name, light in found[0].items()), found


def check_a_dance_is_seen_from_where_it_faces():
    """A dancer who turns its back to where its rig faces is filmed from the other side; a little turn is no reason."""
    scene, armature = bpy.context.scene, dancer.add_dancer(bpy.context)
    root = armature.pose.bones[0]
    up = root.bone.matrix_local.to_3x3().inverted() @ Vector((0.0, 0.0, 1.0))
    for degrees, side in ((30.0, -1.0), (180.0, 1.0)):
        root.rotation_mode = "QUATERNION"
        root.rotation_quaternion = Quaternion(up, math.radians(degrees))
        root.keyframe_insert("rotation_quaternion", frame=1)
        camera_of = scenery.set_stage(scene, [armature], (1, FRAMES))
        place = camera_of.matrix_world.translation
        assert side * place.y > 3.0 and abs(place.x) < 0.3, (degrees, tuple(place))


def check_without_a_dance_the_stage_is_for_where_the_dancer_stands():
    assert not bpy.ops.footlight.add_stage.poll()
    armature = dancer.add_dancer(bpy.context, (1.0, 1.0, 0.0))
    added()
    in_the_picture(armature)


def cube(size, where):
    mesh = bpy.data.meshes.new("cube")
    corners = [Vector((x, y, z)) * size / 2 for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    mesh.from_pydata(corners, [], [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    ob = bpy.data.objects.new("cube", mesh)
    ob.location = where
    bpy.context.collection.objects.link(ob)
    bpy.context.view_layer.update()
    return ob


def boxes():
    """The bounding boxes of all meshes, without the heights: (n, 2, 2)."""
    found = []
    for ob in bpy.context.scene.objects:
        if ob.type == "MESH":
            corners = np.array([ob.matrix_world @ Vector(corner) for corner in ob.bound_box])
            found.append((corners.min(axis=0)[:2], corners.max(axis=0)[:2]))
    return np.array(found)


def apart():
    found = boxes()
    for i, (low, high) in enumerate(found):
        for other_low, other_high in found[i + 1 :]:
            assert (low >= other_high).any() or (high <= other_low).any(), found


def check_a_dancer_stands_where_the_cursor_is():
    scene = bpy.context.scene
    scene.cursor.location = (3.0, -2.0, 5.0)
    bpy.ops.footlight.add_dancer()
    armature = scene.footlight.dancer
    assert tuple(armature.location) == (3.0, -2.0, 0.0), "on the floor under it"
    assert bpy.context.view_layer.objects.active == armature and bpy.context.selected_objects == [armature]
    assert armature.show_in_front


def check_a_dancer_stands_beside_the_default_cube_and_the_next_beside_it():
    scene = bpy.context.scene
    cube(2.0, (0.0, 0.0, 0.0))
    for _ in range(4):
        bpy.ops.footlight.add_dancer()
        bpy.context.view_layer.update()
        assert scene.footlight.dancer.location.z == 0.0
        assert np.linalg.norm(scene.footlight.dancer.location.xy) < 5.0
    apart()


def check_a_dancer_stands_on_what_is_under_the_cursor_and_inside_a_room():
    scene = bpy.context.scene
    cube(2.0, (0.0, 0.0, 1.0))
    room = cube(40.0, (0.0, 0.0, 15.0))  # its floor is 5 m below the world's
    scene.cursor.location = (0.0, 0.0, 2.5)
    bpy.ops.footlight.add_dancer()
    assert tuple(scene.footlight.dancer.location) == (0.0, 0.0, 2.0), "on the cube"
    bpy.data.objects.remove(room)


def check_a_hidden_collection_does_not_take_the_dancer():
    hidden = bpy.data.collections.new("hidden")
    bpy.context.scene.collection.children.link(hidden)
    layer = bpy.context.view_layer.layer_collection.children["hidden"]
    bpy.context.view_layer.active_layer_collection = layer
    for how in ("exclude", "hide_viewport"):
        setattr(layer, how, True)
        assert bpy.ops.footlight.add_dancer() == {"FINISHED"}
        assert bpy.context.scene.footlight.dancer.visible_get(), how
        layer = bpy.context.view_layer.layer_collection.children["hidden"]
        setattr(layer, how, False)
        bpy.context.view_layer.active_layer_collection = layer

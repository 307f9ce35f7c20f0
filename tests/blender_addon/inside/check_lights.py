"""The lit stage: its lamps shine as the show says, safely, with few keys; it comes and goes without a trace."""

import math

import bpy
import numpy as np
from mathutils import Vector
from scenes import FOLDER, MIXAMO, addon, rig, z_up
from shining import most_in_a_second, rises, shining

actions, dancer = addon("scene.actions"), addon("scene.dancer")
lights, scenery, setting = addon("stage.lights"), addon("stage.scenery"), addon("stage.setting")
shared = addon("shared")
SLICES, ROLES, FPS = shared.show_channels.SLICES, shared.show_channels.ROLES, shared.show_channels.SHOW_FPS
DANCE = FOLDER / "dance.npz"
FRAMES = 60  # of the dance: 3 s at 20 frames a second
CLOCK = np.arange(math.ceil(3 * FPS) + 1) / FPS
DATA = ("actions", "meshes", "materials", "images", "lights", "cameras", "collections", "worlds", "objects")


def show(**parts):
    """A show whose roles are red, half lit and even, but for ``parts``: numbers or (t,) or (t, n)."""
    values = np.zeros((len(CLOCK), shared.show_channels.CHANNELS))
    for name in shared.show_channels.HUES:
        values[:, SLICES[name]] = (1.0, 0.0)
    for name in shared.show_channels.MIXTURES:
        values[:, SLICES[name].start] = 1.0
    for role in ROLES:
        for part, value in (("saturation", 1.0), ("level", 0.5), ("spread", 1.0)):
            values[:, SLICES[f"{role}_{part}"]] = value
    for name, value in parts.items():
        column = np.asarray(value, dtype=float)
        values[:, SLICES[name]] = column[:, None] if column.ndim == 1 and len(column) == len(CLOCK) else column
    return shared.Show(values.astype(np.float32), FPS)


def hues(degrees):
    return shared.colour.hue_vector(degrees)


def lit(of, *armatures):
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 20, 1.0
    scene.camera = lights.set_lit_stage(scene, armatures, (1, FRAMES), of)
    return [ob for ob in scene.objects if lights.ROLE in ob]


def dancing(armature=None):
    armature = armature or dancer.add_dancer(bpy.context)
    actions.write_dance(DANCE, armature, 1)
    return armature


def check_every_lamp_shines_as_the_show_says():
    """Cyan at half a level with a patch that moves, against the documented formulas, between the show's frames too."""
    across = np.linspace(-1, 1, len(CLOCK))
    level = 0.6 + 0.3 * np.sin(2 * np.pi * CLOCK / 2)
    lamps = lit(show(back_hue=hues(180.0), back_level=level, back_across=across, back_spread=0.5), dancing())
    back = [lamp for lamp in lamps if lamp[lights.ROLE] == "back"]
    assert len(back) == len(lights.PLOT["back"].places)
    found = shining(back, FRAMES)
    seconds = np.arange(FRAMES) / 20
    for index, place in enumerate(lights.PLOT["back"].places):
        share = np.exp(-0.5 * ((place - across) * (1 - 0.5) / 0.2) ** 2)
        expected = np.interp(seconds, CLOCK, level * share)[:, None] * (0.0, 1.0, 1.0)
        assert np.abs(found[:, index] - expected).max() < 0.03, place


def check_only_what_changes_is_keyed():
    armature = dancing()
    before = set(bpy.data.actions)
    lamps = lit(show(), armature)
    keyed = [action.name for action in bpy.data.actions if action not in before]
    assert all("camera" in name or "aim" in name for name in keyed), keyed
    assert all(lamp.data.energy > 0 for lamp in lamps)
    step = np.where(CLOCK < 1.5, 0.2, 0.8)
    lamps = lit(show(top_level=step), armature)
    assert not any(lamp.data.animation_data for lamp in lamps if lamp[lights.ROLE] != "top")
    action = next(lamp.data.animation_data.action for lamp in lamps if lamp[lights.ROLE] == "top")
    (curve,) = action.layers[0].strips[0].channelbags[0].fcurves
    assert curve.data_path == "energy" and len(curve.keyframe_points) <= 6, "a step, not its colour"


def check_no_second_has_a_fourth_flash():
    """A chase and strokes that are too fast for the eye are held, as Blender plays them."""
    wild = show(
        back_level=(np.arange(len(CLOCK)) % 2).astype(float),
        back_spread=0.0,
        back_across=np.sin(np.arange(len(CLOCK)) * 2.0),
        front_saturation=0.0,
        front_level=np.arange(len(CLOCK)) // 2 % 2,
    )
    lamps = lit(wild, dancing())
    for role in ("front", "back"):
        found = shining([lamp for lamp in lamps if lamp[lights.ROLE] == role], FRAMES)
        for light in (found @ shared.colour.LUMINANCE).T:
            assert 0 < most_in_a_second(rises(light), 20) <= 3, role


def check_beams_sweep_as_in_a_mirror():
    """Those on the left turn the other way than those on the right, and all by as much."""
    lamps = lit(show(move=1.0), dancing())
    back = [lamp for lamp in lamps if lamp[lights.ROLE] == "back"]
    turned = {}
    for frame in (1, 11):  # half a second later, which is half a sweep
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        turned[frame] = np.array([lamp.evaluated_get(graph).rotation_euler.z for lamp in back])
    by = np.degrees(turned[11] - turned[1])
    sides = np.sign([place if place else 1.0 for place in lights.PLOT["back"].places])
    assert np.ptp(by * sides) < 0.1 and 9.0 < (by * sides).min() < 12.0, by


def check_a_wider_dance_has_a_wider_stage():
    """Lamps go on standing along the whole width of the dance, and aim at all of it."""
    armature = rig(MIXAMO, z_up(shared.skeleton.standing()))
    widths = []
    for metres in (4.0, 24.0):
        for frame, x in ((1, -metres / 2), (FRAMES, metres / 2)):
            armature.location.x = x
            armature.keyframe_insert("location", frame=frame)
        top = [lamp.location.x for lamp in lit(show(), armature) if lamp[lights.ROLE] == "top"]
        widths.append(max(top) - min(top))
    assert abs(widths[0] - 2 * lights.HALF) < 0.3 and abs(widths[1] - 24.0) < 0.3, widths


def check_what_a_setting_depends_on():
    """Whatever moves the dancer, to the last key of its way, the picture's shape and the show; and nothing else."""
    scene, armature = bpy.context.scene, dancing()

    def signature(aspect=16 / 9, of=b"show"):
        return setting.signature(scene, [armature], (1, FRAMES), aspect, of)

    known = signature()
    bpy.data.objects.new("elsewhere", None)
    assert signature() == known
    assert len({known, signature(aspect=1.0), signature(of=b"another")}) == 3
    (bag,) = armature.animation_data.action.layers[0].strips[0].channelbags
    way = next(curve for curve in bag.fcurves if curve.data_path.endswith("location"))
    for key in way.keyframe_points[2], way.keyframe_points[FRAMES // 2]:
        key.co.y += 0.01
        assert signature() != known
        key.co.y -= 0.01
    stand = bpy.data.objects.new("stand", None)
    scene.collection.objects.link(stand)
    armature.parent = stand
    armature.keyframe_insert("location", frame=1)  # the action says where it is, on what it stands on
    known = signature()
    stand.location.x += 1.0
    assert signature() != known


def check_the_follow_spot_follows():
    armature = dancing()
    lamps = lit(show(), armature)
    (spot,) = [lamp for lamp in lamps if lamp[lights.ROLE] == "follow"]
    for frame in range(1, FRAMES + 1, 7):
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        place = spot.evaluated_get(graph).matrix_world
        chest = armature.evaluated_get(graph).pose.bones["spine2"].head
        towards = (armature.matrix_world @ chest - place.translation).normalized()
        assert (place.to_3x3() @ Vector((0, 0, -1))).angle(towards) < spot.data.spot_size / 2


def check_a_second_stage_takes_the_place_of_the_first():
    scene = bpy.context.scene
    armature = dancing()
    body = armature.children[0]
    scenery.set_stage(scene, [armature], (1, FRAMES))
    kept = {name: sorted(getattr(bpy.data, name).keys()) for name in DATA}
    own = [slot.material.name for slot in body.material_slots]
    changing = show(
        top_level=np.linspace(0, 1, len(CLOCK)), costume_glow=np.linspace(0, 1, len(CLOCK)), move=1.0,
        backdrop_base_value=np.linspace(0, 1, len(CLOCK)), follow_spread=np.linspace(0, 1, len(CLOCK)),
    )  # fmt: skip
    lit(changing, armature)
    worn = [slot.material.name for slot in body.material_slots]
    assert worn != own and [material.name for material in body.data.materials] == own
    full = {name: sorted(getattr(bpy.data, name).keys()) for name in DATA}
    lit(changing, armature)
    assert {name: sorted(getattr(bpy.data, name).keys()) for name in DATA} == full, "the second is as large"
    scenery.set_stage(scene, [armature], (1, FRAMES))
    assert {name: sorted(getattr(bpy.data, name).keys()) for name in DATA} == kept, "nothing is left over"
    assert [slot.material.name for slot in body.material_slots] == own


def check_a_character_keeps_its_clothes_and_any_size_is_lit():
    small = rig(MIXAMO, z_up(shared.skeleton.standing()) * 100.0)
    small.scale = (0.01,) * 3
    mesh = bpy.data.meshes.new("clothes")
    mesh.materials.append(bpy.data.materials.new("silk"))
    clothes = bpy.data.objects.new("clothes", mesh)
    bpy.context.scene.collection.objects.link(clothes)
    clothes.parent = small
    one = {lamp.name: lamp.data.energy for lamp in lit(show(), dancing(small))}
    assert clothes.material_slots[0].material.name == "silk"
    small.scale = (0.02,) * 3
    two = {lamp.name: lamp.data.energy for lamp in lit(show(), small)}
    for name, energy in one.items():
        assert 3.0 < two[name] / energy < 5.0, "twice as far needs four times the power"


def check_what_a_bundled_dancer_wears_of_the_users_stays():
    """A hat on its head, and a body that was painted."""
    armature = dancing()
    silk = bpy.data.materials.new("silk")
    hat = bpy.data.objects.new("hat", bpy.data.meshes.new("hat"))
    hat.data.materials.append(silk)
    bpy.context.scene.collection.objects.link(hat)
    hat.parent = armature
    (shell,) = dancer.shells(armature)
    lit(show(), armature)
    assert shell.material.name.startswith("Stage costume") and hat.material_slots[0].material == silk
    scenery.strike(bpy.context.scene)
    shell.link, shell.material = "OBJECT", silk
    lit(show(), armature)
    assert shell.material == silk and scenery.strike(bpy.context.scene)
    assert (shell.link, shell.material) == ("OBJECT", silk)

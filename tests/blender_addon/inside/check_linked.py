"""Characters from another file, alone and as instances of a collection."""

import bpy
from dancing import as_it_should, dancer, write
from scenes import FOLDER, addon, raises, rig, z_up

settings = addon("operators.settings")
UserError = addon("errors").UserError
skeleton = addon("shared").skeleton
OVERRIDE = "Make a library override of it first: select it in the 3D Viewport, then Object > Library Override > Make"


def in_a_collection(name="Hero"):
    armature = dancer.add_dancer(bpy.context)
    armature.name = name
    collection = bpy.data.collections.new(f"{name} collection")
    for ob in (armature, *armature.children):
        for old in list(ob.users_collection):
            old.objects.unlink(ob)
        collection.objects.link(ob)
    return armature, collection


def library():
    _, collection = in_a_collection()
    path = FOLDER / "hero.blend"
    bpy.data.libraries.write(str(path), {collection})
    bpy.ops.wm.read_homefile(use_empty=True)
    return path


def instance(collection):
    empty = bpy.data.objects.new("Hero instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", collection
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.objects.active = empty
    empty.select_set(True)
    return empty


def linked(path):
    with bpy.data.libraries.load(str(path), link=True) as (there, here):
        here.collections = list(there.collections)
    return here.collections[0]


def overridden(collection):
    """The armature of an override of a linked collection."""
    made = collection.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
    return next(ob for ob in made.all_objects if ob.type == "ARMATURE")


def check_an_instance_of_a_linked_character():
    path = library()
    kept = path.read_bytes()
    instance(linked(path))
    raises(UserError, f"'Hero instance' shows a character that is linked from another file. {OVERRIDE}",
           settings.find_dancer, bpy.context)  # fmt: skip
    assert bpy.ops.object.make_override_library() == {"FINISHED"}, "what the message says can be done"
    armature = next(ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE")
    assert bpy.context.active_object is None
    assert settings.find_dancer(bpy.context) == armature and armature.override_library
    armature.pose.bones["spine2"].scale = (1.0, 1.5, 1.0)
    write(armature)
    as_it_should(armature)
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "shot.blend"))
    armature = next(ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE")
    as_it_should(armature)
    assert path.read_bytes() == kept and armature.override_library.reference.animation_data is None


def check_an_instance_beside_the_override():
    collection = linked(library())
    empty = instance(collection)
    override = overridden(collection)
    bpy.context.view_layer.objects.active = empty
    assert settings.find_dancer(bpy.context) == override


def check_a_linked_armature():
    collection = linked(library())
    bpy.context.scene.collection.children.link(collection)
    hero = next(ob for ob in collection.objects if ob.type == "ARMATURE")
    raises(UserError, f"'Hero' is linked from another file. {OVERRIDE}", write, hero)
    override = overridden(collection)
    write(override)
    as_it_should(override)


def check_an_instance_of_a_collection_of_this_file():
    armature, collection = in_a_collection()
    instance(collection)
    raises(UserError, "'Hero instance' is an instance of the collection 'Hero collection', whose armature is not",
           settings.find_dancer, bpy.context)  # fmt: skip
    bpy.context.scene.collection.children.link(collection)
    assert settings.find_dancer(bpy.context) == armature


def check_the_only_body_of_a_scene():
    names = [f"bone {i}" for i in range(22)]
    armature = rig(names, z_up(skeleton.standing()))
    rig([None if i > 15 else f"stick {i}" for i in range(22)], z_up(skeleton.standing()))
    bpy.context.view_layer.objects.active = None
    assert settings.find_dancer(bpy.context) == armature
    rig(names, z_up(skeleton.standing()))
    bpy.context.view_layer.objects.active = None
    raises(UserError, "There are 2 dancers in this scene. Choose one", settings.find_dancer, bpy.context)


def check_the_mesh_of_another_armature():
    armature = dancer.add_dancer(bpy.context)
    dancer.add_dancer(bpy.context)
    skin = armature.children[0]
    skin.parent = None
    bpy.context.view_layer.objects.active = skin
    assert settings.find_dancer(bpy.context) == armature, "its modifier tells"

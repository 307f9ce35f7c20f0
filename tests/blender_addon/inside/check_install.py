"""*Install Engine* to its end, as a user has it: from the network, into the extension's own folder; and a dance."""

import bpy
from scenes import addon, drums

environment, session = addon("environment"), addon("session")
dancer, strips = addon("scene.dancer"), addon("scene.strips")


def check_the_engine_is_installed_and_dances():
    assert environment.find_python() is None, "there is an engine already: nothing would be tested"
    bpy.context.preferences.system.use_online_access = True
    assert bpy.app.online_access
    assert bpy.ops.footlight.install_engine() == {"FINISHED"}, session.state.error
    assert session.state.message == "The engine is installed." and not session.busy()
    python = environment.find_python()
    assert python.is_relative_to(environment.environment_folder())
    strips.add_song(bpy.context.scene, drums(4.0), 1)
    armature = dancer.add_dancer(bpy.context)
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}, session.state.error
    assert armature.animation_data.action["footlight_song"] == "drums"
    session.free()

"""*Install Engine* to its end, as a user has it: from the network or from the extension itself, into the extension's
own folder; and a dance."""

import socket

import bpy
from scenes import addon, drums

environment, readiness, session = addon("environment"), addon("readiness"), addon("session")
dancer, strips = addon("scene.dancer"), addon("scene.strips")


def check_the_engine_is_installed_and_dances():
    assert environment.find_python() is None, "there is an engine already: nothing would be tested"
    if environment.carries_engine():
        assert not bpy.app.online_access
        assert not network(), "there is a network: nothing would be tested"
    else:
        bpy.context.preferences.system.use_online_access = True
    assert bpy.ops.footlight.install_engine() == {"FINISHED"}, session.state.error
    assert session.state.message == "The engine is installed." and not session.busy()
    ready = readiness.now()
    assert ready.usable and ready.python.is_relative_to(environment.engine_places().engine)
    assert ready.torch and ready.size > 100_000_000
    strips.add_song(bpy.context.scene, drums(4.0), 1)
    armature = dancer.add_dancer(bpy.context)
    bpy.context.scene.footlight.quality = "DRAFT"
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}, session.state.error
    assert armature.animation_data.action.frame_range[1] > 80
    session.free()


def network() -> bool:
    """Whether anything can be reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
        except OSError:
            return False
    return True

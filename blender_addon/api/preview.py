"""The first seconds of a dance on its dancer while the rest is made: put there for the time being, and taken off again.

The finished dance is written as if they had never been there.
"""

from __future__ import annotations

import bpy

from ..scene import actions, dancer, playing, restoring
from ..shared import protocol
from ..stage import scenery, surroundings
from . import card, naming
from .target import Shown, Target, by_uid


def show(target: Target, preview: protocol.DancePreview) -> Shown:
    """Put the first seconds of a dance on the armature, or on a new dancer.
    Raises UserError when it cannot be done; then nothing is changed."""
    song = target.song
    assert song is not None
    scene, armature, _ = target.find("dance")
    added = dancer.add_to(scene) if armature is None else None
    danced = added or armature
    assert danced is not None
    before = restoring.of(danced)
    about = {"style": preview.style, "song": song.name, card.UNFINISHED: True}
    seconds = {"frames": preview.frames, "fps": target.fps, "seconds": preview.frames / target.fps}
    try:
        action = actions.write_dance(
            preview.out,
            danced,
            target.first,
            name=naming.title(target.about, preview.style, target.seed, bpy.data.actions),
            frames=target.frames,
            properties={key: value for key, value in {**target.asked, **about, **seconds}.items() if value is not None},
        )
    except Exception:
        if added is not None:
            dancer.remove(added)
        raise
    kept = restoring.keyed(before, action)
    return Shown(danced.session_uid, added is not None, action.session_uid, playing.frames_of(danced), kept)


def take_off(shown: Shown) -> bool:
    """Let the dancer be as it was, and take away the stage that was built for it. A dancer that was added for the dance
    stays; ``remove_dancer`` removes it. Returns whether there was anything to take off."""
    stage = by_uid(bpy.data.collections, shown.stage) if shown.stage else None
    for scene in bpy.data.scenes if stage is not None else ():
        if stage in scenery.standing(scene):
            surroundings.without_stage(scene)
            break
    action, armature = by_uid(bpy.data.actions, shown.action), by_uid(bpy.data.objects, shown.armature)
    if action is None:
        return False
    if armature is not None and armature.animation_data and armature.animation_data.action == action:
        restoring.restore(armature, shown.before)
    if action.users == action.use_fake_user:
        bpy.data.actions.remove(action)
    return True


def added_dancer(scene: bpy.types.Scene, shown: Shown | None) -> bpy.types.Object | None:
    """The dancer that was added for the first seconds, where it is still there."""
    return by_uid(scene.objects, shown.armature) if shown is not None and shown.added else None


def remove_dancer(shown: Shown) -> None:
    """Remove the dancer that was added for the first seconds, unless the user edits it."""
    armature = by_uid(bpy.data.objects, shown.armature) if shown.added else None
    if armature is not None and armature.mode != "EDIT":
        dancer.remove(armature)


def play_on(scene: bpy.types.Scene, armature: bpy.types.Object, shown: Shown | None) -> None:
    """Where the first seconds were being played, play all of the dance."""
    played = (scene.frame_preview_start, scene.frame_preview_end)
    if shown is not None and scene.use_preview_range and played == shown.frames:
        scene.frame_preview_start, scene.frame_preview_end = playing.frames_of(armature)

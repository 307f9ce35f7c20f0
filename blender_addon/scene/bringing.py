"""Songs that come into a scene: a file that was chosen, and a strip of another scene."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..errors import UserError
from . import hearing, songs, strips, timeline, versions
from .mixing import frame_rate
from .wording import joined

KEPT = ("volume", "pan", "sound_offset", "pitch_correction")
"""Properties of a sound strip that its copy has too; the last is new in Blender 5."""


@dataclass(frozen=True)
class Brought:
    """A strip that is in the scene now.

    new: whether it was not there before.
    said: one line about it.
    """

    strip: bpy.types.Strip
    new: bool
    said: str


def file(scene: bpy.types.Scene, path: str | Path) -> Brought:
    """The song at ``path`` in the sequencer of ``scene``, on a free channel from the scene's first frame on, and heard
    alone. Where it is there already, that strip is taken.

    The current frame does not count: it is wherever the user looked last, and a dance is to begin with its scene.

    Raises UserError when there is no such file or Blender cannot read it as sound; then nothing is changed.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder. Choose a sound file in it.")
    there = next((one.strip for one in songs.songs(scene) if _plays(one.strip, path)), None)
    strip = there or _added(scene, path)
    strip.show_waveform = True
    changed = hearing.only(scene, strip)
    return Brought(strip, there is None, joined(_told(scene, strip, there is None), changed.said))


def copy(scene: bpy.types.Scene, source: bpy.types.Scene, strip: bpy.types.Strip) -> Brought:
    """The strip of another scene also in ``scene``, heard alone: at the same time after the scene's first frame, or,
    where the other scene shows this one in a scene strip, where it is heard there.

    Its trim, volume and packed file go along; its animation, its modifiers and the meta strips around it do not.

    Raises UserError when its file is missing, nothing of it is shown, or it plays at another speed.
    """
    place = next(one for one in timeline.sounds(source) if one.strip == strip)
    if place.first >= place.end:
        raise UserError(f"Nothing of the strip {strip.name!r} is shown: a meta strip around it cuts it all off.")
    if strip.sound is None:
        raise UserError(f"The strip {strip.name!r} has no sound. Choose another one.")
    rate = frame_rate(scene) / frame_rate(source)
    frame = _frames(scene, source, rate)
    made = _again(scene, strip, round(frame(versions.content_start(strip))))
    versions.set_handles(made, round(frame(place.first)), max(round(frame(place.end)), round(frame(place.first)) + 1))
    strips.settle(scene, made)
    made.show_waveform = True
    changed = hearing.only(scene, made)
    said = f"{made.name!r} from {source.name!r} is in this scene too, from frame {versions.handles(made)[0]} on."
    return Brought(made, True, joined(said, changed.said))


def _added(scene: bpy.types.Scene, path: Path) -> bpy.types.Strip:
    """A new strip from the scene's first frame on. Its path is relative where Blender's own would be."""
    strip = strips.add_song(scene, path, scene.frame_start)
    if bpy.data.filepath and bpy.context.preferences.filepaths.use_relative_paths:
        with contextlib.suppress(ValueError):  # on another drive of Windows there is no such path
            strip.sound.filepath = bpy.path.relpath(str(path.resolve()))
    return strip


def _again(scene: bpy.types.Scene, strip: bpy.types.Strip, start: int) -> bpy.types.Strip:
    """A new strip with the sound of another one, above all others.

    start: the first frame of its content.
    """
    if strip.retiming_keys:
        raise UserError(
            f"The strip {strip.name!r} has another speed, which cannot be taken along. Copy it in the sequencer of "
            "its scene (Ctrl C), show this scene there and paste it (Ctrl V)."
        )
    editor = scene.sequence_editor or scene.sequence_editor_create()
    channel = max((one.channel for one in editor.strips), default=0) + 1
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        made = editor.strips.new_sound(strip.name, str(strips.file_of(strip, folder)), channel, start)
    loaded, made.sound = made.sound, strip.sound
    if not loaded.users:
        bpy.data.sounds.remove(loaded)
    for name in KEPT:
        if hasattr(strip, name):
            setattr(made, name, getattr(strip, name))
    return made


def _frames(scene: bpy.types.Scene, source: bpy.types.Scene, rate: float) -> Callable[[float], float]:
    """A function from frames of ``source`` to those of ``scene``.

    rate: frames of this one to one of the other.
    """
    found = (one.strip for one in timeline.placed(source))
    shown = next((strip for strip in found if strip.type == "SCENE" and strip.scene == scene), None)
    origin = source.frame_start if shown is None else versions.content_start(shown)
    return lambda frame: scene.frame_start + (frame - origin) * rate


def _plays(strip: bpy.types.Strip, path: Path) -> bool:
    sound = strip.sound
    if sound is None or sound.packed_file:
        return False
    own = bpy.path.abspath(sound.filepath, library=sound.library)
    return os.path.realpath(own) == os.path.realpath(path)


def _told(scene: bpy.types.Scene, strip: bpy.types.Strip, new: bool) -> str:
    first, end = versions.handles(strip)
    if not new:
        return f"{strip.name!r} was in the sequencer already, from frame {first} on, and is the song."
    minutes, seconds = divmod(round((end - first) / frame_rate(scene)), 60)
    return f"{strip.name!r} is the song: {minutes}:{seconds:02d} from frame {first} on."

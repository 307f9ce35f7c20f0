"""Songs in the sequencer: which strip is meant, and what of its file is heard on which frames."""

from __future__ import annotations

import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..errors import UserError
from . import versions
from .apart import copied

READABLE = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"}
"""What the engine decodes by itself; any other file that Blender can play goes through a mixdown."""

MIX_RATE = 48_000
MIX_PATIENCE = 120.0


@dataclass(frozen=True)
class Song:
    """A stretch of sound and the frames on which it is heard. start, seconds: the part of the file at ``path``; None is
    all that follows.  frames: how many there are at most, where that is known.

    strip: the strip's name and sound: the session_uid of its data, by which it is found again; both empty for a mix.
    """

    name: str
    path: str
    start: float
    seconds: float | None
    frame_start: int
    frames: int | None
    strip: str = ""
    sound: int = 0


def frame_rate(scene: bpy.types.Scene) -> float:
    """The frames per second at which a scene really plays: 29.97 is 30 / 1.001."""
    return scene.render.fps / scene.render.fps_base


def sound_strips(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    """The sound strips of a scene, from the first on the timeline to the last."""
    editor = scene.sequence_editor
    found = [strip for strip in editor.strips if strip.type == "SOUND"] if editor else []
    return sorted(found, key=lambda strip: (versions.handles(strip)[0], strip.channel))


def choose(scene: bpy.types.Scene, name: str = "") -> bpy.types.Strip:
    """The sound strip called ``name``, or the only one there is. Raises UserError when it is not clear which."""
    strips = sound_strips(scene)
    if not strips:
        raise UserError(f"There is no sound strip in the sequencer of {scene.name!r}. Add a song there first.")
    if name:
        if found := [strip for strip in strips if strip.name == name]:
            return found[0]
        raise UserError(f"There is no sound strip {name!r} any more. Choose another one under Song.")
    if len(strips) > 1:
        raise UserError(f"There are {len(strips)} sound strips in the sequencer. Choose one under Song, or Whole Mix.")
    return strips[0]


def is_there(scene: bpy.types.Scene, song: Song) -> bool:
    """Whether the strip of a song is still in the sequencer, perhaps under another name."""
    if not song.strip:
        return True
    strips = sound_strips(scene)
    return any(s.name == song.strip or (s.sound and s.sound.session_uid == song.sound) for s in strips)


def excerpt(scene: bpy.types.Scene, strip: bpy.types.Strip, folder: str | Path) -> Song:
    """What is heard of ``strip`` while it is visible: its trim, offset and speed are honoured.

    folder: takes a temporary file where the strip's own file is not what is heard (another speed, packed, silence
    before its content).  Raises UserError when there is no sound behind the strip.
    """
    path = _file(strip, folder)
    first, end = versions.handles(strip)
    before, after = versions.trims(strip)
    seconds = (end - first) / frame_rate(scene)
    name = Path(bpy.path.basename(strip.sound.filepath)).stem or strip.name
    plain = not strip.retiming_keys and not strip.sound_offset and before >= 0 and after >= 0
    if plain and path.suffix.lower() in READABLE:
        # Blender starts a trimmed sound on a whole frame of its content.
        start = int(before) / frame_rate(scene)
    else:
        path, start = _mixdown(scene, folder, first, end, only=strip.name), 0.0
    return Song(name, str(path), start, seconds, first, end - first, strip.name, strip.sound.session_uid)


def whole_mix(scene: bpy.types.Scene, folder: str | Path) -> Song:
    """Everything that is heard in the scene's frame range. Raises UserError when nothing can be."""
    if not sound_strips(scene) and not any(ob.type == "SPEAKER" for ob in scene.objects):
        raise UserError(f"There is no sound in {scene.name!r}. Add a song to its sequencer first.")
    first, end = scene.frame_start, scene.frame_end + 1
    path = _mixdown(scene, folder, first, end)
    return Song(f"{scene.name} mix", str(path), 0.0, (end - first) / frame_rate(scene), first, end - first)


def whole_file(path: str | Path, frame: int = 1, seconds: float | None = None) -> Song:
    """The song in a file, heard from ``frame`` on, whether it is in a sequencer or not. seconds: only its first."""
    path = Path(path).absolute()
    return Song(path.stem, str(path), 0.0, seconds, frame, None)


def add_song(scene: bpy.types.Scene, path: str | Path, frame: int = 1) -> bpy.types.Strip:
    """A new sound strip for the file at ``path`` from ``frame`` on, in the lowest channel that is free there.

    Raises UserError when the file is missing or Blender cannot read it as sound.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"There is no file {path}. Give the path of a song.")
    editor = scene.sequence_editor or scene.sequence_editor_create()
    highest = max((strip.channel for strip in editor.strips), default=0)
    # Put it above everything first: how long it is, and so where it fits, shows only then.
    strip = editor.strips.new_sound(path.stem, str(path.resolve()), highest + 1, frame)
    if strip.sound.samplerate == 0:  # Blender makes a strip even of a file that holds no sound
        remove_song(scene, strip)
        raise UserError(f"Blender cannot read {path} as sound. Give a wav, flac, ogg, opus or mp3 file.")
    first, end = versions.handles(strip)
    taken = {
        other.channel
        for other in editor.strips
        if other != strip and versions.handles(other)[0] < end and versions.handles(other)[1] > first
    }
    strip.channel = next(channel for channel in range(1, highest + 2) if channel not in taken)
    return strip


def remove_song(scene: bpy.types.Scene, strip: bpy.types.Strip) -> None:
    """Take back what ``add_song`` did; the file stays."""
    sound = strip.sound
    scene.sequence_editor.strips.remove(strip)
    bpy.data.sounds.remove(sound)


def _file(strip: bpy.types.Strip, folder: str | Path) -> Path:
    """The file of a strip's sound, unpacked into ``folder`` when it lives inside the .blend."""
    sound = strip.sound
    if sound is None:
        raise UserError(f"The strip {strip.name!r} has no sound. Choose another one under Song.")
    if sound.packed_file:
        path = Path(folder) / ("packed" + Path(bpy.path.basename(sound.filepath)).suffix)
        path.write_bytes(sound.packed_file.data)
        return path
    if sound.filepath.startswith("//") and not bpy.data.filepath and not sound.library:
        raise UserError(f"{sound.filepath} is relative to a .blend that is not saved. Save the .blend first.")
    path = Path(bpy.path.abspath(sound.filepath, library=sound.library))
    if not path.is_file():
        raise UserError(f"The file of the strip {strip.name!r} is missing: {path}. Find it, or choose another strip.")
    return path


def _mixdown(scene: bpy.types.Scene, folder: str | Path, first: int, end: int, only: str = "") -> Path:
    """What Blender itself plays on the frames from ``first`` to before ``end``, as a file in ``folder``.

    A copy of the scene is mixed, so that the user's own keeps its frame range and its strips' mute switches.
    only: the name of the one strip that shall be heard.
    """
    path = Path(folder) / "mix.wav"
    path.unlink(missing_ok=True)
    with copied(scene, objects=not only) as copy:
        if only:
            for strip in copy.sequence_editor.strips:
                strip.mute = strip.name != only
        if first < 0:  # a scene's frame range cannot begin below 0
            for strip in copy.sequence_editor.strips:
                versions.move(strip, -first)
            first, end = 0, end - first
        copy.frame_start, copy.frame_end = first, end - 1
        scenes = {"scene": copy}
        if hasattr(bpy.context, "sequencer_scene"):
            scenes["sequencer_scene"] = copy
        with bpy.context.temp_override(**scenes):
            bpy.ops.sound.mixdown(
                filepath=str(path),
                check_existing=False,
                relative_path=False,
                container="WAV",
                codec="PCM",
                format="S16",
                mixrate=MIX_RATE,
                channels="MONO",
            )
        _wait_for(path, int((end - first) / frame_rate(scene) * MIX_RATE) * 2)
    return path


def _wait_for(path: Path, size: int) -> None:
    """Until the mixdown is whole: some versions of Blender write it after the operator has returned."""
    deadline = time.monotonic() + MIX_PATIENCE
    while time.monotonic() < deadline:
        if path.exists() and os.path.getsize(path) >= size:
            with open(path, "rb") as file:
                head = file.read(8)
            if len(head) == 8 and struct.unpack("<I", head[4:])[0] + 8 == os.path.getsize(path):
                return
        time.sleep(0.05)
    raise UserError("Blender did not finish mixing the scene's sound. Check that its files can be played.")

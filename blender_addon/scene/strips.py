"""Songs in the sequencer: which strip is meant, and what of its file is heard on which frames."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..errors import UserError
from ..shared import MISSED_SECONDS, kinds, protocol, surveying
from . import hearing, mixing, songs, timeline, versions
from .mixing import frame_rate

READABLE = (kinds.WAV, kinds.FLAC, kinds.OGG, kinds.MPEG)
"""What the engine decodes by itself; any other file that Blender can play goes through a mixdown."""


@dataclass(frozen=True)
class Song:
    """A stretch of sound and the frames on which it is heard.

    start, seconds: the part of the file at ``path``; None is all that follows.
    frames: how many there are at most, where that is known.
    strip: the strip's name and sound: the session_uid of its data, by which it is found again; both empty for a mix.
    warning: what the user should know of it; empty when there is nothing.
    origin: the frame on which the strip's content began.
    """

    name: str
    path: str
    start: float
    seconds: float | None
    frame_start: int
    frames: int | None
    strip: str = ""
    sound: int = 0
    warning: str = ""
    origin: float = 0.0


def sound_strips(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    """The sound strips of a scene, those inside meta strips too, from the first on the timeline to the last."""
    return [one.strip for one in timeline.sounds(scene)]


def named(scene: bpy.types.Scene, name: str) -> bpy.types.Strip | None:
    """The sound strip of that name; None where there is none."""
    return next((strip for strip in sound_strips(scene) if strip.name == name), None)


def heard_strips(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    """As ``sound_strips``, without those that are muted, by themselves, their channel or a meta strip around them."""
    return [one.strip for one in timeline.sounds(scene) if one.heard]


def is_there(scene: bpy.types.Scene, song: Song) -> bool:
    """Whether the strip of a song is still in the sequencer, perhaps under another name."""
    return not song.strip or strip_of(scene, song) is not None


def strip_of(scene: bpy.types.Scene, song: Song) -> bpy.types.Strip | None:
    """The strip of a song, perhaps under another name; None where it is gone, and of a mix."""
    same = (strip for strip in sound_strips(scene) if strip.sound and strip.sound.session_uid == song.sound)
    return named(scene, song.strip) or next(same, None) if song.strip else None


def moved(scene: bpy.types.Scene, song: Song) -> int:
    """By how many frames the strip of a song lies later now than when it was heard."""
    strip = strip_of(scene, song)
    if strip is None or strip.sound is None or strip.sound.session_uid != song.sound:
        return 0
    return round(versions.content_start(strip) - song.origin)


def excerpt(scene: bpy.types.Scene, strip: bpy.types.Strip, folder: str | Path) -> Song:
    """What is heard of ``strip`` while it is visible: its trim, offset and speed are honoured, and the meta strips that
    it lies in.

    folder: takes a temporary file where the strip's own file is not what is heard (another speed, packed, silence
    before its content, a kind that the engine does not decode).

    Raises UserError when there is no sound behind the strip, or nothing is heard of it.
    """
    path = file_of(strip, folder)
    place = next(one for one in timeline.sounds(scene) if one.strip == strip)
    first, end, fps = place.first, place.end, frame_rate(scene)
    if first >= end:
        raise UserError(f"Nothing of the strip {strip.name!r} is shown: a meta strip around it cuts it all off.")
    seconds = (end - first) / fps
    kind = kinds.recognise(path)
    lasts = _seconds(path, kind)
    before = versions.trims(strip)[0] + first - versions.handles(strip)[0]  # frames of its content that are cut off
    missed = 0.0 if lasts is None else lasts - before / fps - seconds  # seconds of it after the end
    warnings = []
    if place.muted and not hearing.silenced(strip):
        warnings.append(f"The strip {strip.name!r} is muted. Unmute it to hear what this is for.")
    uncut = versions.trims(strip)[1] == 0 and end == versions.handles(strip)[1]
    if lasts is not None and missed > MISSED_SECONDS and uncut and not strip.retiming_keys:
        too_short = (
            f"{path.name} lasts {lasts:.1f} s, but Blender made its strip only {before / fps + seconds:.1f} s long. "
            f"Drag the strip's right end to frame {end + int(missed * fps)} to use all of it."
        )
        if seconds < protocol.SHORTEST_SECONDS:
            raise UserError(too_short)
        warnings.append(too_short)
    name = Path(bpy.path.basename(strip.sound.filepath)).stem or strip.name
    beyond = versions.trims(strip)[1] < 0 and (lasts is None or missed < -1 / fps)  # it shows more than there is
    plain = not strip.retiming_keys and not strip.sound_offset and before >= 0 and not beyond
    if plain and kind in READABLE:
        # Blender starts a trimmed sound on a whole frame of its content.
        start = int(before) / fps
    else:
        _check_length(f"The strip {strip.name!r}", seconds)
        path, start = _mixed_alone(scene, strip, folder, first, end), 0.0
    sound = strip.sound.session_uid
    origin = versions.content_start(strip)
    return Song(name, str(path), start, seconds, first, end - first, strip.name, sound, " ".join(warnings), origin)


def _mixed_alone(scene: bpy.types.Scene, strip: bpy.types.Strip, folder: str | Path, first: int, end: int) -> Path:
    """A file of what is heard of a strip from a frame to before another. Raises UserError when that is silence."""
    path = mixing.mixdown(scene, folder, first, end, only=strip.name)
    if mixing.is_silent(path):
        raise UserError(
            f"The strip {strip.name!r} is silent on the frames {first} to {end - 1}. Check its volume and its file, or "
            "choose another strip."
        )
    return path


def whole_mix(scene: bpy.types.Scene, folder: str | Path) -> Song:
    """Everything that is heard in the scene's frame range, from meta strips and scene strips too.

    Raises UserError when nothing can be."""
    strips, inside = sound_strips(scene), timeline.scenes_with_sound(scene)
    speakers = timeline.has_speakers(scene)
    if not strips and not inside and not speakers:
        if any(one.strip.type == "SCENE" for one in timeline.placed(scene)):
            raise UserError(
                f"The scene strips of {scene.name!r} are muted, or there is no sound in their scenes. Unmute one, or "
                "add a song."
            )
        raise UserError(f"There is no sound in {scene.name!r}. Use Choose Song.")
    if not inside and not speakers and not heard_strips(scene):
        raise UserError(f"{songs.all_muted(scene, timeline.sounds(scene))} Unmute one.")
    first, end = scene.frame_start, scene.frame_end + 1
    seconds, warning = (end - first) / frame_rate(scene), ""
    _check_length(f"The frame range of {scene.name!r}", seconds)
    path = mixing.mixdown(scene, folder, first, end)
    if inside and mixing.is_silent(path):
        path = mixing.mixdown(scene, folder, first, end, inside=True)
        warning = (
            f"The scene strip {inside[0].name!r} shows a camera, so that Blender does not play the sequencer behind "
            "it. Set the strip's Input to Sequencer to hear what this is for."
        )
    if mixing.is_silent(path):
        raise UserError(
            f"Nothing is heard in {scene.name!r} on the frames {first} to {end - 1}. Check where its strips lie, "
            "whether they are muted, their volume and their files."
        )
    return Song(mix_name(scene), str(path), 0.0, seconds, first, end - first, warning=warning)


def mix_name(scene: bpy.types.Scene) -> str:
    """What the song is called that is all sound of a scene."""
    return f"{scene.name} mix"


def whole_file(
    path: str | Path, frame: int = 1, seconds: float | None = None, folder: str | Path | None = None
) -> Song:
    """The song in a file, heard from ``frame`` on, whether it is in a sequencer or not.

    seconds: only its first.
    folder: takes a temporary file where Blender decodes what the engine does not; without one that is left to the
        engine.

    Raises UserError when Blender cannot decode it either.
    """
    path = Path(path).absolute()
    read = path
    if folder is not None and path.is_file():
        kind = kinds.recognise(path)
        if kind and kind.sound and not kind.own:
            read = mixing.decode(path, folder, seconds)
    return Song(path.stem, str(read), 0.0, seconds, frame, None)


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
        raise UserError(f"Blender cannot read {path} as sound. Give a {protocol.SONG_FILES} file.")
    first, end = versions.handles(strip)
    lasts = _seconds(path, kinds.recognise(path))
    if lasts and abs(lasts - (end - first) / frame_rate(scene)) > MISSED_SECONDS:  # Blender has guessed it
        versions.set_end(strip, first + max(1, round(lasts * frame_rate(scene))))
    settle(scene, strip)
    return strip


def settle(scene: bpy.types.Scene, strip: bpy.types.Strip) -> None:
    """Move a strip to the lowest channel that is free while it is shown."""
    first, end = versions.handles(strip)
    others = [other for other in scene.sequence_editor.strips if other != strip]
    taken = {
        other.channel for other in others if versions.handles(other)[0] < end and versions.handles(other)[1] > first
    }
    strip.channel = next(channel for channel in itertools.count(1) if channel not in taken)


def remove_song(scene: bpy.types.Scene, strip: bpy.types.Strip) -> None:
    """Take back what ``add_song`` did; the file stays."""
    sound = strip.sound
    scene.sequence_editor.strips.remove(strip)
    bpy.data.sounds.remove(sound)


def file_of(strip: bpy.types.Strip, folder: str | Path) -> Path:
    """The file of a strip's sound, unpacked into ``folder`` when it lives inside the .blend."""
    sound = strip.sound
    if sound is None:
        raise UserError(f"The strip {strip.name!r} has no sound. Choose another one under Song.")
    if sound.packed_file:
        path = Path(folder) / (bpy.path.basename(sound.filepath) or "packed")
        path.write_bytes(sound.packed_file.data)
        return path
    if sound.filepath.startswith("//") and not bpy.data.filepath and not sound.library:
        raise UserError(f"{sound.filepath} is relative to a .blend that is not saved. Save the .blend first.")
    path = Path(bpy.path.abspath(sound.filepath, library=sound.library))
    if not path.is_file():
        raise UserError(f"The file of the strip {strip.name!r} is missing: {path}. Find it, or choose another strip.")
    return path


def _check_length(what: str, seconds: float) -> None:
    if seconds < protocol.SHORTEST_SECONDS:
        raise UserError(f"{what} lasts {seconds:.2f} s; at least {protocol.SHORTEST_SECONDS:g} s is needed.")


def _seconds(path: Path, kind: kinds.Kind | None) -> float | None:
    """How long the sound in a file is, of a kind of which Blender only guesses that; None for others."""
    if kind not in (kinds.MPEG, kinds.AAC, kinds.FLAC, kinds.OGG):
        return None
    return surveying.survey(path, kind).seconds

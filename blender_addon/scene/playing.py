"""What is played after a result: its frames, its sound, and the settings by which one hears and sees the same beat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy

from ..errors import UserError
from ..names import PREFIX
from . import hearing, songs, staging, takes, timeline


@dataclass(frozen=True)
class Plan:
    """What is to be played.

    first, last: the frames that are played, both included.
    strip: the sound to hear; None leaves all as it is.
    source: the scene that the strip is in.
    """

    first: int
    last: int
    strip: bpy.types.Strip | None
    source: bpy.types.Scene


def plan(scene: bpy.types.Scene, armature: bpy.types.Object | None, *, everything: bool = False) -> Plan:
    """What there is to play: the dance of ``armature``, else every dance of the scene, else the music that was made.

    everything: whether all sound of the scene is the song.

    Raises UserError when there is nothing.
    """
    ranges = [frames_of(armature)] if armature is not None and is_dance(armature) else []
    ranges = ranges or [frames_of(ob) for ob in scene.objects if is_dance(ob)]
    music = [one for one in timeline.sounds(scene) if songs.is_own(one.strip) and one.first < one.end]
    if not ranges and not music:
        raise UserError("There is nothing to play yet. Make a dance or music first.")
    if ranges:
        first, last = min(start for start, _ in ranges), max(end for _, end in ranges)
        if everything:
            return Plan(first, last, None, scene)
        source, placed = _sound_of(scene, armature, first, last)
        if placed and songs.is_own(placed.strip) and placed.first <= last and placed.end > first:
            first, last = min(first, placed.first), max(last, placed.end - 1)
        return Plan(first, last, placed.strip if placed else None, source)
    newest = next((one for one in music if one.heard), music[-1])
    return Plan(newest.first, newest.end - 1, newest.strip, scene)


def is_dance(ob: bpy.types.Object | None) -> bool:
    """Whether an object has a dance that Footlight made."""
    return ob is not None and takes.shows_one(ob)


def prepare(scene: bpy.types.Scene, wanted: Plan) -> list[str]:
    """Set a scene to play ``wanted`` from its first frame on. Returns what was changed, a few words each.

    The strip must be in ``scene``.
    """
    said = []
    shown = (scene.frame_preview_start, scene.frame_preview_end) if scene.use_preview_range else None
    if shown != (wanted.first, wanted.last):
        scene.use_preview_range = True
        scene.frame_preview_start, scene.frame_preview_end = wanted.first, wanted.last
        said.append(f"preview range {wanted.first} to {wanted.last} (Alt P in the timeline clears it)")
    if scene.sync_mode != "AUDIO_SYNC":
        scene.sync_mode = "AUDIO_SYNC"
        said.append("playback synced to the sound")
    if not scene.use_audio_scrub:
        scene.use_audio_scrub = True
        said.append("sound while scrubbing")
    if not scene.use_audio:
        scene.use_audio = True
        said.append("sound on")
    if wanted.strip is not None:
        if not wanted.strip.show_waveform:
            wanted.strip.show_waveform = True
            said.append("waveform shown")
        changed = hearing.only(scene, wanted.strip)
        if changed.said:
            said.append(changed.said.rstrip("."))
    scene.frame_set(wanted.first)
    return said


def frames_of(armature: bpy.types.Object) -> tuple[int, int]:
    """The first and the last frame of the dance that an armature shows."""
    action = staging.dance_of(armature)
    assert action is not None, "whoever asks has seen a dance"
    first, last = action.frame_range
    return math.floor(first), math.ceil(last)


def _sound_of(
    scene: bpy.types.Scene, armature: bpy.types.Object | None, first: int, last: int
) -> tuple[bpy.types.Scene, timeline.Placed | None]:
    """The scene and the sound strip of a dance: what is heard on its frames if that is one strip, else its own song.
    That may be in another scene, where this one has no sound."""
    there = [one for one in timeline.sounds(scene) if one.first <= last and one.end > first]
    heard = [one for one in there if one.heard]
    if len(heard) == 1:
        return scene, heard[0]
    name = _song_of(armature) if armature is not None and is_dance(armature) else ""
    for among in (heard, there):
        if own := [one for one in among if name and name in _names(one.strip)]:
            return scene, _rather_chosen(own)
    for among in (heard, there):
        if among:
            return scene, _rather_chosen(among)
    if other := songs.elsewhere(scene):
        named = [one for one in songs.songs(other) if name and name in _names(one.strip)]
        return other, named[0] if named else None
    return scene, None


def strip_of(scene: bpy.types.Scene, name: str) -> bpy.types.Strip | None:
    """The strip of the song that a dance calls by that name; None where the scene has none."""
    found = [one for one in timeline.sounds(scene) if name and name in _names(one.strip)]
    return _rather_chosen(found).strip if found else None


def _rather_chosen(placed: list[timeline.Placed]) -> timeline.Placed:
    """The strip that was chosen as the song, else the last one."""
    return next((one for one in placed if songs.CHOSEN in one.strip), placed[-1])


def _song_of(armature: bpy.types.Object) -> str:
    action = staging.dance_of(armature)
    return str(action.get(f"{PREFIX}song", "")) if action is not None else ""


def _names(strip: bpy.types.Strip) -> set[str]:
    """What a dance may call the song of a strip: the strip's name, and its file's without the ending."""
    path = strip.sound.filepath if strip.sound else ""
    return {strip.name, bpy.path.basename(path).rpartition(".")[0]}

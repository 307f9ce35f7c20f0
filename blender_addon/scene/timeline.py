"""Where the strips of a sequencer are, whatever meta strips they lie in, and which of them are heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy

from . import versions


@dataclass(frozen=True)
class Placed:
    """A strip on the timeline.

    muted: whether it is, or its channel, or a meta strip around it.
    first, end: the first frame on which it is shown and the first one after; meta strips around it cut it off.
    """

    strip: bpy.types.Strip
    muted: bool
    first: int
    end: int

    @property
    def heard(self) -> bool:
        return not self.muted and self.first < self.end


def placed(scene: bpy.types.Scene) -> Iterator[Placed]:
    """All strips of a scene, those inside meta strips after these."""
    if scene.sequence_editor:
        yield from _inside(scene.sequence_editor, False, None)


def sounds(scene: bpy.types.Scene) -> list[Placed]:
    """The sound strips of a scene, from the first on the timeline to the last."""
    found = [one for one in placed(scene) if one.strip.type == "SOUND"]
    return sorted(found, key=lambda one: (versions.handles(one.strip)[0], one.strip.channel))


def scenes_with_sound(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    """The strips that show another scene in which there is sound, and are not muted."""
    found = (one.strip for one in placed(scene) if one.strip.type == "SCENE" and one.heard)
    return [strip for strip in found if strip.scene and any(map(has_sound, _scenes_within(strip.scene)))]


def has_sound(scene: bpy.types.Scene) -> bool:
    """Whether there are sound strips that are not muted, or speakers."""
    return any(one.heard for one in sounds(scene)) or has_speakers(scene)


def has_speakers(scene: bpy.types.Scene) -> bool:
    """Whether there are speakers, which play sound from the scene's objects."""
    return any(ob.type == "SPEAKER" for ob in scene.objects)


def _inside(
    around: bpy.types.SequenceEditor | bpy.types.MetaStrip, muted: bool, bounds: tuple[int, int] | None
) -> Iterator[Placed]:
    """The strips of a sequencer or a meta strip.

    muted: whether it is itself.
    bounds: the frames that it shows.
    """
    channels = list(around.channels)
    for strip in around.strips:
        first, end = versions.handles(strip)
        if bounds:
            first, end = max(first, bounds[0]), min(end, bounds[1])
        quiet = muted or strip.mute or (strip.channel < len(channels) and channels[strip.channel].mute)
        yield Placed(strip, quiet, first, end)
        if strip.type == "META":
            yield from _inside(strip, quiet, (first, end))


def _scenes_within(scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """A scene and all that its scene strips show, each once."""
    waiting, seen = [scene], set()
    while waiting:
        one = waiting.pop()
        if one.session_uid in seen:
            continue
        seen.add(one.session_uid)
        yield one
        waiting += [found.strip.scene for found in placed(one) if found.strip.type == "SCENE" and found.strip.scene]

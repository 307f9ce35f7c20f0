"""Which sound is heard: one strip at a time where several would play over each other.

What is muted here carries a mark, so that it can be told from what the user muted.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ..names import PREFIX
from . import timeline
from .wording import listed

MUTED = f"{PREFIX}muted"
"""The custom property of a strip that Footlight muted."""


@dataclass(frozen=True)
class Changed:
    """What was muted, and what was unmuted: names of strips."""

    muted: tuple[str, ...] = ()
    unmuted: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """One line about it; empty when nothing was changed."""
        parts = [
            f"{listed([repr(name) for name in names])} {'is' if len(names) == 1 else 'are'} {word}"
            for names, word in ((self.muted, "muted"), (self.unmuted, "heard again"))
            if names
        ]
        return f"{'; '.join(parts)}." if parts else ""


def only(scene: bpy.types.Scene, strip: bpy.types.Strip) -> Changed:
    """Let a sound strip be heard, and mute every other one that plays at the same time."""
    unmuted = _unmute(scene, strip)
    placed = timeline.sounds(scene)
    own = next(one for one in placed if one.strip == strip)
    others = [one for one in placed if one.strip != strip and one.heard and _together(one, own)]
    for one in others:
        one.strip.mute = True
        one.strip[MUTED] = True
    return Changed(tuple(one.strip.name for one in others), (strip.name,) if unmuted else ())


def silenced(strip: bpy.types.Strip) -> bool:
    """Whether a strip is muted because Footlight muted it, so that it did not play over another one."""
    return strip.mute and MUTED in strip


def again(scene: bpy.types.Scene, strip: bpy.types.Strip) -> Changed:
    """As ``only`` where Footlight itself had muted the strip; else nothing happens."""
    return only(scene, strip) if silenced(strip) else Changed()


def _together(one: timeline.Placed, other: timeline.Placed) -> bool:
    return one.first < other.end and other.first < one.end


def _unmute(scene: bpy.types.Scene, strip: bpy.types.Strip) -> bool:
    """Whether something had to be unmuted: the strip, a meta strip around it, or a channel."""
    found, one = False, strip
    while one is not None:
        parent = one.parent_meta()
        channels = (parent or scene.sequence_editor).channels
        for holder in (one, *([channels[one.channel]] if one.channel < len(channels) else [])):
            found |= holder.mute
            holder.mute = False
        if MUTED in one:
            del one[MUTED]
        one = parent
    return found

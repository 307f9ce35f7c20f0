"""Which sound of a scene is its song.

The song is looked for in the scene that the window shows, for that is the one that plays. Blender 5's sequencer may
show another scene: sound there is offered, never taken. Music that Footlight made is no song unless it is chosen by
name.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import bpy

from ..errors import UserError
from ..names import PREFIX
from . import hearing, timeline

CHOSEN = f"{PREFIX}chosen"
"""The custom property of the strip that was chosen as the song: it is followed when it is renamed."""

MADE = f"{PREFIX}seed"
"""The custom property that every strip has whose music Footlight made."""


class Kind(enum.Enum):
    """How it stands with a scene's song.

    NONE: there is no sound.
    ONE: the only song.
    CHOSEN: one that was chosen.
    ACTIVE: of several, the strip that is selected in the sequencer.
    SEVERAL: nobody can tell which one is meant.
    GONE: what was chosen is not there any more.
    MUTED: there are songs, but all are muted.
    OWN: there is nothing but music that Footlight made.
    INSIDE: the sound is in scene strips.
    ELSEWHERE: another scene has a song.
    ALL: everything that is heard is the song.
    """

    NONE = enum.auto()
    ONE = enum.auto()
    CHOSEN = enum.auto()
    ACTIVE = enum.auto()
    SEVERAL = enum.auto()
    GONE = enum.auto()
    MUTED = enum.auto()
    OWN = enum.auto()
    INSIDE = enum.auto()
    ELSEWHERE = enum.auto()
    ALL = enum.auto()


@dataclass(frozen=True)
class State:
    """What is known of a scene's song, read from the scene.

    placed: the song, where it is clear which.
    count: how many songs could be meant.
    where: the other scene that has one.
    """

    kind: Kind
    placed: timeline.Placed | None = None
    count: int = 0
    where: bpy.types.Scene | None = None

    @property
    def strip(self) -> bpy.types.Strip | None:
        return self.placed.strip if self.placed else None


def is_own(strip: bpy.types.Strip) -> bool:
    """Whether Footlight made the music of a strip."""
    return MADE in strip


def songs(scene: bpy.types.Scene) -> list[timeline.Placed]:
    """The sound strips of a scene that Footlight did not make, from the first on the timeline to the last."""
    return [one for one in timeline.sounds(scene) if not is_own(one.strip)]


def find(scene: bpy.types.Scene, name: str) -> timeline.Placed | None:
    """The sound strip that was chosen under a name, also where it was renamed since."""
    if not name:
        return None
    sounds = timeline.sounds(scene)
    named = (one for one in sounds if one.strip.name == name)
    return next(named, None) or next((one for one in sounds if CHOSEN in one.strip), None)


def mark(scene: bpy.types.Scene, name: str) -> None:
    """Remember the strip that is chosen under a name, for the day when it is renamed; no name forgets it."""
    for one in timeline.sounds(scene):
        if name and one.strip.name == name:
            one.strip[CHOSEN] = True
        elif CHOSEN in one.strip:
            del one.strip[CHOSEN]


def state(
    scene: bpy.types.Scene, name: str = "", *, everything: bool = False, shown: bpy.types.Scene | None = None
) -> State:
    """How it stands with the song of ``scene``.

    name: of the strip that was chosen; "" for none.
    everything: whether all sound is wanted.
    shown: the scene that the sequencer shows, where it is another one.
    """
    if everything:
        return State(Kind.ALL)
    if found := find(scene, name):
        return State(Kind.CHOSEN, found, 1)
    every = songs(scene)
    if name and timeline.sounds(scene):
        return State(Kind.GONE, count=len(every))
    heard = [one for one in every if one.heard or hearing.silenced(one.strip)]
    if len(heard) == 1:
        return State(Kind.ONE, heard[0], 1)
    if heard:
        active = _active(scene, heard)
        return State(Kind.ACTIVE if active else Kind.SEVERAL, active, len(heard))
    if every:
        return State(Kind.MUTED, count=len(every))
    if timeline.scenes_with_sound(scene):
        return State(Kind.INSIDE)
    if where := elsewhere(scene, shown):
        return State(Kind.ELSEWHERE, where=where, count=len(songs(where)))
    if timeline.sounds(scene):
        return State(Kind.OWN)
    return State(Kind.GONE if name else Kind.NONE)


def choose(scene: bpy.types.Scene, name: str = "", *, shown: bpy.types.Scene | None = None) -> bpy.types.Strip:
    """The strip that is the song. The arguments are those of ``state``.

    Raises UserError, saying what to do, when it is not clear which one that is.
    """
    found = state(scene, name, shown=shown)
    if found.strip:
        return found.strip
    raise UserError(missing(scene, name, found))


def missing(scene: bpy.types.Scene, name: str, found: State) -> str:
    """Why there is no song, and what to do, in a line or two.

    found: the state of ``scene``, which has no strip.
    """
    if found.kind is Kind.GONE:
        return f"There is no sound strip {name!r} any more. Choose another one under Song."
    if found.kind is Kind.SEVERAL:
        return f"There are {found.count} songs in the sequencer. Choose one under Song, or All Sound."
    if found.kind is Kind.MUTED:
        return f"{all_muted(scene, songs(scene))} Unmute one, or choose one under Song."
    if found.kind is Kind.INSIDE:
        inside = timeline.scenes_with_sound(scene)[0].name
        return f"The sound of {scene.name!r} is in the scene strip {inside!r}. Choose All Sound under Song."
    if found.kind is Kind.ELSEWHERE:
        assert found.where is not None
        return f"The song is in another scene, {found.where.name!r}. Press Use It Here under Song."
    if found.kind is Kind.OWN:
        return f"All sound of {scene.name!r} was made by Footlight. Use Choose Song, or choose it by name under Song."
    return f"There is no song in {scene.name!r}. Use Choose Song."


def elsewhere(scene: bpy.types.Scene, shown: bpy.types.Scene | None = None) -> bpy.types.Scene | None:
    """Another scene that has a song; rather the one that is ``shown``."""
    others = [one for one in (shown, *bpy.data.scenes) if one is not None and one != scene]
    return next((one for one in others if songs(one)), None)


def left_behind(scene: bpy.types.Scene) -> bpy.types.Scene | None:
    """The scene with an armature, where ``scene`` is empty: New in Blender 5's sequencer makes one and shows it."""
    if len(scene.objects):
        return None
    others = (one for one in bpy.data.scenes if one != scene)
    return next((one for one in others if any(ob.type == "ARMATURE" for ob in one.objects)), None)


def all_muted(scene: bpy.types.Scene, placed: list[timeline.Placed]) -> str:
    """The sentence for sound strips none of which is heard."""
    if len(placed) == 1:
        return f"The only sound strip of {scene.name!r}, {placed[0].strip.name!r}, is muted."
    return f"All {len(placed)} sound strips of {scene.name!r} are muted."


def _active(scene: bpy.types.Scene, heard: list[timeline.Placed]) -> timeline.Placed | None:
    """The strip that is active in the sequencer, or the only selected one."""
    active = scene.sequence_editor.active_strip
    chosen = [one for one in heard if one.strip.select]
    return next((one for one in chosen if one.strip == active), chosen[0] if len(chosen) == 1 else None)

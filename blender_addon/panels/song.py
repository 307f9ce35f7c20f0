"""The rows for the song: for every state of the scene what it is, and the button that goes on from there.

Drawn from the scene each time, never remembered.
"""

from __future__ import annotations

import bpy

from .. import names, recent
from ..operators.settings import settings_of
from ..scene import songs, versions
from ..scene.songs import Kind
from .rows import labelled
from .wrapping import wrapped

OFFERED = 3
"""So many songs of another scene have a button."""


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The *Song* rows of the panel."""
    scene, settings = context.scene, settings_of(context.scene)
    column = layout.column(align=True)
    home = songs.left_behind(scene)
    if home is not None:
        _left_behind(column, context, home)
    shown = versions.sequencer_scene(context)
    found = songs.state(scene, settings.strip, everything=settings.source == "MIX", shown=shown)
    if found.kind is Kind.NONE or (found.kind is Kind.GONE and not found.count):
        _empty(column)
    elif found.kind is Kind.ELSEWHERE and found.where is not None:
        _empty(column)
        if found.where != home:  # that one is gone back to
            _elsewhere(column, context, found.where)
    else:
        labelled(column, "Song").prop(settings, "source", expand=True)
        if found.kind is not Kind.ALL:
            _field(column, settings, found)
    if line := _line(context, settings, found):
        told = column.column()
        told.alert = found.kind is Kind.GONE
        wrapped(told, context, *line)


def _empty(column: bpy.types.UILayout) -> None:
    """No song here: the wide button."""
    parts = labelled(column, "Song").split(factor=0.3)
    parts.label(text="none yet")
    row = parts.row(align=True)
    row.operator(names.CHOOSE_SONG, icon="FILE_SOUND")
    _recent(row)


def _field(column: bpy.types.UILayout, settings: bpy.types.PropertyGroup, found: songs.State) -> None:
    """The song's name, another one, and a file."""
    row = labelled(column, "")
    name = row.row(align=True)
    name.alert = found.kind is Kind.GONE
    name.prop(settings, "song", text="", icon="FILE_SOUND", placeholder="Choose One")
    row.operator(names.CHOOSE_SONG, text="", icon="FILE_FOLDER")
    _recent(row)


def _recent(row: bpy.types.UILayout) -> None:
    if recent.any_there():
        row.menu("FOOTLIGHT_MT_recent_songs", text="", icon="DOWNARROW_HLT")


def _elsewhere(column: bpy.types.UILayout, context: bpy.types.Context, where: bpy.types.Scene) -> None:
    """The songs of another scene, each with a button."""
    found = [one.strip.name for one in songs.songs(where)]
    what = f"{found[0]!r} is" if len(found) == 1 else f"{len(found)} songs are"
    wrapped(column, context, f"{what} in the scene {where.name!r}, which is not the one that plays here.", "INFO")
    for name in found[:OFFERED]:
        text = "Use It Here" if len(found) == 1 else f"Use {name!r} Here"
        labelled(column, "").operator(names.BRING_SONG, text=text, icon="IMPORT").strip = name


def _line(context: bpy.types.Context, settings: bpy.types.PropertyGroup, found: songs.State) -> tuple[str, str] | None:
    """What to know of the song, and an icon; None for nothing."""
    strip = found.strip
    if found.kind is Kind.GONE:
        return f"{settings.strip!r} is not here any more. Choose another song.", "ERROR"
    if found.kind is Kind.SEVERAL:
        return f"There are {found.count} songs. Choose one, or select one in the sequencer.", "INFO"
    if found.kind is Kind.ACTIVE:
        return f"Of {found.count} songs, the one that is selected in the sequencer.", "INFO"
    if found.kind is Kind.MUTED:
        return "Every song is muted. Unmute one, or choose one.", "INFO"
    if found.kind is Kind.OWN:
        return "There is only music that Footlight made. Choose a song, or choose that music here.", "INFO"
    if found.kind is Kind.INSIDE:
        return "The sound is in a scene strip. Use All Sound.", "INFO"
    if found.kind is Kind.NONE:
        return "Or drop a sound file on the 3D View.", "BLANK1"
    if strip is None or found.placed is None:
        return None
    if found.placed.muted:
        return "Muted. Play lets the song of the dance be heard.", "INFO"
    if meta := strip.parent_meta():
        return f"Inside the meta strip {meta.name!r}.", "INFO"
    if songs.is_own(strip):
        return "Music that Footlight made.", "INFO"
    return None


def _left_behind(column: bpy.types.UILayout, context: bpy.types.Context, home: bpy.types.Scene) -> None:
    """The window shows an empty scene beside the dancer's."""
    wrapped(column, context, f"{context.scene.name!r} is a new, empty scene. The dancer is in {home.name!r}.", "ERROR")
    column.operator(names.SHOW_SCENE, text=f"Back to {home.name!r}", icon="LOOP_BACK")

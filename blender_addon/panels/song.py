"""The rows for the song: for every state of the scene what it is, and the button that goes on from there.

Drawn from the scene each time, never remembered.
"""

from __future__ import annotations

import bpy

from .. import names
from ..operators.settings import settings_of
from ..scene import songs, versions
from ..scene.songs import Kind

OFFERED = 3
"""So many songs of another scene have a button."""

SPLIT = 0.25
"""Of the row's width that its label takes."""


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The *Song* rows of the panel."""
    scene = context.scene
    settings = settings_of(scene)
    shown = versions.sequencer_scene(context)
    found = songs.state(scene, settings.strip, everything=settings.source == "MIX", shown=shown)
    column = layout.column(align=True)
    if home := songs.left_behind(scene):
        _left_behind(column, scene, home)
        return
    if found.kind is Kind.ALL or songs.songs(scene) or found.kind in (Kind.CHOSEN, Kind.INSIDE, Kind.OWN):
        _row(column).row(align=True).prop(settings, "source", expand=True)
    if found.kind is Kind.ALL:
        return
    if found.kind in (Kind.NONE, Kind.ELSEWHERE) or (found.kind is Kind.GONE and not found.count):
        _empty(column, scene, settings, found)
    else:
        _field(column, settings, found)


def _row(column: bpy.types.UILayout, label: str = "Song") -> bpy.types.UILayout:
    """The part of a new row beside its label."""
    split = column.split(factor=SPLIT, align=True)
    names_ = split.row()
    names_.alignment = "RIGHT"
    names_.label(text=label)
    return split


def _field(column: bpy.types.UILayout, settings, found: songs.State) -> None:
    """The field with the song's name, and a line about it where there is one."""
    row = _row(column, "").row(align=True)
    row.alert = found.kind is Kind.GONE
    hint = found.strip.name if found.strip else {Kind.SEVERAL: "Choose One"}.get(found.kind, "None")
    row.prop(settings, "strip", text="", icon="FILE_SOUND", placeholder=hint)
    _buttons(row)
    if line := _line(settings, found):
        text = _row(column, "")
        text.alert = found.kind is Kind.GONE
        text.label(text=line[0], icon=line[1])


def _buttons(row: bpy.types.UILayout) -> None:
    row.operator(names.CHOOSE_SONG, text="", icon="FILE_FOLDER")
    row.menu("FOOTLIGHT_MT_recent_songs", text="", icon="DOWNARROW_HLT")


def _line(settings, found: songs.State) -> tuple[str, str] | None:
    """What to know of the song, and an icon; None for nothing."""
    if found.kind is Kind.GONE:
        return "Not here any more. Choose another", "ERROR"
    if found.kind is Kind.SEVERAL:
        return f"{found.count} songs: choose or select one", "INFO"
    if found.kind is Kind.ACTIVE:
        return f"The selected one of {found.count}", "RESTRICT_SELECT_OFF"
    if found.kind is Kind.MUTED:
        return "All muted. Unmute or choose one", "MUTE_IPO_ON"
    if found.kind is Kind.OWN:
        return "Only music made by Footlight", "INFO"
    if found.kind is Kind.INSIDE:
        return "In a scene strip: use All Sound", "INFO"
    strip = found.strip
    assert strip is not None and found.placed is not None
    if found.placed.muted:
        return "Muted; Play lets it be heard", "MUTE_IPO_ON"
    if settings.strip and settings.strip != strip.name:
        return f"Now called {strip.name}", "INFO"
    if meta := strip.parent_meta():
        return f"Inside the meta strip {meta.name}", "SEQ_STRIP_META"
    if songs.is_own(strip):
        return "Made by Footlight", "INFO"
    return None


def _empty(column: bpy.types.UILayout, scene: bpy.types.Scene, settings, found: songs.State) -> None:
    """No song here: the wide button, and a song of another scene."""
    row = _row(column).row(align=True)
    row.scale_y = 1.2
    row.operator(names.CHOOSE_SONG, icon="FILE_SOUND")
    row.menu("FOOTLIGHT_MT_recent_songs", text="", icon="DOWNARROW_HLT")
    if found.kind is Kind.ELSEWHERE and found.where is not None:
        strips = [one.strip.name for one in songs.songs(found.where)]
        what = f"{strips[0]!r} is" if len(strips) == 1 else f"{len(strips)} songs are"
        _row(column, "").label(text=f"{what} in {found.where.name!r}", icon="INFO")
        for name in strips[:OFFERED]:
            text = "Use It Here" if len(strips) == 1 else f"Use {name!r} Here"
            _row(column, "").operator(names.BRING_SONG, text=text, icon="IMPORT").strip = name
    else:
        text = "Or drop a sound file on the 3D View"
        if found.kind is Kind.GONE:
            text = f"{settings.strip!r} is not here any more"
        _row(column, "").label(text=text, icon="ERROR" if found.kind is Kind.GONE else "BLANK1")


def _left_behind(column: bpy.types.UILayout, scene: bpy.types.Scene, home: bpy.types.Scene) -> None:
    """The window shows an empty scene beside the dancer's."""
    column.label(text=f"{scene.name!r} is a new, empty scene.", icon="ERROR")
    column.label(text=f"The dancer is in {home.name!r}.", icon="BLANK1")
    column.operator(names.SHOW_SCENE, text=f"Back to {home.name!r}", icon="LOOP_BACK")

"""Results: what is known of a dance or of music, and what to do next."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import card, light
from ..operators.light import is_seen
from ..operators.play import face
from ..scene import music as music_files
from ..scene import songs, strips, takes
from .status import CROSS
from .wrapping import NO_BREAK, wrapped

REMAKE = {
    card.DANCE: names.GENERATE,
    card.MUSIC: names.SCORE,
    card.BOTH: names.DUET,
    card.THEATRE: names.THEATRE,
}
"""What makes another take of a result."""

BOX = 2  # letters that a box takes


def dance(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object | None) -> None:
    """The card of the dance on an armature, if Footlight made it."""
    action = takes.shown(armature) if armature else None
    shown = card.of(action)
    if action is not None and shown is not None:
        box = _card(layout, context, shown, card.BEAT_SCORE)
        if shown.warning:
            warning(box, context, shown.warning).action = action.name
        if shown.operation == card.BOTH:
            _keep(box, context, strips.named(context.scene, action.get(names.PREFIX + "song", "")))
        _next(box, context, shown)


def music(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The card of the music that is selected in the sequencer, or else was made last."""
    strip = music_strip(context)
    shown = card.of(strip)
    if strip is not None and shown is not None:
        box = _card(layout, context, shown, card.MUSIC_SCORE)
        if shown.warning:
            warning(box, context, shown.warning).strip = strip.name
        _keep(box, context, strip)
        _next(box, context, shown)


def music_strip(context: bpy.types.Context) -> bpy.types.Strip | None:
    """Of the music that Footlight made: what is active in the sequencer, or else was made last."""
    scene = context.scene
    made = [strip for strip in strips.sound_strips(scene) if songs.is_own(strip)]
    active = scene.sequence_editor.active_strip if scene.sequence_editor else None
    if active is not None and active in made and active.select:
        return active
    return max(made, key=lambda strip: strip.get(names.PREFIX + "made", 0.0), default=None)


def _card(
    layout: bpy.types.UILayout, context: bpy.types.Context, shown: card.Card, explanation: str
) -> bpy.types.UILayout:
    box = layout.box().column(align=False)
    icon = "BLANK1" if shown.unfinished else "CHECKMARK"
    wrapped(box, context, shown.name.replace("seed ", f"seed{NO_BREAK}"), icon, less=BOX)
    lines = box.column(align=True)
    lines.scale_y = 0.85
    if shown.style and shown.style not in shown.name:
        lines.label(text=shown.style, icon="BLANK1")
    if shown.unfinished:
        rest = "the rest is being made" if session.busy() else "the rest was not made"
        wrapped(lines, context, f"The first seconds; {rest}", "SORTTIME", less=BOX)
        stage = light.of(context.scene)
        other = stage is not None and bool(stage.get(light.DANCE))
        if other and shown.operation == card.THEATRE and session.busy():
            wrapped(lines, context, "Until then the stage is lit as before", "BLANK1", less=BOX)
    if shown.beat:
        row = lines.row()
        row.label(text=f"On the beat: {shown.beat}", icon="BLANK1")
        row.operator(names.EXPLAIN, text="", icon="QUESTION", emboss=False).text = explanation
    if shown.strikes:
        wrapped(lines, context, shown.strikes, "BLANK1", less=BOX)
    if facts := ", ".join(text for text in (shown.length, shown.pulse) if text):
        wrapped(lines, context, facts, "BLANK1", less=BOX)
    if shown.feet:
        wrapped(lines, context, shown.feet, "BLANK1", less=BOX)
    if shown.moves:
        wrapped(lines, context, shown.moves, "BLANK1", less=BOX)
    if shown.keys:
        wrapped(lines, context, shown.keys, "BLANK1", less=BOX)
    return box


def warning(layout: bpy.types.UILayout, context: bpy.types.Context, told: str) -> bpy.types.OperatorProperties:
    """What the user should know besides, with an X; returns the properties of that."""
    row = layout.row()
    text = row.column()
    text.alert = True
    wrapped(text, context, told, "ERROR", less=CROSS)
    return row.operator(names.DISMISS, text="", icon="X", emboss=False)


def _keep(layout: bpy.types.UILayout, context: bpy.types.Context, strip: bpy.types.Strip | None) -> None:
    """While music lies in a temporary folder: that it does, and the button that keeps it."""
    if strip is None or not music_files.may_be_lost(strip):
        return
    text = layout.column()
    text.alert = True
    wrapped(text, context, music_files.LOST, "ERROR", less=BOX)
    layout.operator(names.KEEP_MUSIC, text="Save and Keep", icon="FILE_TICK").strip = strip.name


def _next(layout: bpy.types.UILayout, context: bpy.types.Context, shown: card.Card) -> None:
    """What can be done with it."""
    play = layout.row()
    play.scale_y = 1.2
    play.operator(names.PLAY, **face(context))
    row = layout.row(align=True)
    another = row.operator(REMAKE[shown.operation], text="Another Take", icon="FILE_REFRESH")
    another.new_seed = True
    if shown.operation in (card.DANCE, card.THEATRE):
        another.takes = 1
        row.operator(REMAKE[shown.operation], text="Again", icon="LOOP_BACK").like = shown.name
        row = layout.row(align=True)
    if shown.operation == card.THEATRE and light.of(context.scene):
        row.operator(names.SEE_LIGHT, icon="SHADING_RENDERED", depress=is_seen(context))
    elif shown.operation != card.MUSIC:
        row.operator(names.ADD_STAGE, text="Add Stage", icon="LIGHT_SPOT")

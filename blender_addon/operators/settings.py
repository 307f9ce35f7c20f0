"""What the panel's settings mean: who is to dance, to which song, how the engine is to sample; and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from .. import environment, key_props, light_props, model, names, readiness, styles
from ..api import kept_light, light, theatre
from ..engine.timings import Task
from ..errors import UserError
from ..props import NORMAL_FOLLOW, OWN_CHOICE, STYLE_MOVES
from ..scene import dancer, meant, reading, songs, strips, takes, versions

MODALITY = {
    names.GENERATE: "motion",
    names.EDIT: "motion",
    names.SCORE: "music",
    names.DUET: "motion",
    names.THEATRE: model.THEATRE,
}
"""What each operator's guidance is of."""


OPERATIONS = {
    names.GENERATE: "dance",
    names.EDIT: "dance",
    names.SCORE: "score",
    names.DUET: "duet",
    names.THEATRE: "theatre",
    names.LIGHT: "light",
    names.LIGHT_EDIT: "light",
    names.SHOW_BEATS: "beats",
}
"""The engine's word for each operator."""


def settings_of(scene: bpy.types.Scene) -> Any:
    """What the user chose in the panel: ``props.FootlightSettings``."""
    return getattr(scene, names.SCENE_PROPERTY)


def sampling(scene: bpy.types.Scene, about: str) -> dict:
    """The engine's words for the panel's choices of seed, quality, guidance and style.

    about: the operator.
    """
    settings = settings_of(scene)
    first, second = ("" if name == OWN_CHOICE else name for name in (settings.style, settings.style_second))
    return {
        "seed": settings.seed,
        "quality": quality(settings),
        "guidance": guidance(settings.follow, MODALITY[about], quality(settings)),
        "style": styles.text(first, second, settings.style_mix),
    }


def dancing(scene: bpy.types.Scene) -> dict:
    """The engine's words for the panel's choices of a dance to a song: beat snap, free form and moves."""
    settings = settings_of(scene)
    as_style = settings.free_form or settings.moves == STYLE_MOVES
    return {
        "beat_snap": settings.beat_snap,
        "free_form": settings.free_form,
        "moves": None if as_style else settings.moves,
    }


def marking(scene: bpy.types.Scene) -> dict:
    """How the beats of a result are shown, as the panel says."""
    settings = settings_of(scene)
    return {"markers": settings.markers, "bars_only": settings.bars_only}


def writing(scene: bpy.types.Scene) -> dict:
    """How a dance is put into the scene: how its beats are shown, and which of its frames are keyed."""
    return {**marking(scene), "keys": key_props.spacing(settings_of(scene).keys)}


def by_model(settings: bpy.types.PropertyGroup) -> bool:
    """Whether the model writes the light of a dance that is there."""
    return settings.light.by == light.MODEL


def _model_lights(context: bpy.types.Context, about: str) -> bool:
    """Whether the model writes the light that an operator is to make for a dance that is there."""
    if about != names.LIGHT_EDIT:
        return by_model(settings_of(context.scene))
    try:
        return light.lit_by(takes.shown(find_dancer(context))) == light.MODEL
    except UserError:
        return False


def quality(settings: bpy.types.PropertyGroup) -> str:
    """The engine's word for *Fine*."""
    return "fine" if settings.fine else "normal"


def guidance(follow: float, modality: str, quality: str = "normal") -> float | None:
    """The model's guidance for a place of *Follow the Music*: 1 is none, ``NORMAL_FOLLOW`` what the model was tuned
    for, and straight on from there. None leaves it to the model."""
    tuned = model.facts(environment.model_folder(), quality).guidance.get(modality, NORMAL_FOLLOW)
    if abs(follow - NORMAL_FOLLOW) < 1e-4:
        return None
    return round(1 + (follow - 1) * (tuned - 1) / (NORMAL_FOLLOW - 1), 4)


def task(context: bpy.types.Context, about: str, takes: int = 0) -> Task | None:
    """What an operator would ask now, to foretell how long it takes; None where that is not clear.

    takes: how many dances are made; 0: as many as the settings say.
    """
    settings, operation = settings_of(context.scene), OPERATIONS[about]
    seconds = seconds_of(context, about)
    if not seconds:
        return None
    known = model.facts(environment.model_folder(), quality(settings)).work
    makes = {"dance": ("motion",), "score": ("music",), "duet": ("motion", "music"), "theatre": (model.THEATRE,)}
    if _model_lights(context, about):
        makes |= {"light": ("light",)}
    work = sum(known.get(modality, 0.0) for modality in makes.get(operation, ()))
    if about in (names.GENERATE, names.THEATRE):
        seconds *= takes or settings.takes
    return Task(operation, seconds, work, environment.preferences().device)


def seconds_of(context: bpy.types.Context, about: str) -> float | None:
    """How long the result will be; None where that is not clear."""
    scene, settings = context.scene, settings_of(context.scene)
    if about == names.DUET:
        return settings.duet_seconds
    try:
        if about == names.SCORE:
            first, last = score_range(context, find_dancer(context))
            return (last - first + 1) / strips.frame_rate(scene)
        if settings.source == "MIX":
            return (scene.frame_end - scene.frame_start + 1) / strips.frame_rate(scene)
        song = songs.state(scene, settings.strip, shown=versions.sequencer_scene(context)).placed
        return (song.end - song.first) / strips.frame_rate(scene) if song else None
    except UserError:
        return None


def score_range(context: bpy.types.Context, armature: bpy.types.Object) -> tuple[int, int]:
    """The first and the last frame that music is made for.

    Raises UserError where the action's are wanted and there is none.
    """
    scene = context.scene
    if settings_of(scene).score_range == "ACTION":
        return reading.animated_range(armature)
    return scene.frame_start, scene.frame_end


def find_dancer(context: bpy.types.Context) -> bpy.types.Object:
    """The armature that is meant: the chosen one, else the active one or the one of what is active, else the scene's
    only dancer, else its only body.

    Raises UserError, saying what to do, when there is none.
    """
    if (found := dancer_or_none(context)) is None:
        raise UserError("There is no dancer. Press Add Dancer, or choose an armature under Dancer.")
    return found


def dancer_or_none(context: bpy.types.Context) -> bpy.types.Object | None:
    """As ``find_dancer``, None where there is no armature at all that could dance, and one can be added."""
    chosen = settings_of(context.scene).dancer
    if chosen is not None:
        if chosen.name not in context.scene.objects:
            raise UserError(f"{chosen.name!r} is no longer in this scene. Choose another armature under Dancer.")
        return chosen
    active = context.active_object
    if active is not None and (shown := meant.armature_of(context.scene, active)):
        return shown
    armatures = [ob for ob in context.scene.objects if ob.type == "ARMATURE"]
    if len(armatures) < 2:  # where it cannot dance, whoever is asked says why
        return armatures[0] if armatures else None
    found = dancer.dancers(context.scene) or meant.bodies(context.scene) or armatures[:1]
    if len(found) > 1:
        raise UserError(f"There are {len(found)} dancers in this scene. Choose one under Dancer.")
    return found[0]


def find_song(context: bpy.types.Context, folder: str) -> strips.Song:
    """The song that the settings name, in the scene of the window.

    folder: for files made on the way.

    Raises UserError when there is none.
    """
    if settings_of(context.scene).source == "MIX":
        return strips.whole_mix(context.scene, folder)
    return strips.excerpt(context.scene, chosen_strip(context), folder)


def chosen_strip(context: bpy.types.Context) -> bpy.types.Strip:
    """The strip that is the song. Raises UserError when there is none, or it is not clear which."""
    settings = settings_of(context.scene)
    return songs.choose(context.scene, settings.strip, shown=versions.sequencer_scene(context))


def check_editable(scene: bpy.types.Scene) -> None:
    """Raises UserError when the scene cannot be changed."""
    if not scene.is_editable:
        raise UserError("The scene is linked from another file. Make it local first.")


@dataclass(frozen=True)
class Lack:
    """Why an operator cannot start.

    short: for a line of the panel.
    long: for the button's tooltip.
    """

    short: str
    long: str


def lacking(context: bpy.types.Context, about: str) -> Lack | None:
    """What an operator lacks; None where it can start. Looked up from the scene each time, and nothing that takes long:
    whether a rig can dance is seen when it is asked to."""
    scene, settings = context.scene, settings_of(context.scene)
    ready = readiness.now()
    if not ready.usable:
        return Lack(ready.short, ready.text or ready.short)
    try:
        check_editable(scene)
    except UserError as error:
        return Lack("The scene is linked", str(error))
    if about not in (names.SCORE, names.DUET) and settings.source != "MIX":
        try:
            chosen_strip(context)
        except UserError as error:
            return Lack("Choose a song first", str(error))
    if about == names.SHOW_BEATS:
        return None
    lights = about in (names.THEATRE, names.LIGHT, names.LIGHT_EDIT)
    if lights and (lack := _theatre_lacking(context, about) or look_lacking(context, about)):
        return lack
    needed = about in (names.SCORE, names.EDIT, names.LIGHT_EDIT) or (about == names.LIGHT and by_model(settings))
    try:
        armature = find_dancer(context) if needed else dancer_or_none(context)
    except UserError as error:
        return Lack("Choose a dancer first", str(error))
    if about == names.EDIT and armature is not None and takes.shown(armature) is None:
        return Lack("There is no dance to edit", "The dancer has no action. Generate a dance first")
    if about == names.LIGHT_EDIT and armature is not None and not kept_light.was_edited(takes.shown(armature)):
        return Lack("Not edited since it was lit", light.NOT_EDITED)
    if about == names.SCORE and armature is not None:
        try:
            first, last = score_range(context, armature)
        except UserError as error:
            return Lack("The dancer does not move yet", str(error))
        try:
            reading.check_length(first, last, strips.frame_rate(scene))
        except UserError as error:
            return Lack("Too short for music", str(error))
    return None


def look_lacking(context: bpy.types.Context, about: str) -> Lack | None:
    """What the light lacks that an operator is to make, or the stage whose light it is to keep."""
    chosen = settings_of(context.scene).light
    if about == names.LIGHT_EDIT:
        return None  # it is in the look that the dance was lit in
    if about == names.THEATRE and chosen.made == light_props.KEPT:
        there = light.of(context.scene) is not None
        return None if there else Lack("There is no lit stage", theatre.NO_LIGHT)
    try:
        look = light_props.asked(chosen.together if about == names.THEATRE else chosen)
    except UserError as error:
        return Lack("Choose a picture first", str(error))
    if look is None and about == names.LIGHT and chosen.by == light.RULES:
        return Lack("Rules need a look", light.NO_LOOK)
    return None


def _theatre_lacking(context: bpy.types.Context, about: str) -> Lack | None:
    """What a model lacks that is to make light. What is known of none, the engine says."""
    if about != names.THEATRE and not _model_lights(context, about):
        return None
    known = model.facts(environment.model_folder())
    if not known.digest or known.theatre:
        return None
    return Lack(
        "This model makes no light",
        f"The model {environment.model_folder().name!r} has no theatre, which makes dances with light. Choose another "
        "in the preferences, or light the stage by rules",
    )

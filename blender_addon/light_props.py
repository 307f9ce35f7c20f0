"""How the stage is lit, as the user chooses it, kept in the scene."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import functools
from pathlib import Path

import bpy
from bpy.app.handlers import persistent
from bpy.props import BoolProperty, EnumProperty, PointerProperty, StringProperty

from . import looks, names
from .api import light
from .errors import UserError
from .menu_props import Item, items, stored_menu
from .shared import protocol

FILE = "FILE"
"""The identifier of the entry that stands for a file of the user's."""

ANY = "ANY"
"""That of the entry that leaves the look to the model."""

NEW = "new"
KEPT = "kept"
"""Which light a dance is made with."""


@functools.cache
def _look_items() -> list[Item]:
    shipped = [(look.name, look.title, look.about) for look in looks.shipped()]
    free = (ANY, "Any Look", "The model lights as it likes, without a look. Not for Lit By: Rules")
    own = (FILE, "Like a Picture", "The colours and the brightness of a picture of yours. A LOOK.json will do as well")
    return items([*shipped, free, own])


_ABOUT_ACCENTS = {
    "strike": "The body moves most on the beat",
    "arrive": "The body comes to rest on the beat, as it does with Generate Dance",
}

ACCENTS = tuple((accent, accent.title(), _ABOUT_ACCENTS[accent]) for accent in protocol.ACCENTS)
"""The menu of what the body does on a beat."""


def _chosen(self: FootlightLook | FootlightLight, _context: bpy.types.Context) -> None:
    getattr(self.id_data, names.SCENE_PROPERTY).light.apart = True


class _Look:
    """A look, as the user chooses it."""

    look_name: StringProperty(options={"HIDDEN"}, update=_chosen)
    look: stored_menu("look_name", "Look", "How the stage is lit", _look_items)
    file: StringProperty(
        name="File",
        description="The picture that the stage is lit like (jpg, png or webp), or a LOOK.json of yours",
        subtype="FILE_PATH",
        update=_chosen,
    )


class FootlightLook(_Look, bpy.types.PropertyGroup):
    """Of a dance that is made with its light."""


class FootlightLight(_Look, bpy.types.PropertyGroup):
    """Of a stage that is lit for the dance that is there, and what else is chosen of light."""

    apart: BoolProperty(options={"HIDDEN"})
    together: PointerProperty(type=FootlightLook)
    by: EnumProperty(
        name="Lit By",
        description="Who writes the light for the dance",
        items=(
            (light.RULES, "Rules", "The look's own rules, which keep every beat and section exactly"),
            (light.MODEL, "Model", "The model that makes dances with their light. It needs a dance that moves"),
        ),
    )
    made: EnumProperty(
        name="Light",
        description="Which light the dance is made with",
        items=(
            (NEW, "New", "Light that is made together with the dance"),
            (KEPT, "As It Is", "The light of the stage that is there: the dance is made for it, and it stays"),
        ),
    )
    accent: EnumProperty(
        name="Accent",
        description="What the body does on a beat",
        items=ACCENTS,
    )


def tell_apart() -> None:
    """Let scenes that were saved when there was one look have that one for both."""
    for scene in bpy.data.scenes:
        chosen = getattr(scene, names.SCENE_PROPERTY).light
        if scene.is_editable and not chosen.apart and (chosen.look_name or chosen.file):
            chosen.together.look_name, chosen.together.file = chosen.look_name, chosen.file
            chosen.apart = True


@persistent
def _opened(*_args: object) -> None:
    tell_apart()


def register() -> None:
    bpy.app.handlers.load_post.append(_opened)


def unregister() -> None:
    bpy.app.handlers.load_post.remove(_opened)


def asked(chosen: FootlightLook | FootlightLight) -> str | None:
    """The engine's word for the user's choice; None for any look. Raises UserError where it is a file that is not
    there."""
    if chosen.look == ANY:
        return None
    if chosen.look != FILE:
        return chosen.look
    if not chosen.file:
        raise UserError("Choose a picture first, under Look.")
    return looks.found(str(Path(bpy.path.abspath(chosen.file))))

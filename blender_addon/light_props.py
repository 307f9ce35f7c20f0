"""How the stage is lit, as the user chooses it, kept in the scene."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import functools
from pathlib import Path

import bpy
from bpy.props import StringProperty

from . import looks
from .errors import UserError
from .menu_props import Item, items, stored_menu

FILE = "FILE"
"""The identifier of the entry that stands for a file of the user's."""


@functools.cache
def _look_items() -> list[Item]:
    shipped = [(look.name, look.title, look.about) for look in looks.shipped()]
    own = (FILE, "Like a Picture", "The colours and the brightness of a picture of yours. A LOOK.json will do as well")
    return items([*shipped, own])


class FootlightLight(bpy.types.PropertyGroup):
    look_name: StringProperty(options={"HIDDEN"})
    look: stored_menu("look_name", "Look", "How the stage is lit", _look_items)
    file: StringProperty(
        name="File",
        description="The picture that the stage is lit like (jpg, png or webp), or a LOOK.json of yours",
        subtype="FILE_PATH",
    )


def asked(light: FootlightLight) -> str:
    """The engine's word for the user's choice. Raises UserError where it is a file that is not there."""
    if light.look != FILE:
        return light.look
    if not light.file:
        raise UserError("Choose a picture first, under Look.")
    path = Path(bpy.path.abspath(light.file))
    if not path.is_file():
        raise UserError(f"There is no file {path}. Choose another picture under Look.")
    return str(path)

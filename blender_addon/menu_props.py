"""Menus whose choice is kept by its name, so that a saved scene does not depend on the order of the entries."""

from __future__ import annotations

from collections.abc import Callable

import bpy
from bpy.props import EnumProperty

Item = tuple[str, str, str, str, int]
"""Identifier, name, description, icon and number of an entry. Blender draws it from strings that it does not keep."""


def items(entries: list[tuple[str, str, str]]) -> list[Item]:
    """The entries of a menu from identifiers, names and descriptions. Whoever calls it keeps the result."""
    return [(*entry, "NONE", number) for number, entry in enumerate(entries)]


def stored_menu(stored: str, name: str, description: str, offered: Callable[[], list[Item]]) -> EnumProperty:
    """A menu that keeps the identifier of its choice in the property ``stored``, and nothing for the first entry.

    offered: its entries, always the same list as long as they are the same. A name that is no entry is no choice.
    """

    def get(self: bpy.types.PropertyGroup) -> int:
        return next((item[4] for item in offered() if item[0] == getattr(self, stored)), 0)

    def set(self: bpy.types.PropertyGroup, number: int) -> None:
        setattr(self, stored, offered()[number][0] if number else "")

    def entries(_self: bpy.types.PropertyGroup, _context: bpy.types.Context) -> list[Item]:
        return offered()

    return EnumProperty(name=name, description=description, items=entries, get=get, set=set)

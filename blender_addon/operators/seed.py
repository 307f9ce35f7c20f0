"""A seed nobody thought of, another take with it, and the same dance again."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import random

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from .. import names
from .settings import settings_of

LARGEST = 999
"""Of the seeds that are drawn: short enough to be read in a name and typed again."""


class NewSeed:
    """For operators that make something: they may draw a seed first."""

    new_seed: BoolProperty(
        name="New Seed",
        description="Draw a new seed first: another take",
        default=False,
        options={"SKIP_SAVE"},
    )

    def start(self, context: bpy.types.Context) -> None:
        """Ask the engine. Raises UserError when something is missing."""
        raise NotImplementedError

    def begin(self, context: bpy.types.Context) -> None:
        settings = settings_of(context.scene)
        before = settings.seed
        if self.new_seed:
            settings.seed = another(before)
        try:
            self.start(context)
        except Exception:
            settings.seed = before
            raise


class Repeatable(NewSeed):
    """For operators that make dances: several at once, or one again, as its action says."""

    like: StringProperty(
        description="The action of a dance that is made again: what it keeps counts, and not the panel",
        options={"SKIP_SAVE"},
    )
    takes: IntProperty(
        description="How many dances are made, each with the next seed; 0: as many as the panel says",
        min=0,
        default=0,
        options={"SKIP_SAVE"},
    )
    again = ""
    """The tooltip of the button that makes one again."""

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return cls.again if properties.like else " ".join((cls.__doc__ or "").split())


class FOOTLIGHT_OT_new_seed(bpy.types.Operator):
    """Draw another seed"""

    bl_idname = names.NEW_SEED
    bl_label = "New Seed"
    bl_options = frozenset({"UNDO"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = settings_of(context.scene)
        settings.seed = another(settings.seed)
        return {"FINISHED"}


def another(seed: int) -> int:
    """A seed that is not this one."""
    drawn = random.SystemRandom().randrange(LARGEST)
    return drawn + (drawn >= seed)

"""A seed nobody thought of, and another take with it."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import random

import bpy
from bpy.props import BoolProperty

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

"""What every operator that works at once has in common: it says what it did, or why it could not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..shared import FootlightError


class AtOnce:
    """For operators: what ``act`` returns or raises is reported."""

    if TYPE_CHECKING:  # what bpy.types.Operator, the other base, brings along

        def report(self, kind: set[str], message: str) -> None: ...

    def act(self, context: bpy.types.Context) -> str:
        """Do it. Returns what to tell the user, or nothing. Raises FootlightError where it cannot be done."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            said = self.act(context)
        except FootlightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if said:
            self.report({"INFO"}, said)
        return {"FINISHED"}

"""Why a button cannot be pressed: its tooltip says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..shared import FootlightError


class SaysWhy:
    """For operators: those that lack something cannot be pressed, and say what."""

    if TYPE_CHECKING:  # what bpy.types.Operator, the other base, brings along

        @classmethod
        def poll_message_set(cls, message: str) -> None: ...

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        """Why it cannot start; empty when nothing is missing. May also raise FootlightError, which says so."""
        raise NotImplementedError

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        try:
            why = cls.lack(context)
        except FootlightError as error:
            why = str(error)
        if why:
            cls.poll_message_set(why.rstrip("."))
        return not why

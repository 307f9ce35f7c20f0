"""The kind of failure that is shown to a person."""

from .shared import FootlightError


class UserError(FootlightError):
    """Something the user can put right in Blender: what was found, what was expected, what to do.

    Whoever shows failures catches FootlightError: what ``core.rig`` and ``core.protocol`` say is meant for people too.
    """

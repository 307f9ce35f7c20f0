"""The one kind of failure that is shown to a person."""


class UserError(Exception):
    """Something the user can put right: what was found, what was expected, what to do."""

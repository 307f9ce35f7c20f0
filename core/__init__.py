"""Dances for music and music for dances: the models, the signal processing around them, and the engine that runs them.

``docs/architecture.md`` lists the rooms and which of them may import which.
"""

__version__ = "0.1.0"

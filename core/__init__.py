"""Dance from music, and what it takes."""

__version__ = "0.1.0"

"""Recordings and MIDI files, rendered and arranged."""

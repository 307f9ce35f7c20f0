"""Recordings and MIDI, rendered and arranged."""

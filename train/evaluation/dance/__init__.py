"""Dances to songs: systems, measures, references and tables."""

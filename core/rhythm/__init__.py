"""Rhythm, which all modalities share: beat features, bars and sections, a motion's accents, a score's target, drums."""

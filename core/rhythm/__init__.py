"""Rhythm, which all modalities share: beat features, a motion's accents, the rhythm target of a score, drums."""

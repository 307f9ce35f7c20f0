"""The clock that all modalities share: features of beats, a motion's accents, the rhythm asked of a score, drums."""

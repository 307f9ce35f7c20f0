"""Numbers that say how well a dance fits its music, obeys physics and varies. Every result names its frame rate."""

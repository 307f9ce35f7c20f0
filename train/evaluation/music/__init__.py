"""Music from motion and duets, measured beside real music, chance and systems without learning."""

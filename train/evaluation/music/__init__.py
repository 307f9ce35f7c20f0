"""Music from motion, and both at once, judged beside real music, chance and what needs no learning."""

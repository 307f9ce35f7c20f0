"""The evaluation: dances, music, and one report of both. The command is ``train.evaluate``."""

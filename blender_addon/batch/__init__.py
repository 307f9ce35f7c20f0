"""Many songs, scenes or duets without a window: the program behind ``train/render_batch.py``."""

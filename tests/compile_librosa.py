"""Compile the loops of librosa that the tests call, once and in one process: ``python tests/compile_librosa.py``.

numba keeps what it has compiled on the disk. Where two test processes compile the same loop at once, what they leave
can crash every later one. So this runs before them.
"""

import librosa
import numpy as np

if __name__ == "__main__":
    sound = np.random.default_rng(0).standard_normal(44_100).astype(np.float32)
    librosa.onset.onset_detect(y=sound, backtrack=True)
    librosa.beat.beat_track(y=sound)

"""Audio: files, spectrograms, onsets, beats, loudness, and the music representations that models are trained on."""

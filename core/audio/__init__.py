"""Sound in and out: files, log-mel spectrograms, onsets, beats and the rhythm that conditions the dance."""

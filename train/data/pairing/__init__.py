"""Motion and music brought together: matching, warping, pairs that a user brings."""

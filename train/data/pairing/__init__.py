"""Motion and music brought together: matching, warping, pairs of one's own."""

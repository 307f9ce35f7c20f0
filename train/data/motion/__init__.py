"""Motion capture in every format that is read, cleaned and brought to one skeleton."""

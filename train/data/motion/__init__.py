"""Motion capture in every format that is read, cleaned and fitted to one skeleton."""

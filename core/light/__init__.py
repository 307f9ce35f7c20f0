"""Stage light from rules: looks, what is heard of a song, and the rules that write a show; reference pictures.

The looks and the rules are written by hand. They were not learned from shows.
"""

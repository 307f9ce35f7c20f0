"""The beats of a song as a grid that people count by: corrected, written to files, and asked for parts of the song.

beat_grid    beats and bars, and their corrections: half, double, half a beat later, another one, another metre
counts       bars and eights, as they are counted
ranges       "bars 17:20" and "the third eight" as seconds
beats_file   BEATS.json

It needs only numpy, and Blender imports it too.
"""

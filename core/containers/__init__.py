"""What sound files are made of, without decoding them: what kind they are, and how they are read to their end.

It needs only the standard library, and Blender imports it too.
"""

"""Stage light as data: what the channels of a show mean, its file, its colours, and how often it flashes.

It needs only numpy, and Blender imports it too. ``docs/light.md`` describes the file for those who write a reader.
"""

"""What is asked for when a part of a dance is made anew, in words and files: parts of the body, keys and paths.

parts       "upper", "left arm" and "arms,head" as joints
keys_file   KEYS.json: poses that are hit exactly
path_file   PATH.json: a curve on the floor that is followed

It needs only numpy, and Blender imports it too.
"""

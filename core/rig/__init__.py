"""Bodies and bones as data and arithmetic: numpy only, so that Blender can use it too.

skeleton     the 22 joints that Footlight dances with
quaternion   rotations
humanoid     which joint of another skeleton is which of ours
rest         how another body stands at rest, and the way from there to our T-pose
retarget     from our joints to the bones of an armature, and back
"""

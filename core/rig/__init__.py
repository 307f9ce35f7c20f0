"""Skeletons and rigs as data and arithmetic. It needs only numpy, so Blender can use it too.

skeleton     the 22 joints of Footlight's body
quaternion   rotations
families     joint names of common rigs
naming       what the names of joints say
ends         hands and feet that hang elsewhere than on their limbs
structure    arms and legs by the structure of a skeleton
named_limbs  arms and legs by the names of their joints, and what is missing
humanoid     finds our joints in another skeleton
mapping      which bone moves with which joint: found, put right by hand, as JSON
feet         keeps feet where they stand
hips         hips that are much wider than ours
sharing      bones of long spines, and bones that twist
rest         the rest pose of another body, and the rotations from it to our T-pose
calibration  the T-pose of another body from its movement, where its rest pose is none
proportions  how a rig is built, and its floor
residual     what a rig does not show of its dance
retarget     from our joints to the bones of an armature, and back
stepping     how much a body steps
runs         stretches of frames in which something holds
channels     rotations as quaternions, Euler angles, or an angle and an axis
splines      curves between keys
posing       where a rig is with the channels that are keyed
thinning     which frames are keyed
"""

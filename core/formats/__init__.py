"""Files of motion and of scores, read and written: BVH, NPZ, OpenPose, MIDI; bodies of other proportions."""
